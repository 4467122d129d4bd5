// The Jobs Service, with the job of the documentation.
import { test, expect } from "../support/fixtures.js";

const CODE = `local job = core.job()
function job.run()
  local count = core.users.flushExpiredPasswordResets()
  core.log("cleared " .. count)
  return job.OK
end
return job
`;

async function write(page, text) {
  // Not the plain field that is there before the editor has loaded.
  await page.locator(".cm-content").first().click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(text);
}

test("a new job leads to the editor, and runs on Run now", async ({ desk: page }) => {
  await page.goto("/webmin/jobs");
  await page.getByRole("link", { name: "New Job" }).first().click();
  await page.getByLabel("Job Name").fill("CleanPasswordResets");
  await page.getByLabel("Job Path").fill("admin/pw_reset_cleanup.lua");
  await page.getByLabel("Job Interval").fill("3600");
  await expect(page.getByRole("switch", { name: "Run Once" })).not.toBeChecked();
  await expect(page.getByRole("switch", { name: "Active" })).toBeChecked();
  await page.getByRole("button", { name: "Create" }).click();

  await expect(page.getByRole("heading", { level: 1 })).toContainText("jobs/admin/pw_reset_cleanup.lua");
  await write(page, CODE);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("edited");
  await page.getByRole("button", { name: "Run now" }).first().click();

  await page.goto("/webmin/job/CleanPasswordResets");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("active, recurring");
  const history = page.getByRole("region", { name: "History" });
  await expect(async () => {
    await page.reload();
    await expect(history).toContainText("ok", { timeout: 1_000 });
  }).toPass();
});

test("the job that comes with Coronet is listed apart, can rest, and stays", async ({ desk: page }) => {
  await page.goto("/webmin/jobs");
  await expect(page.getByText("No job yet")).toBeVisible();
  await page.goto("/webmin/jobs?state=builtin");
  await page.getByRole("link", { name: "Job History Cleanup" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Job History Cleanup");
  await expect(page.getByText("Comes with Coronet")).toBeVisible();
  await expect(page.getByRole("link", { name: "Delete" })).toHaveCount(0);
  await expect(page.getByLabel("Job Name")).toHaveCount(0);
  await page.getByRole("button", { name: "Run now" }).click();
  await expect(page.locator(".log")).toContainText("runs were removed");

  await page.goto("/webmin/job/Job%20History%20Cleanup");
  await page.getByLabel("Job Interval").fill("7200");
  await page.getByRole("switch", { name: "Active" }).uncheck();
  await page.getByRole("button", { name: "Update" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("inactive");
  await expect(page.getByLabel("Job Interval")).toHaveValue("7200");
});

test("the form shows the next runs as one types, and what is wrong with a schedule", async ({ desk: page }) => {
  await page.goto("/webmin/jobs/new");
  await page.getByRole("radio", { name: "Cron" }).check();
  await page.getByLabel(/^Cron expression/).fill("30 7 * * 1-5");
  await page.getByLabel(/^Time zone/).fill("Europe/Lisbon");
  const preview = page.locator(".form-preview");
  await expect(preview).toContainText("at 07:30, Monday to Friday, by the clocks of Europe/Lisbon");
  await expect(preview.getByRole("listitem")).toHaveCount(10);
  for (const run of await preview.getByRole("listitem").allTextContents()) {
    expect(run).toMatch(/^(Monday|Tuesday|Wednesday|Thursday|Friday) .*, 07:30 Europe\/Lisbon/);
  }
  await page.getByLabel(/^Cron expression/).fill("0 0 31 2 *");
  await expect(preview).toContainText("never comes true");
  await page.getByLabel(/^Time zone/).fill("Europe/Nowhere");
  await expect(preview).toContainText('There is no time zone "Europe/Nowhere"');
  await page.getByLabel(/^Time zone/).fill("");
  await page.getByLabel(/^Cron expression/).fill("0 0 1 * 0-6");
  await expect(preview).toContainText("every day (one of the two day fields names all days, and either is enough)");
  await page.getByLabel(/^Cron expression/).fill("0 0 */10 * MON");
  await expect(preview).toContainText("on Monday, only when it is also on day 1, 11, 21 and 31 of the month (both must match)");
  await page.getByRole("radio", { name: "Interval" }).check();
  await page.getByLabel(/^Job Interval/).fill("5400");
  await expect(preview).toContainText("every 90 minutes");
  await expect(preview.getByRole("listitem")).toHaveCount(10);
});

test("UX13: the kinds of a schedule are tabs, with presets and a zone that is searched, by keyboard", async ({ desk: page }) => {
  await page.goto("/webmin/jobs/new");
  await expect(page.getByLabel("Job Interval")).toBeVisible();
  await expect(page.getByLabel("Cron expression")).toBeHidden();
  await expect(page.getByText("optional")).toHaveCount(0);
  await page.getByLabel("Job Name").fill("Weekdays");
  await page.getByLabel("Job Path").fill("weekdays.lua");
  // The arrow keys go from tab to tab.
  await page.getByRole("radio", { name: "Interval" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByLabel("Job Interval")).toBeHidden();
  await page.getByLabel("Preset").locator("visible=true").selectOption({ label: "every weekday at 07:30" });
  await expect(page.getByLabel("Cron expression")).toHaveValue("30 7 * * 1-5");
  const preview = page.locator(".form-preview");
  await expect(preview).toContainText("at 07:30, Monday to Friday");
  const zone = page.getByRole("combobox", { name: "Time zone" });
  await zone.pressSequentially("new york");
  // The selects of the form have options too.
  await expect(page.getByRole("listbox").getByRole("option")).toHaveText(["America/New_York"]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(zone).toHaveValue("America/New_York");
  await expect(page.getByRole("listbox")).toBeHidden();
  await expect(preview).toContainText("by the clocks of America/New_York");
  await page.getByRole("switch", { name: "Active" }).uncheck();
  await expect(preview).toContainText("This job is inactive");
  // No sign of help stands alone on a line.
  for (const help of await page.locator(".form .help").locator("visible=true").all()) {
    const alone = await help.evaluate((sign) => {
      const before = sign.previousElementSibling.getBoundingClientRect();
      const own = sign.getBoundingClientRect();
      return own.top >= before.bottom;
    });
    expect(alone).toBe(false);
  }
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page).toHaveURL(/\/templates\/edit\?/);
  await page.goto("/webmin/job/Weekdays");
  await expect(page.getByRole("radio", { name: "Cron" })).toBeChecked();
  await expect(page.getByLabel("Cron expression")).toHaveValue("30 7 * * 1-5");
});

test("UX13: the job form works without script", async ({ browser, desk, server }) => {
  const state = await desk.context().storageState();
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false, storageState: state });
  const page = await context.newPage();
  await page.goto("/webmin/jobs/new");
  await page.getByLabel("Job Name").fill("Plain");
  await page.getByLabel("Job Path").fill("plain.lua");
  await page.getByRole("radio", { name: "Cron" }).check();
  await page.getByLabel("Preset").locator("visible=true").selectOption({ label: "first of the month" });
  await page.getByRole("button", { name: "Create" }).click();
  const job = await server.call("jobs.get", { name: "Plain" });
  expect([job.cron, job.interval]).toEqual(["0 0 1 * *", null]);
  await context.close();
});

test("UX02: a job that was deactivated says so everywhere until it is activated with one click", async ({ desk: page, server }) => {
  await server.call("jobs.create", { job: { name: "Given up", path: "given_up.lua", interval: 3600, retries: 0 } });
  const code = (body) => server.call("resources.write", { path: "jobs/given_up.lua", text: `local job = core.job()\nfunction job.run()\n${body}\nend\nreturn job\n` });
  await code("  error('no carrots')");
  await server.call("jobs.run", { name: "Given up" });
  await expect.poll(async () => (await server.call("jobs.get", { name: "Given up" })).active).toBe(false);
  await code("  return job.OK");
  await server.call("jobs.run", { name: "Given up" });
  await expect.poll(async () => (await server.call("jobs.get", { name: "Given up" })).last_outcome).toBe("ok");

  await page.goto("/webmin");
  await expect(page.locator(".needs")).toContainText("Job Given up: Deactivated after 1 failure at");
  await page.goto("/webmin/jobs");
  await expect(page.getByRole("row", { name: /Given up/ })).toContainText("Deactivated after 1 failure at");
  await page.goto("/webmin/job/Given%20up");
  await expect(page.locator(".notice").first()).toContainText("Deactivated after 1 failure at");
  await expect(page.locator(".form-preview")).toContainText("This job is inactive");
  await page.getByRole("button", { name: "Activate" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("active, recurring");
  await expect(page.locator(".notice")).toHaveCount(0);
});

test("a broken job shows its line, and the list shows that it is off", async ({ desk: page, server }) => {
  await server.call("jobs.create", { job: { name: "Broken", path: "broken.lua", interval: 3600, retries: 0 } });
  await page.goto("/webmin/templates/edit?path=jobs%2Fbroken.lua");
  await write(page, "local job = core.job()\nfunction job.run()\n  error('out of carrots')\nend\nreturn job\n");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("edited");
  await page.getByRole("button", { name: "Run now" }).first().click();
  await expect(async () => {
    await page.goto("/webmin/job/Broken");
    await expect(page.locator("main")).toContainText("out of carrots", { timeout: 1_000 });
  }).toPass();
  await page.goto("/webmin/jobs");
  await expect(page.getByRole("row", { name: /Broken/ })).toContainText(/inactive/);
});

test("a recommended job is added with one click", async ({ desk: page }) => {
  await page.goto("/webmin/jobs");
  await page.getByRole("region", { name: "Recommended" }).getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("CleanPasswordResets active, recurring");
});

test("a job is deleted only after it was confirmed", async ({ desk: page, server }) => {
  await server.call("jobs.create", { job: { name: "Short-lived", path: "short.lua", interval: 3600 } });
  await page.goto("/webmin/job/Short-lived");
  await page.getByRole("link", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/webmin\/jobs/);
  expect(await server.call("jobs.list")).not.toContainEqual(expect.objectContaining({ name: "Short-lived" }));
});
