import { FRONT_BYTES, LENGTH_AT } from "./format.ts";

/**
 * The batches of a record set, one behind the other as they came, none of them looked into. A piece at the end that is no whole batch is one
 * of them too, for `checkBatch` to refuse.
 */
export function splitBatches(recordSet: Buffer): Buffer[] {
  const batches: Buffer[] = [];
  for (let at = 0; at < recordSet.length;) {
    const left = recordSet.length - at;
    const length = left < FRONT_BYTES ? left : FRONT_BYTES + recordSet.readInt32BE(at + LENGTH_AT);
    const end = at + (length > FRONT_BYTES && length <= left ? length : left);
    batches.push(recordSet.subarray(at, end));
    at = end;
  }
  return batches;
}
