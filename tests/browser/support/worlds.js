// Servers that many checks look at and none changes: before the first operator, freshly set up, and with a life behind them.
import { OPERATOR } from "./people.js";
import { Server } from "./server.js";

const CLEAN_UP = `local job = core.job()
function job.run()
  local count = core.users.flushExpiredPasswordResets()
  core.log("cleared " .. count)
  return job.OK
end
return job
`;
const BROKEN = `local job = core.job()
function job.run()
  core.log("looking for the list")
  local list = nil
  return #list
end
return job
`;
/** Long on purpose: what one word that does not break does to a page. */
const LONG = "a.very.long.address.that.nobody.would.choose.but.somebody.has@department-of-things.example.com";

export class World {
  /** `kind` is `new`, `empty`, `filled`, or `scratch` for pages that change something. */
  static async start(kind, browser) {
    const world = new World(await Server.start(), browser);
    if (kind === "new") {
      const link = new URL(await world.server.setUpLink());
      world.setUpPath = `${link.pathname}${link.search}`;
      return world;
    }
    await world.signUp();
    if (kind === "filled") await world.fill();
    if (kind === "scratch") await world.server.call("scopes.create", { name: "Fun Run", settings: { from_email: "app@example.com" } });
    return world;
  }

  constructor(server, browser) {
    Object.assign(this, { server, browser, ids: {}, sessions: {} });
  }

  /** Where the webmin is. */
  get url() {
    return this.server.webmin;
  }

  /** Where the pages are. */
  get pages() {
    return this.server.url;
  }

  /** Makes the first operator by clicking, and keeps the session. */
  async signUp() {
    const context = await this.browser.newContext({ baseURL: this.url });
    const page = await context.newPage();
    await page.goto(await this.server.setUpLink());
    await page.locator("#f-name").fill(OPERATOR.name);
    await page.locator("#f-password").fill(OPERATOR.password);
    await page.locator("#f-again").fill(OPERATOR.password);
    await page.locator("[data-save]").click();
    await page.waitForURL(/\/webmin\/?$/);
    this.sessions.admin = await context.storageState();
    await context.close();
  }

  async signIn(name, password) {
    const context = await this.browser.newContext({ baseURL: this.url });
    const page = await context.newPage();
    await page.goto("/webmin/login");
    await page.locator("#f-name").fill(name);
    await page.locator("#f-password").fill(password);
    await page.locator("[data-save]").click();
    await page.waitForURL(/\/webmin\/?$/);
    const session = await context.storageState();
    await context.close();
    return session;
  }

  async fill() {
    const { server, ids } = this;
    await this.people();
    await this.resets();
    await this.work();
    const tokens = { name: "Fun Run backend", grants: ["users.*", "mail.send"] };
    ids.token = (await server.call("tokens.create", tokens)).id;
    await server.call("backups.create", { wait: true });
    ids.backup = (await server.call("backups.list")).backups[0].name;
    ids.entry = (await server.call("audit.list")).entries[0].id;
    await this.mails();
  }

  async people() {
    const { server, ids } = this;
    const call = (name, parameters) => server.call(name, parameters);
    await call("scopes.create", { name: "Fun Run", settings: { display_name: "The Fun Run", from_email: "app@example.com" } });
    await call("scopes.create", { name: "Harbour", settings: {} });
    for (const [username, scope, meta] of [
      ["Carol", "Fun Run", { email: "carol@example.com", group: "runners" }],
      ["Dora", "Fun Run", { email: LONG }],
      ["O'Brien & Söhne", "Fun Run", {}],
      ["Ben", "Harbour", { email: "ben@example.com" }],
    ]) {
      ids[username] = await call("users.register", { username, password: "a long way home", scope, meta });
    }
    await call("users.update", { user_id: ids.Ben, update_params: { active: false } });
    await call("operators.add", { name: "vera", password: OPERATOR.password, role: "viewer" });
    const operators = await call("operators.list");
    ids.vera = operators.find(({ name }) => name === "vera").id;
    ids.session = (await call("operators.sessions"))[0].id;
    for (const [key, subject] of [["oldChange", "Set a new password"], ["change", "Your new password"]]) {
      await call("scopes.update", { name: "Harbour", settings: { subject } });
      ids[key] = (await call("audit.list", { function: "scopes.update" })).entries[0].id;
    }
    this.sessions.viewer = await this.signIn("vera", OPERATOR.password);
  }

  /** One reset that was used, one that was revoked, and one that waits. */
  async resets() {
    const { server, ids } = this;
    const send = async (to_email) => {
      await server.call("users.sendPasswordResetLink", {
        to_email, scope: "Fun Run", options: { from_email: "app@example.com", subject: "Password Reset Request" },
      });
      const { items } = await server.call("mail.list");
      const { text } = await server.call("mail.get", { id: items[0].id });
      return { mail: items[0].id, link: new URL(text.match(/https?:\S*_resetpassword\?code=\S+/)[0]) };
    };
    const used = await send("carol@example.com");
    await server.call("users.resetPassword", { code: used.link.searchParams.get("code"), password: "a longer way home" });
    this.deadLink = used.link.href;
    ids.usedMail = used.mail;
    await send(LONG);
    const pending = await server.call("codes.list");
    await server.call("codes.revoke", { id: pending.items[0].id });
    const waiting = await send("carol@example.com");
    this.resetLink = waiting.link.href;
    ids.mail = waiting.mail;
    ids.reset = (await server.call("codes.list")).items[0].id;
  }

  /** A job that went well, one that failed, one that is off; a template that was edited twice, and one that fails. */
  async work() {
    const { server, ids } = this;
    const text = (path, text, note) => server.call("resources.write", { path, text, note });
    await text("jobs/admin/clean_up.lua", CLEAN_UP, "first version");
    await text("jobs/broken.lua", BROKEN, "");
    for (const job of [
      { name: "CleanUp", path: "admin/clean_up.lua", interval: 3600 },
      { name: "Broken", path: "broken.lua", cron: "30 4 * * 1-5", timezone: "Europe/Berlin", retries: 0 },
      { name: "Resting", path: "admin/clean_up.lua", interval: 60, active: false },
    ]) await server.call("jobs.create", { job });
    for (const [name, key] of [["CleanUp", "run"], ["Broken", "failedRun"]]) {
      await server.call("jobs.run", { name });
      ids[key] = await this.ended(name);
    }
    await text("templates/password/email.tpl", "Dear friend,\n\nhere it is:\n{* reset_link *}\n", "shorter");
    await text("templates/password/email.tpl", "Dear friend,\n\nhere is your new link:\n{* reset_link *}\n\nBye\n", "");
    await text("pages/welcome.tpl", "<h1>Welcome</h1>\n<p>Good to see you, {{ name }}.</p>\n", "a page");
  }

  /** Waits for a job's latest run to end; returns its id. */
  async ended(name) {
    for (;;) {
      const { runs } = await this.server.call("jobs.runs", { name });
      if (runs[0]?.ended_at) return runs[0].id;
    }
  }

  /** Mail in every state that needs no provider's answer. */
  async mails() {
    const { server, ids } = this;
    await server.call("mail.send", { message: {
      from: "app@example.com", to: "carol@example.com", subject: "Where the run begins",
      text: "At the harbour, at nine.\n\nhttps://example.com/map\n",
      html: "<h1>Where the run begins</h1><p>At the harbour, at nine. <a href='https://example.com/map'>The map</a></p>",
    } });
    await server.call("mail.send", { message: { from: "app@example.com", to: LONG, subject: "A subject that goes on and on, as subjects of newsletters do, until somebody counts", text: "Hello" } });
    const { items } = await server.call("mail.list");
    ids.htmlMail = items[1].id;
  }

  /** A tab whose visitor is signed in as `who` (`admin`, `viewer`, or nobody). */
  async tab(who, options = {}) {
    const context = await this.browser.newContext({ baseURL: this.url, storageState: this.sessions[who], ...options });
    return context.newPage();
  }

  async stop() {
    await this.server.stop();
  }
}

/** Starts each world when it is first asked for. */
export class Worlds {
  constructor(browser) {
    this.browser = browser;
    this.started = new Map();
  }

  get(kind) {
    if (!this.started.has(kind)) this.started.set(kind, World.start(kind, this.browser));
    return this.started.get(kind);
  }

  async stop() {
    for (const world of this.started.values()) await (await world.catch(() => null))?.stop();
  }
}
