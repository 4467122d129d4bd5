// `cargo xtask screenshots`: the pictures of the README, taken from the server as it is.
import config from "./playwright.config.js";

export default {
  ...config,
  testDir: "pictures",
  workers: 1,
  use: { ...config.use, viewport: { width: 1200, height: 760 }, colorScheme: "light", reducedMotion: "reduce" },
};
