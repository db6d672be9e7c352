import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../src/base/index.ts";
import { openSandbox, UID_RANGE_DEFAULT } from "../../src/sandbox/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Resolves when no process of that number is left; its death is a matter of the kernel's moments. */
async function gone(pid: number): Promise<void> {
  const TRIES_MAX = 5_000;
  for (let tries = 0; tries < TRIES_MAX && existsSync(`/proc/${pid}/stat`); tries++) {
    if (/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) return;
    await new Promise(setImmediate);
  }
}

test("what a killed server left behind is gone: instances at once, mounts, groups and slots at the next open", async (context) => {
  const slotsFolder = join(realpathSync(temporaryFolder(context)), "slots");
  const crashing = spawn(process.execPath, [join(import.meta.dirname, "crashing-server.ts"), slotsFolder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(crashing.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  const group = `/sys/fs/cgroup/memory/lambent/s-${createHash("sha256").update(slotsFolder).digest("hex").slice(0, 12)}`;
  const crashed = once(crashing, "exit");
  crashing.kill("SIGKILL");
  await crashed;
  await gone(pid);
  assert.equal(
    existsSync(`/proc/${pid}`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8")),
    false,
    "the instance died with its server",
  );
  assert.deepEqual(readdirSync(slotsFolder).includes("orphan"), true, "the crash left its slot, or this test shows nothing");
  const sandbox = await openSandbox({
    wanted: "bubblewrap",
    slotsFolder,
    clock: systemClock,
    uidRange: UID_RANGE_DEFAULT,
    sdkTree: undefined,
  });
  assert.equal(existsSync(join(slotsFolder, "orphan")), false);
  assert.equal(existsSync(join(group, "orphan")), false);
  await sandbox.close();
  assert.equal(readFileSync("/proc/self/mountinfo", "utf8").includes(slotsFolder), false);
  assert.equal(existsSync(group), false);
});
