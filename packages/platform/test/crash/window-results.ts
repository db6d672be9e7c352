/** What managed windows say of readings, and what they have to say. */
import { CHECKS } from "./checks.ts";
import type { Find } from "./inspect.ts";
import { producerOf, type Reading } from "./stream-journal.ts";

/** Windows over the stream of readings, each into a stream of its own name. */
export const WINDOW_MS = { sums: 60_000, slides: 90_000 } as const;
export type WindowName = keyof typeof WINDOW_MS;
export const WINDOW_NAMES = Object.keys(WINDOW_MS) as readonly WindowName[];
/** Gets what came too late for `sums`. */
export const LATE = { sums: "late-sums", slides: "late-slides" } as const;

/** Whoever closes the windows, behind the end. */
export const LAST_PRODUCER = "last";

/** As it is declared; `outOfOrderness` is text such as `30s`. */
export function declarationOf(name: WindowName, source: string, outOfOrderness: string): Record<string, unknown> {
  const window = name === "sums" ? { kind: "tumbling", size: "60s" } : { kind: "sliding", size: "90s" };
  return {
    ...{ source, start: "earliest", key: "$.device", value: "$.value", time: "$.at", window },
    ...{ aggregates: { sum: "sum", most: "max", count: "count" }, outOfOrderness, jumpMax: "36500d", idleAfter: "300d" },
    ...{ sinks: [{ stream: name }], late: "output", lateSinks: [{ stream: LATE[name] }] },
  };
}

interface Result {
  readonly key: string;
  readonly window: { readonly start: number; readonly end: number };
  readonly sum: number;
  readonly most: number;
  readonly count: number;
}

/** What came too late, as it is put out. */
interface Late {
  readonly key: string;
  readonly time: number;
}

const shown = ({ key, window: { start, end }, sum, most, count }: Result): string =>
  `${key} ${start} ${end} sum ${sum} most ${most} count ${count}`;

/** Each result is there once, and is what the definition says of all that is in the stream and was not too late. */
export function checkResults(
  name: WindowName,
  readings: readonly Reading[],
  results: readonly string[],
  late: readonly string[],
  find: Find,
): void {
  const lateOnes = new Map<string, number>();
  for (const text of late) {
    const { key, time } = JSON.parse(text) as Late;
    lateOnes.set(`${key} ${time}`, (lateOnes.get(`${key} ${time}`) ?? 0) + 1);
  }
  for (const [record, times] of lateOnes) {
    if (times > 1) find(CHECKS.windows, `${record} came too late for ${name} and is told ${times} times`);
    if (!readings.some(({ device, at }) => `${device} ${at}` === record))
      find(CHECKS.windows, `${record} came too late for ${name} and nobody put it`);
  }
  const inTime = readings.filter(({ device, at }) => !lateOnes.has(`${device} ${at}`));
  const expected = new Set((name === "sums" ? tumbling(inTime) : sliding(inTime)).map(shown));
  const found = new Map<string, number>();
  for (const text of results) {
    const told = shown(JSON.parse(text) as Result);
    found.set(told, (found.get(told) ?? 0) + 1);
  }
  for (const [told, times] of found) {
    if (times > 1) find(CHECKS.windows, `${name}: ${told} is there ${times} times`);
    if (!expected.has(told)) find(CHECKS.windows, `${name}: ${told} is there and is not so`);
  }
  for (const told of expected) if (!found.has(told)) find(CHECKS.windows, `${name}: ${told} is missing`);
}

function tumbling(readings: readonly Reading[]): Result[] {
  const size = WINDOW_MS.sums;
  const windows = Map.groupBy(readings, ({ device, at }) => `${device} ${Math.floor(at / size) * size}`);
  return [...windows.values()].flatMap((mine) => {
    const [first] = mine;
    const start = Math.floor((first?.at ?? 0) / size) * size;
    return first ? [resultOf(first.device, start, start + size, mine)] : [];
  });
}

/** A result for each reading: of it and what its device said before, less than the size ago. */
function sliding(readings: readonly Reading[]): Result[] {
  const size = WINDOW_MS.slides;
  return [...Map.groupBy(readings, ({ device }) => device)].flatMap(([device, mine]) =>
    mine.map(({ at }) => {
      const start = at - size + 1;
      return resultOf(
        device,
        start,
        at + 1,
        mine.filter((other) => other.at >= start && other.at <= at),
      );
    }),
  );
}

function resultOf(key: string, start: number, end: number, readings: readonly Reading[]): Result {
  const values = readings.map(({ value }) => value);
  return {
    key,
    window: { start, end },
    sum: values.reduce((sum, value) => sum + value, 0),
    most: Math.max(...values),
    count: values.length,
  };
}

/** A reading that closes all windows, in one partition. */
export function lastReading(shard: number, at: number): Reading {
  return { id: `${LAST_PRODUCER}.${shard}`, device: `${LAST_PRODUCER}-${shard}`, value: 0, at };
}

export const isLast = ({ id }: Reading): boolean => producerOf(id) === LAST_PRODUCER;
