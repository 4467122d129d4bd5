// Firefox as it is installed, driven over WebDriver BiDi: Playwright's own build of it is not to be had everywhere.
import puppeteer from "puppeteer-core";

export const FIREFOX = process.env.CORONET_TEST_FIREFOX ?? "/usr/bin/firefox-esr";

/**
 * Starts Firefox. `complaints` fills with what its console says of our pages; `until`, `click` and `fill` wait for what
 * they are about.
 */
export async function startFirefox() {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: FIREFOX,
    headless: true,
    // The window has the size, not the page: a page's size is set with commands that older releases do not know.
    defaultViewport: null,
    env: { ...process.env, MOZ_HEADLESS_WIDTH: "1280", MOZ_HEADLESS_HEIGHT: "1000" },
    extraPrefsFirefox: { "datareporting.policy.dataSubmissionEnabled": false, "app.update.enabled": false },
  });
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${page.url()}: ${message.text()}`);
  });
  const ready = (selector) => page.waitForSelector(selector, { visible: true });
  const click = async (selector) => (await ready(selector)).click();
  const fill = async (selector, text) => (await ready(selector)).type(text);
  return { browser, page, complaints, until: (look, ...args) => until(page, look, args), click, fill };
}

/**
 * Waits until `look` gives true in the page. (The driver's own waiting makes functions of texts, which our content policy
 * forbids the page, and some releases of Firefox the driver with it.)
 */
async function until(page, look, args) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    // A page that is just being left has no answer.
    const found = await page.evaluate(look, ...args).catch(() => false);
    if (found) return;
    if (Date.now() > deadline) throw new Error(`not in sight at ${page.url()}: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
