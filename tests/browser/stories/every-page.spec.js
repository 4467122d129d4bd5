// What must hold on every page, in both themes, on a wide screen and on a phone, and in German.
import { test, expect, REFUSED } from "../support/fixtures.js";
import { cutBySpacing, tooWide, violations } from "../support/checks.js";
import { PAGES, atRest, open } from "../support/pages.js";

const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
/** WCAG 1.4.10: 320 px are 1280 px at 400 %; nothing is lost there, and nothing scrolls sideways. */
const ZOOMED = { width: 320, height: 640 };

for (const section of new Set(PAGES.map((page) => page.section))) {
  test(`every page: ${section}`, async ({ worlds }) => {
    test.setTimeout(300_000);
    const problems = [];
    for (const entry of PAGES.filter((page) => page.section === section)) {
      const say = (problem) => problems.push(`${section}, ${entry.name}: ${problem}`);
      const world = await worlds.get(entry.world);
      await visit(world, entry, "en-GB", say, async (page) => {
        say.all(await look(page));
      });
      await visit(world, entry, "de-DE", say, async (page) => {
        for (const size of [WIDE, PHONE]) say.all(await wideAt(page, size), "German: ");
      });
    }
    expect(problems).toEqual([]);
  });
}

/** Opens the page as an operator of that language has it, and looks at it. */
async function visit(world, entry, locale, say, looking) {
  say.all = (found, before = "") => found.forEach((problem) => say(before + problem));
  const page = await world.tab(entry.as, { viewport: WIDE, reducedMotion: "reduce", colorScheme: "light", locale });
  page.on("pageerror", (error) => say(`script error: ${error}`));
  page.on("console", (message) => {
    const meant = entry.status >= 500 && /status of 5\d\d/.test(message.text());
    if (message.type() === "error" && !REFUSED.test(message.text()) && !meant) say(message.text());
  });
  try {
    await open(page, entry, world);
    await looking(page);
  } catch (error) {
    say(`${locale}: ${error.message}`);
  }
  await page.context().close();
}

async function look(page) {
  const found = [];
  const note = (where, problems) => found.push(...problems.map((problem) => `${where}: ${problem}`));
  note("wide, light", await violations(page));
  note("wide", await tooWide(page));
  await page.emulateMedia({ colorScheme: "dark" });
  await atRest(page);
  // The page is the same but for its colours.
  note("wide, dark", await violations(page, ["color-contrast"]));
  note("phone", await wideAt(page, PHONE));
  note("phone, dark", await violations(page));
  await page.emulateMedia({ colorScheme: "light" });
  await atRest(page);
  note("phone, light", await violations(page, ["color-contrast"]));
  note("phone", await cutBySpacing(page));
  note("at 400 %", await wideAt(page, ZOOMED));
  return found;
}

async function wideAt(page, size) {
  await page.setViewportSize(size);
  await atRest(page);
  return tooWide(page);
}
