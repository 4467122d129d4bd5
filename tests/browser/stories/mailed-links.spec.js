// UX21: operators who are invited by mail, and who choose a new password by mail.
import { test, expect, OPERATOR } from "../support/fixtures.js";

const EVE = { name: "eve", email: "eve@example.com" };
const FIRST = "a walk along the harbour";
const SECOND = "another walk along the quay";

/** The link in a mail to an operator. */
function linkOf(mail) {
  return mail.text.match(/https?:\S*\/webmin\/choose-password\?token=\S+/)[0];
}

async function sendMail(server, mailgun) {
  const settings = { api_key: mailgun.key, domain: mailgun.domain, base_url: mailgun.baseUrl, webhook_signing_key: mailgun.signingKey };
  await server.call("plugins.configure", { name: "mailgun", settings });
  await server.call("mail.useTransport", { name: "mailgun", without_test: true });
  await server.call("settings.update", { group: "mail", changes: { default_sender: "Accounts <accounts@example.com>" } });
}

async function invite(server) {
  await server.call("operators.add", { name: EVE.name, role: "editor", email: EVE.email, invite: true });
}

async function choose(page, password) {
  await page.getByLabel("New password", { exact: true }).fill(password);
  await page.getByLabel("New password again", { exact: true }).fill(password);
  await page.locator("[data-save]").click();
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(`UX21 ${javaScriptEnabled ? "with" : "without"} JavaScript`, () => {
    test.use({ javaScriptEnabled });

    test("an operator is invited by mail, chooses a password, and is signed in", async ({ desk, server, mailgun, browser }) => {
      await sendMail(server, mailgun);
      await desk.goto("/webmin/operators/new");
      await desk.getByLabel("Name", { exact: true }).fill(EVE.name);
      await desk.getByLabel("Mail address").fill(EVE.email);
      await desk.getByLabel("Editor").check();
      await desk.locator("[data-save]").click();
      await expect(desk.getByText("link valid until")).toBeVisible();
      const mail = await mailgun.mail(1);
      expect(mail.to).toEqual([EVE.email]);
      expect(mail.text).toContain(`${OPERATOR.name} invited you`);
      expect(mail.text).toContain("for 3 days");
      expect(mail.text).toContain("ignore this mail");

      const context = await browser.newContext({ javaScriptEnabled });
      const page = await context.newPage();
      await page.goto(linkOf(mail));
      await choose(page, FIRST);
      await expect(page).toHaveURL(/\/webmin\/?$/);
      await page.goto(`${server.webmin}/webmin/profile`);
      await expect(page.getByRole("heading", { level: 1, name: EVE.name })).toBeVisible();
      await page.goto(linkOf(mail));
      await expect(page.getByRole("heading", { name: "This link does not work any more" })).toBeVisible();
      await context.close();
    });

    test("a forgotten password is chosen anew by mail, and the old session has ended", async ({ desk, server, mailgun, browser }) => {
      await sendMail(server, mailgun);
      await desk.goto("/webmin/profile");
      await desk.getByRole("textbox", { name: "Mail address" }).fill("carla@example.com");
      await desk.locator('form[action="/webmin/profile/email"] [data-save]').click();
      await expect(desk.getByText("Mail address saved.")).toBeVisible();

      const context = await browser.newContext({ javaScriptEnabled });
      const page = await context.newPage();
      await page.goto(`${server.webmin}/webmin/login`);
      await page.getByRole("link", { name: "Forgot your password?" }).click();
      await page.getByLabel("Mail address").fill("Carla@example.com");
      await page.locator("[data-save]").click();
      await expect(page.getByRole("heading", { name: "Check your mail" })).toBeVisible();
      await page.goto(linkOf(await mailgun.mail(1)));
      await choose(page, SECOND);
      await expect(page.getByText("Sign in with it")).toBeVisible();
      await page.getByLabel("Name").fill(OPERATOR.name);
      await page.getByLabel("Password", { exact: true }).fill(SECOND);
      await page.locator("[data-save]").click();
      await expect(page).toHaveURL(/\/webmin\/?$/);
      await context.close();

      await desk.goto("/webmin/scopes");
      await expect(desk.getByText("Your session has ended.")).toBeVisible();
      const notice = await mailgun.mail(2);
      expect(notice.to).toEqual(["carla@example.com"]);
      expect(notice.subject).toContain("was changed");
    });
  });
}

test("UX21 the link leaves the address, and a reload does not lose the way", async ({ desk, server, mailgun, browser }) => {
  expect(desk).toBeTruthy();
  await sendMail(server, mailgun);
  await invite(server);
  const context = await browser.newContext({ viewport: { width: 320, height: 640 } });
  const page = await context.newPage();
  const foreign = [];
  page.on("request", (request) => request.url().startsWith(server.webmin) || foreign.push(request.url()));
  await page.goto(linkOf(await mailgun.mail(1)));
  await expect(page.getByLabel("New password again", { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/\/choose-password$/);
  await page.reload();
  await expect(page.getByLabel("New password again", { exact: true })).toBeVisible();
  expect(foreign).toEqual([]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  expect(wide).toBe(false);
  await choose(page, "short");
  await expect(page.getByText(/15 characters/).first()).toBeVisible();
  await choose(page, FIRST);
  await expect(page).toHaveURL(/\/webmin\/?$/);
  await context.close();
});
