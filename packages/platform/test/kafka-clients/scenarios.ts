/** What every client has to do with Lambent as with Kafka's own broker. */
import assert from "node:assert/strict";
import { type Admin, Kafka, logLevel, type Producer } from "kafkajs";
import { delay, systemClock } from "../../src/base/index.ts";
import type { Client, Codec } from "./clients.ts";
import { Driven, type ReadRecord } from "./driven.ts";
import type { ClientsServer } from "./server.ts";

const RECORDS = 300;
const MORE_RECORDS = 50;
const PARTITIONS = 4;
/** Between two batches of what is produced while members come and go. */
const PRODUCE_PAUSE_MS = 30;

/** Runs one command to its end; what it read. */
export async function drive(
  client: Client,
  ...command: ConstructorParameters<typeof Driven> extends [unknown, ...infer Rest] ? Rest : never
): Promise<readonly ReadRecord[]> {
  using driven = new Driven(client, ...command);
  await driven.ended();
  return driven.records;
}

export async function produces(client: Client, { broker }: ClientsServer, topic: string): Promise<void> {
  await drive(client, "produce", { broker, topic, count: RECORDS, value: "value-" });
}

/** In no group: all there is, in order within each partition. */
export async function consumes(client: Client, { broker }: ClientsServer, topic: string): Promise<void> {
  const records = await drive(client, "consume", { broker, topic, count: RECORDS });
  assert.deepEqual(numbersOf(records), numbers(0, RECORDS));
  for (const { key, value, client: header } of records) assert.deepEqual([value, header], [`value-${key.slice(1)}`, client.header]);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const offsets = records.filter((record) => record.partition === partition).map(({ offset }) => offset);
    assert.deepEqual(offsets, numbers(0, offsets.length));
  }
}

/** In a group: all there is, and the next time only what came since. */
export async function consumesInGroup(client: Client, { broker }: ClientsServer, topic: string): Promise<void> {
  const group = `${topic}-group`;
  const all = await drive(client, "group", { broker, topic, group, count: RECORDS });
  assert.deepEqual(numbersOf(all), numbers(0, RECORDS));
  await drive(client, "produce", { broker, topic, first: RECORDS, count: MORE_RECORDS, value: "value-" });
  const since = await drive(client, "group", { broker, topic, group, count: MORE_RECORDS });
  assert.deepEqual(numbersOf(since), numbers(RECORDS, RECORDS + MORE_RECORDS));
}

/** What it compresses lies compressed, and it reads it back. */
export async function compresses(client: Client, server: ClientsServer, topic: string, codec: Codec): Promise<void> {
  const { broker } = server;
  // Clients send as it is what compression would only make longer.
  const value = "the same again and again ".repeat(20);
  await drive(client, "produce", { broker, topic, count: 100, value, codec });
  assert.deepEqual(await server.codecsOf(topic), [codec]);
  const records = await drive(client, "consume", { broker, topic, count: 100 });
  assert.deepEqual(numbersOf(records), numbers(0, 100));
  for (const { key, value: read } of records) assert.equal(read, `${value}${key.slice(1)}`);
}

/** Who makes up a group, and how it shares out. */
export interface Party {
  readonly client: Client;
  readonly sharing: "eager" | "cooperative";
}

/**
 * Groups on one topic, each of two members of one client. While records come, a member of each group is killed. No group
 * misses a record, and none reads again what it had committed.
 */
export async function survivesKill(parties: readonly Party[], { broker }: ClientsServer, topic: string): Promise<void> {
  const kafka = new Kafka({ clientId: "tests", brokers: [broker], logLevel: logLevel.NOTHING });
  const [producer, admin] = [kafka.producer(), kafka.admin()];
  await Promise.all([producer.connect(), admin.connect()]);
  const groups: GroupUnderTest[] = [];
  try {
    await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] });
    groups.push(...parties.map((party, index) => new GroupUnderTest(party, broker, topic, `${topic}-${index}`)));
    await Promise.all(groups.map((group) => group.isShared()));
    const load = new Load(producer, topic);
    await Promise.all(groups.map((group) => group.hasRead(20)));
    await Promise.all(groups.map((group) => group.killOne(admin)));
    await Promise.all(groups.map((group) => group.isTakenOver()));
    const produced = await load.stop();
    await Promise.all(groups.map((group) => group.hasReadAll(produced)));
    await Promise.all(groups.map((group) => group.survivor.stop()));
    for (const group of groups) {
      group.check(produced);
      const committed = await group.committed(admin);
      assert.deepEqual([...committed.values()], numbers(0, PARTITIONS).fill(produced / PARTITIONS), "all that was read is committed");
    }
  } finally {
    for (const group of groups) group[Symbol.dispose]();
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  }
}

/** Records to all partitions, a few at a time, until it is stopped. */
class Load {
  readonly #ended: Promise<number>;
  #isOver = false;

  constructor(producer: Producer, topic: string) {
    this.#ended = this.#run(producer, topic);
  }

  /** How many there are. */
  stop(): Promise<number> {
    this.#isOver = true;
    return this.#ended;
  }

  async #run(producer: Producer, topic: string): Promise<number> {
    let count = 0;
    while (!this.#isOver) {
      const messages = numbers(count, count + 2 * PARTITIONS).map((number) => ({
        key: `k${number}`,
        value: "v",
        partition: number % PARTITIONS,
      }));
      await producer.send({ topic, acks: -1, messages });
      count += messages.length;
      await delay(systemClock, PRODUCE_PAUSE_MS);
    }
    return count;
  }
}

class GroupUnderTest {
  readonly survivor: Driven;
  readonly #victim: Driven;
  readonly #client: Client;
  readonly #group: string;
  readonly #topic: string;
  /** By partition, what the group had committed before the kill. */
  #committed: ReadonlyMap<number, number> = new Map();
  /** How many records the survivor had read when it was killed. */
  #readBefore = 0;

  constructor({ client, sharing }: Party, broker: string, topic: string, group: string) {
    this.#client = client;
    this.#group = group;
    this.#topic = topic;
    this.survivor = new Driven(client, "member", { broker, topic, group, sharing });
    this.#victim = new Driven(client, "member", { broker, topic, group, sharing });
  }

  async isShared(): Promise<void> {
    const both = [this.survivor, this.#victim];
    const isShared = (): boolean => both.every(({ assigned }) => assigned.length === PARTITIONS / 2);
    await Promise.all(both.map((member) => member.until("two partitions each", () => member.assigned.length === PARTITIONS / 2)));
    // The first may have changed while the second was waited for.
    while (!isShared())
      for (const member of both) await member.until("two partitions each", () => member.assigned.length === PARTITIONS / 2);
  }

  async hasRead(count: number): Promise<void> {
    for (const member of [this.survivor, this.#victim]) await member.until(`${count} records`, () => member.records.length >= count);
  }

  async killOne(admin: Admin): Promise<void> {
    this.#committed = await this.committed(admin);
    this.#readBefore = this.survivor.records.length;
    await this.#victim.kill();
  }

  /** Offsets by partition. */
  async committed(admin: Admin): Promise<ReadonlyMap<number, number>> {
    const [offsets] = await admin.fetchOffsets({ groupId: this.#group, topics: [this.#topic] });
    return new Map(offsets?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  }

  async isTakenOver(): Promise<void> {
    await this.survivor.until("all partitions", () => this.survivor.assigned.length === PARTITIONS);
  }

  async hasReadAll(produced: number): Promise<void> {
    await this.survivor.until("every record", () => this.#read.size === produced);
  }

  check(produced: number): void {
    const name = `${this.#client.name} ${this.#client.version}`;
    assert.deepEqual(numbersOf([...this.#read.values()]), numbers(0, produced), `${name} misses none`);
    const before = new Set([...this.#victim.records, ...this.survivor.records.slice(0, this.#readBefore)].map(placeOf));
    const again = this.survivor.records.slice(this.#readBefore).filter((record) => before.has(placeOf(record)));
    const committed = again.filter(({ partition, offset }) => offset < (this.#committed.get(partition) ?? 0));
    assert.deepEqual(committed, [], `${name} reads nothing again that was committed`);
  }

  [Symbol.dispose](): void {
    this.survivor[Symbol.dispose]();
    this.#victim[Symbol.dispose]();
  }

  get #read(): ReadonlyMap<string, ReadRecord> {
    return new Map([...this.#victim.records, ...this.survivor.records].map((record) => [placeOf(record), record]));
  }
}

const placeOf = ({ partition, offset }: ReadRecord): string => `${partition}/${offset}`;
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
const numbersOf = (records: readonly ReadRecord[]): number[] =>
  records.map(({ key }) => Number(key.slice(1))).toSorted((left, right) => left - right);
