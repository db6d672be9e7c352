/**
 * The order of a FIFO topic: numbers its messages and knows those of the last five minutes by their deduplication ids.
 *
 * Messages that come while a commit runs form the next one, in the order they came. A number and what is remembered of a message are durable
 * not before its deliveries: a crash between them lets the publisher try again, and FIFO queues know what they got before by its deduplication id.
 */
import { type Clock, deferred, type Deferred, type Instant, LambentError } from "../base/index.ts";
import type { LedgerRecord } from "../ledger/index.ts";
import type { NewDelivery, Outbox } from "../outbox/index.ts";
import type { OwnRow } from "../storage/index.ts";

/** How long a deduplication id is remembered. @limit */
export const FIFO_DEDUPLICATION_MS = 300_000;
/** Deduplication ids of one topic that are remembered; one more is refused with `Throttled` (P7). @limit */
export const FIFO_DEDUPLICATIONS_MAX = 200_000;
/** Messages of one topic that wait for their number; one more is refused with `Throttled` (P7). @limit */
export const FIFO_MESSAGES_WAITING_MAX = 2_000;
/** Messages numbered in one step, and bytes of deliveries after which it takes no further one. */
const STEP_MESSAGES_MAX = 50;
const STEP_BYTES_TARGET = 512 * 1024;
const STEP_DELIVERIES_TARGET = 50;
/** Ids that are forgotten with one commit: more than it brings, so that they do not pile up. */
const FORGOTTEN_PER_STEP_MAX = 100;
const ROWS_PER_PAGE = 1_000;

const NEXT_KEY = "fifo/next";
const REMEMBERED_PREFIX = "fifo/seen/";

/** A message that is to be numbered. */
export interface FifoMessage {
  readonly id: string;
  /** The id in its scope. */
  readonly deduplication: string;
  /** What it leads to, once its number is known. */
  readonly deliveries: (sequence: number) => readonly NewDelivery[];
  readonly records: readonly LedgerRecord[];
}

export interface Numbered {
  readonly id: string;
  readonly sequence: number;
}

/** What is remembered of a message, under its number. */
interface Remembered extends Numbered {
  readonly deduplication: string;
  readonly at: Instant;
}

interface Waiting {
  readonly message: FifoMessage;
  readonly numbered: Deferred<Numbered>;
}

export class FifoLog {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #seen = new Map<string, Remembered>();
  #next = 1;
  #waiting: Waiting[] = [];
  #running = false;

  private constructor(outbox: Outbox, clock: Clock) {
    this.#outbox = outbox;
    this.#clock = clock;
  }

  /** Reads what the topic remembers. */
  static async open(outbox: Outbox, clock: Clock): Promise<FifoLog> {
    const log = new FifoLog(outbox, clock);
    const [next] = await outbox.readRows({ prefix: NEXT_KEY, limit: 1 });
    if (next) log.#next = Number(Buffer.from(next.value).toString("utf8"));
    for (let after: string | undefined; ;) {
      const rows = await outbox.readRows({ prefix: REMEMBERED_PREFIX, limit: ROWS_PER_PAGE, ...(after === undefined ? {} : { after }) });
      for (const { value } of rows) log.#remember(JSON.parse(Buffer.from(value).toString("utf8")) as Remembered);
      after = rows.at(-1)?.key;
      if (after === undefined) return log;
    }
  }

  /** Numbers the message behind those before it and takes its deliveries; one that is known already is told the first one's number. */
  append(message: FifoMessage): Promise<Numbered> {
    if (this.#isAtBound())
      return Promise.reject(
        new LambentError(
          "Throttled",
          `${this.#waiting.length} messages wait, and ${this.#seen.size} are remembered: one of them is the topic's bound.`,
        ),
      );
    const numbered = deferred<Numbered>();
    this.#waiting.push({ message, numbered });
    if (!this.#running) void this.#run();
    return numbered.promise;
  }

  #isAtBound(): boolean {
    if (this.#waiting.length >= FIFO_MESSAGES_WAITING_MAX) return true;
    // What is past is forgotten with the next message: it may come.
    return this.#seen.size >= FIFO_DEDUPLICATIONS_MAX && this.#forgettable(this.#clock.now()).length === 0;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) await this.#step();
    // In one step with the last look, so that nothing is appended between them.
    this.#running = false;
  }

  async #step(): Promise<void> {
    const now = this.#clock.now();
    const forgotten = this.#forgettable(now);
    const step = new Step(this.#next, now);
    while (this.#waiting.length > 0 && !step.isFull) {
      const [waiting] = this.#waiting.splice(0, 1);
      if (waiting) this.#take(waiting, step);
    }
    // A number is never given twice, whatever becomes of the commit.
    this.#next = step.next;
    try {
      await this.#commit(step, forgotten);
    } catch (error) {
      step.fail(error);
      return;
    }
    for (const { deduplication } of forgotten) this.#seen.delete(deduplication);
    for (const remembered of step.remembered) this.#remember(remembered);
    step.succeed();
  }

  #take(waiting: Waiting, step: Step): void {
    const { deduplication } = waiting.message;
    const known = this.#seen.get(deduplication);
    if (known && known.at + FIFO_DEDUPLICATION_MS > step.now) step.tell(waiting, known);
    else step.add(waiting, known);
  }

  /** A message is known only when all of its deliveries are there: they may take several commits. */
  async #commit(step: Step, forgotten: readonly Remembered[]): Promise<void> {
    const { remembered, replaced, deliveries, records } = step;
    if (remembered.length === 0) return;
    const next: OwnRow = { key: NEXT_KEY, value: Buffer.from(String(step.next)) };
    const gone = new Set([...forgotten, ...replaced]);
    const seen: OwnRow[] = [...gone].map(({ sequence }) => ({ key: rowKey(sequence), value: undefined }));
    for (const each of remembered) seen.push({ key: rowKey(each.sequence), value: Buffer.from(JSON.stringify(each)) });
    if (!step.isFull) return this.#outbox.accept(deliveries, { rows: [next, ...seen], records });
    await this.#outbox.accept(deliveries, { rows: [next], records });
    return this.#outbox.writeRows(seen);
  }

  /** Oldest first, which is the order of the map. */
  #forgettable(now: Instant): Remembered[] {
    const past: Remembered[] = [];
    for (const remembered of this.#seen.values()) {
      if (past.length >= FORGOTTEN_PER_STEP_MAX || remembered.at + FIFO_DEDUPLICATION_MS > now) break;
      past.push(remembered);
    }
    return past;
  }

  /** The latest one of an id counts, and stands where its number belongs. */
  #remember(remembered: Remembered): void {
    this.#seen.delete(remembered.deduplication);
    this.#seen.set(remembered.deduplication, remembered);
  }
}

/** Messages that are numbered together. */
class Step {
  readonly now: Instant;
  readonly deliveries: NewDelivery[] = [];
  readonly records: LedgerRecord[] = [];
  /** What is remembered of earlier messages with the same ids, long ago. */
  readonly replaced: Remembered[] = [];
  readonly #added = new Map<string, Remembered>();
  readonly #told: (readonly [Waiting, Numbered])[] = [];
  #bytes = 0;
  next: number;

  constructor(next: number, now: Instant) {
    this.next = next;
    this.now = now;
  }

  get remembered(): Remembered[] {
    return [...this.#added.values()];
  }

  get isFull(): boolean {
    const { length } = this.deliveries;
    return this.#told.length >= STEP_MESSAGES_MAX || length >= STEP_DELIVERIES_TARGET || this.#bytes >= STEP_BYTES_TARGET;
  }

  add(waiting: Waiting, past: Remembered | undefined): void {
    const { id, deduplication, deliveries, records } = waiting.message;
    const earlier = this.#added.get(deduplication);
    if (earlier) return this.tell(waiting, earlier);
    const remembered = { id, sequence: this.next, deduplication, at: this.now };
    this.next += 1;
    this.#added.set(deduplication, remembered);
    if (past) this.replaced.push(past);
    for (const delivery of deliveries(remembered.sequence)) {
      this.deliveries.push(delivery);
      this.#bytes += delivery.parcel.payload.length;
    }
    this.records.push(...records);
    this.tell(waiting, remembered);
  }

  tell(waiting: Waiting, { id, sequence }: Numbered): void {
    this.#told.push([waiting, { id, sequence }]);
  }

  succeed(): void {
    for (const [{ numbered }, told] of this.#told) numbered.resolve(told);
  }

  fail(error: unknown): void {
    for (const [{ numbered }] of this.#told) numbered.reject(error);
  }
}

function rowKey(sequence: number): string {
  return REMEMBERED_PREFIX + String(sequence).padStart(16, "0");
}
