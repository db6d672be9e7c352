/** What a window reckons in one go, and who has a turn meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { collected, paced } from "../../src/windows/engine/paced.ts";
import { WindowState } from "../../src/windows/engine/window-state.ts";
import { noInputs, type Step } from "../../src/windows/journal/step.ts";
import { declared } from "./world.ts";

const KEYS = 20_000;

function* pieces(count: number): Generator<void, string> {
  for (let piece = 0; piece < count; piece++) yield;
  return "done";
}

/** A clock on which each look takes a millisecond. */
function ticking() {
  let now = 0;
  return { monotonicMs: () => now++ };
}

test("work that takes long lets others have their turn on the way", async () => {
  let turns = 0;
  const other = (): void => {
    turns += 1;
    next = setImmediate(other);
  };
  let next = setImmediate(other);
  assert.equal(await paced(ticking(), pieces(100)), "done");
  clearImmediate(next);
  assert.ok(turns >= 8, `${turns} turns`);
});

test("one record that ends twenty thousand windows is many pieces of work, and leads to what it leads to in one", () => {
  const step = (times: readonly number[], next: number): Step => {
    const inputs = noInputs();
    for (const [at, time] of times.entries()) {
      inputs.keys.push(`key-${at}`);
      inputs.times.push(time);
      inputs.values.push(1);
    }
    inputs.arrivals.push([times.length, 0]);
    return { kind: "records", source: 0, next, inputs, refused: [] };
  };
  const opened: Step = { kind: "opened", source: 0, next: 0, streamId: "readings" };
  const many = step(
    Array.from({ length: KEYS }, () => 5),
    KEYS,
  );
  const last = step([60_000], KEYS + 1);
  const [stepwise, atOnce] = [WindowState.fresh(declared(), undefined), WindowState.fresh(declared(), undefined)];
  for (const state of [stepwise, atOnce]) state.apply([opened, many]);
  const working = stepwise.applying([last]);
  let turns = 0;
  let ended = working.next();
  for (; ended.done !== true; ended = working.next()) turns += 1;
  assert.ok(turns >= KEYS / 1_000, `${turns} turns`);
  assert.deepEqual(ended.value, atOnce.apply([last]));
  assert.equal(stepwise.emitted.results, KEYS);

  const taken = collected(stepwise.blocks());
  let blocks = taken.next();
  while (blocks.done !== true) blocks = taken.next();
  const restoring = WindowState.restoring(declared(), undefined, { head: atOnce.head, blocks: blocks.value });
  let restored = restoring.next();
  while (restored.done !== true) restored = restoring.next();
  const more = step([120_000], KEYS + 2);
  assert.deepEqual(restored.value.apply([more]), atOnce.apply([more]));
});
