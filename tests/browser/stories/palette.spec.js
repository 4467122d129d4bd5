// Getting around by keyboard: the command palette, the shortcuts, the guides.
import { test, expect } from "../support/fixtures.js";

const palette = (page) => page.getByRole("dialog", { name: "Find anything" });
const field = (page) => palette(page).getByRole("combobox");

test("Ctrl-K finds a user among many, by keyboard alone", async ({ desk: page, server }) => {
  await server.call("scopes.create", { name: "Fun Run" });
  const meta = { email: "carol@example.com" };
  await server.call("users.register", { username: "Carol", scope: "Fun Run", password: "a long way to the harbour", meta });
  await page.keyboard.press("Control+k");
  await expect(field(page)).toBeFocused();
  await field(page).fill("carol");
  const option = palette(page).getByRole("option", { name: /^Carol/ });
  await expect(option).toHaveAttribute("aria-selected", "true");
  await expect(field(page)).toHaveAttribute("aria-activedescendant", await option.getAttribute("id"));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/webmin\/user\//);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Carol");
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Dashboard");
});

test("the palette keeps the focus, moves by arrows, and closes by Escape", async ({ desk: page }) => {
  await page.getByRole("link", { name: /^Find/ }).first().focus();
  await page.keyboard.press("Enter");
  const options = palette(page).getByRole("option");
  await expect(options.first()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("ArrowDown");
  await expect(options.nth(1)).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(options.last()).toHaveAttribute("aria-selected", "true");
  await field(page).fill("zebra on the moon");
  await expect(palette(page)).toContainText("Nothing here has all of these words");
  await page.keyboard.press("Escape");
  await expect(palette(page)).toBeHidden();
  await expect(page.getByRole("link", { name: /^Find/ }).first()).toBeFocused();
});

test("acts: the theme at once, what destroys only after asking, sign out", async ({ desk: page }) => {
  const act = async (words) => {
    await page.keyboard.press("Control+k");
    await field(page).fill(words);
    await page.keyboard.press("Enter");
  };
  await act("dark theme");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await act("delete old reset");
  await expect(page.getByRole("dialog")).toContainText("Delete old reset links?");
  await expect(page).toHaveURL(/\/webmin\/?$/);
  await page.keyboard.press("Escape");
  await act("back up now");
  await expect(page.getByRole("status").filter({ hasText: /backup/i })).toBeVisible();
  await act("deutsch");
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  await page.keyboard.press("Control+k");
  await page.locator("#palette-input").fill("english");
  await page.keyboard.press("Enter");
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await act("reload jobs");
  await expect(page.getByRole("status").filter({ hasText: "Reloaded" })).toBeVisible();
  await act("sign out");
  await expect(page).toHaveURL(/\/webmin\/login/);
});

test("the palette starts with where one was, and forgets it at the door", async ({ desk: page, server }) => {
  await server.call("scopes.create", { name: "Fun Run" });
  await page.goto("/webmin/scope/Fun%20Run");
  await page.getByRole("link", { name: "Audit log" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Audit log");
  await page.keyboard.press("Control+k");
  const recent = palette(page).getByRole("group", { name: "Recent" });
  await expect(recent.getByRole("option")).toHaveText(["Fun Run", "Dashboard"]);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/scope\/Fun%20Run/);

  await page.keyboard.press("Control+k");
  await field(page).fill("sign out");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/webmin\/login/);
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain("Fun Run");
});

test("single keys go places, say what they are, and can be switched off", async ({ desk: page }) => {
  await page.keyboard.press("g");
  await page.keyboard.press("u");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Users");
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(help).toContainText("Audit log");
  await help.getByRole("checkbox").uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.keyboard.press("?");
  await expect(help).toBeHidden();
  await expect(page).toHaveURL(/\/webmin\/users/);
});

test("on a phone a button opens the palette", async ({ desk: page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await page.getByRole("link", { name: "Find", exact: true }).click();
  await field(page).fill("audit");
  await palette(page).getByRole("option", { name: "Audit log", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Audit log");
});

test("a ? opens the paragraph about it", async ({ desk: page, context }) => {
  await page.goto("/webmin/mail/transport");
  const opened = context.waitForEvent("page");
  await page.getByRole("link", { name: /^Help: Transports/ }).click();
  const help = await opened;
  await expect(help).toHaveURL(/\/webmin\/help\/mail#transports$/);
  await expect(help.getByRole("heading", { name: "Transports", exact: true })).toBeInViewport();
});

test("a function's snippets follow what is typed, and call nothing", async ({ desk: page, server }) => {
  await page.goto("/webmin/function/scopes.create");
  await page.getByLabel(/^Name/).fill("Fun Run");
  for (const language of ["Lua", "curl", "CLI", "JavaScript"]) {
    await expect(page.getByRole("region", { name: language, exact: true })).toContainText("Fun Run");
  }
  expect(await server.call("scopes.list")).toEqual([]);
});
