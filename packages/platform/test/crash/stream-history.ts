import { CHECKS } from "./checks.ts";
import type { Find } from "./inspect.ts";
import { numberIn, type Place, producerOf, type Reading, readingIn, type StreamEntry, textOf } from "./stream-journal.ts";

/** What is known of a record from the answers alone. */
interface Known {
  readonly stream: string;
  readonly reading: Reading;
  /** Where it is; `unknown` without an answer, `refused` where it is not there. */
  place: Place | "unknown" | "refused";
}

/** What one partition holds, read from its first record to its end. */
export interface PartitionContents {
  readonly stream: string;
  readonly shard: number;
  readonly first: number;
  readonly end: number;
  readonly records: readonly { readonly offset: number; readonly text: string }[];
}

/** An idempotent producer: its numbers, and the batch whose answer it did not hear. */
export interface KnownProducer {
  id: bigint;
  epoch: number;
  sequence: number;
  underWay: { readonly call: number; readonly readings: readonly Reading[] } | undefined;
}

interface KnownOffset {
  /** The highest that was acknowledged. */
  committed: number;
  /** The highest that was asked for. */
  asked: number;
}

/** What all lives of a round said about streams, and what of it cannot be. */
export class StreamHistory {
  readonly offsets = new Map<string, KnownOffset>();
  /** Records whose place was told in two ways. */
  readonly moved: string[] = [];
  readonly #records = new Map<string, Known>();
  readonly #calls = new Map<number, readonly Reading[]>();

  get nextCall(): number {
    return this.#calls.size + 1;
  }

  get accepted(): number {
    return [...this.#records.values()].filter(({ place }) => Array.isArray(place)).length;
  }

  /** Returns how much was acknowledged. */
  add(entry: StreamEntry): number {
    switch (entry.kind) {
      case "putting":
        this.#calls.set(entry.call, entry.readings);
        for (const reading of entry.readings) this.#records.set(reading.id, { stream: entry.stream, reading, place: "unknown" });
        return 0;
      case "again":
        return 0;
      case "put":
        return this.#put(entry.call, entry.places);
      case "refused":
        for (const { id } of this.#calls.get(entry.call) ?? []) this.#place(id, "refused");
        return 0;
      case "committing":
      case "committed":
        return this.#commit(entry);
    }
  }

  /** What idempotent producers of Kafka know, who outlive the server: by their partition. */
  readonly producers = new Map<number, KnownProducer>();

  /** The number of the record that a producer puts next. */
  nextNumber(producer: string): number {
    return Math.max(-1, ...[...this.#records.keys()].filter((id) => producerOf(id) === producer).map(numberIn)) + 1;
  }

  /** Behind the latest event of all. */
  get latestAt(): number {
    return Math.max(0, ...[...this.#records.values()].map(({ reading }) => reading.at));
  }

  /** Compares with what is there. `isSerial` producers begin a call behind the answer of the one before. */
  check(contents: readonly PartitionContents[], find: Find, isSerial: (producer: string) => boolean = () => true): void {
    for (const what of this.moved) find(CHECKS.places, what);
    const times = new Map<string, number>();
    const there = new Map<string, string>();
    const firsts = new Map<string, number>();
    for (const { stream, shard, first, end, records } of contents) {
      firsts.set(`${stream} ${shard}`, first);
      if (records.length !== end - first || records.some(({ offset }, at) => offset !== first + at))
        find(CHECKS.places, `${stream} ${shard} has ${records.length} records from ${first} to ${end}`);
      for (const { offset, text } of records) {
        const { id } = readingIn(text);
        there.set(`${stream} ${shard} ${offset}`, id);
        times.set(id, (times.get(id) ?? 0) + 1);
        this.#checkRecord(stream, id, text, find);
      }
      checkOrder(`${stream} ${shard}`, records, isSerial, find);
    }
    for (const [id, count] of times) if (count > 1) find(CHECKS.once, `the record ${id} is there ${count} times`);
    for (const [id, { stream, place }] of this.#records) {
      if (typeof place === "string") continue;
      const [shard, offset] = place;
      if (offset < (firsts.get(`${stream} ${shard}`) ?? 0)) continue;
      const found = there.get(`${stream} ${shard} ${offset}`);
      if (found !== id)
        find(times.has(id) ? CHECKS.places : CHECKS.kept, `${id} was put at ${stream} ${shard}:${offset}, where ${found ?? "nothing"} is`);
    }
  }

  /** What a consumer reads is where it was told to be, and stays there. */
  read(stream: string, shard: number, offset: number, text: string): void {
    const { id } = readingIn(text);
    if (this.#records.get(id)?.stream === stream) this.#place(id, [shard, offset]);
    else this.moved.push(`${id} is read at ${stream} ${shard}:${offset} and nobody put it there`);
  }

  /** A group's offset, as it is found behind an end; undefined where there is none. */
  checkOffset(group: string, shard: number, found: number | undefined, find: Find): void {
    const { committed, asked } = this.offsets.get(`${group} ${shard}`) ?? { committed: -1, asked: -1 };
    if ((found ?? -1) < committed) find(CHECKS.groups, `${group} ${shard} is at ${found}, and ${committed} was committed`);
    if ((found ?? -1) > asked) find(CHECKS.nowhere, `${group} ${shard} is at ${found}, and nobody committed more than ${asked}`);
  }

  #checkRecord(stream: string, id: string, text: string, find: Find): void {
    const known = this.#records.get(id);
    if (!known || known.stream !== stream) find(CHECKS.nowhere, `the record ${id} is in ${stream} and nobody put it there`);
    else if (known.place === "refused") find(CHECKS.nowhere, `the record ${id} was refused and is there`);
    else if (textOf(known.reading) !== text) find(CHECKS.bodies, `the record ${id} says something else`);
  }

  #put(call: number, places: readonly (Place | null)[]): number {
    for (const [at, { id }] of (this.#calls.get(call) ?? []).entries()) this.#place(id, places[at] ?? "unknown");
    return places.filter((place) => place !== null).length;
  }

  /** What two answers tell of one record is the same. */
  #place(id: string, place: Known["place"]): void {
    const known = this.#records.get(id);
    if (!known) return;
    if (Array.isArray(known.place) && String(known.place) !== String(place))
      this.moved.push(`${id} was put at ${String(known.place)} and then at ${String(place)}`);
    known.place = place;
  }

  #commit({ kind, group, shard, offset }: Extract<StreamEntry, { kind: "committing" | "committed" }>): number {
    const name = `${group} ${shard}`;
    const known = this.offsets.get(name) ?? { committed: -1, asked: -1 };
    this.offsets.set(name, known);
    if (kind === "committing") known.asked = Math.max(known.asked, offset);
    else known.committed = Math.max(known.committed, offset);
    return kind === "committed" ? 1 : 0;
  }
}

function checkOrder(where: string, records: PartitionContents["records"], isSerial: (producer: string) => boolean, find: Find): void {
  const last = new Map<string, string>();
  for (const { text } of records) {
    const { id } = readingIn(text);
    const producer = producerOf(id);
    const before = last.get(producer);
    if (before !== undefined && isSerial(producer) && numberIn(before) >= numberIn(id))
      find(CHECKS.order, `${before} comes before ${id} in ${where}`);
    last.set(producer, id);
  }
}
