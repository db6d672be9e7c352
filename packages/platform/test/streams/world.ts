import assert from "node:assert/strict";
import { ManualClock, seededRandom, systemSecureRandom } from "../../src/base/index.ts";
import { realmKey } from "../../src/model/index.ts";
import { type Fault, type FaultStep, MemoryDisk, openMemoryStore, type Store } from "../../src/storage/index.ts";
import {
  type CheckedBatch,
  checkBatch,
  encodeBatch,
  type NewRecord,
  type NewStream,
  openStreams,
  type Partition,
  readRecords,
  type StreamRecordView,
  type Streams,
} from "../../src/streams/index.ts";

export const REALM = { account: "000000000000", region: "eu-central-1" };

/** Streams on a store in memory that outlives them, with what goes wrong decided by the test. */
export class StreamWorld {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  readonly problems: unknown[] = [];
  /** Asked before each step of the store. */
  fault: (step: FaultStep) => Fault | undefined = () => undefined;
  reads = 0;
  #store: Store | undefined;
  #streams: Streams | undefined;

  static async open(): Promise<StreamWorld> {
    const world = new StreamWorld();
    await world.restart();
    return world;
  }

  get streams(): Streams {
    assert.ok(this.#streams);
    return this.#streams;
  }

  get store(): Store {
    assert.ok(this.#store);
    return this.#store;
  }

  /** As a new process on the same disk; what the old one still does comes to nothing. */
  async restart(): Promise<void> {
    const before = this.#streams;
    await this.#store?.close();
    await before?.close();
    this.fault = () => undefined;
    const { clock, disk } = this;
    const faults = (step: FaultStep): Fault | undefined => {
      if (step.kind === "read") this.reads += 1;
      return this.fault(step);
    };
    this.#store = openMemoryStore({ disk, faults });
    const onProblem = (error: unknown): void => void this.problems.push(error);
    this.#streams = await openStreams({ store: this.#store, clock, random: seededRandom(1), secureRandom: systemSecureRandom, onProblem });
    await this.#streams.resume();
  }

  /** The only partition's cell. */
  get cell(): string {
    const cell = [...this.disk.cells.keys()].find((key) => key.startsWith(`${realmKey(REALM)}/streams/`));
    assert.ok(cell);
    return cell;
  }

  /** Time passes, and everything happens that it leads to. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    for (let turn = 0; turn < 20; turn += 1) await this.clock.advance(0);
  }

  async partition(stream: Partial<NewStream> = {}): Promise<Partition> {
    if (!this.streams.find(REALM, "s")) await this.streams.create(REALM, "s", { shards: 1, madeBy: "lambent", ...stream });
    return this.streams.partition(REALM, "s", 0);
  }

  /** Ends with nothing left behind. */
  async close(): Promise<void> {
    await this.streams.close();
    assert.deepEqual(this.problems, []);
    assert.equal(this.clock.pendingCount, 0);
  }
}

export const record = (value: string | Buffer, more: Partial<NewRecord> = {}): NewRecord => ({
  key: undefined,
  value: Buffer.from(value),
  ...more,
});

/** What a Kafka client sends. */
export function clientBatch(
  values: readonly string[],
  producer?: { readonly id: bigint; readonly epoch: number; readonly sequence: number },
): CheckedBatch {
  const bytes = encodeBatch(
    values.map((value) => record(value, { timestamp: 5 })),
    { baseOffset: 0, now: 0 },
  );
  const checked = checkBatch(bytes, { batchBytesMax: 16 * 2 ** 20, recordBytesMax: 10 * 2 ** 20 });
  assert.equal(checked.kind, "checked");
  if (!producer) return checked as CheckedBatch;
  bytes.writeBigInt64BE(producer.id, 43);
  bytes.writeInt16BE(producer.epoch, 51);
  bytes.writeInt32BE(producer.sequence, 53);
  return { ...(checked as CheckedBatch), producerId: producer.id, producerEpoch: producer.epoch, baseSequence: producer.sequence };
}

/** Every record from an offset on, read in pieces of `bytesMax`. */
export async function allRecords(partition: Partition, from = partition.first, bytesMax = 1_000_000): Promise<StreamRecordView[]> {
  const records: StreamRecordView[] = [];
  for (let at = from; at < partition.end;) {
    const batches = await partition.read(at, { bytesMax });
    assert.ok(batches.length > 0, `nothing is read at ${at}, before the end ${partition.end}`);
    for (const batch of batches) {
      assert.ok(batch.baseOffset <= at && at <= batch.lastOffset, `a batch of ${batch.baseOffset} to ${batch.lastOffset} follows at ${at}`);
      records.push(...readRecords(batch).filter(({ offset }) => offset >= at));
      at = batch.lastOffset + 1;
    }
  }
  return records;
}

export async function allValues(partition: Partition, from?: number, bytesMax?: number): Promise<string[]> {
  return (await allRecords(partition, from, bytesMax)).map(({ value }) => value?.toString() ?? "");
}
