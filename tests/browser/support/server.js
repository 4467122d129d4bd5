// The real server with a home of its own.
import { link, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { binaries, run, start } from "./process.js";

const PLUGINS = ["libcoronet_password_reset.so", "libcoronet_mailgun.so"];

export class Server {
  /** `more` are keys of `coronet.toml`, as `CORONET_…`. */
  static async start(more = {}) {
    const folder = await mkdtemp(path.join(os.tmpdir(), "coronet-story-"));
    const home = path.join(folder, "home");
    const plugins = path.join(folder, "plugins");
    await mkdir(home);
    await mkdir(plugins);
    for (const name of PLUGINS) {
      const library = path.join(binaries, name);
      // A link spares copying many megabytes; it needs the same file system.
      await link(library, path.join(plugins, name)).catch(() => copyFile(library, path.join(plugins, name)));
    }
    const settings = {
      CORONET_HOME: home,
      CORONET_PORT: "0",
      CORONET_PLUGIN_DIRS: JSON.stringify([plugins]),
      ...more,
    };
    const child = start("coronet", ["serve"], settings);
    const ready = await child.line("is ready at");
    // It has an origin of its own; the line says where it listens when a proxy's URL stands before that.
    const webmin = (await child.line("Webmin: ")).match(/http:\/\/[0-9.]+:[0-9]+/g).at(-1);
    return new Server({ folder, home, settings, child, url: ready.match(/http:\/\/[0-9.:]+/)[0], webmin });
  }

  constructor(parts) {
    Object.assign(this, parts);
  }

  /** The link for the first operator, as printed at the first start. */
  async setUpLink() {
    const line = await this.child.line("/webmin/setup?");
    return line.match(/http:\S+/)[0];
  }

  /** A function called on the command line, as an operator would. */
  async call(name, parameters = {}) {
    return JSON.parse(await this.cli("call", name, JSON.stringify(parameters)));
  }

  cli(...args) {
    return run("coronet", args, this.settings);
  }

  /** Drops a file into the home. */
  async drop(file, text) {
    const target = path.join(this.home, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }

  async stop() {
    await this.child.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
