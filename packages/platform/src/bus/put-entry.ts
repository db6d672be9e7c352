/**
 * One entry of PutEvents: what is refused of it, with the code and the words EventBridge has for that entry, and what the
 * rest of the bus works with. An entry that is refused leaves the others of its call alone (P8).
 */
import { type Instant, jsonDepth, JsonText } from "../base/index.ts";

/** Largest entry: its time, source, type, resources and detail together. @limit */
export const ENTRY_BYTES_MAX = 1_048_576;
/** Objects and arrays inside each other in a detail. @limit */
export const DETAIL_DEPTH_MAX = 1_100;

/** The years that a timestamp of four digits can say. */
const [TIME_MIN, TIME_MAX] = [-62_167_219_200_000, 253_402_300_799_999];

/** What a time counts for, however it was written. */
const TIME_BYTES = 14;

export interface GivenEntry {
  readonly source?: string | undefined;
  readonly detailType?: string | undefined;
  readonly detail?: string | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly time?: Instant | undefined;
}

/** An entry with all that an event needs. */
export interface CheckedEntry {
  readonly source: string;
  readonly detailType: string;
  /** The JSON object as it was sent. */
  readonly detail: Buffer;
  readonly resources: readonly string[];
  readonly time: Instant | undefined;
}

export type EntryRefusalCode = "InvalidArgument" | "MalformedDetail" | "NotAuthorizedForSourceException";

export type EntryVerdict =
  | { readonly kind: "accepted"; readonly entry: CheckedEntry }
  | { readonly kind: "refused"; readonly code: EntryRefusalCode; readonly message: string };

/**
 * Whether an entry can be put on a bus. Ends as `accepted`, or as `refused` with the code and message of its result entry.
 *
 * Sources that begin with `aws.` are kept for the services' own events, which do not come this way.
 *
 * @see EventBridge API reference, PutEvents
 */
export function checkEntry(given: GivenEntry): EntryVerdict {
  const { source, detailType, detail, resources = [], time } = given;
  if (!source) return missing("Source");
  if (!detailType) return missing("DetailType");
  if (!detail) return missing("Detail");
  // Written so that NaN, which is neither less nor more, is outside.
  if (time !== undefined && !(time >= TIME_MIN && time <= TIME_MAX))
    return refused("InvalidArgument", "Parameter Time is not valid. Reason: Time has to be within the years 0 to 9999.");
  const bytes = entryBytes(given);
  if (bytes > ENTRY_BYTES_MAX)
    return refused(
      "InvalidArgument",
      `Parameter Entry is not valid. Reason: Size is ${bytes} bytes; an entry has at most ${ENTRY_BYTES_MAX}.`,
    );
  if (source.startsWith("aws.")) return refused("NotAuthorizedForSourceException", "Not authorized for the source.");
  if (JsonText.parse(detail)?.kind !== "object") return refused("MalformedDetail", "Detail is malformed.");
  if (jsonDepth(detail) > DETAIL_DEPTH_MAX)
    return refused("MalformedDetail", `Detail is malformed. Objects and arrays are nested more than ${DETAIL_DEPTH_MAX} deep.`);
  return { kind: "accepted", entry: { source, detailType, detail: Buffer.from(detail), resources, time } };
}

/** The size of an entry as EventBridge reckons it. */
export function entryBytes({ source = "", detailType = "", detail = "", resources = [], time }: GivenEntry): number {
  return [source, detailType, detail, ...resources].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    time === undefined ? 0 : TIME_BYTES,
  );
}

function missing(name: string): EntryVerdict {
  return refused("InvalidArgument", `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
}

function refused(code: EntryRefusalCode, message: string): EntryVerdict {
  return { kind: "refused", code, message };
}
