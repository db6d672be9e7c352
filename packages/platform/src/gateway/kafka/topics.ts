/** A topic is a stream. Finding one for a client, by name or id, and making one that is asked for but not there. */
import { isLambentError, LambentError } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import type { StreamRecord, Streams, StreamSettings } from "../../streams/index.ts";
import type { KafkaAction } from "./access.ts";
import type { Call } from "./call.ts";
import type { KafkaErrorName } from "./protocol/index.ts";

/** How long records are kept in a topic that says nothing of it: as in Kafka. */
export const DEFAULT_RETENTION_MS = 7 * 24 * 3_600_000;
/** The only broker, and leader of everything. */
export const NODE_ID = 1;
/** Leaders never change, so their first term is the only one. */
export const LEADER_EPOCH = 0;

const NO_ID = "00000000-0000-0000-0000-000000000000";

export interface TopicSettings {
  /** Whether a topic is made when somebody asks for one that is not there. */
  readonly autoCreate: boolean;
  /** Partitions of a topic that was made so, or with the broker's default. */
  readonly partitions: number;
}

/** How clients name a topic: older ones by name, newer ones by id. */
export interface TopicName {
  readonly name: string;
  readonly topicId: string;
}

export type FoundTopic =
  | { readonly kind: "found"; readonly stream: StreamRecord }
  | { readonly kind: "refused"; readonly error: KafkaErrorName };

const refused = (error: KafkaErrorName): FoundTopic => ({ kind: "refused", error });

/** Whether a topic can have this name. */
export function isTopicName(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== "." && name !== "..";
}

export class Topics {
  readonly #streams: Streams;
  readonly #settings: TopicSettings;
  /** By realm: names by id. Made anew after a change. */
  readonly #names = new Map<string, ReadonlyMap<string, string>>();
  readonly #unlisten: () => void;

  constructor(streams: Streams, settings: TopicSettings) {
    this.#streams = streams;
    this.#settings = settings;
    this.#unlisten = streams.onChanged((realm) => void this.#names.delete(realmKey(realm)));
  }

  get defaultPartitions(): number {
    return this.#settings.partitions;
  }

  get autoCreates(): boolean {
    return this.#settings.autoCreate;
  }

  /** Undefined for an id that no topic has. */
  nameOfId(realm: Realm, id: string): string | undefined {
    const key = realmKey(realm);
    const names = this.#names.get(key) ?? new Map(this.#streams.list(realm).map((stream) => [stream.id, stream.name]));
    this.#names.set(key, names);
    return names.get(id);
  }

  /** The topic a client names, where it may do `action` with it. */
  find(call: Call, { name, topicId }: TopicName, action: KafkaAction): FoundTopic {
    const isById = topicId !== NO_ID;
    const known = isById ? this.nameOfId(call.realm, topicId) : name;
    if (known === undefined) return refused("UNKNOWN_TOPIC_ID");
    if (!call.may(action, "topic", known)) return refused("TOPIC_AUTHORIZATION_FAILED");
    const stream = this.#streams.find(call.realm, known);
    return stream ? { kind: "found", stream } : refused(isById ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION");
  }

  /** The same, and makes a topic of that name where there is none and the server's settings and policies let it. */
  async findOrMake(call: Call, topic: TopicName, action: KafkaAction): Promise<FoundTopic> {
    const found = this.find(call, topic, action);
    if (found.kind === "found" || found.error !== "UNKNOWN_TOPIC_OR_PARTITION" || !this.#settings.autoCreate) return found;
    if (!isTopicName(topic.name)) return refused("INVALID_TOPIC_EXCEPTION");
    if (!call.may("CreateTopic", "topic", topic.name)) return refused("TOPIC_AUTHORIZATION_FAILED");
    try {
      return { kind: "found", stream: await this.make(call.realm, topic.name, this.#settings.partitions, {}) };
    } catch (error) {
      // Another request made it meanwhile.
      if (isLambentError(error, "AlreadyExists")) return this.find(call, topic, action);
      throw error;
    }
  }

  /** Makes a topic. Throws `AlreadyExists`, `InvalidParameter`, `LimitExceeded`. */
  async make(realm: Realm, name: string, partitions: number, settings: Partial<StreamSettings>): Promise<StreamRecord> {
    if (!isTopicName(name)) throw new LambentError("InvalidParameter", `${JSON.stringify(name)} is no name for a topic.`);
    return this.#streams.create(realm, name, {
      shards: partitions,
      madeBy: "kafka",
      settings: { retentionMs: DEFAULT_RETENTION_MS, ...settings },
    });
  }

  close(): void {
    this.#unlisten();
  }
}
