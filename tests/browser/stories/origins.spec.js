// X01: an editor writes a page whose script acts in the browser of the admin who opens it.
import { test as base, expect } from "../support/fixtures.js";
import { Clock } from "../support/clock.js";
import { OPERATOR } from "../support/people.js";
import { Server } from "../support/server.js";
import { World } from "../support/worlds.js";

/** Every way we know for script on a page to reach the webmin. Each reports what it got; `done` is set at the end. */
const ATTACK = (webmin) => `<!doctype html><meta charset="utf-8"><title>News</title>
<form id="form" method="post" target="sink" action="${webmin}/webmin/operators/new">
  <input name="name" value="mallory"><input name="password" value="three brown horses run"><input name="role" value="admin">
</form>
<iframe name="sink" id="sink"></iframe>
<iframe id="frame" src="${webmin}/webmin/operators"></iframe>
<script>
const got = {};
const body = new URLSearchParams({ name: "mallory", password: "three brown horses run", role: "admin" });
const tries = {
  async submit() { document.querySelector("#form").submit(); await new Promise((done) => document.querySelector("#sink").addEventListener("load", done)); },
  async post() { await fetch("${webmin}/webmin/operators/new", { method: "POST", body, mode: "no-cors", credentials: "include" }); },
  async read() { got.read = (await (await fetch("${webmin}/webmin/operators", { credentials: "include" })).text()).length; },
  async opaque() { got.opaque = (await (await fetch("${webmin}/webmin/operators", { mode: "no-cors", credentials: "include" })).text()).length; },
  async framed() { got.framed = document.querySelector("#frame").contentDocument?.body?.textContent?.length ?? 0; },
  async beacon() { navigator.sendBeacon("${webmin}/webmin/operators/new", body); },
  async cookies() { got.cookies = document.cookie; },
  async toast() { document.cookie = "coronet_toast=good:Call 555; path=/webmin"; },
  async echoed() { got.echoed = await (await fetch("/echo", { credentials: "include" })).text(); },
  async opened() {
    const page = window.open("${webmin}/webmin/operators/new");
    for (let wait = 0; wait < 20; wait += 1) {
      await new Promise((done) => setTimeout(done, 100));
      try { if (page.document.querySelector("form")) { got.opened = true; page.document.querySelector("main form").submit(); break; } } catch { got.opened = false; }
    }
    page?.close();
  },
};
(async () => {
  for (const [name, act] of Object.entries(tries)) {
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("late")), 3000));
    await Promise.race([act(), late]).catch((error) => { got[name + "_failed"] = String(error); });
  }
  document.title = "done";
  document.body.dataset.got = JSON.stringify(got);
})();
</script>`;
const ECHO = "local page = core.pages.new()\npage.renderJson({ cookies = page.cookies, headers = page.headers })";

const test = base.extend({
  // The attack's own page complains of everything that was stopped.
  page: async ({ context }, use) => use(await context.newPage()),
});

/** An admin who is signed in opens the editor's page. */
async function attack(context, server, webmin) {
  await server.drop("pages/news.html", ATTACK(webmin));
  await server.drop("pages/echo.lua", ECHO);
  const world = new World(server, context.browser());
  await world.signUp();
  await context.addCookies(world.sessions.admin.cookies);
  const page = await context.newPage();
  await page.goto(`${webmin}/webmin/operators`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.goto(`${server.url}/news.html`);
  await expect(page).toHaveTitle("done", { timeout: 60_000 });
  const got = JSON.parse(await page.locator("body").getAttribute("data-got"));
  const names = (await server.call("operators.list")).map(({ name }) => name);
  return { page, got, names };
}

function expectNothing({ got, names }) {
  expect(names).toEqual([OPERATOR.name]);
  expect(got.read ?? 0).toBe(0);
  expect(got.opaque ?? 0).toBe(0);
  expect(got.framed ?? 0).toBe(0);
  expect(got.opened ?? false).toBe(false);
  expect(got.cookies ?? "").not.toContain("coronet");
  expect(got.echoed ?? "").not.toContain("coronet_");
}

test("x01_script_on_a_page_reaches_nothing_of_the_webmin_on_its_own_port", async ({ context, server }) => {
  const outcome = await attack(context, server, server.webmin);
  expectNothing(outcome);
  // The page's own script works as ever.
  expect(outcome.got.echoed).toContain("headers");
  // What it left in a cookie is not shown as our word.
  await outcome.page.goto(`${server.webmin}/webmin/scopes`);
  await expect(outcome.page.getByText("Call 555")).toHaveCount(0);
});

test("x01_script_on_a_page_reaches_nothing_of_the_webmin_on_one_origin", async ({ context }) => {
  const server = await Server.start({ CORONET_WEBMIN_SHARES_ORIGIN: "true" });
  try {
    expect(server.webmin).toBe(server.url);
    expectNothing(await attack(context, server, server.url));
  } finally {
    await server.stop();
  }
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("x01_an_admin_is_asked_for_the_password_and_loses_nothing", async ({ context }) => {
      const clock = await Clock.build();
      const server = await Server.start(clock.environment);
      try {
        const world = new World(server, context.browser());
        await world.signUp();
        await context.addCookies(world.sessions.admin.cookies);
        await clock.set(6 * 60);
        const page = await context.newPage();
        await page.goto(`${server.webmin}/webmin/operators/new`);
        await page.locator("#f-name").fill("Grace <&>");
        await page.locator("#f-password").fill("a password of grace's");
        await page.locator("main [data-save]").click();
        const ask = page.locator('form[action*="/webmin/password"]');
        await expect(ask).toBeVisible();
        expect(await server.call("operators.list")).toHaveLength(1);
        await ask.locator("[name=own_password]").fill("not my password at all");
        await ask.locator("[data-save]").click();
        await expect(ask.getByRole("alert")).toContainText("not right");
        await ask.locator("[name=own_password]").fill(OPERATOR.password);
        await ask.locator("[data-save]").click();
        await expect(page).toHaveURL(/\/webmin\/operators$/);
        await expect(page.getByText("Grace <&>").first()).toBeVisible();
        await expect(ask).toHaveCount(0);
        const names = (await server.call("operators.list")).map(({ name }) => name);
        expect(names.sort()).toEqual([OPERATOR.name, "Grace <&>"].sort());
      } finally {
        await server.stop();
        await clock.remove();
      }
    });
  });
}
