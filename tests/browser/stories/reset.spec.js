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
