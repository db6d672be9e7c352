import { type Clock, turnOfTheLoop } from "../../base/index.ts";

/** What a window reckons without giving others their turn. */
const SLICE_MS = 10;

/** Does work that yields now and then, and lets others of this thread have their turn whenever it has gone on for some time. */
export async function paced<T>(clock: Pick<Clock, "monotonicMs">, work: Generator<void, T>): Promise<T> {
  for (let until = clock.monotonicMs() + SLICE_MS; ;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (clock.monotonicMs() < until) continue;
    await turnOfTheLoop();
    until = clock.monotonicMs() + SLICE_MS;
  }
}

/** All that something gives, with the same turns between. */
export function* collected<T>(items: Iterable<T>): Generator<void, T[]> {
  const all: T[] = [];
  for (const item of items) {
    all.push(item);
    yield;
  }
  return all;
}

/** All of it at once. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
