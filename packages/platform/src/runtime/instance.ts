import type { Socket } from "node:net";
import { type Clock, deferred, invariant, type Timer } from "../base/index.ts";
import type { Call, CallEnding, Departure, FunctionVersion, Signals } from "../model/index.ts";
import type { ConfinedProcess, ProcessExit } from "../sandbox/index.ts";
import { RESPONSE_BYTES_MAX } from "./channel/frames.ts";
import { Deadlines, type TimeLimits } from "./deadlines.ts";
import { exitErrorPayload, timedOutPayload } from "./endings.ts";
import { advance, callsOf, type InstanceEffect, type InstanceEvent, type InstanceState } from "./instance-state.ts";
import { LogIntake } from "./log-intake.ts";
import { LogTail } from "./log-tail.ts";
import type { Answer, Port, PortListener } from "./port.ts";
import { RunningCall, STREAMED_BYTES_MAX } from "./running-call.ts";
import { TmpWatch } from "./tmp-watch.ts";
import { type CallReport, initTimeoutMs, type Instance, LOG_TAIL_BYTES_MAX, type StartEnding } from "./runtime.ts";

/**
 * One process that runs one version: carries out what `instance-state.ts` decides.
 *
 * Owns the calls that run in it, their deadlines, their lines, its end. Keeps P3's "never more calls at once than
 * configured", and that every call ends in exactly one report, at its deadline at the latest. Decides nothing about
 * when instances start or drain.
 */

/** What a process still has in its pipes after its end is read for this long at most. */
const EXIT_DRAIN_MS = 300;
/** A closed channel mostly means the process is ending; after this it is taken for a breach and ended. */
const CLOSED_GRACE_MS = 2_000;
/** The memory peak is read again when the last reading is this old: a reading is a system call or two. */
const MEMORY_SAMPLE_MS = 20;

/** Init's place among the deadlines; calls count from 1. */
const INIT = 0;

const BYTES_PER_MB = 1_024 * 1_024;

export interface InstanceParts {
  readonly version: FunctionVersion;
  readonly process: ConfinedProcess;
  readonly clock: Clock;
  readonly signals: Signals;
  readonly timeLimits: TimeLimits;
  /** Closes what serves the instance: API and proxy listeners. Called once, when the process is gone. */
  readonly close: () => void;
}

type InitEnding = { readonly kind: "ready" } | { readonly kind: "failed"; readonly payload: Buffer };

/** An instance from its process on; `start` assigns it, then it is the router's. */
export class AssignedInstance implements Instance, PortListener {
  readonly gone: Promise<Departure>;
  readonly #parts: InstanceParts;
  readonly #gone = deferred<Departure>();
  readonly #init = deferred<InitEnding>();
  readonly #logs: LogIntake;
  readonly #deadlines: Deadlines;
  readonly #initTail = new LogTail(LOG_TAIL_BYTES_MAX);
  readonly #tmp: TmpWatch | undefined;
  readonly #pipesEnded: Promise<unknown>;
  #state: InstanceState<RunningCall> = { kind: "starting" };
  #port: Port | undefined;
  #nextCallId = 1;
  #initMs = 0;
  #memoryPeakMb = 0;
  #memorySampledMs = -Infinity;
  #closedTimer: Timer | undefined;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    this.gone = this.#gone.promise;
    this.#logs = new LogIntake(parts.clock, (callId, text) => this.#takeLine(callId, text));
    this.#deadlines = new Deadlines(parts.clock, (callId) => this.#onDue(callId), parts.timeLimits);
    const callIdNow = (): number => (this.version.concurrencyPerInstance === 1 ? (callsOf(this.#state).keys().next().value ?? 0) : 0);
    this.#pipesEnded = Promise.all([parts.process.stdout, parts.process.stderr].map((pipe) => this.#logs.readPipe(pipe, callIdNow)));
    const count = parts.process.tmpBytes;
    const bytesMax = parts.version.tmpMb * BYTES_PER_MB;
    this.#tmp = count && new TmpWatch({ clock: parts.clock, count, bytesMax, over: (bytes) => this.#onTmpOver(bytes) });
    void parts.process.exited.then((exit) => this.#onExit(exit));
  }

  get id(): string {
    return this.#parts.process.id;
  }

  get version(): FunctionVersion {
    return this.#parts.version;
  }

  get capacity(): number {
    return this.version.concurrencyPerInstance;
  }

  get running(): number {
    return callsOf(this.#state).size;
  }

  get admitting(): boolean {
    return this.#state.kind === "idle" || this.#state.kind === "busy";
  }

  /** True once it drains or is gone. */
  get leaving(): boolean {
    return this.#state.kind === "draining" || this.#state.kind === "gone";
  }

  get initMs(): number {
    return this.#initMs;
  }

  cpuMs(): number {
    return this.#parts.process.usage().cpuMs;
  }

  /** Lets `assign` hand the process its assignment and waits for the handler to be loaded, or for what went wrong. */
  async start(port: Port, assign: () => void): Promise<StartEnding> {
    const { clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    this.#port = port;
    this.#deadlines.setIn(INIT, initTimeoutMs(this.version));
    this.#apply({ kind: "assigned" });
    assign();
    const ending = await this.#init.promise;
    this.#deadlines.clear(INIT);
    this.#initMs = clock.monotonicMs() - startedMs;
    if (ending.kind === "ready") return { kind: "ready", instance: this };
    await this.gone;
    return {
      kind: "initFailed",
      instanceId: this.id,
      payload: ending.payload,
      initMs: this.#initMs,
      logTail: this.#initTail.content(),
      memoryPeakMb: this.#sampleMemory(),
    };
  }

  invoke(call: Call): Promise<CallReport> {
    invariant(this.running < this.capacity, `instance ${this.id} takes ${this.capacity} calls at once`);
    const { clock } = this.#parts;
    const callId = this.#nextCallId;
    this.#nextCallId = callId === 0xffff_ffff ? 1 : callId + 1;
    return new Promise((resolve) => {
      this.#deadlines.set(callId, call.deadline);
      this.#apply({ kind: "admitted", callId, running: new RunningCall(call, clock.monotonicMs(), resolve) });
    });
  }

  /** A connection to a port inside the process's own network. */
  connect(port: number): Promise<Socket> {
    return this.#parts.process.connect(port);
  }

  /** No debugger holds anything any more: init and the calls that run have their whole time from now on. */
  countTime(): void {
    this.#deadlines.count();
  }

  drain(): void {
    this.#apply({ kind: "drain" });
  }

  ready(): void {
    this.#init.resolve({ kind: "ready" });
    this.#apply({ kind: "ready" });
  }

  initFailed(payload: Buffer): void {
    this.#init.resolve({ kind: "failed", payload });
    this.#apply({ kind: "initFailed" });
  }

  answered(callId: number, answer: Answer): void {
    const running = callsOf(this.#state).get(callId);
    if (!running) return;
    const ending = answer.ending.kind === "streamed" ? ({ kind: "handled", payload: running.collected() } as const) : answer.ending;
    this.#measured = answer.durationMs;
    this.#apply({ kind: "settled", callId, ending, exiting: answer.exiting });
    this.#measured = undefined;
    // It is let end by itself, because its exit code says how; one that only said so must not live on beside the fleet.
    if (answer.exiting) this.closed("the process said that it ends, and did not");
  }

  streamBegin(callId: number, begin: Parameters<RunningCall["streamBegin"]>[0]): void {
    callsOf(this.#state).get(callId)?.streamBegin(begin);
  }

  streamChunk(callId: number, chunk: Buffer): void {
    const running = callsOf(this.#state).get(callId);
    if (!running) return;
    const fate = running.streamChunk(chunk);
    if (fate === "takerSlow") this.#pauseStream(callId, running);
    else if (fate === "overrun") this.broken("a stream went on although it was paused");
    else if (fate === "tooLarge") this.#refuseStream(callId, running);
  }

  log(callId: number, text: string): void {
    this.#logs.line(callId, text);
  }

  broken(what: string): void {
    this.#apply({ kind: "broken", what });
  }

  closed(what: string): void {
    this.#closedTimer ??= this.#parts.clock.schedule(CLOSED_GRACE_MS, () => this.#apply({ kind: "broken", what }));
  }

  #onDue(callId: number): void {
    if (callId !== INIT) return this.#apply({ kind: "deadline", callId });
    this.#init.resolve({ kind: "failed", payload: timedOutPayload(undefined, initTimeoutMs(this.version)) });
    this.#apply({ kind: "initTimedOut" });
  }

  /** Duration the process measured for the call that is being settled. */
  #measured: number | undefined;

  #apply(event: InstanceEvent<RunningCall>): void {
    const step = advance(this.#state, event);
    this.#state = step.state;
    for (const effect of step.effects) this.#carryOut(effect);
  }

  #carryOut(effect: InstanceEffect<RunningCall>): void {
    switch (effect.kind) {
      case "send":
        this.#port?.call(effect.callId, effect.running.call);
        return;
      case "end":
        this.#endCall(effect.callId, effect.running, effect.ending);
        return;
      case "stop":
        this.#parts.process.stop(effect.graceMs);
        return;
      case "depart":
        this.#depart(effect.departure);
        return;
    }
  }

  #endCall(callId: number, running: RunningCall, ending: CallEnding): void {
    this.#deadlines.clear(callId);
    if (ending.kind === "timedOut") this.#port?.cancel(callId);
    const durationMs = this.#measured ?? this.#parts.clock.monotonicMs() - running.startedMs;
    running.end(ending, durationMs, this.#sampleMemory());
    this.#tmp?.callEnded();
  }

  /** What would have failed to be written where `/tmp` is bounded by itself is here already: no further call finds it. */
  #onTmpOver(bytes: number): void {
    const held = Number.isFinite(bytes) ? `${Math.ceil(bytes / BYTES_PER_MB)} MB` : "too many files";
    const { tmpMb } = this.version;
    this.#takeLine(0, `/tmp holds ${held}, and ${tmpMb} MB is its size: this instance takes no further call, the next one starts empty.`);
    this.#apply({ kind: "drain" });
  }

  #pauseStream(callId: number, running: RunningCall): void {
    this.#port?.setPaused(callId, true);
    void running.call.stream?.drained().then(() => {
      running.resumed();
      this.#port?.setPaused(callId, false);
    });
  }

  #refuseStream(callId: number, running: RunningCall): void {
    const bytesMax = running.call.stream ? STREAMED_BYTES_MAX : RESPONSE_BYTES_MAX;
    const message = `Response payload size exceeded maximum allowed payload size (${bytesMax} bytes).`;
    const payload = Buffer.from(JSON.stringify({ errorType: "Function.ResponseSizeTooLarge", errorMessage: message }));
    this.#port?.cancel(callId);
    this.#apply({ kind: "settled", callId, ending: { kind: "functionError", payload, phase: "invoke" }, exiting: false });
  }

  #takeLine(callId: number, text: string): void {
    const running = callId === 0 ? undefined : callsOf(this.#state).get(callId);
    if (running) running.log(text);
    else if (this.#state.kind === "starting" || this.#state.kind === "initialising") this.#initTail.add(text);
    const { signals, version, clock } = this.#parts;
    signals.emit("log", { version, instanceId: this.id, at: clock.now(), requestId: running?.call.requestId, text });
  }

  #sampleMemory(): number {
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#memorySampledMs < MEMORY_SAMPLE_MS) return this.#memoryPeakMb;
    this.#memorySampledMs = nowMs;
    this.#memoryPeakMb = Math.max(this.#memoryPeakMb, Math.ceil(this.#parts.process.usage().memoryPeakBytes / BYTES_PER_MB));
    return this.#memoryPeakMb;
  }

  /** What the process wrote before its end counts: frames and pipes are read out first, for a bounded time. */
  async #onExit(exit: ProcessExit): Promise<void> {
    this.#closedTimer?.cancel();
    const drained = deferred<unknown>();
    const timer = this.#parts.clock.schedule(EXIT_DRAIN_MS, () => drained.resolve(undefined));
    await Promise.race([drained.promise, Promise.all([this.#pipesEnded, this.#port?.ended])]);
    timer.cancel();
    this.#closedTimer?.cancel();
    this.#memoryPeakMb = Math.max(this.#memoryPeakMb, Math.ceil(exit.memoryPeakBytes / BYTES_PER_MB));
    this.#logs.reportDropped();
    this.#apply({ kind: "exited", exit });
  }

  #depart(departure: Departure): void {
    this.#port?.close();
    this.#parts.close();
    this.#deadlines.close();
    this.#tmp?.close();
    this.#init.resolve({ kind: "failed", payload: exitErrorPayload(undefined, departure) });
    this.#gone.resolve(departure);
  }
}
