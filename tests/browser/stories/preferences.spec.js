// What devices and browsers ask for: less motion, colours of their own, the way back, a reload.
import { test, expect } from "../support/fixtures.js";

test("reduced motion stops all of it, and forced colours keep what a ground said", async ({ desk: page }) => {
  await page.emulateMedia({ reducedMotion: "reduce", forcedColors: "active" });
  await page.goto("/webmin/design");
  const moving = await page.evaluate(() => document.getAnimations().filter((motion) => motion.effect.getComputedTiming().duration > 1 && motion.playState === "running").map((motion) => motion.animationName));
  expect(moving).toEqual([]);
  await page.goto("/webmin/scopes");
  const here = page.getByRole("navigation", { name: "Webmin" }).locator('[aria-current="page"]');
  const elsewhere = page.getByRole("link", { name: "Users", exact: true });
  expect(await here.evaluate((link) => getComputedStyle(link).outlineStyle)).toBe("solid");
  expect(await elsewhere.evaluate((link) => getComputedStyle(link).outlineStyle)).toBe("none");
});

test("an error is read out at once, and what went well when there is time", async ({ desk: page }) => {
  // The set-up has said hello.
  await expect(page.getByRole("status").filter({ hasText: "Welcome" })).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);
  await page.goto("/webmin/logout");
  await expect(page.getByRole("alert")).toContainText("button");
});

test("back, forward and reload show the page of the address, whole", async ({ desk: page }) => {
  const heading = page.getByRole("heading", { level: 1 });
  const navigation = page.getByRole("navigation", { name: "Webmin" });
  const whole = async (place) => {
    await expect(page).toHaveURL(place);
    await expect(heading).toBeVisible();
    // The frame is there with its content: neither a fragment alone, nor one page within another.
    await expect(navigation).toHaveCount(1);
    await expect(page.locator("main")).toHaveCount(1);
    await expect(page.locator("#main > .page")).toHaveCount(1);
  };
  const places = [/webmin\/users$/, /webmin\/mail$/, /webmin\/mail\?.*carol/, /webmin\/functions$/];
  await page.goto("/webmin/");
  await navigation.getByRole("link", { name: "Users", exact: true }).click();
  await whole(places[0]);
  await navigation.getByRole("link", { name: "Mail", exact: true }).click();
  await whole(places[1]);
  await page.locator('main input[type="search"]').first().fill("carol");
  await page.keyboard.press("Enter");
  await whole(places[2]);
  await navigation.getByRole("link", { name: "Functions", exact: true }).click();
  await whole(places[3]);
  for (const place of places.slice(0, -1).reverse()) {
    await page.goBack();
    await whole(place);
  }
  await page.reload();
  await whole(places[0]);
  await page.goForward();
  await whole(places[1]);
  await page.goForward();
  await whole(places[2]);
  await expect(page.locator('input[type="search"]').first()).toHaveValue("carol");
});

test("two pages asked for at once: the later one is shown", async ({ desk: page }) => {
  await page.goto("/webmin/scopes");
  const navigation = page.getByRole("navigation", { name: "Webmin" });
  let early;
  await page.route("**/webmin/users", (route) => (early = route));
  await navigation.getByRole("link", { name: "Users" }).click();
  await expect.poll(() => !!early).toBe(true);
  await navigation.getByRole("link", { name: "Mail", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Mail" })).toBeVisible();
  await early.continue().catch(() => {});
  await expect(page.locator("#progress.busy")).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1, name: "Mail" })).toBeVisible();
  await expect(page).toHaveURL(/\/webmin\/mail$/);
});
