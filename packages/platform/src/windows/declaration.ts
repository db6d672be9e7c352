/**
 * A managed window as people declare it, in JSON or in `lambent.yaml`, read and checked. Strangers to the form are refused with place, value and
 * rule; what is left out gets its default.
 */
import { checkDetectorSpec } from "@lambent/sdk/anomaly";
import { checkWindowDefinition } from "@lambent/sdk/windows";
import { LambentError } from "../base/index.ts";
import { SECRET_VARIABLE } from "../security/index.ts";
import type { AnomalyForm } from "./anomaly-form.ts";
import type { KeyForm, ManagedWindow, SecretForm, SinkForm, TimeForm, WindowSource } from "./definition.ts";
import { readPath } from "./input/path.ts";
import { databaseOf } from "./sinks/postgres/database-url.ts";
import { TABLE_NAME } from "./sinks/postgres/statements.ts";
import { sinkText } from "./sinks/sink.ts";

/** Sinks of one lane. @limit */
export const SINKS_MAX = 10;
/** Calls of a function behind the first one, for one result. @limit */
export const SINK_RETRIES_MAX = 100;
const SINK_RETRIES = 2;

/** Members of a result that have a meaning of their own. */
const RESERVED = new Set(["key", "window", "timing", "index", "final", "replaces", "anomaly"]);
/** Durations that may be spelled `30s`, under their name without its unit. */
const SPANS = {
  outOfOrderness: "outOfOrdernessMs",
  allowedLateness: "allowedLatenessMs",
  jumpMax: "jumpMsMax",
  idleAfter: "idleAfterMs",
} as const;
const WINDOW_SPANS = { size: "sizeMs", every: "everyMs", offset: "offsetMs", gap: "gapMs", sizeMax: "sizeMsMax" } as const;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

type Members = Readonly<Record<string, unknown>>;

/** Reads a declaration. Throws `InvalidParameter` that names place, value and rule. */
export function readDeclaration(given: unknown): ManagedWindow {
  const declared = membersOf(given, "The declaration");
  const { source, start, key, value, time, sinks, lateSinks, setAside, anomaly, ...rest } = declared;
  const window = windowOf(rest);
  const definition: ManagedWindow = {
    source: sourceOf({ source, start, key, value, time }),
    window,
    anomaly: anomaly === undefined ? undefined : anomalyOf(anomaly, Object.keys(window.aggregates)),
    sinks: sinksOf(sinks ?? [], "sinks"),
    lateSinks: sinksOf(lateSinks ?? [], "lateSinks"),
    setAside: setAside === undefined ? undefined : text(setAside, "setAside"),
  };
  checkTogether(definition);
  return definition;
}

function checkTogether({ window, sinks, lateSinks, anomaly, source, setAside }: ManagedWindow): void {
  if (sinks.length === 0 && !anomaly) throw refused("sinks is empty; a window whose results nobody gets does nothing.");
  if (lateSinks.length > 0 && window.late !== "output")
    throw refused('lateSinks get records that come too late, which are put out with late: "output".');
  const ofRecords = [...lateSinks, ...(anomaly?.of === "value" ? anomaly.sinks : [])];
  if (ofRecords.some(({ kind }) => kind === "postgres"))
    throw refused("postgres is a sink for results; late records, and anomalies of records, are of no window that a row could be named by.");
  const reserved = Object.keys(window.aggregates).find(
    (name) => RESERVED.has(name) || (name === "data" && window.window.kind === "rolling"),
  );
  if (reserved !== undefined) throw refused(`aggregates.${reserved} cannot be named so: results have a member of that name.`);
  const streams = [...sinks, ...lateSinks, ...(anomaly?.sinks ?? [])].flatMap((sink) => (sink.kind === "stream" ? [sink.stream] : []));
  if ([...streams, setAside].includes(source.stream))
    throw refused(`${source.stream} is what the window reads; its own results would come back to it.`);
}

function windowOf(rest: Members): ManagedWindow["window"] {
  const { window } = rest;
  const spelled = {
    ...spansIn(rest, SPANS, ""),
    window: isMembers(window) ? spansIn(window, isByCount(window) ? {} : WINDOW_SPANS, "window.") : window,
  };
  const checked = checkWindowDefinition(spelled);
  if (checked.kind === "definition") return checked.definition;
  throw refused(checked.faults.map(({ field, rule }) => `${field}: ${rule}`).join(" "));
}

function isByCount({ kind }: Members): boolean {
  return kind === "tumblingCount" || kind === "slidingCount" || kind === "rolling";
}

/** `size: 30s` as `sizeMs: 30000`. */
function spansIn(members: Members, names: Readonly<Record<string, string>>, place: string): Members {
  const entries = Object.entries(members).map(([name, value]): [string, unknown] => {
    const inMs = Object.hasOwn(names, name) ? names[name] : undefined;
    return inMs === undefined ? [name, value] : [inMs, spanMs(value, place + name)];
  });
  return Object.fromEntries(entries);
}

function spanMs(value: unknown, place: string): number {
  const [, count, unit = ""] = (typeof value === "string" && /^(\d{1,12})(ms|s|m|h|d)$/u.exec(value)) || [];
  if (count === undefined) throw refused(`${place} is ${shown(value)}; it has to be a number and ms, s, m, h or d, as in 30s.`);
  return Number(count) * (UNITS_MS[unit] ?? 1);
}

function sourceOf({ source, start = "latest", key = "record", value = "$", time = "record" }: Members): WindowSource {
  return {
    stream: text(source, "source"),
    start: startOf(start),
    key: keyOf(key),
    value: path(value, "value"),
    time: timeOf(time),
  };
}

/** `latest`, `earliest`, or a time. Throws `InvalidParameter`. */
export function startOf(start: unknown): WindowSource["start"] {
  if (start === "latest" || start === "earliest") return { kind: start };
  const at = start instanceof Date ? start.getTime() : typeof start === "string" ? Date.parse(start) : Number.NaN;
  if (Number.isNaN(at)) throw refused(`start is ${shown(start)}; it has to be latest, earliest or a time such as 2026-01-31T12:00:00Z.`);
  return { kind: "time", at };
}

function keyOf(key: unknown): KeyForm {
  if (key === "record" || key === "all") return { kind: key };
  return { kind: "path", path: path(key, "key", "record, all, or ") };
}

function timeOf(time: unknown): TimeForm {
  if (time === "record") return { kind: "record" };
  if (typeof time === "string") return { kind: "path", path: path(time, "time", "record, or "), format: "ms" };
  const { path: where, format = "ms", ...others } = membersOf(time, "time");
  refuseOthers(others, "time", ["path", "format"]);
  if (format !== "ms" && format !== "s" && format !== "iso") throw refused(`time.format is ${shown(format)}; it has to be ms, s or iso.`);
  return { kind: "path", path: path(where, "time.path"), format };
}

function path(given: unknown, place: string, otherwise = ""): string {
  if (typeof given === "string" && readPath(given) !== undefined) return given;
  throw refused(`${place} is ${shown(given)}; it has to be ${otherwise}a path such as $.device or $.readings[0].`);
}

function sinksOf(given: unknown, place: string): SinkForm[] {
  if (!Array.isArray(given)) throw refused(`${place} is ${shown(given)}; it has to be a list.`);
  if (given.length > SINKS_MAX) throw refused(`${place} has ${given.length} entries; at most ${SINKS_MAX} are allowed.`);
  const sinks = (given as readonly unknown[]).map((each, at) => sinkOf(each, `${place}[${at}]`));
  const texts = sinks.map(sinkText);
  if (new Set(texts).size < texts.length) throw refused(`${place} names one sink twice.`);
  return sinks;
}

const SINK_KINDS = {
  stream: [],
  function: ["retries", "onFailure"],
  target: [],
  http: [],
  bucket: ["prefix"],
  postgres: ["url"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

function sinkOf(given: unknown, place: string): SinkForm {
  const members = membersOf(given, place);
  const kinds = Object.keys(SINK_KINDS) as (keyof typeof SINK_KINDS)[];
  const [kind, another] = kinds.filter((each) => Object.hasOwn(members, each));
  if (kind === undefined || another !== undefined) throw refused(`${place} has to have one of ${kinds.join(", ")}.`);
  refuseOthers(members, place, [kind, ...SINK_KINDS[kind]]);
  const named = text(members[kind], `${place}.${kind}`);
  switch (kind) {
    case "stream":
      return { kind, stream: named };
    case "function":
      return functionSinkOf(named, members, place);
    case "target":
      if (!/^arn:aws[a-z-]*:/u.test(named)) throw refused(`${place}.target is ${shown(named)}; it has to be an ARN.`);
      return { kind, arn: named };
    case "http":
      if (!/^https?:\/\//iu.test(named) || !URL.canParse(named))
        throw refused(`${place}.http is ${shown(named)}; it has to be an address.`);
      return { kind, url: named };
    case "bucket":
      return { kind, bucket: named, prefix: members["prefix"] === undefined ? "" : text(members["prefix"], `${place}.prefix`) };
    case "postgres":
      if (!TABLE_NAME.test(named))
        throw refused(`${place}.postgres is ${shown(named)}; it has to be a table, as in averages or public.averages.`);
      return { kind, table: named, url: secretOf(members["url"], `${place}.url`) };
  }
}

/** What it is, is not repeated in what is said of it. */
function secretOf(given: unknown, place: string): SecretForm {
  const value = typeof given === "string" ? given : "";
  const [, variable] = /^env:(.*)$/su.exec(value) ?? [];
  if (variable !== undefined && !SECRET_VARIABLE.test(variable))
    throw refused(`${place} names the variable ${shown(variable)}; those that may be named begin with LAMBENT_SECRET_.`);
  if (variable !== undefined) return { kind: "environment", variable };
  databaseOf(value);
  return { kind: "plain", value };
}

function functionSinkOf(named: string, { retries = SINK_RETRIES, onFailure }: Members, place: string): SinkForm {
  const [functionName = "", qualifier, more] = named.split(":");
  if (more !== undefined || functionName === "" || qualifier === "")
    throw refused(`${place}.function is ${shown(named)}; it has to be a name, or name:version.`);
  if (typeof retries !== "number" || !Number.isInteger(retries) || retries < 0 || retries > SINK_RETRIES_MAX)
    throw refused(`${place}.retries is ${shown(retries)}; it has to be a whole number from 0 to ${SINK_RETRIES_MAX}.`);
  return {
    ...{ kind: "function", functionName, qualifier, retriesMax: retries },
    onFailure: onFailure === undefined ? undefined : text(onFailure, `${place}.onFailure`),
  };
}

function anomalyOf(given: unknown, aggregates: readonly string[]): AnomalyForm {
  const { of = "value", detector, sinks = [], ...others } = membersOf(given, "anomaly");
  refuseOthers(others, "anomaly", ["of", "detector", "sinks"]);
  if (typeof of !== "string" || (of !== "value" && !aggregates.includes(of)))
    throw refused(`anomaly.of is ${shown(of)}; it has to be value, or an aggregate: ${aggregates.join(", ")}.`);
  const checked = checkDetectorSpec(detector);
  if (checked.kind === "invalid") throw refused(`anomaly.detector: ${checked.why}`);
  return { of, detector: checked.spec, sinks: sinksOf(sinks, "anomaly.sinks") };
}

function refuseOthers(members: Members, place: string, known: readonly string[]): void {
  const other = Object.keys(members).find((name) => !known.includes(name));
  if (other !== undefined) throw refused(`${place} has ${other}, which is unknown; it has ${known.join(", ")}.`);
}

function isMembers(given: unknown): given is Members {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

function membersOf(given: unknown, place: string): Members {
  if (!isMembers(given)) throw refused(`${place} is ${shown(given)}; it has to be an object.`);
  return given;
}

function text(given: unknown, place: string): string {
  if (typeof given === "string" && given !== "" && given.length <= 2_048) return given;
  throw refused(`${place} is ${shown(given)}; it has to be a text.`);
}

function shown(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function refused(message: string): LambentError {
  return new LambentError("InvalidParameter", message);
}
