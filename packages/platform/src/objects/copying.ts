/** Copies of objects: other names for the same bytes on the disk, never the bytes again. */
import { isLambentError, LambentError } from "../base/index.ts";
import type { BucketCell } from "./bucket-cell.ts";
import { type NewContent, type StoreOptions, storeVersion } from "./changing.ts";
import { encodeParts, type PartsList } from "./parts-list.ts";
import { type FoundObject, looseName } from "./reading.ts";
import { encodeInline, type LooseFiles } from "./rows.ts";
import type { BodyPart, ObjectAttributes, StoredObject } from "./version.ts";

/** Files that are given another name at once. */
const LINKS_AT_ONCE = 16;

/** What was found in one bucket, and where. */
export interface CopySource {
  readonly cell: BucketCell;
  readonly found: FoundObject;
}

/** Stores a copy. Throws `NotFound` where the source was removed since it was found. */
export async function copyObject(
  cell: BucketCell,
  { cell: from, found }: CopySource,
  key: string,
  attributes: ObjectAttributes,
  options: Omit<StoreOptions, "takes" | "leaves" | "rows">,
): Promise<StoredObject> {
  const { bytes, etag, checksum } = found.object;
  const kept = { bytes, etag, checksum };
  const store = (content: NewContent, takes?: LooseFiles): Promise<StoredObject> =>
    cell.inTurn(key, () => storeVersion(cell, key, attributes, content, { ...options, takes }));
  const { body } = found;
  if (body.kind === "inline") return store({ ...kept, body: { kind: "inline" }, row: encodeInline(body.content) });
  const release = from.loose.pin(looseName(found));
  if (!release) throw removed(found.key);
  try {
    return await cell.makingFiles(async () => {
      const copy = body.kind === "file" ? copyOfFile(cell, body.file) : copyOfParts(cell, body.list);
      await linkAll(cell, from, copy, found.key);
      return cell.keeping(copy.files, () => store({ ...kept, ...copy.content }, copy.files));
    });
  } finally {
    release();
  }
}

interface Copy {
  readonly files: LooseFiles;
  readonly links: readonly { readonly from: string; readonly to: string }[];
  readonly content: Pick<NewContent, "body" | "row">;
}

/** A copy of one file, before there is any. */
export function copyOfFile(cell: BucketCell, from: string): Copy {
  const file = cell.newFile();
  return { files: { name: file }, links: [{ from, to: file }], content: { body: { kind: "file", file }, row: undefined } };
}

function copyOfParts(cell: BucketCell, list: PartsList): Copy {
  const links: { from: string; to: string }[] = [];
  const parts = Array.from(list, (part): BodyPart => {
    const file = cell.newFile();
    links.push({ from: part.file, to: file });
    return { ...part, file };
  });
  const row = encodeParts(parts);
  return { files: { name: parts[0]?.file ?? "", parts: row }, links, content: { body: { kind: "parts", count: list.count }, row } };
}

/** Gives files their other names. Throws `NotFound` where one was removed; whatever is thrown, there is none of them. */
export async function linkAll(cell: BucketCell, from: BucketCell, { files, links }: Copy, key: string): Promise<void> {
  await cell.loose.expect(files);
  try {
    for (let start = 0; start < links.length; start += LINKS_AT_ONCE) {
      cell.refuseWhenGone();
      const some = links.slice(start, start + LINKS_AT_ONCE);
      const ends = await Promise.allSettled(
        some.map((link) => cell.bodies.link({ owner: from.owner, file: link.from }, { owner: cell.owner, file: link.to })),
      );
      const failure = ends.find((end) => end.status === "rejected");
      if (failure) throw failure.reason;
    }
  } catch (error) {
    // Nothing refers to them, whatever went wrong.
    await cell.loose.discard(files);
    throw isLambentError(error, "NotFound") ? removed(key) : error;
  }
}

/** A source that is there no more. */
export function removed(key: string): LambentError {
  return new LambentError("NotFound", "The object was removed while it was copied.", { what: "key", name: key });
}
