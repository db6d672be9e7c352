/** Triggers as a `lambent.yaml` spells them: of a queue, of a stream, of events on a bus, by a schedule, by uploads. */
import { LambentError } from "../base/index.ts";
import type { EventFormat, RuleTrigger, ScheduleTrigger } from "./event-form.ts";
import { guessedRuleName, guessedScheduleName, patternFault, shortPattern } from "./event-pattern.ts";
import { readCron, readEvery, zoneFault, type ScheduleReading } from "./schedule-reading.ts";
import { spanMs } from "./span.ts";
import { isDestination, readFrom, STREAM_TRIGGER_DEFAULTS, type StreamTrigger, type TriggerSource } from "./stream-form.ts";
import type { UploadTrigger } from "./upload-form.ts";
import { guessedUploadName, readUpload, readUploadEvent } from "./upload-pattern.ts";
import { TRIGGER_DEFAULTS, type Trigger } from "./wiring-form.ts";

export interface RawTrigger {
  readonly queue?: string;
  readonly batch?: number;
  readonly window?: number | string;
  readonly concurrency?: number;
  readonly filters?: readonly object[];
  readonly reportFailures?: boolean;
  readonly kafka?: string;
  readonly stream?: string;
  readonly from?: string;
  readonly parallel?: number;
  readonly bisect?: boolean;
  readonly retries?: number;
  readonly maxAge?: number | string;
  readonly onFailure?: string;
  readonly tumble?: number | string;
  readonly on?: string | object;
  readonly bus?: string;
  readonly format?: EventFormat | "json";
  readonly every?: string;
  readonly cron?: string;
  readonly timezone?: string;
  readonly input?: unknown;
  readonly upload?: string;
  readonly event?: string;
  readonly name?: string;
  readonly enabled?: boolean;
}

export type DocumentTrigger =
  | { readonly kind: "queue"; readonly trigger: Trigger }
  | { readonly kind: "stream"; readonly trigger: StreamTrigger }
  | { readonly kind: "rule"; readonly trigger: RuleTrigger }
  | { readonly kind: "schedule"; readonly trigger: ScheduleTrigger }
  | { readonly kind: "upload"; readonly trigger: UploadTrigger };

const OF_STREAMS = [
  "batch",
  "window",
  "from",
  "bisect",
  "retries",
  "maxAge",
  "onFailure",
  "filters",
  "reportFailures",
  "format",
  "enabled",
] as const;

/** What says of a trigger what calls the function, and what else may be said beside it. */
const KINDS = {
  queue: ["batch", "window", "concurrency", "filters", "reportFailures", "enabled"],
  kafka: OF_STREAMS,
  stream: [...OF_STREAMS, "parallel", "tumble"],
  on: ["bus", "format", "name", "enabled"],
  every: ["input", "name", "enabled"],
  cron: ["timezone", "input", "name", "enabled"],
  upload: ["event", "name"],
} as const satisfies Readonly<Record<string, readonly (keyof RawTrigger)[]>>;

/** Reads one trigger of a function; `place` is where it stands. Throws `InvalidParameter` that names place and rule. */
export function documentTrigger(functionName: string, raw: RawTrigger, place: string): DocumentTrigger {
  switch (kindOf(raw, place)) {
    case "queue":
      return { kind: "queue", trigger: queueTrigger(functionName, raw) };
    case "kafka":
      return { kind: "stream", trigger: streamTrigger(functionName, raw, place, { source: "kafka", streamName: raw.kafka ?? "" }) };
    case "stream":
      return { kind: "stream", trigger: streamTrigger(functionName, raw, place, { source: "kinesis", streamName: raw.stream ?? "" }) };
    case "on":
      return { kind: "rule", trigger: ruleTrigger(functionName, raw, place) };
    case "every":
      return {
        kind: "schedule",
        trigger: scheduleTrigger(functionName, raw, place, expressionOf(readEvery(raw.every ?? ""), `${place}.every`)),
      };
    case "cron":
      return {
        kind: "schedule",
        trigger: scheduleTrigger(functionName, raw, place, expressionOf(readCron(raw.cron ?? ""), `${place}.cron`)),
      };
    case "upload":
      return { kind: "upload", trigger: uploadTrigger(functionName, raw, place) };
  }
}

function kindOf(raw: RawTrigger, place: string): keyof typeof KINDS {
  const names = Object.keys(KINDS) as (keyof typeof KINDS)[];
  const [kind, another] = names.filter((name) => Object.hasOwn(raw, name));
  if (kind === undefined) throw refused(`${place} does not say what calls the function: one of ${names.join(", ")}.`);
  if (another !== undefined) throw refused(`${place} has ${kind} and ${another}; each is a trigger of its own.`);
  const allowed: readonly string[] = KINDS[kind];
  if (kind === "upload" && raw.enabled !== undefined)
    throw refused(`${place} has enabled, and S3 has no rule that is there and off: leave the trigger out as long as it shall not call.`);
  for (const name of Object.keys(raw))
    if (name !== kind && !allowed.includes(name))
      throw refused(`${place} has ${name}, which does not go with ${kind}; with it go ${allowed.join(", ")}.`);
  return kind;
}

function queueTrigger(functionName: string, raw: RawTrigger): Trigger {
  return {
    functionName,
    queueName: raw.queue ?? "",
    options: {
      batchSize: raw.batch ?? TRIGGER_DEFAULTS.batchSize,
      windowMs: raw.window === undefined ? TRIGGER_DEFAULTS.windowMs : spanMs(raw.window),
      concurrencyMax: raw.concurrency,
      filters: (raw.filters ?? []).map((pattern) => JSON.stringify(pattern)),
      reportsFailures: raw.reportFailures ?? TRIGGER_DEFAULTS.reportsFailures,
      enabled: raw.enabled ?? TRIGGER_DEFAULTS.enabled,
    },
  };
}

function streamTrigger(
  functionName: string,
  raw: RawTrigger,
  place: string,
  { source, streamName }: { readonly source: TriggerSource; readonly streamName: string },
): StreamTrigger {
  const {
    batch,
    window,
    parallel,
    bisect,
    retries,
    maxAge,
    onFailure,
    tumble,
    filters = [],
    reportFailures,
    enabled,
    format = "aws",
  } = raw;
  if (format === "cloudevent")
    throw refused(`${place}.format is "cloudevent"; of streams it has to be aws or json, which is the bare values.`);
  if (onFailure !== undefined && !isDestination(onFailure))
    throw refused(`${place}.onFailure is ${JSON.stringify(onFailure)}; it has to be queue: and a queue's name, or an ARN.`);
  const from = raw.from === undefined ? undefined : readFrom(raw.from);
  if (raw.from !== undefined && from === undefined)
    throw refused(`${place}.from is ${JSON.stringify(raw.from)}; it has to be start, latest, or a time such as 2026-01-31T08:00:00Z.`);
  return {
    ...{ functionName, streamName, source, from, form: format === "json" ? "json" : source },
    options: {
      batchSize: batch ?? STREAM_TRIGGER_DEFAULTS.batchSize,
      windowMs: window === undefined ? STREAM_TRIGGER_DEFAULTS.windowMs : spanMs(window),
      parallelization: parallel ?? STREAM_TRIGGER_DEFAULTS.parallelization,
      bisects: bisect ?? STREAM_TRIGGER_DEFAULTS.bisects,
      retriesMax: retries,
      recordAgeMsMax: maxAge === undefined ? undefined : spanMs(maxAge),
      onFailure,
      tumblingMs: tumble === undefined ? STREAM_TRIGGER_DEFAULTS.tumblingMs : spanMs(tumble),
      filters: filters.map((pattern) => JSON.stringify(pattern)),
      reportsFailures: reportFailures ?? STREAM_TRIGGER_DEFAULTS.reportsFailures,
      enabled: enabled ?? STREAM_TRIGGER_DEFAULTS.enabled,
    },
  };
}

function ruleTrigger(functionName: string, raw: RawTrigger, place: string): RuleTrigger {
  const pattern = patternOf(raw.on ?? "", `${place}.on`);
  const { format = "aws" } = raw;
  if (format === "json") throw refused(`${place}.format is "json", which is for streams; of events it has to be aws or cloudevent.`);
  return {
    functionName,
    busName: raw.bus ?? "default",
    ruleName: raw.name ?? guessedRuleName(functionName, pattern),
    options: { pattern, format, enabled: raw.enabled ?? true },
  };
}

function patternOf(on: string | object, place: string): string {
  const pattern = typeof on === "string" ? shortPattern(on) : JSON.stringify(on);
  if (pattern === undefined)
    throw refused(
      `${place} is ${JSON.stringify(on)}; it has to be an event pattern, or the type of events such as order.placed or order.*.`,
    );
  const fault = patternFault(pattern);
  if (fault !== undefined) throw refused(`${place} is no event pattern: ${fault}`);
  return pattern;
}

function scheduleTrigger(functionName: string, raw: RawTrigger, place: string, expression: string): ScheduleTrigger {
  const fault = raw.timezone === undefined ? undefined : zoneFault(raw.timezone);
  if (fault !== undefined) throw refused(`${place}.timezone: ${fault}`);
  return {
    functionName,
    scheduleName: raw.name ?? guessedScheduleName(functionName, expression),
    options: {
      expression,
      zone: raw.timezone ?? "UTC",
      input: raw.input === undefined ? undefined : JSON.stringify(raw.input),
      enabled: raw.enabled ?? true,
    },
  };
}

function uploadTrigger(functionName: string, raw: RawTrigger, place: string): UploadTrigger {
  const reading = readUpload(raw.upload ?? "");
  if (reading.kind === "refused") throw refused(`${place}.upload: ${reading.why} ${reading.next}`);
  const event = readUploadEvent(raw.event ?? "created");
  if (event === undefined)
    throw refused(
      `${place}.event is ${JSON.stringify(raw.event)}; it has to be created, removed, or a name of S3's such as s3:ObjectCreated:Put.`,
    );
  const { bucketName, prefix, suffix } = reading.filter;
  return {
    ...{ functionName, bucketName, uploadName: raw.name ?? guessedUploadName(functionName, event, reading.filter) },
    options: { event, prefix, suffix },
  };
}

function expressionOf(reading: ScheduleReading, place: string): string {
  if (reading.kind === "read") return reading.expression;
  throw refused(`${place}: ${reading.why} ${reading.next}`);
}

const refused = (message: string): LambentError => new LambentError("InvalidParameter", message);
