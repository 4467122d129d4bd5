import { defineConfig } from "@playwright/test";

const asRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: "stories",
  outputDir: "../../target/browser-tests",
  // Every story has a server of its own, so they may run side by side.
  fullyParallel: true,
  workers: 2,
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    screenshot: "only-on-failure",
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    // Recording costs every story time: ask for it with `npm test -- --trace on`.
    trace: "off",
    launchOptions: {
      executablePath: process.env.CORONET_TEST_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        // Chromium refuses to run its sandbox as root; containers in CI often are.
        ...(asRoot ? ["--no-sandbox"] : []),
      ],
    },
  },
});
