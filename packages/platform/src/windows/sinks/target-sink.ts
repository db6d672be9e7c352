/**
 * Results into whatever receives events (`delivery/`): one event a result for a bus, a queue, a topic; a row of them as one request or one object
 * for an address or a bucket. At least once, under an id that follows from the result.
 */
import { derivedId, LambentError } from "../../base/index.ts";
import type { Targets } from "../../delivery/index.ts";
import type { HandOver, Parcel, ParcelOptions, Refusal } from "../../outbox/index.ts";
import type { SinkForm } from "../definition.ts";
import type { Lane } from "../engine/lane.ts";
import { endOf, type ResultRow } from "../engine/result-row.ts";
import { type FailedResult } from "./function-sink.ts";
import { resultId, type Sink, sinkId, type SinkOrigin } from "./sink.ts";

/** The principal under which a window hands its results over. */
export const WINDOWS_SERVICE = "windows.lambent";
/** Handed over in one step; kinds of targets take fewer. */
const TOGETHER_MAX = 100;
const TIME_MAX = 2 ** 48 - 1;

const DETAIL_TYPES: Readonly<Record<Lane, string>> = {
  results: "Window Result",
  anomalies: "Window Anomaly",
  late: "Window Late Record",
  setAside: "Window Record Set Aside",
};

export interface TargetSinkParts {
  readonly origin: SinkOrigin;
  readonly targets: () => Promise<Pick<Targets, "handOver">>;
}

type TargetForm = Extract<SinkForm, { readonly kind: "target" | "http" | "bucket" }>;

/** What is handed over in one piece. */
interface Piece {
  /** Results of the lane behind it; undefined where they are only handed over with the pieces that follow. */
  readonly end: number | undefined;
  readonly results: number;
  readonly id: string;
  readonly parcel: Parcel;
}

export function targetSink(lane: Lane, form: TargetForm, parts: TargetSinkParts): Sink {
  return {
    id: sinkId(lane, form),
    lane,
    async send(row, sunk, progress, signal) {
      const pieces = piecesOf(form, row, parts.origin).filter(({ end = Number.POSITIVE_INFINITY }) => end > sunk);
      const targets = await parts.targets();
      let givenUp = 0;
      for (let from = 0; from < pieces.length && !signal.aborted; from += TOGETHER_MAX) {
        const some = pieces.slice(from, from + TOGETHER_MAX);
        const outcomes = await targets.handOver(some.map(({ id, parcel }) => handingOf(parts.origin, id, parcel)));
        for (const [at, piece] of some.entries()) {
          if (!isTaken(outcomes[at], piece.id)) givenUp += piece.results;
          if (piece.end === undefined) continue;
          progress(piece.end, givenUp);
          givenUp = 0;
        }
      }
    },
  };
}

/** Hands a result on that a function failed with, to what is named for that. */
export async function handOverFailed(parts: TargetSinkParts, arn: string, failed: FailedResult): Promise<void> {
  const { origin } = parts;
  const { code, message } = failed.refusal;
  const text = (value: string) => ({ type: "String", value: value === "" ? "-" : value });
  const attributes = { ErrorCode: text(code), ErrorMessage: text(message), RequestID: text(failed.id), Window: text(origin.windowName) };
  const options = { ...optionsOf("results", origin, failed.id), attributes };
  const parcel = parcelOf(origin, arn, failed.payload, options);
  const [outcome] = await (await parts.targets()).handOver([handingOf(origin, derivedId(0, failed.id), parcel)]);
  isTaken(outcome, failed.id);
}

function piecesOf(form: TargetForm, row: ResultRow, origin: SinkOrigin): Piece[] {
  const all = { end: endOf(row), results: row.texts.length };
  switch (form.kind) {
    case "target":
      return row.texts.map((text, at) => {
        const id = idOf(origin, row, at);
        return {
          end: row.first + at + 1,
          results: 1,
          id,
          parcel: parcelOf(origin, form.arn, Buffer.from(text), optionsOf(row.lane, origin, id)),
        };
      });
    case "http": {
      const id = idOf(origin, row, 0);
      const headers = { "content-type": "application/json", "idempotency-key": id, "lambent-window": origin.windowName };
      return [{ ...all, id, parcel: parcelOf(origin, form.url, Buffer.from(`[${row.texts.join(",")}]`), { headers }) }];
    }
    case "bucket":
      return objectsOf(form, row, origin);
  }
}

/** One object for each hour that the row has results of. */
function objectsOf({ bucket, prefix }: Extract<SinkForm, { readonly kind: "bucket" }>, row: ResultRow, origin: SinkOrigin): Piece[] {
  const byHour = Map.groupBy(row.texts.keys(), (at) => Math.floor((row.times[at] ?? 0) / HOUR_MS));
  return [...byHour].map(([hour, places], at): Piece => {
    const options = { objectKey: `${prefix}${hourFolder(hour)}/${objectNameOf(row, origin)}` };
    const payload = Buffer.from(places.map((each) => `${row.texts[each] ?? ""}\n`).join(""));
    const parcel = parcelOf(origin, `arn:aws:s3:::${bucket}`, payload, options);
    const end = at === byHour.size - 1 ? endOf(row) : undefined;
    return { end, results: places.length, id: idOf(origin, row, places[0] ?? 0), parcel };
  });
}

const HOUR_MS = 3_600_000;

/** `year=2026/month=01/day=31/hour=11`, in UTC: readers of such folders know the names. */
function hourFolder(hour: number): string {
  const [date = "", time = ""] = new Date(hour * HOUR_MS).toISOString().split("T");
  const [day, month, year] = [date.slice(-2), date.slice(-5, -3), date.slice(0, -6)];
  return `year=${year}/month=${month}/day=${day}/hour=${time.slice(0, 2)}`;
}

/** The same row has the same name. */
function objectNameOf({ lane, number }: ResultRow, { windowName, windowId, generation }: SinkOrigin): string {
  return `${windowName}-${windowId.slice(0, 8)}-${generation}-${lane}-${String(number).padStart(10, "0")}.jsonl`;
}

function idOf(origin: SinkOrigin, { lane, first, times }: ResultRow, at: number): string {
  return derivedId(Math.min(TIME_MAX, Math.max(0, times[at] ?? 0)), resultId(origin, lane, first + at));
}

function optionsOf(lane: Lane, { windowArn, windowName }: SinkOrigin, id: string): ParcelOptions {
  return {
    event: { source: "lambent.windows", detailType: DETAIL_TYPES[lane], resources: [windowArn] },
    subject: `Window ${windowName}`,
    messageGroupId: windowName,
    deduplicationId: id,
  };
}

function parcelOf({ realm, windowArn }: SinkOrigin, target: string, payload: Buffer, options: ParcelOptions): Parcel {
  return {
    ...{ target, payload, options: fitting(target, options), traceHeader: undefined },
    sender: { kind: "service", realm, service: WINDOWS_SERVICE, sourceArn: windowArn },
  };
}

/** A standard queue takes a group, too, and makes a fair share of it; what it does with a deduplication id is refuse it. */
function fitting(target: string, options: ParcelOptions): ParcelOptions {
  if (target.endsWith(".fifo") || options.deduplicationId === undefined) return options;
  const { deduplicationId: _, messageGroupId: __, ...rest } = options;
  return rest;
}

function handingOf({ windowArn }: SinkOrigin, id: string, parcel: Parcel) {
  const from = { source: "bus", origin: windowArn, subject: undefined, dueAt: undefined, cause: undefined, correlation: id } as const;
  return { id, parcel, from, again: true };
}

/** What a target says of itself and not of what it is handed: it may be mended. */
const SAID_OF_ITSELF: ReadonlySet<string> = new Set(["RESOURCE_NOT_FOUND", "NO_PERMISSIONS", "EGRESS_REFUSED", "RECURSION"]);

/** False for what it will never take. Throws for what is to be tried again. */
function isTaken(outcome: HandOver | undefined, id: string): boolean {
  if (outcome?.kind === "taken") return true;
  if (outcome?.kind === "never" && !SAID_OF_ITSELF.has(outcome.refusal.code)) return false;
  const refusal: Refusal | undefined = outcome?.kind === "wait" ? outcome.why : outcome?.refusal;
  throw new LambentError("Throttled", `Result ${id} was not taken: ${refusal ? `${refusal.code}: ${refusal.message}` : "not now"}.`);
}
