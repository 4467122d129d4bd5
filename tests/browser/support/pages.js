// Every page there is, and how to make each of its states. Whatever looks at all pages walks this list; what is
// missing from it is said by stories/pages.spec.js.
//
// A page stands in a world (worlds.js), `filled` unless it says otherwise, and is opened by `path`, which may take the
// world's ids. `make` clicks its state together and must change nothing that another page shows. `view` is the template
// under webmin-ui/views.

import { bundle } from "./bundle.js";

const refuse = async (page) => {
  await page.locator("main [data-save]").last().click();
  await page.locator('main [aria-invalid="true"], main .notice.bad').first().waitFor();
};
/** Found by where it leads: the words are in the operator's language. */
const ask = (act) => async (page) => {
  await page.locator(`main a[hx-get$="/${act}"]`).first().click();
  await page.locator("#dialog[open] form").waitFor();
};
const editor = async (page) => {
  await page.locator(".cm-content").first().waitFor();
  // What the text becomes is rendered beside it, where there is room.
  await page.waitForLoadState("networkidle");
};
const tried = async (page) => {
  await editor(page);
  await page.locator("#wb-test [data-try]").click();
  await page.locator("#wb-test-calls li").first().waitFor();
};
const upload = async (page, buffer) => {
  await page.locator("#f-bundle").setInputFiles({ name: "bundle.tar.gz", mimeType: "application/gzip", buffer });
  await page.locator('main form[action$="/bundle/upload"] button').click();
};
const edit = (path) => `/webmin/templates/edit?path=${encodeURIComponent(path)}`;

const SECTIONS = {
  "Before the first operator": [
    ["nobody can sign in yet", "/webmin/", { world: "new", view: "shell/no_operator", status: 401 }],
    ["a set-up link that is none", "/webmin/setup?token=nothing", { world: "new", view: "shell/no_operator", status: 404 }],
    ["set up", (world) => world.setUpPath, { world: "new", view: "shell/setup" }],
    ["set up, refused", (world) => world.setUpPath, { world: "new", view: "shell/setup", make: refuse }],
    ["set up already", "/webmin/setup?token=nothing", { as: null, view: "shell/setup_done", status: 404 }],
  ],
  "The door": [
    ["sign in", "/webmin/login", { as: null, view: "shell/login" }],
    ["sign in, refused", "/webmin/login", {
      as: null, view: "shell/login",
      async make(page) {
        await page.locator("#f-name").fill("nobody");
        await page.locator("#f-password").fill("not the password");
        await refuse(page);
      },
    }],
    ["forgot the password", "/webmin/forgot-password", { as: null, view: "shell/forgot" }],
    ["a mailed link that is none", "/webmin/choose-password?token=nothing", { as: null, view: "shell/link_dead", status: 404 }],
    ["the session ended while something was typed", "/webmin/scopes/new", {
      view: "shell/login",
      async make(page) {
        await page.locator("#f-name").fill("Typed");
        await page.context().clearCookies();
        await page.locator("main [data-save]").click();
        await page.locator("#dialog[open] #f-password").waitFor();
      },
    }],
  ],
  Dashboard: [
    ["a fresh server", "/webmin/", { world: "empty", view: "dashboard/show" }],
    ["first steps", "/webmin/first-steps", { world: "empty", view: "dashboard/steps" }],
    ["a server at work", "/webmin/", { view: "dashboard/show" }],
    ["a week of it", "/webmin/?range=week", { view: "dashboard/show" }],
    ["as a viewer", "/webmin/", { as: "viewer", view: "dashboard/show" }],
    ["forget a server?", "/webmin/server/gone/forget", { view: "parts/confirm" }],
  ],
  Scopes: [
    ["none", "/webmin/scopes", { world: "empty", view: "scopes/list" }],
    ["list", "/webmin/scopes", { view: "scopes/list" }],
    ["new", "/webmin/scopes/new", { view: "parts/form_page" }],
    ["new, refused", "/webmin/scopes/new", { view: "parts/form_page", make: refuse }],
    ["one", "/webmin/scope/Fun%20Run", { view: "scopes/show" }],
    ["one without a From address", "/webmin/scope/Harbour", { view: "scopes/show" }],
    ["one, as a viewer", "/webmin/scope/Fun%20Run", { as: "viewer", view: "scopes/show" }],
    ["delete?", "/webmin/scope/Harbour/delete", { view: "parts/confirm" }],
    ["delete? in a dialog", "/webmin/scope/Harbour", { view: "parts/confirm", make: ask("delete") }],
  ],
  Users: [
    ["no scope yet", "/webmin/users", { world: "empty", view: "users/list" }],
    ["new, without a scope", "/webmin/users/new", { world: "empty", view: "users/needs_scope" }],
    ["list", "/webmin/users", { view: "users/list" }],
    ["none fits", "/webmin/users?search=nobody", { view: "users/list" }],
    ["new", "/webmin/users/new", { view: "parts/form_page" }],
    ["new, refused", "/webmin/users/new", { view: "parts/form_page", make: refuse }],
    ["one", ({ ids }) => `/webmin/user/${ids.Carol}`, { view: "users/show" }],
    ["send a reset", ({ ids }) => `/webmin/user/${ids.Carol}/reset`, { view: "parts/form_page" }],
    ["delete?", ({ ids }) => `/webmin/user/${ids.Carol}/delete`, { view: "parts/confirm" }],
    ["delete? in a dialog", ({ ids }) => `/webmin/user/${ids.Carol}`, { view: "parts/confirm", make: ask("delete") }],
  ],
  "Password resets": [
    ["none", "/webmin/resets", { world: "empty", view: "resets/list" }],
    ["list", "/webmin/resets", { view: "resets/list" }],
    ["one", ({ ids }) => `/webmin/reset/${ids.reset}`, { view: "resets/show" }],
    ["revoke?", ({ ids }) => `/webmin/reset/${ids.reset}/revoke`, { view: "parts/confirm" }],
    ["delete old links?", "/webmin/resets/flush", { view: "parts/confirm" }],
  ],
  Mail: [
    ["none", "/webmin/mail", { world: "empty", view: "mail/list" }],
    ["list", "/webmin/mail", { view: "mail/list" }],
    ["none fits", "/webmin/mail?search=nobody", { view: "mail/list" }],
    ["a reset's mail", ({ ids }) => `/webmin/mail/message/${ids.mail}`, { view: "mail/show" }],
    ["a mail with HTML", ({ ids }) => `/webmin/mail/message/${ids.htmlMail}`, { view: "mail/show" }],
    ["test mail", "/webmin/mail/test", { view: "parts/form_page" }],
    ["test mail, refused", "/webmin/mail/test", { view: "parts/form_page", make: refuse }],
    ["transport", "/webmin/mail/transport", { view: "mail/transport" }],
  ],
  Templates: [
    ["tree, nothing edited", "/webmin/templates", { world: "empty", view: "templates/tree" }],
    ["tree", "/webmin/templates", { view: "templates/tree" }],
    ["new", "/webmin/templates/new", { view: "parts/form_page" }],
    ["editor of a mail", edit("templates/password/email.tpl"), { view: "templates/editor", make: editor }],
    ["editor of a page", edit("pages/welcome.tpl"), { view: "templates/editor", make: editor }],
    ["editor of job code", edit("jobs/broken.lua"), { view: "templates/editor", make: editor }],
    ["a test run of job code", edit("jobs/admin/pw_reset_cleanup.lua"), { view: "templates/editor", make: tried }],
    ["editor, as a viewer", edit("templates/password/email.tpl"), { as: "viewer", view: "templates/editor", make: editor }],
    ["a file dragged elsewhere", "/webmin/templates/move?path=pages%2Fwelcome.tpl", { view: "parts/form_page" }],
    ["compare two revisions", "/webmin/templates/compare?path=templates%2Fpassword%2Femail.tpl&from=1&to=2", { view: "templates/compare" }],
    ["bring an older one back?", "/webmin/templates/restore?path=templates%2Fpassword%2Femail.tpl&revision=1", { view: "parts/confirm" }],
    ["revisions", "/webmin/templates/revisions?path=templates%2Fpassword%2Femail.tpl", { view: "templates/revisions" }],
    ["no revision", "/webmin/templates/revisions?path=templates%2Fpassword%2Femail.html.tpl", { view: "templates/revisions" }],
    ["compare", "/webmin/templates/revision?path=templates%2Fpassword%2Femail.tpl&revision=1", { view: "templates/compare" }],
    ["drop to the layer below?", "/webmin/templates/revert?path=templates%2Fpassword%2Femail.tpl", { view: "parts/confirm" }],
  ],
  "Jobs Service": [
    ["none", "/webmin/jobs", { world: "empty", view: "jobs/list" }],
    ["list", "/webmin/jobs", { view: "jobs/list" }],
    ["new", "/webmin/jobs/new", { view: "parts/form_page" }],
    ["new, refused", "/webmin/jobs/new", { view: "parts/form_page", make: refuse }],
    ["one that went well", "/webmin/job/CleanUp", { view: "jobs/show" }],
    ["one that failed", "/webmin/job/Broken", { view: "jobs/show" }],
    ["one that rests", "/webmin/job/Resting", { view: "jobs/show" }],
    ["all runs", "/webmin/runs", { view: "jobs/runs" }],
    ["a run", ({ ids }) => `/webmin/run/${ids.run}`, { view: "jobs/run" }],
    ["a run that failed", ({ ids }) => `/webmin/run/${ids.failedRun}`, { view: "jobs/run" }],
    ["delete?", "/webmin/job/Resting/delete", { view: "parts/confirm" }],
  ],
  Plugins: [
    ["list", "/webmin/plugins", { view: "plugins/list" }],
    ["one with settings", "/webmin/plugin/mailgun", { view: "plugins/show" }],
    ["one without settings", "/webmin/plugin/password-reset", { view: "plugins/show" }],
    ["log", "/webmin/plugin/mailgun/log", { view: "plugins/log" }],
    ["switch off?", "/webmin/plugin/mailgun/disable", { view: "parts/confirm" }],
  ],
  "API tokens": [
    ["none", "/webmin/tokens", { world: "empty", view: "tokens/list" }],
    ["list", "/webmin/tokens", { view: "tokens/list" }],
    ["new", "/webmin/tokens/new", { view: "tokens/new" }],
    ["new, refused", "/webmin/tokens/new", { view: "tokens/new", make: refuse }],
    ["made", "/webmin/tokens/new", {
      view: "tokens/made", world: "scratch",
      async make(page) {
        await page.locator("#f-name").fill(`Fun Run ${Date.now()}`);
        await page.locator("#f-grants").fill("users.*");
        await page.locator("main [data-save]").click();
        await page.locator("#token").waitFor();
      },
    }],
    ["revoke?", ({ ids }) => `/webmin/token/${ids.token}/revoke`, { view: "parts/confirm" }],
  ],
  Functions: [
    ["list", "/webmin/functions", { view: "functions/list" }],
    ["none fits", "/webmin/functions?q=nothing-at-all", { view: "functions/list" }],
    ["OpenAPI", "/webmin/functions/openapi", { view: "functions/openapi" }],
    ["one that reads", "/webmin/function/users.getGroup", { view: "functions/show" }],
    ["one that changes things", "/webmin/function/users.register", { view: "functions/show" }],
    ["one that asks before it changes things", "/webmin/function/scopes.create", {
      view: "functions/show",
      async make(page) {
        await page.locator('[name="p.name"]').fill("Fun Walk");
        await page.locator("main [data-save]").first().click();
        await page.locator("main form pre.log").waitFor();
      },
    }],
    ["tried", "/webmin/function/scopes.list", {
      view: "functions/show",
      async make(page) {
        await page.locator("main [data-save]").first().click();
        await page.locator("main pre.log").first().waitFor();
      },
    }],
  ],
  Settings: [
    ["all", "/webmin/settings", { view: "settings/show" }],
    ...["server", "mail", "security", "requests", "sessions", "retention", "appearance", "backups"].map((group) => [group, `/webmin/settings/${group}`, { view: "settings/show" }]),
    ["as a viewer", "/webmin/settings/mail", { as: "viewer", view: "settings/show" }],
    ["searched", "/webmin/settings?q=mail", { view: "settings/found" }],
    ["none found", "/webmin/settings?q=nothing-at-all", { view: "settings/found" }],
    ["download a backup", ({ ids }) => `/webmin/backup/${ids.backup}/download`, { view: "settings/download" }],
    ["delete a backup?", ({ ids }) => `/webmin/backup/${ids.backup}/delete`, { view: "parts/confirm" }],
  ],
  "Audit log": [
    ["list", "/webmin/audit", { view: "audit/list" }],
    ["an entry", ({ ids }) => `/webmin/audit/${ids.entry}`, { view: "audit/entry" }],
    ["nothing fits", "/webmin/audit?function=nothing.at.all", { view: "audit/list" }],
    ["a change", ({ ids }) => `/webmin/audit/${ids.change}`, { view: "audit/entry" }],
    ["a change, changed since", ({ ids }) => `/webmin/audit/${ids.oldChange}`, { view: "audit/entry" }],
  ],
  "Export and import": [
    ["export and import", "/webmin/bundle", { view: "bundle/show" }],
    ["for a viewer", "/webmin/bundle", { as: "viewer", view: "bundle/show" }],
    ["refused", "/webmin/bundle", {
      view: "bundle/show",
      async make(page) {
        await upload(page, Buffer.from("no archive"));
        await page.getByRole("alert").waitFor();
      },
    }],
    ["review", "/webmin/bundle", {
      view: "bundle/review",
      async make(page) {
        await upload(page, bundle({ "scopes/New.toml": 'name = "New"\nsubject = "Hello"\n', "jobs/Wrong.toml": 'name = "Wrong"\n' }));
        await page.waitForURL(/bundle\/review/);
        await page.locator("main details").first().click();
      },
    }],
  ],
  Operators: [
    ["list", "/webmin/operators", { view: "operators/list" }],
    ["list, as a viewer", "/webmin/operators", { as: "viewer", view: "operators/list" }],
    ["add", "/webmin/operators/new", { view: "parts/form_page" }],
    ["add, refused", "/webmin/operators/new", { view: "parts/form_page", make: refuse }],
    ["one", ({ ids }) => `/webmin/operator/${ids.vera}`, { view: "operators/show" }],
    ["new password", ({ ids }) => `/webmin/operator/${ids.vera}/password`, { view: "parts/form_page" }],
    ["remove?", ({ ids }) => `/webmin/operator/${ids.vera}/remove`, { view: "parts/confirm" }],
    ["revoke an invitation?", ({ ids }) => `/webmin/operator/${ids.vera}/revoke`, { view: "parts/confirm" }],
    ["end a session?", ({ ids }) => `/webmin/session/${ids.session}/end`, { view: "parts/confirm" }],
  ],
  Profile: [
    ["profile", "/webmin/profile", { view: "profile/show" }],
  ],
  Help: [
    ["all guides", "/webmin/help", { view: "help/list" }],
    ["searched", "/webmin/help?q=reset", { view: "help/list" }],
    ["a guide", "/webmin/help/mail", { view: "help/show" }],
    ["a guide with code", "/webmin/help/plugins", { view: "help/show" }],
  ],
  "Getting about": [
    ["palette", "/webmin/", {
      view: "palette/options",
      async make(page) {
        await page.keyboard.press("Control+K");
        await page.locator("#palette [role=option]").first().waitFor();
      },
    }],
    ["shortcuts", "/webmin/", {
      view: "palette/part_dialog",
      async make(page) {
        await page.keyboard.press("?");
        await page.locator("#shortcuts[open]").waitFor();
      },
    }],
    ["menu", "/webmin/scopes", {
      view: "shell/page",
      async make(page) {
        const menu = page.locator("label.menu-toggle");
        if (await menu.isVisible()) await menu.click();
      },
    }],
    ["find, without the palette", "/webmin/find?q=reset", { view: "palette/page" }],
    ["nothing found", "/webmin/find?q=nothing-at-all", { view: "palette/page" }],
  ],
  Refusals: [
    ["not found", "/webmin/no/such/page", { view: "shell/refusal", status: 404 }],
    ["not found, by a stranger", "/webmin/no/such/page", { as: null, view: "shell/refusal", status: 404 }],
    ["not allowed", "/webmin/tokens/new", { as: "viewer", view: "shell/refusal", status: 403 }],
    ["enter your password", "/webmin/profile", {
      view: "shell/password",
      // Asked for some minutes after the sign-in; a wrong one is asked for again at once.
      async make(page) {
        await page.evaluate(() => {
          const form = Object.assign(document.createElement("form"), { method: "post", action: "/webmin/password?to=/" });
          document.body.append(form);
          form.submit();
        });
        await page.locator("[name=own_password]").waitFor();
      },
    }],
    ["an address that only takes a button", "/webmin/plugin/mailgun/enable", { view: "shell/refusal", status: 405 }],
    ["something went wrong", "/webmin/design/error", { view: "shell/refusal", status: 500 }],
  ],
  "Design language": [
    ["every part", "/webmin/design", { view: "design/show" }],
  ],
  "What users see": [
    ["choose a new password", ({ resetLink }) => resetLink, { as: null }],
    ["choose a new password, refused", ({ resetLink }) => resetLink, {
      as: null,
      async make(page) {
        await page.locator("#password").fill("short");
        await page.locator("#password_confirm").fill("different");
        await page.locator("button[type=submit]").click();
        await page.locator('[aria-invalid="true"]').first().waitFor();
      },
    }],
    ["a dead link", ({ deadLink }) => deadLink, { as: null, status: 404 }],
    ["ask for a link", ({ pages }) => `${pages}/_forgotpassword?scope=Fun%20Run`, { as: null }],
    ["asked for a link", ({ pages }) => `${pages}/_forgotpassword?scope=Fun%20Run`, {
      as: null, world: "scratch",
      async make(page) {
        await page.locator("input[type=email]").fill("carol@example.com");
        await page.locator("button[type=submit]").click();
        await page.locator("input[type=email]").waitFor({ state: "detached" });
      },
    }],
  ],
};

export const PAGES = Object.entries(SECTIONS).flatMap(([section, pages]) =>
  pages.map(([name, path, more]) => ({ section, name, path, world: "filled", as: "admin", status: 200, ...more })));

/** Addresses of the webmin that show no page of their own, with the reason. */
export const NO_PAGES = {
  ...Object.fromEntries(["users", "resets", "mail", "jobs", "runs", "audit"].flatMap((list) =>
    [[`/${list}/export.csv`, "a file to take along"], [`/${list}/export.json`, "a file to take along"],
      [`/${list}/bulk`, "leads to the list"]])),
  "/runs/day": "a part of the list, later", "/run/<id>/live": "parts that renew themselves",
  "/bundle/export": "a file to take along", "/bundle/review/<id>": "made by an upload: *review*",
  "/assets/<name>": "scripts, styles and fonts",
  "/help/images/<name>": "pictures",
  "/functions/words": "JSON for the editor",
  "/find/options": "the palette's list",
  "/mail/message/<id>/html": "the content of a frame",
  "/dashboard": "leads to /", "/design/slow": "the living page, later",
  "/logout": "says that there is a button",
  "/profile/password": "leads to the form", "/profile/theme": "leads to the form", "/profile/language": "leads to the form", "/profile/email": "leads to the form",
  "/profile/elsewhere": "leads to the form", "/settings/<group>/reset/<_>": "leads to the settings",
  "/backups/make": "leads to the backups", "/backups/state": "a part that renews itself",
  "/dashboard/live": "parts that renew themselves", "/templates/file": "JSON for the editor",
  "/functions/openapi.json": "JSON to take along", "/functions/core.d.luau": "types to take along", "/mail/message/<id>/source.eml": "a file to take along",
  "/first-steps/<_>": "leads to the steps", "/templates/revision": "leads to the comparison",
  "/plugin/<name>/settings": "leads to the form", "/plugin/<name>/log.txt": "a file to take along",
  "/job/<name>/activate": "leads to the job", "/alarm/mute": "leads to /", "/scopes/template": "a part of the form",
  "/jobs/preview": "a part of the form", "/jobs/recommended/<_>": "leads to the list", "/jobs/reload": "leads to the list",
  "/job/<name>/run": "leads to the job", "/run/<id>/cancel": "leads to the run",
  "/mail/message/<id>/retry": "leads to the mail", "/mail/message/<id>/cancel": "leads to the mail",
};

/** Views that are frames or parts of others, and the page of a link that only a mail has (stories/mailed-links.spec.js). */
export const NO_VIEWS = ["shell/choose", "shell/door", "shell/fragment", "shell/head", "shell/toast", "shell/toasts", "templates/conflict"];

export const addressOf = (entry, world) => typeof entry.path === "function" ? entry.path(world) : entry.path;

/** Opens a page in its state, at rest. */
export async function open(page, entry, world) {
  const answer = await page.goto(addressOf(entry, world));
  if (answer.status() !== entry.status) throw new Error(`${entry.name}: ${answer.status()}, and ${entry.status} was expected`);
  await page.evaluate(() => document.fonts.ready);
  await entry.make?.(page, world);
  await atRest(page);
}

/** Waits for motion to end: what fades, or changes its theme, has not yet the colours that it will have. */
export async function atRest(page) {
  await page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    await frame();
    const ends = document.getAnimations().filter((motion) => motion.effect?.getComputedTiming().iterations !== Infinity);
    await Promise.allSettled(ends.map((motion) => motion.finished));
  });
}
