// Pages that take their time, and servers that do not answer.
import { test, expect } from "../support/fixtures.js";

test("a page that takes long shows its outline, and one that never comes leaves what was there", async ({ desk }) => {
  // A tab of its own, whose complaint about the missing answer is no fault.
  const page = await desk.context().newPage();
  const outline = page.locator(".page-waiting .skeleton");
  const users = page.getByRole("navigation", { name: "Webmin" }).getByRole("link", { name: "Users" });
  await page.goto("/webmin/scopes");
  let answer;
  await page.route("**/webmin/users", (route) => (answer = route));
  await users.click();
  await expect(outline).toBeVisible();
  await expect(page.locator("#main")).toHaveAttribute("aria-busy", "true");
  await expect(page.getByRole("status").filter({ hasText: "Loading" })).toBeAttached();
  await answer.continue();
  await expect(page.getByRole("heading", { name: "Users", exact: true })).toBeFocused();
  await expect(outline).toHaveCount(0);
  await expect(page.locator("#main")).not.toHaveAttribute("aria-busy", "true");

  await page.goto("/webmin/scopes");
  await users.click();
  await expect(outline).toBeVisible();
  await answer.abort();
  await expect(page.locator("#toasts")).toContainText("did not answer");
  await expect(outline).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "Scopes", exact: true })).toBeVisible();
  await page.close();
});

test("a new page begins at its top at once, however far down the one before was read", async ({ desk: page, server }) => {
  await server.call("scopes.create", { name: "Fun Run" });
  await page.setViewportSize({ width: 1280, height: 500 });
  await page.goto("/webmin/scope/Fun%20Run");
  // Smooth motion would still be under way when the new page is there.
  await page.evaluate(() => {
    scrollTo({ top: 9999, behavior: "instant" });
    document.addEventListener("htmx:afterSettle", () => requestAnimationFrame(() => (window.landed = scrollY)));
  });
  expect(await page.evaluate(() => scrollY)).toBeGreaterThan(0);
  await page.getByRole("link", { name: "Export and import" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Export and import");
  await expect.poll(() => page.evaluate(() => window.landed)).toBe(0);
});
