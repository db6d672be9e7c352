/** What callers make their condition, from the headers they say it with. */
import { isLambentError, LambentError } from "../../base/index.ts";
import { checkRead, type ReadConditions, type StoredObject, type WriteConditions } from "../../objects/index.ts";
import { headerDetail } from "./errors.ts";

/** Headers of a read, or of the source of a copy. */
export interface ConditionInput {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

type Validators = Pick<StoredObject, "etag" | "modifiedAt">;

/** Refuses a read whose conditions do not hold; `headers` are told with a 304. */
export function checkReadHeaders(input: ConditionInput, object: Validators, headers: Readonly<Record<string, string>>): void {
  try {
    checkRead(readConditions(input), object);
  } catch (error) {
    if (!isLambentError(error, "NotModified")) throw error;
    const told = Object.entries(headers).map(([name, value]) => [headerDetail(name), value] as const);
    throw new LambentError(error.code, error.message, Object.fromEntries(told));
  }
}

/** Refuses a copy whose source is not what it has to be; that it is known already refuses it too. */
export function checkCopySource(input: ConditionInput, source: Validators): void {
  try {
    checkRead(readConditions(input), source);
  } catch (error) {
    if (!isLambentError(error, "NotModified", "PreconditionFailed")) throw error;
    const known = input.IfNoneMatch === undefined ? "If-Modified-Since" : "If-None-Match";
    const condition = error.code === "NotModified" ? known : String(error.details["condition"]);
    throw new LambentError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
      condition: `x-amz-copy-source-${condition}`,
    });
  }
}

function readConditions(input: ConditionInput): ReadConditions {
  return {
    ifMatch: tagsIn(input.IfMatch),
    ifNoneMatch: tagsIn(input.IfNoneMatch),
    ifModifiedSince: input.IfModifiedSince?.getTime(),
    ifUnmodifiedSince: input.IfUnmodifiedSince?.getTime(),
  };
}

/** What a writer makes its condition; undefined when it makes none. */
export function writeConditions(input: Pick<ConditionInput, "IfMatch" | "IfNoneMatch">): WriteConditions | undefined {
  const { IfMatch: ifMatch, IfNoneMatch: ifNoneMatch } = input;
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*")
    throw new LambentError(
      "NotImplemented",
      "A header you provided implies functionality that is not implemented: a write has If-None-Match with * only.",
    );
  if (ifMatch === undefined) return ifNoneMatch === undefined ? undefined : { ifNoneMatch };
  return { ifMatch: bareTag(ifMatch), ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }) };
}

function tagsIn(header: string | undefined): readonly string[] | undefined {
  return header?.split(",").map(bareTag);
}

/** An entity tag without its quotes. */
export function bareTag(tag: string): string {
  return tag.trim().replace(/^(?:W\/)?"(.*)"$/u, "$1");
}

/** An entity tag as answers have it. */
export function quotedTag(etag: string): string {
  return `"${etag}"`;
}
