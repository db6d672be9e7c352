/**
 * One partition of a stream: takes records, keeps them in their order, gives them to readers, and wakes those who wait for more.
 *
 * Keeps P1 (an append is told of once it is durable), P6 (nobody polls), P7 (what waits is bounded). What waits while a commit is under way
 * becomes the next one: single records of many callers one batch in one row. Does not know keys, shards, or who reads how far.
 */
import { type Clock, deferred, type Instant, invariant, isLambentError, LambentError, turnOfTheLoop } from "../../base/index.ts";
import type { Store } from "../../storage/index.ts";
import { type CheckedBatch, checkRecord, type NewRecord, type StoredBatch } from "../record-batch/index.ts";
import type { StreamRecord } from "../stream-record.ts";
import { type Appended, type AppendBatchOutcome, AppendPlan, type WaitingAppend } from "./append-plan.ts";
import type { AppendBudget } from "./append-budget.ts";
import { PartitionLog } from "./log.ts";
import { LogReader, type OffsetAndTime, type ReadOptions } from "./reading.ts";
import { BATCH_BYTES_MAX } from "./row.ts";
import { PRODUCER_NAME_LENGTH_MAX, type ProducerStamp, repeated } from "./stamps.ts";
import { Tail, type Tails } from "./tails.ts";
import { Waiters } from "./waiters.ts";

/** Bytes one commit takes before it takes no more: longer ones would keep those who wait longer than they save. */
const COMMIT_BYTES = 1024 * 1024;
/** Clients' batches in one commit, and stamped appends: each may be of a producer to remember. */
const COMMIT_BATCHES_MAX = 50;
const COMMIT_STAMPED_MAX = 50;
/** Appends of one commit: a row can hold many. */
const COMMIT_APPENDS_MAX = 20_000;

export interface PartitionParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly tails: Tails;
  readonly budget: AppendBudget;
  readonly cell: string;
  readonly number: number;
  /** The stream as it is now; undefined once it is removed. */
  readonly stream: () => StreamRecord | undefined;
  /** Something may be trimmed at another time than before. */
  readonly onTrimmable: (partition: Partition) => void;
}

/** What stands before others in the queue and is no append: a bound that moves, a shard that closes. */
interface WaitingChange {
  readonly kind: "change";
  readonly bytes: 0;
  run(): Promise<void>;
  reject(error: unknown): void;
}

type Phase = { readonly kind: "open" } | { readonly kind: "closed" } | { readonly kind: "removed" } | { readonly kind: "ended" };

export class Partition {
  readonly number: number;
  readonly #parts: PartitionParts;
  readonly #log: PartitionLog;
  readonly #tail: Tail;
  readonly #reader: LogReader;
  readonly #waiters = new Waiters();
  readonly #waiting: (WaitingAppend | WaitingChange)[] = [];
  #lastSeen: StreamRecord;
  #phase: Phase;
  #working: Promise<void> | undefined;

  private constructor(parts: PartitionParts, log: PartitionLog, stream: StreamRecord) {
    this.number = parts.number;
    this.#parts = parts;
    this.#log = log;
    this.#tail = new Tail(parts.tails);
    this.#reader = new LogReader(log, this.#tail);
    this.#lastSeen = stream;
    this.#phase = { kind: stream.shards[parts.number]?.closed ? "closed" : "open" };
  }

  /** Opens a partition; its cell is this one's alone as long as it is open. */
  static async open(parts: PartitionParts): Promise<Partition> {
    const stream = parts.stream();
    if (!stream) throw new LambentError("NotFound", "The stream does not exist any more.");
    return new Partition(parts, await PartitionLog.open(parts.store, parts.cell), stream);
  }

  /** As it is now, or was when it was removed. */
  get stream(): StreamRecord {
    this.#lastSeen = this.#parts.stream() ?? this.#lastSeen;
    return this.#lastSeen;
  }

  /** The oldest offset that is kept. */
  get first(): number {
    return this.#log.first;
  }

  /** The offset the next record gets: all below are durable. */
  get end(): number {
    return this.#log.end;
  }

  /** Of what is kept, about. */
  get bytes(): number {
    return this.#log.bytes;
  }

  /**
   * Appends records in their order, one behind the other; with `once`, only if that was not appended yet. Their bytes are read until the
   * promise settles: the caller leaves them alone that long.
   *
   * Throws `RequestTooLarge` for a record over its limit, `Throttled` and `StorageBusy` at a bound (nothing happened), `IllegalState` for
   * a shard that is closed and does not have it, `NotFound` for a stream that is removed, `InvalidParameter` with the detail `lastSequence`
   * for a stamp behind which the producer has gone on so far that what became of it is not known any more.
   */
  async append(records: readonly NewRecord[], once?: ProducerStamp): Promise<Appended> {
    const { promise, resolve, reject } = deferred<Appended>();
    const bytes = this.#checkRecords(records);
    if (once) checkStamp(once);
    this.#enter({ kind: "records", records, bytes, once, resolve, reject });
    return promise;
  }

  /**
   * Appends a batch as it is, but for what is the partition's to say: its base offset and, where the stream says so, its times. Its bytes
   * are read until the promise settles. An idempotent producer's batch is appended once. Throws as `append` does.
   */
  async appendBatch(batch: CheckedBatch): Promise<AppendBatchOutcome> {
    const { promise, resolve, reject } = deferred<AppendBatchOutcome>();
    const bytes = batch.bytes.length;
    if (bytes > BATCH_BYTES_MAX)
      throw new LambentError("RequestTooLarge", `A batch has ${bytes} bytes; at most ${BATCH_BYTES_MAX} are allowed.`);
    this.#enter({ kind: "batch", batch, bytes, resolve, reject });
    return promise;
  }

  /**
   * Whole batches from the one that holds `from` on: at least one if there is any, none at the end. Throws `OffsetOutOfRange` for a position
   * below `first` or beyond `end`.
   */
  async read(from: number, options: ReadOptions): Promise<readonly StoredBatch[]> {
    this.#refuseRemoved();
    return this.#reader.read(from, options);
  }

  /** Resolves once `end` is greater than `offset`, the shard is closed, the stream removed, or `signal` aborted; at once where that is so. */
  async wait(offset: number, signal?: AbortSignal): Promise<void> {
    if (this.#phase.kind !== "open" || this.end > offset) return;
    await this.#waiters.wait(offset, signal);
  }

  /** The first record whose time is at or behind `time`: the one it was made with, or that of its arrival. */
  async offsetAt(time: Instant, by: "created" | "appended"): Promise<OffsetAndTime | undefined> {
    this.#refuseRemoved();
    return by === "created" ? this.#reader.firstCreatedAt(time) : this.#reader.firstAppendedAt(time);
  }

  /** The first of the records that were made with the greatest time; undefined where there are none. */
  async latestCreated(): Promise<OffsetAndTime | undefined> {
    this.#refuseRemoved();
    return this.#reader.latestCreated();
  }

  /** Forgets the records before `offset`. Throws `OffsetOutOfRange` beyond the end. */
  deleteBefore(offset: number): Promise<void> {
    return this.#queueChange(async () => {
      if (offset > this.end) throw new LambentError("OffsetOutOfRange", `The position ${offset} is behind the end, which is ${this.end}.`);
      await this.#trim(offset);
    });
  }

  /** Forgets what is past the stream's retention. */
  trim(): Promise<void> {
    return this.#queueChange(async () => this.#trim(await this.#log.firstToKeep(this.#parts.clock.now(), this.stream.settings)));
  }

  /** When something is to be trimmed next, as far as time decides it; undefined when nothing is. */
  get trimmableAt(): Instant | undefined {
    return this.#phase.kind === "removed" ? undefined : this.#log.trimmableAt(this.stream.settings);
  }

  /** Closes the shard if `decide`, which runs behind all appends that came before, does not throw. */
  closing(decide: () => Promise<void>): Promise<void> {
    return this.#queueChange(async () => {
      await decide();
      this.#phase = { kind: "closed" };
      this.#waiters.wake(Infinity);
    });
  }

  /** Runs a change while nothing is appended, behind what came before. */
  #queueChange(run: () => Promise<void>): Promise<void> {
    const { promise, resolve, reject } = deferred<void>();
    this.#enter({ kind: "change", bytes: 0, run: () => run().then(resolve), reject });
    return promise;
  }

  /** The stream is removed: appends end with `NotFound`, and nothing is written once this resolves. */
  async removed(): Promise<void> {
    await this.#end({ kind: "removed" });
  }

  /** The server stops. */
  async close(): Promise<void> {
    await this.#end({ kind: "ended" });
  }

  async #end(phase: Phase): Promise<void> {
    this.#phase = phase;
    this.#waiters.wake(Infinity);
    await this.#working;
    this.#parts.tails.forget(this.#tail);
  }

  #checkRecords(records: readonly NewRecord[]): number {
    if (records.length === 0) throw new LambentError("InvalidParameter", "An append has no records; it has one at least.");
    const { recordBytesMax } = this.stream.settings;
    let bytes = 0;
    for (const record of records) bytes += checkRecord(record, recordBytesMax);
    if (bytes > BATCH_BYTES_MAX)
      throw new LambentError("RequestTooLarge", `The records have ${bytes} bytes; at most ${BATCH_BYTES_MAX} are allowed at once.`);
    return bytes;
  }

  #enter(waiting: WaitingAppend | WaitingChange): void {
    const refusal = waiting.kind === "change" ? this.#refusalOfChange() : this.#refusal();
    if (refusal) return this.#refuse(waiting, refusal);
    if (waiting.kind !== "change") this.#parts.budget.take(waiting.bytes);
    this.#waiting.push(waiting);
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    for (;;) {
      // Those who were told of the last commit append again before the next one begins.
      await turnOfTheLoop();
      const [next] = this.#waiting;
      if (!next) break;
      if (next.kind === "change") await this.#change(next);
      else await this.#append(this.#takeAppends());
    }
    this.#working = undefined;
  }

  async #change(change: WaitingChange): Promise<void> {
    this.#waiting.shift();
    try {
      const refusal = this.#refusalOfChange();
      if (refusal) throw refusal;
      await change.run();
    } catch (error) {
      change.reject(error);
    }
  }

  /** As many as one commit takes, one at least. */
  #takeAppends(): WaitingAppend[] {
    let bytes = 0;
    let count = 0;
    let batches = 0;
    let stamped = 0;
    for (const waiting of this.#waiting) {
      if (waiting.kind === "change" || (count > 0 && bytes + waiting.bytes > COMMIT_BYTES)) break;
      if (count >= COMMIT_APPENDS_MAX || batches >= COMMIT_BATCHES_MAX || stamped >= COMMIT_STAMPED_MAX) break;
      bytes += waiting.bytes;
      count += 1;
      if (waiting.kind === "batch") batches += 1;
      else if (waiting.once) stamped += 1;
    }
    return this.#waiting.splice(0, count) as WaitingAppend[];
  }

  async #append(appends: readonly WaitingAppend[]): Promise<void> {
    try {
      const refusal = this.#refusal();
      if (refusal) throw refusal;
      const { settings } = this.stream;
      // Times of arrival never go back, so that they can be searched.
      const now = Math.max(this.#parts.clock.now(), this.#log.appendedAt);
      const { first, end, kafka, stamped } = this.#log;
      const known = { kafka: (id: string) => kafka.get(id), stamped: (producer: string) => stamped.get(producer) };
      const plan = new AppendPlan(appends, { first, end, now, timestamps: settings.timestamps, known });
      if (plan.rows.length > 0) {
        const trimmableBefore = this.#log.trimmableAt(settings);
        const { segmentBegan } = await this.#log.append(plan, now, settings);
        for (const { stored } of plan.rows) this.#tail.push(stored);
        if (segmentBegan && settings.retentionBytes !== undefined) await this.#trimBySize();
        if (trimmableBefore === undefined) this.#parts.onTrimmable(this);
      }
      plan.tell();
      this.#waiters.wake(this.end);
    } catch (error) {
      for (const append of appends) this.#refuse(append, error);
    } finally {
      for (const append of appends) this.#parts.budget.giveBack(append.bytes);
    }
  }

  /** What was appended is durable whatever comes of this: a store that is busy gets it done with a later append. */
  async #trimBySize(): Promise<void> {
    try {
      await this.#trim(await this.#log.firstToKeep(this.#parts.clock.now(), this.stream.settings));
    } catch (error) {
      if (!isLambentError(error)) throw error;
    }
  }

  async #trim(first: number): Promise<void> {
    if (first <= this.#log.first) return;
    await this.#log.trim(first);
    this.#tail.dropBefore(first);
    this.#parts.onTrimmable(this);
  }

  /** What a closed shard has already is told as such, or whoever repeats it would put it into the shards that follow, once more. */
  #refuse(waiting: WaitingAppend | WaitingChange, refusal: unknown): void {
    if (this.#phase.kind !== "closed" || waiting.kind !== "records" || !waiting.once) return waiting.reject(refusal);
    try {
      const before = repeated(this.#log.stamped.get(waiting.once.producer), waiting.once);
      if (!before) return waiting.reject(refusal);
      const { firstOffset, count, appendedAt } = before;
      waiting.resolve({ firstOffset, count, appendedAt, duplicate: true });
    } catch (error) {
      waiting.reject(error);
    }
  }

  #refusal(): LambentError | undefined {
    switch (this.#phase.kind) {
      case "open":
        return this.#parts.stream() ? undefined : this.#gone();
      case "closed":
        return new LambentError(
          "IllegalState",
          `Shard ${this.number} of stream ${this.#lastSeen.name} is closed; it takes no more records.`,
        );
      case "removed":
        return this.#gone();
      case "ended":
        return new LambentError("ShuttingDown", "The server is stopping.");
    }
  }

  #refusalOfChange(): LambentError | undefined {
    return this.#phase.kind === "closed" ? undefined : this.#refusal();
  }

  #refuseRemoved(): void {
    if (this.#phase.kind === "removed") throw this.#gone();
  }

  #gone(): LambentError {
    return new LambentError("NotFound", `The stream ${this.#lastSeen.name} does not exist any more.`);
  }
}

function checkStamp({ producer, sequence }: ProducerStamp): void {
  invariant(producer.length > 0 && producer.length <= PRODUCER_NAME_LENGTH_MAX, "a stamp names its producer within the bound");
  invariant(Number.isSafeInteger(sequence) && sequence >= 0, "a stamp has a whole number for its sequence");
}
