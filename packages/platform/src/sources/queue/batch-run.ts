/** Carries one batch to its end: what `batch-machine.ts` decides, done. */
import { invariant, isLambentError, type Clock, type Instant, type MonotonicMs, type SecureRandom, type Timer } from "../../base/index.ts";
import { hopsOf, type InvokeOutcome, type InvokeRequest, withEvent, eventOf as chainOf } from "../../invoker/index.ts";
import type { Attempt, LedgerRows } from "../../ledger/index.ts";
import type { Realm } from "../../model/index.ts";
import { queueArn, type Queue } from "../../queues/index.ts";
import { refusedBy, type Unreadable, type Verdict, verdictOf } from "../invocation.ts";
import { type BatchEffect, type BatchEvent, type BatchState, batchStep } from "./batch-machine.ts";
import { eventOf } from "./event.ts";
import type { LeasedMessage } from "./leased-message.ts";
import { giveBack, noteFailed, type OutcomeParts, settleHandled } from "./outcomes.ts";
import { type BatchAnswer, readBatchAnswer } from "./response.ts";

/** A message that was held at least this long before its batch starts gets its lease renewed where it would end under the call. */
const RENEW_AFTER_MS = 1_000;

/** The function as it is called now. */
export interface Target {
  readonly timeoutMs: number;
  /** Calls that come back to the function in a circle are ended. */
  readonly endsCircles: boolean;
}

export interface BatchParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly realm: Realm;
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly functionArn: string;
  readonly answers: "whole" | "reported";
  readonly queue: Queue;
  readonly ledger: LedgerRows;
  readonly invoke: (request: InvokeRequest) => Promise<InvokeOutcome>;
  /** Undefined while there is no such function, or none that can be called. */
  readonly target: () => Target | undefined;
  readonly onRefused: () => void;
  readonly onEnded: (ending: BatchEnding) => void;
  readonly onProblem: (error: unknown) => void;
}

export interface BatchEnding {
  readonly kind: "handled" | "failed" | "givenBack";
  /** What went wrong, where something did. */
  readonly problem: string | undefined;
}

/** Which messages are to come again. */
type Handled = Extract<BatchAnswer, { readonly kind: "handled" }>;

const ALL_HANDLED: Handled = { kind: "handled", failed: new Set() };

interface Tried {
  readonly at: Instant;
  readonly requestId: string;
  readonly verdict: Verdict<Handled>;
}

export class BatchRun {
  /** All it began with. */
  readonly messages: readonly LeasedMessage[];
  readonly #parts: BatchParts;
  #messages: readonly LeasedMessage[];
  readonly #heldUntil: MonotonicMs;
  #state: BatchState = { kind: "invoking", attempt: 1 };
  #callMs = 0;
  #tried: Tried | undefined;
  #timer: Timer | undefined;

  constructor(parts: BatchParts, messages: readonly LeasedMessage[]) {
    this.#parts = parts;
    this.messages = messages;
    this.#messages = messages;
    this.#heldUntil = messages.reduce((least, { leaseUntil }) => Math.min(least, leaseUntil), Number.POSITIVE_INFINITY);
  }

  /** It was refused, and tries again. */
  get isWaiting(): boolean {
    return this.#state.kind === "waiting";
  }

  start(): void {
    this.#carryOut({ kind: "invoke" });
  }

  /** The mapping is being disabled: what runs ends, what waits goes back. */
  stop(): void {
    this.#apply({ kind: "stop" });
  }

  /** A place for a call has come free. */
  tryAgain(): void {
    this.#timer?.cancel();
    this.#apply({ kind: "room" });
  }

  #apply(event: BatchEvent): void {
    const { state, effects } = batchStep(this.#state, event, { heldUntil: this.#heldUntil }, this.#parts.clock.monotonicMs());
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: BatchEffect): void {
    switch (effect.kind) {
      case "wakeAt":
        this.#timer = this.#parts.clock.schedule(Math.max(0, effect.at - this.#parts.clock.monotonicMs()), () =>
          this.#apply({ kind: "wake" }),
        );
        return;
      case "invoke":
        return this.#watch(this.#invoke());
      case "settle":
        return this.#watch(this.#settle());
      case "giveBack":
        this.#timer?.cancel();
        return this.#watch(this.#giveBack(effect.delayMs));
    }
  }

  /** Storage that refuses or stops leaves the leases as they are: the messages come again when those end. */
  #watch(work: Promise<BatchEnding | undefined>): void {
    const { onEnded, onProblem } = this.#parts;
    work.then(
      (ending) => ending && onEnded(ending),
      (error: unknown) => {
        this.#state = { kind: "ended" };
        if (!isLambentError(error)) onProblem(error);
        onEnded({ kind: "failed", problem: problemOf(error) });
      },
    );
  }

  async #invoke(): Promise<BatchEnding | undefined> {
    const { target, secureRandom, clock, onRefused } = this.#parts;
    const requestId = secureRandom.uuid();
    const at = clock.now();
    this.#callMs = target()?.timeoutMs ?? 0;
    await this.#renew();
    if (this.#messages.length === 0) {
      this.#state = { kind: "ended" };
      return { kind: "givenBack", problem: undefined };
    }
    const verdict = await this.#call(requestId);
    this.#tried = { at, requestId, verdict };
    this.#apply({ kind: verdict.kind === "refused" ? "refused" : "answered" });
    if (verdict.kind === "refused") onRefused();
    return undefined;
  }

  async #call(requestId: string): Promise<Verdict<Handled>> {
    const { invoke, realm, functionName, qualifier } = this.#parts;
    try {
      const outcome = await invoke({
        realm,
        functionName,
        qualifier,
        payload: eventOf(this.#messages.map(({ json }) => json)),
        requestId,
        traceId: this.#traceHeader(),
        clientContext: undefined,
        stream: undefined,
        wantsTail: false,
      });
      return verdictOf(outcome, (answer) => this.#read(answer));
    } catch (error) {
      return refusedBy(error);
    }
  }

  #read(answer: Buffer): Handled | Unreadable {
    if (this.#parts.answers === "whole") return ALL_HANDLED;
    const read = readBatchAnswer(answer, new Set(this.#messages.map(({ id }) => id)));
    return read.kind === "unreadable" ? { ...read, why: `ReportBatchItemFailures: ${read.why}` } : read;
  }

  /** Of the message that has the longest chain of calls behind it, so that a circle of functions is seen. */
  #traceHeader(): string | undefined {
    const { functionArn } = this.#parts;
    let longest: LeasedMessage | undefined;
    for (const message of this.#messages)
      if (
        message.traceHeader !== undefined &&
        (!longest || hopsOf(message.traceHeader, functionArn) > hopsOf(longest.traceHeader, functionArn))
      )
        longest = message;
    if (longest?.traceHeader === undefined) return undefined;
    return withEvent(longest.traceHeader, longest.id, chainOf(longest.traceHeader)?.correlation ?? longest.id);
  }

  /** A batch does not begin with leases that would end under it; a message that somebody else has now is left to them. */
  async #renew(): Promise<void> {
    const { clock, queue } = this.#parts;
    const { visibilityMs } = queue.record.settings;
    const now = clock.monotonicMs();
    const kept = await Promise.all(
      this.#messages.map(async (message) => {
        if (message.leaseUntil - now >= this.#callMs || now - message.leasedAt < RENEW_AFTER_MS || visibilityMs === 0) return message;
        const outcome = await queue.list.extend(message.receipt, visibilityMs);
        return outcome.kind === "extended" ? { ...message, leasedAt: now, leaseUntil: now + visibilityMs } : undefined;
      }),
    );
    this.#messages = kept.filter((message) => message !== undefined);
  }

  async #settle(): Promise<BatchEnding> {
    const tried = this.#tried;
    invariant(tried && tried.verdict.kind !== "refused", "a batch is settled after the function ran");
    const { verdict } = tried;
    const now = this.#parts.clock.now();
    const leasesLeftFrom = this.#parts.clock.monotonicMs();
    const failed = verdict.kind === "failed" ? this.#messages : this.#messages.filter(({ id }) => verdict.answer.failed.has(id));
    const handled = verdict.kind === "failed" ? [] : this.#messages.filter(({ id }) => !verdict.answer.failed.has(id));
    const problem =
      verdict.kind === "failed" ? verdict.error : failed.length > 0 ? "The function named messages it did not handle." : undefined;
    const parts = this.#outcomeParts();
    const again = {
      attempt: attemptOf(tried, "functionError", problem),
      againAt: ({ leaseUntil }: LeasedMessage) => now + Math.max(0, Math.round(leaseUntil - leasesLeftFrom)),
      isHeld: this.#isHeld,
    };
    await Promise.all([settleHandled(parts, handled, attemptOf(tried, "ok", undefined), now), noteFailed(parts, failed, again)]);
    return { kind: failed.length > 0 ? "failed" : "handled", problem };
  }

  async #giveBack(delayMs: number): Promise<BatchEnding> {
    const { queue, clock } = this.#parts;
    const tried = this.#tried;
    try {
      if (tried?.verdict.kind === "refused") {
        const attempt = attemptOf(tried, tried.verdict.result, tried.verdict.error);
        const again = { attempt, againAt: () => clock.now() + delayMs, isHeld: this.#isHeld };
        await noteFailed(this.#outcomeParts(), this.#messages, again);
      }
    } finally {
      await giveBack(queue, this.#messages, delayMs);
    }
    return { kind: "givenBack", problem: tried?.verdict.kind === "refused" ? tried.verdict.error : undefined };
  }

  readonly #isHeld = ({ leaseUntil }: LeasedMessage): boolean => this.#parts.clock.monotonicMs() < leaseUntil;

  #outcomeParts(): OutcomeParts {
    const { queue, ledger, realm, functionArn } = this.#parts;
    return { queue, ledger, functionArn, queueArn: queueArn(realm, queue.record.name) };
  }
}

function attemptOf({ at, requestId, verdict }: Tried, result: Attempt["result"], error: string | undefined): Attempt {
  const ran = verdict.kind === "refused" ? undefined : verdict;
  return {
    at,
    durationMs: ran?.durationMs ?? 0,
    requestId,
    version: ran?.version,
    result: verdict.kind === "failed" ? verdict.result : result,
    error,
  };
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
