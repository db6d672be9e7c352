/**
 * Streams: which there are, with their shards and settings; their partitions, opened when somebody asks for them.
 *
 * A stream of Kinesis and a topic of Kafka are one thing. Keeps P1, P6, P7; P4's order of parents and children can be told from the shards. Does
 * not know how a request looks on the wire, and who reads how far.
 */
import { type Clock, isLambentError, LambentError, type Random, type SecureRandom } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import { type CellKey, type RealmTable, RealmTables, type Store } from "../storage/index.ts";
import { checkStreamName } from "./names.ts";
import { AppendBudget, oldestArrival, Partition, Tails } from "./partition/index.ts";
import { ProducerIds } from "./producer-ids.ts";
import { Removals } from "./removal.ts";
import { checkStreamSettings, DEFAULT_STREAM_SETTINGS } from "./settings.ts";
import { evenShards, withMerge, withPartitions, withSplit } from "./shards.ts";
import { partitionCell } from "./stream-cells.ts";
import type { ShardRecord, StreamRecord, StreamSettings } from "./stream-record.ts";
import { Trimmer } from "./trimmer.ts";

/** Streams of one realm. @limit */
const STREAMS_MAX = 10_000;
/** Changes of streams that wait for their turn in one realm (P7). @limit */
const STREAM_CHANGES_WAITING_MAX = 10_000;
/** Tags of one stream. @limit */
const STREAM_TAGS_MAX = 50;
/** Enhanced fan-out consumers of one stream. @limit */
const STREAM_CONSUMERS_MAX = 20;
/** Bytes that wait to be appended to one partition (P7). @limit */
const PARTITION_WAITING_BYTES_MAX = 32 * 1024 * 1024;

export interface StreamsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  readonly onProblem: (error: unknown) => void;
}

export interface NewStream {
  readonly shards: number;
  readonly settings?: Partial<StreamSettings>;
  readonly madeBy: StreamRecord["madeBy"];
  readonly mode?: StreamRecord["mode"];
  readonly tags?: Readonly<Record<string, string>>;
}

type Listener = (realm: Realm, name: string) => void;

/** Opens the streams of all realms: their definitions are loaded, and nothing of their records. */
export async function openStreams(options: StreamsOptions): Promise<Streams> {
  const { store } = options;
  const table = { store, kind: "streams", prefix: "stream/", changesWaitingMax: STREAM_CHANGES_WAITING_MAX };
  return new Streams(options, await RealmTables.load<StreamRecord>(table));
}

export class Streams {
  readonly #options: StreamsOptions;
  readonly #tables: RealmTables<StreamRecord>;
  readonly #open = new Map<CellKey, Promise<Partition>>();
  readonly #listeners = new Set<Listener>();
  readonly #tails = new Tails();
  readonly #budget = new AppendBudget();
  readonly #producerIds: ProducerIds;
  readonly #removals: Removals;
  readonly #trimmer: Trimmer;
  #closed = false;

  constructor(options: StreamsOptions, tables: RealmTables<StreamRecord>) {
    this.#options = options;
    this.#tables = tables;
    this.#producerIds = new ProducerIds(options.store);
    this.#removals = new Removals(options);
    this.#trimmer = new Trimmer(options);
  }

  /**
   * Takes up what a restart interrupted: streams that were removed but not emptied, and what is past its retention. For after the start;
   * nobody waits for it.
   */
  async resume(): Promise<void> {
    for (const { items } of this.#tables)
      for (const record of [...items.values()])
        for (const { number } of record.shards) {
          if (this.#closed) return;
          await this.#tellTrouble(() => this.#noteLeft(record, number));
        }
    await this.#tellTrouble(() => this.#removals.takeUp((id) => this.#hasId(id)));
  }

  /** Creates a stream. Throws `AlreadyExists`, `InvalidParameter`, `LimitExceeded`. */
  async create(realm: Realm, name: string, stream: NewStream): Promise<StreamRecord> {
    checkStreamName(name);
    const { clock, secureRandom } = this.#options;
    const { madeBy, mode = "provisioned", tags = {} } = stream;
    const settings = { ...DEFAULT_STREAM_SETTINGS, ...stream.settings };
    const shards = evenShards(stream.shards, clock.now());
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      if (table.items.has(name)) throw new LambentError("AlreadyExists", `The stream ${name} exists already.`);
      if (table.items.size >= STREAMS_MAX) throw new LambentError("LimitExceeded", `A realm has at most ${STREAMS_MAX} streams.`);
      const { account, region } = realm;
      const named = { realm: { account, region }, name, id: secureRandom.uuid(), createdAt: clock.now() };
      return this.#put(table, { ...named, madeBy, mode, shards, settings, tags, consumers: [] });
    });
  }

  find(realm: Realm, name: string): StreamRecord | undefined {
    return this.#tables.items(realm).get(name);
  }

  /** Throws `NotFound`. */
  get(realm: Realm, name: string): StreamRecord {
    const record = this.find(realm, name);
    if (record) return record;
    const elsewhere = [...this.#tables].find((table) => table.realm.account === realm.account && table.items.has(name));
    const hint = elsewhere ? `; there is one in ${elsewhere.realm.region}` : "";
    throw new LambentError("NotFound", `The stream ${name} does not exist in account ${realm.account}, region ${realm.region}${hint}.`);
  }

  /** The streams of a realm by name. */
  list(realm: Realm): readonly StreamRecord[] {
    return [...this.#tables.items(realm).values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Changes what is not the stream's identity, nor its shards; `change` sees the current ones. Throws `NotFound`, `InvalidParameter`, `LimitExceeded`. */
  update(realm: Realm, name: string, change: (record: StreamRecord) => StreamRecord): Promise<StreamRecord> {
    return this.#changing(realm, name, async (table, known) => {
      const { id, createdAt, madeBy, shards } = known;
      const record = await this.#put(table, { ...change(known), realm: known.realm, name, id, createdAt, madeBy, shards });
      const { settings } = record;
      const { retentionMs, retentionBytes } = known.settings;
      if (settings.retentionMs !== retentionMs || settings.retentionBytes !== retentionBytes)
        for (const { number } of record.shards) this.#noteTrim(record, number, this.#options.clock.now());
      return record;
    });
  }

  /** Removes a stream with its records, which are emptied in the background. Throws `NotFound`. */
  remove(realm: Realm, name: string): Promise<void> {
    return this.#changing(realm, name, async (table, known) => {
      await table.remove(name);
      const cells = known.shards.map(({ number }) => partitionCell(known, number));
      await Promise.all(cells.map((cell) => this.#endPartition(cell)));
      this.#tellChanged(realm, name);
      void this.#removals.empty(cells);
    });
  }

  /** Adds partitions until there are `count`. Throws `NotFound`, `InvalidParameter`, `LimitExceeded`. */
  addPartitions(realm: Realm, name: string, count: number): Promise<StreamRecord> {
    return this.#changing(realm, name, (table, known) =>
      this.#put(table, { ...known, shards: withPartitions(known.shards, count, this.#options.clock.now()) }),
    );
  }

  /** Closes a shard and opens two in its place. Throws `NotFound`, `InvalidParameter`, `IllegalState`, `LimitExceeded`. */
  split(realm: Realm, name: string, shard: number, newStartingHashKey: string): Promise<StreamRecord> {
    return this.#changing(realm, name, (table, known) =>
      this.#reshard(table, known, [shard], withSplit(known.shards, shard, newStartingHashKey, this.#options.clock.now())),
    );
  }

  /** Closes two adjacent shards and opens one in their place. Throws as `split` does. */
  merge(realm: Realm, name: string, shard: number, adjacent: number): Promise<StreamRecord> {
    return this.#changing(realm, name, (table, known) =>
      this.#reshard(table, known, [shard, adjacent], withMerge(known.shards, shard, adjacent, this.#options.clock.now())),
    );
  }

  /** The partition, open. Throws `NotFound`. */
  async partition(realm: Realm, name: string, number: number): Promise<Partition> {
    const record = this.get(realm, name);
    if (!record.shards[number]) throw new LambentError("NotFound", `The stream ${name} has no partition ${number}.`);
    const cell = partitionCell(record, number);
    const known = this.#open.get(cell);
    if (known) return known;
    if (this.#closed) throw new LambentError("ShuttingDown", "The server is stopping.");
    const opening = Partition.open({
      store: this.#options.store,
      clock: this.#options.clock,
      tails: this.#tails,
      budget: new AppendBudget(PARTITION_WAITING_BYTES_MAX, this.#budget),
      ...{ cell, number },
      stream: () => this.#current(record),
      onTrimmable: (partition) => this.#noteTrim(record, number, partition.trimmableAt),
    });
    this.#open.set(cell, opening);
    // Who asks next tries again.
    opening.catch(() => this.#open.delete(cell));
    return opening;
  }

  /** A number for an idempotent Kafka producer. */
  async newProducerId(): Promise<{ readonly id: bigint; readonly epoch: number }> {
    return { id: await this.#producerIds.next(), epoch: 0 };
  }

  /** Calls `listener` when a stream was created, changed, resharded or removed. Returns how to stop that. */
  onChanged(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = await Promise.allSettled(this.#open.values());
    const partitions = open.flatMap((opening) => (opening.status === "fulfilled" ? [opening.value] : []));
    await Promise.all(partitions.map((partition) => partition.close()));
    await Promise.all([this.#trimmer.close(), this.#removals.close()]);
  }

  #changing<T>(realm: Realm, name: string, change: (table: RealmTable<StreamRecord>, known: StreamRecord) => Promise<T>): Promise<T> {
    this.get(realm, name);
    const table = this.#tables.of(realm);
    return table.changes.take(() => change(table, this.get(realm, name)));
  }

  /** The shards that close take no append behind the moment of which the definition tells. */
  async #reshard(
    table: RealmTable<StreamRecord>,
    known: StreamRecord,
    closing: readonly number[],
    shards: readonly ShardRecord[],
  ): Promise<StreamRecord> {
    const parents = await Promise.all(closing.map((number) => this.partition(known.realm, known.name, number)));
    const record = { ...known, shards };
    const closeAll = parents.reduceRight<() => Promise<void>>(
      (inner, partition) => () => partition.closing(inner),
      async () => void (await this.#put(table, record)),
    );
    await closeAll();
    return record;
  }

  async #put(table: RealmTable<StreamRecord>, record: StreamRecord): Promise<StreamRecord> {
    checkStreamSettings(record.settings);
    if (Object.keys(record.tags).length > STREAM_TAGS_MAX)
      throw new LambentError("LimitExceeded", `A stream has at most ${STREAM_TAGS_MAX} tags.`);
    if (record.consumers.length > STREAM_CONSUMERS_MAX)
      throw new LambentError("LimitExceeded", `A stream has at most ${STREAM_CONSUMERS_MAX} consumers.`);
    await table.put(record.name, record);
    this.#tellChanged(record.realm, record.name);
    return record;
  }

  #tellChanged(realm: Realm, name: string): void {
    for (const listener of this.#listeners) listener(realm, name);
  }

  #current({ realm, name, id }: StreamRecord): StreamRecord | undefined {
    const current = this.find(realm, name);
    return current?.id === id ? current : undefined;
  }

  #hasId(id: string): boolean {
    for (const { items } of this.#tables) for (const record of items.values()) if (record.id === id) return true;
    return false;
  }

  async #endPartition(cell: CellKey): Promise<void> {
    this.#trimmer.forget(cell);
    const opening = this.#open.get(cell);
    this.#open.delete(cell);
    const [outcome] = await Promise.allSettled([opening]);
    if (outcome.status === "fulfilled") await outcome.value?.removed();
  }

  #noteTrim(record: StreamRecord, number: number, at: number | undefined): void {
    if (this.#closed) return;
    const { realm, name } = record;
    this.#trimmer.note(partitionCell(record, number), at, async () => {
      return this.#current(record) ? this.partition(realm, name, number) : undefined;
    });
  }

  /** A partition that nobody opened since the start is opened for its retention when something of it may be past that, not before. */
  async #noteLeft(record: StreamRecord, number: number): Promise<void> {
    const { retentionMs } = record.settings;
    if (retentionMs < 0 || this.#open.has(partitionCell(record, number))) return;
    const oldest = await oldestArrival(this.#options.store, partitionCell(record, number));
    if (oldest !== undefined && !this.#open.has(partitionCell(record, number))) this.#noteTrim(record, number, oldest + retentionMs);
  }

  async #tellTrouble(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isLambentError(error, "ShuttingDown")) this.#options.onProblem(error);
    }
  }
}
