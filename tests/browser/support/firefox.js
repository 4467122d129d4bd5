// Firefox as it is installed, driven over WebDriver BiDi: Playwright's own build of it is not to be had everywhere.
import puppeteer from "puppeteer-core";

export const FIREFOX = process.env.CORONET_TEST_FIREFOX ?? "/usr/bin/firefox-esr";

/** Starts Firefox; `complaints` fills with what its console says of our pages. */
export async function startFirefox() {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: FIREFOX,
    headless: true,
    extraPrefsFirefox: { "datareporting.policy.dataSubmissionEnabled": false, "app.update.enabled": false },
  });
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${page.url()}: ${message.text()}`);
  });
  return { browser, page, complaints };
}
