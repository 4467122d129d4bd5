// What an operator does in the webmin, by clicking.
import { test, expect, OPERATOR } from "../support/fixtures.js";

test("the set-up link makes the first operator, once", async ({ desk, server, browser }) => {
  await expect(desk.getByRole("navigation").first()).toBeVisible();
  const stranger = await browser.newPage({ baseURL: server.url });
  await stranger.goto(await server.setUpLink());
  await expect(stranger.getByLabel("Password again", { exact: true })).toHaveCount(0);
  await stranger.goto("/webmin/scopes");
  await stranger.getByLabel("Name").fill(OPERATOR.name);
  await stranger.getByLabel("Password", { exact: true }).fill(OPERATOR.password);
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await expect(stranger).toHaveURL(/\/webmin\/scopes/);
  await stranger.close();
});
