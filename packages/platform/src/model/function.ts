import type { Instant } from "../base/index.ts";
import type { Realm } from "./realm.ts";

/** The one version that can change; every other is a number and never changes. */
export const LATEST = "$LATEST";

/** Bytes of code in the blob store: a zip as it was uploaded, and its unpacked size. */
export interface CodeReference {
  /** SHA-256 of the zip, base64, as Lambda reports it. */
  readonly sha256: string;
  /** Size of the zip. */
  readonly zipBytes: number;
  readonly unpackedBytes: number;
}

/** One layer version a function uses; unpacked over `/opt` in the order of the list. */
export interface LayerReference {
  readonly arn: string;
  readonly code: CodeReference;
}

export type LogFormat = "Text" | "JSON";
export type LogLevel = "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";

export interface LoggingSettings {
  readonly format: LogFormat;
  /** Lines of the application below this level are dropped; only with format JSON. */
  readonly applicationLevel: LogLevel;
  /** Lines of the platform below this level are dropped; only with format JSON. */
  readonly systemLevel: LogLevel;
  /** By default `/aws/lambda/<name>`. */
  readonly group: string;
}

/** How calls reach a handler beyond the plain `handler(event, context)`. */
export type HandlerStyle = "lambda" | "web" | "fetch" | "functions-framework" | "cloudevent";

/** What a person configures of a function; the same shape for `$LATEST` and for numbered versions. */
export interface FunctionSettings {
  readonly description: string;
  /** As AWS names them: `nodejs22.x`, `python3.12`, `provided.al2023`. */
  readonly runtime: string;
  /** `file.export` or `package/file.export`. */
  readonly handler: string;
  readonly roleArn: string;
  /** 128–10,240. */
  readonly memoryMb: number;
  /** 1,000–900,000. */
  readonly timeoutMs: number;
  /** Size of `/tmp`, 512–10,240. */
  readonly tmpMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly layers: readonly LayerReference[];
  readonly architecture: "x86_64" | "arm64";
  readonly logging: LoggingSettings;
  /** Calls one instance takes at once; 1 unless set by `lambent:concurrency`. */
  readonly concurrencyPerInstance: number;
  readonly handlerStyle: HandlerStyle;
  readonly tracing: "PassThrough" | "Active";
  readonly deadLetterArn: string | undefined;
}

/** One runnable state of a function: settings and code, fixed. Instances run exactly one of these (P3). */
export interface FunctionVersion extends FunctionSettings {
  readonly realm: Realm;
  readonly name: string;
  /** `$LATEST` or a whole number from 1. */
  readonly version: string;
  readonly code: CodeReference;
  /** New at every change, so `$LATEST` before and after an update are told apart. */
  readonly revisionId: string;
  readonly modifiedAt: Instant;
}

/** Names one runnable state for instance pools: two versions with the same key are interchangeable. */
export function versionKey(version: FunctionVersion): string {
  return `${version.realm.account}.${version.realm.region}/${version.name}/${version.version}/${version.revisionId}`;
}
