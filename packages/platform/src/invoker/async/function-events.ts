/**
 * The asynchronous events of one function: accepted, tried, settled. Their one owner, over the work list of their cell.
 *
 * Keeps P1 (accepted means durable), P2 (every event ends in one recorded outcome), P6 (a wake, never a poll), P9 (an
 * attempt's usage is in the commit that settles it). What follows from an attempt is decided in `decide.ts`, which event begins
 * next in `flow.ts`. Takes up only what the function's concurrency admits; a window that grows with every success
 * and halves with every refusal keeps a long backlog from starting an instance for each of its events.
 */
import { delay, isLambentError, LambentError, type Clock, type Instant, type Timer } from "../../base/index.ts";
import { type AsynchronousSettings, EVENT_AGE_SECONDS_MAX, functionArn, RETRY_ATTEMPTS_MAX } from "../../functions/index.ts";
import { accepted, begun, ended, type Attempt, type LedgerRecord, type LedgerRows, type Outcome, triedAgain } from "../../ledger/index.ts";
import type { UsageRows } from "../../metering/index.ts";
import type { Realm, UsageRecord } from "../../model/index.ts";
import type { LeasedItem, LeaseOutcome, NewItem, OwnRow, WorkList } from "../../storage/index.ts";
import { RECURSION_HOPS_MAX, hopsOf } from "../trace-header.ts";
import { attemptEvent, type Attempted, type CallPart } from "./attempt.ts";
import { afterAttempt, beforeAttempt, NOT_TRIED, outcomeOf, type Condition, type RetrySettings, type Tried } from "./decide.ts";
import { decodeEvent, encodeEvent, type AsyncEvent } from "./event.ts";
import { choose, choosesAmongMany, facetsOf, type Facets } from "./flow.ts";
import type { KeptEvents } from "./kept-events.ts";
import type { Marks } from "./marks.ts";
import type { InvocationOutcome } from "./outcome.ts";
import { BUSY_RETRY_MS, Settling, triedOf } from "./settling.ts";
import { tell } from "./targets.ts";

/** Events of one function that wait; one more is refused with `Throttled` (P7). @limit */
export const ASYNC_EVENTS_WAITING_MAX = 1_000_000;
/** Attempts of one function that run at once, whatever its concurrency. */
const RUNNING_MAX = 1_000;
/** Where the window begins. */
const WINDOW_START = 8;
/** Events taken up and not begun: of those that wait for capacity alone, and of those flow control chooses among. */
const HELD_AHEAD = 4;
export const HELD_EVENTS_MAX = 1_000;
const TAKEN_AT_ONCE_MAX = 64;
/** Who holds a lease lives in this process, so it never has to end by time. */
const LEASE_MS = 30 * 86_400_000;
/** A lease that waited this long for an event is asked for anew. */
const LEASE_WAIT_MS = 86_400_000;

export interface FunctionEventsParts {
  readonly realm: Realm;
  readonly name: string;
  readonly list: WorkList;
  readonly ledger: LedgerRows;
  readonly usage: UsageRows;
  readonly kept: KeptEvents;
  readonly marks: Marks;
  readonly calls: CallPart;
  /** Undefined when this function, or the qualifier, is no more. */
  readonly settings: (qualifier: string | undefined) => AsynchronousSettings | undefined;
  readonly clock: Clock;
  readonly timeFactor: number;
  readonly onTrouble: (error: unknown) => void;
}

export interface AcceptOptions {
  /** Exactly once for each number of the source. */
  readonly delivery?: NewItem["delivery"];
}

/** An event that was taken up and waits to begin. */
interface Held {
  readonly item: LeasedItem;
  readonly event: AsyncEvent;
  readonly tried: Tried;
  readonly settings: AsynchronousSettings;
  readonly facets: Facets;
}

export class FunctionEvents {
  readonly #parts: FunctionEventsParts;
  readonly #held = new Map<string, Held>();
  /** Since when, by id. */
  readonly #running = new Map<string, Instant>();
  readonly #runningOfKey = new Map<string, number>();
  /** Settling included: what closing waits for. */
  readonly #underWay = new Set<Promise<void>>();
  readonly #settling: Settling;
  /** Do not begin, because they are being cancelled. */
  readonly #cancelling = new Set<string>();
  #state: "open" | "closed" = "open";
  #window = WINDOW_START;
  #rateAt: Instant = 0;
  #pulling = false;
  #waitsForPlace = false;
  #timer: Timer | undefined;

  constructor(parts: FunctionEventsParts) {
    this.#parts = parts;
    this.#settling = new Settling(parts.list, parts.clock);
  }

  get list(): WorkList {
    return this.#parts.list;
  }

  get ledger(): LedgerRows {
    return this.#parts.ledger;
  }

  /** Begins to work on what is there, and on what comes. */
  start(): void {
    this.#pump();
  }

  /** Takes an event durably (P1). */
  async accept(event: AsyncEvent, settings: AsynchronousSettings, { delivery }: AcceptOptions = {}): Promise<void> {
    const { list, clock, marks, ledger } = this.#parts;
    const { visible, delayed } = list.counts();
    if (visible + delayed >= ASYNC_EVENTS_WAITING_MAX)
      throw new LambentError("Throttled", `${ASYNC_EVENTS_WAITING_MAX} events wait for ${this.#parts.name}, which is the bound.`);
    const { flow } = settings;
    const facets = facetsOf(flow, event.payload);
    if (flow.idempotency) list.configure({ deduplicationMs: flow.idempotency.forMs });
    const debounced = flow.debounce && facets.debounceKey;
    if (debounced !== undefined) marks.requireRoomFor(debounced);
    const delayMs = debounced === undefined ? 0 : (flow.debounce?.quietMs ?? 0);
    const record = accepted(this.#newRecord(event), delayMs > 0 ? clock.now() + delayMs : undefined);
    const item: NewItem = { id: event.id, body: encodeEvent(event), delayMs, deduplication: facets.idempotencyKey, delivery };
    const [accepting] = await list.enqueue([item], ([outcome]) => {
      const newest = debounced === undefined || !outcome ? [] : [marks.newestRow(debounced, outcome.sequence)];
      if (outcome?.kind === "enqueued") return [...ledger.write(record), ...newest];
      // The same delivery again has its record; another event with the same idempotency key gets one of its own.
      return outcome?.id === event.id ? [] : ledger.write(ended(record, clock.now(), { kind: "discarded", reason: "superseded" }));
    });
    if (debounced !== undefined && accepting?.kind === "enqueued") marks.newest(debounced, accepting.sequence);
  }

  /** Ends an event that waits. `gone` when there is none with this id that has not ended. */
  async cancel(id: string): Promise<"cancelled" | "running" | "gone"> {
    if (this.isBusy(id) || this.#cancelling.has(id)) return "running";
    this.#cancelling.add(id);
    try {
      const { list, ledger, marks, clock } = this.#parts;
      const record = await ledger.get(id);
      if (!record || record.state.kind === "ended") return "gone";
      await list.writeRows([marks.cancelRow(id), ...ledger.write(ended(record, clock.now(), { kind: "discarded", reason: "cancelled" }))]);
      marks.cancelled(id);
      const held = this.#held.get(id);
      if (held) this.#dropCancelled(held);
      return "cancelled";
    } finally {
      this.#cancelling.delete(id);
      this.#pump();
    }
  }

  /** The whole event, where it failed and was kept. */
  kept(id: string): Promise<AsyncEvent | undefined> {
    return this.#parts.kept.get(id);
  }

  /** Whether an event of this id was accepted, and its record is kept. */
  async knows(id: string): Promise<boolean> {
    return (await this.#parts.ledger.get(id)) !== undefined;
  }

  /** True while an attempt of the event runs, or what followed from it is being committed. */
  isBusy(id: string): boolean {
    return this.#running.has(id) || this.#settling.has(id);
  }

  /** True when nothing is left: no event waits, none runs, no outcome is to be sent. */
  get isEmpty(): boolean {
    const { visible, delayed, leased, outgoing } = this.#parts.list.counts();
    return visible + delayed + leased + outgoing + this.#underWay.size === 0;
  }

  /** The record with what is known of its event now. */
  live(record: LedgerRecord): LedgerRecord {
    const since = this.#running.get(record.id);
    return since === undefined || record.state.kind === "ended" ? record : begun(record, since);
  }

  /** Settings or limits changed, or somebody thinks so. */
  changed(): void {
    this.#pump();
  }

  /** Begins nothing more, lets attempts under way end for `grace` at most, closes the list. */
  async close(grace: Promise<void>): Promise<void> {
    this.#state = "closed";
    this.#timer?.cancel();
    await Promise.race([Promise.all(this.#underWay), grace]);
    await this.#parts.usage.close();
    await this.#parts.list.close();
  }

  // Taking up.

  #pump(): void {
    if (this.#state === "closed") return;
    this.#beginHeld();
    this.#pull();
  }

  #pull(): void {
    const wanted = Math.min(this.#heldMax() - this.#held.size, TAKEN_AT_ONCE_MAX);
    if (this.#pulling || wanted <= 0) return;
    this.#pulling = true;
    this.#parts.list.lease({ max: wanted, leaseMs: LEASE_MS, waitMs: LEASE_WAIT_MS }).then(
      (outcome) => this.#taken(outcome),
      (error: unknown) => this.#notTaken(error),
    );
  }

  #taken(outcome: LeaseOutcome): void {
    this.#pulling = false;
    if (outcome.kind === "closed" || this.#state === "closed") return;
    for (const item of outcome.kind === "leased" ? outcome.items : []) {
      try {
        this.#take(item);
      } catch (error) {
        this.#parts.onTrouble(error);
      }
    }
    this.#pump();
  }

  #notTaken(error: unknown): void {
    this.#pulling = false;
    if (isLambentError(error, "StorageBusy", "Throttled")) void delay(this.#parts.clock, BUSY_RETRY_MS).then(() => this.#pump());
    else if (!isLambentError(error, "ShuttingDown")) this.#parts.onTrouble(error);
  }

  #take(item: LeasedItem): void {
    const event = decodeEvent(item.body);
    const tried = triedOf(item.note) ?? NOT_TRIED;
    const settings = this.#parts.settings(event.qualifier);
    if (!settings) return this.#discard(item, event, "functionDeleted");
    const facets = facetsOf(settings.flow, event.payload);
    const held: Held = { item, event, tried, settings, facets };
    if (this.#parts.marks.isCancelled(event.id)) return this.#dropCancelled(held);
    if (facets.debounceKey !== undefined && this.#parts.marks.isSuperseded(facets.debounceKey, item.sequence))
      return this.#discard(item, event, "superseded");
    this.#held.set(event.id, held);
  }

  #heldMax(): number {
    const flow = this.#parts.settings(undefined)?.flow;
    return flow && choosesAmongMany(flow) ? HELD_EVENTS_MAX : Math.max(HELD_AHEAD, this.#room());
  }

  #room(): number {
    const { calls, realm, name } = this.#parts;
    const own = this.#parts.settings(undefined)?.flow.concurrency;
    const unkeyed = own && own.key === undefined ? own.max : RUNNING_MAX;
    return Math.min(calls.free(realm, name), Math.min(this.#window, unkeyed, RUNNING_MAX) - this.#running.size);
  }

  // Beginning.

  #beginHeld(): void {
    if (this.#held.size === 0) return;
    const now = this.#parts.clock.now();
    const ready = [...this.#held.values()].filter((held) => !this.#cancelling.has(held.event.id) && this.#isReady(held, now));
    const flow = this.#parts.settings(undefined)?.flow;
    if (!flow) return;
    const candidates = ready.map(({ item, facets }) => ({
      id: item.id,
      order: item.sequence,
      priority: facets.priority,
      key: flow.concurrency?.key === undefined ? undefined : facets.concurrencyKey,
    }));
    const room = Math.max(0, this.#room());
    const choice = choose(flow, candidates, { running: this.#runningOfKey, room, rateAt: this.#rateAt, now });
    this.#rateAt = choice.rateAt;
    for (const id of choice.start) this.#begin(id, now);
    if (this.#held.size === 0) return;
    if (choice.start.length >= room) this.#wakeWhenFree();
    this.#wakeAt(Math.min(choice.wakeAt ?? Number.POSITIVE_INFINITY, ...[...this.#held.values()].map(expiresAt)), now);
  }

  /** Ends what is over by now, or must not be tried, by the settings of now; true when it may begin. */
  #isReady(held: Held, now: Instant): boolean {
    const { event } = held;
    const settings = this.#parts.settings(event.qualifier);
    if (!settings) {
      this.#held.delete(event.id);
      this.#discard(held.item, event, "functionDeleted");
      return false;
    }
    const hopsMax = settings.recursion === "Allow" ? Number.POSITIVE_INFINITY : RECURSION_HOPS_MAX;
    const rules = { ageMsMax: ageMsMaxOf(settings), hopsMax, reservedConcurrency: settings.reservedConcurrency };
    const hops = hopsOf(event.traceHeader, functionArn(this.#parts.realm, this.#parts.name));
    const condition = beforeAttempt({ acceptedAt: event.acceptedAt, hops }, rules, now);
    if (condition === undefined) return true;
    this.#held.delete(event.id);
    this.#settling.begin(event.id);
    this.#track(this.#end({ ...held, settings }, condition));
    return false;
  }

  #begin(id: string, now: Instant): void {
    const held = this.#held.get(id);
    if (!held) return;
    this.#held.delete(id);
    this.#running.set(id, now);
    const key = held.facets.concurrencyKey;
    if (key !== undefined) this.#runningOfKey.set(key, (this.#runningOfKey.get(key) ?? 0) + 1);
    this.#track(this.#attempt(held));
  }

  #wakeWhenFree(): void {
    if (this.#waitsForPlace) return;
    this.#waitsForPlace = true;
    this.#parts.calls.onceFree(() => {
      this.#waitsForPlace = false;
      this.#pump();
    });
  }

  #wakeAt(at: Instant, now: Instant): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.schedule(Math.max(0, at - now), () => this.#pump());
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => this.#parts.onTrouble(error)).finally(() => void this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  // Attempts.

  async #attempt(held: Held): Promise<void> {
    const { event, item } = held;
    const { ledger, calls, clock } = this.#parts;
    // A record that cannot be read means a cell that is damaged or closed: its events wait for the next start.
    const record = await this.#recordOf(held).catch((error: unknown) => {
      this.#leaveRunning(held);
      throw error;
    });
    const attempted = await attemptEvent(calls, this.#parts, event, clock);
    this.#leave(held, attempted);
    const settings = this.#parts.settings(event.qualifier);
    if (!settings || attempted.kind === "gone")
      return this.#settling.settle(item, () => this.#endRows(record, { kind: "discarded", reason: "functionDeleted" }, attempted));
    const { acceptedAt } = event;
    const step = afterAttempt(
      retrySettings(settings, this.#parts.timeFactor),
      { acceptedAt, tried: held.tried },
      attempted.attempt.result,
      clock.now(),
    );
    if (step.kind === "end") return this.#end({ ...held, settings, tried: step.tried }, step.condition, { record, attempted });
    await this.#settling.release(item, step.tried, step.at - clock.now(), () => [
      ...ledger.write(triedAgain(record, attempted.attempt, step.at)),
      ...this.#usageRows(attempted.usage),
    ]);
  }

  /** The place is free before the commit is done: the next one need not wait for the disk. */
  #leave(held: Held, attempted: Attempted): void {
    this.#leaveRunning(held);
    const refused = attempted.kind === "tried" && (attempted.attempt.result === "throttled" || attempted.attempt.result === "unavailable");
    this.#window = refused ? Math.max(1, Math.floor(this.#window / 2)) : Math.min(RUNNING_MAX, this.#window + 1);
    queueMicrotask(() => this.#pump());
  }

  #leaveRunning({ event, facets }: Held): void {
    this.#running.delete(event.id);
    const key = facets.concurrencyKey;
    if (key === undefined) return;
    const left = (this.#runningOfKey.get(key) ?? 1) - 1;
    if (left > 0) this.#runningOfKey.set(key, left);
    else this.#runningOfKey.delete(key);
  }

  /** An event that was never given back has the record it was accepted with. */
  async #recordOf({ item, event }: Pick<Held, "item" | "event">): Promise<LedgerRecord> {
    const known = item.receiveCount > 1 ? await this.#parts.ledger.get(event.id) : undefined;
    return known ?? accepted(this.#newRecord(event));
  }

  // Endings.

  async #end(held: Held, condition: Condition, last?: { readonly record: LedgerRecord; readonly attempted: Attempted }): Promise<void> {
    const { event, item, settings } = held;
    const record = last?.record ?? (await this.#recordOf(held));
    const told = tell(settings, condition, this.#outcome(held, condition, last?.attempted));
    const lost = condition !== "Success" && told.tooLarge !== undefined && told.first === undefined;
    const outcome: Outcome = lost ? { kind: "discarded", reason: "targetGone" } : outcomeOf(condition, told.first);
    const { debounceKey } = held.facets;
    const rows = (): OwnRow[] => [
      ...this.#endRows(told.tooLarge === undefined ? record : { ...record, undelivered: told.tooLarge }, outcome, last?.attempted),
      ...(condition === "Success" ? [] : this.#parts.kept.keep(event)),
      ...(debounceKey === undefined ? [] : this.#parts.marks.noLongerNewest(debounceKey, item.sequence)),
    ];
    await this.#settling.settle(item, rows, told.items);
  }

  #endRows(record: LedgerRecord, outcome: Outcome, attempted: Attempted | undefined): OwnRow[] {
    const attempt: Attempt | undefined = attempted?.kind === "tried" ? attempted.attempt : undefined;
    const usage = attempted?.kind === "tried" ? attempted.usage : undefined;
    return [...this.#parts.ledger.write(ended(record, this.#parts.clock.now(), outcome, attempt)), ...this.#usageRows(usage)];
  }

  #usageRows(usage: UsageRecord | undefined): OwnRow[] {
    return usage ? this.#parts.usage.write(usage) : [];
  }

  #discard(item: LeasedItem, event: AsyncEvent, reason: "functionDeleted" | "superseded"): void {
    this.#settling.begin(event.id);
    this.#track(
      (async () => {
        const record = (await this.#parts.ledger.get(event.id)) ?? accepted(this.#newRecord(event));
        // A function's deletion ends the records of all its events at once, before the events themselves.
        const rows = (): OwnRow[] => (record.state.kind === "ended" ? [] : this.#endRows(record, { kind: "discarded", reason }, undefined));
        await this.#settling.settle(item, rows);
      })(),
    );
  }

  #dropCancelled({ item, event, facets: { debounceKey } }: Held): void {
    const { marks } = this.#parts;
    this.#held.delete(event.id);
    const newest = (): OwnRow[] => (debounceKey === undefined ? [] : marks.noLongerNewest(debounceKey, item.sequence));
    this.#track(this.#settling.settle(item, () => [...marks.uncancel(event.id), ...newest()]));
  }

  #outcome(held: Held, condition: Condition, attempted: Attempted | undefined): Omit<InvocationOutcome, "form"> {
    const { event, tried } = held;
    const { realm, name, clock } = this.#parts;
    return {
      requestId: event.id,
      at: clock.now(),
      functionArn: functionArn(realm, name, event.qualifier ?? "$LATEST"),
      condition,
      invokeCount: tried.functionErrors + (condition === "Success" ? 1 : 0),
      traceHeader: attempted?.kind === "tried" ? attempted.traceHeader : event.traceHeader,
      correlation: event.correlation,
      request: event.payload,
      response: attempted?.kind === "tried" ? attempted.response : undefined,
    };
  }

  #newRecord({ id, source, origin, subject, dueAt, acceptedAt, cause, correlation, qualifier }: AsyncEvent) {
    return {
      id,
      source,
      origin,
      subject,
      dueAt,
      acceptedAt,
      cause,
      correlation,
      target: functionArn(this.#parts.realm, this.#parts.name, qualifier),
    };
  }
}

function retrySettings(settings: AsynchronousSettings, timeFactor: number): RetrySettings {
  return { retriesMax: settings.eventInvoke?.maximumRetryAttempts ?? RETRY_ATTEMPTS_MAX, ageMsMax: ageMsMaxOf(settings), timeFactor };
}

function ageMsMaxOf({ eventInvoke }: AsynchronousSettings): number {
  return (eventInvoke?.maximumEventAgeSeconds ?? EVENT_AGE_SECONDS_MAX) * 1_000;
}

function expiresAt({ event, settings }: Held): Instant {
  return event.acceptedAt + ageMsMaxOf(settings);
}
