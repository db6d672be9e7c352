import type { Instant } from "../base/index.ts";
import type { Realm } from "../model/index.ts";

/** One partition of a stream, as it is defined; its records are a `Partition`'s. */
export interface ShardRecord {
  readonly number: number;
  /** The hash keys it takes: 128 bits in decimal, both ends inclusive. */
  readonly hashFrom: string;
  readonly hashTo: string;
  /** What it was split or merged from. */
  readonly parents: readonly number[];
  readonly openedAt: Instant;
  /** It takes no records any more; where it ends is the partition's `end`. */
  readonly closed?: { readonly at: Instant };
}

export interface StreamSettings {
  /** By arrival; -1 keeps for ever. */
  readonly retentionMs: number;
  /** Of each partition. */
  readonly retentionBytes: number | undefined;
  readonly recordBytesMax: number;
  /** Whether a record's time is the one it was made with, or that of its arrival. */
  readonly timestamps: "create" | "append";
  /** Kafka's topic configurations as they were set, other than those above. */
  readonly config: Readonly<Record<string, string>>;
}

/** Enhanced fan-out: who reads with a share of its own. */
export interface StreamConsumer {
  readonly name: string;
  readonly createdAt: Instant;
  readonly tags?: Readonly<Record<string, string>>;
  /** Policy attached to it, JSON text. */
  readonly policy?: string;
}

/** What is kept of a stream because Kinesis shows it again; of these, only the policy has an effect here. */
export interface KinesisSettings {
  /** Policy attached to the stream, JSON text. */
  readonly policy?: string;
  /** The key that StartStreamEncryption named. */
  readonly encryptionKey?: string;
  /** Shard-level metrics that are switched on. */
  readonly metrics?: readonly string[];
  readonly warmThroughputMiBps?: number;
}

/** A stream of Kinesis and a topic of Kafka: one thing. */
export interface StreamRecord {
  readonly realm: Realm;
  readonly name: string;
  /** Another one each time a stream of this name is created: names its cells. */
  readonly id: string;
  readonly createdAt: Instant;
  readonly madeBy: "kinesis" | "kafka" | "lambent";
  readonly mode: "provisioned" | "onDemand";
  /** By number, from 0 and without gaps. */
  readonly shards: readonly ShardRecord[];
  readonly settings: StreamSettings;
  readonly tags: Readonly<Record<string, string>>;
  readonly consumers: readonly StreamConsumer[];
  readonly kinesis?: KinesisSettings;
}
