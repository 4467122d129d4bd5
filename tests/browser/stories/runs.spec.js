// Runs of jobs as an operator follows them: live, skipped, failed, and beside the last good one.
import { test, expect } from "../support/fixtures.js";

const job = (body) => `local job = core.job()\nfunction job.run()\n${body}\nend\nreturn job\n`;
const GOOD = job("  core.log('all well')\n  return job.OK");
const BROKEN = job("  core.log('before')\n  error('out of carrots')");
/** Says something ten times a second, until it is ended. */
const TALKATIVE = job(`  for place = 1, 3000 do
    core.log("line " .. place)
    job.progress(place, 3000)
    local begun = os.clock()
    while os.clock() - begun < 0.1 do end
  end
  return job.OK`);

async function make(server, name, code, settings = {}) {
  const path = `${name.toLowerCase()}.lua`;
  await server.call("jobs.create", { job: { name, path, interval: 3600, ...settings } });
  await write(server, path, code);
}

const write = (server, path, text) => server.call("resources.write", { path: `jobs/${path}`, text, note: "" });

test("a run is followed line by line while it goes on, and ended", async ({ desk: page, server }) => {
  await make(server, "Talkative", TALKATIVE, { timeout: 600 });
  await page.goto("/webmin/job/Talkative");
  await page.getByRole("button", { name: "Run now" }).click();
  const log = page.getByRole("region", { name: "Log" });
  await expect(log).toContainText("line 3");
  // No reload: what stands here was put in place.
  await page.evaluate(() => (window.stayed = true));
  await expect(log).toContainText("line 20");
  expect(await page.evaluate(() => window.stayed)).toBe(true);
  const bar = page.getByRole("progressbar", { name: "Progress" });
  expect(Number(await bar.getAttribute("value"))).toBeGreaterThan(3);
  await page.getByRole("button", { name: "Cancel run" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("cancelled");
  await expect(page.getByRole("button", { name: "Run again" })).toBeVisible();
  await expect(log).toContainText("line 20");
});

test("a failed run stands beside the last good one", async ({ desk: page, server }) => {
  await make(server, "Carrots", GOOD, { retries: 3 });
  await page.goto("/webmin/job/Carrots");
  await page.getByRole("button", { name: "Run now" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("ok");
  await write(server, "carrots.lua", BROKEN);
  await page.getByRole("button", { name: "Run again" }).click();
  await expect(page.locator("main")).toContainText("out of carrots");
  await page.getByRole("link", { name: "Diff with the last good run" }).click();
  await expect(page.locator("main")).toContainText("all well");
  await expect(page.locator("main")).toContainText("out of carrots");

  // The job's page draws both runs.
  await page.goto("/webmin/job/Carrots");
  await expect(page.getByRole("img", { name: /The last 2 runs, oldest first: 1 failed/ })).toBeVisible();
  // And so does the chart of the day.
  await page.goto("/webmin/runs");
  const day = page.getByRole("region", { name: "The last 24 hours" }).first();
  await expect(day.getByRole("listitem").filter({ hasText: "Carrots" })).toContainText("2 runs, 1 failed");
  await expect(page.getByRole("heading", { level: 1, name: "Runs" })).toBeVisible();
});

test("a tick that was not run has a row that says why", async ({ desk: page, server }) => {
  await make(server, "Busy", job("  while true do end"), { interval: 1, timeout: 600 });
  await page.goto("/webmin/runs?job=Busy&outcome=skipped");
  await expect(page.getByRole("row", { name: /the run before still went on/ })).toBeVisible({ timeout: 20_000 });
  await server.call("jobs.update", { name: "Busy", changes: { active: false } });
  const list = await server.call("jobs.listRuns", { filter: { job: "Busy", outcome: "running" } });
  await server.call("jobs.cancel", { run_id: list.items[0].id });
});

test("policies and alarms are set in the form and kept", async ({ desk: page }) => {
  await page.goto("/webmin/jobs/new");
  await page.getByLabel("Job Name").fill("Guarded");
  await page.getByLabel("Job Path").fill("guarded.lua");
  await page.getByRole("radio", { name: "Once" }).check();
  await page.getByLabel(/^One date and time/).fill("2020-01-01T10:00");
  await expect(page.locator(".form-preview")).toContainText("That time has passed");
  await page.getByLabel(/^One date and time/).fill("2091-03-01T07:30");
  await page.getByLabel(/^Time zone/).fill("Europe/Lisbon");
  await expect(page.locator(".form-preview")).toContainText("1 March 2091, 07:30 Europe/Lisbon");
  await page.getByText("Overlap, missed runs, who hears of trouble").click();
  await page.getByLabel(/^Due while it still runs/).selectOption({ label: "one run waits" });
  await page.getByLabel(/^Priority/).selectOption({ label: "high" });
  await page.getByLabel(/^Tell operators after failures/).fill("2");
  await page.getByLabel(/^Ping URL/).fill("nowhere");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.locator(".field-error")).toContainText("Ping URL must start with https://");
  await page.getByLabel(/^Ping URL/).fill("https://watch.example/abc");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("jobs/guarded.lua");

  await page.goto("/webmin/job/Guarded");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("active, planned");
  await expect(page.getByLabel(/^Due while it still runs/)).toHaveValue("queue");
  await expect(page.getByLabel(/^Tell operators after failures/)).toHaveValue("2");
  await page.getByLabel(/^Tell operators after failures/).fill("");
  await page.getByLabel(/^Ping URL/).fill("");
  await page.getByRole("button", { name: "Update" }).click();
  await expect(page.getByText("Job saved.")).toBeVisible();
  await expect(page.getByLabel(/^Tell operators after failures/)).toHaveValue("");
});
