// Asks Lighthouse about the pages people see first, on a release build with a life behind it. Prints a table, writes the
// reports to target/lighthouse, and ends with 1 when a score is under the bound. `node lighthouse.mjs jobs` asks about one.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { launch } from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";
import { OPERATOR } from "../browser/support/people.js";
import { Server } from "../browser/support/server.js";

const LEAST = 95;
const CATEGORIES = ["performance", "accessibility", "best-practices"];
const PAGES = {
  login: "/webmin/login",
  dashboard: "/webmin/",
  jobs: "/webmin/jobs",
  editor: "/webmin/templates/edit?path=templates%2Fpassword%2Femail.tpl",
};
const PRESETS = { desktop: desktopConfig, mobile: undefined };

const folder = fileURLToPath(new URL("../../target/lighthouse", import.meta.url));
mkdirSync(folder, { recursive: true });
const wanted = process.argv.slice(2);
const server = await Server.start();
const chrome = await launch({
  chromePath: process.env.CORONET_TEST_CHROMIUM ?? "/usr/bin/chromium",
  chromeFlags: ["--headless=new", "--disable-gpu", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
});
let low = 0;
try {
  const cookie = await signUp(server);
  await work(server);
  console.log(`| page | preset | ${CATEGORIES.join(" | ")} | what costs |\n|---|---|---|---|---|---|`);
  for (const [name, address] of Object.entries(PAGES)) {
    if (wanted.length && !wanted.includes(name)) continue;
    for (const [preset, config] of Object.entries(PRESETS)) {
      const scores = await ask(name, preset, config, server.webmin + address, name === "login" ? "" : cookie);
      low += scores.filter((score) => score < LEAST).length;
    }
  }
} finally {
  chrome.kill();
  await server.stop();
}
process.exitCode = low > 0 ? 1 : 0;

async function ask(name, preset, config, url, cookie) {
  const flags = { port: chrome.port, output: "html", onlyCategories: CATEGORIES, extraHeaders: { Cookie: cookie }, disableStorageReset: true };
  const { lhr, report } = await lighthouse(url, flags, config);
  if (lhr.runtimeError) throw new Error(`${name}: ${lhr.runtimeError.message}`);
  writeFileSync(path.join(folder, `${name}-${preset}.html`), report);
  const scores = CATEGORIES.map((category) => Math.round(lhr.categories[category].score * 100));
  const costs = Object.values(lhr.audits)
    .filter((audit) => audit.score !== null && audit.score < 0.9 && audit.scoreDisplayMode !== "informative")
    .map((audit) => audit.id + (audit.displayValue ? ` (${audit.displayValue})` : ""));
  console.log(`| ${name} | ${preset} | ${scores.join(" | ")} | ${costs.join(", ")} |`);
  return scores;
}

/** Makes the first operator as its form does; returns the cookie of the session. */
async function signUp(server) {
  const link = new URL(await server.setUpLink());
  const form = new URLSearchParams({
    token: link.searchParams.get("token"), name: OPERATOR.name, password: OPERATOR.password, again: OPERATOR.password,
  });
  const answer = await fetch(link, { method: "POST", body: form, redirect: "manual", headers: { "Sec-Fetch-Site": "same-origin" } });
  return answer.headers.getSetCookie().map((set) => set.split(";")[0]).filter((set) => !set.startsWith("coronet_toast")).join("; ");
}

async function work(server) {
  await server.call("scopes.create", { name: "Fun Run", settings: { from_email: "app@example.com" } });
  for (let job = 0; job < 30; job += 1) {
    await server.call("jobs.create", { job: { name: `Job ${job}`, path: "admin/pw_reset_cleanup.lua", interval: 3600 + job } });
  }
  for (let mail = 0; mail < 10; mail += 1) {
    const message = { from: "app@example.com", to: "carol@example.com", subject: `Mail ${mail}`, text: "Hello" };
    await server.call("mail.send", { message });
  }
}
