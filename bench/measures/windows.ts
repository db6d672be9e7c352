/**
 * Windows by themselves, without storage, one thread: a sliding aggregate beside one that is computed anew for every value; records a
 * second through keyed windows; and the memory of a million keys.
 */
import {
  checkWindowDefinition,
  KeyedWindows,
  meanOf,
  SlidingAggregate,
  type WindowDefinition,
} from "../../packages/sdk/src/windows/index.ts";
import { LANE_OPERATIONS } from "../../packages/sdk/src/windows/lane-operations.ts";
import { systemClock } from "../../packages/platform/src/base/index.ts";
import { measurePair, type PairResult, type Sample } from "../support/pair.ts";

export const WINDOW_VALUES = 1_000;
export const BENCH_KEYS = 10_000;
export const MANY_KEYS = 1_000_000;
/** Records a second that one key has. */
const RECORDS_PER_KEY_SECOND = 10;
/** Records between two looks at the clock. */
const CHUNK = 100;
/** Kinds that are measured beside the sliding one, for scale. */
const OTHER_KINDS = {
  "sliding, records up to a second out of order": { window: { kind: "sliding", sizeMs: 10_000 }, outOfOrdernessMs: 1_000 },
  "the last hundred": { window: { kind: "slidingCount", size: 100 } },
  tumbling: { window: { kind: "tumbling", sizeMs: 10_000 } },
  "hopping, in ten windows at once": { window: { kind: "hopping", sizeMs: 10_000, everyMs: 1_000 } },
  session: { window: { kind: "session", gapMs: 10_000 } },
} as const;

export interface WindowsResult {
  readonly sliding: PairResult;
  readonly addedUp: readonly Sample[];
  readonly keyed: readonly Sample[];
  readonly others: ReadonlyMap<string, readonly Sample[]>;
}

export async function measureWindows({ rounds, roundMs }: { rounds: number; roundMs: number }): Promise<WindowsResult> {
  const sliding = await measurePair(
    () => Promise.resolve(slidingAggregate(roundMs)),
    () => Promise.resolve(computedAnew(roundMs)),
    rounds,
  );
  const addedUp = Array.from({ length: rounds }, () => addedUpAnew(roundMs));
  const keyed = Array.from({ length: rounds }, () => keyedRecords({ window: { kind: "sliding", sizeMs: 10_000 } }, roundMs));
  const others = Object.entries(OTHER_KINDS).map(([name, given]) => [name, [keyedRecords(given, roundMs)]] as const);
  return { sliding, addedUp, keyed, others: new Map(others) };
}

/** What a process grew by, with what it has not swept up yet: to be asked of one that has done nothing else. */
export function measureMillionKeys(): readonly Sample[] {
  const before = process.memoryUsage.rss();
  const windows = new KeyedWindows(definition({ window: { kind: "tumbling", sizeMs: 2 * MANY_KEYS }, aggregates: { n: "count" } }), {
    pane: () => undefined,
  });
  const began = systemClock.monotonicMs();
  for (let at = 0; at < MANY_KEYS; at++) windows.add(0, `device-${at}`, at, null);
  const seconds = (systemClock.monotonicMs() - began) / 1_000;
  const grown = (process.memoryUsage.rss() - before) / 1_000_000;
  if (windows.size.keys !== MANY_KEYS) throw new RangeError(`${windows.size.keys} keys instead of ${MANY_KEYS}`);
  return [{ value: grown, details: { "estimated MB": windows.size.bytes / 1_000_000, "new keys/s": MANY_KEYS / seconds } }];
}

function slidingAggregate(roundMs: number): Sample {
  const mean = new SlidingAggregate(meanOf, { size: WINDOW_VALUES });
  for (let at = 0; at < 2 * WINDOW_VALUES; at++) mean.add(valueAt(at));
  return perSecond(roundMs, (at) => mean.add(valueAt(at)));
}

/** The same operation, in the same precision, over a ring of the same values each time. */
function computedAnew(roundMs: number): Sample {
  const values = new Float64Array(WINDOW_VALUES);
  const { mean } = LANE_OPERATIONS;
  const lanes = new Float64Array(mean.lanes);
  return perSecond(roundMs, (at) => {
    values[at % WINDOW_VALUES] = valueAt(at);
    mean.clear(lanes, 0);
    for (let each = 0; each < WINDOW_VALUES; each++) mean.add(lanes, 0, values[each] as number);
    return mean.result(lanes, 0);
  });
}

/** A bare loop over the ring that rounds at every step: what a processor can do at best, and less exact. */
function addedUpAnew(roundMs: number): Sample {
  const values = new Float64Array(WINDOW_VALUES);
  return perSecond(roundMs, (at) => {
    values[at % WINDOW_VALUES] = valueAt(at);
    let sum = 0;
    for (let each = 0; each < WINDOW_VALUES; each++) sum += values[each] as number;
    return sum / WINDOW_VALUES;
  });
}

function keyedRecords(given: object, roundMs: number): Sample {
  let panes = 0;
  const windows = new KeyedWindows(definition({ ...given, aggregates: { mean: "mean" } }), { pane: () => void panes++ });
  const keys = Array.from({ length: BENCH_KEYS }, (_, at) => `device-${at}`);
  const perMs = (BENCH_KEYS * RECORDS_PER_KEY_SECOND) / 1_000;
  const add = (at: number): void => windows.add(0, keys[at % BENCH_KEYS] ?? "", Math.floor(at / perMs), valueAt(at));
  // Until windows of ten seconds are full.
  const full = BENCH_KEYS * RECORDS_PER_KEY_SECOND * 11;
  for (let at = 0; at < full; at++) add(at);
  panes = 0;
  const { value } = perSecond(roundMs, (at) => add(full + at));
  return { value, details: { "estimated MB": windows.size.bytes / 1_000_000, panes } };
}

function perSecond(roundMs: number, step: (at: number) => unknown): Sample {
  const began = systemClock.monotonicMs();
  let at = 0;
  let elapsedMs = 0;
  while (elapsedMs < roundMs) {
    for (const end = at + CHUNK; at < end; at++) step(at);
    elapsedMs = systemClock.monotonicMs() - began;
  }
  return { value: (at * 1_000) / elapsedMs };
}

function valueAt(at: number): number {
  return ((at * 7_919) % 1_000) / 8;
}

function definition(given: object): WindowDefinition {
  const checked = checkWindowDefinition(given);
  if (checked.kind === "faults") throw new TypeError(JSON.stringify(checked.faults));
  return checked.definition;
}
