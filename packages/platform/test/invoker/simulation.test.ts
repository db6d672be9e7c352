import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBelow, seededRandom } from "../../src/base/index.ts";
import type { InvokeOutcome } from "../../src/invoker/index.ts";
import type { CallEnding } from "../../src/model/index.ts";
import { CallWorld } from "../support/calls.ts";
import { functionVersion } from "../support/function-version.ts";

const SEEDS = 300;

/** One seed draws load, limits and faults; then faults stop and everything must come to rest. */
async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const capacity = 1 + randomBelow(random, 4);
  const reserved = 1 + randomBelow(random, 12);
  let faults = true;
  const chance = (share: number): boolean => faults && random.next() < share;
  const world = new CallWorld(
    functionVersion({ concurrencyPerInstance: capacity }),
    { reserved, idleMs: 2_000, startsMax: 1 + randomBelow(random, 8) },
    {
      startMs: () => randomBelow(random, 300),
      startEnding: () => (chance(0.05) ? "initFailed" : chance(0.02) ? "unavailable" : "ready"),
      callMs: () => randomBelow(random, 200),
      callEnding: (call): CallEnding =>
        chance(0.1) ? { kind: "functionError", payload: call.payload, phase: "invoke" } : { kind: "handled", payload: call.payload },
    },
  );
  const outcomes: Promise<InvokeOutcome>[] = [];
  for (let step = 0; step < 40; step++) {
    for (let calls = randomBelow(random, 6); calls > 0; calls--) outcomes.push(world.call(`{"call":${outcomes.length}}`));
    await world.clock.advance(randomBelow(random, 150));
    const alive = world.runtime.alive;
    assert.ok(world.invoker.running(world.version.realm, "hello") <= reserved, "no more calls than the reservation");
    assert.ok(alive.length <= Math.ceil(reserved / capacity) + 1, `${alive.length} instances for ${reserved} calls`);
    if (chance(0.1)) alive[randomBelow(random, Math.max(1, alive.length))]?.crash();
  }
  faults = false;
  await world.clock.advance(20_000);
  const settled = await Promise.all(outcomes);
  const began = settled.filter((outcome) => outcome.kind === "ended").length;
  assert.equal(world.usage.length, began, "one usage record per call that began (P9)");
  assert.equal(new Set(world.usage.map((record) => record.requestId)).size, began, "and never two for one call");
  for (const instance of world.runtime.instances)
    assert.ok(instance.runningMost <= capacity, "never more calls at once than configured (P3)");
  assert.equal(world.runtime.alive.length, 0, "back to zero");
  const last = world.call('"after"');
  await world.clock.advance(1_000);
  assert.equal((await last).kind, "ended", "progress once faults stopped");
}

test(`the way of a call keeps its promises over ${SEEDS} seeds of load and faults`, async () => {
  const only = process.env.LAMBENT_SEED;
  const seeds = only ? [Number(only)] : Array.from({ length: SEEDS }, (_, seed) => seed + 1);
  for (const seed of seeds) {
    try {
      await simulate(seed);
    } catch (error) {
      throw new assert.AssertionError({
        message: `seed ${seed} (rerun: LAMBENT_SEED=${seed} node --test ${import.meta.filename}): ${String(error)}`,
      });
    }
  }
});
