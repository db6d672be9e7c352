/**
 * One seed draws a zone around a change of its clocks, crashes, and faults of the store. Whatever happens, every occurrence of the table
 * that others made is delivered once or on record as missed, none early. `SEED=<n> node --test <this file>` runs one seed alone.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isLambentError, randomBelow, seededRandom, type Random } from "../../src/base/index.ts";
import type { FaultPlan } from "../../src/storage/index.ts";
import { MINUTE_MS, openSchedulesWorld, type SchedulesWorld } from "./world.ts";

interface Change {
  readonly zone: string;
  readonly from: string;
  readonly until: string;
  readonly due: Readonly<Record<string, readonly string[]>>;
}

const table = JSON.parse(readFileSync(new URL("../fixtures/schedule-dst/table.json", import.meta.url), "utf8")) as readonly Change[];
const SEEDS = 20;

function draw(random: Random) {
  return {
    crashChance: randomBelow(random, 3) === 0 ? 0 : random.next() * 0.2,
    faultChance: randomBelow(random, 3) === 0 ? 0 : random.next() * 0.1,
    stepMinutesMax: 10 + randomBelow(random, 600),
    downMinutesMax: 1 + randomBelow(random, 300),
  };
}

/** A schedule that a fault kept from being made is made again, as its client would. */
async function makeSurely(world: SchedulesWorld, name: string, expression: string, zone: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      await world.make(name, { expression, zone });
      return;
    } catch (error) {
      if (!isLambentError(error, "StorageBusy", "StorageStopped", "ShuttingDown")) throw error;
      if (isLambentError(error, "StorageBusy")) continue;
      await world.downFor(0);
    }
  }
  assert.fail(`${name} could not be made`);
}

async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const drawn = draw(random);
  const change = table[seed % table.length] ?? assert.fail("there is a table");
  let faulty = true;
  let isStopped = false;
  const faults: FaultPlan = ({ kind, cell }) => {
    // A start that cannot read which groups there are is none.
    if (!faulty || cell.includes("/registry/") || random.next() >= drawn.faultChance) return undefined;
    if (kind === "read") return { kind: "busy" };
    const which = randomBelow(random, 20);
    isStopped ||= which < 2;
    return which === 0 ? { kind: "stopBefore" } : which === 1 ? { kind: "stopAfter" } : { kind: "busy" };
  };
  const [from, until] = [Date.parse(change.from), Date.parse(change.until)];
  const world = await openSchedulesWorld({ faults, startAt: from - 1, seed });
  for (const [name, expression] of Object.keys(change.due).entries()) await makeSurely(world, `s${name}`, expression, change.zone);
  const made = world.clock.now();
  assert.ok(made <= from + MINUTE_MS, "made before anything is due");
  while (world.clock.now() < until - 60 * MINUTE_MS) {
    for (let left = 1 + randomBelow(random, drawn.stepMinutesMax); left > 0 && !isStopped; left -= 5)
      await world.clock.advance(5 * MINUTE_MS);
    // A store that stops ends its process.
    const isOver = isStopped || random.next() < drawn.crashChance;
    isStopped = false;
    if (isOver) await world.downFor(randomBelow(random, drawn.downMinutesMax) * MINUTE_MS);
  }
  // Then nothing goes wrong any more, and everything has to come.
  faulty = false;
  await world.downFor(0);
  await world.clock.advance(10 * MINUTE_MS);
  await world.settle();
  const end = world.clock.now();
  const records = await world.records();
  for (const [index, [expression, expected]] of Object.entries(change.due).entries()) {
    const own = records.filter(({ subject }) => subject === `s${index}`);
    assert.deepEqual(
      own.map(({ dueAt = 0 }) => `${new Date(dueAt).toISOString().slice(0, 19)}Z`).filter((at) => Date.parse(at) < until),
      expected.filter((at) => Date.parse(at) <= end),
      `${expression} in ${change.zone}: each occurrence has one record`,
    );
    for (const { state, id, dueAt = 0 } of own) {
      const handed = world.handed.filter((each) => each.id === id);
      const outcome = state.kind === "ended" ? state.outcome.kind : "open";
      assert.equal(outcome, handed.length > 0 ? "handled" : "discarded");
      assert.ok(
        handed.every(({ at }) => at >= dueAt),
        "none early",
      );
    }
  }
  await world.schedules.close();
}

const only = process.env["SEED"];
for (let seed = 0; seed < SEEDS; seed++) {
  if (only !== undefined && Number(only) !== seed) continue;
  test(`occurrences around a change of clocks, seed ${seed}`, () => simulate(seed));
}
