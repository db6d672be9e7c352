/** Which files a bucket's rows refer to: what a backup copies, and a verify looks for. */
import type { BodyReference, BodyReferences } from "../storage/index.ts";
import { BUCKET_CELL_KIND } from "./bucket-cells.ts";
import { partRows } from "./multipart/index.ts";
import { decodeVersion, isBodyRow, isVersionRow, partsIn } from "./rows.ts";

/** Files of versions and of uploads under way. Loose ones are nobody's. */
export const OBJECT_BODIES: BodyReferences = {
  isIn: (cell) => cell.split("/")[1] === BUCKET_CELL_KIND,
  of(cell, key, value) {
    const owner = cell.slice(cell.lastIndexOf("/") + 1);
    if (isVersionRow(key)) return ofVersion(owner, value);
    if (isBodyRow(key)) return Array.from(partsIn(value) ?? [], ({ file, bytes, md5 }) => ({ owner, file, bytes, md5 }));
    if (!key.startsWith(partRows.prefix)) return [];
    const { file, bytes, md5 } = partRows.decode(key, value);
    return [{ owner, file, bytes, md5 }];
  },
};

function ofVersion(owner: string, value: Uint8Array): BodyReference[] {
  const version = decodeVersion(value);
  if (version.kind !== "object" || version.body.kind !== "file") return [];
  // A body of one file was never anything else than put in one piece, so its ETag is its MD5.
  return [{ owner, file: version.body.file, bytes: version.bytes, md5: version.etag }];
}
