import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startPermits } from "../../src/autoscaler/autoscaler.ts";
import { type Fleet, INSTANCE_LIFE_MS_MAX } from "../../src/autoscaler/fleet.ts";
import { ADMISSION_WAIT_MS, type EndedCall, type InvokeOutcome } from "../../src/invoker/index.ts";
import { initTimeoutMs } from "../../src/runtime/index.ts";
import { versionKey } from "../../src/model/index.ts";
import { FUNCTION_CREDENTIALS_LIFE_MS } from "../../src/security/index.ts";
import { CallWorld } from "../support/calls.ts";
import { functionVersion } from "../support/function-version.ts";

function ended(outcome: InvokeOutcome): EndedCall {
  assert.equal(outcome.kind, "ended");
  return outcome as EndedCall;
}

describe("a synchronous call", () => {
  test("wakes a sleeping function, and init is billed with the first call only", async () => {
    const world = new CallWorld(functionVersion());
    const first = world.call('{"n":1}');
    await world.clock.advance(100);
    const cold = ended(await first);
    assert.deepEqual([cold.initMs, cold.durationMs, cold.billedMs], [50, 10, 60]);
    const second = world.call();
    await world.clock.advance(100);
    const warm = ended(await second);
    assert.deepEqual([warm.initMs, warm.billedMs], [0, 10]);
    assert.equal(world.runtime.starts, 1);
  });

  test("writes START, END and REPORT as Lambda's users know them", async () => {
    const world = new CallWorld(functionVersion());
    const call = world.call();
    await world.clock.advance(100);
    const tail = ended(await call).logTail.toString();
    assert.equal(
      tail,
      "START RequestId: request-1 Version: $LATEST\nEND RequestId: request-1\n" +
        "REPORT RequestId: request-1\tDuration: 10.00 ms\tBilled Duration: 60 ms\tMemory Size: 128 MB\tMax Memory Used: 50 MB\tInit Duration: 50.00 ms\t\n",
    );
  });

  test("yields one usage record, whatever its ending (P9)", async () => {
    const endings = ["handled", "functionError", "timedOut", "instanceLost"] as const;
    for (const kind of endings) {
      const world = new CallWorld(
        functionVersion(),
        {},
        {
          callEnding: (call) =>
            kind === "handled"
              ? { kind, payload: call.payload }
              : kind === "functionError"
                ? { kind, payload: Buffer.from("{}"), phase: "invoke" }
                : kind === "timedOut"
                  ? { kind }
                  : { kind, departure: { kind: "exited", code: 1 } },
        },
      );
      const call = world.call();
      await world.clock.advance(100);
      ended(await call);
      assert.deepEqual(
        world.usage.map((record) => [record.requestId, record.ending]),
        [["request-1", kind]],
      );
    }
  });

  test("whose init fails gets what init said, is billed for it and leaves no instance", async () => {
    const world = new CallWorld(functionVersion(), {}, { startEnding: () => "initFailed" });
    const call = world.call();
    await world.clock.advance(60);
    const outcome = ended(await call);
    assert.deepEqual(outcome.ending, { kind: "functionError", payload: Buffer.from('{"errorType":"Error"}'), phase: "init" });
    assert.equal(outcome.billedMs, 50);
    assert.equal(world.usage.length, 1);
    await world.clock.advance(10_000);
    assert.equal(world.runtime.starts, 1, "nobody waits any more, so nothing is tried again");
  });

  test("on a machine that can't start processes is told so at once", async () => {
    const world = new CallWorld(functionVersion(), {}, { startEnding: () => "unavailable" });
    const calls = [world.call(), world.call()];
    await world.clock.advance(60);
    for (const call of calls) assert.deepEqual(await call, { kind: "unavailable", what: "no process can be started" });
    assert.equal(world.usage.length, 0, "a call that never began is not metered");
  });

  test("whose start throws is told, and the defect is reported instead of ending the process (P8)", async () => {
    const world = new CallWorld(functionVersion());
    world.runtime.start = () => Promise.reject(new RangeError("disk on fire"));
    const outcome = await world.call();
    assert.deepEqual(outcome, { kind: "unavailable", what: "starting an instance failed; the platform's log says why" });
    assert.equal(String(world.defects[0]), "RangeError: disk on fire");
  });

  test("waits for an instance no longer than the bound, and an init's once more (P7)", async () => {
    const never = new CallWorld(functionVersion(), {}, { startMs: () => 3_600_000 });
    const call = never.call();
    await never.clock.advance(ADMISSION_WAIT_MS + initTimeoutMs(never.version) + 5_000);
    assert.deepEqual(await call, { kind: "throttled", reason: "ConcurrentInvocationLimitExceeded" });
  });

  test("waits for its instance's init as long as that may take, and is told how it ended", async () => {
    const slow = functionVersion({ timeoutMs: 30_000 });
    const failing = new CallWorld(slow, {}, { startMs: () => initTimeoutMs(slow) + 100, startEnding: () => "initFailed" });
    const call = failing.call();
    await failing.clock.advance(initTimeoutMs(slow) + 100);
    assert.equal(ended(await call).ending.kind, "functionError", "no throttle: nothing was over a limit");
    const slowButGood = new CallWorld(slow, {}, { startMs: () => 20_000 });
    const served = slowButGood.call();
    await slowButGood.clock.advance(20_100);
    assert.equal(ended(await served).ending.kind, "handled");
  });
});

describe("limits", () => {
  test("a reserved function refuses the call over its reservation at once, and takes one again after", async () => {
    const world = new CallWorld(functionVersion(), { reserved: 2 });
    const running = [world.call(), world.call()];
    assert.deepEqual(await world.call(), { kind: "throttled", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" });
    await world.clock.advance(100);
    await Promise.all(running);
    const next = world.call();
    await world.clock.advance(100);
    ended(await next);
    assert.equal(world.runtime.starts, 2);
  });

  test("a reservation of zero stops a function", async () => {
    const world = new CallWorld(functionVersion(), { reserved: 0 });
    assert.deepEqual(await world.call(), { kind: "throttled", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" });
    assert.equal(world.runtime.starts, 0);
  });

  test("functions without reservation share what the account has left", async () => {
    const world = new CallWorld(functionVersion(), { unreserved: 1 });
    const running = world.call();
    assert.deepEqual(await world.call(), { kind: "throttled", reason: "ConcurrentInvocationLimitExceeded" });
    await world.clock.advance(100);
    await running;
    assert.equal(world.invoker.running(world.version.realm, "hello"), 0);
  });
});

describe("from zero and back", () => {
  test("a burst gets an instance a call, and after the idle time all are gone", async () => {
    const world = new CallWorld(functionVersion(), { idleMs: 1_000 });
    const burst = Array.from({ length: 20 }, () => world.call());
    await world.clock.advance(500);
    await Promise.all(burst);
    assert.ok(world.runtime.starts <= 20);
    assert.ok(
      world.runtime.instances.every((instance) => instance.runningMost <= 1),
      "one call at a time",
    );
    await world.clock.advance(2_000);
    assert.equal(world.runtime.alive.length, 0);
    assert.equal(world.clock.pendingCount, 0, "scaled to zero is a resting state: nothing is scheduled (P6)");
  });

  test("an instance that takes several calls is filled before another starts", async () => {
    const world = new CallWorld(functionVersion({ concurrencyPerInstance: 10 }));
    const burst = Array.from({ length: 10 }, () => world.call());
    await world.clock.advance(500);
    await Promise.all(burst);
    assert.equal(world.runtime.starts, 1);
    assert.equal(world.runtime.instances[0]?.runningMost, 10);
  });

  test("no more processes start at once than the bound, and every call is served", async () => {
    const world = new CallWorld(functionVersion(), { startsMax: 2 });
    const burst = Array.from({ length: 9 }, () => world.call());
    await world.clock.advance(10);
    assert.equal(world.runtime.starts, 2);
    await world.clock.advance(2_000);
    for (const outcome of await Promise.all(burst)) ended(outcome);
  });

  test("provisioned instances are ready before the first call, and it waits for no init", async () => {
    const world = new CallWorld(functionVersion(), { provisioned: 2 });
    world.router.limitsChanged(world.version);
    await world.clock.advance(100);
    assert.equal(world.runtime.alive.length, 2);
    const call = world.call();
    await world.clock.advance(10);
    assert.equal(ended(await call).durationMs, 10);
  });

  test("what is started to be kept in advance is told so, what a burst needs beyond it is not", async () => {
    const world = new CallWorld(functionVersion(), { provisioned: 2, idleMs: 1_000 });
    world.router.limitsChanged(world.version);
    await world.clock.advance(5_000);
    const burst = Array.from({ length: 4 }, () => world.call());
    await world.clock.advance(200);
    await Promise.all(burst);
    const initializations = (): string[] => world.runtime.alive.map((instance) => instance.initialization);
    assert.deepEqual(initializations(), ["provisioned-concurrency", "provisioned-concurrency", "on-demand", "on-demand"]);
    await world.clock.advance(500);
    assert.equal(world.runtime.alive.length, 4, "the burst's instances have their own idle time, however long the others were idle before");
    await world.clock.advance(1_000);
    assert.deepEqual(initializations(), ["provisioned-concurrency", "provisioned-concurrency"]);
    world.runtime.alive[0]?.crash();
    await world.clock.advance(2_000);
    assert.deepEqual(initializations(), ["provisioned-concurrency", "provisioned-concurrency"]);
  });

  test("when fewer are to be kept, those too many leave after their idle time", async () => {
    const limits = { provisioned: 3, idleMs: 1_000 };
    const world = new CallWorld(functionVersion(), limits);
    world.router.limitsChanged(world.version);
    await world.clock.advance(100);
    limits.provisioned = 1;
    world.router.limitsChanged(world.version);
    await world.clock.advance(2_000);
    assert.equal(world.runtime.alive.length, 1);
  });

  test("P10: a wall clock that jumps changes neither idle times nor back-offs", async () => {
    for (const jumpMs of [-3_600_000, 3_600_000]) {
      const idle = new CallWorld(functionVersion(), { idleMs: 1_000 });
      const call = idle.call();
      await idle.clock.advance(100);
      await call;
      idle.clock.jumpWall(jumpMs);
      const second = idle.call();
      await idle.clock.advance(900);
      await second;
      assert.equal(idle.runtime.alive.length, 1, `kept its idle time after a jump of ${jumpMs} ms`);
      await idle.clock.advance(1_000);
      assert.equal(idle.runtime.alive.length, 0, `and not longer after a jump of ${jumpMs} ms`);
      const failing = new CallWorld(functionVersion(), { provisioned: 1 }, { startEnding: () => "initFailed" });
      failing.router.limitsChanged(failing.version);
      for (let second = 0; second < 10; second++) {
        await failing.clock.advance(1_000);
        failing.clock.jumpWall(jumpMs);
        failing.router.limitsChanged(failing.version);
      }
      assert.equal(failing.runtime.starts, 4, `at 0, 1, 3 and 7 seconds, whatever the wall clock says (${jumpMs} ms)`);
    }
  });

  test("provisioned instances whose init fails are tried with growing pauses (P6)", async () => {
    const world = new CallWorld(functionVersion(), { provisioned: 1 }, { startEnding: () => "initFailed" });
    world.router.limitsChanged(world.version);
    await world.clock.advance(10_000);
    // At 0, 1, 3 and 7 seconds, each after the 50 ms its start takes.
    assert.equal(world.runtime.starts, 4);
  });

  test("provisioned instances that die as soon as they are ready are replaced with growing pauses (P6)", async () => {
    const world = new CallWorld(functionVersion(), { provisioned: 1 });
    world.router.limitsChanged(world.version);
    for (let step = 0; step < 1_000; step++) {
      await world.clock.advance(10);
      world.runtime.alive[0]?.crash();
    }
    assert.ok(world.runtime.starts <= 5, `${world.runtime.starts} starts in ten seconds`);
  });

  test("an idle instance that dies is replaced by the next call", async () => {
    const world = new CallWorld(functionVersion());
    const first = world.call();
    await world.clock.advance(100);
    await first;
    world.runtime.instances[0]?.crash();
    const second = world.call();
    await world.clock.advance(100);
    assert.equal(ended(await second).ending.kind, "handled");
    assert.equal(world.runtime.starts, 2);
  });
});

describe("a redeploy under load", () => {
  test("drops no call: running ones end on the old version, new ones run on the new", async () => {
    const world = new CallWorld(functionVersion(), {}, { callMs: () => 100 });
    const old = world.version;
    const before = Array.from({ length: 5 }, () => world.call());
    await world.clock.advance(70);
    world.version = functionVersion({ revisionId: "22222222-2222-4222-8222-222222222222" });
    world.router.retire(versionKey(old));
    const after = Array.from({ length: 5 }, () => world.call());
    await world.clock.advance(500);
    for (const outcome of await Promise.all(before)) assert.equal(ended(outcome).version.revisionId, old.revisionId);
    for (const outcome of await Promise.all(after)) assert.equal(ended(outcome).version.revisionId, world.version.revisionId);
    assert.deepEqual(new Set(world.runtime.alive.map((instance) => instance.version)), new Set([world.version]));
  });

  test("calls that wait for the old version's first instance are still served", async () => {
    const world = new CallWorld(functionVersion());
    const waiting = world.call();
    await world.clock.advance(10);
    world.router.retire(versionKey(world.version));
    await world.clock.advance(200);
    assert.equal(ended(await waiting).ending.kind, "handled");
    assert.equal(world.runtime.alive.length, 0);
  });
});

describe("a function under a debugger", () => {
  test("has one instance, whatever the load and however long it is idle, and takes one call at a time", async () => {
    const world = new CallWorld(functionVersion(), { idleMs: 1_000 }, { callMs: () => 60_000 });
    world.inspected = true;
    world.router.renew(world.version);
    await world.clock.advance(100);
    assert.equal(world.runtime.alive.length, 1, "it is there before the first call, to be attached to");
    const calls = [world.call(), world.call(), world.call()];
    await world.clock.advance(100);
    assert.deepEqual([world.runtime.alive.length, world.runtime.alive[0]?.running], [1, 1]);
    await world.clock.advance(3 * 60_000);
    assert.deepEqual(
      (await Promise.all(calls)).map((outcome) => outcome.kind),
      ["ended", "ended", "ended"],
      "a call that waits for the one before it waits for a person",
    );
    await world.clock.advance(3_600_000);
    assert.deepEqual([world.runtime.alive.length, world.runtime.starts], [1, 1]);
  });

  test("is run by other instances from then on, and again when it is over; no call is lost", async () => {
    const behaviour = { startMs: () => 50, callMs: () => 1_000 };
    const world = new CallWorld(functionVersion(), {}, behaviour);
    const before = [world.call(), world.call()];
    await world.clock.advance(60);
    const ordinary = [...world.runtime.alive];
    assert.equal(ordinary.length, 2);
    world.inspected = true;
    world.router.renew(world.version);
    await world.clock.advance(100);
    assert.deepEqual(
      ordinary.map((instance) => instance.admitting),
      [false, false],
    );
    assert.equal(world.runtime.alive.length, 3, "calls that run end where they are");
    await world.clock.advance(1_000);
    assert.deepEqual([(await Promise.all(before)).map(({ kind }) => kind), world.runtime.alive.length], [["ended", "ended"], 1]);
    const [held] = world.runtime.alive;
    world.inspected = false;
    world.router.renew(world.version);
    await world.clock.advance(10);
    assert.equal(held?.alive, false);
    const after = world.call();
    await world.clock.advance(1_100);
    assert.equal((await after).kind, "ended");
  });

  test("whose instance starts while the debugging ends gets that one's place taken", async () => {
    const world = new CallWorld(functionVersion(), {}, { startMs: () => 500 });
    world.inspected = true;
    world.router.renew(world.version);
    await world.clock.advance(100);
    world.inspected = false;
    world.router.renew(world.version);
    const call = world.call();
    await world.clock.advance(2_000);
    assert.equal((await call).kind, "ended");
    assert.deepEqual(
      world.runtime.instances.map((instance) => instance.admitting),
      [false, true],
    );
  });
});

describe("instances that go by themselves", () => {
  test("one that drains behind a timeout is no capacity: the next call gets another at once", async () => {
    const world = new CallWorld(functionVersion({ concurrencyPerInstance: 4 }), {}, { callMs: () => 60_000 });
    void world.call();
    void world.call();
    await world.clock.advance(100);
    const [draining] = world.runtime.instances;
    assert.ok(draining);
    draining.cut();
    await world.clock.advance(1);
    void world.call();
    await world.clock.advance(100);
    assert.deepEqual(
      world.runtime.instances.map((instance) => instance.running),
      [1, 1],
    );
  });

  test("one that is never idle is replaced before its credentials end, and no call is lost", async () => {
    const world = new CallWorld(functionVersion(), { idleMs: 3 * INSTANCE_LIFE_MS_MAX }, { callMs: () => 1_000 });
    await Promise.all([world.call(), world.clock.advance(2_000)]);
    await world.clock.advance(INSTANCE_LIFE_MS_MAX - 2_000 - 500);
    const across = world.call();
    await world.clock.advance(5_000);
    assert.equal(ended(await across).ending.kind, "handled");
    assert.deepEqual(
      world.runtime.instances.map((instance) => instance.alive),
      [false, true],
    );
    const next = world.call();
    await world.clock.advance(2_000);
    assert.equal(ended(await next).initMs, 0, "the one in its place started while the old one ended its call");
    assert.ok(INSTANCE_LIFE_MS_MAX + 900_000 < FUNCTION_CREDENTIALS_LIFE_MS);
  });
});

test("P7: a permit that its fleet wants no more goes to the fleet behind it", async () => {
  const permits = startPermits(1);
  const woken: string[] = [];
  const fleet = (name: string): Fleet => ({ demandChanged: () => woken.push(name) }) as unknown as Fleet;
  assert.equal(permits.take(fleet("running")), true);
  assert.equal(permits.take(fleet("left meanwhile")), false);
  assert.equal(permits.take(fleet("waits")), false);
  permits.give();
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(woken, ["left meanwhile", "waits"]);
});
