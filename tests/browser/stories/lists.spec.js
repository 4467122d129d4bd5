// Lists: what one looks for is found, what was found can be kept as an address or a file, and what is done to many can be taken back.
import { readFile } from "node:fs/promises";
import { test, expect } from "../support/fixtures.js";

const NAMES = Array.from({ length: 60 }, (_, number) => `runner${String(number + 1).padStart(2, "0")}`);

/** The users' names, as they stand in the list. */
const names = (page) => page.locator("tbody tr .title").allTextContents();

async function runners(server) {
  for (const name of ["Fun Run", "Harbour"]) await server.call("scopes.create", { name });
  const ids = {};
  for (const username of NAMES) {
    const scope = username.endsWith("0") ? "Harbour" : "Fun Run";
    ids[username] = await server.call("users.register", { username, password: "a long way home", scope, meta: {} });
  }
  return ids;
}

test("a list is searched, filtered, sorted and paged, and its address holds it all", async ({ desk: page, server }) => {
  await runners(server);
  await page.goto("/webmin/users");
  await expect(page.getByText("60 users")).toBeVisible();

  await page.getByRole("columnheader", { name: "User" }).getByRole("link").click();
  await expect(page.getByRole("columnheader", { name: "User" })).toHaveAttribute("aria-sort", "ascending");
  expect(await names(page)).toEqual(NAMES.slice(0, 50));
  await page.getByRole("link", { name: "Next" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(10);
  expect(await names(page)).toEqual(NAMES.slice(50));
  const second = page.url();
  await page.reload();
  expect(await names(page)).toEqual(NAMES.slice(50));
  await page.goBack();
  await expect(page.locator("tbody tr")).toHaveCount(50);
  expect(await names(page)).toEqual(NAMES.slice(0, 50));
  await page.goto(second);
  await page.getByRole("link", { name: "Previous" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(50);
  expect(await names(page)).toEqual(NAMES.slice(0, 50));

  await page.getByRole("combobox", { name: "Scope" }).selectOption("Harbour");
  await expect(page.getByText("6 users")).toBeVisible();
  await expect(page).toHaveURL(/scope=Harbour/);
  await expect(page).toHaveURL(/sort=username/);
  expect(await names(page)).toEqual(NAMES.filter((name) => name.endsWith("0")));

  await page.getByLabel("Name or address contains").fill("runner3");
  await expect(page.getByText("1 user", { exact: true })).toBeVisible();
  expect(await names(page)).toEqual(["runner30"]);
  await page.getByRole("link", { name: "Take away the filter Scope" }).click();
  await expect(page.getByText("10 users")).toBeVisible();
  await page.goBack();
  await expect(page.getByText("1 user", { exact: true })).toBeVisible();

  await page.getByLabel("Name or address contains").fill("nobody at all");
  await expect(page.getByRole("heading", { name: "Nothing fits" })).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "Clear filters" }).last().click();
  await expect(page.getByText("60 users")).toBeVisible();
});

test("columns are chosen, and the file holds all that is known of what was found", async ({ desk: page, server }) => {
  await runners(server);
  await server.call("users.register", { username: "=1+1", password: "a long way home", scope: "Harbour", meta: { email: "sum@example.com" } });
  await page.goto("/webmin/users?scope=Harbour&sort=username");
  await expect(page.getByRole("columnheader", { name: "Changed" })).toHaveCount(0);
  await page.getByText("Columns", { exact: true }).click();
  await page.getByRole("checkbox", { name: "E-mail" }).check();
  await page.getByRole("checkbox", { name: "Scope" }).uncheck();
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await expect(page.getByRole("columnheader", { name: "E-mail" })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "Scope" })).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole("columnheader", { name: "E-mail" })).toBeVisible();

  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "CSV" }).click();
  const file = await readFile(await (await downloading).path(), "utf8");
  const lines = file.trim().split("\r\n");
  expect(lines[0]).toBe("username,email,scope,group,state,last_login,created,changed,id");
  expect(lines).toHaveLength(8);
  // A spreadsheet must not compute what a user chose to be called.
  expect(lines.find((line) => line.includes("1+1"))).toContain("'=1+1");
  expect(file).not.toContain("runner01");
});

test("many rows are changed at once, which can be taken back, and deleted only when one is sure", async ({ desk: page, server }) => {
  const ids = await runners(server);
  const active = async (name) => (await server.call("users.get", { user_id: ids[name] })).active;
  await page.goto("/webmin/users?sort=username");
  for (const name of ["runner02", "runner03"]) await page.getByRole("checkbox", { name: `Choose ${name}` }).check();
  await expect(page.getByText("2 chosen")).toBeVisible();
  await page.getByRole("button", { name: "Deactivate" }).click();
  await expect(page.getByRole("status").filter({ hasText: "2 users are inactive now" })).toBeVisible();
  expect([await active("runner02"), await active("runner03"), await active("runner04")]).toEqual([false, false, true]);
  // One is back where one was.
  await expect(page).toHaveURL(/sort=username/);

  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("status").filter({ hasText: "2 users are active now" })).toBeVisible();
  expect([await active("runner02"), await active("runner03")]).toEqual([true, true]);

  await page.getByRole("checkbox", { name: "Choose runner05" }).check();
  await page.getByRole("button", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("heading", { name: "Delete 1 user?" })).toBeVisible();
  await expect(dialog).toContainText("runner05");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page.getByText("60 users")).toBeVisible();
  await page.getByRole("button", { name: "Delete" }).click();
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByRole("status").filter({ hasText: "1 user was deleted." })).toBeVisible();
  await expect(page.getByText("59 users")).toBeVisible();
});

test("a list works without scripts", async ({ server, browser, desk }) => {
  const ids = await runners(server);
  const context = await browser.newContext({ baseURL: server.webmin, storageState: await desk.context().storageState(), javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto("/webmin/users?sort=username");
  await page.getByRole("combobox", { name: "Scope" }).selectOption("Harbour");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect(page.getByText("6 users")).toBeVisible();
  await page.getByRole("checkbox", { name: "Choose runner10" }).check();
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("heading", { name: "Delete 1 user?" })).toBeVisible();
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByText("5 users")).toBeVisible();
  await expect(server.call("users.get", { user_id: ids.runner10 })).rejects.toThrow();
  await context.close();
});

test("a mail that is opened from a filtered list stands among those that were found", async ({ desk: page, server }) => {
  for (const subject of ["Minutes", "Where the run begins", "Where it ends"]) {
    await server.call("mail.send", { message: { from: "app@example.com", to: "carol@example.com", subject, text: "Hello" } });
  }
  await page.goto("/webmin/mail?search=where");
  await page.getByRole("link", { name: "Where the run begins" }).click();
  const beside = page.getByRole("navigation", { name: "Mail", exact: true });
  await expect(beside.getByRole("link", { name: /^Where|Where / })).toHaveCount(2);
  await expect(beside.getByRole("link", { name: "Minutes" })).toHaveCount(0);
  await page.goBack();
  await expect(page.getByRole("searchbox")).toHaveValue("where");
});

test("ux29: a list is searched as one types, says which page of how many it shows, and back undoes the search at once", async ({ desk: page, server }) => {
  await runners(server);
  await page.goto("/webmin/users?sort=username");
  await expect(page.getByText("Page 1 of 2")).toBeVisible();
  await expect(page.getByRole("button", { name: "Search", exact: true })).toBeHidden();
  await page.getByRole("link", { name: "Next" }).click();
  await expect(page.getByText("Page 2 of 2")).toBeVisible();
  await page.getByRole("link", { name: "Previous" }).click();
  await expect(page.getByText("Page 1 of 2")).toBeVisible();

  const search = page.getByLabel("Name or address contains");
  await search.pressSequentially("runner3", { delay: 40 });
  await expect(page.getByText("10 users")).toBeVisible();
  await expect(search).toBeFocused();
  await search.pressSequentially("0");
  await expect(page.getByText("1 user", { exact: true })).toBeVisible();
  await expect(search).toHaveValue("runner30");
  await expect(page).toHaveURL(/search=runner30/);
  await page.goBack();
  await expect(page.getByText("60 users")).toBeVisible();
  await expect(search).toHaveValue("");
});

test("ux29: on a phone the filters are folded away, and the first rows are on the first screen", async ({ desk: page, server }) => {
  await runners(server);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/webmin/users?scope=Harbour&sort=username");
  const scope = page.getByRole("combobox", { name: "Scope" });
  await expect(scope).toBeHidden();
  const row = await page.locator("tbody tr").first().boundingBox();
  expect(row.y + 100).toBeLessThan(844);
  // The number says that a filter is set.
  await expect(page.getByText("Filters 1")).toBeVisible();
  await page.getByText("Filters 1").click();
  await expect(scope).toHaveValue("Harbour");
  await scope.selectOption("Fun Run");
  await expect(page.getByText("54 users")).toBeVisible();
});
