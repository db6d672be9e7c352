/** What those who use streams say while they work, beside what the other ones say (`journal.ts`). */
import { createHash } from "node:crypto";

/** One record: its id is `<producer>.<number>`, and the producer's records of one shard are in the order of their numbers. */
export interface Reading {
  readonly id: string;
  readonly device: string;
  readonly value: number;
  /** Event time. Of one device no two are alike, so that sliding windows have one order. */
  readonly at: number;
}

/** Where a record is, or what else becomes of it. */
export type Place = readonly [shard: number, offset: number];

export type StreamEntry =
  /** A call that puts records; `again` repeats an earlier one, under its number. Calls are numbered over all lives. */
  | { readonly kind: "putting"; readonly call: number; readonly stream: string; readonly readings: readonly Reading[] }
  | { readonly kind: "again"; readonly call: number }
  /** Where each of its records is; null for one of which the answer does not say. */
  | { readonly kind: "put"; readonly call: number; readonly places: readonly (Place | null)[] }
  /** The answer says that nothing happened. */
  | { readonly kind: "refused"; readonly call: number }
  | { readonly kind: "committing" | "committed"; readonly group: string; readonly shard: number; readonly offset: number };

/** A record's bytes follow from what it says: mostly small, each sixteenth as long as several pages. */
export function textOf(reading: Reading): string {
  const digest = createHash("sha256").update(reading.id).digest();
  const pad = digest.readUInt8(0) % 16 === 0 ? 12_000 : digest.readUInt16LE(1) % 600;
  return JSON.stringify({
    ...reading,
    pad: digest
      .toString("hex")
      .repeat(Math.ceil(pad / 64))
      .slice(0, pad),
  });
}

/** What a record's bytes say. */
export function readingIn(text: string): Reading {
  const { id, device, value, at } = JSON.parse(text) as Reading;
  return { id, device, value, at };
}

export const producerOf = (id: string): string => id.slice(0, id.lastIndexOf("."));
export const numberIn = (id: string): number => Number(id.slice(id.lastIndexOf(".") + 1));
