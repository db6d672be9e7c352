import { LambentError } from "../../base/index.ts";
import type { HandlerStyle } from "../../model/index.ts";
import { flowSetting } from "./flow.ts";
import { INSTANCE_CONCURRENCY_MAX, TAG_KEY_LENGTH_MAX, TAG_VALUE_LENGTH_MAX, TAGS_MAX } from "./limits.ts";

/** Calls one instance takes at once, 1 to `INSTANCE_CONCURRENCY_MAX`; see docs/decisions/0008-settings-as-tags.md. */
export const CONCURRENCY_TAG = "lambent:concurrency";
/** How a call reaches the handler: `lambda`, `web`, `fetch`, `functions-framework` or `cloudevent`. */
export const HANDLER_STYLE_TAG = "lambent:handler-style";

const STYLES: readonly HandlerStyle[] = ["lambda", "web", "fetch", "functions-framework", "cloudevent"];

export type Tags = Readonly<Record<string, string>>;

/** `before` with `added` set and `removed` gone. Throws `InvalidParameter` when a rule is broken. */
export function changedTags(before: Tags, added: Tags, removed: readonly string[]): Tags {
  // A map, because a tag may be called like a member every object has.
  const tags = new Map(Object.entries(before));
  for (const key of removed) tags.delete(key);
  for (const [key, value] of Object.entries(added)) {
    requireTag(key, value);
    tags.set(key, value);
  }
  if (tags.size > TAGS_MAX)
    throw new LambentError("InvalidParameter", `There would be ${tags.size} tags; at most ${TAGS_MAX} are allowed.`);
  return Object.fromEntries(tags);
}

/** What tags say about how instances run the function. */
export function settingsFromTags(tags: Tags): { readonly concurrencyPerInstance: number; readonly handlerStyle: HandlerStyle } {
  const own = new Map(Object.entries(tags));
  const style = own.get(HANDLER_STYLE_TAG);
  return {
    concurrencyPerInstance: Number(own.get(CONCURRENCY_TAG) ?? 1),
    handlerStyle: STYLES.find((known) => known === style) ?? "lambda",
  };
}

function requireTag(key: string, value: string): void {
  if (key === "" || key.length > TAG_KEY_LENGTH_MAX)
    throw new LambentError("InvalidParameter", `A tag's key has ${key.length} characters; 1 to ${TAG_KEY_LENGTH_MAX} are allowed.`);
  if (value.length > TAG_VALUE_LENGTH_MAX)
    throw new LambentError(
      "InvalidParameter",
      `The tag ${key} has a value of ${value.length} characters; at most ${TAG_VALUE_LENGTH_MAX} are allowed.`,
    );
  if (/^aws:/i.test(key)) throw new LambentError("InvalidParameter", `The tag ${key} begins with aws:, which is reserved.`);
  if (key === CONCURRENCY_TAG) requireConcurrency(value);
  else if (key === HANDLER_STYLE_TAG) requireStyle(value);
  else flowSetting(key, value);
}

function requireConcurrency(value: string): void {
  if (!/^[1-9]\d{0,3}$/.test(value) || Number(value) > INSTANCE_CONCURRENCY_MAX) {
    throw new LambentError(
      "InvalidParameter",
      `The tag ${CONCURRENCY_TAG} is ${JSON.stringify(value)}; it is a whole number from 1 to ${INSTANCE_CONCURRENCY_MAX}.`,
    );
  }
}

function requireStyle(value: string): void {
  if (!STYLES.some((style) => style === value)) {
    throw new LambentError(
      "InvalidParameter",
      `The tag ${HANDLER_STYLE_TAG} is ${JSON.stringify(value)}; it is one of ${STYLES.join(", ")}.`,
    );
  }
}
