import { LambentError } from "../../base/index.ts";

/** What a form's `tagging` may have; ten tags need less. */
const TAGGING_CHARS_MAX = 8_192;
const TAG = /<Tag>\s*<Key>([^<]*)<\/Key>\s*<Value>([^<]*)<\/Value>\s*<\/Tag>/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The XML of a form's field `tagging` as the header `x-amz-tagging` says it. Throws `MalformedRequest`. */
export function taggingHeader(xml: string): string {
  const set = /^\s*(?:<\?xml[^>]*\?>)?\s*<Tagging[^>]*>\s*<TagSet>([\s\S]*)<\/TagSet>\s*<\/Tagging>\s*$/.exec(
    xml.slice(0, TAGGING_CHARS_MAX),
  )?.[1];
  if (set === undefined || set.replace(TAG, "").trim() !== "")
    throw new LambentError("MalformedRequest", "The field tagging is no Tagging document.", { what: "xml" });
  return [...set.matchAll(TAG)].map(([, key = "", value = ""]) => `${encoded(key)}=${encoded(value)}`).join("&");
}

function encoded(text: string): string {
  return encodeURIComponent(text.replace(/&(\w+);/g, (entity, name: string) => ENTITIES[name] ?? entity));
}
