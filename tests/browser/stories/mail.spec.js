// Mail as it is read, and what its provider tells of it.
import { test, expect, CAROL, OLD_PASSWORD } from "../support/fixtures.js";

const send = (server) =>
  server.call("users.sendPasswordResetLink", {
    to_email: CAROL, scope: "Fun Run", options: { from_email: "app@example.com", subject: "Reset" },
  });

test("a captured mail is read as text, HTML, source and headers, and its link opens the form", async ({ desk: page, server, context }) => {
  await server.call("scopes.create", { name: "Fun Run", settings: { from_email: "app@example.com" } });
  const meta = { email: CAROL };
  await server.call("users.register", { username: "Carol", password: OLD_PASSWORD, scope: "Fun Run", meta });
  await send(server);
  await server.call("mail.test", { to: "me@example.com" });
  await page.goto("/webmin/mail");
  await page.getByRole("link", { name: "Reset", exact: true }).click();
  const tab = (name) => page.getByRole("navigation", { name: "Show the mail as" }).getByRole("link", { name }).click();

  const opened = context.waitForEvent("page");
  await page.getByRole("link", { name: /_resetpassword/ }).click();
  const form = await opened;
  await expect(form.locator('input[autocomplete="new-password"]')).toHaveCount(2);
  await form.close();

  await tab("HTML");
  const frame = page.locator('iframe[title="The mail as HTML"]');
  const wide = (await frame.boundingBox()).width;
  await page.getByText("Phone", { exact: true }).click();
  await expect.poll(async () => (await frame.boundingBox()).width).toBeLessThan(wide);

  await tab("Source");
  await expect(page.locator("#mail-source")).toContainText("MIME-Version: 1.0");
  await expect(page.locator("#mail-source")).toContainText("multipart/alternative");
  await tab("Headers");
  await expect(page.locator("main")).toContainText("Message-Id");

  // The list beside keeps the form, and j and k go through it.
  const beside = page.getByRole("navigation", { name: "Mail", exact: true });
  await expect(beside.getByRole("link", { name: /Reset/ })).toHaveAttribute("aria-current", "page");
  await page.keyboard.press("k");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("test mail");
  await expect(page).toHaveURL(/tab=headers/);
  await page.keyboard.press("j");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Reset");
});

test("what a provider tells is in the timelines, and what came back is sent again", async ({ desk: page, server, funRun, mailgun }) => {
  await funRun.resetLink(1);
  await page.goto("/webmin/mail");
  await page.getByRole("link", { name: "Password Reset Request" }).click();
  const steps = page.locator(".timeline .strong");
  await expect(steps).toHaveText(["Mail queued", "Mail sent"]);
  expect(await mailgun.tell(server, 1, "delivered")).toBe(200);
  // The page looks again by itself.
  await expect(steps).toHaveText(["Mail queued", "Mail sent", "Delivered"]);

  expect(await mailgun.tell(server, 1, "bounced")).toBe(200);
  await page.getByRole("link", { name: "Look again" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("bounced");
  await expect(page.locator("main")).toContainText("There is no such mailbox.");
  await page.getByRole("link", { name: "The reset" }).click();
  await expect(page.locator("main")).toContainText("Nobody has the link");
  await expect(steps).toHaveText(["Asked for", "Mail queued", "Mail sent", "Delivered", "Bounced", "Nobody has the link"]);

  await page.goBack();
  await page.getByRole("button", { name: "Send again" }).click();
  await mailgun.mail(2);
  await expect(steps).toContainText(["Sent again", "Mail sent"]);
  await expect(page.locator(".timeline")).toContainText("The operator carla put it into the outbox again.");

  await page.goto("/webmin/plugin/mailgun");
  await expect(page.locator("#webhook-url")).toContainText("/_hooks/mailgun");
  await expect(page.locator("main")).toContainText("2 events");
});

test("the OpenAPI document is read, searched and taken along", async ({ desk: page }) => {
  await page.goto("/webmin/functions");
  await page.getByRole("link", { name: "OpenAPI" }).click();
  await page.getByRole("navigation", { name: "Services" }).getByRole("link", { name: /^mail/ }).click();
  await page.getByText("/api/v1/mail.list", { exact: true }).click();
  const operation = page.locator('details[id="mail.list"]');
  await expect(operation.getByText("Unix milliseconds").first()).toBeVisible();
  await expect(page.locator("main")).toContainText("Authorization: Bearer");
  await page.getByRole("searchbox", { name: "Search" }).fill("reset link");
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toContainText("/api/v1/users.sendPasswordResetLink");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download the JSON" }).click();
  const { readFile } = await import("node:fs/promises");
  const document = JSON.parse(await readFile(await (await download).path(), "utf8"));
  expect(document.openapi).toBe("3.1.0");
  expect(document.paths["/api/v1/users.sendPasswordResetLink"].post.tags).toEqual(["users"]);
});
