// What a story is given: a server, a fake Mailgun, and a browser that knows where the server is.
import { test as base, expect } from "@playwright/test";
import { FakeMailgun } from "./mailgun.js";
import { CAROL, OLD_PASSWORD, OPERATOR } from "./people.js";
import { Server } from "./server.js";
import { Worlds } from "./worlds.js";

export { CAROL, NEW_PASSWORD, OLD_PASSWORD, OPERATOR } from "./people.js";

export const test = base.extend({
  /** Servers that many stories look at and none changes; see worlds.js. */
  worlds: [async ({ browser }, use) => {
    const worlds = new Worlds(browser);
    await use(worlds);
    await worlds.stop();
  }, { scope: "worker" }],

  server: async ({}, use, info) => {
    const server = await Server.start();
    await use(server);
    if (info.status !== info.expectedStatus) {
      await info.attach("server log", { body: server.child.printed.join("\n") });
    }
    await server.stop();
  },

  mailgun: async ({}, use) => {
    const mailgun = await FakeMailgun.start();
    await use(mailgun);
    await mailgun.stop();
  },

  /** Most stories are about the webmin; addresses of the pages are written out. */
  baseURL: async ({ server }, use) => use(server.webmin),

  /** Whatever a story does, no page may complain: no script error, and nothing that the content policy had to stop. */
  page: async ({ page }, use) => {
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !REFUSED.test(message.text())) complaints.push(`${page.url()}: ${message.text()}`);
    });
    await use(page);
    expect(complaints).toEqual([]);
  },

  /** A page whose visitor is the first operator, made by clicking. */
  desk: async ({ page, server }, use) => {
    await page.goto(await server.setUpLink());
    await page.getByLabel("Name").fill(OPERATOR.name);
    await page.getByLabel("Password", { exact: true }).fill(OPERATOR.password);
    await page.getByLabel("Password again", { exact: true }).fill(OPERATOR.password);
    await page.getByRole("button", { name: "Make operator" }).click();
    await expect(page).toHaveURL(/\/webmin\/?$/);
    await use(page);
  },

  /** A server whose mail goes to the fake, with the scope "Fun Run" and its user Carol. */
  funRun: async ({ server, mailgun }, use) => {
    const settings = { api_key: mailgun.key, domain: mailgun.domain, base_url: mailgun.baseUrl, webhook_signing_key: mailgun.signingKey };
    await server.call("plugins.configure", { name: "mailgun", settings });
    await server.call("mail.useTransport", { name: "mailgun", without_test: true });
    await server.call("scopes.create", { name: "Fun Run", settings: { from_email: "app@example.com" } });
    const meta = { email: CAROL };
    await server.call("users.register", { username: "Carol", password: OLD_PASSWORD, scope: "Fun Run", meta });
    await use({
      async resetLink(mails) {
        await server.call("users.sendPasswordResetLink", {
          to_email: CAROL,
          scope: "Fun Run",
          options: { from_email: "app@example.com", subject: "Password Reset Request" },
        });
        return linkOf(await mailgun.mail(mails));
      },
      async canLogIn(password) {
        const login = { username: "Carol", password, scope: "Fun Run" };
        return server.call("users.login", { login_type: login }).then(() => true, () => false);
      },
    });
  },
});

/**
 * How Chromium notes an answer such as 422 to a form with a mistake, and htmx a request that a later one replaced: what the
 * page then shows is the story's to check.
 */
export const REFUSED = /^Failed to load resource: the server responded with a status of 4\d\d|^htmx:(afterRequest|sendAbort), /;

/** The reset link in a mail. */
export function linkOf(mail) {
  return mail.text.match(/https?:\S*_resetpassword\?code=\S+/)[0];
}

export { expect };
