// What must hold on every page, in both themes, on a phone and on a wide screen.
import { test, expect, REFUSED } from "../support/fixtures.js";
import { cutBySpacing, tooWide, violations } from "../support/checks.js";
import { PAGES, atRest, open } from "../support/pages.js";

const SECTIONS = [...new Set(PAGES.map(({ section }) => section))];

for (const section of SECTIONS) {
  for (const width of [1440, 390]) {
    test(`every page: ${section}, ${width} px`, async ({ worlds }) => {
      test.setTimeout(240_000);
      const problems = [];
      for (const entry of PAGES.filter((page) => page.section === section)) {
        const world = await worlds.get(entry.world);
        const page = await world.tab(entry.as, { viewport: { width, height: 900 }, reducedMotion: "reduce", colorScheme: "light" });
        const say = (problem) => problems.push(`${section}, ${entry.name}, ${width} px: ${problem}`);
        page.on("pageerror", (error) => say(`script error: ${error}`));
        page.on("console", (message) => {
          const meant = entry.status >= 500 && /status of 5\d\d/.test(message.text());
          if (message.type() === "error" && !REFUSED.test(message.text()) && !meant) say(message.text());
        });
        try {
          await open(page, entry, world);
          for (const problem of await look(page, width)) say(problem);
        } catch (error) {
          say(error.message);
        }
        await page.context().close();
      }
      expect(problems).toEqual([]);
    });
  }
}

for (const section of SECTIONS) {
  test(`every page fits in German too: ${section}`, async ({ worlds }) => {
    test.setTimeout(240_000);
    const problems = [];
    for (const entry of PAGES.filter((page) => page.section === section)) {
      const world = await worlds.get(entry.world);
      const page = await world.tab(entry.as, { viewport: { width: 390, height: 900 }, reducedMotion: "reduce", locale: "de-DE" });
      try {
        await open(page, entry, world);
        for (const width of [390, 1440]) {
          await page.setViewportSize({ width, height: 900 });
          problems.push(...(await tooWide(page)).map((problem) => `${section}, ${entry.name}: ${problem}`));
        }
      } catch (error) {
        problems.push(`${section}, ${entry.name}: ${error.message}`);
      }
      await page.context().close();
    }
    expect(problems).toEqual([]);
  });
}

async function look(page, width) {
  const found = (await violations(page)).map((problem) => `light: ${problem}`);
  found.push(...await tooWide(page));
  await page.emulateMedia({ colorScheme: "dark" });
  await atRest(page);
  // The page is the same but for its colours.
  found.push(...(await violations(page, ["color-contrast"])).map((problem) => `dark: ${problem}`));
  if (width > 400) return found;
  found.push(...await cutBySpacing(page));
  // WCAG 1.4.10: at 320 px, which is 1280 px at 400 %, nothing is lost and nothing scrolls sideways.
  await page.setViewportSize({ width: 320, height: 640 });
  found.push(...await tooWide(page));
  return found;
}
