import { type Clock, unreachable } from "../base/index.ts";
import type { FunctionDirectory } from "../functions/index.ts";
import type { Call, CallEnding, FunctionVersion, Realm, ResponseStream, Signals, UsageRecord } from "../model/index.ts";
import type { Acquired, Router, Slot } from "../router/index.ts";
import { Concurrency, type ThrottleReason } from "./concurrency.ts";
import { billedMsOf, endLines, startLine } from "./record.ts";
import { newTraceHeader, withHop } from "./trace-header.ts";

/**
 * Runs calls: admits them against the concurrency limits and the byte bound, finds an instance, sets the deadline,
 * writes the platform's log lines and the usage record (P9). A synchronous call waits at most `ADMISSION_WAIT_MS`
 * while the fleet grows; at a limit it is refused at once.
 */

/** A synchronous call waits at most this long for an instance. @limit */
export const ADMISSION_WAIT_MS = 10_000;
/** Payload bytes of all calls together, in and waiting. @limit */
export const IN_FLIGHT_BYTES_MAX = 256 * 1024 * 1024;
/** AWS's: what `LogType=Tail` returns. */
const TAIL_BYTES_MAX = 4_096;
const NO_BYTES = Buffer.alloc(0);

export interface InvokeRequest {
  readonly realm: Realm;
  readonly functionName: string;
  /** Version number, alias, `$LATEST` or undefined (= `$LATEST`). */
  readonly qualifier: string | undefined;
  readonly payload: Buffer;
  readonly requestId: string;
  readonly traceId: string | undefined;
  readonly clientContext: string | undefined;
  /** Where a streamed answer goes; undefined = the answer is buffered. */
  readonly stream: ResponseStream | undefined;
  /** True when the caller wants the end of the call's log with the answer (`LogType=Tail`). */
  readonly wantsTail: boolean;
  /** The call waits this long for an instance; `ADMISSION_WAIT_MS` when left out. */
  readonly admissionWaitMs?: number;
  /** `returned`: the caller puts the usage into the commit that settles the call (P9), and it is not signalled. */
  readonly usage?: "signalled" | "returned";
}

/** A call that began: how it ended and what it used. */
export interface EndedCall {
  readonly kind: "ended";
  readonly ending: CallEnding;
  readonly version: FunctionVersion;
  /** Last 4 KB of the call's log, START, END and REPORT lines included; empty unless wanted. */
  readonly logTail: Buffer;
  readonly durationMs: number;
  readonly initMs: number;
  readonly billedMs: number;
  readonly maxMemoryMb: number;
  readonly usage: UsageRecord;
}

/** What became of a synchronous call. */
export type InvokeOutcome =
  | EndedCall
  | { readonly kind: "throttled"; readonly reason: ThrottleReason }
  | { readonly kind: "unavailable"; readonly what: string };

export interface InvokerDependencies {
  readonly directory: FunctionDirectory;
  readonly router: Router;
  readonly signals: Signals;
  readonly clock: Clock;
}

export class Invoker {
  readonly #dependencies: InvokerDependencies;
  readonly #concurrency = new Concurrency();
  #bytesInFlight = 0;

  constructor(dependencies: InvokerDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Runs one synchronous call. Throws `NotFound` or `FunctionNotReady` for a target that can't be called;
   * everything that happens to the call itself is a value.
   */
  async invoke(request: InvokeRequest): Promise<InvokeOutcome> {
    const { directory, router } = this.#dependencies;
    const target = directory.find(request.realm, request.functionName, request.qualifier);
    const version = router.chooseVersion(target);
    if (this.#bytesInFlight + request.payload.length > IN_FLIGHT_BYTES_MAX) return { kind: "throttled", reason: "InFlightBytesExceeded" };
    const admission = this.#concurrency.admit(version, {
      reserved: directory.reservedConcurrency(request.realm, version.name),
      unreserved: directory.accountConcurrency(request.realm).unreserved,
    });
    if (admission.kind === "refused") return { kind: "throttled", reason: admission.reason };
    this.#bytesInFlight += request.payload.length;
    try {
      return await this.#run(request, version, target.functionArn);
    } finally {
      this.#bytesInFlight -= request.payload.length;
      admission.release();
    }
  }

  /** Calls that the function could begin now. */
  free(realm: Realm, functionName: string): number {
    const { directory } = this.#dependencies;
    return this.#concurrency.free(realm, functionName, {
      reserved: directory.reservedConcurrency(realm, functionName),
      unreserved: directory.accountConcurrency(realm).unreserved,
    });
  }

  /** Calls `listener` once, when a call of whatever function has ended and left its place. */
  onceFree(listener: () => void): void {
    this.#concurrency.onceFree(listener);
  }

  /** Calls of the function that run or wait now. */
  running(realm: Realm, functionName: string): number {
    return this.#concurrency.running(realm, functionName);
  }

  #run(request: InvokeRequest, version: FunctionVersion, functionArn: string): Promise<InvokeOutcome> {
    const warm = this.#dependencies.router.take(version);
    return warm ? this.#callIn(warm, request, version, functionArn) : this.#runCold(request, version, functionArn);
  }

  async #runCold(request: InvokeRequest, version: FunctionVersion, functionArn: string): Promise<InvokeOutcome> {
    const acquired = await this.#wait(version, request.admissionWaitMs ?? ADMISSION_WAIT_MS);
    switch (acquired.kind) {
      case "slot":
        return this.#callIn(acquired.slot, request, version, functionArn);
      case "initFailed":
        return this.#endedInInit(request, version, acquired);
      case "unavailable":
        return { kind: "unavailable", what: acquired.what };
      case "waitedTooLong":
        return { kind: "throttled", reason: "ConcurrentInvocationLimitExceeded" };
      default:
        return unreachable(acquired);
    }
  }

  /** Its version may be superseded or deleted meanwhile: the call is still served, by the code it was admitted for. */
  async #wait(version: FunctionVersion, waitMs: number): Promise<Acquired> {
    const { directory, router } = this.#dependencies;
    const letGo = directory.keepCode(version);
    try {
      return await router.wait(version, waitMs);
    } finally {
      letGo();
    }
  }

  async #callIn(slot: Slot, request: InvokeRequest, version: FunctionVersion, functionArn: string): Promise<EndedCall> {
    const { clock } = this.#dependencies;
    const startedAt = clock.now();
    const instanceId = slot.instance.id;
    const start = startLine(version, request.requestId, startedAt);
    this.#log(version, instanceId, request.requestId, start);
    const report = await slot.instance.invoke(this.#callOf(request, version, functionArn, startedAt));
    slot.release();
    const initMs = slot.coldStart ? slot.instance.initMs : 0;
    const figures = { durationMs: report.durationMs, initMs, maxMemoryMb: report.memoryPeakMb };
    return this.#settle(request, version, instanceId, startedAt, report.ending, figures, [start, report.logTail]);
  }

  #callOf(request: InvokeRequest, version: FunctionVersion, functionArn: string, startedAt: number): Call {
    return {
      requestId: request.requestId,
      payload: request.payload,
      deadline: startedAt + version.timeoutMs,
      functionArn,
      traceId: withHop(request.traceId ?? newTraceHeader(request.requestId, startedAt), functionArn),
      clientContext: request.clientContext,
      stream: request.stream,
    };
  }

  /** The instance never got ready: the call that needed it began and failed with what init said. */
  #endedInInit(request: InvokeRequest, version: FunctionVersion, failed: Extract<Acquired, { kind: "initFailed" }>): EndedCall {
    const startedAt = this.#dependencies.clock.now();
    const start = startLine(version, request.requestId, startedAt);
    this.#log(version, failed.instanceId, request.requestId, start);
    const ending: CallEnding = { kind: "functionError", payload: failed.payload, phase: "init" };
    const figures = { durationMs: 0, initMs: failed.initMs, maxMemoryMb: failed.memoryPeakMb };
    return this.#settle(request, version, failed.instanceId, startedAt, ending, figures, [start, failed.logTail]);
  }

  #settle(
    request: InvokeRequest,
    version: FunctionVersion,
    instanceId: string,
    startedAt: number,
    ending: CallEnding,
    used: { readonly durationMs: number; readonly initMs: number; readonly maxMemoryMb: number },
    log: readonly [string, Buffer],
  ): EndedCall {
    const { signals, clock } = this.#dependencies;
    const billedMs = billedMsOf(used.durationMs, used.initMs);
    const lines = endLines(version, request.requestId, ending, { ...used, billedMs }, clock.now());
    for (const line of lines) this.#log(version, instanceId, request.requestId, line);
    const usage: UsageRecord = {
      requestId: request.requestId,
      account: version.realm.account,
      region: version.realm.region,
      functionName: version.name,
      version: version.version,
      memoryMb: version.memoryMb,
      startedAt,
      ...used,
      billedMs,
      ending: ending.kind,
    };
    if (request.usage !== "returned") signals.emit("usage", usage);
    const logTail = request.wantsTail ? tailOf(log[0], log[1], lines) : NO_BYTES;
    return { kind: "ended", ending, version, logTail, billedMs, usage, ...used };
  }

  #log(version: FunctionVersion, instanceId: string, requestId: string, text: string): void {
    const { signals, clock } = this.#dependencies;
    signals.emit("log", { version, instanceId, at: clock.now(), requestId, text });
  }
}

function tailOf(start: string, own: Buffer, end: readonly string[]): Buffer {
  const whole = Buffer.concat([Buffer.from(`${start}\n`), own, Buffer.from(`${end.join("\n")}\n`)]);
  return whole.subarray(Math.max(0, whole.length - TAIL_BYTES_MAX));
}
