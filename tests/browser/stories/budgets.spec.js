// What a page may weigh. Sizes, not times: they are the same on every machine.
import { gzipSync } from "node:zlib";
import { test, expect } from "../support/fixtures.js";
import { PAGES, open } from "../support/pages.js";

const KILOBYTE = 1000;
/** Compressed script: of an ordinary page, and of one with an editor. */
const SCRIPT = 100 * KILOBYTE;
const EDITOR = 250 * KILOBYTE;
const STYLE = 40 * KILOBYTE;
/** One page's own HTML, compressed. */
const HTML = 60 * KILOBYTE;

test("no page loads more script, style or HTML than it may", async ({ worlds }) => {
  test.setTimeout(240_000);
  const over = [];
  const views = new Map(PAGES.filter(({ as, world }) => as === "admin" && world === "filled").map((entry) => [entry.view, entry]));
  for (const entry of views.values()) {
    const world = await worlds.get(entry.world);
    const page = await world.tab(entry.as);
    const loaded = [];
    // Read at once: a redirect has no body, and what was navigated away from has none later.
    page.on("response", (answer) => loaded.push({ answer, body: answer.body().catch(() => "") }));
    await open(page, entry, world);
    const weights = { script: 0, stylesheet: 0, document: 0 };
    const counted = new Set();
    for (const { answer, body } of loaded) {
      // A way of several pages brings its script and style along once; the last page's own HTML is what counts.
      if (counted.has(answer.url())) continue;
      counted.add(answer.url());
      const kind = answer.request().resourceType();
      if (kind in weights && answer.request().frame() === page.mainFrame()) weights[kind] += gzipSync(await body, { level: 9 }).length;
    }
    const editor = await page.locator("code-editor").count() > 0;
    const bounds = { script: editor ? EDITOR : SCRIPT, stylesheet: STYLE, document: HTML };
    for (const [kind, bound] of Object.entries(bounds)) {
      if (weights[kind] > bound) over.push(`${entry.section}, ${entry.name}: ${weights[kind]} bytes of ${kind}, and ${bound} are allowed`);
    }
    await page.context().close();
  }
  expect(over).toEqual([]);
});
