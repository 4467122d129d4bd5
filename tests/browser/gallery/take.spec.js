import path from "node:path";
import { test } from "../support/fixtures.js";
import { PAGES, atRest, open } from "../support/pages.js";
import { FOLDER, SIZES, THEMES, picture } from "./folder.js";

/** A list of a hundred functions is no better to look at than one of thirty. */
const TALLEST = 3200;
const language = process.env.CORONET_GALLERY_LANGUAGE ?? "en";

for (const section of new Set(PAGES.map((page) => page.section))) {
  test(section, async ({ worlds }) => {
    for (const entry of PAGES.filter((page) => page.section === section)) {
      for (const [size, viewport] of Object.entries(SIZES)) await take(await worlds.get(entry.world), entry, size, viewport);
    }
  });
}

async function take(world, entry, size, viewport) {
  const page = await world.tab(entry.as, { viewport, reducedMotion: "reduce", colorScheme: "light", locale: language });
  await open(page, entry, world);
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme });
    await atRest(page);
    const height = await page.evaluate(() => document.querySelector("dialog[open]") ? innerHeight : document.documentElement.scrollHeight);
    await page.screenshot({
      path: path.join(FOLDER, picture(entry, size, theme)),
      fullPage: true,
      clip: { x: 0, y: 0, width: viewport.width, height: Math.max(viewport.height, Math.min(height, TALLEST)) },
    });
  }
  await page.context().close();
}
