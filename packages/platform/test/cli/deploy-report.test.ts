import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { DeployAppResponse, GetStatusResponse } from "../../src/api/index.ts";
import { type LambentProcess, startLambent } from "../support/lambent-process.ts";

const folder = mkdtempSync(join(tmpdir(), "lambent-report-"));
let lambent: LambentProcess;
let runtimes: GetStatusResponse["Runtimes"];
before(async () => {
  lambent = await startLambent();
  writeFileSync(join(folder, "app.py"), "def handler(event, context):\n    return 1\n");
  writeFileSync(join(folder, "hello.mjs"), "export const handler = async () => 1;\n");
  ({ Runtimes: runtimes } = JSON.parse((await lambent.run("status", "--json")).out) as GetStatusResponse);
});
after(async () => {
  await lambent.stop();
  rmSync(folder, { recursive: true });
});

/** What is printed beneath the function's first line. */
async function beneath(file: string, ...options: readonly string[]): Promise<string[]> {
  const { exit, out, err } = await lambent.run("deploy", join(folder, file), "--no-url", ...options);
  assert.equal(exit, 0, err);
  return out.trimEnd().split("\n").slice(1);
}

test("a Python that this machine runs as another one is said in one line of the report, an exact one is not", async () => {
  const pythons = runtimes.filter(({ Runtime }) => Runtime.startsWith("python"));
  const other = pythons.find(({ Note }) => Note !== undefined);
  const exact = pythons.find(({ Note }) => Note === undefined);
  assert.ok(other && exact, "a machine has one Python of the six at least, and hardly all of them");
  assert.match(other.Note ?? "", /^runs on Python 3\.\d+$/u);
  assert.deepEqual(await beneath("app.py", "--name", "other", "--runtime", other.Runtime), [
    `          note: ${other.Runtime} ${other.Note}`,
  ]);
  assert.deepEqual(await beneath("app.py", "--name", "exact", "--runtime", exact.Runtime), []);
  const json = await lambent.run("deploy", join(folder, "app.py"), "--no-url", "--json", "--name", "other", "--runtime", other.Runtime);
  assert.equal((JSON.parse(json.out) as DeployAppResponse).Functions[0]?.RuntimeNote, other.Note);
});

test("a Node runtime behaves as its id says, whatever Node runs it: nothing is said", async () => {
  assert.deepEqual(await beneath("hello.mjs"), []);
});

test("a runtime this machine cannot run is said when a function is deployed to it", async () => {
  const without = await startLambent("--network", "none");
  try {
    writeFileSync(join(folder, "bootstrap"), "#!/bin/sh\n", { mode: 0o755 });
    const { out } = await without.run("deploy", join(folder, "bootstrap"), "--no-url", "--runtime", "provided.al2023");
    assert.match(out, /\n +note: provided\.al2023 cannot run on this machine\n$/u);
  } finally {
    await without.stop();
  }
});
