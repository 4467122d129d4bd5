// Settings by clicking: change one, see who did, find it by keyboard, take it back; back up.
import { test, expect, OPERATOR } from "../support/fixtures.js";

const palette = (page) => page.getByRole("dialog", { name: "Find anything" });

test("retention is changed, told with its author, found by Ctrl-K, and reset", async ({ desk: page, server }) => {
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("navigation", { name: "Groups of settings" }).getByRole("link", { name: "Retention" }).click();
  const days = page.getByLabel("Audit log (days)", { exact: true });
  await expect(days).toHaveValue("365");
  await days.fill("3");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("#audit_days")).toContainText("30");
  await expect(days).toHaveValue("3");
  await days.fill("90");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Settings saved." })).toBeVisible();
  await expect(page.locator("#audit_days")).toContainText(`changed by ${OPERATOR.name}`);
  const kept = await server.call("settings.get", { group: "retention" });
  expect(kept.settings.find((one) => one.name === "audit_days").value).toBe(90);

  await page.getByRole("link", { name: "Dashboard" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Dashboard");
  await page.keyboard.press("Control+k");
  await palette(page).getByRole("combobox").fill("retention audit log");
  await expect(palette(page).getByRole("option", { name: /Retention: Audit log/ })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/settings\/retention#audit_days$/);
  await page.getByRole("button", { name: "Reset Audit log (days) to its default" }).click();
  await expect(days).toHaveValue("365");
  await expect(page.getByRole("button", { name: /^Reset Audit log/ })).toBeHidden();
});

test("two who edit one group: the second is told, and keeps what was typed", async ({ desk: page, server }) => {
  await page.goto("/webmin/settings/mail");
  await page.getByLabel("Give up after (hours)", { exact: true }).fill("24");
  await server.call("settings.update", { group: "mail", changes: { give_up_hours: 12 } });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("Give up after (hours) is 12 now");
  await expect(page.getByLabel("Give up after (hours)", { exact: true })).toHaveValue("24");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Settings saved." })).toBeVisible();
});

test("a band and an accent act at once; a backup is made and downloaded with the password", async ({ desk: page }) => {
  await page.goto("/webmin/settings/appearance");
  await page.getByLabel("Accent colour").selectOption("Teal");
  await page.getByLabel("Band", { exact: false }).first().fill("test");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".band")).toHaveText("test");
  await expect(page.locator("html")).toHaveAttribute("data-accent", "teal");

  await page.goto("/webmin/settings/backups");
  await page.getByRole("button", { name: "Back up now" }).click();
  await expect(page.getByRole("link", { name: "Download" })).toBeVisible();
  await page.getByRole("link", { name: "Download" }).click();
  await page.getByLabel("Your password", { exact: true }).fill(OPERATOR.password);
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  expect((await downloading).suggestedFilename()).toMatch(/^admin-\d{8}T\d{6}Z\.db$/);
});
