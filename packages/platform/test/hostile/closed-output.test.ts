import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  test(`a server whose output nobody reads any more drains at ${signal} and leaves nothing (it ended with 1 and left its mounts)`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "lambent-output-"));
    const child = spawn(process.execPath, [MAIN, "start", "--port", "0", "--data", join(folder, "data")], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, XDG_RUNTIME_DIR: folder },
    });
    for await (const line of createInterface({ input: child.stdout })) if (line.startsWith("lambent ready ")) break;
    child.stdout.destroy();
    child.stderr.destroy();
    const ended = once(child, "exit");
    child.kill(signal);
    assert.deepEqual(await ended, [0, null]);
    assert.equal(readFileSync("/proc/self/mountinfo", "utf8").includes(folder), false);
    rmSync(folder, { recursive: true });
  });
}
