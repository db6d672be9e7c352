/** Rows of the parts of an upload that ended: a bounded number a commit. Parts that its object is not made of become loose. */
import { delay, isLambentError } from "../../base/index.ts";
import { READ_ROWS_MAX, type StateRow } from "../../storage/index.ts";
import type { BucketCell, CellChange } from "../bucket-cell.ts";
import { encodeParts } from "../parts-list.ts";
import type { LooseFiles } from "../rows.ts";
import { isKept } from "./completing.ts";
import { type Leftover, leftoverRows, partRows } from "./upload.ts";

/** Rows of parts that one commit removes. */
export const PARTS_CLEARED_PER_COMMIT = 100;
/** Behind a commit that was refused because the store is busy. */
const BUSY_RETRY_MS = 100;

/** Removes `rows`, which are of parts; of those that are not `kept` the files become loose. */
export function clearingOf(rows: readonly StateRow[], kept: Leftover["kept"]): Required<Pick<CellChange, "rows" | "leaves">> {
  const unkept = rows.map(({ key, value }) => partRows.decode(key, value)).filter(({ number }) => !isKept(kept, number));
  return {
    rows: rows.map(({ key }) => ({ key, value: undefined })),
    leaves: unkept.length === 0 ? [] : [looseParts(unkept)],
  };
}

/** Clears what is left of an upload whose row says so. The caller has the turn of its key, or is alone with the bucket. */
export async function clearLeft(cell: BucketCell, uploadId: string, { kept }: Leftover): Promise<void> {
  for (;;) {
    const rows = await cell.outbox.readRows({ prefix: partRows.of(uploadId), limit: PARTS_CLEARED_PER_COMMIT });
    if (rows.length > 0) await cell.commit(clearingOf(rows, kept));
    else return cell.commit({ rows: [{ key: leftoverRows.key(uploadId), value: undefined }] });
  }
}

/** The same behind an answer: tried for as long as the store is busy. */
export async function clearBehind(cell: BucketCell, uploadId: string, left: Leftover): Promise<void> {
  for (;;) {
    try {
      return await clearLeft(cell, uploadId, left);
    } catch (error) {
      if (!isLambentError(error, "StorageBusy")) throw error;
      await delay(cell.clock, BUSY_RETRY_MS);
    }
  }
}

/** Clears what a life before this one left of uploads that had ended. Before anything else is done with the bucket. */
export async function clearAllLeft(cell: BucketCell): Promise<void> {
  for (;;) {
    const rows = await cell.outbox.readRows({ prefix: leftoverRows.prefix, limit: READ_ROWS_MAX });
    if (rows.length === 0) return;
    for (const { key, value } of rows) await clearLeft(cell, leftoverRows.uploadId(key), leftoverRows.decode(value));
  }
}

function looseParts(parts: readonly { readonly file: string; readonly bytes: number; readonly md5: string }[]): LooseFiles {
  const [first] = parts;
  if (parts.length === 1 && first) return { name: first.file };
  const list = encodeParts(parts.map(({ file, bytes, md5 }) => ({ file, bytes, md5 })));
  return { name: first?.file ?? "", parts: list };
}
