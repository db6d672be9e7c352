import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred, LambentError, ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import { PythonZygote } from "../../src/runtime/python-zygote.ts";
import type { ConfinedProcess, ProcessExit, Sandbox, Zygote } from "../../src/sandbox/index.ts";

const EXIT: ProcessExit = { code: 1, signal: undefined, outOfMemory: false, memoryPeakBytes: 0 };
const INTERPRETER = { version: "3.11", path: "/usr/bin/python3.11", prefix: "/usr", basePrefix: "/usr", isDefault: true };

/** A sandbox whose zygotes the test starts, fails and kills. */
class Zygotes {
  starts = 0;
  failing = false;
  stops = 0;
  #exit = deferred<ProcessExit>();

  readonly sandbox: Sandbox = {
    report: {
      kind: "process",
      confined: false,
      ownUid: false,
      limits: { memory: false, cpu: false, pids: false, tmp: "none" },
      cgroup: "none",
      remarks: [],
    },
    launch: () => Promise.reject(new LambentError("RuntimeUnavailable", "not asked for here")),
    startZygote: () => this.#start(),
    close: () => Promise.resolve(),
  };

  async #start(): Promise<Zygote> {
    this.starts += 1;
    if (this.failing) throw new LambentError("RuntimeUnavailable", "no interpreter");
    this.#exit = deferred<ProcessExit>();
    return {
      fork: async (spec) => ({ id: spec.id }) as ConfinedProcess,
      exited: this.#exit.promise,
      stop: () => {
        this.stops += 1;
        this.#exit.resolve(EXIT);
      },
    };
  }

  async die(): Promise<void> {
    this.#exit.resolve(EXIT);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function open(): { readonly zygotes: Zygotes; readonly clock: ManualClock; readonly python: PythonZygote } {
  const zygotes = new Zygotes();
  const clock = new ManualClock();
  const context = {
    sandbox: zygotes.sandbox,
    clock,
    secureRandom: systemSecureRandom,
    network: "lambent",
    nodePath: "/usr/bin/node",
    sdkTree: undefined,
  } as const;
  return { zygotes, clock, python: new PythonZygote(context, INTERPRETER) };
}

test("one zygote serves all forks, also those asked for while it starts", async () => {
  const { zygotes, python } = open();
  const forks = await Promise.all([python.fork(128, 512), python.fork(128, 512), python.fork(256, 512)]);
  assert.equal(new Set(forks.map((fork) => fork?.id)).size, 3);
  assert.equal(zygotes.starts, 1);
  await python.close();
  assert.equal(zygotes.stops, 1);
  assert.equal(await python.fork(128, 512), undefined);
});

test("a dead zygote is started again after a back-off, and meanwhile nobody waits for it", async () => {
  const { zygotes, clock, python } = open();
  assert.ok(await python.fork(128, 512));
  await zygotes.die();
  assert.equal(await python.fork(128, 512), undefined);
  assert.equal(zygotes.starts, 1);
  zygotes.failing = true;
  clock.jumpWall(-3_600_000);
  await clock.advance(500);
  assert.equal(await python.fork(128, 512), undefined);
  assert.equal(zygotes.starts, 2);
  await clock.advance(999);
  assert.equal(await python.fork(128, 512), undefined);
  assert.equal(zygotes.starts, 2, "the second wait is twice the first");
  zygotes.failing = false;
  await clock.advance(1);
  assert.ok(await python.fork(128, 512));
  assert.equal(zygotes.starts, 3);
  await python.close();
});
