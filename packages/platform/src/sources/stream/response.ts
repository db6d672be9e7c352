/**
 * What a function says about a batch of a stream: the first record it did not handle, and the state of the window.
 * @see Lambda guide, "Configuring partial batch response with Kinesis Data Streams and Lambda" and "Implementing stateful Kinesis processing"
 */
import type { Unreadable } from "../invocation.ts";
import type { Ending } from "./after-call.ts";

type Answered = Extract<Ending, { readonly kind: "answered" }>;

export interface Asked {
  /** The function names the records that it did not handle. */
  readonly reports: boolean;
  /** It is to say what the state of the window is. */
  readonly wantsState: boolean;
  /** The offset of the record of the batch that is named; undefined: none is. */
  readonly offsetOf: (identifier: unknown) => number | undefined;
}

/** Reads `{"batchItemFailures": [{"itemIdentifier": …}], "state": …}`. Of several failures the first one of the stream counts. */
export function readStreamAnswer(payload: Buffer, { reports, wantsState, offsetOf }: Asked): Answered | Unreadable {
  if (!reports && !wantsState) return { kind: "answered" };
  let answer: unknown;
  try {
    answer = payload.length === 0 ? null : JSON.parse(payload.toString("utf8"));
  } catch {
    return unreadable("the answer is no JSON");
  }
  const members = membersOf(answer);
  if (members === undefined) return unreadable("the answer is no object");
  if (wantsState && !members.has("state")) return unreadable("the answer has no state, which a tumbling window needs");
  const state = wantsState ? JSON.stringify(members.get("state")) : undefined;
  if (!reports) return { kind: "answered", state };
  const items = members.get("batchItemFailures") ?? [];
  if (!Array.isArray(items)) return unreadable("batchItemFailures is no list");
  let failedFrom: number | undefined;
  for (const item of items as readonly unknown[]) {
    const offset = offsetOf(membersOf(item)?.get("itemIdentifier"));
    if (offset === undefined) return unreadable("batchItemFailures has an itemIdentifier of no record of the batch");
    failedFrom = Math.min(offset, failedFrom ?? offset);
  }
  return { kind: "answered", state, failedFrom };
}

/** Nothing, and an empty text, are an object without members. */
function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (value === null || value === "") return new Map();
  return typeof value === "object" && !Array.isArray(value) ? new Map(Object.entries(value as object)) : undefined;
}

function unreadable(why: string): Unreadable {
  return { kind: "unreadable", why: `The function's answer: ${why}.` };
}
