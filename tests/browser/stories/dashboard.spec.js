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
