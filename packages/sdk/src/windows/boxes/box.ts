import type { BlockReader, BlockWriter } from "../blocks.ts";
import type { JsonValue } from "../definition.ts";

/** An aggregate whose state is more than a few numbers. Bounded; what was added in another order or in parts gives the same. */
export interface Box {
  /** Estimate of its memory. */
  readonly bytes: number;
  /** `order` is the number of the record's arrival: it decides between equal times. */
  add(value: JsonValue, time: number, order: number): void;
  /** Adds what `other`, of the same kind, has; `other` is not used after. */
  merge(other: Box): void;
  result(): JsonValue;
  write(to: BlockWriter): void;
  /** Takes the state that `write` wrote; only of a fresh box. */
  read(from: BlockReader): void;
}

/** Where one record lies among others. */
export interface Placed {
  readonly time: number;
  readonly order: number;
  readonly value: JsonValue;
}

export function isBefore(a: Placed, b: Placed): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
