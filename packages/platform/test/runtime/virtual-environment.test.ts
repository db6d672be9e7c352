import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { isLambentError } from "../../src/base/index.ts";
import { findPythons } from "../../src/runtime/index.ts";
import { RuntimeWorld, valueOf } from "../support/runtime-world.ts";

/**
 * A Python whose packages lie below a folder that each instance has an own one of: a checkout in /tmp, with the
 * environment that set-up makes in it. Every Python function ended with `FileExistsError` there.
 */
const HANDLER = `import os, fruit
def handler(event, context):
    open("/tmp/own", "w").close()
    return {"kind": fruit.KIND, "own": os.path.exists("/tmp/own"), "writable": os.access(os.path.dirname(fruit.__file__), os.W_OK)}
`;

async function virtualEnvironment(below: string): Promise<string> {
  const folder = mkdtempSync(join(below, "lambent-venv-"));
  chmodSync(folder, 0o755);
  await promisify(execFile)("python3", ["-m", "venv", "--without-pip", folder]);
  const [version = ""] = readdirSync(join(folder, "lib"));
  writeFileSync(join(folder, "lib", version, "site-packages", "fruit.py"), 'KIND = "pear"\n');
  return folder;
}

async function worldWith(folder: string, pythonZygote: boolean): Promise<RuntimeWorld> {
  const options = { pythonZygote, pythons: await findPythons(join(folder, "bin"), undefined) };
  try {
    return await RuntimeWorld.open({ ...options, sandbox: "bubblewrap" });
  } catch (error) {
    if (!isLambentError(error, "SandboxUnavailable") || process.env["CI"] === "true") throw error;
    process.stderr.write(`shown over plain processes: ${error.message}\n`);
    return RuntimeWorld.open(options);
  }
}

for (const below of [tmpdir(), "/var/tmp"]) {
  for (const pythonZygote of [true, false]) {
    test(`packages of a virtual environment below ${below} are there, ${pythonZygote ? "forked" : "started"}`, async () => {
      const folder = await virtualEnvironment(below);
      const world = await worldWith(folder, pythonZygote);
      try {
        const instance = await world.instance({ "index.py": HANDLER }, { runtime: "python3.12", handler: "index.handler" });
        const answer = valueOf(await instance.invoke(world.call()));
        assert.deepEqual(answer, { kind: "pear", own: true, writable: !world.confined });
      } finally {
        await world.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
}
