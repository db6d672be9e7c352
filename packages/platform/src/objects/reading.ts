/** Finding an object and reading its bytes, or some of them. */
import { Readable } from "node:stream";
import { invariant, LambentError } from "../base/index.ts";
import type { BodyFiles, ByteRange } from "../storage/index.ts";
import type { BucketCell } from "./bucket-cell.ts";
import { findVersion, objectOr } from "./changing.ts";
import { PartsList, type Piece } from "./parts-list.ts";
import { decodeInline, looseFilesOf } from "./rows.ts";
import type { BodyPlace, StoredObject } from "./version.ts";

/** Where the bytes of an object that was found are. Whoever is not of this folder hands it back as it is. */
export type FoundBody =
  | { readonly kind: "inline"; readonly content: Buffer }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "parts"; readonly list: PartsList; readonly row: Uint8Array };

export interface FoundObject {
  readonly key: string;
  readonly object: StoredObject;
  readonly isCurrent: boolean;
  readonly body: FoundBody;
}

/** Finds an object in one look. Throws `NotFound` (of a key or a version), `IsDeleteMarker`. */
export async function findObject(cell: BucketCell, key: string, versionId: string | undefined): Promise<FoundObject> {
  const { object, isCurrent, body } = objectOr(await findVersion(cell, key, versionId), key, versionId);
  return { key, object, isCurrent, body: bodyOf(object.body, body) };
}

function bodyOf(place: BodyPlace, row: Uint8Array | undefined): FoundBody {
  switch (place.kind) {
    case "inline":
      return { kind: "inline", content: decodeInline(row) };
    case "file":
      return place;
    case "parts":
      invariant(row !== undefined, "an object of parts has a list of them");
      return { kind: "parts", list: new PartsList(row), row };
  }
}

/**
 * The bytes of what was found, or those of `range`: of that version, also when it is removed while it is read. Throws `NotFound` where it was
 * removed before, `RangeNotSatisfiable`. Whoever does not read a stream to its end destroys it.
 */
export async function openObject(cell: BucketCell, found: FoundObject, range?: ByteRange): Promise<Readable | Buffer> {
  const { body, object } = found;
  checkRange(object.bytes, range);
  if (body.kind === "inline") return range ? body.content.subarray(range.start, range.end + 1) : body.content;
  const opened =
    body.kind === "file" ? await cell.bodies.read(cell.owner, body.file, range) : await openParts(cell, looseName(found), body.list, range);
  return opened ?? goneOrDamaged(cell, found);
}

function checkRange(bytes: number, range: ByteRange | undefined): void {
  if (!range || (range.start >= 0 && range.start <= range.end && range.end < bytes)) return;
  throw new LambentError("RangeNotSatisfiable", "The requested range is not satisfiable", { bytes });
}

/** The name under which its files would be removed. */
export function looseName({ object, body }: FoundObject): string {
  return looseFilesOf(object.body, body.kind === "parts" ? body.row : undefined)?.name ?? "";
}

/** Its file is not there. The version should not be there either. */
async function goneOrDamaged(cell: BucketCell, { key, object }: FoundObject): Promise<never> {
  const now = await findVersion(cell, key, object.versionId);
  if (now?.version.number !== object.number)
    throw new LambentError("NotFound", "The object was removed while it was read.", { what: "key", name: key });
  throw new LambentError("StorageCorrupt", `A file of the object ${key} is missing.`, { key });
}

/** All parts stay until the stream is closed, though only one file is open at a time. */
async function openParts(cell: BucketCell, name: string, list: PartsList, range: ByteRange | undefined): Promise<Readable | undefined> {
  const release = cell.loose.pin(name);
  if (!release) return undefined;
  try {
    const pieces = list.pieces(range);
    const first = pieces.next();
    const opened = first.done ? Readable.from([]) : await openPiece(cell.bodies, cell.owner, first.value);
    if (!opened) {
      release();
      return undefined;
    }
    const stream = Readable.from(chunksOf(cell, opened, pieces), { objectMode: false });
    stream.once("close", () => {
      release();
      opened.destroy();
    });
    return stream;
  } catch (error) {
    release();
    throw error;
  }
}

async function* chunksOf({ bodies, owner }: BucketCell, first: Readable, rest: Iterator<Piece>): AsyncGenerator<Uint8Array> {
  yield* first;
  for (let next = rest.next(); !next.done; next = rest.next()) {
    const opened = await openPiece(bodies, owner, next.value);
    if (!opened) throw new LambentError("StorageCorrupt", `The file ${next.value.part.file} of an object is missing.`);
    yield* opened;
  }
}

function openPiece(bodies: BodyFiles, owner: string, { part, range }: Piece): Promise<Readable | undefined> {
  return bodies.read(owner, part.file, range);
}
