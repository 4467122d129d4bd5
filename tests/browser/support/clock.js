// A wall clock below a server that a story can move; the same as in tests/src/clock.rs.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const source = fileURLToPath(new URL("../../src/clock/shift.c", import.meta.url));

export class Clock {
  static async build() {
    const folder = await mkdtemp(path.join(os.tmpdir(), "coronet-clock-"));
    const library = path.join(folder, "shift.so");
    await promisify(execFile)("cc", ["-std=gnu11", "-shared", "-fPIC", "-o", library, source]);
    const clock = new Clock(folder);
    await clock.set(0);
    return clock;
  }

  constructor(folder) {
    this.folder = folder;
  }

  /** What a server needs in its environment to live by this clock. */
  get environment() {
    return { LD_PRELOAD: path.join(this.folder, "shift.so"), SHIFT_FILE: path.join(this.folder, "shift") };
  }

  /** Sets it to so many seconds after the time of the machine. */
  async set(seconds) {
    const shift = Buffer.alloc(8);
    shift.writeBigInt64LE(BigInt(seconds));
    await writeFile(path.join(this.folder, "shift"), shift);
  }

  async remove() {
    await rm(this.folder, { recursive: true, force: true });
  }
}
