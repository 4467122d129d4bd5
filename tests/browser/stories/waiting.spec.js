// Pages that take their time, and servers that do not answer.
import { test, expect } from "../support/fixtures.js";

test("a page that takes long shows its outline, and one that never comes leaves what was there", async ({ desk }) => {
  // A tab of its own, whose complaint about the missing answer is no fault.
  const page = await desk.context().newPage();
  await page.goto("/webmin/design");
  await page.getByRole("link", { name: "A page that takes three seconds" }).click();
  await expect(page.locator(".page-waiting .skeleton")).toBeVisible();
  await expect(page.locator("#main")).toHaveAttribute("aria-busy", "true");
  await expect(page.getByRole("status").filter({ hasText: "Loading" })).toBeAttached();
  await expect(page).toHaveURL(/design\/slow$/);
  await expect(page.locator(".page-waiting")).toHaveCount(0);
  await expect(page.locator("#main")).not.toHaveAttribute("aria-busy", "true");
  await expect(page.getByRole("heading", { name: "Design language" })).toBeFocused();

  await page.route("**/design/slow", async (route) => {
    await expect(page.locator(".page-waiting .skeleton")).toBeVisible();
    await route.abort();
  });
  await page.getByRole("link", { name: "A page that takes three seconds" }).click();
  await expect(page.locator("#toasts")).toContainText("did not answer");
  await expect(page.locator(".page-waiting")).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "Design language" })).toBeVisible();
  await page.unrouteAll();
});
