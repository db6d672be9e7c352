/** What lifecycle rules ask for: pure. Everything that is due becomes so at a midnight, UTC, as in S3. */
import type { Instant } from "../base/index.ts";
import type { LifecycleFilter, LifecycleRule } from "./bucket-record.ts";
import type { ObjectVersion, StoredObject } from "./version.ts";

const DAY_MS = 86_400_000;

/** Which day it is, UTC: what is due changes with it only. */
export function dayOf(at: Instant): number {
  return Math.floor(at / DAY_MS);
}

/** So many days later, at the midnight that follows. */
export function midnightBehind(at: Instant, days: number): Instant {
  return (dayOf(at + days * DAY_MS) + 1) * DAY_MS;
}

/** When an object that is current expires, and by which rule: the first one of those that apply. */
export function expiryOf(
  rules: readonly LifecycleRule[],
  key: string,
  object: StoredObject,
): { readonly at: Instant; readonly rule: string } | undefined {
  let first: { readonly at: Instant; readonly rule: string } | undefined;
  for (const rule of rules) {
    if (!appliesTo(rule, key, object)) continue;
    const at = expiresAt(rule, object.modifiedAt);
    if (at !== undefined && at < (first?.at ?? Number.POSITIVE_INFINITY)) first = { at, rule: rule.id };
  }
  return first;
}

/** Whether a current version is to go. `isLone`: it is the only version of its key; of delete markers only such ones go. */
export function isExpired(rules: readonly LifecycleRule[], key: string, version: ObjectVersion, isLone: boolean, now: Instant): boolean {
  if (version.kind === "object") return (expiryOf(rules, key, version)?.at ?? Number.POSITIVE_INFINITY) <= now;
  return (
    isLone &&
    rules.some((rule) => {
      if (!appliesTo(rule, key, version)) return false;
      return rule.removeLoneMarkers === true || (expiresAt(rule, version.modifiedAt) ?? Number.POSITIVE_INFINITY) <= now;
    })
  );
}

/** Whether a noncurrent version is to go: `since` when another one took its place, `newer` noncurrent ones being newer than it. */
export function isNoncurrentExpired(
  rules: readonly LifecycleRule[],
  key: string,
  version: ObjectVersion,
  { since, newer }: { readonly since: Instant; readonly newer: number },
  now: Instant,
): boolean {
  return rules.some(
    (rule) =>
      rule.expireNoncurrentAfterDays !== undefined &&
      appliesTo(rule, key, version) &&
      newer >= (rule.noncurrentKept ?? 0) &&
      midnightBehind(since, rule.expireNoncurrentAfterDays) <= now,
  );
}

/** Whether an upload under way is to be aborted. */
export function isUploadOver(rules: readonly LifecycleRule[], key: string, initiatedAt: Instant, now: Instant): boolean {
  return rules.some(
    ({ enabled, filter, abortUploadsAfterDays }) =>
      enabled &&
      abortUploadsAfterDays !== undefined &&
      key.startsWith(filter.prefix) &&
      midnightBehind(initiatedAt, abortUploadsAfterDays) <= now,
  );
}

function expiresAt({ expireAfterDays, expireAt }: LifecycleRule, modifiedAt: Instant): Instant | undefined {
  return expireAfterDays === undefined ? expireAt : midnightBehind(modifiedAt, expireAfterDays);
}

/** Delete markers have neither tags nor a size: rules that ask for those are not for them. */
function appliesTo({ enabled, filter }: LifecycleRule, key: string, version: ObjectVersion): boolean {
  if (!enabled || !key.startsWith(filter.prefix)) return false;
  if (version.kind === "deleteMarker") return !hasOne(filter.tags) && filter.largerThan === undefined && filter.smallerThan === undefined;
  if (version.bytes <= (filter.largerThan ?? -1) || version.bytes >= (filter.smallerThan ?? Number.POSITIVE_INFINITY)) return false;
  return hasAll(version.tags, filter.tags);
}

// Without lists: a thousand rules may be looked at for each of a million objects.
function hasAll(tags: Readonly<Record<string, string>>, wanted: LifecycleFilter["tags"]): boolean {
  for (const name in wanted) if (!Object.hasOwn(tags, name) || tags[name] !== wanted[name]) return false;
  return true;
}

function hasOne(tags: LifecycleFilter["tags"]): boolean {
  for (const _ in tags) return true;
  return false;
}
