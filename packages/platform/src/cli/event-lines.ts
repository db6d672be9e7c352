import type { EventRecordShape } from "../api/index.ts";
import { formatMs, formatSpan } from "./output.ts";

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
  const source =
    event.Source === "queue"
      ? `queue ${lastPart(event.Origin)}`
      : event.Origin === undefined
        ? event.Source
        : `from ${lastPart(event.Origin)}`;
  return [clockTime(event.AcceptedAt), event.Id, source, targetText(event.Target), String(event.AttemptCount), outcomeText(event, nowMs)];
}

/** Everything about one event. */
export function eventLines(event: EventJson, nowMs: number): string[] {
  const rows: (readonly [string, string])[] = [
    ["event", event.Id],
    ["accepted", new Date(event.AcceptedAt * 1_000).toISOString()],
    ["source", event.Origin === undefined ? event.Source : `${event.Source}, ${event.Origin}`],
    ["target", event.Target],
    ["outcome", outcomeText(event, nowMs)],
  ];
  if (event.Cause !== undefined) rows.push(["cause", event.Cause]);
  if (event.Correlation !== event.Id) rows.push(["chain", event.Correlation]);
  if (event.Undelivered !== undefined) rows.push(["not told", `${event.Undelivered} took no outcome`]);
  const shown = event.Attempts.map((attempt, index) => attemptText(attempt, index, event));
  return [...rows.map(([label, value]) => `  ${label.padEnd(10)} ${value}`), ...shown.map((line) => `  ${line}`)];
}

/** Of many attempts only the first and the latest are kept. */
function attemptText(
  { At, DurationMs, Result, Version, Error: error }: AttemptJson,
  index: number,
  { AttemptCount, Attempts }: EventJson,
): string {
  const number = index === 0 ? 1 : AttemptCount - Attempts.length + index + 1;
  const took = DurationMs > 0 ? ` in ${formatMs(DurationMs)}` : "";
  const version = Version === undefined || Version === "$LATEST" ? "" : ` (version ${Version})`;
  return `attempt ${number}  ${clockTime(At)}  ${RESULTS[Result]}${took}${version}${error === undefined ? "" : `: ${error}`}`;
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
      return `dead-lettered to ${targetText(event.DeadLetterTarget ?? "")} (${REASONS[event.Reason ?? ""] ?? event.Reason})`;
    case "discarded":
      return `discarded: ${REASONS[event.Reason ?? ""] ?? event.Reason}`;
    default:
      return event.Outcome ?? "ended";
  }
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
};

/** `hello`, `hello:prod`, `queue orders`. */
function targetText(arn: string): string {
  const [, , service, , , ...rest] = arn.split(":");
  return service === "lambda" ? rest.slice(1).join(":") : service === "sqs" ? `queue ${rest.join(":")}` : arn;
}

function lastPart(arn: string | undefined): string {
  return arn?.split(":").at(-1) ?? "";
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 19).replace("T", " ");
}
