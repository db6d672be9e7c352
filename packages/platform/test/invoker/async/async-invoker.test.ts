import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLambentError } from "../../../src/base/index.ts";
import { withHop } from "../../../src/invoker/trace-header.ts";
import { functionArn } from "../../../src/functions/index.ts";
import { AsyncWorld, failed, ok, REALM } from "./world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const used = async (world: AsyncWorld, name = "hello") =>
  (await world.metering.usage(REALM, name, 0, world.clock.now() + DAY_MS)).totals.invocations;

describe("an asynchronous invocation", () => {
  test("is handled once, and its record and usage say so (P2, P9)", async () => {
    const world = await AsyncWorld.open();
    const id = await world.accept({ order: 1 });
    assert.equal(await world.outcome(id), "running");
    await world.clock.advance(10);
    const record = await world.record(id);
    assert.deepEqual(record.state, { kind: "ended", at: world.clock.now(), outcome: { kind: "handled" } });
    assert.deepEqual(
      world.calls.map(({ event }) => event),
      [{ order: 1 }],
    );
    assert.deepEqual(
      record.attempts.map(({ result, requestId, durationMs }) => [result, requestId, durationMs]),
      [["ok", id, 10]],
    );
    assert.equal(record.target, functionArn(REALM, "hello"));
    assert.equal(await used(world), 1);
  });

  test("that fails is tried again after one and two minutes, then discarded, and each attempt is billed once (P9)", async () => {
    const world = await AsyncWorld.open({ reaction: () => failed("broken") });
    const id = await world.accept();
    await world.clock.advance(10);
    assert.deepEqual((await world.record(id)).state, { kind: "waiting", nextAt: world.clock.now() + MINUTE_MS });
    await world.clock.advance(10 * MINUTE_MS);
    assert.deepEqual(world.moments, [0, 10 + MINUTE_MS, 20 + 3 * MINUTE_MS]);
    assert.equal(await world.outcome(id), "discarded: retriesExhausted");
    const { attempts } = await world.record(id);
    assert.deepEqual(
      attempts.map(({ result, error }) => `${result} ${error}`),
      Array(3).fill("functionError Error: broken"),
    );
    assert.deepEqual(
      world.calls.map((call) => call.id),
      [id, id, id],
    );
    assert.equal(await used(world), 3);
  });

  test("that times out counts as failed, and is handled when a later attempt works", async () => {
    let tries = 0;
    const world = await AsyncWorld.open({ reaction: () => (tries++ === 0 ? { kind: "timedOut" } : ok()) });
    const id = await world.accept();
    await world.clock.advance(2 * MINUTE_MS);
    assert.equal(await world.outcome(id), "handled");
    assert.deepEqual(
      (await world.record(id)).attempts.map(({ result }) => result),
      ["timeout", "ok"],
    );
  });

  test("is tried as often as MaximumRetryAttempts says", async () => {
    for (const [retries, calls] of [
      [0, 1],
      [1, 2],
    ] as const) {
      const world = await AsyncWorld.open({ reaction: () => failed() });
      world.eventInvoke({ maximumRetryAttempts: retries });
      const id = await world.accept();
      await world.clock.advance(HOUR_MS);
      assert.equal(world.calls.length, calls);
      assert.equal(await world.outcome(id), "discarded: retriesExhausted");
    }
  });

  test("that is throttled is tried after 1, 2, 4 … 300 s for six hours, and burns no retries", async () => {
    const tries: number[] = [];
    const world = await AsyncWorld.open();
    const begun = world.clock.now();
    world.reaction = () => {
      tries.push((world.clock.now() - begun) / 1_000);
      return { kind: "throttled" };
    };
    const id = await world.accept();
    await world.clock.advance(6 * HOUR_MS);
    assert.deepEqual(tries.slice(0, 10), [0, 1, 3, 7, 15, 31, 63, 127, 255, 511]);
    assert.deepEqual(tries.slice(10, 13), [811, 1_111, 1_411]);
    assert.equal(await world.outcome(id), "expired");
    const { attemptCount, attempts, state } = await world.record(id);
    assert.equal(attemptCount, tries.length);
    assert.equal(attempts.length, 10);
    assert.ok(state.kind === "ended" && state.at <= begun + 6 * HOUR_MS);
    assert.equal(await used(world), 0);
  });

  test("with LAMBENT_RETRY_TIME_FACTOR waits shorter between attempts, and no other time changes", async () => {
    const world = await AsyncWorld.open({ reaction: () => failed(), timeFactor: 0.01 });
    const id = await world.accept();
    await world.clock.advance(1_800 + 30);
    assert.deepEqual(world.moments, [0, 610, 1_820]);
    assert.equal(await world.outcome(id), "discarded: retriesExhausted");
  });

  test("that is older than MaximumEventAge ends, in the queue for capacity as well as between attempts", async () => {
    const world = await AsyncWorld.open({ reaction: () => failed() });
    world.eventInvoke({ maximumEventAgeSeconds: 100 });
    const between = await world.accept();
    await world.clock.advance(50);
    world.capacity = 0;
    const waiting = [
      await world.accept(),
      await world.accept(),
      await world.accept(),
      await world.accept(),
      await world.accept(),
      await world.accept(),
    ];
    await world.clock.advance(100_000);
    assert.equal(await world.outcome(between), "expired");
    for (const id of waiting) assert.equal(await world.outcome(id), "expired");
    assert.equal(world.calls.length, 1);
  });

  test("waits for capacity, begins as soon as a call ends, and never runs more at once", async () => {
    const world = await AsyncWorld.open({ capacity: 2, callMs: () => 100 });
    for (let count = 0; count < 6; count++) await world.accept({ count });
    await world.clock.advance(1_000);
    assert.equal(world.runningMost, 2);
    assert.deepEqual(world.moments, [0, 0, 100, 100, 200, 200]);
    assert.deepEqual(
      world.calls.map(({ event }) => (event as { count: number }).count),
      [0, 1, 2, 3, 4, 5],
    );
  });

  test("begins when its reserved concurrency is raised", async () => {
    const world = await AsyncWorld.open({ callMs: () => HOUR_MS });
    world.set({ reservedConcurrency: 1 });
    await world.accept();
    await world.accept();
    await world.settle();
    assert.equal(world.calls.length, 1);
    world.set({ reservedConcurrency: 2 });
    await world.settle();
    assert.equal(world.calls.length, 2);
  });

  test("with reserved concurrency 0 ends at once", async () => {
    const world = await AsyncWorld.open();
    world.set({ reservedConcurrency: 0 });
    assert.equal(await world.outcome(await world.accept()), "discarded: zeroConcurrency");
    assert.equal(world.calls.length, 0);
  });

  test("in a circle of functions is stopped after 16 calls, unless the function allows it", async () => {
    const world = await AsyncWorld.open();
    let header = "Root=1-6b01c9e2-d41a22e2d8f901a1fefc9c5a;Parent=83b9d41a22e2d8f9;Sampled=0";
    for (let hop = 0; hop < 16; hop++) header = withHop(header, functionArn(REALM, "hello", "prod"));
    assert.equal(await world.outcome(await world.accept({}, { traceHeader: header })), "discarded: recursion");
    world.set({ recursion: "Allow" });
    const allowed = await world.accept({}, { traceHeader: header });
    await world.clock.advance(10);
    assert.equal(await world.outcome(allowed), "handled");
    assert.equal(world.calls.length, 1);
  });

  test("is refused where the function is not there, and beyond 1 MiB", async () => {
    const world = await AsyncWorld.open();
    await assert.rejects(world.accept({}, { functionName: "nobody" }), (error) => isLambentError(error, "NotFound"));
    const payload = Buffer.from(`"${"x".repeat(1_048_575)}"`);
    await assert.rejects(world.accept({}, { payload }), (error) => isLambentError(error, "RequestTooLarge"));
    assert.deepEqual(await world.ledger.list(REALM, { limit: 10 }), []);
  });

  test("that a function publishes names its cause and its chain", async () => {
    const world = await AsyncWorld.open();
    const first = await world.accept();
    await world.settle();
    const second = await world.accept({}, { traceHeader: world.calls[0]?.traceHeader });
    await world.settle();
    const third = await world.accept({}, { traceHeader: world.calls[1]?.traceHeader });
    const { cause, correlation } = await world.record(third);
    assert.deepEqual([cause, correlation], [second, first]);
  });
});

describe("after a crash (P1, P2)", () => {
  test("everything accepted is handled, at whatever commit the power went", async () => {
    for (let survivors = 0; survivors < 14; survivors++) {
      const world = await AsyncWorld.open({ reaction: ({ event }) => (event === "bad" ? failed() : ok()) });
      let left = survivors;
      world.faults = ({ kind }) => (kind === "commit" && left-- <= 0 ? { kind: "stopBefore" } : undefined);
      const accepted: string[] = [];
      for (const event of ["good", "bad", "fine"])
        await world.accept(event).then(
          (id) => accepted.push(id),
          () => undefined,
        );
      await world.clock.advance(2 * MINUTE_MS);
      world.faults = () => undefined;
      await world.crash();
      await world.clock.advance(HOUR_MS);
      for (const id of accepted) assert.match(await world.outcome(id), /^handled$|retriesExhausted$/u, `${survivors} commits survived`);
      const records = await world.ledger.list(REALM, { limit: 100 });
      assert.ok(records.every(({ state }) => state.kind === "ended"));
      const billed = records.reduce((sum, { attempts }) => sum + attempts.length, 0);
      assert.equal(await used(world), billed, "usage is what settled, each attempt once (P9)");
    }
  });

  test("an event that ran when it happened is handled again, and shows as waiting until then", async () => {
    const world = await AsyncWorld.open({ callMs: () => HOUR_MS });
    const id = await world.accept();
    assert.equal(await world.outcome(id), "running");
    world.capacity = 0;
    await world.crash();
    assert.equal(await world.outcome(id), "waiting");
    world.capacity = 1;
    world.changed();
    assert.equal(await world.outcome(id), "running");
    assert.equal(world.calls.length, 2);
  });

  test("a stop waits for attempts under way, and begins none", async () => {
    const world = await AsyncWorld.open({ capacity: 1, callMs: () => 5_000 });
    const [first, second] = [await world.accept(), await world.accept()];
    await world.settle();
    await world.stop();
    assert.equal(world.calls.length, 1);
    await world.crash();
    assert.equal(await world.outcome(first), "handled");
    await world.clock.advance(5_000);
    assert.equal(await world.outcome(second), "handled");
  });

  test("a busy storage delays an ending and bills it once", async () => {
    const world = await AsyncWorld.open();
    const id = await world.accept();
    let busy = 3;
    world.faults = ({ kind, cell }) => (kind === "commit" && cell.includes("/async/") && busy-- > 0 ? { kind: "busy" } : undefined);
    await world.clock.advance(2_000);
    assert.equal(await world.outcome(id), "handled");
    assert.equal(await used(world), 1);
  });
});

describe("a function that is deleted", () => {
  test("takes its waiting events with it, and a later one of its name gets none of them", async () => {
    const world = await AsyncWorld.open({ reaction: () => failed() });
    const retried = await world.accept();
    await world.clock.advance(50);
    world.capacity = 0;
    const waiting = [await world.accept(), await world.accept()];
    await world.settle();
    world.functions.delete("hello");
    world.changed();
    for (const id of [retried, ...waiting]) assert.equal(await world.outcome(id), "discarded: functionDeleted");
    world.functions.set("hello", { id: "id-2", settings: {} });
    world.capacity = 10;
    world.changed();
    await world.clock.advance(HOUR_MS);
    assert.equal(world.calls.length, 1);
    assert.equal(await world.outcome(retried), "discarded: functionDeleted");
    await world.accept();
    await world.settle();
    assert.equal(world.calls.length, 2);
  });

  test("while the server was down takes them with it at the next start", async () => {
    const world = await AsyncWorld.open({ capacity: 0 });
    const id = await world.accept();
    world.functions.delete("hello");
    await world.crash();
    assert.equal(await world.outcome(id), "discarded: functionDeleted");
  });
});

describe("cancel and replay", () => {
  test("an event that waits is cancelled, also for its next attempt and across a crash", async () => {
    const world = await AsyncWorld.open({ reaction: () => failed() });
    const retried = await world.accept();
    await world.clock.advance(50);
    world.capacity = 0;
    const waiting = await world.accept();
    await world.settle();
    for (const id of [retried, waiting]) assert.equal(await world.invoker.cancel(world.cell, id), "cancelled");
    world.capacity = 10;
    await world.crash();
    await world.clock.advance(HOUR_MS);
    for (const id of [retried, waiting]) assert.equal(await world.outcome(id), "discarded: cancelled");
    assert.equal(world.calls.length, 1);
  });

  test("one that runs or has ended is not cancelled", async () => {
    const world = await AsyncWorld.open();
    const id = await world.accept();
    await world.settle();
    assert.equal(await world.invoker.cancel(world.cell, id), "running");
    await world.clock.advance(10);
    await world.settle();
    assert.equal(await world.invoker.cancel(world.cell, id), "gone");
    assert.equal(await world.outcome(id), "handled");
  });

  test("an event that failed is handed over again as a new one that names it", async () => {
    const world = await AsyncWorld.open({ reaction: () => failed() });
    world.eventInvoke({ maximumRetryAttempts: 0 });
    const id = await world.accept({ order: 7 });
    await world.clock.advance(10);
    await world.crash();
    world.reaction = () => ok();
    const found = await world.ledger.find(REALM, id);
    assert.ok(found);
    const again = await world.invoker.replay(REALM, found.cell, found.record);
    await world.clock.advance(10);
    assert.equal(await world.outcome(again), "handled");
    assert.deepEqual(world.calls.at(-1)?.event, { order: 7 });
    assert.equal((await world.record(again)).cause, id);
    const handled = await world.ledger.find(REALM, again);
    assert.ok(handled);
    await assert.rejects(world.invoker.replay(REALM, handled.cell, handled.record), (error) => isLambentError(error, "NotFound"));
  });
});
