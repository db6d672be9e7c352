/** Reads one partition from a place on and queues what it finds, as long as there is room. Waits for records, never polls (P6). */
import { type Clock, isLambentError } from "../../base/index.ts";
import { type Partition, readRecords, type StoredBatch } from "../../streams/index.ts";
import type { StepQueue } from "../engine/step-queue.ts";
import { pause } from "../engine/wake.ts";
import { type ChunkRules, chunksOf } from "./chunks.ts";

/** Bytes of batches read at once, beyond a first one that is larger. */
const READ_BYTES_MAX = 1_048_576;
const RETRY_MS = 200;

export interface PartitionReaderParts {
  readonly clock: Clock;
  readonly queue: StepQueue;
  readonly rules: ChunkRules;
  readonly open: () => Promise<Partition>;
  /** Told when a closed partition is read to its end: what follows it is opened, and it is ended. */
  readonly onEnded: () => void;
  /** Told when it has read all there is. */
  readonly onRead: () => void;
  readonly onProblem: (error: unknown) => void;
}

type End = "closed" | "gone";

export class PartitionReader {
  readonly #parts: PartitionReaderParts;
  #next: number;
  #isAtEnd = false;
  #lastAt: number;

  constructor(parts: PartitionReaderParts, next: number) {
    this.#parts = parts;
    this.#next = next;
    this.#lastAt = parts.clock.monotonicMs();
  }

  /** Since when nothing came, on the monotonic scale; undefined while there is something to read. */
  get quietSince(): number | undefined {
    return this.#isAtEnd ? this.#lastAt : undefined;
  }

  /** Ends when the signal aborts, the partition is closed and read, or its stream is gone. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if ((await this.#readOn(await this.#parts.open(), signal)) === "closed") this.#parts.onEnded();
        return;
      } catch (error) {
        if (isLambentError(error, "NotFound", "ShuttingDown", "StorageStopped")) return;
        if (!isLambentError(error, "StorageBusy", "Throttled")) throw error;
        await pause(this.#parts.clock, RETRY_MS, signal);
      }
    }
  }

  async #readOn(partition: Partition, signal: AbortSignal): Promise<End> {
    const { rules, clock } = this.#parts;
    const { id } = partition.stream;
    for (;;) {
      if (!(await this.#hasRoom(signal))) return "gone";
      if (partition.end <= this.#next) {
        const shard = partition.stream.shards[rules.source];
        if (shard?.closed && partition.end === this.#next) return "closed";
        this.#isAtEnd = true;
        this.#parts.onRead();
        await partition.wait(this.#next, signal);
        if (signal.aborted) return "gone";
        if (partition.end > this.#next) this.#lastAt = clock.monotonicMs();
        this.#isAtEnd = false;
        // Nothing came and it is not closed: the stream was removed.
        if (partition.end <= this.#next && (partition.stream.id !== id || !partition.stream.shards[rules.source]?.closed)) return "gone";
        continue;
      }
      this.#lastAt = clock.monotonicMs();
      for (const batch of await this.#read(partition)) {
        // What is compressed takes much more room once it is unpacked.
        if (!(await this.#hasRoom(signal))) return "gone";
        this.#queue(batch);
      }
    }
  }

  /** Resolves once there is room; with false when nobody reads any more. */
  async #hasRoom(signal: AbortSignal): Promise<boolean> {
    const { queue } = this.#parts;
    while (!queue.hasRoom && !signal.aborted) await queue.emptied();
    return !signal.aborted;
  }

  async #read(partition: Partition): Promise<readonly StoredBatch[]> {
    const { queue, rules } = this.#parts;
    try {
      return await partition.read(this.#next, { bytesMax: READ_BYTES_MAX });
    } catch (error) {
      if (!isLambentError(error, "OffsetOutOfRange") || partition.first <= this.#next) throw error;
      // Retention was faster.
      this.#next = partition.first;
      queue.push({ kind: "skipped", source: rules.source, next: this.#next });
      return [];
    }
  }

  #queue(batch: StoredBatch): void {
    const { queue, rules } = this.#parts;
    if (batch.lastOffset < this.#next) return;
    for (const { step, bytes } of chunksOf(batch, readRecords(batch), this.#next, rules)) queue.push(step, bytes);
    this.#next = batch.lastOffset + 1;
  }
}
