import { createRequire } from "node:module";
import type * as Yaml from "yaml";
import { LambentError } from "../base/index.ts";
import schema from "./lambent.schema.json" with { type: "json" };
import { checkAgainst, type JsonSchema } from "./schema-check.ts";
import { documentTrigger, type RawTrigger } from "./document-triggers.ts";
import type { RuleTrigger, ScheduleTrigger, WantedBus } from "./event-form.ts";
import { NO_URL, PUBLIC_URL, type FunctionOptions, type UrlForm } from "./form.ts";
import { spanMs } from "./span.ts";
import type { StreamOptions, StreamTrigger, WantedStream } from "./stream-form.ts";
import type { UploadTrigger, WantedBucket } from "./upload-form.ts";
import type { WantedWindow } from "./window-form.ts";
import type { QueueOptions, Trigger, WantedQueue } from "./wiring-form.ts";

/** `lambent.yaml` as read: paths and guesses are not resolved yet, that is for whoever has the folder. */
export interface AppDocument {
  /** Undefined when the document names none; the folder's name is used then. */
  readonly app: string | undefined;
  readonly functions: readonly FunctionDeclaration[];
  readonly queues: readonly WantedQueue[];
  readonly triggers: readonly Trigger[];
  readonly buses: readonly WantedBus[];
  readonly rules: readonly RuleTrigger[];
  readonly schedules: readonly ScheduleTrigger[];
  readonly buckets: readonly WantedBucket[];
  readonly uploads: readonly UploadTrigger[];
  readonly streams: readonly WantedStream[];
  readonly streamTriggers: readonly StreamTrigger[];
  readonly windows: readonly WantedWindow[];
}

export interface FunctionDeclaration {
  readonly name: string;
  /** Relative to the document's folder. */
  readonly code: string;
  readonly runtime: string | undefined;
  readonly handler: string | undefined;
  readonly options: Partial<FunctionOptions>;
  readonly url: UrlForm;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

interface RawFunction {
  readonly code?: string;
  readonly runtime?: string;
  readonly handler?: string;
  readonly description?: string;
  readonly memory?: number;
  readonly timeout?: number | string;
  readonly tmp?: number;
  readonly environment?: Readonly<Record<string, string | number | boolean>>;
  readonly concurrency?: number;
  readonly async?: FunctionOptions["flow"];
  readonly style?: FunctionOptions["handlerStyle"];
  readonly role?: string;
  readonly url?: boolean | { readonly auth?: "NONE" | "AWS_IAM"; readonly stream?: boolean };
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly triggers?: readonly RawTrigger[];
}

interface RawQueue {
  readonly visibility?: number | string;
  readonly retention?: number | string;
  readonly delay?: number | string;
  readonly deadLetter?: { readonly queue: string; readonly after: number };
  readonly contentDeduplication?: boolean;
}

interface RawStream {
  readonly partitions?: number;
  readonly retention?: number | string;
}

/** Characters of one document (P7). */
export const DOCUMENT_CHARACTERS_MAX = 262_144;
/** Anchors a document may repeat: a few are a convenience, thousands are a bomb (P8). */
const ALIASES_MAX = 64;

/**
 * Reads and checks a `lambent.yaml`. Throws `InvalidParameter` that names line or place, value and rule.
 */
export function parseAppDocument(text: string, fileName: string): AppDocument {
  if (text.length > DOCUMENT_CHARACTERS_MAX)
    throw new LambentError(
      "InvalidParameter",
      `${fileName} has ${text.length} characters; at most ${DOCUMENT_CHARACTERS_MAX} are allowed.`,
    );
  const value = readYaml(text, fileName);
  const complaints = checkAgainst(schema as unknown as JsonSchema, value);
  if (complaints.length > 0) throw new LambentError("InvalidParameter", `${fileName}: ${complaints.join(" ")}`);
  const raw = value as {
    readonly app?: string;
    readonly functions: Readonly<Record<string, RawFunction | null>>;
    readonly queues?: Readonly<Record<string, RawQueue | null>>;
    readonly buses?: Readonly<Record<string, { readonly description?: string } | null>>;
    readonly buckets?: Readonly<Record<string, object | null>>;
    readonly streams?: Readonly<Record<string, RawStream | null>>;
    readonly windows?: Readonly<Record<string, { readonly onChange?: string }>>;
  };
  const functions = Object.entries(raw.functions);
  const triggers = functions.flatMap(([name, each]) =>
    (each?.triggers ?? []).map((trigger, at) => documentTrigger(name, trigger, `${fileName}: functions.${name}.triggers[${at}]`)),
  );
  return {
    app: raw.app,
    functions: functions.map(([name, each]) => declaration(name, each ?? {})),
    queues: Object.entries(raw.queues ?? {}).map(([name, each]) => ({ name, options: queueOptionsOf(each ?? {}) })),
    triggers: triggers.flatMap((each) => (each.kind === "queue" ? [each.trigger] : [])),
    buses: Object.entries(raw.buses ?? {}).map(([name, each]) => ({ name, description: each?.description })),
    rules: triggers.flatMap((each) => (each.kind === "rule" ? [each.trigger] : [])),
    schedules: triggers.flatMap((each) => (each.kind === "schedule" ? [each.trigger] : [])),
    buckets: Object.keys(raw.buckets ?? {}).map((name) => ({ name })),
    uploads: triggers.flatMap((each) => (each.kind === "upload" ? [each.trigger] : [])),
    streams: Object.entries(raw.streams ?? {}).map(([name, each]) => ({ name, options: streamOptionsOf(each ?? {}) })),
    streamTriggers: triggers.flatMap((each) => (each.kind === "stream" ? [each.trigger] : [])),
    windows: Object.entries(raw.windows ?? {}).map(([name, { onChange = "refuse", ...declaration }]) => ({
      ...{ name, declaration: JSON.stringify(declaration) },
      restart: onChange === "refuse" ? undefined : onChange,
    })),
  };
}

/** Loaded with the first document: no server reads one, and the library is a tenth of what a start loads. */
const require = createRequire(import.meta.url);

function readYaml(text: string, fileName: string): unknown {
  const { parseDocument } = require("yaml") as typeof Yaml;
  const parsed = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const first = parsed.errors[0];
  if (first)
    throw new LambentError(
      "InvalidParameter",
      `${fileName} is not YAML: ${first.message.split("\n")[0]?.replace(/:$/u, "") ?? first.code}.${starText(first)}`,
    );
  try {
    return parsed.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    throw new LambentError("InvalidParameter", `${fileName} cannot be read: ${(error as Error).message}.`);
  }
}

/** A crontab's `*` at the beginning is what YAML says aliases with. */
function starText({ message }: { readonly message: string }): string {
  return /alias/iu.test(message) ? ' A value that begins with * has to be quoted: "*/5 * * * *".' : "";
}

function declaration(name: string, raw: RawFunction): FunctionDeclaration {
  return {
    name,
    code: raw.code ?? ".",
    runtime: raw.runtime,
    handler: raw.handler,
    options: optionsOf(raw),
    url: urlOf(raw.url),
    include: raw.include ?? [],
    exclude: raw.exclude ?? [],
  };
}

function optionsOf(raw: RawFunction): Partial<FunctionOptions> {
  const environment = raw.environment && Object.fromEntries(Object.entries(raw.environment).map(([name, value]) => [name, String(value)]));
  return {
    ...(raw.description === undefined ? {} : { description: raw.description }),
    ...(raw.memory === undefined ? {} : { memoryMb: raw.memory }),
    ...(raw.timeout === undefined ? {} : { timeoutMs: spanMs(raw.timeout) }),
    ...(raw.tmp === undefined ? {} : { tmpMb: raw.tmp }),
    ...(environment === undefined ? {} : { environment }),
    ...(raw.concurrency === undefined ? {} : { concurrencyPerInstance: raw.concurrency }),
    ...(raw.async === undefined ? {} : { flow: raw.async }),
    ...(raw.style === undefined ? {} : { handlerStyle: raw.style }),
    ...(raw.role === undefined ? {} : { roleArn: raw.role }),
  };
}

function queueOptionsOf(raw: RawQueue): Partial<QueueOptions> {
  return {
    ...(raw.visibility === undefined ? {} : { visibilityMs: spanMs(raw.visibility) }),
    ...(raw.retention === undefined ? {} : { retentionMs: spanMs(raw.retention) }),
    ...(raw.delay === undefined ? {} : { delayMs: spanMs(raw.delay) }),
    ...(raw.deadLetter === undefined ? {} : { deadLetter: raw.deadLetter }),
    ...(raw.contentDeduplication === undefined ? {} : { contentDeduplication: raw.contentDeduplication }),
  };
}

function streamOptionsOf({ partitions, retention }: RawStream): Partial<StreamOptions> {
  return {
    ...(partitions === undefined ? {} : { partitions }),
    ...(retention === undefined ? {} : { retentionMs: retention === "forever" ? -1 : spanMs(retention) }),
  };
}

/** A function has a public address unless the document says otherwise. */
function urlOf(url: RawFunction["url"]): UrlForm {
  if (url === undefined || url === true) return PUBLIC_URL;
  if (url === false) return NO_URL;
  return { kind: "url", auth: url.auth ?? "NONE", invokeMode: url.stream ? "RESPONSE_STREAM" : "BUFFERED" };
}
