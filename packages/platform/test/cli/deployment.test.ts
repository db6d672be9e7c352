/** What `deploy` makes of a folder and its options before anything is sent. */
import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { prepareDeployment, type DeployOptions } from "../../src/cli/deployment.ts";
import { CommandFailure } from "../../src/cli/errors.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const prepare = async (path: string, options: DeployOptions = {}) =>
  (await prepareDeployment(path, options, { environment: {}, note: () => undefined })).request;
const usage = (pattern: RegExp) => (error: unknown) =>
  error instanceof CommandFailure && error.exit === "usage" && pattern.test(error.message);

function project(folder: string, document: string): string {
  mkdirSync(folder);
  writeFileSync(join(folder, "index.mjs"), "export const handler = async () => 1;\n");
  writeFileSync(join(folder, "lambent.yaml"), document);
  return folder;
}

void test("a document without a name of its own has its folder's, and says where that lies", async (t) => {
  const folder = temporaryFolder(t);
  const api = project(join(folder, "api"), "functions:\n  orders: { code: index.mjs }\n");
  const { App, Origin } = await prepare(api);
  assert.deepEqual([App, Origin], ["api", realpathSync(api)]);
  mkdirSync(join(folder, "elsewhere"));
  symlinkSync(api, join(folder, "elsewhere", "api"));
  assert.equal((await prepare(join(folder, "elsewhere", "api"))).Origin, realpathSync(api), "a link is the same place");
  const named = await prepare(project(join(folder, "other"), "app: api\nfunctions:\n  users: { code: index.mjs }\n"));
  assert.deepEqual([named.App, named.Origin], ["api", undefined]);
});

void test("options that a document has for each function are refused beside one, and --adopt beside none", async (t) => {
  const folder = project(join(temporaryFolder(t), "api"), "functions:\n  orders: { code: index.mjs }\n");
  await assert.rejects(prepare(folder, { memory: "256", env: ["LEVEL=3"] }), usage(/--memory, --env are for single functions\.$/u));
  assert.equal((await prepare(folder, { adopt: true })).Adopt, true);
  await assert.rejects(prepare(join(folder, "index.mjs"), { adopt: true }), usage(/--adopt is for applications/u));
});

void test("an environment that is said is the whole of it, also an empty one; what is not said is not sent", async (t) => {
  const folder = temporaryFolder(t);
  const document = (environment: string): string => `functions:\n  orders:\n    code: index.mjs\n${environment}`;
  const sent = async (name: string, environment: string) =>
    (await prepare(project(join(folder, name), document(environment)))).Functions[0]?.Environment;
  assert.deepEqual(await sent("some", "    environment: { LEVEL: 3 }\n"), { LEVEL: "3" });
  assert.deepEqual(await sent("empty", "    environment: {}\n"), {});
  assert.equal(await sent("none", ""), undefined);
});
