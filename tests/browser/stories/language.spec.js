// The webmin in German: what an operator chooses, what a browser asks for.
import { test, expect } from "../support/fixtures.js";

test("an operator reads the webmin in German, and it stays so", async ({ desk: page, server }) => {
  await page.goto("/webmin/profile");
  await page.getByRole("button", { name: "Deutsch" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  const navigation = page.getByRole("navigation", { name: "Webmin" });
  for (const name of ["Übersicht", "Benutzer", "Passwort-Resets", "E-Mail", "Vorlagen", "Protokoll"]) {
    await expect(navigation.getByRole("link", { name, exact: true })).toBeVisible();
  }
  await expect(page.getByRole("button", { name: "Abmelden" })).toBeVisible();

  // A mistake is told at its field, and what was done in a toast; the script's own words are German, too.
  await navigation.getByRole("link", { name: "Scopes" }).click();
  await page.getByRole("link", { name: "Neuer Scope" }).first().click();
  await page.getByRole("button", { name: "Scope anlegen" }).click();
  await expect(page.getByText("Name fehlt.")).toBeVisible();
  await page.getByLabel("Name", { exact: true }).fill("Fun Run");
  await navigation.getByRole("link", { name: "Benutzer", exact: true }).click();
  await page.getByRole("button", { name: "Hierbleiben" }).click();
  await page.getByRole("button", { name: "Scope anlegen" }).click();
  await expect(page.locator("#toasts")).toContainText("Scope angelegt.");

  // Times and numbers are written as German has them.
  await navigation.getByRole("link", { name: "Jobs", exact: true }).click();
  await server.call("jobs.create", { job: { name: "Sweep", path: "sweep.lua", interval: 1234, active: true } });
  await page.reload();
  await expect(page.locator("main")).toContainText("alle 1.234 Sekunden");
  await page.goto("/webmin/profile");
  await expect(page.locator("time[data-ago]").first()).toHaveText(/^(gerade eben|vor \d+ (Sekunden|Minuten?))$/);
  await expect(page.locator("time").first()).toHaveAttribute("title", /Uhr|\d{2}:\d{2}:\d{2}/);
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  await expect(page.getByRole("button", { name: "Abmelden" })).toBeVisible();
});

test("a browser that prefers German is asked to sign in in German", async ({ desk, browser, baseURL }) => {
  const context = await browser.newContext({ baseURL, locale: "de-AT" });
  const page = await context.newPage();
  await page.goto("/webmin/login");
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  await expect(page.getByRole("heading", { name: "Anmelden" })).toBeVisible();
  await page.getByLabel("Name", { exact: true }).fill("nobody");
  await page.getByLabel("Passwort", { exact: true }).fill("not the password");
  await page.getByRole("button", { name: "Anmelden" }).click();
  await expect(page.locator(".notice.bad")).toBeVisible();
  await context.close();
});
