// The editor of templates, pages and job code, as operators work in it.
import { test, expect, OPERATOR } from "../support/fixtures.js";

const MAIL = "templates/password/email.tpl";
const edit = (path) => `/webmin/templates/edit?path=${encodeURIComponent(path)}`;
const text = (page) => page.locator("#wb-text .cm-content");
const tabs = (page) => page.getByRole("navigation", { name: "Open files" });
const preview = (page) => page.getByRole("region", { name: "Preview" });
const problems = (page) => page.locator("#wb-problems");

/** Replaces the text of the editor. */
async function write(page, words) {
  await text(page).click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(words);
}

test("files are edited in tabs, each with its own text, and a reload brings back what was not saved", async ({ desk: page }) => {
  await page.goto(edit(MAIL));
  await write(page, "First draft {* reset_link *}");
  await page.getByRole("link", { name: /^notice\.tpl/ }).click();
  await expect(text(page)).toContainText("password");
  await write(page, "Second draft");
  await expect(tabs(page).getByRole("link")).toHaveText([/email\.tpl.*not saved/, /notice\.tpl.*not saved/]);

  // Each has its own history.
  await page.keyboard.press("ControlOrMeta+Z");
  await expect(tabs(page).getByRole("link").nth(1)).not.toContainText("not saved");
  await write(page, "Second draft");
  await page.goBack();
  await expect(text(page)).toHaveText("First draft {* reset_link *}");
  await expect(page).toHaveURL(/email\.tpl/);

  await page.reload();
  await expect(text(page)).toHaveText("First draft {* reset_link *}");
  await expect(page.getByText("What you typed before, and did not save, is back.")).toBeVisible();
  await tabs(page).getByRole("link", { name: /notice/ }).click();
  await expect(text(page)).toHaveText("Second draft");
  await page.getByRole("button", { name: "Discard it" }).click();
  await expect(text(page)).not.toContainText("Second draft");
  await expect(tabs(page).getByRole("link", { name: /notice/ })).not.toContainText("not saved");

  // Closing what is not saved asks first; the middle button closes, too.
  await tabs(page).getByRole("button", { name: "Close email.tpl" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stay here" }).click();
  await expect(tabs(page).getByRole("link")).toHaveCount(2);
  await tabs(page).getByRole("link", { name: /email/ }).click({ button: "middle" });
  await page.getByRole("dialog").getByRole("button", { name: "Close without saving" }).click();
  await expect(tabs(page).getByRole("link")).toHaveCount(1);
});

test("a file that cannot be fetched keeps its draft, and one that is asked for twice has one tab", async ({ desk: page }) => {
  const files = (url) => url.pathname.endsWith("/templates/file");
  await page.goto(edit(MAIL));
  await write(page, "First draft {* reset_link *}");
  await page.getByRole("link", { name: /^notice\.tpl/ }).click();
  await expect(page).toHaveURL(/notice\.tpl/);
  await page.reload();
  await expect(text(page)).toContainText("password");

  await page.route(files, (route) => route.fulfill({ status: 429, contentType: "text/html", body: '<div class="empty"><h1>Not now</h1></div>' }));
  await tabs(page).getByRole("link", { name: /email/ }).click();
  await expect(page.getByText("Not now").first()).toBeVisible();
  await page.unroute(files);
  await page.reload();
  await tabs(page).getByRole("link", { name: /email/ }).click();
  await expect(text(page)).toHaveText("First draft {* reset_link *}");

  // Both clicks come before the first answer.
  const waiting = [];
  await page.route(files, (route) => waiting.push(route));
  await page.getByRole("link", { name: /^email\.html\.tpl/ }).dblclick();
  await expect.poll(() => waiting.length).toBe(2);
  for (const route of waiting) await route.continue();
  await expect(page).toHaveURL(/email\.html\.tpl/);
  await expect(tabs(page).getByRole("link", { name: /email\.html/ })).toHaveCount(1);
});

test("W16: a broken template shows its line as one types, and the last good one goes on serving", async ({ desk: page, server }) => {
  await page.goto(edit(MAIL));
  await write(page, "Good words {* reset_link *}");
  await page.keyboard.press("ControlOrMeta+S");
  await expect(page.getByRole("status").filter({ hasText: "Saved. It is live now." })).toBeVisible();
  await expect(preview(page)).toContainText("Good words");

  await write(page, "Broken words\n{{#if username}} {* reset_link *}\n");
  const problem = problems(page).getByRole("button").first();
  await expect(problem).toContainText("Line 2");
  await expect(tabs(page)).toContainText("1 problems");
  await expect(preview(page)).toContainText("last good picture");
  await expect(preview(page)).toContainText("Good words");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Not saved; the last good text goes on being used.")).toBeVisible();
  const rendered = await server.call("template.render", { file: "password/email.tpl", data: { reset_link: "L" } });
  expect(rendered).toBe("Good words L");
  await problem.click();
  await expect(page.locator("#wb-text .cm-activeLine")).toContainText("{{#if username}}");

  // Lua is compiled, and JSON read, as one types; nothing is run or saved.
  await page.goto(edit("jobs/admin/pw_reset_cleanup.lua"));
  await write(page, "local job = core.job()\nlocal = 3\n");
  await expect(problems(page)).toContainText("Line 2");
});

test("sample data is changed in place, with its own problem, and reset", async ({ desk: page }) => {
  await page.goto(edit("templates/password/email.html.tpl"));
  const frame = page.frameLocator("#wb-frame");
  await expect(frame.locator("body")).toContainText("Hello Carol");
  const sample = page.locator("#wb-sample .cm-content");
  await sample.click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText('{ "username": "Dora", ');
  await expect(page.locator("#sample-problem")).toContainText("line 1");
  await expect(frame.locator("body")).toContainText("Hello Carol");
  await page.keyboard.insertText('"app_name": "Space Race", "reset_link": "https://x.example/", "title": "t", "preview": "p" }');
  await expect(frame.locator("body")).toContainText("Hello Dora");
  await page.getByRole("button", { name: "Phone" }).click();
  expect(await page.locator("#wb-frame").evaluate((frame) => frame.clientWidth)).toBe(390);
  await page.getByRole("button", { name: "Reset to the sample" }).click();
  await expect(frame.locator("body")).toContainText("Hello Carol");
});

test("two operators hear of each other, and a conflict is settled without losing a word", async ({ desk: page, server, browser }) => {
  const dora = { name: "dora", password: "a short walk along the river" };
  await server.call("operators.add", { ...dora, role: "editor" });
  const other = await browser.newPage({ baseURL: server.webmin });
  await other.goto(edit(MAIL));
  await other.getByLabel("Name").fill(dora.name);
  await other.getByLabel("Password", { exact: true }).fill(dora.password);
  await other.getByRole("button", { name: "Sign in" }).click();
  await expect(text(other)).toBeVisible();

  await page.goto(edit(MAIL));
  await expect(page.locator("#wb-notices")).toContainText("dora has this text open, too.");
  await expect(other.locator("#wb-notices")).toContainText(`${OPERATOR.name} has this text open, too.`);

  await write(page, "Carla's own words {* reset_link *}");
  await expect(other.locator("#wb-notices")).toContainText(`${OPERATOR.name} is changing this text right now.`);
  await write(other, "Dora's words {* reset_link *}");
  await other.keyboard.press("ControlOrMeta+S");
  await expect(other.getByRole("heading", { name: MAIL })).toContainText("edited");
  await expect(page.locator("#wb-notices")).toContainText("dora saved revision 1 of this text");

  await page.getByRole("button", { name: "Save", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Two changed the same text" });
  await expect(dialog.locator("del").first()).toHaveText("Dora's");
  await expect(dialog).toContainText("Carla's own words");
  await dialog.getByRole("button", { name: "Keep theirs" }).click();
  await expect(text(page)).toHaveText("Dora's words {* reset_link *}");
  await text(page).click();
  await page.keyboard.press("ControlOrMeta+Z");
  await expect(text(page)).toHaveText("Carla's own words {* reset_link *}");
  await page.keyboard.press("ControlOrMeta+S");
  await expect(page.locator("main")).toContainText("Revision 2 by carla");
  // Dora typed nothing since, and sees the new text by itself.
  await expect(text(other)).toHaveText("Carla's own words {* reset_link *}");

  // The other way: the save that comes second goes above the first, knowingly.
  await write(other, "Dora again {* reset_link *}");
  await server.call("resources.write", { path: MAIL, text: "From the command line {* reset_link *}" });
  await other.keyboard.press("ControlOrMeta+S");
  await other.getByRole("dialog").getByRole("button", { name: "Save mine over it" }).click();
  await expect(other.locator("main")).toContainText("Revision 4 by dora");
  expect((await server.call("resources.read", { path: MAIL })).text).toBe("Dora again {* reset_link *}");
  const earlier = await server.call("resources.revision", { path: MAIL, revision: 3 });
  expect(earlier.text).toBe("From the command line {* reset_link *}");
  await other.close();
});

test("send this mail to me: what is typed arrives in the outbox, filled with the sample data", async ({ desk: page, server }) => {
  await page.goto(edit(MAIL));
  await write(page, "Never saved, {{ username }}: {* reset_link *}");
  await page.getByRole("button", { name: "Send to me" }).click();
  await page.getByLabel("To", { exact: true }).fill("carla@example.com");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("link", { name: "Look at the mail" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave the editor" }).click();
  await expect(page.locator("main")).toContainText("Never saved, Carol: https://funrun.example.com");
  await expect(page.locator("main")).toContainText("carla@example.com");
  const audit = await server.call("audit.list", {});
  expect(JSON.stringify(audit)).toContain("template.sendTest");
  // Leaving the editor lost nothing.
  await page.goto(edit(MAIL));
  await expect(text(page)).toContainText("Never saved");
});

test("revisions stand side by side with their words marked, and one is brought back", async ({ desk: page, server }) => {
  for (const words of ["Dear friend", "Good friend"]) {
    await server.call("resources.write", { path: MAIL, text: `${words},\n{* reset_link *}\n`, note: words });
  }
  await page.goto(edit(MAIL));
  await page.getByRole("link", { name: "Revisions" }).click();
  await page.getByLabel("Left").selectOption({ label: "Revision 1: Dear friend" });
  await page.getByLabel("Right").selectOption({ label: "Revision 2: Good friend" });
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.locator(".sides del")).toHaveText("Dear");
  await expect(page.locator(".sides ins")).toHaveText("Good");
  await page.getByLabel("Right").selectOption("shipped");
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.locator(".sides")).toContainText("You have requested a password reset");
  await page.getByRole("link", { name: "Bring back the left one" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Bring it back" }).click();
  await expect(page.locator("main")).toContainText("Revision 3 by carla");
  await expect(text(page)).toContainText("Dear friend");
});

test("page code is tried without effect on anything, with examples of what functions answer", async ({ desk: page, server }) => {
  await page.goto(edit("pages/_coronium/password/password_form.lua"));
  const frame = page.frameLocator("#wb-frame");
  await expect(frame.getByRole("heading", { name: "Choose a new password" })).toBeVisible();
  await expect(preview(page)).toContainText("answered by the example");
  await write(page, `local page = core.pages.new()
core.mail.send({ to = "carol@example.com", from = "a@example.com", subject = "s", text = "t" })
return page.response("<h1>Tried</h1>")`);
  await expect(frame.getByRole("heading", { name: "Tried" })).toBeVisible();
  await expect(preview(page)).toContainText("not called");
  expect((await server.call("mail.list", {})).items).toEqual([]);
});

test("everything is reached by keys: find, type, save, next problem, leave the text, close", async ({ desk: page }) => {
  await page.goto(edit("templates/mail/test.tpl"));
  await page.getByRole("searchbox", { name: "Filter files" }).focus();
  await page.keyboard.type("password email.tpl");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: MAIL })).toBeVisible();
  await expect(text(page)).toBeFocused();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("One\n{% two %} {* reset_link *}");
  await expect(problems(page)).toBeVisible();
  await page.keyboard.press("ControlOrMeta+Home");
  await page.keyboard.press("F8");
  await expect(page.locator("#wb-text .cm-activeLine")).toContainText("two");
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("Fine {* reset_link *}");
  await page.keyboard.press("ControlOrMeta+S");
  await expect(page.getByRole("heading", { name: MAIL })).toContainText("edited");
  await expect(problems(page)).toBeHidden();
  // WCAG 2.1.2: Tab indents, and Esc lets it go on.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(text(page)).not.toBeFocused();
  await expect(page.getByLabel("What changed")).toBeFocused();
  await page.keyboard.press("Alt+W");
  await expect(tabs(page).getByRole("link")).toHaveText([/test\.tpl/]);
  const split = page.getByRole("separator", { name: "Width of the files" });
  await split.focus();
  const before = Number(await split.getAttribute("aria-valuenow"));
  await page.keyboard.press("ArrowRight");
  await expect(split).toHaveAttribute("aria-valuenow", String(before + 24));
  await page.reload();
  await expect(split).toHaveAttribute("aria-valuenow", String(before + 24));
});

test("a new file starts with something that works, is moved with its history, and deleted", async ({ desk: page, server }) => {
  await page.goto("/webmin/templates");
  await page.getByRole("link", { name: "New text" }).click();
  await page.getByRole("radio", { name: "Job code" }).check();
  await page.getByRole("textbox", { name: "Name" }).fill("night");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(text(page)).toContainText("core.job()");
  await server.call("jobs.create", { job: { name: "Nightly", path: "night.lua", interval: 3600 } });
  await page.reload();
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("link", { name: "Look at the run" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Run");

  await page.goto(edit("jobs/night.lua"));
  await page.getByRole("link", { name: "Move" }).click();
  await page.getByLabel("New path").fill("jobs/late/night.lua");
  await page.getByRole("button", { name: "Move" }).click();
  await expect(page.getByRole("heading", { name: "jobs/late/night.lua" })).toBeVisible();
  expect((await server.call("jobs.get", { name: "Nightly" })).path).toBe("late/night.lua");
  expect(await server.call("resources.revisions", { path: "jobs/late/night.lua" })).toHaveLength(2);
  await page.getByRole("link", { name: "Delete" }).click();
  await expect(page.getByRole("dialog")).toContainText("Nightly");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("heading", { name: "Templates", level: 1 })).toBeVisible();
});

test("without script a text is still edited and saved, and a refusal says why", async ({ desk, server, browser }) => {
  const cookies = await desk.context().cookies();
  const context = await browser.newContext({ baseURL: server.webmin, javaScriptEnabled: false });
  await context.addCookies(cookies);
  const page = await context.newPage();
  await page.goto(edit(MAIL));
  await page.getByLabel(`Text of ${MAIL}`).fill("No link");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("main")).toContainText("reset_link");
  await page.getByLabel(`Text of ${MAIL}`).fill("Plain {* reset_link *}");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("main")).toContainText("Revision 1 by carla");
  await context.close();
});

test("a session that ends while one types asks to sign in above the page, and the text is saved after that", async ({ desk: page }) => {
  await page.goto(edit(MAIL));
  await write(page, "Long words {* reset_link *}");
  await page.context().clearCookies({ name: "coronet_session" });
  await page.keyboard.press("ControlOrMeta+S");
  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await dialog.getByLabel("Name").fill(OPERATOR.name);
  await dialog.getByLabel("Password", { exact: true }).fill(OPERATOR.password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog).toBeHidden();
  await expect(text(page)).toHaveText("Long words {* reset_link *}");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("heading", { name: MAIL })).toContainText("edited");
});

test("on a phone one pane is shown at a time, and nothing scrolls sideways", async ({ desk: page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(edit(MAIL));
  await expect(text(page)).toBeVisible();
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(preview(page)).toContainText("You have requested a password reset");
  await expect(text(page)).toBeHidden();
  await page.getByRole("button", { name: "Files" }).click();
  await page.getByRole("link", { name: /^notice\.tpl/ }).click();
  await expect(text(page)).toBeVisible();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
});
