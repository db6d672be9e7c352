import type { Call, CallEnding } from "../model/index.ts";
import type { StreamBegin } from "./channel/messages.ts";

/**
 * How the platform speaks to one assigned process: frames (`framed-port.ts`) or the public Runtime API (`api/`).
 * An instance knows only this.
 */
export interface Port {
  call(callId: number, call: Call): void;
  /** Nobody waits for this call's answer any more. */
  cancel(callId: number): void;
  /** The taker of a streamed answer is slower than the function: the process should stop writing it, or go on. */
  setPaused(callId: number, paused: boolean): void;
  /** Resolves once nothing more can come from the process. */
  readonly ended: Promise<void>;
  close(): void;
}

/** What comes from the process. Call ids are whatever it says: unknown ones are the listener's to ignore. */
export interface PortListener {
  ready(): void;
  initFailed(payload: Buffer): void;
  answered(callId: number, answer: Answer): void;
  streamBegin(callId: number, begin: StreamBegin): void;
  streamChunk(callId: number, chunk: Buffer): void;
  /** Call id 0: outside any call. */
  log(callId: number, text: string): void;
  /** What came breaks the protocol. */
  broken(what: string): void;
  /** The way to the process ended: mostly because the process did, which is then known within moments. */
  closed(what: string): void;
}

export interface Answer {
  /** `streamed`: the answer was the chunks before. */
  readonly ending: Extract<CallEnding, { kind: "handled" | "functionError" }> | { readonly kind: "streamed" };
  /** As the process measured it; undefined where the protocol has no such thing. */
  readonly durationMs: number | undefined;
  /** The process ends by itself after this. */
  readonly exiting: boolean;
}
