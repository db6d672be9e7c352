/**
 * A topic of brokers elsewhere, for one mapping: its partitions as the brokers tell them, looked up again from time to time, and a log for each.
 *
 * Owns the connections (P11 has nothing of it: positions are kept by the mapping, in this server, and no consumer group is joined). Bounded (P7) by
 * `EXTERNAL_PARTITIONS_MAX` connections. Waits for records at the broker and asks for nothing else but who leads what, as Kafka's clients do.
 */
import { type Clock, LambentError, type Timer } from "../../../base/index.ts";
import type { Realm } from "../../../model/index.ts";
import type { EgressToAll } from "../../../security/index.ts";
import type { StreamRecord } from "../../../streams/index.ts";
import type { KafkaAccess } from "../../mappings/mapping.ts";
import type { RecordLog, RecordLogs } from "../record-log.ts";
import { openAccess } from "./access.ts";
import { addressOf } from "./address.ts";
import { Broker, type BrokerParts, type TopicFound } from "./broker.ts";
import { ExternalLog, reasonOf } from "./external-log.ts";

/** Partitions of one topic elsewhere that a mapping reads: each has a connection. @limit */
export const EXTERNAL_PARTITIONS_MAX = 256;
/** How long new partitions may be unknown. */
const REFRESH_MS = 60_000;
const BACK_OFF_MS = [1_000, 2_000, 5_000, 10_000, 30_000, REFRESH_MS] as const;
/** A refresh that several partitions ask for is one. */
const SOON_MS = 100;

export interface ExternalTopicParts {
  readonly clock: Clock;
  readonly realm: Realm;
  readonly topic: string;
  readonly servers: readonly string[];
  readonly access: readonly KafkaAccess[];
  readonly egress: Pick<EgressToAll, "resolveAll">;
  readonly environment: (variable: string) => string | undefined;
}

/** Looks the topic up once; what keeps it from being found is its `problem`. */
export async function openExternalTopic(parts: ExternalTopicParts): Promise<ExternalTopic> {
  const topic = new ExternalTopic(parts);
  await topic.refresh();
  return topic;
}

export class ExternalTopic implements RecordLogs {
  readonly #parts: ExternalTopicParts;
  readonly #brokerParts: BrokerParts;
  readonly #listeners = new Set<(realm: Realm, name: string) => void>();
  readonly #logs = new Set<ExternalLog>();
  #found: TopicFound | undefined;
  #record: StreamRecord | undefined;
  #problem: string | undefined;
  #failures = 0;
  #refreshing: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(parts: ExternalTopicParts) {
    const { egress, access, environment } = parts;
    this.#parts = parts;
    this.#brokerParts = { egress, access: () => openAccess(access, environment) };
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  find(): StreamRecord | undefined {
    return this.#record;
  }

  async partition(_realm: Realm, name: string, number: number): Promise<RecordLog> {
    if (!this.#record?.shards[number]) throw new LambentError("NotFound", `Topic ${name} has no partition ${number}.`);
    const { id } = this.#record;
    const known = this.#record;
    const log = await ExternalLog.open({
      clock: this.#parts.clock,
      stream: () => (this.#record?.id === id ? this.#record : known),
      number,
      connect: () => this.#leader(number),
      onFailed: () => this.#refreshIn(SOON_MS),
    });
    this.#logs.add(log);
    // Who asked may have stopped meanwhile.
    if (this.#listeners.size === 0) this.#rest();
    return log;
  }

  /** With the last listener gone, nothing is looked up any more and no connection is left. */
  onChanged(listener: (realm: Realm, name: string) => void): () => void {
    this.#listeners.add(listener);
    this.#refreshIn(this.#problem === undefined ? REFRESH_MS : SOON_MS);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  /** Never rejects. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#look().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const log of this.#logs) log.close();
    this.#logs.clear();
  }

  #refreshIn(ms: number): void {
    if (this.#listeners.size === 0) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.schedule(Math.max(ms, this.#failures === 0 ? 0 : this.#backOffMs()), () => {
      this.#timer = undefined;
      void this.refresh().then(() => {
        if (!this.#timer) this.#refreshIn(REFRESH_MS);
      });
    });
  }

  #backOffMs(): number {
    return BACK_OFF_MS[Math.min(this.#failures, BACK_OFF_MS.length) - 1] ?? REFRESH_MS;
  }

  async #look(): Promise<void> {
    const { topic } = this.#parts;
    const before = JSON.stringify([this.#record, this.#problem]);
    try {
      const found = await this.#ask();
      if (found && found.leaders.length > EXTERNAL_PARTITIONS_MAX)
        throw new LambentError(
          "LimitExceeded",
          `Topic ${topic} has ${found.leaders.length} partitions; of a broker elsewhere at most ${EXTERNAL_PARTITIONS_MAX} are read.`,
        );
      this.#found = found;
      this.#record = found && this.#recordOf(found);
      this.#problem = found ? undefined : `Topic ${topic} does not exist at ${this.#parts.servers.join(", ").slice(0, 200)}.`;
      this.#failures = 0;
    } catch (error) {
      this.#problem = reasonOf(error);
      this.#failures += 1;
    }
    if (JSON.stringify([this.#record, this.#problem]) === before) return;
    for (const listener of this.#listeners) listener(this.#parts.realm, topic);
  }

  /** One of the servers that were named is enough. */
  async #ask(): Promise<TopicFound | undefined> {
    const { servers, topic } = this.#parts;
    let last: unknown;
    for (const server of servers) {
      let broker: Broker | undefined;
      try {
        broker = await Broker.connect(addressOf(server), this.#brokerParts);
        return await broker.topic(topic);
      } catch (error) {
        last = error;
      } finally {
        broker?.close();
      }
    }
    throw last;
  }

  async #leader(number: number): Promise<Broker> {
    const leader = this.#found?.leaders[number];
    const address = leader === undefined ? undefined : this.#found?.brokers.get(leader);
    if (!address) throw new LambentError("Throttled", `Partition ${number} of ${this.#parts.topic} is led by no broker.`);
    return Broker.connect(address, this.#brokerParts);
  }

  #recordOf({ id, leaders }: TopicFound): StreamRecord {
    const { realm, topic } = this.#parts;
    return {
      ...{ realm, name: topic, id, createdAt: 0, madeBy: "kafka", mode: "provisioned", tags: {}, consumers: [] },
      // Keys are spread by who puts the records; nothing here asks by which rule.
      shards: leaders.map((_, number) => ({ number, hashFrom: "0", hashTo: "0", parents: [], openedAt: 0 })),
      settings: { retentionMs: -1, retentionBytes: undefined, recordBytesMax: Number.MAX_SAFE_INTEGER, timestamps: "create", config: {} },
    };
  }
}
