import type { Instant } from "../base/index.ts";
import type { BucketRecord } from "./bucket-record.ts";
import type { Caller, ObjectEvent } from "./object-event.ts";
import type { StoredObject } from "./version.ts";

/** Digits of a sequencer: as many as every number has, so that they compare as text. */
const SEQUENCER_DIGITS = 16;

/** What happened to a key; `number` is above those of all changes before. */
export function eventOf(
  { versioning }: Pick<BucketRecord, "versioning">,
  name: string,
  key: string,
  number: number,
  about: Partial<Pick<StoredObject, "bytes" | "etag" | "versionId">> | undefined,
  at: Instant,
  caller: Caller,
): ObjectEvent {
  return {
    name,
    at,
    key,
    bytes: about?.bytes,
    etag: about?.etag,
    versionId: versioning === "off" ? undefined : about?.versionId,
    sequencer: number.toString(16).toUpperCase().padStart(SEQUENCER_DIGITS, "0"),
    caller,
  };
}
