// UX03: lists at every width, with values of every length. Words stay whole, what does not fit ends in an ellipsis, and columns keep a least width.
import { test, expect } from "../support/fixtures.js";
import { tooWide } from "../support/checks.js";

const LENGTHS = { short: "ok", long: "Weekly-report-for-the-harbour-office", huge: "x".repeat(200) };
const WIDTHS = [390, 820, 1024, 1440];
const LISTS = {
  scopes: "/webmin/scopes",
  users: "/webmin/users?columns=email,scope,group,state,last_login,created,changed,id",
  resets: "/webmin/resets",
  mail: "/webmin/mail",
  jobs: "/webmin/jobs",
  runs: "/webmin/runs",
  tokens: "/webmin/tokens",
  audit: "/webmin/audit",
  operators: "/webmin/operators",
  plugins: "/webmin/plugins",
};

async function fill(server) {
  for (const [length, text] of Object.entries(LENGTHS)) {
    const local = text.slice(0, 60);
    const name = text.slice(0, 100);
    const scope = text.slice(0, 64);
    await server.call("scopes.create", { name: scope, settings: { display_name: name, from_email: `${local}@example.com` } });
    await server.call("users.register", { username: name, password: "a long way home", scope, meta: { email: `${local}@${length}.example.com`, group: name.slice(0, 60) } });
    await server.call("users.sendPasswordResetLink", { to_email: `${local}@${length}.example.com`, scope, options: { subject: text, from_email: "app@example.com" } });
    await server.call("tokens.create", { name, grants: ["users.*", "mail.send"] });
    const path = `${local}.lua`;
    await server.call("resources.write", { path: `jobs/${path}`, text: `local job = core.job()\nfunction job.run() error("${text}") end\nreturn job\n` });
    await server.call("jobs.create", { job: { name, path, interval: 3600, retries: 0 } });
    await server.call("jobs.run", { name });
    await expect.poll(async () => (await server.call("jobs.runs", { name })).runs[0]?.ended_at ?? 0).toBeGreaterThan(0);
  }
}

/** What is wrong with the cells of the lists on a page. */
async function faults(page) {
  return page.evaluate(() => {
    const found = [];
    const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !element.closest(".sr-only, thead");
    for (const cell of document.querySelectorAll("table.cards td")) {
      if (!isShown(cell)) continue;
      const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (!isShown(node.parentElement)) continue;
        for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
          const range = document.createRange();
          range.setStart(node, index);
          range.setEnd(node, index + word.length);
          const lines = new Set([...range.getClientRects()].filter(({ width }) => width > 0).map(({ top }) => Math.round(top)));
          // A word may end a line at its hyphens, as prose does.
          if (lines.size > 1 && lines.size > word.split("-").length) found.push(`"${word.slice(0, 40)}" is broken into ${lines.size} lines`);
        }
      }
      for (const line of cell.querySelectorAll(".line, .title, .sub")) {
        const [shown, whole] = [line.clientWidth, line.scrollWidth];
        if (shown > 0 && shown < whole && shown < 96) found.push(`only ${shown} px of "${line.textContent.trim().slice(0, 40)}" are left`);
        if (line.getClientRects().length > 1) found.push(`"${line.textContent.trim().slice(0, 40)}" takes several lines`);
      }
    }
    return [...new Set(found)];
  });
}

test("ux03: every list keeps its words whole and its columns wide enough, at every width", async ({ desk: page, server }) => {
  test.setTimeout(120_000);
  await fill(server);
  const found = [];
  for (const [list, address] of Object.entries(LISTS)) {
    await page.goto(address);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const say = (problem) => found.push(`${list} at ${width} px: ${problem}`);
      (await faults(page)).forEach(say);
      (await tooWide(page)).forEach(say);
    }
  }
  expect(found).toEqual([]);
});

test("ux03: what an ellipsis hides is shown on hover", async ({ desk: page, server }) => {
  await fill(server);
  await page.goto("/webmin/users");
  const huge = page.getByRole("link", { name: "x".repeat(100), exact: true });
  await huge.hover();
  await expect(page.locator(`[title="${"x".repeat(100)}"]`)).toHaveCount(1);
  // What is there in full needs no second showing.
  await page.getByRole("link", { name: "ok", exact: true }).first().hover();
  await expect(page.locator('[title="ok"]')).toHaveCount(0);
});
