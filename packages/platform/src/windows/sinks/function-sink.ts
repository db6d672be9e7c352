/**
 * Results into a function: a synchronous call for each, in order for each key, several keys at once. At least once: behind a crash the calls of the
 * row that was under way are made again, with the request ids that they had.
 */
import { type Clock, derivedId, LambentError, type Random, unreachable } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { InvokeOutcome } from "../../invoker/index.ts";
import { afterHandOver, BACK_OFF_WAITS_MS, type Refusal, type Tried } from "../../outbox/index.ts";
import type { SinkForm } from "../definition.ts";
import type { Lane } from "../engine/lane.ts";
import { endOf, type ResultRow } from "../engine/result-row.ts";
import { pause } from "../engine/wake.ts";
import { type Progress, resultId, type Sink, sinkId, type SinkOrigin } from "./sink.ts";

/** Calls of one window under way at once. @limit */
export const CALLS_MAX = 16;
/** Refused for want of capacity, which is no attempt. */
const THROTTLED_MS = 500;
/** Bytes of a function's error that are read. */
const ERROR_BYTES_MAX = 65_536;
const TIME_MAX = 2 ** 48 - 1;

export interface WindowCall {
  readonly realm: Realm;
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly payload: Buffer;
  readonly requestId: string;
}

/** A result that every call failed with. */
export interface FailedResult {
  readonly id: string;
  readonly payload: Buffer;
  readonly refusal: Refusal;
  readonly attempts: number;
}

export interface FunctionSinkParts {
  readonly origin: SinkOrigin;
  readonly clock: Clock;
  readonly random: Random;
  readonly retryTimeFactor: number;
  /** Throws `NotFound` for a function that is gone. */
  readonly invoke: (call: WindowCall) => Promise<InvokeOutcome>;
  /** Gives up a result: to what is named for that, or to nobody. */
  readonly giveUp: (failed: FailedResult) => Promise<void>;
}

type FunctionForm = Extract<SinkForm, { readonly kind: "function" }>;

export function functionSink(lane: Lane, form: FunctionForm, parts: FunctionSinkParts): Sink {
  return {
    id: sinkId(lane, form),
    lane,
    send: (row, sunk, progress, signal) => new RowOfCalls(form, parts, row, signal).send(sunk, progress),
  };
}

class RowOfCalls {
  readonly #form: FunctionForm;
  readonly #parts: FunctionSinkParts;
  readonly #row: ResultRow;
  readonly #signal: AbortSignal;
  #givenUp = 0;

  constructor(form: FunctionForm, parts: FunctionSinkParts, row: ResultRow, signal: AbortSignal) {
    this.#form = form;
    this.#parts = parts;
    this.#row = row;
    this.#signal = signal;
  }

  async send(sunk: number, progress: Progress): Promise<void> {
    const { first, keys } = this.#row;
    const byKey = new Map<string, number[]>();
    for (let at = Math.max(0, sunk - first); at < keys.length; at += 1) {
      const key = keys[at] as string;
      const mine = byKey.get(key);
      if (mine) mine.push(at);
      else byKey.set(key, [at]);
    }
    const lines = byKey.values();
    const worker = async (): Promise<void> => {
      for (const line of lines) for (const at of line) await this.#call(at);
    };
    // The iterator is shared: each takes the next key.
    await Promise.all(Array.from({ length: Math.min(CALLS_MAX, byKey.size) }, worker));
    progress(endOf(this.#row), this.#givenUp);
  }

  async #call(at: number): Promise<void> {
    const { clock, random, origin, retryTimeFactor } = this.#parts;
    const { functionName, qualifier, retriesMax } = this.#form;
    const { lane, first, times, texts } = this.#row;
    const id = resultId(origin, lane, first + at);
    const time = Math.min(TIME_MAX, Math.max(0, times[at] ?? 0));
    const payload = Buffer.from(texts[at] ?? "");
    const call: WindowCall = { realm: origin.realm, functionName, qualifier, payload, requestId: derivedId(time, id) };
    const policy = { retriesMax, ageMsMax: Number.POSITIVE_INFINITY, waitsMs: BACK_OFF_WAITS_MS.map((ms) => ms * retryTimeFactor) };
    for (let attempts = 1; ;) {
      if (this.#signal.aborted) throw new LambentError("ShuttingDown", "The window is stopping.");
      const tried = readOutcome(await this.#parts.invoke(call));
      if (tried === "throttled") {
        await pause(clock, THROTTLED_MS * retryTimeFactor, this.#signal);
        continue;
      }
      const now = clock.now();
      const step = afterHandOver(policy, { acceptedAt: now, attempts }, tried, now, random.next());
      if (step.kind === "taken") return;
      if (step.kind === "exhausted") {
        await this.#parts.giveUp({ id, payload, refusal: step.refusal, attempts });
        this.#givenUp += 1;
        return;
      }
      attempts += 1;
      await pause(clock, step.at - now, this.#signal);
    }
  }
}

function readOutcome(outcome: InvokeOutcome): Tried | "throttled" {
  if (outcome.kind === "throttled") return "throttled";
  if (outcome.kind === "unavailable") return later("RUNTIME_UNAVAILABLE", outcome.what, 0);
  const { ending, durationMs } = outcome;
  switch (ending.kind) {
    case "handled":
      return { kind: "taken", recorded: false, durationMs };
    case "functionError":
      return later("FUNCTION_ERROR", errorText(ending.payload), durationMs);
    case "timedOut":
      return later("TIMEOUT", "The function took longer than it may.", durationMs);
    case "instanceLost":
      return later("INSTANCE_LOST", "The instance ended under the call.", durationMs);
    default:
      return unreachable(ending);
  }
}

function later(code: string, message: string, durationMs: number): Tried {
  return { kind: "later", refusal: { code, message }, durationMs };
}

/** `Error: no more paper`, of `{"errorType","errorMessage"}`. */
function errorText(payload: Buffer): string {
  try {
    const said = JSON.parse(payload.subarray(0, ERROR_BYTES_MAX).toString("utf8")) as {
      readonly errorType?: unknown;
      readonly errorMessage?: unknown;
    } | null;
    return [said?.errorType, said?.errorMessage]
      .filter((each) => typeof each === "string")
      .join(": ")
      .slice(0, 256);
  } catch {
    return "the function failed";
  }
}
