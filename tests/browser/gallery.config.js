// `cargo xtask gallery`: every page, on a phone and on a wide screen, in both themes, in target/gallery/index.html.
import config from "./playwright.config.js";

export default {
  ...config,
  testDir: "gallery",
  timeout: 600_000,
  globalTeardown: "./gallery/publish.js",
  use: { ...config.use, screenshot: "off" },
};
