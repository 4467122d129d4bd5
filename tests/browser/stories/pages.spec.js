// The list of all pages (support/pages.js) is complete.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { test, expect } from "../support/fixtures.js";
import { NO_PAGES, NO_VIEWS, PAGES, addressOf } from "../support/pages.js";

const webmin = fileURLToPath(new URL("../../../webmin-ui", import.meta.url));
const files = async (folder, ending) =>
  (await readdir(path.join(webmin, folder), { recursive: true })).filter((name) => name.endsWith(ending));

test("no address of the webmin is missing from the list of pages", async () => {
  const routes = [];
  for (const name of await files("src", ".rs")) {
    const source = await readFile(path.join(webmin, "src", name), "utf8");
    for (const [, route] of source.matchAll(/#\[get\(\s*"([^"]+)"/g)) routes.push(route.replace(/\?.*/, ""));
  }
  expect(routes.length).toBeGreaterThan(60);
  // Ids are made when a world is, so any will do.
  const world = { ids: new Proxy({}, { get: () => "id" }), setUpPath: "/webmin/setup?token=x", resetLink: "/", deadLink: "/", pages: "" };
  const listed = PAGES.map((entry) => addressOf(entry, world).replace(/\?.*/, ""));
  const meets = (route) => new RegExp(`^/webmin${route.replace(/<[^>]+\.\.>/g, ".+").replace(/<[^>]+>/g, "[^/]+")}$`);
  const missing = routes.filter((route) => !NO_PAGES[route] && !listed.some((address) => meets(route).test(address)));
  expect(missing).toEqual([]);
});

test("no view of the webmin is missing from the list of pages", async () => {
  const views = (await files("views", ".hbs")).map((name) => name.replace(/\.hbs$/, ""));
  const shown = new Set(PAGES.map(({ view }) => view));
  const missing = views.filter((name) => !shown.has(name) && !NO_VIEWS.includes(name) && !/^parts\/|\/part_/.test(name));
  expect(missing).toEqual([]);
  for (const view of shown) if (view) expect(views).toContain(view);
});

test("every page of the navigation is in the list of pages", async ({ worlds }) => {
  const page = await (await worlds.get("empty")).tab("admin");
  await page.goto("/webmin/");
  const links = await page.getByRole("navigation", { name: "Webmin" }).getByRole("link").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  expect(links.filter((link) => !PAGES.some(({ path }) => path === link))).toEqual([]);
  await page.context().close();
});
