// What slowed someone who had never seen Coronet: forms, and where an act leads.
import { test, expect, CAROL, NEW_PASSWORD, OPERATOR } from "../support/fixtures.js";

const save = (page, name) => page.getByRole("button", { name }).click();

test("before the first operator every address says how to make one", async ({ page, server }) => {
  for (const path of ["/webmin", "/webmin/login", "/webmin/users", "/webmin/setup"]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { name: "Nobody can sign in yet" })).toBeVisible();
    await expect(page.locator("main")).toContainText("coronet operator add");
  }
  await page.goto(await server.setUpLink());
  await expect(page.getByLabel("Name")).toBeFocused();
});

test("the set-up tells all mistakes at once, and going back asks for nothing to be sent again", async ({ page, server }) => {
  await page.goto(await server.setUpLink());
  await page.getByLabel("Name").fill(OPERATOR.name);
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByLabel("Password again", { exact: true }).fill("short2");
  await save(page, "Make operator");
  await expect(page.locator("main")).toContainText("15 characters or more");
  await expect(page.locator("main")).toContainText("not the same");
  await expect(page.getByLabel("Password", { exact: true })).toBeFocused();
  await page.getByLabel("Password", { exact: true }).fill(OPERATOR.password);
  await page.getByLabel("Password again", { exact: true }).fill(OPERATOR.password);
  await save(page, "Make operator");
  await expect(page.getByRole("heading", { name: "Dashboard" })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Dashboard" })).toBeVisible();
});

test("a user without a scope leads to a scope, and back to the user", async ({ desk: page }) => {
  await page.goto("/webmin/users/new");
  await page.getByRole("link", { name: "New scope" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Fun Run");
  await save(page, "Create scope");
  await expect(page.getByRole("button", { name: "Create user" })).toBeVisible();
  await expect(page.getByLabel("Scope")).toHaveValue("Fun Run");
  // The scope has no From address, and its page says what that means.
  await page.goto("/webmin/scope/Fun%20Run");
  await expect(page.locator("main")).toContainText("This scope has no From address");
});

test("errors are at their fields, in the words of their labels, and the first has the focus", async ({ desk: page }) => {
  await page.goto("/webmin/scopes/new");
  await page.getByLabel(/^From address/).fill("Fun Run <nobody>");
  await page.getByLabel(/^Reset links live/).fill("5");
  await save(page, "Create scope");
  const name = page.getByLabel("Name", { exact: true });
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(name).toHaveAccessibleDescription("Name is needed.");
  await expect(name).toBeFocused();
  await expect(page.getByLabel(/^From address/)).toHaveAccessibleDescription(/^From address must be a mail address/);
  await expect(page.getByLabel(/^Reset links live/)).toHaveAccessibleDescription(/10 to 1440/);
  await expect(page.locator("main")).not.toContainText("from_email");

  await page.goto("/webmin/tokens/new");
  await save(page, "Create token");
  await expect(page.getByLabel("Name", { exact: true })).toHaveAccessibleDescription("Name is needed.");
  await expect(page.getByRole("group", { name: "May call" })).toHaveAccessibleDescription("Choose at least one function.");
});

test("what was typed is kept when the session ended, while one signs in again above it", async ({ desk: page, server, context }) => {
  await server.call("scopes.create", { name: "Fun Run", settings: { from_email: "app@example.com" } });
  await page.goto("/webmin/scope/Fun%20Run");
  await page.getByLabel(/^Display name/).fill("The Fun Run");
  await context.clearCookies();
  await save(page, "Save");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("Your session has ended");
  await dialog.getByLabel("Name").fill(OPERATOR.name);
  await dialog.getByLabel("Password", { exact: true }).fill("not this one");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog).toContainText("is not right");
  await dialog.getByLabel("Password", { exact: true }).fill(OPERATOR.password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByLabel(/^Display name/)).toHaveValue("The Fun Run");
  await save(page, "Save");
  await expect(page.locator("#toasts")).toContainText("Scope saved");
  expect(await server.call("scopes.get", { name: "Fun Run" })).toMatchObject({ display_name: "The Fun Run" });
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("a login after the session ended says so, and leads back to the page", async ({ desk: page, server, context }) => {
    await server.call("scopes.create", { name: "Fun Run" });
    await page.goto("/webmin/scope/Fun%20Run");
    await context.clearCookies();
    await save(page, "Save");
    await expect(page.locator("main")).toContainText("Your session has ended");
    await page.getByLabel("Name").fill(OPERATOR.name);
    await page.getByLabel("Password", { exact: true }).fill(OPERATOR.password);
    await save(page, "Sign in");
    await expect(page).toHaveURL(/\/webmin\/scope\/Fun%20Run$/);
  });
});

test("a captured mail's link opens in a tab of its own, and sending it says what to do first", async ({ desk: page, server, context }) => {
  await server.call("scopes.create", { name: "Fun Run", settings: { from_email: "app@example.com" } });
  const meta = { email: CAROL };
  await server.call("users.register", { username: "Carol", password: "correct horse battery", scope: "Fun Run", meta });
  await server.call("users.sendPasswordResetLink", {
    to_email: CAROL, scope: "Fun Run", options: { from_email: "app@example.com", subject: "Reset" },
  });
  await page.goto("/webmin/mail");
  await page.getByRole("link", { name: "Reset", exact: true }).click();
  await expect(page.locator("main")).toContainText("the transport in use is capture");
  await expect(page.getByRole("button", { name: "Send it now" })).toHaveCount(0);
  await page.getByRole("link", { name: "HTML", exact: true }).click();
  const mail = page.frameLocator('iframe[title="The mail as HTML"]');
  const opened = context.waitForEvent("page");
  await mail.getByRole("link", { name: "Choose a new password" }).click();
  const form = await opened;
  await expect(form.locator('input[autocomplete="new-password"]')).toHaveCount(2);
  await expect(mail.getByRole("link", { name: "Choose a new password" })).toBeVisible();
  await form.close();
});

test("UX07 a transport is used only when it takes a test mail, and says why not", async ({ desk: page, mailgun, server }) => {
  await page.goto("/webmin/mail/transport");
  const line = page.getByRole("listitem").filter({ hasText: "From the plugin mailgun" });
  await expect(line).toContainText("not set up");
  await line.getByRole("button", { name: "Use this" }).click();
  await expect(page.getByRole("heading", { name: "Use mailgun?" })).toBeVisible();
  await expect(page.locator("main")).toContainText("Not entered yet");
  await page.getByLabel("Send a test mail to").fill("me@example.com");
  await save(page, "Test and use");
  await expect(page.locator("main")).toContainText("Mailgun is not set up: enter the sending domain");

  const settings = { api_key: "key-wrong", domain: mailgun.domain, base_url: mailgun.baseUrl };
  await server.call("plugins.configure", { name: "mailgun", settings });
  await save(page, "Test and use");
  await expect(page.locator("main")).toContainText("did not take the test mail");
  await page.goto("/webmin/mail/transport");
  await expect(line).not.toContainText("in use");
  // UX08: that the test failed is no incident.
  await page.goto("/webmin");
  await expect(page.getByText("did not arrive")).toHaveCount(0);

  await server.call("plugins.configure", { name: "mailgun", settings: { ...settings, api_key: mailgun.key } });
  await page.goto("/webmin/mail/transport");
  await line.getByRole("button", { name: "Use this" }).click();
  await page.getByLabel("Send a test mail to").fill("me@example.com");
  await save(page, "Test and use");
  await expect(line).toContainText("in use");
  // UX06: switching its plugin off names what stops.
  await page.goto("/webmin/plugin/mailgun/disable");
  await expect(page.locator("main")).toContainText("mailgun is the active mail transport");

  await page.goto("/webmin/plugin/mailgun");
  await page.getByLabel("Domain").fill("");
  await save(page, "Save settings");
  await expect(page.getByLabel("Domain")).toHaveAccessibleDescription("Domain is needed.");
});

test("a mail is sent from the form of its function, with a plain address and a long text", async ({ desk: page, server }) => {
  await page.goto("/webmin/function/mail.send");
  await page.getByLabel("To", { exact: true }).fill("a@example.com\nB <b@example.com>");
  await page.getByLabel(/^From/).fill("app@example.com");
  await page.getByLabel(/^Subject/).fill("Hello");
  await page.getByLabel(/^Text/).fill("One line\nand another");
  await save(page, "Call…");
  await save(page, "Call it for real");
  await expect(page.locator("main")).toContainText("done");
  const { items } = await server.call("mail.list", {});
  expect(items).toHaveLength(1);
});

test("going back from a new password to a refused one sends nothing again", async ({ page, funRun }) => {
  await page.goto(await funRun.resetLink(1));
  const fields = page.locator('input[autocomplete="new-password"]');
  const choose = async (password) => {
    await fields.nth(0).fill(password);
    await fields.nth(1).fill(password);
    await page.locator('button[type="submit"]').first().click();
  };
  // Only the server knows that everybody tries this one first.
  await choose("password1");
  await expect(page.locator("main")).toContainText("tried first");
  await choose(NEW_PASSWORD);
  await expect(fields).toHaveCount(0);
  await page.goBack();
  await expect(page.getByRole("heading", { name: "This link does not work any more" })).toBeVisible();
});

test("the first ten minutes are spent on the dashboard, up to a provider that took mail", async ({ desk: page, mailgun }) => {
  const step = (title) => page.getByRole("listitem").filter({ has: page.locator(".step-title", { hasText: title }) });
  const done = (title) => expect(step(title)).toContainText("(done)");
  await step("Make a scope").getByText("New scope").click();
  await save(page, "Create scope");
  await expect(page.getByLabel("Name", { exact: true })).toHaveAccessibleDescription("Name is needed.");
  await page.getByLabel("Name", { exact: true }).fill("Fun Run");
  await page.getByLabel("From address").fill("app@example.com");
  await save(page, "Create scope");
  await done("Make a scope");

  await step("Send a test mail").getByText("Test mail", { exact: true }).click();
  await page.getByLabel("To", { exact: true }).fill("me@example.com");
  await save(page, "Send test mail");
  await done("Send a test mail");
  await expect(step("Send a test mail")).toContainText("Kept here for reading");

  // A wrong key first: the provider's own word is shown, and nothing is ticked.
  const provider = async (key) => {
    // A form that was refused stands open.
    if (!(await page.getByLabel("Domain").isVisible())) await step("Connect a mail provider").getByText("Set up mailgun").click();
    await page.getByLabel("Domain").fill(mailgun.domain);
    await page.getByLabel(/^API key/).fill(key);
    await page.getByLabel("Send a test mail to").fill("me@example.com");
    if (!(await page.getByLabel(/^Base URL/).isVisible())) await page.getByText("More settings").click();
    await page.getByLabel(/^Base URL/).fill(mailgun.baseUrl);
    await save(page, "Use mailgun");
  };
  await provider("key-wrong");
  await expect(step("Connect a mail provider")).toContainText("401");
  await expect(step("Send a test mail")).not.toContainText("(done)");
  await provider(mailgun.key);
  await done("Connect a mail provider");
  await expect(step("Send a test mail")).toContainText("Queued. Thank you");
  await done("Send a test mail");

  await step("Send a first reset link").getByText("Send a link").click();
  await page.getByLabel("Username").fill("Carol");
  await page.getByLabel("E-mail").fill(CAROL);
  await save(page, "Send reset link");
  await done("Send a first reset link");
  await step("Sweep old reset links").getByRole("button", { name: "Add the job" }).click();
  await expect(page.getByRole("heading", { name: "First steps" })).toHaveCount(0);
  await expect(page).toHaveURL(/\/webmin\/?$/);
});

test("the checklist is hidden for good, and brought back from its page", async ({ desk: page }) => {
  const heading = page.getByRole("heading", { name: "First steps" });
  await save(page, "Hide the checklist");
  await expect(heading).toHaveCount(0);
  await page.reload();
  await expect(heading).toHaveCount(0);
  await page.goto("/webmin/first-steps");
  await save(page, "Show it on the dashboard");
  await expect(page).toHaveURL(/\/webmin\/?$/);
  await expect(heading).toBeVisible();
});
