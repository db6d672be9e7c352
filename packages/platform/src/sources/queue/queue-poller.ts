/**
 * A mapping at work: reads its queue and runs batches, as `poller-machine.ts` decides.
 *
 * Owns the one read that waits and the batches that run. Keeps P2 (each message ends in one recorded outcome), P4, P6, P7 (what one
 * read may bring). Deliberately does not: decide (the machines do), know who else reads the queue, store anything of its own.
 */
import { isLambentError, type Clock, type SecureRandom, type Timer } from "../../base/index.ts";
import { hopsOf, RECURSION_HOPS_MAX, type InvokeOutcome, type InvokeRequest } from "../../invoker/index.ts";
import type { LedgerRows } from "../../ledger/index.ts";
import type { Realm } from "../../model/index.ts";
import { queueArn, type Queue } from "../../queues/index.ts";
import type { LeasedItem } from "../../storage/index.ts";
import { BatchRun, type BatchEnding, type Target } from "./batch-run.ts";
import type { MessageFilter } from "./filter.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { Holds } from "./holds.ts";
import { leasedMessage, type LeasedMessage } from "./leased-message.ts";
import { giveBack, settleCircling, settleUnmatched } from "./outcomes.ts";
import { BATCH_BYTES_MAX, pollerStep, type PollerEffect, type PollerEvent, type PollerRules, type PollerState } from "./poller-machine.ts";

/** Messages one read brings (P7): so many of the largest, 1 MiB, are held for a moment at worst. @limit */
export const READ_MESSAGES_MAX = 100;
/** The same after a read that brought many bytes. */
const READ_MESSAGES_WHEN_LARGE = 10;
/** A read that finds nothing waits this long before it is made anew. */
const READ_WAIT_MS = 86_400_000;

/** What a mapping is set to, as its poller needs it. */
export interface PollerSettings {
  readonly rules: PollerRules;
  readonly filter: MessageFilter;
  readonly answers: "whole" | "reported";
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly functionArn: string;
}

/** What is kept of one queue beside its messages, however many mappings read it. */
export interface QueueDesk {
  readonly ledger: LedgerRows;
  readonly holds: Holds;
}

export interface PollerParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly realm: Realm;
  /** Throws `NotFound` while there is no such queue. */
  readonly queue: () => Promise<Queue>;
  readonly desk: (queue: Queue) => Promise<QueueDesk>;
  /** Of all mappings. */
  readonly heldBytes: HeldBytes;
  readonly invoke: (request: InvokeRequest) => Promise<InvokeOutcome>;
  /** Calls of the function that may begin now. */
  readonly free: (functionName: string) => number;
  /** Calls `listener` once, when a call of whatever function has ended. */
  readonly onceFree: (listener: () => void) => void;
  readonly target: (functionName: string, qualifier: string | undefined) => Target | undefined;
  /** What the last thing that happened says: `undefined` problem means that it went well. */
  readonly onResult: (problem: string | undefined) => void;
  readonly onProblem: (error: unknown) => void;
}

export class QueuePoller {
  readonly #parts: PollerParts;
  readonly #batches = new Set<BatchRun>();
  #settings: PollerSettings;
  #state: PollerState<LeasedMessage> = { kind: "stopped" };
  /** The read under way; one that was stopped is nobody's. */
  #reading: AbortController | undefined;
  #timer: Timer | undefined;
  #readMax = READ_MESSAGES_WHEN_LARGE;
  #awaitsRoom = false;
  #whenDrained: (() => void)[] = [];

  constructor(parts: PollerParts, settings: PollerSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  start(): void {
    this.#apply({ kind: "start" });
  }

  /** Begins nothing new; resolves once what is in flight has ended. */
  stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#whenDrained.push(resolve));
    for (const batch of this.#batches) batch.stop();
    this.#apply({ kind: "stop" });
    return stopped;
  }

  /** Holds from the next batch on. */
  configure(settings: PollerSettings): void {
    this.#settings = settings;
  }

  #apply(event: PollerEvent<LeasedMessage>): void {
    const { state, effects } = pollerStep(this.#state, event, this.#settings.rules, this.#parts.clock.monotonicMs());
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: PollerEffect<LeasedMessage>): void {
    const { clock } = this.#parts;
    switch (effect.kind) {
      case "read":
        return void this.#read(effect.max);
      case "stopReading":
        this.#reading?.abort();
        this.#reading = undefined;
        return;
      case "startBatch":
        return void this.#startBatch(effect.messages);
      case "giveBack":
        return void this.#giveBack(effect.messages);
      case "wakeAt":
        this.#timer?.cancel();
        this.#timer = clock.schedule(Math.max(0, effect.at - clock.monotonicMs()), () => this.#apply({ kind: "wake" }));
        return;
      case "drained":
        this.#timer?.cancel();
        for (const resolve of this.#whenDrained.splice(0)) resolve();
        return;
    }
  }

  async #read(max: number): Promise<void> {
    const reading = new AbortController();
    this.#reading = reading;
    try {
      const queue = await this.#parts.queue();
      // Before the first read: what an earlier process held comes first.
      const desk = await this.#parts.desk(queue);
      await this.#parts.heldBytes.room();
      if (this.#reading !== reading) return;
      const leaseMs = this.#leaseMs(queue);
      const wanted = Math.min(max, this.#readMax);
      const outcome = await queue.list.lease({ max: wanted, leaseMs, waitMs: READ_WAIT_MS, signal: reading.signal });
      if (outcome.kind !== "leased") return this.#readFailed(reading, `The queue ${queue.record.name} cannot be read.`);
      const messages = await this.#taken(queue, desk, outcome.items, leaseMs);
      if (this.#reading !== reading) return await this.#giveBack(messages);
      this.#reading = undefined;
      this.#apply({ kind: "leased", messages, more: hasMore(queue) });
    } catch (error) {
      if (!isLambentError(error)) this.#parts.onProblem(error);
      this.#readFailed(reading, error instanceof Error ? error.message : String(error));
    }
  }

  /** Messages are not to appear again while they wait for the window to close. */
  #leaseMs(queue: Queue): number {
    return queue.record.settings.visibilityMs + this.#settings.rules.windowMs;
  }

  #readFailed(reading: AbortController, problem: string): void {
    if (this.#reading !== reading) return;
    this.#reading = undefined;
    this.#parts.onResult(problem);
    this.#apply({ kind: "readFailed" });
  }

  /** The messages that a filter takes; the others end here. */
  async #taken(queue: Queue, { ledger, holds }: QueueDesk, items: readonly LeasedItem[], leaseMs: number): Promise<LeasedMessage[]> {
    const { clock, realm, heldBytes } = this.#parts;
    const { filter, functionArn } = this.#settings;
    // The read may have waited for long: what the queue is set to now holds.
    const wantedMs = this.#leaseMs(queue);
    const extendedAt = wantedMs === leaseMs ? undefined : clock.monotonicMs();
    if (extendedAt !== undefined) await Promise.all(items.map(({ receipt }) => queue.list.extend(receipt, wantedMs)));
    const arn = queueArn(realm, queue.record.name);
    const hold = holds.take(items.map(({ receipt }) => receipt));
    const done = (bytes: number): void => {
      hold.end();
      heldBytes.release(bytes);
    };
    const taken: LeasedMessage[] = [];
    const unmatched: LeasedMessage[] = [];
    const circling: { readonly message: LeasedMessage; readonly body: Uint8Array }[] = [];
    let bytes = 0;
    for (const item of items) {
      const at = extendedAt ?? item.leasedAt;
      const { message, record } = leasedMessage(item, queue.received(item), { queueArn: arn, at, until: at + wantedMs, done });
      bytes += message.bytes;
      if (!filter(record)) unmatched.push(message);
      else if (this.#circles(message)) circling.push({ message, body: item.body });
      else taken.push(message);
    }
    heldBytes.take(bytes);
    this.#readMax = bytes > BATCH_BYTES_MAX / 2 ? READ_MESSAGES_WHEN_LARGE : READ_MESSAGES_MAX;
    if (unmatched.length + circling.length > 0) {
      const parts = { queue, ledger, queueArn: arn, functionArn };
      await Promise.all([settleUnmatched(parts, unmatched, clock.now()), settleCircling(parts, circling, clock.now())]).catch(
        unlessOfStorage,
      );
      for (const message of [...unmatched, ...circling.map((each) => each.message)]) message.done();
    }
    return taken;
  }

  /** It was sent on by a chain of calls that has come to this function again and again. */
  #circles({ traceHeader }: LeasedMessage): boolean {
    const { functionName, qualifier, functionArn } = this.#settings;
    if (hopsOf(traceHeader, functionArn) < RECURSION_HOPS_MAX) return false;
    return this.#parts.target(functionName, qualifier)?.endsCircles ?? true;
  }

  async #startBatch(messages: readonly LeasedMessage[]): Promise<void> {
    const { functionName, qualifier, functionArn, answers } = this.#settings;
    const { target, queue, desk, onProblem } = this.#parts;
    try {
      const opened = await queue();
      const parts = { ...this.#parts, functionName, qualifier, functionArn, answers, queue: opened, ledger: (await desk(opened)).ledger };
      const batch = new BatchRun(
        {
          ...parts,
          target: () => target(functionName, qualifier),
          onRefused: () => this.#refused(),
          onEnded: (ending) => this.#ended(batch, ending),
        },
        messages,
      );
      this.#batches.add(batch);
      batch.start();
      if (this.#state.kind === "draining") batch.stop();
    } catch (error) {
      if (!isLambentError(error)) onProblem(error);
      for (const message of messages) message.done();
      this.#apply({ kind: "batchEnded", ending: "givenBack" });
    }
  }

  #refused(): void {
    const waiting = this.#batches.values().reduce((count, batch) => count + (batch.isWaiting ? 1 : 0), 0);
    this.#apply({ kind: "refused", invoking: this.#batches.size - waiting });
    this.#awaitRoom();
  }

  /** Those that wait are tried as soon as calls of the function may begin, in their order: no place stays empty for a back-off. */
  #awaitRoom(): void {
    if (this.#awaitsRoom) return;
    this.#awaitsRoom = true;
    this.#parts.onceFree(() => {
      this.#awaitsRoom = false;
      const waiting = [...this.#batches].filter((batch) => batch.isWaiting);
      if (waiting.length === 0) return;
      for (const batch of waiting.slice(0, Math.max(0, this.#parts.free(this.#settings.functionName)))) batch.tryAgain();
      this.#awaitRoom();
    });
  }

  #ended(batch: BatchRun, { kind, problem }: BatchEnding): void {
    this.#batches.delete(batch);
    for (const message of batch.messages) message.done();
    this.#parts.onResult(problem);
    this.#apply({ kind: "batchEnded", ending: kind });
  }

  async #giveBack(messages: readonly LeasedMessage[]): Promise<void> {
    if (messages.length === 0) return;
    for (const message of messages) message.done();
    try {
      await giveBack(await this.#parts.queue(), messages, 0);
    } catch (error) {
      if (!isLambentError(error)) this.#parts.onProblem(error);
    }
  }
}

/** What storage refuses comes again when its lease ends. */
function unlessOfStorage(error: unknown): void {
  if (!isLambentError(error)) throw error;
}

function hasMore(queue: Queue): boolean {
  try {
    return queue.list.counts().visible > 0;
  } catch (error) {
    // The list is being read again after a failed commit: the next read tells.
    if (isLambentError(error)) return false;
    throw error;
  }
}
