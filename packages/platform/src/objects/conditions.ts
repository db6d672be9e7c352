/** What a request makes its condition: pure. */
import { type Instant, LambentError } from "../base/index.ts";
import type { ObjectVersion, StoredObject } from "./version.ts";

/** What has to be so for a change to happen. */
export interface WriteConditions {
  /** The ETag of the current version without quotes, or `*` for any. */
  readonly ifMatch?: string | undefined;
  /** There is no current version. */
  readonly ifNoneMatch?: "*" | undefined;
}

/** Refuses a put that is not to happen: `PreconditionFailed`, or `NotFound` where there is nothing to compare with. */
export function checkPut(conditions: WriteConditions | undefined, key: string, current: ObjectVersion | undefined): void {
  if (!conditions) return;
  const there = current?.kind === "object" ? current : undefined;
  if (conditions.ifNoneMatch !== undefined && there) throw failed("If-None-Match", `There is an object ${key} already.`);
  if (conditions.ifMatch === undefined) return;
  if (!there) throw new LambentError("NotFound", "The specified key does not exist.", { what: "key", name: key });
  if (!matches(conditions.ifMatch, there.etag)) throw failed("If-Match", `The object ${key} has the ETag ${there.etag}.`);
}

/** Refuses a deletion that is not to happen. What is not there is deleted, unless it has to be there. */
export function checkDelete(conditions: WriteConditions | undefined, key: string, version: ObjectVersion | undefined): void {
  if (conditions?.ifMatch === undefined) return;
  if (version?.kind !== "object") {
    if (conditions.ifMatch === "*") throw failed("If-Match", `There is no object ${key}.`);
    return;
  }
  if (!matches(conditions.ifMatch, version.etag)) throw failed("If-Match", `The object ${key} has the ETag ${version.etag}.`);
}

/** What has to be so for an object to be read. ETags without quotes; `*` is any. */
export interface ReadConditions {
  readonly ifMatch?: readonly string[] | undefined;
  readonly ifNoneMatch?: readonly string[] | undefined;
  readonly ifModifiedSince?: Instant | undefined;
  readonly ifUnmodifiedSince?: Instant | undefined;
}

/**
 * Refuses to read with `PreconditionFailed` or `NotModified`. What says more exactly which content is meant decides: a time is
 * looked at only where no ETag is given (RFC 9110, 13.2.2).
 */
export function checkRead(
  { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince }: ReadConditions,
  { etag, modifiedAt }: Pick<StoredObject, "etag" | "modifiedAt">,
): void {
  // Clients know the time in seconds only.
  const modified = Math.floor(modifiedAt / 1_000) * 1_000;
  if (ifMatch) {
    if (!ifMatch.some((wanted) => matches(wanted, etag))) throw failed("If-Match", `The object has the ETag ${etag}.`);
  } else if (ifUnmodifiedSince !== undefined && modified > ifUnmodifiedSince)
    throw failed("If-Unmodified-Since", "The object was modified since.");
  if (ifNoneMatch) {
    if (ifNoneMatch.some((known) => matches(known, etag))) throw new LambentError("NotModified", "The object has this ETag.");
  } else if (ifModifiedSince !== undefined && modified <= ifModifiedSince)
    throw new LambentError("NotModified", "The object was not modified since.");
}

function matches(wanted: string, etag: string): boolean {
  return wanted === "*" || wanted === etag;
}

function failed(condition: string, why: string): LambentError {
  return new LambentError("PreconditionFailed", `At least one of the pre-conditions you specified did not hold. ${why}`, { condition });
}
