import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findPythons } from "../../src/runtime/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** A program that answers like a Python and counts how often it was asked. */
function fakePython(folder: string, version: string): string {
  const path = join(folder, "python3");
  const asked = join(folder, "asked");
  writeFileSync(path, `#!/bin/sh\necho x >> ${asked}\nprintf '${version}\\n${path}\\n/opt/py\\n/opt/py\\n'\n`);
  chmodSync(path, 0o755);
  writeFileSync(asked, "");
  return asked;
}

test("a Python is asked once and remembered, until another file takes its place", async (t) => {
  const folder = temporaryFolder(t);
  const memory = join(folder, "pythons.json");
  const asked = fakePython(folder, "3.11");
  const first = await findPythons(folder, memory);
  const again = await findPythons(folder, memory);
  assert.deepEqual(again, first);
  assert.equal(readFileSync(asked, "utf8"), "x\n");
  fakePython(folder, "3.12");
  assert.deepEqual(
    (await findPythons(folder, memory)).map(({ version }) => version),
    ["3.12"],
  );
});

test("a damaged memory is no memory: every Python is asked", async (t) => {
  const folder = temporaryFolder(t);
  const memory = join(folder, "pythons.json");
  fakePython(folder, "3.11");
  writeFileSync(memory, '{"half');
  assert.equal((await findPythons(folder, memory)).length, 1);
});
