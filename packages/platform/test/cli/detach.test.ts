/** `lambent start -d`: a server of its own, and what becomes of its output. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { awaitReady } from "../../src/cli/detach.ts";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { runLambent } from "../support/lambent-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

void test("a child that is not ready in time is ended, and does not outlive its parent's patience", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const closed = once(child, "exit") as Promise<[number | null, string | null]>;
  assert.deepEqual(await awaitReady(child, 50), { kind: "tooLate", afterMs: 50 });
  assert.deepEqual(await closed, [null, "SIGKILL"]);
});

void test("a server in the background writes to the log of its port; those of servers that are gone go with the next start", async (t) => {
  const folder = temporaryFolder(t);
  const environment = { PATH: process.env["PATH"], HOME: folder, XDG_RUNTIME_DIR: folder };
  const runFolder = join(folder, "lambent");
  mkdirSync(runFolder, { mode: 0o700 });
  for (const name of ["server-of-1.log", "server-1.log"]) writeFileSync(join(runFolder, name), "");
  const started = await runLambent(["start", "-d", "--memory", "--port", "0", "--pool", "0"], environment);
  assert.equal(started.exit, EXIT_CODES.done, started.err);
  const endpoint = /^lambent ready (\S+)$/mu.exec(started.out)?.[1] ?? "";
  const { port } = new URL(endpoint);
  assert.deepEqual(readdirSync(runFolder).toSorted(), [`loopback-${port}.json`, `server-${port}.log`]);
  assert.equal((await runLambent(["stop", "--endpoint", endpoint], environment)).exit, EXIT_CODES.done);
  const impossible = await runLambent(["start", "-d", "--port", "0", "--data", "/proc/lambent-test"], environment);
  assert.equal(impossible.exit, EXIT_CODES.failed);
  assert.match(impossible.err, /^lambent: The data folder \/proc\/lambent-test cannot be used: ENOENT.*\n  \S.*\n$/u);
  assert.deepEqual(readdirSync(runFolder), []);
});
