// The two main stories by keys alone: no mouse, and at every stop the focus is seen.
import { test, expect, CAROL, NEW_PASSWORD, OPERATOR } from "../support/fixtures.js";
import { press, tabTo, type } from "../support/keyboard.js";

const CODE = `local job = core.job()
function job.run()
core.log("by keys alone")
return job.OK
end
return job
`;

/** Makes the first operator, from the printed link on. */
async function signUp(page, server) {
  await page.goto(await server.setUpLink());
  await expect(page.getByLabel("Name")).toBeFocused();
  await page.keyboard.type(OPERATOR.name);
  await type(page, page.getByLabel("Password", { exact: true }), OPERATOR.password);
  await type(page, page.getByLabel("Password again", { exact: true }), OPERATOR.password);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Dashboard", exact: true })).toBeVisible();
}

/** `g` and a letter, from wherever the focus is. */
async function go(page, letter, heading) {
  await page.keyboard.press("g");
  await page.keyboard.press(letter);
  await expect(page.getByRole("heading", { level: 1, name: heading })).toBeFocused();
}

test("by keys alone: a job is made, written, run, and its log read", async ({ page, server }) => {
  test.setTimeout(120_000);
  await signUp(page, server);
  // The first stop of every page is the way past the navigation.
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();

  await press(page, page.getByRole("navigation", { name: "Webmin" }).getByRole("link", { name: "Jobs Service" }));
  await expect(page.getByRole("heading", { level: 1, name: "Jobs Service" })).toBeFocused();
  await press(page, page.getByRole("link", { name: "New Job" }).first());
  await expect(page.getByRole("button", { name: "Create" })).toBeVisible();
  // A mistake takes the focus to its field.
  await press(page, page.getByRole("button", { name: "Create" }));
  await expect(page.locator('[aria-invalid="true"]').first()).toBeFocused();
  await type(page, page.getByLabel("Job Name"), "Keys");
  await type(page, page.getByLabel("Job Path"), "keys.lua");
  await type(page, page.getByLabel("Job Interval"), "3600");
  await page.keyboard.press("Enter");

  const editor = page.locator(".cm-content").first();
  await expect(editor).toBeVisible();
  await tabTo(page, editor);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(CODE);
  await page.keyboard.press("ControlOrMeta+S");
  await expect(page.locator("#wb-bar")).toContainText("edited");
  // In an editor Tab indents; after Escape it goes on.
  await tabTo(page, editor);
  await page.keyboard.press("Escape");
  await tabTo(page, page.getByRole("button", { name: "Save", exact: true }));

  await go(page, "j", "Jobs Service");
  await press(page, page.getByRole("button", { name: "Run now" }).first());
  await expect(page.getByRole("heading", { level: 1, name: /^Run/ })).toBeFocused();
  await go(page, "j", "Jobs Service");
  await press(page, page.getByRole("link", { name: "Keys", exact: true }));
  await expect(page.getByRole("heading", { level: 1, name: /^Keys/ })).toBeFocused();
  const history = page.getByRole("region", { name: "History" });
  await expect(async () => {
    await page.reload();
    await expect(history).toContainText("ok", { timeout: 1_000 });
  }).toPass();
  await press(page, history.locator('a[href*="/run/"]').first());
  await expect(page.getByRole("region", { name: "Log" })).toContainText("by keys alone");

  // What destroys asks in a dialog, which takes the focus, keeps it, and gives it back.
  await go(page, "j", "Jobs Service");
  await press(page, page.getByRole("link", { name: "Keys", exact: true }));
  const remove = page.getByRole("link", { name: "Delete", exact: true });
  await press(page, remove);
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  for (let presses = 0; presses < 6; presses += 1) {
    await page.keyboard.press("Tab");
    const within = await page.evaluate(() => document.activeElement === document.body || !!document.activeElement.closest("dialog"));
    expect(within).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(remove).toBeFocused();
});

test("by keys alone: a scope, a user, a reset link, its mail, and the form in it", async ({ page, server, context }) => {
  test.setTimeout(120_000);
  await signUp(page, server);
  await go(page, "s", "Scopes");
  await press(page, page.getByRole("link", { name: "New scope" }).first());
  await type(page, page.getByLabel("Name", { exact: true }), "Fun Run");
  await type(page, page.getByLabel(/^From address/), "app@example.com");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Create scope" })).toHaveCount(0);

  await go(page, "u", "Users");
  await press(page, page.getByRole("link", { name: "New user" }).first());
  await expect(page.getByRole("button", { name: "Create user" })).toBeVisible();
  await tabTo(page, page.getByLabel("Scope"));
  await page.keyboard.type("Fun");
  await type(page, page.getByLabel("Username"), "Carol");
  await type(page, page.getByLabel(/^E-mail/), CAROL);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Carol");
  await press(page, page.getByRole("link", { name: "Send a reset link" }));
  const send = page.getByRole("button", { name: "Send reset link" });
  await press(page, send);
  await expect(send).toHaveCount(0);

  await go(page, "m", "Mail");
  await press(page, page.getByRole("link", { name: "Password Reset Request" }));
  const link = page.getByRole("link", { name: /_resetpassword/ }).first();
  const opened = context.waitForEvent("page");
  await press(page, link);
  const form = await opened;
  const fields = form.locator('input[autocomplete="new-password"]');
  await expect(fields.first()).toBeFocused();
  await form.keyboard.type(NEW_PASSWORD);
  await type(form, fields.nth(1), NEW_PASSWORD);
  await form.keyboard.press("Enter");
  await expect(fields).toHaveCount(0);
  const login = { username: "Carol", password: NEW_PASSWORD, scope: "Fun Run" };
  expect(await server.call("users.login", { login_type: login })).toMatchObject({ username: "Carol" });
  await form.close();
});
