import type { Tag } from "@aws-sdk/client-s3";
import { OBJECT_TAGS_MAX } from "../../objects/index.ts";
import { invalid } from "./errors.ts";

export type Tags = Readonly<Record<string, string>>;

const TAG_KEY_CHARACTERS_MAX = 128;
const TAG_VALUE_CHARACTERS_MAX = 256;
/** Characters of tags as a header: ten of them, each character written as up to twelve. */
const TAGGING_HEADER_CHARACTERS_MAX = 64 * 1_024;
const TAG_CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** The tags of a header: `a=b&c=d`, URL-encoded. */
export function tagsOfHeader(header: string | undefined): Tags {
  if (header === undefined || header === "") return {};
  if (header.length > TAGGING_HEADER_CHARACTERS_MAX) throw badHeader();
  return checkedTags(
    header
      .split("&")
      .filter((pair) => pair !== "")
      .map(pairOf),
    badHeader,
  );
}

/** The tags of a document. */
export function tagsOfSet(set: readonly Tag[] | undefined): Tags {
  if (set === undefined) throw invalid("xml", "The XML you provided was not well-formed or did not validate against our published schema");
  const pairs = set.map(({ Key, Value }) => [Key ?? "", Value ?? ""] as const);
  return checkedTags(pairs, () => invalid("tag", "Cannot provide multiple Tags with the same key"));
}

/** Tags as answers have them. */
export function tagSet(tags: Tags): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function checkedTags(pairs: readonly (readonly [string, string])[], twice: () => Error): Tags {
  if (pairs.length > OBJECT_TAGS_MAX) throw invalid("tagCount", `Object tags cannot be greater than ${OBJECT_TAGS_MAX}`);
  for (const [key, value] of pairs) checkTag(key, value);
  if (new Set(pairs.map(([key]) => key)).size !== pairs.length) throw twice();
  return Object.fromEntries(pairs);
}

/** One tag as S3 takes it, of an object, of a bucket, and in filters. */
export function checkTag(key: string, value: string): void {
  if (key.length === 0 || key.length > TAG_KEY_CHARACTERS_MAX || !TAG_CHARACTERS.test(key))
    throw invalid("tag", "The TagKey you have provided is invalid");
  if (value.length > TAG_VALUE_CHARACTERS_MAX || !TAG_CHARACTERS.test(value))
    throw invalid("tag", "The TagValue you have provided is invalid");
  if (/^aws:/iu.test(key)) throw invalid("tag", "System tags cannot be added/updated by requester");
}

function pairOf(pair: string): readonly [string, string] {
  const at = pair.indexOf("=");
  return [unescaped(at < 0 ? pair : pair.slice(0, at)), at < 0 ? "" : unescaped(pair.slice(at + 1))];
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw badHeader();
  }
}

function badHeader(): Error {
  return invalid(
    "argument",
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
  );
}
