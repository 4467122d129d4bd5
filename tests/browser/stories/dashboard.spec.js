// The dashboard answers whether everything is all right, and goes on to while it is open.
import { test, expect } from "../support/fixtures.js";

const BROKEN = "local job = core.job()\nfunction job.run()\n  error('the till is empty')\nend\nreturn job\n";
const MENDED = "local job = core.job()\nfunction job.run()\n  return job.OK\nend\nreturn job\n";

// What goes on by itself is looked up every two seconds, and less often while the machine is busy.
const BY_ITSELF = { timeout: 30_000 };

test("a job that fails shows by itself, its link leads to the run, and mending it clears the answer", async ({ desk: page, server }) => {
  test.setTimeout(150_000);
  const answer = page.getByRole("region", { name: /all right|attention/ });
  await expect(answer).toContainText("Everything is all right");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  // A mark that only a reload would take away, and a place where the keyboard is.
  await page.evaluate(() => (window.neverReloaded = true));
  await page.getByRole("link", { name: "Audit log" }).last().focus();

  await server.drop("jobs/till.lua", BROKEN);
  await server.call("jobs.create", { job: { name: "CountTill", path: "till.lua", interval: 3600, retries: 0 } });
  await server.call("jobs.run", { name: "CountTill" });
  const problem = answer.getByRole("listitem").filter({ hasText: "CountTill" });
  await expect(problem).toContainText("the till is empty", BY_ITSELF);
  await expect(answer).toContainText("1 thing needs attention");
  await expect(page.getByRole("link", { name: "Audit log" }).last()).toBeFocused();
  expect(await page.evaluate(() => window.neverReloaded)).toBe(true);

  await problem.getByRole("link", { name: "See the run" }).click();
  await expect(page).toHaveURL(/\/webmin\/run\//);
  await expect(page.locator("main")).toContainText("the till is empty");

  await page.goBack();
  await expect(problem).toBeVisible();
  await server.drop("jobs/till.lua", MENDED);
  // UX02: a run by hand that goes well does not end the alarm of a job that is off; activating it does.
  await server.call("jobs.run", { name: "CountTill" });
  await expect.poll(async () => (await server.call("jobs.runs", { name: "CountTill" })).runs[0].outcome).toBe("ok");
  await page.reload();
  await expect(problem).toContainText("Deactivated after 1 failure");
  // Activating leads to the job; a dashboard that stays open is cleared by itself.
  const other = await page.context().newPage();
  await other.goto("/webmin/");
  await other.getByRole("listitem").filter({ hasText: "CountTill" }).getByRole("button", { name: "Activate" }).click();
  await expect(other.getByRole("heading", { level: 1 })).toContainText("CountTill");
  await other.close();
  await expect(answer).toContainText("Everything is all right", BY_ITSELF);
  await expect(problem).toHaveCount(0);
});

test("what happens is drawn, told in a table, and shown for the time that is chosen", async ({ desk: page, funRun }) => {
  test.setTimeout(150_000);
  await funRun.resetLink(1);
  await page.goto("/webmin/?range=hour");
  const resets = page.getByRole("region", { name: "Password resets" });
  await expect(resets.locator(".legend")).toContainText("1 asked");
  await expect(resets.locator("canvas")).toBeVisible();
  await resets.getByText("Show as table").click();
  const row = resets.getByRole("row").nth(1);
  await expect(row.getByRole("cell").nth(1)).toHaveText("1");
  // The table stays open when the figures go on by themselves.
  await funRun.resetLink(2);
  await expect(resets.locator(".legend")).toContainText("2 asked", BY_ITSELF);
  await expect(row).toBeVisible();

  await page.getByRole("navigation", { name: "Time shown" }).getByRole("link", { name: "Week" }).click();
  await expect(page).toHaveURL(/range=week/);
  await expect(resets.locator(".legend")).toContainText("2 asked");
  await expect(page.getByRole("region", { name: "Job runs" })).toContainText("Nothing in this time.");
});

test("without script the same is there", async ({ desk, browser, server }) => {
  const context = await browser.newContext({ baseURL: server.webmin, javaScriptEnabled: false, storageState: await desk.context().storageState() });
  const page = await context.newPage();
  await page.goto("/webmin/?range=hour");
  await expect(page.getByText("Everything is all right")).toBeVisible();
  await page.getByRole("region", { name: "Disk" }).getByText("Show as table").click();
  await expect(page.getByRole("region", { name: "Disk" }).getByRole("row").nth(1)).toContainText("UTC");
  await expect(page.getByText("Connecting…")).toBeHidden();
  await context.close();
});

test("a page whose session ended says so and asks no more", async ({ desk: page, browser, server }) => {
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  const other = await browser.newContext({ baseURL: server.webmin, storageState: await page.context().storageState() });
  const leaving = await other.newPage();
  await leaving.goto("/webmin/profile");
  await leaving.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByText("Signed out", { exact: true })).toBeVisible({ timeout: 15_000 });
  await other.close();
});

test("UX08 an alarm is muted with a reason and an end, and counts again when it is unmuted", async ({ desk: page, server }) => {
  await server.drop("jobs/till.lua", BROKEN);
  await server.call("jobs.create", { job: { name: "CountTill", path: "till.lua", interval: 3600, retries: 0 } });
  await server.call("jobs.run", { name: "CountTill" });
  const answer = page.getByRole("region", { name: /all right|attention/ });
  await expect(answer).toContainText("1 thing needs attention", BY_ITSELF);
  await page.goto("/webmin/alarm/mute?part=jobs&kind=job_failed&subject=CountTill");
  await page.getByLabel("Reason").fill("the till is being mended");
  await page.getByRole("button", { name: "Mute alarm" }).click();
  await expect(answer).toContainText("Everything is all right");
  await expect(answer).toContainText("the till is being mended");
  expect((await server.call("server.health", {})).ok).toBe(true);
  await answer.getByRole("button", { name: "Unmute" }).click();
  await expect(answer).toContainText("1 thing needs attention");
});

test("UX24 no label of a plot is cut off, whatever the numbers and the width", async ({ desk: page }) => {
  await page.addInitScript(() => {
    window.labels = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
      const { width } = this.measureText(text);
      const left = this.getTransform().transformPoint({ x: x - { center: width / 2, right: width, end: width }[this.textAlign] || x, y }).x;
      window.labels.push({ text, left, right: left + width, edge: this.canvas.width });
      return fillText.call(this, text, x, y, ...rest);
    };
  });
  // What the server counts must not take the place of these numbers.
  await page.route("**/dashboard/live*", (route) => route.fulfill({ status: 204 }));
  for (const width of [390, 820, 1440]) {
    await page.setViewportSize({ width, height: 1000 });
    for (const range of ["hour", "day", "week", "month"]) {
      await page.goto(`/webmin/?range=${range}`);
      for (const most of [3, 98_765, 4_987_654]) {
        const labels = await page.evaluate(async (most) => {
          const cards = [...document.querySelectorAll("[data-plot]:not([data-small])")];
          window.labels.length = 0;
          for (const card of cards) {
            const columns = card.querySelectorAll(".legend [data-kind]").length;
            const step = Number(card.dataset.step) * 1000;
            const row = (at) => `<tr><td><time datetime="${new Date(at).toISOString()}"></time></td>${`<td class="right" data-value="${most}">${most}</td>`.repeat(columns)}</tr>`;
            card.querySelector(".plot-empty")?.remove();
            card.querySelector("details").innerHTML = `<summary>x</summary><table><tbody>${row(Number(card.dataset.from))}${row(Number(card.dataset.from) + step)}</tbody></table>`;
          }
          document.dispatchEvent(new Event("coronet:changed"));
          // Each is drawn when it comes into sight, which the browser says two frames later.
          for (const card of cards) {
            card.scrollIntoView();
            await new Promise((drawn) => {
              const look = () => (card.querySelector("canvas") ? requestAnimationFrame(drawn) : requestAnimationFrame(look));
              look();
            });
          }
          for (let frame = 0; frame < 60 && window.labels.length < 15; frame += 1) await new Promise(requestAnimationFrame);
          return window.labels;
        }, most);
        expect(labels.length, `${range} at ${width}: ${JSON.stringify(labels.map(({ text }) => text))}`).toBeGreaterThan(9);
        const cut = labels.filter(({ text, left, right, edge }) => text && (left < 0 || right > edge));
        expect(cut, `${range} at ${width}`).toEqual([]);
      }
    }
  }
});

test("UX25 the plots leave no hole at any width", async ({ desk: page }) => {
  await page.goto("/webmin/");
  for (const width of [390, 600, 700, 820, 1024, 1280, 1440, 1920]) {
    await page.setViewportSize({ width, height: 1000 });
    const rows = await page.evaluate(() => [...document.querySelectorAll(".plots")].map((grid) => {
      const inRows = new Map();
      for (const card of grid.children) {
        const { top } = card.getBoundingClientRect();
        inRows.set(top, (inRows.get(top) ?? 0) + 1);
      }
      return [...inRows.values()];
    }));
    for (const counts of rows) expect(new Set(counts).size, `${width}: ${JSON.stringify(rows)}`).toBe(1);
  }
});

test("UX25 what needs attention is read on a phone, in words and not in letters", async ({ desk: page, server }) => {
  await server.drop("jobs/till.lua", BROKEN);
  await server.call("jobs.create", { job: { name: "CountTill", path: "till.lua", interval: 3600, retries: 0 } });
  await server.call("jobs.run", { name: "CountTill" });
  await server.call("scopes.create", { name: "Harbour", settings: {} });
  for (const width of [390, 820]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto("/webmin/");
    await expect(page.locator(".needs li").first()).toBeVisible(BY_ITSELF);
    const shares = await page.evaluate(() => [...document.querySelectorAll(".needs li")].map((item) => item.querySelector(".grow").clientWidth / item.clientWidth));
    for (const share of shares) expect(share, `at ${width}`).toBeGreaterThan(0.4);
  }
});
