/** How the porter's process ends: with its channel, whatever else is said to it, and without a word. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Server } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../src/sandbox/python/porter.py", import.meta.url));
const PORTS = [4566, 4567, 9001];
/** Network namespaces need privilege, which an ordinary user has in a user namespace of their own. */
const PRIVILEGE = process.getuid?.() === 0 ? ["env"] : ["unshare", "--user", "--map-root-user", "--"];

interface Started {
  readonly porter: ChildProcess;
  /** Its exit code and signal, and all it said. */
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null, string]>;
}

function start(): Started {
  const [program = "env", ...privilege] = PRIVILEGE;
  const porter = spawn(program, [...privilege, "/usr/bin/python3", "-I", "-S", "-B", SCRIPT], {
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    detached: true,
  });
  let said = "";
  porter.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  // Once it is gone there may still be something on its way to it.
  porter.on("error", () => undefined);
  const ended = Promise.all([once(porter, "exit"), once(porter.stderr ?? porter, "end")]).then(
    ([[code, signal]]) => [code as number | null, signal as NodeJS.Signals | null, said] as const,
  );
  return { porter, ended };
}

/** Has a namespace made; its listeners are closed at once, they are only the sign that it works. */
function listen(porter: ChildProcess, id: number): Promise<void> {
  let missing = PORTS.length;
  return new Promise((resolve) => {
    const came = (_message: unknown, handle: unknown): void => {
      assert.ok(handle instanceof Server);
      handle.close();
      missing -= 1;
      if (missing > 0) return;
      porter.off("message", came);
      resolve();
    };
    porter.on("message", came);
    porter.send({ make: id, ports: PORTS });
  });
}

test("it ends when the platform lets go, also in the middle of its work", async () => {
  for (const making of [0, 1, 40]) {
    const { porter, ended } = start();
    await listen(porter, 1);
    for (let id = 2; id < 2 + making; id += 1) porter.send({ make: id, ports: PORTS });
    porter.disconnect();
    assert.deepEqual(await ended, [0, null, ""], `${making} namespaces were being made`);
  }
});

test("signals meant for the whole group of processes do not end it before the platform does", async () => {
  const { porter, ended } = start();
  await listen(porter, 1);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) porter.kill(signal);
  await listen(porter, 2);
  porter.disconnect();
  assert.deepEqual(await ended, [0, null, ""]);
});
