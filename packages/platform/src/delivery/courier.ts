/**
 * The courier: takes what is due out of the outboxes of buses, schedules and topics, hands it over, and has the outbox settle it.
 *
 * Keeps P6 (an outbox wakes it, nothing polls) and, over P2, that a target that does not answer delays no other one: each lane has its own
 * turns. Deliberately absent: when a delivery is tried again (`outbox/`), and how a target is reached (`targets.ts`).
 */
import { delay, deferred, isLambentError, type Clock, type Deferred, type Instant, type MonotonicMs, type Timer } from "../base/index.ts";
import { newTraceHeader, withEvent } from "../invoker/index.ts";
import type { DueDelivery, HandOver, Outbox, Parcel, Refusal, TakenDelivery } from "../outbox/index.ts";
import type { CellKey } from "../storage/index.ts";
import { LANE_TRIED_MAX, Lanes } from "./lanes.ts";
import type { Targets } from "./targets.ts";

/** Deliveries of one cell that are tried at once (P7). @limit */
export const CELL_TRIED_MAX = 512;
/** Bytes of their payloads, beyond those of the last ones that were taken together; then nothing more is taken before one has ended (P7). */
export const CELL_TRIED_BYTES_MAX = 128 * 1024 * 1024;
const TAKEN_AT_ONCE_MAX = 32;
/** Bytes of payloads that are kept while their lanes have no room; what is beyond goes back until its lane has. */
const CELL_WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** After a refusal by the storage. */
const BUSY_RETRY_MS = 250;
const WAIT: HandOver = { kind: "wait", ms: 0 };

export interface CourierParts {
  readonly clock: Clock;
  readonly targets: Pick<Targets, "handOver">;
  /** A delivery's parcel as this attempt sends it, where that is not as it was accepted: schedules write the attempt's number into it. */
  readonly parcelOf?: (delivery: DueDelivery) => Parcel;
  readonly onTrouble: (error: unknown) => void;
}

export class Courier {
  readonly #parts: CourierParts;
  readonly #rounds = new Map<CellKey, Round>();

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  /** Serves an outbox from here on, until it is closed. */
  serve(cell: CellKey, outbox: Outbox): void {
    const round = new Round(this.#parts, outbox);
    this.#rounds.set(cell, round);
    void round.run().finally(() => {
      if (this.#rounds.get(cell) === round) this.#rounds.delete(cell);
    });
  }

  /** Takes nothing more; what is being tried has until `grace` to end. The outboxes are closed by their holders, behind this. */
  async close(grace: Promise<void>): Promise<void> {
    const rounds = [...this.#rounds.values()];
    for (const round of rounds) round.stop();
    await Promise.race([Promise.all(rounds.map((round) => round.idle())), grace]);
  }
}

/** One outbox being served. */
class Round {
  readonly #parts: CourierParts;
  readonly #outbox: Outbox;
  readonly #lanes: Lanes;
  readonly #held = new Set<string>();
  /** Taken, and not tried yet because their lane has no room. */
  readonly #waiting = new Map<string, TakenDelivery[]>();
  #waitingBytes = 0;
  /** Of all that is taken and not settled. */
  #takenBytes = 0;
  readonly #trying = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  /** Ends of pauses, by lane. */
  readonly #pauses = new Map<string, Timer>();
  /** Somebody waits for a place among those that are tried. */
  #place: Deferred<undefined> | undefined;

  constructor(parts: CourierParts, outbox: Outbox) {
    this.#parts = parts;
    this.#outbox = outbox;
    this.#lanes = new Lanes(outbox.ordered ? 1 : LANE_TRIED_MAX);
  }

  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const room = CELL_TRIED_MAX - this.#trying.size;
      if (room <= 0 || this.#takenBytes >= CELL_TRIED_BYTES_MAX) {
        this.#place = deferred<undefined>();
        await this.#place.promise;
        continue;
      }
      const taken = await this.#take(Math.min(room, TAKEN_AT_ONCE_MAX));
      if (!taken) return;
      for (const each of taken) this.#takenBytes += bytesOf(each);
      for (const each of taken) this.#begin(each);
    }
  }

  /** What is taken and not tried stays leased, so that nobody else tries it before the next start. */
  stop(): void {
    this.#stopping.abort();
    this.#place?.resolve(undefined);
    for (const timer of this.#pauses.values()) timer.cancel();
    this.#pauses.clear();
  }

  async idle(): Promise<void> {
    await Promise.all(this.#trying);
  }

  /** Undefined when there will be nothing more. */
  async #take(max: number): Promise<TakenDelivery[] | undefined> {
    try {
      return await this.#outbox.take(max, this.#stopping.signal);
    } catch (error) {
      if (isLambentError(error, "StorageBusy", "Throttled")) {
        await delay(this.#parts.clock, BUSY_RETRY_MS);
        return [];
      }
      this.#told(error);
      return undefined;
    }
  }

  /** Tries it, or keeps it until its lane has room. What a dead target let grow too old is not tried, or its lane would never end. */
  #begin(taken: TakenDelivery): void {
    if (this.#stopping.signal.aborted) return;
    const { lane } = taken;
    const refusal = this.#lanes.refusalOf(lane);
    if (refusal && this.#outbox.isTooOld(taken)) return this.#track(this.#settleWait(taken, 0, refusal));
    if (this.#lanes.isOpen(lane, this.#parts.clock.monotonicMs())) {
      this.#lanes.begin(lane);
      return this.#track(this.#try(taken));
    }
    this.#hold(lane);
    if (this.#waitingBytes + bytesOf(taken) > CELL_WAITING_BYTES_MAX) return this.#track(this.#settleWait(taken, 0, undefined));
    const waiting = this.#waiting.get(lane) ?? [];
    waiting.push(taken);
    this.#waiting.set(lane, waiting);
    this.#waitingBytes += bytesOf(taken);
  }

  #track(work: Promise<void>): void {
    const trying = work
      .catch((error: unknown) => this.#told(error))
      .finally(() => {
        this.#trying.delete(trying);
        this.#place?.resolve(undefined);
        this.#place = undefined;
      });
    this.#trying.add(trying);
  }

  async #try(taken: TakenDelivery): Promise<void> {
    const { clock } = this.#parts;
    const startedAt = clock.now();
    const { lane } = taken;
    const outcome = await this.#handOver(taken);
    const pausedUntil = this.#lanes.end(lane, outcome, clock.monotonicMs());
    const settled = this.#settle(taken, outcome, startedAt);
    // Where there is an order, what follows waits until this one has ended, or behind it when it is tried again.
    if (this.#outbox.ordered) await settled;
    const goesBack = this.#outbox.ordered && (outcome.kind === "later" || outcome.kind === "wait");
    const until = pausedUntil ?? (goesBack ? clock.monotonicMs() : undefined);
    await Promise.all([settled, until === undefined ? this.#goOn(lane) : this.#pause(lane, until)]);
  }

  /** A defect in a kind of target is told, and its delivery tried again like any other. */
  async #handOver(taken: TakenDelivery): Promise<HandOver> {
    const { id, again } = taken;
    try {
      const [outcome = WAIT] = await this.#parts.targets.handOver([{ id, parcel: this.#parcelOf(taken), from: taken, again }]);
      return outcome;
    } catch (error) {
      if (isLambentError(error, "ShuttingDown", "StorageStopped")) throw error;
      this.#told(error);
      return { kind: "later", refusal: { code: "INTERNAL_ERROR", message: "The target could not be asked." }, durationMs: 0 };
    }
  }

  /** As this attempt sends it, with the chain it is a part of. */
  #parcelOf(taken: TakenDelivery): Parcel {
    const { id, correlation } = taken;
    const parcel = this.#parts.parcelOf?.(taken) ?? taken.parcel;
    const traceHeader = parcel.traceHeader ?? newTraceHeader(id, taken.acceptedAt);
    return { ...parcel, traceHeader: withEvent(traceHeader, id, correlation) };
  }

  /** The lane has room, maybe. */
  #goOn(lane: string): void {
    const { clock } = this.#parts;
    const waiting = this.#waiting.get(lane);
    while (waiting?.[0] && this.#lanes.isOpen(lane, clock.monotonicMs())) {
      const next = waiting.shift() as TakenDelivery;
      this.#waitingBytes -= bytesOf(next);
      this.#begin(next);
    }
    if (waiting && waiting.length > 0) return;
    this.#waiting.delete(lane);
    if (this.#lanes.isOpen(lane, clock.monotonicMs())) this.#free(lane);
  }

  /** Leaves the lane alone for a while; what was taken of it goes back, so that it holds no place meanwhile. */
  async #pause(lane: string, until: MonotonicMs): Promise<void> {
    this.#hold(lane);
    this.#goOnAt(lane, until);
    const ms = Math.max(0, Math.ceil(until - this.#parts.clock.monotonicMs()));
    const waiting = this.#waiting.get(lane) ?? [];
    this.#waiting.delete(lane);
    for (const each of waiting) this.#waitingBytes -= bytesOf(each);
    const refusal = this.#lanes.refusalOf(lane);
    await Promise.all(waiting.map((each) => this.#settleWait(each, ms, refusal)));
  }

  /** A timer may be early by a fraction, and a pause may have become longer meanwhile: nobody else would look at the lane again. */
  #goOnAt(lane: string, until: MonotonicMs): void {
    const { clock } = this.#parts;
    this.#pauses.get(lane)?.cancel();
    if (this.#stopping.signal.aborted) return;
    const timer = clock.schedule(Math.max(0, until - clock.monotonicMs()), () => {
      this.#pauses.delete(lane);
      const left = this.#lanes.pausedUntil(lane);
      if (left > clock.monotonicMs()) this.#goOnAt(lane, left);
      else this.#goOn(lane);
    });
    this.#pauses.set(lane, timer);
  }

  #hold(lane: string): void {
    if (this.#held.has(lane)) return;
    this.#held.add(lane);
    this.#outbox.holdLane(lane);
  }

  #free(lane: string): void {
    if (this.#held.delete(lane)) this.#outbox.freeLane(lane);
  }

  /** It was not tried. */
  #settleWait(taken: TakenDelivery, ms: number, refusal: Refusal | undefined): Promise<void> {
    return this.#settle(taken, { kind: "wait", ms, why: refusal }, this.#parts.clock.now());
  }

  /** A storage that is busy is asked again. */
  async #settle(taken: TakenDelivery, outcome: HandOver, startedAt: Instant): Promise<void> {
    try {
      for (;;) {
        try {
          return await this.#outbox.settle(taken, outcome, startedAt);
        } catch (error) {
          if (!isLambentError(error, "StorageBusy", "Throttled")) throw error;
          await delay(this.#parts.clock, BUSY_RETRY_MS);
        }
      }
    } finally {
      this.#takenBytes -= bytesOf(taken);
    }
  }

  /** What a stop or the disk brought about is told by whoever it befell; the delivery waits for the next start, as behind a crash. */
  #told(error: unknown): void {
    if (!isLambentError(error, "ShuttingDown", "StorageStopped", "StorageCorrupt")) this.#parts.onTrouble(error);
  }
}

function bytesOf({ parcel }: TakenDelivery): number {
  return parcel.payload.length;
}
