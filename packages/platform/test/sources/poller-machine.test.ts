import assert from "node:assert/strict";
import { test } from "node:test";
import { batchStep, type BatchEvent, type BatchState } from "../../src/sources/queue/batch-machine.ts";
import {
  BATCH_BYTES_MAX,
  CONCURRENT_BATCHES_MAX,
  CONCURRENT_BATCHES_START,
  GROWTH_STEP,
  GROWTH_STEP_MS,
  pollerStep,
  type Held,
  type PollerEffect,
  type PollerEvent,
  type PollerRules,
  type PollerState,
  REFUSED_PAUSE_MS,
} from "../../src/sources/queue/poller-machine.ts";

const PLAIN: PollerRules = { ordering: "standard", batchSize: 10, windowMs: 0, concurrencyMax: CONCURRENT_BATCHES_MAX };

/** A poller on a clock of its own: what it was told, what it asked for. */
class Timeline {
  state: PollerState<Held> = { kind: "stopped" };
  rules: PollerRules;
  now = 0;

  constructor(rules: Partial<PollerRules> = {}) {
    this.rules = { ...PLAIN, ...rules };
  }

  at(now: number): this {
    this.now = now;
    return this;
  }

  tell(event: PollerEvent<Held>): readonly PollerEffect<Held>[] {
    const { state, effects } = pollerStep(this.state, event, this.rules, this.now);
    this.state = state;
    return effects;
  }

  /** Sizes of the batches that start when `count` messages of `bytes` come. */
  leased(count: number, more = false, bytes = 100): number[] {
    const effects = this.tell({ kind: "leased", messages: Array.from({ length: count }, () => ({ bytes })), more });
    return effects.flatMap((effect) => (effect.kind === "startBatch" ? [effect.messages.length] : []));
  }

  get running(): number {
    return "running" in this.state ? this.state.running : 0;
  }
}

const kinds = (effects: readonly PollerEffect<Held>[]): string[] => effects.map(({ kind }) => kind);
const started = (rules: Partial<PollerRules> = {}): Timeline => {
  const timeline = new Timeline(rules);
  timeline.tell({ kind: "start" });
  return timeline;
};

test("without a window what came starts at once, and the next read waits", () => {
  const poller = started();
  assert.deepEqual(poller.leased(3), [3]);
  assert.equal(poller.state.kind, "reading");
});

test("one read fills several batches, and each gets a batch's size at most", () => {
  const poller = started();
  assert.deepEqual(poller.leased(25), [10, 10, 5]);
});

test("the window begins with the first message and closes on time", () => {
  const poller = started({ windowMs: 5_000 });
  assert.deepEqual(poller.at(100).leased(2), []);
  assert.deepEqual(poller.at(4_000).leased(3), []);
  assert.deepEqual(kinds(poller.at(5_099).tell({ kind: "wake" })), ["wakeAt"], "a timer that is early is set again");
  const effects = poller.at(5_100).tell({ kind: "wake" });
  assert.deepEqual(kinds(effects), ["startBatch"], "the read that waits goes on waiting: no second one");
  assert.equal(poller.state.kind, "reading");
});

test("a full batch does not wait for its window", () => {
  const poller = started({ windowMs: 300_000, batchSize: 4 });
  assert.deepEqual(poller.leased(3), []);
  assert.deepEqual(poller.leased(1), [4]);
});

test("a batch has at most 6 MB, and a single message is a batch whatever its size", () => {
  const poller = started();
  const third = BATCH_BYTES_MAX / 3;
  assert.deepEqual(poller.leased(7, false, third), [2, 2, 2, 1]);
  assert.deepEqual(poller.leased(1, false, BATCH_BYTES_MAX * 2), [1]);
});

test("of a FIFO queue what does not fit a batch goes back, because its groups may run now", () => {
  const poller = started({ ordering: "fifo" });
  const effects = poller.tell({ kind: "leased", messages: Array.from({ length: 5 }, () => ({ bytes: BATCH_BYTES_MAX / 3 })), more: false });
  assert.deepEqual(kinds(effects), ["startBatch", "giveBack", "read"]);
});

test("it begins with five batches at once, and grows by 300 a minute while messages wait", () => {
  const poller = started({ batchSize: 1 });
  assert.deepEqual(poller.leased(CONCURRENT_BATCHES_START, true).length, CONCURRENT_BATCHES_START);
  assert.equal(poller.state.kind, "saturated");
  for (let step = 1; step <= 60; step += 1) {
    const [effect] = poller.at(step * GROWTH_STEP_MS).tell({ kind: "wake" });
    assert.deepEqual(effect, { kind: "read", max: GROWTH_STEP });
    poller.leased(GROWTH_STEP, true);
  }
  assert.equal(poller.running, CONCURRENT_BATCHES_START + 300);
});

test("it never runs more batches than the mapping's maximum concurrency, nor more than all mappings may", () => {
  const bounded = started({ batchSize: 1, concurrencyMax: 2 });
  assert.deepEqual(
    kinds(bounded.tell({ kind: "leased", messages: [{ bytes: 1 }, { bytes: 1 }], more: true })),
    ["startBatch", "startBatch"],
    "at the bound nothing is waited for but a batch's end",
  );
  bounded.at(60_000).tell({ kind: "wake" });
  assert.equal(bounded.state.kind, "saturated");
  const poller = started({ batchSize: 1 });
  for (let now = 0; poller.running < CONCURRENT_BATCHES_MAX; now += GROWTH_STEP_MS) {
    poller.at(now).tell({ kind: "wake" });
    poller.leased(GROWTH_STEP, true);
    assert.ok(now < 3_600_000);
  }
  assert.equal(poller.at(1e9).tell({ kind: "wake" }).length, 0);
  assert.equal(poller.running, CONCURRENT_BATCHES_MAX);
});

test("a batch's end makes room at once: no backlog waits for a timer", () => {
  const poller = started({ batchSize: 1, concurrencyMax: 2 });
  poller.leased(2, true);
  assert.deepEqual(poller.tell({ kind: "batchEnded", ending: "handled" }), [{ kind: "read", max: 1 }]);
});

test("once nothing waits any more, the concurrency goes back to what is used", () => {
  const poller = started({ batchSize: 1 });
  poller.leased(5, true);
  poller.at(GROWTH_STEP_MS).tell({ kind: "wake" });
  poller.leased(5, true);
  for (let batch = 0; batch < 10; batch += 1) poller.tell({ kind: "batchEnded", ending: "handled" });
  poller.leased(1, false);
  assert.ok(poller.state.kind === "reading" && poller.state.scale.limit === CONCURRENT_BATCHES_START);
});

test("after a refused invocation as many batches run as the function takes, and more only after a pause", () => {
  const poller = started({ batchSize: 1 });
  poller.leased(5, true);
  const [wake] = poller.tell({ kind: "refused", invoking: 2 });
  assert.deepEqual(wake, { kind: "wakeAt", at: REFUSED_PAUSE_MS + GROWTH_STEP_MS });
  for (let batch = 0; batch < 3; batch += 1) assert.deepEqual(kinds(poller.tell({ kind: "batchEnded", ending: "givenBack" })), ["wakeAt"]);
  assert.deepEqual(kinds(poller.tell({ kind: "batchEnded", ending: "handled" })), ["read"]);
});

test("stopping gives back what is held, ends the read, and is done when the last batch is", () => {
  const poller = started({ windowMs: 1_000 });
  poller.at(0).leased(3);
  assert.deepEqual(kinds(poller.tell({ kind: "stop" })), ["stopReading", "giveBack", "drained"]);
  const busy = started();
  busy.leased(10);
  assert.deepEqual(kinds(busy.tell({ kind: "stop" })), ["stopReading"]);
  assert.deepEqual(kinds(busy.tell({ kind: "leased", messages: [{ bytes: 1 }], more: false })), ["giveBack"], "nothing new begins");
  assert.deepEqual(kinds(busy.tell({ kind: "batchEnded", ending: "handled" })), ["drained"]);
  assert.equal(busy.state.kind, "stopped");
});

test("a queue that cannot be read is tried again later and later", () => {
  const poller = started();
  const waits: number[] = [];
  for (let failure = 0; failure < 8; failure += 1) {
    const [effect] = poller.tell({ kind: "readFailed" });
    assert.ok(effect?.kind === "wakeAt");
    waits.push(effect.at - poller.now);
    assert.deepEqual(kinds(poller.at(effect.at).tell({ kind: "wake" })), ["read"]);
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test("every state takes every event, and never runs more or fewer than no batches", () => {
  const active = { running: 1, scale: { limit: 1, grownAt: 0 } };
  const held = [{ bytes: 1 }];
  const states: readonly PollerState<Held>[] = [
    { kind: "stopped" },
    { kind: "reading", ...active },
    { kind: "gathering", ...active, held, closesAt: 1_000 },
    { kind: "saturated", ...active, held, closesAt: undefined },
    { kind: "resting", ...active, failures: 1 },
    { kind: "draining", running: 1 },
  ];
  const events: readonly PollerEvent<Held>[] = [
    { kind: "start" },
    { kind: "stop" },
    { kind: "leased", messages: held, more: true },
    { kind: "readFailed" },
    { kind: "wake" },
    { kind: "batchEnded", ending: "handled" },
    { kind: "refused", invoking: 1 },
  ];
  for (const state of states)
    for (const event of events) {
      const { state: after, effects } = pollerStep(state, event, PLAIN, 500);
      const begun = effects.filter(({ kind }) => kind === "startBatch").length;
      const ended = event.kind === "batchEnded" && state.kind !== "stopped" ? 1 : 0;
      const before = "running" in state ? state.running : 0;
      assert.equal("running" in after ? after.running : 0, before + begun - ended, `${state.kind} × ${event.kind}`);
      // What came in is held, starts, or goes back.
      const came = (event.kind === "leased" ? 1 : 0) + ("held" in state ? state.held.length : 0);
      const left = effects.reduce((sum, effect) => sum + ("messages" in effect ? effect.messages.length : 0), 0);
      assert.equal(("held" in after ? after.held.length : 0) + left, came, `${state.kind} × ${event.kind}`);
    }
});

test("a refused batch is tried again until its messages would have come again, then goes back", () => {
  const rules = { heldUntil: 30_000 };
  let state: BatchState = { kind: "invoking", attempt: 1 };
  let now = 0;
  const waits: number[] = [];
  const step = (event: BatchEvent): ReturnType<typeof batchStep> => {
    const next = batchStep(state, event, rules, now);
    state = next.state;
    return next;
  };
  for (;;) {
    const [effect] = step({ kind: "refused" }).effects;
    if (effect?.kind !== "wakeAt") {
      assert.deepEqual(effect, { kind: "giveBack", delayMs: 16_000 });
      break;
    }
    waits.push(effect.at - now);
    now = effect.at;
    assert.deepEqual(step({ kind: "wake" }).effects, [{ kind: "invoke" }]);
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000]);
  assert.equal(state.kind, "ended");
});

test("every state of a batch takes every event, and it ends once", () => {
  const states: readonly BatchState[] = [
    { kind: "invoking", attempt: 1 },
    { kind: "waiting", attempt: 1, until: 1_000 },
    { kind: "finishing" },
    { kind: "ended" },
  ];
  const events: readonly BatchEvent[] = [{ kind: "answered" }, { kind: "refused" }, { kind: "wake" }, { kind: "room" }, { kind: "stop" }];
  for (const state of states)
    for (const event of events) {
      const { state: after, effects } = batchStep(state, event, { heldUntil: 5_000 }, 2_000);
      const ends = effects.filter(({ kind }) => kind === "settle" || kind === "giveBack").length;
      assert.equal(ends, state.kind !== "ended" && after.kind === "ended" ? 1 : 0, `${state.kind} × ${event.kind}`);
    }
});
