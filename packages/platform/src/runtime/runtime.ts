import type { Call, CallEnding, Departure, FunctionVersion } from "../model/index.ts";

/**
 * Instances: a process assigned to one version, spoken to over frames (docs/runtime-protocol.md).
 * Owns the language side (bootstraps, pools, the Python zygote, the Runtime API for custom runtimes) and one
 * instance's state machine. Decides neither how many instances there are (`autoscaler/`) nor where a call goes (`router/`).
 */

/** What a call took and printed, beside how it ended. */
export interface CallReport {
  readonly ending: CallEnding;
  /** From the frame that carried the event to the one that carried the answer, as the process measured it. */
  readonly durationMs: number;
  /** Last `LOG_TAIL_BYTES_MAX` bytes of this call's own lines, for `LogType=Tail`. */
  readonly logTail: Buffer;
  readonly memoryPeakMb: number;
}

export interface Instance {
  readonly id: string;
  readonly version: FunctionVersion;
  /** Calls it takes at once. */
  readonly capacity: number;
  /** Calls running now. */
  readonly running: number;
  /** True until it drains or is gone. */
  readonly admitting: boolean;
  /** Assignment to handler loaded: reported as Init Duration. */
  readonly initMs: number;
  /** Processor time used so far; 0 where the machine cannot tell. */
  cpuMs(): number;
  /** Runs one call. Never rejects: every ending is a value. Ends at `call.deadline` at the latest, as `timedOut`. */
  invoke(call: Call): Promise<CallReport>;
  /** Takes no new call, lets running ones end, then stops the process. */
  drain(): void;
  readonly gone: Promise<Departure>;
}

/** What an instance is started for, as AWS names it in `AWS_LAMBDA_INITIALIZATION_TYPE`. */
export type Initialization = "on-demand" | "provisioned-concurrency";

/** How a start ended. */
export type StartEnding =
  | { readonly kind: "ready"; readonly instance: Instance }
  /** The function's own init failed: the payload goes to the caller whose call needed the instance. */
  | {
      readonly kind: "initFailed";
      readonly instanceId: string;
      readonly payload: Buffer;
      readonly initMs: number;
      readonly logTail: Buffer;
      readonly memoryPeakMb: number;
    }
  /** The platform could not start a process. */
  | { readonly kind: "unavailable"; readonly what: string };

export interface RuntimeHost {
  /** Starts one instance of `version`: takes a waiting process or makes one, places the code, runs init. */
  start(version: FunctionVersion, initialization: Initialization): Promise<StartEnding>;
  /** Runtime ids this machine can run now, each with a note where it is not the exact version. */
  available(): ReadonlyMap<string, { readonly note: string | undefined }>;
  /** Processes that are started and wait for a function. */
  readonly waiting: number;
  close(): Promise<void>;
}

/** AWS's: the last 4 KB of a call's log. */
export const LOG_TAIL_BYTES_MAX = 4_096;
/** Init may take this long, or the function's timeout where that is longer; then the process is killed and the call fails with `Sandbox.Timedout`. @limit */
export const INIT_TIMEOUT_MS = 10_000;

/**
 * How long the init of an instance may take. AWS runs an init that passes its limit again, within the first call's timeout: here it
 * may take that long at once.
 */
export function initTimeoutMs({ timeoutMs }: FunctionVersion): number {
  return Math.max(INIT_TIMEOUT_MS, timeoutMs);
}
