// The function explorer and API tokens: what is sent is what was chosen, and what is shown to be copied works.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { test, expect, CAROL } from "../support/fixtures.js";

const run = promisify(execFile);
const button = (page, name) => page.getByRole("button", { name, exact: true });
const done = async (page) => expect(page.locator("main .badge.good")).toBeVisible();

/** What a write is about to be called with. */
const asked = async (page) => {
  await expect(page.getByRole("alert")).toContainText("changes data");
  return JSON.parse(await page.locator("main form pre").textContent());
};

test("ux01 a function is called with what was chosen and nothing else, and a write asks first", async ({ desk: page, server }) => {
  await server.call("scopes.create", { name: "Fun Run" });
  const register = { username: "Carol", password: "correct horse battery", scope: "Fun Run", meta: { email: CAROL } };
  const id = await server.call("users.register", register);

  await page.goto("/webmin/function/users.update");
  const active = page.getByLabel("Active", { exact: true });
  await expect(active.locator("option")).toHaveText(["not set", "yes", "no"]);
  await page.getByLabel("User ID").fill(id);
  await page.getByLabel("Group", { exact: true }).fill("gold");
  for (const language of ["Lua", "curl", "CLI", "JavaScript"]) {
    const sample = page.getByRole("region", { name: language, exact: true });
    await expect(sample).toContainText("gold");
    await expect(sample).not.toContainText("active");
  }
  await button(page, "Call…").click();
  expect(await asked(page)).toEqual({ user_id: id, update_params: { group: "gold" } });
  expect(await server.call("users.get", { user_id: id })).not.toMatchObject({ group: "gold" });
  // Back to the form, where everything is as it was typed.
  await button(page, "Edit").click();
  await expect(page.getByLabel("Group", { exact: true })).toHaveValue("gold");
  await button(page, "Call…").click();
  await button(page, "Call it for real").click();
  await done(page);
  expect(await server.call("users.get", { user_id: id })).toMatchObject({ group: "gold", active: true });

  // Both answers are there for whoever means them.
  await page.goto("/webmin/function/users.update");
  await page.getByLabel("User ID").fill(id);
  await active.selectOption("no");
  await button(page, "Call…").click();
  expect(await asked(page)).toEqual({ user_id: id, update_params: { active: false } });
  await button(page, "Call it for real").click();
  await done(page);
  expect(await server.call("users.get", { user_id: id })).toMatchObject({ group: "gold", active: false });

  // An empty form asks for everything, and what only reads asks nobody.
  await page.goto("/webmin/function/users.list");
  await button(page, "Call").click();
  await done(page);
  await expect(page.locator("main pre.log").first()).toContainText("Carol");
});

test("ux01 a job that gets other retries stays active", async ({ desk: page, server }) => {
  await server.drop("jobs/sweep.lua", "return 'ok'\n");
  await server.call("jobs.create", { job: { name: "Sweep", path: "sweep.lua", interval: 3600 } });
  const before = await server.call("jobs.get", { name: "Sweep" });
  await page.goto("/webmin/function/jobs.update");
  await page.locator('[name="p.name"]').fill("Sweep");
  await page.locator('[name="p.changes.retries"]').fill("4");
  await button(page, "Call…").click();
  expect(await asked(page)).toEqual({ name: "Sweep", changes: { retries: 4 } });
  await button(page, "Call it for real").click();
  await done(page);
  const after = await server.call("jobs.get", { name: "Sweep" });
  expect(after.active).toBe(before.active);
  expect(after.retries).toBe(4);
});

test("ux12 a token's functions are chosen from a list, and its sample runs when pasted", async ({ desk: page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const create = async (name, choose) => {
    await page.goto("/webmin/tokens/new");
    await page.getByLabel("Name", { exact: true }).fill(name);
    await choose();
    await button(page, "Create token").click();
  };
  const sample = async () => {
    await page.locator('[data-copy="#sample"]').click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    const { stdout } = await run("bash", ["-c", command]);
    return JSON.parse(stdout);
  };
  const service = (name) => page.locator("details").filter({ has: page.locator("summary", { hasText: new RegExp(`^\\s*${name}\\s*$`) }) });

  await create("all of scopes", async () => {
    await service("scopes").locator("summary").click();
    await page.getByRole("checkbox", { name: /^All of scopes/ }).check();
  });
  expect(await sample()).toEqual([]);

  // A token that can only write gets a sample that still only reads.
  await create("mail only", async () => {
    await service("mail").locator("summary").click();
    await page.locator('[name="grant:mail.send"]').check();
  });
  expect(Object.keys((await sample()).paths)).toEqual(["/api/v1/mail.send"]);

  // What is typed is held against the registry, and what was chosen is still there.
  await create("mistyped", async () => {
    await service("users").locator("summary").click();
    await page.locator('[name="grant:users.get"]').check();
    await page.getByLabel("Other grants").fill("mail.sent");
  });
  await expect(page.getByRole("alert")).toContainText("Did you mean mail.send?");
  await expect(page.locator('[name="grant:users.get"]')).toBeChecked();
  await page.getByLabel("Other grants").fill("");
  await page.locator('[name="grant:users.get"]').uncheck();
  await button(page, "Create token").click();
  await expect(page.getByRole("alert")).toContainText("Choose at least one function.");
});
