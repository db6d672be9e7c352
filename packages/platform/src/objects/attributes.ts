/** What may be said of an object. */
import { LambentError } from "../base/index.ts";
import type { ObjectAttributes } from "./version.ts";

/** Tags of one object. @limit */
export const OBJECT_TAGS_MAX = 10;
/** Tags of one bucket. @limit */
export const BUCKET_TAGS_MAX = 50;
/** Bytes of an object's own metadata, names and values together. @limit */
export const METADATA_BYTES_MAX = 2_048;
/** Bytes of everything that is kept of an object beside its body. @limit */
export const ATTRIBUTES_BYTES_MAX = 64 * 1_024;

/** Nothing was said of it. */
export const NO_ATTRIBUTES: ObjectAttributes = { headers: {}, metadata: {}, tags: {}, storageClass: "STANDARD" };

/** Refuses with `InvalidParameter` what is too much, or no tag. */
export function checkAttributes({ metadata, tags, headers, acl, encryption }: ObjectAttributes): void {
  checkTags(tags, OBJECT_TAGS_MAX);
  let bytes = 0;
  for (const name in metadata) bytes += Buffer.byteLength(name) + Buffer.byteLength(metadata[name] ?? "");
  if (bytes > METADATA_BYTES_MAX)
    throw new LambentError("InvalidParameter", `Your metadata headers exceed the maximum allowed metadata size: ${bytes} bytes.`, {
      what: "metadata",
      bytes,
      bytesMax: METADATA_BYTES_MAX,
    });
  const others = Buffer.byteLength(JSON.stringify([headers, acl, encryption]));
  if (others > ATTRIBUTES_BYTES_MAX)
    throw new LambentError(
      "InvalidParameter",
      `The object's headers and access list have ${others} bytes; at most ${ATTRIBUTES_BYTES_MAX} are kept.`,
      {
        what: "argument",
      },
    );
}

/** Refuses with `InvalidParameter` more than `tagsMax`, and what is no tag. */
export function checkTags(tags: Readonly<Record<string, string>>, tagsMax: number): void {
  let count = 0;
  for (const key in tags) {
    count += 1;
    const value = tags[key] ?? "";
    if (key === "" || key.length > 128 || value.length > 256)
      throw invalidTag(`The tag ${JSON.stringify(key.slice(0, 128))} has a key of 1 to 128 characters and a value of at most 256.`);
    if (/^aws:/iu.test(key)) throw invalidTag(`The tag ${JSON.stringify(key)} begins with aws:, which is reserved.`);
  }
  if (count > tagsMax) throw invalidTag(`There are ${count} tags; at most ${tagsMax} are allowed.`);
}

function invalidTag(message: string): LambentError {
  return new LambentError("InvalidParameter", message, { what: "tag" });
}
