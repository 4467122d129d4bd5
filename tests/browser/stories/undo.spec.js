// A mistake is found in the audit log and undone; a bundle is reviewed before it is imported.
import { readFile } from "node:fs/promises";
import { test, expect } from "../support/fixtures.js";
import { violations } from "../support/checks.js";

test("a scope changed by mistake is found in the audit log and undone", async ({ desk: page, server }) => {
  await server.call("scopes.create", { name: "Undo Me", settings: { subject: "Your new password" } });
  await page.goto("/webmin/scope/Undo%20Me");
  await page.getByLabel("Subject").fill("Oops");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").first()).toBeVisible();

  await page.getByRole("link", { name: "Audit log" }).click();
  await page.getByRole("link", { name: "scopes.update" }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("scopes.update");
  await expect(page.locator("del")).toHaveText("Your new password");
  await expect(page.locator("ins")).toHaveText("Oops");
  expect(await violations(page)).toEqual([]);
  const entry = page.url();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Undone." })).toBeVisible();
  expect((await server.call("scopes.get", { name: "Undo Me" })).subject).toBe("Your new password");
  await expect(page.getByText("Undone by")).toBeVisible();
  await expect(page.getByRole("button", { name: "Undo" })).toBeHidden();

  // UX26: what was undone by mistake is redone.
  await page.getByRole("button", { name: "Redo" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Redone." })).toBeVisible();
  expect((await server.call("scopes.get", { name: "Undo Me" })).subject).toBe("Oops");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("button", { name: "Redo" })).toBeVisible();

  // And what was changed since is shown, and not overwritten.
  await server.call("scopes.update", { name: "Undo Me", settings: { subject: "Third" } });
  await page.goto(entry);
  await expect(page.getByRole("heading", { name: "Changed since" })).toBeVisible();
  await expect(page.getByText("Third")).toBeVisible();
  await expect(page.getByRole("button", { name: "Undo" })).toBeHidden();
  await expect(page.getByRole("button", { name: "Redo" })).toBeHidden();
});

test("a bundle is downloaded, and imported after its differences were reviewed", async ({ desk: page, server }) => {
  for (const name of ["Travels", "Travels too"]) await server.call("scopes.create", { name, settings: { subject: "As exported" } });
  await page.goto("/webmin/bundle");
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download bundle" }).click();
  const archive = await (await downloading).path();
  for (const name of ["Travels", "Travels too"]) await server.call("scopes.update", { name, settings: { subject: "Changed here" } });
  await server.call("scopes.create", { name: "Stays" });

  await page.goto("/webmin/bundle");
  await page.getByLabel("Bundle (.tar.gz)").setInputFiles({ name: "b.tar.gz", mimeType: "application/gzip", buffer: await readFile(archive) });
  await page.getByRole("button", { name: "Review the import" }).click();
  await expect(page.getByText("2 differences from this server.")).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByText("Travels", { exact: true }).click();
  await expect(page.locator(".sides-scroll").first()).toContainText("Changed here");
  await page.getByRole("button", { name: "Import what is chosen" }).click();
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByRole("heading", { name: "What was imported" })).toBeVisible();
  // UX27: the result does not stand above a claim that there is nothing to import.
  await expect(page.getByText("Nothing to import")).toHaveCount(0);
  for (const name of ["Travels", "Travels too"]) expect((await server.call("scopes.get", { name })).subject).toBe("As exported");
  expect((await server.call("scopes.get", { name: "Stays" })).name).toBe("Stays");

  await page.goto("/webmin/bundle");
  await page.getByLabel("Bundle (.tar.gz)").setInputFiles({ name: "x.tar.gz", mimeType: "application/gzip", buffer: Buffer.from("no archive") });
  await page.getByRole("button", { name: "Review the import" }).click();
  await expect(page.getByRole("alert")).toContainText(".tar.gz");
});
