import type { EventRecordShape } from "../api/index.ts";
import { formatMs, formatSpan } from "./output.ts";
import { resourceText } from "./resource-names.ts";

/** An event as the API writes it: times are seconds. */
export type EventJson = {
  readonly [Member in keyof EventRecordShape]: Member extends "Attempts"
    ? readonly AttemptJson[]
    : EventRecordShape[Member] extends Date | undefined
      ? number
      : EventRecordShape[Member];
};

export interface AttemptJson {
  readonly At: number;
  readonly DurationMs: number;
  readonly RequestId: string;
  readonly Version?: string;
  readonly Result: EventRecordShape["Attempts"][number]["Result"];
  readonly Error?: string;
}

export const EVENT_COLUMNS = ["WHEN", "EVENT", "SOURCE", "TARGET", "ATTEMPTS", "OUTCOME"] as const;

/** One event as a row of the list; `nowMs` for what is yet to come. */
export function eventRow(event: EventJson, nowMs: number): string[] {
  return [
    clockTime(event.AcceptedAt),
    event.Id,
    sourceText(event),
    resourceText(event.Target),
    String(event.AttemptCount),
    outcomeText(event, nowMs),
  ];
}

/** Seconds by which a schedule's event has to be late to say when it was due. */
const LATE_S = 1;

/** What others named and wrote, on one line: control characters would move a terminal's cursor, or make lines that nobody wrote. */
function plainText(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/gu, (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** `queue orders`, `stream readings: partition 0, 5 to 104`, `rule r1: order.placed`, `schedule nightly`, `bucket photos: ObjectCreated:Put cat.jpg`; of an event as it was put on a bus its type, and who put it there. */
export function sourceText({ Source, Origin, Subject: subject, Target, AcceptedAt, DueAt, Offsets: offsets }: EventJson): string {
  const Subject = subject === undefined ? undefined : plainText(subject);
  const from = Origin === undefined ? undefined : resourceText(Origin);
  if (Source === "schedule" && DueAt !== undefined && AcceptedAt - DueAt > LATE_S) return `${from ?? Source}, due ${clockTime(DueAt)}`;
  if (Source === "queue" || Source === "schedule" || Source === "topic") return from ?? Source;
  if (Source === "stream") return `${from ?? Source}${offsets === undefined ? "" : `: ${offsetsText(offsets)}`}`;
  if (Source === "objects") return `${from ?? Source}${Subject === undefined ? "" : `: ${Subject}`}`;
  if (Source !== "bus") return from === undefined ? Source : `from ${from}`;
  if (isBus(Target) && (from === undefined || !from.startsWith("rule ")))
    return `${Subject ?? Source}${from === undefined ? "" : ` from ${from}`}`;
  return `${from ?? "bus"}${Subject === undefined ? "" : `: ${Subject}`}`;
}

/** `partition 0, 5 to 104`: the records of a batch. */
function offsetsText({ Partition, First, Last }: NonNullable<EventJson["Offsets"]>): string {
  return `partition ${Partition}, ${First === Last ? First : `${First} to ${Last}`}`;
}

const isBus = (arn: string): boolean => /^arn:[^:]*:events:[^:]*:[^:]*:event-bus\//u.test(arn);

/** Everything about one event. */
export function eventLines(event: EventJson, nowMs: number): string[] {
  const rows: (readonly [string, string])[] = [
    ["event", event.Id],
    ["accepted", new Date(event.AcceptedAt * 1_000).toISOString()],
    ["source", event.Origin === undefined ? event.Source : `${event.Source}, ${event.Origin}`],
    ["target", event.Target],
    ["outcome", outcomeText(event, nowMs)],
  ];
  if (event.Offsets !== undefined) rows.splice(3, 0, ["records", `${event.Offsets.Count} of ${offsetsText(event.Offsets)}`]);
  if (event.Subject !== undefined) rows.splice(3, 0, ["about", plainText(event.Subject)]);
  if (event.DueAt !== undefined) rows.splice(2, 0, ["due", dueText(event, event.DueAt)]);
  if (event.Cause !== undefined) rows.push(["cause", event.Cause]);
  if (event.Correlation !== event.Id) rows.push(["chain", event.Correlation]);
  if (event.Undelivered !== undefined) rows.push(["not told", `${event.Undelivered} did not take it: it is missing, or does not allow it`]);
  const shown = event.Attempts.map((attempt, index) => attemptText(attempt, index, event));
  return [...rows.map(([label, value]) => `  ${label.padEnd(10)} ${value}`), ...shown.map((line) => `  ${line}`)];
}

/** When it was to be, and how long after that its first attempt began. */
function dueText({ Attempts: [first] }: EventJson, dueAt: number): string {
  const due = new Date(dueAt * 1_000).toISOString();
  return first === undefined ? due : `${due}, begun ${formatMs(Math.max(0, (first.At - dueAt) * 1_000))} later`;
}

/** Of many attempts only the first and the latest are kept. */
function attemptText(
  { At, DurationMs, Result, Version, Error: error }: AttemptJson,
  index: number,
  { AttemptCount, Attempts }: EventJson,
): string {
  const number = index === 0 ? 1 : AttemptCount - Attempts.length + index + 1;
  const took = DurationMs > 0 ? ` in ${formatMs(DurationMs)}` : "";
  const result = Result === "unavailable" && refusalCode(error) !== undefined ? "not taken" : RESULTS[Result];
  const version = Version === undefined || Version === "$LATEST" ? "" : ` (version ${Version})`;
  return `attempt ${number}  ${clockTime(At)}  ${result}${took}${version}${error === undefined ? "" : `: ${plainText(error)}`}`;
}

const RESULTS = {
  ok: "handled",
  functionError: "failed",
  timeout: "timed out",
  throttled: "throttled",
  unavailable: "no instance",
} as const;

/** What became of the event, or what it waits for. */
export function outcomeText(event: EventJson, nowMs: number): string {
  if (event.State === "running") return "running";
  if (event.State === "waiting") {
    if (event.NextAt === undefined) return "waits";
    const leftMs = event.NextAt * 1_000 - nowMs;
    return leftMs > 0 ? `waits, next in ${formatSpan(Math.max(leftMs, 1_000))}` : "waits";
  }
  switch (event.Outcome) {
    case "deadLettered":
      return `dead-lettered to ${resourceText(event.DeadLetterTarget ?? "")} (${reasonText(event)})`;
    case "discarded":
      return `discarded: ${reasonText(event)}`;
    default:
      return event.Outcome ?? "ended";
  }
}

function reasonText({ Source, Reason = "", Attempts }: EventJson): string {
  if (Reason === "noListener" && Source === "bus") return "nothing listens to it";
  if (Reason === "noListener" && Source === "topic") return "no subscription takes it";
  if (Reason === "targetGone" && Source !== "invoke") return refusalText(refusalCode(Attempts.at(-1)?.Error));
  return REASONS[Reason] ?? Reason;
}

/** Why a target did not take a delivery: AWS's word, before what it means here. */
function refusalCode(error: string | undefined): string | undefined {
  return /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): /u.exec(error ?? "")?.[1];
}

function refusalText(code: string | undefined): string {
  if (code === undefined) return "its target is gone, or refused it for good";
  if (code === "NO_PERMISSIONS") return "its target does not allow it (NO_PERMISSIONS)";
  if (code === "RESOURCE_NOT_FOUND") return "its target does not exist (RESOURCE_NOT_FOUND)";
  if (code === "EGRESS_REFUSED") return "its address may not be reached from here (EGRESS_REFUSED)";
  return `its target refused it for good (${code})`;
}

/** What was put on a bus or a topic ends there; what came of it are deliveries of their own. */
export function isHandedOn({ Source, Target, Origin, Outcome }: EventJson): boolean {
  if (Outcome !== "handled") return false;
  if (Source === "topic") return Target.includes(":sns:");
  return Source === "bus" && isBus(Target) && Origin?.includes(":rule/") !== true;
}

const REASONS: Readonly<Record<string, string>> = {
  retriesExhausted: "every attempt failed",
  expired: "too old",
  recursion: "functions call each other in a circle",
  zeroConcurrency: "reserved concurrency is 0",
  functionDeleted: "the function was deleted",
  noListener: "no filter matched it",
  superseded: "another event took its place",
  targetGone: "its destination is gone",
  purged: "its queue was purged",
  queueDeleted: "its queue was deleted",
  inputTooLarge: "what its rule makes of it is more than a target takes",
  missed: "its time passed while the server was down, or could not take it",
};

/** In UTC. */
function clockTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 19).replace("T", " ");
}
