import path from "node:path";
import { fileURLToPath } from "node:url";
import { test, expect, CAROL } from "../support/fixtures.js";

const folder = fileURLToPath(new URL("../../../docs/images", import.meta.url));
const CLEAN_UP = { name: "CleanPasswordResets", path: "admin/pw_reset_cleanup.lua", interval: 3600, run_once: false, active: true };

test("pictures of the README", async ({ desk, server, browser }) => {
  const picture = (page, name) => page.screenshot({ path: path.join(folder, `${name}.png`) });
  const link = await firstSteps(server);

  await desk.goto("/webmin/");
  // The network is never idle here: the page follows what happens.
  await expect(desk.getByText("Live", { exact: true })).toBeVisible();
  await picture(desk, "dashboard");

  const mail = (await server.call("mail.list")).items[0];
  await desk.goto(`/webmin/mail/message/${mail.id}`);
  await desk.waitForLoadState("networkidle");
  await picture(desk, "mail");

  await desk.goto("/webmin/templates/edit?path=jobs/admin/pw_reset_cleanup.lua");
  await expect(desk.locator(".cm-content").first()).toBeVisible();
  await picture(desk, "job-editor");

  await desk.goto("/webmin/templates/edit?path=templates/password/email.tpl");
  await expect(desk.locator(".cm-content").first()).toBeVisible();
  await desk.waitForLoadState("networkidle");
  await picture(desk, "template-editor");

  const phone = await browser.newPage({ viewport: { width: 390, height: 700 }, colorScheme: "light" });
  await phone.goto(link);
  await picture(phone, "reset-form");
  await phone.close();
});

/** What the first ten minutes of the README make; returns the link in the mail. */
async function firstSteps(server) {
  await server.call("scopes.create", { name: "Fun Run", settings: { display_name: "Fun Run", from_email: "app@example.com" } });
  const meta = { email: CAROL };
  await server.call("users.register", { username: "Carol", password: "a long way home", scope: "Fun Run", meta });
  await server.call("users.sendPasswordResetLink", {
    to_email: CAROL,
    scope: "Fun Run",
    options: { from_email: "app@example.com", subject: "Password Reset Request" },
  });
  await server.call("jobs.create", { job: CLEAN_UP });
  await server.call("jobs.run", { name: CLEAN_UP.name });
  const { items } = await server.call("mail.list");
  const { text } = await server.call("mail.get", { id: items[0].id });
  return text.match(/http:\S+_resetpassword\S+/)[0];
}
