/**
 * What leaves one cell for targets: deliveries, each one event for one target, tried until the target has it or the retry policy ends.
 *
 * Owned by whoever holds the cell (a bus, a group of schedules, a topic), which keeps its own rows beside it. Keeps P1 (accepted means
 * durable), P2 (each delivery ends in one recorded outcome), P6 (a wake, never a poll), P7. Handing over is `delivery/`'s business, which takes
 * what is due and says how it went; when it is tried again is decided in `retry.ts`.
 */
import { invariant, LambentError, type Clock, type Instant, type Random, type SecureRandom } from "../base/index.ts";
import { accepted, type Attempt, ended, LedgerRows, type LedgerRecord, type Outcome, triedAgain, undelivered } from "../ledger/index.ts";
import {
  type BodyCache,
  type CellKey,
  ITEM_BYTES_MAX,
  type LeasedItem,
  type NewItem,
  openWorkList,
  type OwnRow,
  type Store,
  type WorkList,
} from "../storage/index.ts";
import { decodeDelivery, encodeDelivery, type StoredDelivery } from "./codec.ts";
import type { DeadDelivery, DueDelivery, NewDelivery } from "./delivery.ts";
import type { HandOver, ParcelAttribute, ParcelOptions, ParcelSender, Tried } from "./parcel.ts";
import { afterHandOver, BACK_OFF_WAITS_MS, type Exhausted, type RetryPolicy } from "./retry.ts";

/** Deliveries of one cell that have not ended; one more is refused with `Throttled` (P7). @limit */
export const OUTBOX_DELIVERIES_MAX = 1_000_000;
/** Deliveries of one cell that are being tried at once. */
const LEASES_MAX = 4_000;
/** Who tries them lives in this process, so a lease never has to end by time. */
const LEASE_MS = 30 * 86_400_000;
/** A lease that waited this long is asked for anew. */
const LEASE_WAIT_MS = 86_400_000;
/** Deliveries of one commit. */
const PER_COMMIT_MAX = 100;
/** Bytes of deliveries of one commit, beyond a first one that is larger. */
const BYTES_PER_COMMIT_MAX = 1024 * 1024;
/** Rows that one step may add to a commit that is nearly full, beside the deliveries' items. */
const ROWS_PER_COMMIT_MAX = 190;
/** A record of what has ended may bring the removal of a few older ones. */
const RECORD_ROWS_MAX = 6;
/** Records of the holder's own that go ahead, where there are more than the last commit has room for. */
const RECORDS_PER_COMMIT_MAX = 30;
/** How a dead-letter queue is tried, as EventBridge tries any target. */
const DEAD_LETTER_RETRY: RetryPolicy = { retriesMax: 185, ageMsMax: 86_400_000, waitsMs: BACK_OFF_WAITS_MS };

export interface OutboxParts {
  readonly store: Store;
  readonly cell: CellKey;
  readonly clock: Clock;
  /** Spreads deliveries that are tried again. */
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  readonly bodies?: BodyCache;
  /** `fifo`: of one lane, only the oldest delivery is tried, and none behind it before it has ended (P4). */
  readonly ordering: "fair" | "fifo";
  /** What a dead-letter queue is told beside the payload. */
  readonly deadLetter: (dead: DeadDelivery) => Readonly<Record<string, ParcelAttribute>>;
  /** In whose name it is told; by default in the delivery's own. */
  readonly deadLetterSender?: (sender: ParcelSender) => ParcelSender;
  /** What waits between attempts are multiplied with. */
  readonly retryTimeFactor: number;
}

/** A delivery that is being tried, with its lease. */
export interface TakenDelivery extends DueDelivery {
  readonly item: LeasedItem;
  readonly stored: StoredDelivery;
}

export class Outbox {
  readonly ledger: LedgerRows;
  readonly #parts: OutboxParts;
  readonly #list: WorkList;

  private constructor(parts: OutboxParts, list: WorkList, ledger: LedgerRows) {
    this.#parts = parts;
    this.#list = list;
    this.ledger = ledger;
  }

  /** Opens the outbox of a cell; the caller is its one owner (P11). Reads no deliveries. */
  static async open(parts: OutboxParts): Promise<Outbox> {
    const { store, cell, clock, secureRandom, bodies, ordering } = parts;
    const rules = { ordering, leasesMax: LEASES_MAX, retentionMs: Number.POSITIVE_INFINITY, deduplicationMs: 0 };
    const list = await openWorkList({ store, cell, clock, secureRandom, rules, holders: "here", ...(bodies ? { bodies } : {}) });
    try {
      return new Outbox(parts, list, await LedgerRows.open(list, clock));
    } catch (error) {
      // Whoever tries again opens another one, and a cell has one owner.
      await list.close();
      throw error;
    }
  }

  /**
   * Takes deliveries and resolves once they are durable (P1), each with its record; `rows` and `records` of the holder's own come with the last
   * of them. More than fit one commit take several: whoever is not told of the last one, or does not find its own rows behind a crash, asks
   * again, and the first ones come twice. Throws `Throttled` at the bound, `RequestTooLarge` for a delivery that no commit takes.
   */
  async accept(
    deliveries: readonly NewDelivery[],
    { rows = [], records = [] }: { readonly rows?: readonly OwnRow[]; readonly records?: readonly LedgerRecord[] } = {},
  ): Promise<void> {
    this.#refuseBeyondBound(deliveries.length);
    // What no commit takes is refused before anything is taken; only a large payload makes it so.
    for (const delivery of deliveries) if (delivery.parcel.payload.length > BYTES_PER_COMMIT_MAX) itemOf(delivery);
    // One chunk at a time: each has copies of the payloads, and one event may go to thousands.
    let last: readonly Entry[] = [];
    for (const chunk of chunksOf(deliveries)) {
      if (last.length > 0) await this.#enqueue(last, [], []);
      last = chunk;
    }
    const room = Math.max(0, Math.floor((ROWS_PER_COMMIT_MAX - rows.length - last.length) / RECORD_ROWS_MAX));
    let begun = records;
    for (; begun.length > room; begun = begun.slice(RECORDS_PER_COMMIT_MAX))
      await this.#enqueue([], [], begun.slice(0, RECORDS_PER_COMMIT_MAX));
    await this.#enqueue(last, rows, begun);
  }

  async #enqueue(chunk: readonly Entry[], rows: readonly OwnRow[], records: readonly LedgerRecord[]): Promise<void> {
    const now = this.#parts.clock.now();
    const waiting = chunk.map(({ delivery }) => accepted(recordOf(delivery), delivery.delayMs ? now + delivery.delayMs : undefined));
    await this.#list.enqueue(
      chunk.map(({ item }) => item),
      () => [...rows, ...[...records, ...waiting].flatMap((record) => this.ledger.write(record))],
    );
  }

  /** Writes rows of the holder's own. */
  writeRows(rows: readonly OwnRow[]): Promise<void> {
    return this.#list.writeRows(rows);
  }

  /** Rows of the holder's own, in the order of `keys` and all of one moment; at most `READ_KEYS_MAX`. */
  getRows(keys: readonly string[]): ReturnType<WorkList["getRows"]> {
    return this.#list.getRows(keys);
  }

  /** Reads rows of the holder's own, ordered by key. */
  readRows(range: Parameters<WorkList["readRows"]>[0]): ReturnType<WorkList["readRows"]> {
    return this.#list.readRows(range);
  }

  /** Of one lane, only the oldest delivery may be tried. */
  get ordered(): boolean {
    return this.#parts.ordering === "fifo";
  }

  /** Deliveries that have not ended. */
  get open(): number {
    const { visible, delayed, leased, outgoing } = this.#list.counts();
    return visible + delayed + leased + outgoing;
  }

  /** Ends all waiting; later calls reject with `ShuttingDown`. */
  close(): Promise<void> {
    return this.#list.close();
  }

  // For whoever hands over.

  /** It would not be tried again, was it tried now in vain. */
  isTooOld({ stored }: TakenDelivery): boolean {
    return this.#parts.clock.now() >= tooOldAt(stored);
  }

  /** Takes up to `max` deliveries that are due, waiting for the first one; undefined once it is closed. */
  async take(max: number, signal?: AbortSignal): Promise<TakenDelivery[] | undefined> {
    const outcome = await this.#list.lease({ max, leaseMs: LEASE_MS, waitMs: LEASE_WAIT_MS, signal });
    if (outcome.kind === "closed") return undefined;
    return outcome.kind === "leased" ? outcome.items.map(takenOf) : [];
  }

  /** Nothing of the lane is taken until it is freed. */
  holdLane(lane: string): void {
    this.#list.holdGroup(lane);
  }

  freeLane(lane: string): void {
    this.#list.freeGroup(lane);
  }

  /** Commits what follows from handing a delivery over, or from not having tried it. */
  async settle(taken: TakenDelivery, outcome: HandOver, startedAt: number): Promise<void> {
    if (outcome.kind === "wait") return this.#settleWait(taken, outcome);
    const { clock, random, retryTimeFactor } = this.#parts;
    const { stored, item } = taken;
    const attempts = taken.attempts + 1;
    const now = clock.now();
    // Most are taken, and then nobody asks for waits.
    const { waitsMs } = stored.retry;
    const retry = outcome.kind === "later" ? { ...stored.retry, waitsMs: waitsMs.map((waitMs) => waitMs * retryTimeFactor) } : stored.retry;
    const step = afterHandOver(retry, { acceptedAt: stored.acceptedAt, attempts }, outcome, now, random.next());
    if (stored.kind === "deadLetter") return this.#settleDeadLetter(taken, step.kind === "again" ? step.at - now : undefined, outcome);
    const record = await this.#recordOf(taken);
    const attempt = attemptOf(taken.id, outcome, startedAt);
    switch (step.kind) {
      case "taken":
        // Its record goes on at the target.
        if (step.recorded) return this.#end(item, () => this.ledger.forget([record]));
        return this.#end(item, () => this.ledger.write(ended(record, now, { kind: "handled" }, attempt)));
      case "again": {
        const rows = this.ledger.write(triedAgain(record, attempt, step.at));
        await this.#list.release(item.receipt, { delayMs: step.at - now, note: noteOf(attempts, item), rows });
        return;
      }
      case "exhausted":
        return this.#giveUp(
          taken,
          { delivery: taken, attempts, why: step.why, refusal: step.refusal },
          ended(record, now, lost(stored, step.why), attempt),
        );
    }
  }

  /** Not tried. What would be too old when its target may be asked again, which took nothing of late, ends now. */
  async #settleWait(taken: TakenDelivery, { ms, why: refusal }: Extract<HandOver, { readonly kind: "wait" }>): Promise<void> {
    const { stored, item, attempts } = taken;
    const now = this.#parts.clock.now();
    if (!refusal || now + ms < tooOldAt(stored)) {
      await this.#list.release(item.receipt, { delayMs: ms, note: noteOf(attempts, item) });
      return;
    }
    if (stored.kind === "deadLetter") return this.#endDeadLetter(taken, true);
    const why = "MaximumEventAgeInSeconds";
    const record = ended(await this.#recordOf(taken), now, lost(stored, why));
    // In the words of EventBridge there was a first attempt.
    return this.#giveUp(taken, { delivery: taken, attempts: Math.max(1, attempts), why, refusal }, record);
  }

  async #giveUp(taken: TakenDelivery, dead: DeadDelivery, record: LedgerRecord): Promise<void> {
    const { stored, item } = taken;
    const letter = stored.deadLetter === undefined ? [] : [this.#letterItem(stored, stored.deadLetter, dead)];
    await this.#end(item, () => this.ledger.write(record), letter);
  }

  #letterItem(stored: StoredDelivery, target: string, dead: DeadDelivery): NewItem {
    const { deadLetter, deadLetterSender = (sender) => sender, clock } = this.#parts;
    const options = { attributes: deadLetter(dead), ...orderIn(target, stored) };
    const parcel = { ...stored.parcel, target, sender: deadLetterSender(stored.parcel.sender), options };
    const letter: StoredDelivery = { ...stored, kind: "deadLetter", parcel, retry: DEAD_LETTER_RETRY, acceptedAt: clock.now() };
    return { id: stored.id, body: encodeDelivery(letter), group: target };
  }

  async #settleDeadLetter(taken: TakenDelivery, againInMs: number | undefined, outcome: Tried): Promise<void> {
    const { item, attempts } = taken;
    if (againInMs === undefined) return this.#endDeadLetter(taken, outcome.kind !== "taken");
    await this.#list.release(item.receipt, { delayMs: againInMs, note: noteOf(attempts + 1, item) });
  }

  /** Its record has ended; it is rewritten only when the queue does not take it for good. */
  async #endDeadLetter({ id, item, stored }: TakenDelivery, isLost: boolean): Promise<void> {
    const record = isLost ? await this.ledger.get(id) : undefined;
    const now = this.#parts.clock.now();
    await this.#end(item, () => (record ? this.ledger.rewrite(undelivered(record, now, stored.parcel.target)) : []));
  }

  async #end(item: LeasedItem, rows: () => OwnRow[], enqueue: readonly NewItem[] = []): Promise<void> {
    const outcome = await this.#list.settle(item.receipt, { rows: rows(), enqueue });
    invariant(outcome.kind === "settled", `delivery ${item.id} is held by whoever settles it`);
  }

  /** One that was never tried has the record it was accepted with. */
  async #recordOf({ id, item, stored }: TakenDelivery): Promise<LedgerRecord> {
    const known = item.receiveCount > 1 ? await this.ledger.get(id) : undefined;
    return known ?? accepted(recordOf(stored));
  }

  #refuseBeyondBound(more: number): void {
    if (this.open + more > OUTBOX_DELIVERIES_MAX)
      throw new LambentError("Throttled", `${this.open} deliveries wait here; at most ${OUTBOX_DELIVERIES_MAX} may.`);
  }
}

interface Entry {
  readonly delivery: NewDelivery;
  readonly item: NewItem;
}

function itemOf({ delayMs, lane, ...delivery }: NewDelivery): NewItem {
  const body = encodeDelivery({ ...delivery, kind: "delivery" });
  if (body.length > ITEM_BYTES_MAX)
    throw new LambentError(
      "RequestTooLarge",
      `A delivery to ${delivery.parcel.target} has ${body.length} bytes; at most ${ITEM_BYTES_MAX} are kept.`,
    );
  return { id: delivery.id, body, group: lane ?? delivery.parcel.target, delayMs };
}

function* chunksOf(deliveries: readonly NewDelivery[]): Generator<readonly Entry[]> {
  let chunk: Entry[] = [];
  let bytes = 0;
  for (const delivery of deliveries) {
    const item = itemOf(delivery);
    const size = item.body.length;
    if (chunk.length > 0 && (chunk.length >= PER_COMMIT_MAX || bytes + size > BYTES_PER_COMMIT_MAX)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push({ delivery, item });
    bytes += size;
  }
  // Without deliveries there is still what the holder writes.
  yield chunk;
}

function takenOf(item: LeasedItem): TakenDelivery {
  const stored = decodeDelivery(item.body);
  const { attempts, leases } = readNote(item.note);
  const { id, parcel, source, origin, subject, dueAt, cause, correlation, acceptedAt } = stored;
  const lane = item.group ?? parcel.target;
  const again = item.receiveCount > leases + 1;
  return { ...{ id, parcel, lane, source, origin, subject, dueAt, cause, correlation, acceptedAt, attempts, again }, item, stored };
}

/** When it is too old to be tried again. */
function tooOldAt({ acceptedAt, retry }: StoredDelivery): Instant {
  return acceptedAt + retry.ageMsMax;
}

/** A FIFO queue takes nothing without a group and an id of its own. */
function orderIn(target: string, { id, parcel: { options } }: StoredDelivery): Pick<ParcelOptions, "messageGroupId" | "deduplicationId"> {
  const { messageGroupId = id, deduplicationId = id } = options;
  return target.endsWith(".fifo") ? { messageGroupId, deduplicationId } : {};
}

/** What is remembered of a delivery from one lease to the next: attempts, and the leases whose end is known. One that a crash ended never is. */
function noteOf(attempts: number, { note }: LeasedItem): Buffer {
  return Buffer.from(`${attempts} ${readNote(note).leases + 1}`);
}

function readNote(note: Uint8Array | undefined): { readonly attempts: number; readonly leases: number } {
  const [attempts = 0, leases = 0] = note ? Buffer.from(note).toString("utf8").split(" ").map(Number) : [];
  return { attempts, leases };
}

function recordOf({ id, source, origin, subject, cause, correlation, acceptedAt, dueAt, parcel }: Omit<NewDelivery, "delayMs" | "lane">) {
  return { id, source, origin, subject, cause, correlation, acceptedAt, dueAt, target: parcel.target };
}

function attemptOf(id: string, outcome: Tried, at: number): Attempt {
  const { durationMs } = outcome;
  const error = outcome.kind === "taken" ? undefined : `${outcome.refusal.code}: ${outcome.refusal.message}`;
  return { at, durationMs, requestId: id, version: undefined, result: resultOf(outcome), error };
}

function resultOf(outcome: Tried): Attempt["result"] {
  if (outcome.kind === "taken") return "ok";
  const { code } = outcome.refusal;
  return code === "THROTTLING" ? "throttled" : code === "TIMEOUT" ? "timeout" : "unavailable";
}

/** What the ledger says of a delivery that ended in vain. */
function lost({ deadLetter }: StoredDelivery, why: Exhausted): Outcome {
  const expired = why === "MaximumEventAgeInSeconds";
  if (deadLetter !== undefined)
    return {
      kind: "deadLettered",
      target: deadLetter,
      reason: expired ? "expired" : why === "refused" ? "targetGone" : "retriesExhausted",
    };
  if (expired) return { kind: "expired" };
  return { kind: "discarded", reason: why === "refused" ? "targetGone" : "retriesExhausted" };
}
