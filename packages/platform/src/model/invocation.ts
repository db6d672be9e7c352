import type { Instant } from "../base/index.ts";
import type { FunctionVersion } from "./function.ts";

/** One call handed to an instance. */
export interface Call {
  readonly requestId: string;
  /** The event as the handler's runtime parses it: JSON bytes, unless the function is custom. */
  readonly payload: Buffer;
  /** When the call must have ended, wall time, as `context.getRemainingTimeInMillis` counts. */
  readonly deadline: Instant;
  /** The ARN the caller used, with its qualifier. */
  readonly functionArn: string;
  /** `X-Amzn-Trace-Id` of the call. */
  readonly traceId: string;
  /** The caller's client context, JSON text, or undefined. */
  readonly clientContext: string | undefined;
  /** Set when the answer is passed on piece by piece; without it the answer is buffered. */
  readonly stream: ResponseStream | undefined;
}

/** Where a streaming answer goes. `write` returns false when the taker is slower than the function (P7). */
export interface ResponseStream {
  /** Called once before any `write`: content type and, for HTTP, the prelude's status, headers, cookies. */
  begin(prelude: ResponsePrelude): void;
  write(chunk: Buffer): boolean;
  /** Resolves when `write` may go on. */
  drained(): Promise<void>;
}

export interface ResponsePrelude {
  readonly contentType: string;
  /** JSON of `statusCode`, `headers`, `cookies` when the function set it by `awslambda.HttpResponseStream.from`. */
  readonly http: Buffer | undefined;
}

/** How one call in one instance ended. Retry policy is a switch on `kind`; no caller parses a message. */
export type CallEnding =
  /** The handler returned; `payload` is the bytes of its answer (empty after a streamed answer). */
  | { readonly kind: "handled"; readonly payload: Buffer }
  /** The handler, or its init, failed; `payload` is `{"errorType","errorMessage","trace"}` as the runtime made it. */
  | { readonly kind: "functionError"; readonly payload: Buffer; readonly phase: "init" | "invoke" }
  /** Not done at its deadline; the instance is being ended. */
  | { readonly kind: "timedOut" }
  /** The instance ended under the call. */
  | { readonly kind: "instanceLost"; readonly departure: Departure };

/** Why an instance is gone. */
export type Departure =
  | { readonly kind: "drained" }
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "outOfMemory" }
  | { readonly kind: "protocolBroken"; readonly what: string }
  | { readonly kind: "notStarted"; readonly what: string };

/** What one started invocation used: exactly one of these each (P9). */
export interface UsageRecord {
  readonly requestId: string;
  readonly account: string;
  readonly region: string;
  readonly functionName: string;
  readonly version: string;
  readonly memoryMb: number;
  readonly startedAt: Instant;
  /** Handler time, fractions allowed. */
  readonly durationMs: number;
  /** Init time of the instance when this call waited for it, else 0. */
  readonly initMs: number;
  /** Whole milliseconds, rounded up: init + duration for on-demand instances, duration for provisioned ones. */
  readonly billedMs: number;
  readonly maxMemoryMb: number;
  readonly ending: CallEnding["kind"];
}

/** One line a function or the platform wrote about it. */
export interface LogLine {
  readonly version: FunctionVersion;
  readonly instanceId: string;
  readonly at: Instant;
  /** Undefined for lines outside any call (init, background work). */
  readonly requestId: string | undefined;
  readonly text: string;
}
