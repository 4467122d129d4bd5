// UX09: a toast is read and gone, belongs to its page, and never says that something went well after it failed.
import { test, expect } from "../support/fixtures.js";

const toasts = (page) => page.locator("#toasts .toast");

test("ux09: a toast leaves after six seconds, and waits while it is pointed at or has the focus", async ({ desk: page, server }) => {
  await server.call("scopes.create", { name: "Fun Run" });
  await page.clock.install();
  await page.goto("/webmin/scope/Fun%20Run");
  const save = () => page.getByRole("button", { name: "Save" }).first().click();
  await save();
  await expect(toasts(page)).toHaveText(/Scope saved/);
  await page.clock.runFor(5_000);
  await expect(toasts(page)).toHaveCount(1);
  await page.clock.runFor(1_500);
  await expect(toasts(page)).toHaveCount(0);

  await save();
  await toasts(page).hover();
  await page.clock.runFor(90_000);
  await expect(toasts(page)).toHaveCount(1);
  await page.mouse.move(5, 5);
  await page.clock.runFor(6_500);
  await expect(toasts(page)).toHaveCount(0);

  await save();
  await toasts(page).getByRole("button", { name: "Close" }).focus();
  await page.clock.runFor(90_000);
  await expect(toasts(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Save" }).first().focus();
  await page.clock.runFor(6_500);
  await expect(toasts(page)).toHaveCount(0);
});

test("ux09: a toast stays behind when its page is left, and an error stays until it is closed", async ({ desk, server }) => {
  // A tab of its own, whose complaint about the missing answer is no fault.
  const page = await desk.context().newPage();
  await server.call("scopes.create", { name: "Fun Run" });
  await page.goto("/webmin/scope/Fun%20Run");
  await page.getByRole("button", { name: "Save" }).first().click();
  await expect(toasts(page)).toHaveText(/Scope saved/);
  await page.getByRole("link", { name: "Audit log" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Audit log" })).toBeVisible();
  await expect(toasts(page)).toHaveCount(0);

  await page.clock.install();
  await page.goto("/webmin/users");
  await page.route("**/webmin/scopes", (route) => route.abort());
  await page.getByRole("link", { name: "Scopes" }).click();
  await expect(toasts(page)).toHaveText(/did not answer/);
  await page.clock.runFor(120_000);
  await expect(toasts(page)).toHaveCount(1);
  await toasts(page).getByRole("button", { name: "Close" }).click();
  await expect(toasts(page)).toHaveCount(0);
});

test("ux09: what was begun is not green, and is taken back when the outcome is known", async ({ desk: page, server, mailgun }) => {
  const settings = { api_key: "wrong", domain: mailgun.domain, base_url: mailgun.baseUrl };
  await server.call("plugins.configure", { name: "mailgun", settings });
  await server.call("mail.useTransport", { name: "mailgun", without_test: true });
  await page.goto("/webmin/mail/test");
  await page.locator("#f-to").fill("carla@example.com");
  await page.getByRole("button", { name: "Send test mail" }).click();
  await expect(page).toHaveURL(/\/webmin\/mail\/message\//);
  await expect(page.getByText("failed", { exact: true }).first()).toBeVisible();
  await expect(toasts(page).locator("visible=true")).toHaveCount(0);
});
