// What an operator does in the webmin, by clicking.
import { test, expect, CAROL, NEW_PASSWORD, OPERATOR, linkOf } from "../support/fixtures.js";

test("the set-up link makes the first operator, once", async ({ desk, server, browser }) => {
  await expect(desk.getByRole("navigation").first()).toBeVisible();
  const stranger = await browser.newPage({ baseURL: server.webmin });
  await stranger.goto(await server.setUpLink());
  await expect(stranger.getByLabel("Password again", { exact: true })).toHaveCount(0);
  await stranger.goto("/webmin/scopes");
  await stranger.getByLabel("Name").fill(OPERATOR.name);
  await stranger.getByLabel("Password", { exact: true }).fill(OPERATOR.password);
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await expect(stranger).toHaveURL(/\/webmin\/scopes/);
  await stranger.close();
});

test("from nothing to a reset: provider, scope, user, link, new password", async ({ desk: page, mailgun, server }) => {
  test.setTimeout(120_000);
  await page.getByRole("link", { name: "Plugins" }).first().click();
  await page.getByRole("link", { name: "mailgun", exact: true }).click();
  await page.getByLabel(/^Domain/).fill(mailgun.domain);
  await page.getByLabel(/^API key/i).fill(mailgun.key);
  await page.getByLabel(/^Base URL/i).fill(mailgun.baseUrl);
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.locator("#toasts")).toContainText(/saved/i);
  await page.reload();
  await expect(page.getByLabel(/^Domain/)).toHaveValue(mailgun.domain);
  // W13: a secret is never shown again.
  expect(await page.content()).not.toContain(mailgun.key);

  await page.goto("/webmin/mail/transport");
  await page.getByRole("listitem").filter({ hasText: "mailgun" }).getByRole("button", { name: "Use this" }).click();
  await page.getByLabel("Send a test mail to").fill("Ana <me@example.com>");
  await page.getByRole("button", { name: "Test and use" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "From the plugin mailgun" })).toContainText("in use");

  await page.goto("/webmin/scopes");
  await page.getByRole("link", { name: "New scope" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("Fun Run");
  await page.getByLabel(/^From address/).fill("Fun Run <app@example.com>");
  await page.getByRole("button", { name: "Create scope" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Fun Run");

  await page.goto("/webmin/users");
  await page.getByRole("link", { name: "New user" }).first().click();
  // The list has a field "Scope" too: the form must be there first.
  await expect(page.getByRole("button", { name: "Create user" })).toBeVisible();
  await page.getByLabel("Scope").selectOption("Fun Run");
  await page.getByLabel("Username").fill("Carol");
  await page.getByLabel(/^E-mail/).fill(CAROL);
  await page.getByRole("button", { name: "Create user" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Carol");

  await page.goto("/webmin/users");
  await page.getByRole("row", { name: /Carol/ }).getByRole("link", { name: "Reset" }).click();
  await page.getByLabel("From", { exact: true }).fill("app@example.com");
  await page.getByLabel("Subject", { exact: true }).fill("Password Reset Request");
  await page.getByRole("button", { name: "Send reset link" }).click();
  expect((await mailgun.mail(1)).to).toEqual(["Ana <me@example.com>"]);
  const mail = await mailgun.mail(2);
  expect(mail.to).toEqual([CAROL]);
  expect(mail.subject).toBe("Password Reset Request");

  await page.goto("/webmin/resets");
  await expect(page.getByRole("row", { name: /Carol/ })).toContainText("pending");
  await page.goto(linkOf(mail));
  const fields = page.locator('input[autocomplete="new-password"]');
  await fields.nth(0).fill(NEW_PASSWORD);
  await fields.nth(1).fill(NEW_PASSWORD);
  await page.locator('button[type="submit"]').first().click();
  await expect(fields).toHaveCount(0);
  const login = { username: "Carol", password: NEW_PASSWORD, scope: "Fun Run" };
  expect(await server.call("users.login", { login_type: login })).toMatchObject({ username: "Carol" });

  // What became of it is told step by step, and found from the list, the user and the mail.
  await page.goto("/webmin/users");
  await page.getByRole("link", { name: "Carol", exact: true }).click();
  await page.getByRole("link", { name: "Past resets" }).click();
  await expect(page.getByRole("row", { name: /Carol/ })).toContainText("used");
  await page.getByRole("link", { name: "Carol" }).click();
  const steps = page.locator(".timeline li .strong");
  await expect(steps).toHaveText(["Asked for", "Mail queued", "Mail sent", "Form opened", "Used"]);
  await expect(page.locator(".timeline")).toContainText("The operator");
  await page.getByRole("link", { name: "Look at the mail" }).click();
  await page.getByRole("link", { name: "The reset" }).click();
  await expect(steps).toHaveCount(5);
  await page.getByRole("link", { name: "Send again" }).click();
  await expect(page.getByRole("button", { name: "Send reset link" })).toBeVisible();
});

test("W16: a template is edited, refused with its line, and dropped back", async ({ desk: page }) => {
  const edit = "/webmin/templates/edit?path=templates%2Fpassword%2Femail.tpl";
  const write = async (text) => {
    await page.locator(".cm-content").first().click();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.insertText(text);
    await page.getByRole("button", { name: "Save" }).click();
  };
  const title = page.getByRole("heading", { name: "templates/password/email.tpl" });
  await page.goto(edit);
  await write("Hello\n{% os.exit() %}\n{* reset_link *}\n");
  await expect(page.locator("main")).toContainText(/line 2/i);
  await page.goto(edit);
  await write("No link here.\n");
  await expect(page.locator("main")).toContainText("reset_link");
  await page.goto(edit);
  await expect(title).toContainText("shipped");
  await write("Dear friend, here it is:\n{* reset_link *}\n");
  await expect(title).toContainText("edited");
  await expect(page.getByRole("region", { name: "Preview" })).toContainText("Dear friend, here it is:");
  await page.getByRole("link", { name: "Drop to the layer below" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /Drop/ }).click();
  await expect(title).toContainText("shipped");
});

test("an API token is shown once, and works", async ({ desk: page, server }) => {
  await page.goto("/webmin/tokens/new");
  await page.getByLabel("Name", { exact: true }).fill("Fun Run backend");
  const may = page.getByRole("group", { name: "May call" });
  await may.locator("summary").filter({ hasText: "users" }).click();
  await may.getByLabel("All of users").check();
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.locator("main")).toContainText(/once|again/i);
  const shown = await page.locator("main").evaluate((main) =>
    main.innerText + [...main.querySelectorAll("input")].map((input) => input.value).join("\n"));
  const token = shown.match(/\b[a-z]+_[A-Za-z0-9]{20,}\b/)[0];
  const answer = await fetch(`${server.url}/api/v1/users.get`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ user_id: "nobody" }),
  });
  expect(answer.status).toBe(404);
  await page.goto("/webmin/tokens");
  expect(await page.content()).not.toContain(token);
});

test("W04: what strangers wrote stays text", async ({ desk: page, server }) => {
  const script = "<b>x</b><img src=x onerror='window.hacked=1'>";
  await server.call("scopes.create", { name: "Fun Run", settings: { display_name: script } });
  await server.call("users.register", {
    username: script, password: "correct horse battery", scope: "Fun Run", meta: { group: script },
  });
  await server.call("jobs.create", { job: { name: "Script", path: "script.lua", interval: 3600, retries: 0 } });
  const code = `local job = core.job()\nfunction job.run() core.log("${script}") error("${script}") end\nreturn job\n`;
  await server.call("resources.write", { path: "jobs/script.lua", text: code, note: script });
  await server.call("jobs.run", { name: "Script" });
  for (const path of ["scopes", "users", "jobs", "job/Script", "audit", "templates/revisions?path=jobs%2Fscript.lua"]) {
    await page.goto(`/webmin/${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    expect(await page.evaluate(() => window.hacked), path).toBeUndefined();
  }
});

test("every room of the webmin opens, on a wide screen and on a phone, without an error", async ({ desk: page, funRun }) => {
  test.setTimeout(180_000);
  expect(funRun).toBeTruthy();
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(`${page.url()}: ${message.text()}`));
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error}`));
  page.on("response", (answer) => answer.status() >= 400 && problems.push(`${answer.url()}: ${answer.status()}`));
  const links = await page.getByRole("navigation", { name: "Webmin" }).getByRole("link").evaluateAll(
    (all) => all.map((link) => link.getAttribute("href")));
  expect(links.length).toBeGreaterThan(8);
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const link of links) {
      await page.goto(link);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      const overflow = await page.evaluate(() =>
        document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (overflow > 0) problems.push(`${link}: ${overflow} px too wide at ${width}`);
    }
  }
  expect(problems).toEqual([]);
});

test("mail that comes meanwhile appears by itself, and whoever moves by keys stays where they are", async ({ desk: page, server }) => {
  const send = (subject) =>
    server.call("mail.send", { message: { from: "app@example.com", to: "carol@example.com", subject, text: "Hello" } });
  await send("The first");
  await page.goto("/webmin/mail");
  const first = page.getByRole("link", { name: "The first" });
  await first.focus();
  await send("The second");
  await expect(page.getByRole("link", { name: "The second" })).toBeVisible();
  await expect(first).toBeFocused();
});

test("a password is shown and hidden again, also on a page that was loaded whole", async ({ page, server }) => {
  await page.goto(await server.setUpLink());
  const password = page.getByLabel("Password", { exact: true });
  await password.fill("a long way to the harbour");
  const show = page.getByRole("button", { name: "Show Password", exact: true });
  await show.click();
  await expect(password).toHaveAttribute("type", "text");
  await show.click();
  await expect(password).toHaveAttribute("type", "password");
});
