/** Which notification rules would tell of the same thing. */
import type { NotificationRule } from "./bucket-record.ts";

type Said = Pick<NotificationRule, "events" | "prefix" | "suffix">;

/**
 * Two rules that would tell of the same event for the same key, the first such pair: they share an event, and their prefixes and suffixes
 * both overlap. Targets of different kinds do not make it less ambiguous.
 */
export function overlappingRules<Rule extends Said>(rules: readonly Rule[]): readonly [Rule, Rule] | undefined {
  for (const [index, left] of rules.entries())
    for (const right of rules.slice(index + 1)) if (shareEvent(left.events, right.events) && overlap(left, right)) return [left, right];
  return undefined;
}

function shareEvent(left: readonly string[], right: readonly string[]): boolean {
  return left.some((one) => right.some((other) => one === other || isOfAll(one, other) || isOfAll(other, one)));
}

/** `s3:ObjectCreated:Put` is one of `s3:ObjectCreated:*`. */
function isOfAll(event: string, all: string): boolean {
  return all.endsWith(":*") && event.startsWith(all.slice(0, -1));
}

function overlap(left: Said, right: Said): boolean {
  const prefixes = left.prefix.startsWith(right.prefix) || right.prefix.startsWith(left.prefix);
  const suffixes = left.suffix.endsWith(right.suffix) || right.suffix.endsWith(left.suffix);
  return prefixes && suffixes;
}
