// Job code in the editor: completed, explained, warned about, tried without effect, started from something that works.
import { test, expect } from "../support/fixtures.js";

const PATH = "jobs/night.lua";
const edit = (path) => `/webmin/templates/edit?path=${encodeURIComponent(path)}`;
const text = (page) => page.locator("#wb-text .cm-content");
const problems = (page) => page.locator("#wb-problems");
const run = (page) => page.getByRole("region", { name: "Test run" });
const offered = (page) => page.locator(".cm-tooltip-autocomplete");
const tryIt = (page) => run(page).getByRole("button", { name: "Try it" });

const job = (body) => `local job = core.job()\n\nfunction job.run()\n  ${body}\n  return job.OK\nend\n\nreturn job\n`;

async function open(page, server, body = "") {
  await server.call("resources.write", { path: PATH, text: job(body) });
  await page.goto(edit(PATH));
  await expect(text(page)).toContainText("core.job()");
}

/** Replaces the text of the editor. */
async function write(page, words) {
  await text(page).click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(words);
}

test("everything under core is offered step by step and explained, plugins included", async ({ desk: page, server }) => {
  await open(page, server, "-- here");
  await text(page).getByText("-- here").click();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("core.");
  await expect(offered(page)).toContainText("users");
  await expect(offered(page)).toContainText("email");
  // What is not open to jobs is not offered.
  await expect(offered(page)).not.toContainText(/operators|pages/);
  await page.keyboard.type("users.");
  await expect(offered(page).getByRole("option", { name: "get(user_id)" })).toBeVisible();
  // A plugin brought this one.
  await expect(offered(page)).toContainText("flushExpiredPasswordResets");
  await page.keyboard.type("fin");
  await expect(page.locator(".cm-completionInfo")).toContainText("Gives the user of a scope who has this mail address.");
  await page.keyboard.press("Enter");
  await expect(text(page)).toContainText("core.users.find");

  await page.keyboard.press("Escape");
  await text(page).getByText("core.users.find").hover();
  const card = page.locator(".cm-tooltip-hover");
  await expect(card).toContainText("core.users.find(");
  await expect(card).toContainText("Parameters");
  await expect(card).toContainText("Result");
  await expect(card).toContainText("Only reads.");

  // Objects are known by the names they were given.
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("local mail = core.email.new() mail:");
  await expect(offered(page)).toContainText("replyTo");
  await page.keyboard.press("Escape");
  await page.keyboard.type("x() job.");
  await expect(offered(page)).toContainText("weekNum");
});

test("what is wrong is told on its line as one types, and what does not exist is warned about", async ({ desk: page, server }) => {
  await open(page, server);
  await write(page, job("core.users.fnd()"));
  const first = problems(page).getByRole("button").first();
  await expect(first).toContainText("Warning");
  await expect(first).toContainText("There is no core.users.fnd. Did you mean core.users.find?");
  await expect(first).toContainText("Line 4, column 3");
  await expect(page.locator("#wb-text .cm-lint-marker-warning")).toHaveCount(1);
  await first.click();
  await expect(page.locator("#wb-text .cm-activeLine")).toContainText("core.users.fnd");

  await write(page, "local job = core.job()\n");
  await expect(problems(page).getByRole("button")).toHaveCount(2);
  await expect(problems(page)).toContainText("The code must end with return job.");
  await write(page, job("if then"));
  await expect(problems(page).getByRole("button").first()).toContainText("Problem");
  await expect(page.locator("#wb-text .cm-lint-marker-error")).toHaveCount(1);
  await write(page, job("core.users.find('a', 'b')"));
  await expect(problems(page)).toBeHidden();
  // A warning does not keep anybody from saving.
  await write(page, job("core.users.fnd()"));
  await page.keyboard.press("ControlOrMeta+S");
  await expect(page.getByText("Saved and live, but requests may fail: read the warning.")).toBeVisible();
});

test("an answer for an older text is dropped", async ({ desk: page, server }) => {
  await open(page, server);
  const held = [];
  await page.route("**/templates/look", (route) => held.push(route));
  await write(page, job("core.nope()"));
  await expect.poll(() => held.length).toBe(1);
  // The next look is on its way only after a pause: the answer of the first comes within it.
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(job("-- fine"));
  await held[0].continue();
  await expect.poll(() => held.length).toBe(2);
  await held[1].continue();
  await expect(problems(page)).toBeHidden();
});

test("a test run shows what it prints while it runs, changes nothing, and tells every call", async ({ desk: page, server }) => {
  await open(page, server);
  await write(page, job(`core.log("working")
  local sent = core.email.new():from("app@example.com"):to("carol@example.com"):subject("Report"):text("x"):send()
  core.log("sent", sent ~= nil)
  core.scopes.list()
  core.log(core.scopes.create("Mine"))`));
  await tryIt(page).click();
  await expect(run(page)).toContainText("job.OK: done");
  await expect(run(page)).toContainText("Nothing was changed.");
  await expect(page.locator("#wb-test-log")).toContainText("sent true");
  const calls = run(page).locator(".wb-test-calls li");
  await expect(calls).toHaveText([/mail\.send.*caught: to carol@example\.com, “Report”/, /scopes\.list.*read/, /scopes\.create.*refused/]);
  await calls.first().click();
  await expect(calls.first()).toContainText('"app@example.com"');
  expect((await server.call("mail.list", {})).items).toEqual([]);
  expect(await server.call("scopes.list", {})).toEqual([]);
  expect((await server.call("jobs.listRuns", {})).items).toEqual([]);
  // It was not saved either.
  expect((await server.call("resources.read", { path: PATH })).text).not.toContain("working");

  // Answers that are given stand for those of functions.
  await page.getByText("Answers of functions").click();
  const answers = page.locator("#wb-sample .cm-content");
  await answers.click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText('{ "scopes.create": 7 }');
  await tryIt(page).click();
  await expect(page.locator("#wb-test-log")).toContainText("\n7\n");
  await expect(calls.last()).toContainText("answered by the example");
});

test("a run that goes on for ever is seen and cancelled, and one that fails leads to its line", async ({ desk: page, server }) => {
  await open(page, server);
  await write(page, job('core.log("begun") while true do end'));
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.locator("#wb-test-log")).toHaveText(/begun/);
  await expect(run(page)).toContainText("Running");
  await run(page).getByRole("button", { name: "Cancel" }).click();
  await expect(run(page)).toContainText("Cancelled. Nothing was changed.");
  await expect(run(page).getByRole("button", { name: "Cancel" })).toBeHidden();

  await write(page, job('error("no luck")'));
  await tryIt(page).click();
  await expect(run(page)).toContainText("It failed.");
  await expect(run(page)).toContainText("no luck");
  await run(page).getByRole("button", { name: "Go to line 4" }).click();
  await expect(page.locator("#wb-text .cm-activeLine")).toContainText("no luck");
});

test("a new job starts with code that was chosen", async ({ desk: page, server }) => {
  await page.goto("/webmin/jobs/new");
  await page.getByLabel("Job Name").fill("Weekly");
  await page.getByLabel("Job Path").fill("reports/weekly.lua");
  await page.getByLabel("Start with").selectOption("a weekly report by mail");
  await page.getByLabel("Job Interval").fill("3600");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(text(page)).toContainText("Mails a report of how jobs and mail do.");
  await expect(problems(page)).toBeHidden();
  await tryIt(page).click();
  await expect(run(page)).toContainText("caught: to you@example.com, “Coronet this week”");
  expect((await server.call("jobs.get", { name: "Weekly" })).path).toBe("reports/weekly.lua");
});

test("job code has its revisions, each brought back, and a job follows its code to another path", async ({ desk: page, server }) => {
  await open(page, server, 'core.log("one")');
  await server.call("resources.write", { path: PATH, text: job('core.log("two")'), note: "Two" });
  await server.call("jobs.create", { job: { name: "Nightly", path: "night.lua", interval: 3600 } });
  await page.goto(edit(PATH));
  await page.getByRole("link", { name: "Revisions" }).click();
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.locator(".sides")).toBeVisible();
  await page.getByRole("link", { name: "Bring back" }).last().click();
  await page.getByRole("dialog").getByRole("button", { name: "Bring it back" }).click();
  await expect(page.locator("main")).toContainText("Revision 3 by carla");
  await expect(text(page)).toContainText("one");

  await page.getByRole("link", { name: "Move" }).click();
  await expect(page.getByText("Let the jobs run it from there: Nightly")).toBeVisible();
  await page.getByLabel("New path").fill("jobs/late/night.lua");
  await page.getByRole("button", { name: "Move" }).click();
  await expect(page.getByRole("heading", { name: "jobs/late/night.lua" })).toBeVisible();
  expect((await server.call("jobs.get", { name: "Nightly" })).path).toBe("late/night.lua");
  expect(await server.call("resources.revisions", { path: "jobs/late/night.lua" })).toHaveLength(4);
  // Whoever does not let it follow is told what that means.
  await page.getByRole("link", { name: "Move" }).click();
  await page.getByLabel("Let the jobs run it from there: Nightly").uncheck();
  await page.getByLabel("New path").fill("jobs/early.lua");
  await page.getByRole("button", { name: "Move" }).click();
  await expect(page.getByText("These jobs still look for their code at the old path: Nightly")).toBeVisible();
});

test("on a phone the test run has the pane of the preview, and nothing scrolls sideways", async ({ desk: page, server }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, server, 'core.log("here")');
  await page.getByRole("button", { name: "Try it" }).first().click();
  await expect(page.locator("#wb-test-log")).toHaveText(/here/);
  await expect(text(page)).toBeHidden();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
});

test("UX10: Run now shows in place that the job runs, and how that ends", async ({ desk: page, server }) => {
  await open(page, server, 'core.log("line of the log")');
  await server.call("jobs.create", { job: { name: "Nightly", path: "night.lua", interval: 3600 } });
  await page.reload();
  const ran = page.getByRole("region", { name: "Run", exact: true });
  await expect(ran).toBeHidden();
  await page.getByRole("button", { name: "Run now" }).click();
  await expect(ran.getByRole("status")).toContainText("Succeeded: job.OK.");
  await expect(ran.getByRole("region", { name: "What the run printed" })).toContainText("line of the log");
  await expect(ran.getByRole("link", { name: "Look at the run" })).toBeVisible();

  // One that fails says so, with its line.
  await server.call("resources.write", { path: PATH, text: job('core.log("before")\n  error("broken")') });
  await page.getByRole("button", { name: "Run now" }).click();
  await expect(ran.getByRole("status")).toContainText("It failed.");
  await expect(ran.getByRole("status")).toContainText("night.lua:5: broken");
  await expect(ran.getByRole("region", { name: "What the run printed" })).toHaveText("before\n");
  await ran.getByRole("button", { name: "Go to line 5" }).click();
  await expect(page.locator("#wb-text .cm-activeLine")).toContainText("broken");

  // One that takes its time is seen to run, and what is said of it stays with its text.
  await server.call("resources.write", { path: PATH, text: job("job.progress(1, 4) while not core.store.get('go') do end") });
  await page.getByRole("button", { name: "Run now" }).click();
  await expect(ran.getByRole("status")).toContainText("Running: 1 of 4");
  const [running] = (await server.call("jobs.runs", { name: "Nightly" })).runs;
  await server.call("jobs.cancel", { run_id: running.id });
  await expect(ran.getByRole("status")).toContainText("It was cancelled.");
});
