// What a user sees who has forgotten a password: on a phone, once, in a hurry.
import { test, expect, CAROL, NEW_PASSWORD, OLD_PASSWORD, linkOf } from "../support/fixtures.js";

/** The two fields for the new password, whatever else the page holds. */
function passwordFields(page) {
  return page.locator('input[autocomplete="new-password"]');
}

async function setPassword(page, link, password = NEW_PASSWORD) {
  await page.goto(link);
  await passwordFields(page).nth(0).fill(password);
  await passwordFields(page).nth(1).fill(password);
  await page.locator('button[type="submit"]').first().click();
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a link leads to a new password, and is dead afterwards", async ({ page, funRun, mailgun }) => {
      const link = await funRun.resetLink(1);
      await setPassword(page, link);
      await expect(passwordFields(page)).toHaveCount(0);
      expect(await funRun.canLogIn(NEW_PASSWORD)).toBe(true);
      expect(await funRun.canLogIn(OLD_PASSWORD)).toBe(false);
      expect((await mailgun.mail(2)).to).toEqual([CAROL]);

      await page.goto(link);
      await expect(passwordFields(page)).toHaveCount(0);
      await page.getByLabel(/email address/i).fill(CAROL);
      await page.locator('button[type="submit"]').first().click();
      const again = linkOf(await mailgun.mail(3));
      await page.goto(again);
      await expect(passwordFields(page)).toHaveCount(2);
    });

    test("two passwords that differ are pointed out, and the link still works", async ({ page, funRun }) => {
      await page.goto(await funRun.resetLink(1));
      await passwordFields(page).nth(0).fill(NEW_PASSWORD);
      await passwordFields(page).nth(1).fill("something else entirely");
      await page.locator('button[type="submit"]').first().click();
      await expect(page.getByText(/not the same|differ|do not match/i).first()).toBeVisible();
      await passwordFields(page).nth(0).fill(NEW_PASSWORD);
      await passwordFields(page).nth(1).fill(NEW_PASSWORD);
      await page.locator('button[type="submit"]').first().click();
      await expect(passwordFields(page)).toHaveCount(0);
      expect(await funRun.canLogIn(NEW_PASSWORD)).toBe(true);
    });
  });
}

test("C10: the code leaves the address, and the page asks nobody else for anything", async ({ page, server, funRun }) => {
  const foreign = [];
  page.on("request", (request) => request.url().startsWith(server.url) || foreign.push(request.url()));
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(await funRun.resetLink(1));
  await expect(passwordFields(page)).toHaveCount(2);
  expect(page.url()).not.toContain("code=");
  expect(foreign).toEqual([]);
  expect(problems).toEqual([]);
  // A reload does not lose the way.
  await page.reload();
  await expect(passwordFields(page)).toHaveCount(2);
});

test("a forgotten password can be asked for without a mail", async ({ page, server, funRun, mailgun }) => {
  expect(funRun).toBeTruthy();
  await page.goto(`${server.url}/_forgotpassword?scope=Fun%20Run`);
  await page.getByLabel(/email address/i).fill(CAROL);
  await page.locator('button[type="submit"]').first().click();
  await page.goto(linkOf(await mailgun.mail(1)));
  await expect(passwordFields(page)).toHaveCount(2);
});

test("the page fits a phone", async ({ page, funRun }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(await funRun.resetLink(1));
  await expect(passwordFields(page)).toHaveCount(2);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  expect(wide).toBe(false);
});

test("D01 an internationalized address that the browser spells in punycode finds its user", async ({ page, server, funRun, mailgun }) => {
  await funRun.resetLink(1);
  for (const [n, email] of [[2, "user@münchen.example"], [3, "carla@bücher.example"]]) {
    const user = { username: email, password: OLD_PASSWORD, scope: "Fun Run", meta: { email } };
    await server.call("users.register", user);
    await page.goto(`${server.url}/_forgotpassword?scope=Fun%20Run`);
    await page.getByLabel(/email address/i).fill(email);
    await page.locator('button[type="submit"]').first().click();
    await expect(page.getByRole("heading", { name: "Check your email" })).toBeVisible();
    expect((await mailgun.mail(n)).to[0]).toMatch(/@xn--/);
  }
});

test.describe("UX15 in a German browser", () => {
  test.use({ locale: "de-DE" });

  test("UX15 the pages are German from the question to the end, with a way to sign in", async ({ page, server, funRun }) => {
    const settings = { after_reset_url: "https://funrun.example.com/login" };
    await server.call("scopes.update", { name: "Fun Run", settings });
    const link = await funRun.resetLink(1);
    await page.goto(`${server.url}/_forgotpassword?scope=Fun%20Run`);
    await expect(page.getByRole("heading", { name: "Passwort vergessen?" })).toBeVisible();
    await page.goto(link);
    await expect(page.locator("html")).toHaveAttribute("lang", "de");
    await page.getByLabel("Neues Passwort", { exact: true }).fill("kurz");
    await page.getByRole("button", { name: "Neues Passwort speichern" }).click();
    await expect(page.getByText("Das ist zu kurz: mindestens 8 Zeichen.")).toBeVisible();
    await setPassword(page, link);
    await expect(page.getByRole("heading", { name: "Ihr Passwort ist geändert" })).toBeVisible();
    await expect(page.getByRole("link", { name: "Bei Fun Run anmelden" })).toHaveAttribute("href", settings.after_reset_url);
    await page.goto(link);
    await expect(page.getByRole("heading", { name: "Dieser Link funktioniert nicht mehr" })).toBeVisible();
    await expect(page.locator(".app")).toHaveText("Fun Run");
  });
});
