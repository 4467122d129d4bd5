// The same pages in Firefox: its own layout, its own content policy, its own idea of a form.
import { test, expect, CAROL, NEW_PASSWORD, OPERATOR } from "../support/fixtures.js";
import { startFirefox } from "../support/firefox.js";

test("in Firefox: sign in, a user, the editor, and a reset", async ({ server }) => {
  test.setTimeout(120_000);
  const { browser, page, complaints, until, click, fill } = await startFirefox();
  try {
    const at = (path) => page.goto(`${server.webmin}${path}`);
    const heading = (text) => until((text) => document.querySelector("h1")?.textContent.includes(text), text);

    await page.goto(await server.setUpLink());
    await fill("#f-name", OPERATOR.name);
    await fill("#f-password", OPERATOR.password);
    await fill("#f-again", OPERATOR.password);
    await click("[data-save]");
    await heading("Dashboard");
    await page.waitForSelector("html.js");
    const font = await page.evaluate(() => document.fonts.ready.then(() => document.fonts.check("14px Inter")));
    expect(font).toBe(true);

    await server.call("scopes.create", { name: "Fun Run", settings: { from_email: "app@example.com" } });
    await at("/webmin/users/new");
    await fill("#f-username", "Carol");
    await fill("#f-email", CAROL);
    await click("main [data-save]");
    await heading("Carol");

    await at("/webmin/templates/edit?path=templates%2Fpassword%2Femail.tpl");
    await until(() => !!document.querySelector("code-editor")?.shadowRoot?.querySelector(".cm-content"));
    await page.evaluate(() => document.querySelector("code-editor").shadowRoot.querySelector(".cm-content").focus());
    await page.keyboard.down("Control");
    await page.keyboard.press("a");
    await page.keyboard.up("Control");
    await page.keyboard.type("From Firefox: {* reset_link *}");
    await page.keyboard.down("Control");
    await page.keyboard.press("s");
    await page.keyboard.up("Control");
    await until(() => document.querySelector("#toasts")?.textContent.includes("Saved"));
    const { text } = await server.call("resources.read", { path: "templates/password/email.tpl" });
    expect(text).toContain("From Firefox: {* reset_link *}");

    const options = { from_email: "app@example.com", subject: "Reset" };
    await server.call("users.sendPasswordResetLink", { to_email: CAROL, scope: "Fun Run", options });
    const { items } = await server.call("mail.list");
    const mail = await server.call("mail.get", { id: items[0].id });
    // By way of the list of mails: straight from the editor to another origin, Firefox shows the page, but the driver never
    // sees that navigation end.
    await at("/webmin/mail");
    await heading("Mail");
    await page.goto(mail.text.match(/https?:\S*_resetpassword\?code=\S+/)[0]);
    await fill("#password", NEW_PASSWORD);
    await fill("#password_confirm", NEW_PASSWORD);
    await click("button[type=submit]");
    await until(() => !document.querySelector("#password"));
    const login = { username: "Carol", password: NEW_PASSWORD, scope: "Fun Run" };
    expect(await server.call("users.login", { login_type: login })).toMatchObject({ username: "Carol" });
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});
