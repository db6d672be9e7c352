/**
 * A mapping at work on its stream: one reader a shard, a child's behind the end of its parents' (P4). Wakes when the stream changes (P6).
 */
import type { Clock, SecureRandom } from "../../base/index.ts";
import type { InvokeOutcome, InvokeRequest } from "../../invoker/index.ts";
import type { Realm } from "../../model/index.ts";
import { type Outbox, untilTaken } from "../../outbox/index.ts";
import type { StreamRecord } from "../../streams/index.ts";
import type { StreamMapping } from "../mappings/mapping.ts";
import type { Reader } from "../mappings/source-kind.ts";
import type { HeldBytes } from "../queue/held-bytes.ts";
import type { RecordLogs } from "./record-log.ts";
import { Room, type RoomParts } from "./room.ts";
import type { ShardParts, ShardReader } from "./shard-reader.ts";

export interface StreamReaderParts extends RoomParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly realm: Realm;
  /** Never rejects where they are elsewhere. */
  readonly streams: () => Promise<RecordLogs>;
  readonly cell: (shard: number) => Promise<Outbox>;
  /** Its mapping is no more. */
  readonly release: () => Promise<void>;
  readonly heldBytes: HeldBytes;
  readonly invoke: (request: InvokeRequest) => Promise<InvokeOutcome>;
  readonly roleArn: (functionName: string, qualifier: string | undefined) => string;
  readonly kafkaAddress: () => string;
  readonly onResult: (problem: string | undefined) => void;
  readonly onProblem: (error: unknown) => void;
}

/** From a start to the stop behind it. */
interface Life {
  readonly shards: Map<number, ShardReader>;
  /** Shards that were read to their end. */
  readonly ended: Set<number>;
  streamId: string | undefined;
  unlisten: () => void;
}

export class StreamReader implements Reader {
  readonly #parts: StreamReaderParts;
  readonly #room: Room;
  #mapping: StreamMapping;
  #life: Life | undefined;
  /** Looks at the stream go one behind the other. */
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: StreamReaderParts, mapping: StreamMapping) {
    this.#parts = parts;
    this.#room = new Room(parts);
    this.#mapping = mapping;
  }

  /** What is in flight ends as it began; the next batch is as it is set now. */
  async configure(mapping: StreamMapping): Promise<void> {
    await this.stop();
    this.#mapping = mapping;
  }

  start(): void {
    if (this.#life) return;
    const life: Life = { shards: new Map(), ended: new Set(), streamId: undefined, unlisten: () => undefined };
    this.#life = life;
    this.#look(life, async () => {
      const { realm, streams } = this.#parts;
      const all = await streams();
      const { stream } = this.#mapping.source;
      life.unlisten();
      life.unlisten = all.onChanged((where, name) => {
        const isThis = name === stream && where.account === realm.account && where.region === realm.region;
        if (isThis) this.#look(life, () => this.#serve(life));
      });
      await this.#serve(life);
    });
  }

  async stop(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    await this.#looking;
    life?.unlisten();
    await Promise.all([...(life?.shards.values() ?? [])].map((shard) => shard.stop()));
  }

  forget(): Promise<void> {
    return this.#parts.release();
  }

  #look(life: Life, work: () => Promise<void>): void {
    const { clock, onProblem } = this.#parts;
    const isClosed = (): boolean => this.#life !== life;
    this.#looking = this.#looking.then(() => untilTaken(work, { clock, onProblem, isClosed }));
  }

  /** Reads what may be read now. */
  async #serve(life: Life): Promise<void> {
    const { realm, streams, onResult } = this.#parts;
    const { stream: name } = this.#mapping.source;
    const logs = await streams();
    const record = logs.find(realm, name);
    if (this.#life !== life) return;
    if (record?.id !== life.streamId) {
      // A stream of that name is another one now.
      await Promise.all([...life.shards.values()].map((shard) => shard.stop()));
      life.shards.clear();
      life.ended.clear();
      life.streamId = record?.id;
    }
    if (!record) return onResult(logs.problem ?? `The stream ${name} does not exist.`);
    // What reads records is loaded where there are some to be read.
    const { ShardReader } = await import("./shard-reader.ts");
    for (const { number, parents } of record.shards) {
      if (this.#life !== life) return;
      const isReady = parents.every((parent) => life.ended.has(parent) || !record.shards.some((each) => each.number === parent));
      if (!isReady || life.ended.has(number) || life.shards.has(number)) continue;
      const shard = new ShardReader(this.#shardParts(life, record, number));
      life.shards.set(number, shard);
      shard.start();
    }
  }

  #shardParts(life: Life, { id, name }: StreamRecord, number: number): ShardParts {
    const { realm, streams, cell, roleArn } = this.#parts;
    const mapping = this.#mapping;
    return {
      ...{ ...this.#parts, mapping, number },
      partition: async () => (await streams()).partition(realm, name, number),
      cell: () => cell(number),
      onRefused: (slot) => this.#room.await(slot),
      roleArn: () => roleArn(mapping.functionName, mapping.qualifier),
      onEnded: () => {
        if (life.streamId !== id) return;
        life.ended.add(number);
        // What it is stopped for: nothing of it is in memory any more.
        void life.shards.get(number)?.stop();
        life.shards.delete(number);
        this.#look(life, () => this.#serve(life));
      },
    };
  }
}
