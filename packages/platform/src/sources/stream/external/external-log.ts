/** One partition of a topic elsewhere, read over a connection of its own: what waits for it keeps nobody else waiting. */
import { type Clock, type Instant, isLambentError, LambentError } from "../../../base/index.ts";
import {
  checkForeignBatch,
  emptiedBatch,
  type ForeignBatch,
  type OffsetAndTime,
  type ReadOptions,
  splitBatches,
  type StoredBatch,
  type StreamRecord,
} from "../../../streams/index.ts";
import type { RecordLog } from "../record-log.ts";
import type { Broker, Fetched } from "./broker.ts";

/** A fetch waits at the broker until there is something, and for no longer than this. */
const WAIT_MS = 5_000;
/** What a wait brings is kept for the read behind it. */
const AHEAD_BYTES = 1024 * 1024;
const EARLIEST = -2;
const LATEST = -1;
const OFFSET_OUT_OF_RANGE = 1;

export interface ExternalLogParts {
  readonly clock: Clock;
  /** As it is now. */
  readonly stream: () => StreamRecord;
  readonly number: number;
  /** To who leads the partition. */
  readonly connect: () => Promise<Broker>;
  /** Another broker may lead it by now. */
  readonly onFailed: () => void;
}

export class ExternalLog implements RecordLog {
  readonly #parts: ExternalLogParts;
  #broker: Promise<Broker> | undefined;
  #first = 0;
  #end = 0;
  #ahead: { readonly from: number; readonly batches: readonly StoredBatch[] } | undefined;

  private constructor(parts: ExternalLogParts) {
    this.#parts = parts;
  }

  static async open(parts: ExternalLogParts): Promise<ExternalLog> {
    const log = new ExternalLog(parts);
    await log.#measure();
    return log;
  }

  get stream(): StreamRecord {
    return this.#parts.stream();
  }

  get number(): number {
    return this.#parts.number;
  }

  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#end;
  }

  async read(from: number, { bytesMax }: ReadOptions): Promise<readonly StoredBatch[]> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead?.from === from ? ahead.batches : this.#fetch(from, bytesMax);
  }

  async wait(offset: number, signal?: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
    while (this.#end <= offset && !signal?.aborted) {
      const fetching = this.#fetch(offset, AHEAD_BYTES);
      const batches = await Promise.race([fetching, aborted]);
      if (batches && batches.length > 0) this.#ahead = { from: offset, batches };
      // Nobody waits for it any more.
      if (!batches) fetching.catch(() => undefined);
    }
  }

  async offsetAt(time: Instant): Promise<OffsetAndTime | undefined> {
    return this.#asked((broker) => broker.offsetAt(this.stream.name, this.number, time));
  }

  close(): void {
    const broker = this.#broker;
    this.#broker = undefined;
    broker?.then(
      (open) => open.close(),
      () => undefined,
    );
  }

  async #measure(): Promise<void> {
    const at = (timestamp: number) => this.#asked((broker) => broker.offsetAt(this.stream.name, this.number, timestamp));
    const [first, end] = [await at(EARLIEST), await at(LATEST)];
    this.#first = first?.offset ?? 0;
    this.#end = Math.max(this.#first, end?.offset ?? 0);
  }

  async #fetch(from: number, bytesMax: number): Promise<readonly StoredBatch[]> {
    const fetched = await this.#asked((broker) => broker.fetch(this.stream.name, this.number, from, { bytesMax, waitMs: WAIT_MS }));
    if (fetched.errorCode === OFFSET_OUT_OF_RANGE) throw await this.#outOfRange(from);
    if (fetched.errorCode !== 0) {
      this.#failed();
      throw new LambentError(
        "Throttled",
        `Partition ${this.number} of ${this.stream.name} cannot be read: Kafka's error ${fetched.errorCode}.`,
      );
    }
    const batches = committedBatches(fetched, this.#parts.clock.now());
    // A broker that does not say where its log begins says -1.
    this.#first = Math.max(this.#first, fetched.first);
    this.#end = Math.max(fetched.end, (batches.at(-1)?.lastOffset ?? -1) + 1);
    return batches;
  }

  async #outOfRange(from: number): Promise<LambentError> {
    await this.#measure();
    const range = `${this.stream.name} has ${this.#first} to ${this.#end} in partition ${this.number}`;
    return new LambentError("OffsetOutOfRange", `Offset ${from} is not there: ${range}.`, { first: this.#first, end: this.#end });
  }

  async #asked<T>(ask: (broker: Broker) => Promise<T>): Promise<T> {
    this.#broker ??= this.#parts.connect();
    try {
      return await ask(await this.#broker);
    } catch (error) {
      this.#failed();
      throw error;
    }
  }

  /** Who leads it is looked up again, and connected to anew. */
  #failed(): void {
    this.close();
    this.#parts.onFailed();
  }
}

/** Batches whose records count; of others, the offsets do. */
export function committedBatches({ recordSet, aborted }: Pick<Fetched, "recordSet" | "aborted">, now: Instant): StoredBatch[] {
  const pieces = splitBatches(recordSet);
  const isAborted = abortedBy(aborted);
  const batches: StoredBatch[] = [];
  for (const [at, piece] of pieces.entries()) {
    const batch = checkForeignBatch(piece);
    // Brokers cut an answer where it is full.
    if (batch.kind === "fault" && at > 0 && at === pieces.length - 1) break;
    if (batch.kind === "fault") throw new LambentError("Throttled", `What the broker sent cannot be read: ${batch.message}`);
    const { bytes, baseOffset, lastOffset, maxTimestamp } = batch;
    const counts = !isAborted(batch) && !batch.isControl;
    batches.push({
      ...{ baseOffset, lastOffset, maxTimestamp, bytes: counts ? bytes : emptiedBatch(bytes) },
      // When it arrived there is not said; producers say when they made it.
      appendedAt: maxTimestamp < 0 ? now : Math.min(maxTimestamp, now),
    });
  }
  return batches;
}

/** Whether a batch is of a transaction that was given up: from the offset that is told, up to the producer's next mark. */
function abortedBy(aborted: Fetched["aborted"]): (batch: ForeignBatch) => boolean {
  const waiting = aborted.toSorted((left, right) => left.firstOffset - right.firstOffset);
  const open = new Set<bigint>();
  return ({ producerId, lastOffset, isTransactional, isControl }) => {
    while (waiting[0] && waiting[0].firstOffset <= lastOffset) open.add((waiting.shift() as { producerId: bigint }).producerId);
    if (isControl) {
      open.delete(producerId);
      return false;
    }
    return isTransactional && open.has(producerId);
  };
}

/** Nothing of the broker's may be taken for a defect of ours. */
export function reasonOf(error: unknown): string {
  return isLambentError(error) || error instanceof Error ? error.message : String(error);
}
