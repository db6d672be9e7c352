/** Uploads under way, a page at a time: by key, those of one key in the order they were begun. */
import { behindAll } from "../keys.ts";
import { commonPrefixOf } from "../listing.ts";
import { type ReadRows, RowCursor } from "../row-cursor.ts";
import { type Upload, uploadRows } from "./upload.ts";

export interface UploadsQuery {
  readonly prefix: string;
  /** Keys that have it behind the prefix are told as what they have in common, once. */
  readonly delimiter?: string | undefined;
  /** Behind all uploads of this key; where it is a common prefix, behind all keys that begin with it. */
  readonly keyMarker?: string | undefined;
  /** Of that key, what is behind this upload too. */
  readonly uploadIdMarker?: string | undefined;
  /** Uploads and common prefixes together. */
  readonly max: number;
}

export interface UploadListing {
  readonly uploads: readonly Upload[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page begins; undefined at the end. */
  readonly next?: { readonly keyMarker: string; readonly uploadIdMarker?: string | undefined } | undefined;
}

/** A page of what `query` asks for. */
export async function listUploads(readRows: ReadRows, query: UploadsQuery): Promise<UploadListing> {
  const { prefix, max } = query;
  const uploads: Upload[] = [];
  const commonPrefixes: string[] = [];
  if (max <= 0) return { uploads, commonPrefixes };
  const rows = new RowCursor(readRows, { prefix: uploadRows.under(prefix), after: beginOf(query), wanted: max + 1 });
  for (let next: UploadListing["next"]; ;) {
    const row = await rows.peek();
    if (!row) return { uploads, commonPrefixes };
    if (uploads.length + commonPrefixes.length >= max) return { uploads, commonPrefixes, next };
    const upload = uploadRows.decode(row.key, row.value);
    const common = commonPrefixOf(upload.key, query);
    if (common === undefined) {
      uploads.push(upload);
      next = { keyMarker: upload.key, uploadIdMarker: upload.id };
      rows.pass();
    } else {
      commonPrefixes.push(common);
      next = { keyMarker: common };
      rows.passAll(uploadRows.under(common), uploadRows.under(behindAll(common)));
    }
  }
}

/** The row behind which the page begins. */
function beginOf(query: UploadsQuery): string | undefined {
  const { keyMarker, uploadIdMarker } = query;
  if (keyMarker === undefined || keyMarker === "") return undefined;
  if (commonPrefixOf(keyMarker, query) === keyMarker) return uploadRows.under(behindAll(keyMarker));
  // Ids have digits, letters and hyphens only.
  return uploadRows.key(keyMarker, uploadIdMarker === undefined || uploadIdMarker === "" ? "~" : uploadIdMarker);
}
