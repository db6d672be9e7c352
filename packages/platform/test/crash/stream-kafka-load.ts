/** Clients of Kafka in the rig: idempotent producers, which send again what they heard no answer of, and a consumer that commits. */
import { delay, type Random, systemClock } from "../../src/base/index.ts";
import { fetch, initProducerId, KAFKA_ERRORS, offsetCommit, produce } from "../../src/gateway/kafka/protocol/index.ts";
import { readRecords, splitBatches } from "../../src/streams/index.ts";
import { ConnectionEnded, KafkaWire } from "../gateway/kafka/wire.ts";
import { CHECKS } from "./checks.ts";
import { producerBatch } from "./producer-batch.ts";
import type { KnownProducer } from "./stream-history.ts";
import type { StreamLoad } from "./stream-load.ts";
import { GROUP, STREAMS } from "./stream-names.ts";

const VERSIONS = { init: 2, produce: 9, fetch: 12, commit: 8 } as const;
const TIMEOUT_MS = 10_000;
const FETCH_WAIT_MS = 20;
const FETCH_BYTES_MAX = 1_048_576;
const PAUSE_MS = 4;
/** What says that the storage has stopped, or is about to. */
const STOPPED: ReadonlySet<number> = new Set([KAFKA_ERRORS.KAFKA_STORAGE_ERROR, KAFKA_ERRORS.COORDINATOR_NOT_AVAILABLE]);

export class KafkaLoad {
  readonly #load: StreamLoad;

  constructor(load: StreamLoad) {
    this.#load = load;
  }

  /** One producer of one partition, over all lives: its numbers are its own, so what it sends again is there once. */
  async produce(partition: number, random: Random): Promise<void> {
    const { history } = this.#load;
    await this.#connected(async (wire) => {
      let known = history.producers.get(partition);
      if (!known) {
        const { producerId, errorCode } = await wire.ask(initProducerId, VERSIONS.init, {
          transactionalId: null,
          transactionTimeoutMs: TIMEOUT_MS,
        });
        if (errorCode !== 0) return this.#refused(errorCode, "InitProducerId");
        known = { id: producerId, epoch: 0, sequence: 0, underWay: undefined };
        history.producers.set(partition, known);
      }
      while (this.#load.goesOn()) {
        if (!(await this.#send(wire, partition, known, random))) return;
        await delay(systemClock, PAUSE_MS);
      }
    });
  }

  /** Resolves with whether it goes on. */
  async #send(wire: KafkaWire, index: number, known: KnownProducer, random: Random): Promise<boolean> {
    const { history } = this.#load;
    const producer = `kafka-${index}`;
    if (known.underWay) this.#load.say({ kind: "again", call: known.underWay.call });
    else {
      known.underWay = { call: history.nextCall, readings: this.#load.draw(producer, random) };
      this.#load.say({ kind: "putting", stream: STREAMS.readings, ...known.underWay });
    }
    const { call, readings } = known.underWay;
    const topicData = [{ name: STREAMS.readings, partitionData: [{ index, records: [producerBatch(readings, known)] }] }];
    const answer = await wire.ask(produce, VERSIONS.produce, { transactionalId: null, acks: -1, timeoutMs: TIMEOUT_MS, topicData });
    const [told] = answer.responses[0]?.partitionResponses ?? [];
    if (!told || told.errorCode !== 0) {
      this.#refused(told?.errorCode ?? -1, "Produce");
      return false;
    }
    this.#load.say({ kind: "put", call, places: readings.map((_, at) => [index, told.baseOffset + at]) });
    known.underWay = undefined;
    known.sequence += readings.length;
    return true;
  }

  /** Reads all partitions from where the group is, says what it commits, and finds what it reads where it was told to be. */
  async consume(partitions: number): Promise<void> {
    await this.#connected(async (wire) => {
      const at = Array.from({ length: partitions }, (_, partition) =>
        Math.max(0, this.#load.history.offsets.get(`${GROUP} ${partition}`)?.committed ?? 0),
      );
      while (this.#load.goesOn()) {
        for (const [partition, offset] of at.entries()) {
          const next = await this.#read(wire, partition, offset);
          if (next === undefined || (next > offset && !(await this.#commit(wire, partition, next)))) return;
          at[partition] = next;
        }
        await delay(systemClock, PAUSE_MS);
      }
    });
  }

  async #read(wire: KafkaWire, partition: number, fetchOffset: number): Promise<number | undefined> {
    const topics = [{ topic: STREAMS.readings, partitions: [{ partition, fetchOffset, partitionMaxBytes: FETCH_BYTES_MAX }] }];
    const asked = { maxWaitMs: FETCH_WAIT_MS, minBytes: 1, maxBytes: FETCH_BYTES_MAX, sessionId: 0, sessionEpoch: -1, topics };
    const { responses } = await wire.ask(fetch, VERSIONS.fetch, asked);
    const [told] = responses[0]?.partitions ?? [];
    if (!told || told.errorCode !== 0) {
      this.#refused(told?.errorCode ?? -1, "Fetch");
      return undefined;
    }
    const records = splitBatches(told.records ?? Buffer.alloc(0)).flatMap((bytes) => readRecords({ bytes }));
    for (const { offset, value } of records) this.#load.history.read(STREAMS.readings, partition, offset, String(value));
    return (records.at(-1)?.offset ?? fetchOffset - 1) + 1;
  }

  async #commit(wire: KafkaWire, shard: number, offset: number): Promise<boolean> {
    this.#load.say({ kind: "committing", group: GROUP, shard, offset });
    const partitions = [{ partitionIndex: shard, committedOffset: offset, committedMetadata: null }];
    const asked = { groupId: GROUP, generationIdOrMemberEpoch: -1, memberId: "", topics: [{ name: STREAMS.readings, partitions }] };
    const { topics } = await wire.ask(offsetCommit, VERSIONS.commit, asked);
    const errorCode = topics[0]?.partitions[0]?.errorCode ?? -1;
    if (errorCode !== 0) this.#refused(errorCode, "OffsetCommit");
    else this.#load.say({ kind: "committed", group: GROUP, shard, offset });
    return errorCode === 0;
  }

  #refused(errorCode: number, request: string): void {
    if (STOPPED.has(errorCode)) this.#load.stopped();
    else this.#load.find(CHECKS.ends, `${request} was answered with error ${errorCode}`);
  }

  /** A connection that ends is what is being done to the server. */
  async #connected(work: (wire: KafkaWire) => Promise<void>): Promise<void> {
    try {
      await using wire = await KafkaWire.open(Number(this.#load.server.kafka.split(":").at(-1)));
      await work(wire);
    } catch (error) {
      if (!isGone(error)) this.#load.find(CHECKS.ends, `a client of Kafka: ${String(error)}`);
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ConnectionEnded || (error instanceof Error && "code" in error && /^E(?:CONN|PIPE)/u.test(String(error.code)));
}
