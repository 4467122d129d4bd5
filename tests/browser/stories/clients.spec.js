// The OpenAPI document in the hands of code generators.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import os from "node:os";
import path from "node:path";
import { test, expect } from "../support/fixtures.js";

const run = promisify(execFile);
const at = (relative) => fileURLToPath(new URL(relative, import.meta.url));
/** Installed by `cargo xtask test`. */
const GENERATOR = process.env.CORONET_TEST_PYTHON_CLIENT ?? at("../../../target/openapi-python-client/bin/openapi-python-client");

const described = async (server) => {
  const { token } = await server.call("tokens.create", { name: "client", grants: ["*"] });
  const answer = await fetch(`${server.url}/api/v1/openapi.json`, { headers: { authorization: `bearer ${token}` } });
  return answer.json();
};
const inFolder = async (work) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "coronet-client-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

test("ux20 the document has named types, tags and an example of every call", async ({ server }) => {
  const document = await described(server);
  const { schemas } = document.components;
  expect(Object.keys(schemas)).toEqual(expect.arrayContaining(["Error", "User", "UsersRegisterParameters"]));
  expect(schemas.User.properties).toHaveProperty("username");
  const tags = document.tags.map((tag) => tag.name);
  for (const { post } of Object.values(document.paths)) {
    expect(tags).toContain(post.tags[0]);
    const { schema, examples } = post.requestBody.content["application/json"];
    expect(schema.$ref).toMatch(/^#\/components\/schemas\//);
    expect(examples.call.value).toEqual(expect.any(Object));
  }
  // Every reference leads somewhere.
  for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    expect(schemas).toHaveProperty(name);
  }
  // Nothing is there that nothing refers to.
  const text = JSON.stringify(document);
  for (const name of Object.keys(schemas)) expect(text).toContain(`"#/components/schemas/${name}"`);
});

test("ux20 openapi-typescript makes types that one can read and compile", async ({ server }) => {
  const document = await described(server);
  const { default: generate, astToString } = await import("openapi-typescript");
  const types = astToString(await generate(document));
  expect(types).toMatch(/\bUser: \{/);
  expect(types).toContain('components["schemas"]["UsersRegisterParameters"]');
  await inFolder(async (folder) => {
    await writeFile(path.join(folder, "coronet.ts"), types);
    await writeFile(path.join(folder, "app.ts"), `
      import type { components, operations } from "./coronet";
      type User = components["schemas"]["User"];
      type Register = operations["users.register"]["requestBody"]["content"]["application/json"];
      export const register: Register = { username: "Carol", password: "a horse in the stable", scope: "Fun Run" };
      export const name = (user: User): string => user.username;
      // @ts-expect-error A name is missing.
      export const wrong: Register = { password: "x", scope: "Fun Run" };
    `);
    const compiler = at("../node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler", "app.ts"];
    await run(process.execPath, [compiler, ...options], { cwd: folder }).catch(({ stdout }) => expect(stdout).toBe(""));
  });
});

test("ux20 openapi-python-client makes types that one can read and import", async ({ server }) => {
  test.setTimeout(120_000);
  const document = await described(server);
  await inFolder(async (folder) => {
    const file = path.join(folder, "coronet.json");
    const client = path.join(folder, "coronet_client");
    await writeFile(file, JSON.stringify(document));
    // The generator formats what it wrote with the `ruff` beside it.
    const env = { ...process.env, PATH: `${path.dirname(GENERATOR)}:${process.env.PATH}` };
    const { stdout, stderr } = await run(GENERATOR, ["generate", "--path", file, "--output-path", client, "--meta", "none"], { env });
    expect(`${stdout}${stderr}`).not.toMatch(/warning|unable|error/i);
    expect(await readFile(path.join(client, "models/user.py"), "utf8")).toMatch(/class User:[\s\S]*username: str/);
    const python = path.join(path.dirname(GENERATOR), "python");
    const use = `
from coronet_client.models import User, UsersRegisterParameters
from coronet_client.api.users import users_register
register = UsersRegisterParameters(username="Carol", password="a horse in the stable", scope="Fun Run")
assert register.to_dict()["username"] == "Carol", register
assert callable(users_register.sync)
`;
    await run(python, ["-c", use], { cwd: folder });
  });
});
