// Programs of the workspace as child processes that end with the test.
import { spawn, execFile } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import path from "node:path";

const workspace = fileURLToPath(new URL("../../..", import.meta.url));
export const binaries = process.env.CORONET_TEST_BINARIES ?? path.join(workspace, "target/debug");

// The server takes every CORONET_… variable as a setting: none of ours may reach it.
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("CORONET_")),
);

/** Starts a program; `line(text)` resolves with the first printed line that contains the text. */
export function start(program, args = [], settings = {}) {
  const child = spawn(path.join(binaries, program), args, {
    env: { ...inherited, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = [];
  const waiting = new Set();
  const take = (line) => {
    printed.push(line);
    for (const look of waiting) look(line);
  };
  createInterface({ input: child.stdout }).on("line", take);
  createInterface({ input: child.stderr }).on("line", take);
  const ended = new Promise((resolve) => child.once("close", resolve));

  async function line(text) {
    const found = new Promise((resolve) => {
      const look = (candidate) => candidate.includes(text) && resolve(candidate);
      printed.forEach(look);
      waiting.add(look);
    });
    const died = ended.then((status) => {
      throw new Error(`${program} ended with ${status} before it printed "${text}":\n${printed.join("\n")}`);
    });
    return Promise.race([found, died]);
  }

  async function stop(signal = "SIGTERM") {
    child.kill(signal);
    return ended;
  }

  return { line, stop, printed, pid: child.pid };
}

/** Runs a program to its end and returns what it printed on standard output. */
export async function run(program, args, settings = {}) {
  const options = { env: { ...inherited, ...settings } };
  const { stdout } = await promisify(execFile)(path.join(binaries, program), args, options);
  return stdout;
}
