import type { BlockReader, BlockWriter } from "../blocks.ts";
import type { JsonValue } from "../definition.ts";
import { bytesOf } from "../json-values.ts";
import { type Box, isBefore, type Placed } from "./box.ts";

const PLACED_BYTES = 56;

/** The first or the last `most` values in order of time; equal times in order of arrival. */
export class Collect implements Box {
  readonly #most: number;
  readonly #keep: "first" | "last";
  readonly #result: "list" | "one";
  #placed: Placed[] = [];
  #bytes = 0;

  constructor(most: number, keep: "first" | "last", result: "list" | "one") {
    this.#most = most;
    this.#keep = keep;
    this.#result = result;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(value: JsonValue, time: number, order: number): void {
    this.#put({ time, order, value });
  }

  merge(other: Collect): void {
    for (const placed of other.#placed) this.#put(placed);
  }

  result(): JsonValue {
    return this.#result === "one" ? (this.#placed[0]?.value ?? null) : this.#placed.map(({ value }) => value);
  }

  write(to: BlockWriter): void {
    to.count(this.#placed.length);
    for (const { time, order, value } of this.#placed) {
      to.double(time);
      to.count(order);
      to.json(value);
    }
  }

  read(from: BlockReader): void {
    for (let left = from.count(); left > 0; left--) {
      const time = from.double();
      const order = from.count();
      this.#put({ time, order, value: from.json() as JsonValue });
    }
  }

  #put(placed: Placed): void {
    let at = this.#placed.length;
    // Records come nearly in order, so the place is near the end.
    while (at > 0 && isBefore(placed, this.#placed[at - 1] as Placed)) at--;
    const isFull = this.#placed.length === this.#most;
    if (isFull && at === (this.#keep === "last" ? 0 : this.#most)) return;
    this.#placed.splice(at, 0, placed);
    this.#bytes += weightOf(placed);
    if (!isFull) return;
    const dropped = this.#keep === "last" ? this.#placed.shift() : this.#placed.pop();
    if (dropped) this.#bytes -= weightOf(dropped);
  }
}

function weightOf({ value }: Placed): number {
  return PLACED_BYTES + (bytesOf(value) ?? 0);
}
