/** Carries out what one slot of a shard decides: calls, waits, and what is written of them. */
import { type Clock, type Instant, invariant, type SecureRandom, type Timer } from "../../base/index.ts";
import { type InvokeOutcome, type InvokeRequest, newTraceHeader, withEvent } from "../../invoker/index.ts";
import type { Attempt } from "../../ledger/index.ts";
import type { Realm } from "../../model/index.ts";
import { refusedBy, type Unreadable, type Verdict, verdictOf } from "../invocation.ts";
import type { Ending, Settlement } from "./after-call.ts";
import type { Moment, SlotRules } from "./cut.ts";
import type { HeldRecord, RecordForm } from "./forms.ts";
import type { OpenWindow, Piece } from "./held.ts";
import type { Outcomes } from "./outcomes.ts";
import { readStreamAnswer } from "./response.ts";
import type { ShardBook } from "./shard-book.ts";
import { firstOpen, type SlotEffect, type SlotEvent, type SlotState, slotStep } from "./slot-machine.ts";

type Answered = Extract<Ending, { readonly kind: "answered" }>;

export interface SlotParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly realm: Realm;
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly index: number;
  readonly rules: SlotRules;
  /** The function names what it did not handle. */
  readonly reports: boolean;
  readonly form: RecordForm;
  readonly book: ShardBook;
  readonly outcomes: Outcomes;
  readonly invoke: (request: InvokeRequest) => Promise<InvokeOutcome>;
  readonly shard: SlotShard;
}

/** The shard as its slots see it. */
export interface SlotShard {
  /** How far it was read, and what it still has. */
  moment(): Pick<Moment, "keptFrom" | "read">;
  /** Everything before it was read. */
  readonly cursor: number;
  /** Everything before it is done, but for what `slot` is about to write. */
  doneBefore(slot: Slot): number;
  /** They are not held any longer. */
  release(records: readonly HeldRecord[]): void;
  /** A call was refused: `tryAgain` when there is room. */
  onRefused(slot: Slot): void;
  /** A batch ended: `undefined` problem means well. */
  onResult(problem: string | undefined): void;
  /** It has nothing to do, or stopped. */
  onRested(): void;
  /** Nothing more can be written. */
  onFailed(error: unknown): void;
}

export class Slot {
  readonly #parts: SlotParts;
  #state: SlotState<HeldRecord> = { kind: "stopped" };
  #timer: Timer | undefined;
  /** The first offset of what is being written. */
  #settling: number | undefined;
  /** The last call. */
  #tried: Attempt | undefined;

  constructor(parts: SlotParts) {
    this.#parts = parts;
  }

  /** It was refused, and tries again. */
  get isWaiting(): boolean {
    return this.#state.kind === "waiting" && this.#state.why === "refused";
  }

  /** Nothing is held, and nothing under way. */
  get isEmpty(): boolean {
    const { kind } = this.#state;
    return kind === "stopped" || (this.#state.kind === "gathering" && this.#state.line.held.length === 0);
  }

  /** The first offset that was read and is not durably done. */
  get firstOpen(): number | undefined {
    const { book, index } = this.#parts;
    // What a slot that stopped has let go is known by what is written only.
    return this.#settling ?? (this.isStopped ? book.progress.next[index] : firstOpen(this.#state));
  }

  get isStopped(): boolean {
    return this.#state.kind === "stopped";
  }

  get hasWindow(): boolean {
    return this.#state.kind === "gathering" && this.#state.line.window !== undefined;
  }

  start(window: OpenWindow | undefined): void {
    this.#apply({ kind: "start", window });
  }

  stop(): void {
    this.#apply({ kind: "stop" });
  }

  take(records: readonly HeldRecord[]): void {
    this.#apply({ kind: "records", records });
  }

  press(): void {
    this.#apply({ kind: "press" });
  }

  /** Something that it may wait for has changed. */
  wake(): void {
    this.#apply({ kind: "wake" });
  }

  tryAgain(): void {
    this.#apply({ kind: "room" });
  }

  #apply(event: SlotEvent<HeldRecord>): void {
    const { clock, shard, rules } = this.#parts;
    const moment = { ms: clock.monotonicMs(), now: clock.now(), ...shard.moment() };
    const { state, effects } = slotStep(this.#state, event, rules, moment);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
    if (this.isEmpty) shard.onRested();
  }

  #carryOut(effect: SlotEffect<HeldRecord>): void {
    const { clock, shard, book, outcomes } = this.#parts;
    switch (effect.kind) {
      case "call":
        this.#timer?.cancel();
        return this.#watch(this.#call(effect.piece));
      case "settle":
        return this.#watch(this.#settle(effect.settlement, effect.next));
      case "note":
        // Nobody waits for it: what follows is written behind it.
        return this.#watch(book.write({ record: outcomes.tried(effect.piece, this.#lastTried(), this.#wallOf(effect.at)) }));
      case "wakeAt":
        this.#timer?.cancel();
        this.#timer = clock.schedule(Math.max(0, effect.at - clock.monotonicMs()), () => this.#apply({ kind: "wake" }));
        return;
      case "drop":
        return shard.release(effect.records);
      case "stopped":
        this.#timer?.cancel();
        return;
    }
  }

  /** Storage that stopped, or a cell in which damage was found, takes nothing more: what is not written comes again at the next start. */
  #watch(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#timer?.cancel();
      this.#state = { kind: "stopped" };
      this.#parts.shard.onFailed(error);
    });
  }

  async #call(piece: Piece<HeldRecord>): Promise<void> {
    const { clock, secureRandom, shard } = this.#parts;
    const requestId = secureRandom.uuid();
    const at = clock.now();
    const verdict = await this.#invoke(piece, requestId, at);
    this.#tried = attemptOf(at, requestId, verdict);
    if (verdict.kind === "refused") {
      shard.onResult(verdict.error);
      this.#apply({ kind: "refused" });
      return shard.onRefused(this);
    }
    const ending: Ending = verdict.kind === "failed" ? { kind: "failed" } : verdict.answer;
    const problem =
      ending.kind === "answered" && ending.failedFrom !== undefined ? "The function named records it did not handle." : undefined;
    if (problem !== undefined) this.#tried = { ...this.#tried, result: "functionError", error: problem };
    shard.onResult(verdict.kind === "failed" ? verdict.error : problem);
    this.#apply({ kind: "ended", ending });
  }

  async #invoke(piece: Piece<HeldRecord>, requestId: string, at: Instant): Promise<Verdict<Answered>> {
    const { invoke, realm, functionName, qualifier, form, outcomes } = this.#parts;
    const id = outcomes.idOf(piece);
    try {
      const outcome = await invoke({
        ...{ realm, functionName, qualifier, requestId },
        payload: form.event(calledWith(piece), piece.window),
        traceId: withEvent(newTraceHeader(requestId, at), id, id),
        clientContext: undefined,
        stream: undefined,
        wantsTail: false,
      });
      return verdictOf(outcome, (payload) => this.#read(payload, piece));
    } catch (error) {
      return refusedBy(error);
    }
  }

  #read(payload: Buffer, { records, window }: Piece<HeldRecord>): Answered | Unreadable {
    const { form, reports } = this.#parts;
    return readStreamAnswer(payload, {
      reports: reports && window?.closing !== "ended" && window?.closing !== "early",
      wantsState: window?.closing === "no",
      offsetOf: (identifier) => form.offsetOf(identifier, records),
    });
  }

  /** In one commit: where the slot is, its window, the record of the batch, and what is told to the destination. */
  async #settle(settlement: Settlement<HeldRecord>, next: number | undefined): Promise<void> {
    const { book, shard, outcomes, rules, index } = this.#parts;
    const { record, delivery } = outcomes.ended(settlement, this.#tried);
    const slot = { index, next: next ?? shard.cursor };
    const window = rules.tumblingMs > 0 ? (settlement.window ?? "none") : undefined;
    // Slots that have nothing to do write nothing: one that has says for them how far all have come.
    const from = Math.min(slot.next, shard.doneBefore(this));
    this.#settling = settlement.records[0]?.offset;
    await book.write({ slot, from, window, record, delivery });
    this.#settling = undefined;
    shard.release(settlement.records);
    this.#apply({ kind: "settled" });
  }

  #lastTried(): Attempt {
    invariant(this.#tried, "a piece is noted behind a call with it");
    return this.#tried;
  }

  #wallOf(at: number | undefined): Instant | undefined {
    const { clock } = this.#parts;
    return at === undefined ? undefined : Math.round(clock.now() + at - clock.monotonicMs());
  }
}

/** The call that closes a window gets no records. */
function calledWith({ records, window }: Piece<HeldRecord>): readonly HeldRecord[] {
  return window === undefined || window.closing === "no" ? records : [];
}

function attemptOf(at: Instant, requestId: string, verdict: Verdict<Answered>): Attempt {
  if (verdict.kind === "refused") return { at, durationMs: 0, requestId, version: undefined, result: verdict.result, error: verdict.error };
  const { durationMs, version } = verdict;
  if (verdict.kind === "failed") return { at, durationMs, requestId, version, result: verdict.result, error: verdict.error };
  return { at, durationMs, requestId, version, result: "ok", error: undefined };
}
