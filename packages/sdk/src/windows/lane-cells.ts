import type { BlockReader, BlockWriter } from "./blocks.ts";
import { grownFloats } from "./growing.ts";
import type { LaneOperation } from "./lane-operations.ts";
import { type Cells, OWN_CELLS } from "./sliding-queue.ts";

/** Which operations' doubles lie in one cell, and where. */
export interface LaneLayout {
  readonly combined: readonly { readonly operation: LaneOperation; readonly lane: number }[];
  /** Doubles of one cell. */
  readonly lanes: number;
}

/** Cells whose aggregates are doubles side by side. */
export class LaneCells implements Cells {
  readonly #layout: LaneLayout;
  doubles: Float64Array<ArrayBuffer>;

  constructor(layout: LaneLayout) {
    this.#layout = layout;
    this.doubles = new Float64Array(OWN_CELLS * layout.lanes);
  }

  grow(capacity: number, from: number, size: number): void {
    const { lanes } = this.#layout;
    const ring = OWN_CELLS * lanes;
    const before = this.doubles.subarray(ring);
    const tail = before.subarray(from * lanes, Math.min(before.length, (from + size) * lanes));
    const grown = grownFloats(this.doubles.subarray(0, ring), ring + capacity * lanes);
    grown.set(tail, ring);
    grown.set(before.subarray(0, size * lanes - tail.length), ring + tail.length);
    this.doubles = grown;
  }

  combine(left: number, right: number, into: number): void {
    const { combined, lanes } = this.#layout;
    for (let at = 0; at < combined.length; at++) {
      const { operation, lane } = combined[at] as (typeof combined)[number];
      operation.combine(this.doubles, left * lanes + lane, right * lanes + lane, into * lanes + lane);
    }
  }

  copy(from: number, into: number): void {
    const { lanes } = this.#layout;
    for (let lane = 0; lane < lanes; lane++) this.doubles[into * lanes + lane] = this.doubles[from * lanes + lane] as number;
  }

  write(to: BlockWriter, place: number): void {
    const { lanes } = this.#layout;
    for (let at = place * lanes; at < (place + 1) * lanes; at++) to.double(this.doubles[at] as number);
  }

  read(from: BlockReader, place: number): void {
    const { lanes } = this.#layout;
    for (let at = place * lanes; at < (place + 1) * lanes; at++) this.doubles[at] = from.double();
  }
}
