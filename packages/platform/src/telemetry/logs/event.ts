import { crc32 } from "node:zlib";
import type { Instant } from "../../base/index.ts";

/** Bytes of one message; what is over is cut off and said so (P7). */
export const LOG_MESSAGE_BYTES_MAX = 256 * 1024;
const CUT_NOTE = " … (cut off)";

/** What is written: one line of a function, or one event of PutLogEvents. */
export interface NewLogEvent {
  /** When it happened, as its sender says. */
  readonly timestamp: Instant;
  readonly message: string;
  readonly requestId?: string | undefined;
}

/** Where an event is within its stream; later events have higher places. */
export interface Place {
  /** The segment's number: the time it was begun, in milliseconds, made unique. */
  readonly segment: number;
  /** Byte of the segment at which the event's line begins. */
  readonly offset: number;
}

/** What is read. */
export interface LogEvent extends NewLogEvent {
  readonly stream: string;
  readonly ingestedAt: Instant;
  readonly place: Place;
}

/** The event as one line of JSON, with its line feed. */
export function encodeEvent(event: NewLogEvent, ingestedAt: Instant): string {
  // Put together by hand: this runs several times a call. Request ids are the platform's own, so they need no escaping.
  const request = event.requestId === undefined ? "" : `,"r":"${event.requestId}"`;
  return `{"t":${instantText(event.timestamp)},"i":${instantText(ingestedAt)}${request},"m":${JSON.stringify(cut(event.message))}}\n`;
}

let lastInstant = -1;
let lastInstantText = "-1";

/** Lines come many in a millisecond: their time is turned into text once. */
function instantText(instant: Instant): string {
  if (instant === lastInstant) return lastInstantText;
  lastInstant = instant;
  return (lastInstantText = String(instant));
}

/** Reads one line; `undefined` for what a crash left half written. */
export function decodeEvent(line: string, stream: string, place: Place): LogEvent | undefined {
  try {
    const { t, i, r, m } = JSON.parse(line) as { t: number; i: number; r?: string; m: string };
    return { timestamp: t, ingestedAt: i, requestId: r, message: m, stream, place };
  } catch {
    return undefined;
  }
}

/** A number, as text, that no other event of the group has: what `aws logs tail` tells seen events by. */
export function eventId(event: LogEvent): string {
  const { segment, offset } = event.place;
  return `${String(segment).padStart(15, "0")}${String(crc32(event.stream)).padStart(10, "0")}${String(offset).padStart(10, "0")}`;
}

/** Orders the events of a group: by time, then stream, then place. */
export function compareEvents(left: EventKey, right: EventKey): number {
  return (
    left.timestamp - right.timestamp ||
    (left.stream < right.stream ? -1 : left.stream > right.stream ? 1 : 0) ||
    left.place.segment - right.place.segment ||
    left.place.offset - right.place.offset
  );
}

export type EventKey = Pick<LogEvent, "timestamp" | "stream" | "place">;

function cut(message: string): string {
  if (message.length * 3 <= LOG_MESSAGE_BYTES_MAX || Buffer.byteLength(message) <= LOG_MESSAGE_BYTES_MAX) return message;
  // A character cut in half would read as U+FFFD; what is left of it goes too.
  const kept = Buffer.from(message)
    .subarray(0, LOG_MESSAGE_BYTES_MAX - Buffer.byteLength(CUT_NOTE))
    .toString("utf8")
    .replace(/\uFFFD$/, "");
  return kept + CUT_NOTE;
}
