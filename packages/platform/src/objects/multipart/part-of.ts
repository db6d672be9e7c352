/** Reading an object by its parts. */
import type { ByteRange } from "../../storage/index.ts";
import { partRange, type PartsList } from "../parts-list.ts";
import type { FoundObject } from "../reading.ts";

/** The parts that an object is made of, in their order; undefined for one that was stored whole. */
export function partsOf({ body }: FoundObject): PartsList | undefined {
  return body.kind === "parts" ? body.list : undefined;
}

/**
 * Where the `number`-th part (from 1) of an object lies, and of how many; undefined where there is no such part. One that was stored whole
 * is its first part. A part without bytes has no range.
 */
export function partOf(
  found: FoundObject,
  number: number,
): { readonly range: ByteRange | undefined; readonly count: number | undefined } | undefined {
  const parts = partsOf(found);
  if (parts) return partRange(parts, number);
  if (number !== 1) return undefined;
  const { bytes } = found.object;
  return { range: bytes === 0 ? undefined : { start: 0, end: bytes - 1 }, count: undefined };
}
