/** Streams as sources: what a mapping of one may be, and its reader. */
import { type Clock, isLambentError, LambentError, Later, type Random, type SecureRandom } from "../../base/index.ts";
import type { Functions } from "../../functions/index.ts";
import type { Invoker } from "../../invoker/index.ts";
import type { FunctionVersion, Realm } from "../../model/index.ts";
import type { EgressToAll } from "../../security/index.ts";
import type { Store } from "../../storage/index.ts";
import { parseStreamReference, streamArn, type StreamRecord, type Streams } from "../../streams/index.ts";
import type { KafkaCluster, StartingPosition, StreamMapping, StreamMappingSettings, StreamSource } from "../mappings/mapping.ts";
import type { Draft, Reader, SourceKind, WantedStart, WantedStream } from "../mappings/source-kind.ts";
import { HeldBytes } from "../queue/held-bytes.ts";
import { clusterOf } from "./clusters.ts";
import type { RecordLogs } from "./record-log.ts";
import { type ShardCellOpened, ShardCells } from "./shard-cells.ts";
import { StreamReader } from "./stream-reader.ts";
import { checkStreamSettings } from "./stream-rules.ts";

/** What mappings of streams take beside what all take. */
export interface StreamSourceParts {
  readonly streams: () => Promise<Streams>;
  readonly random: Random;
  /** What waits between attempts at an on-failure destination are multiplied with. */
  readonly retryTimeFactor: number;
  /** What leaves a mapping's cell is to be handed over from now on. */
  readonly onOpened: ShardCellOpened;
  /** Where clients reach the broker in this server: `localhost:9092`. */
  readonly kafkaAddress: () => string;
  /** Whether the version's role may read the stream; asked when a mapping of Kinesis' events is made or changed. */
  readonly mayRead: (version: FunctionVersion, streamArn: string) => boolean;
  /** What brokers elsewhere are reached by; undefined: none are. */
  readonly external?: ExternalParts;
}

export interface ExternalParts {
  readonly egress: Pick<EgressToAll, "resolveAll">;
  /** A variable of the server's environment. */
  readonly environment: (variable: string) => string | undefined;
}

type KafkaSource = Extract<StreamSource, { readonly form: "kafka" }>;
type ExternalSource = Omit<KafkaSource, "cluster" | "start"> & { readonly cluster: Extract<KafkaCluster, { readonly kind: "external" }> };

export interface StreamKindParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly functions: Pick<Functions, "reading">;
  readonly invoker: Pick<Invoker, "invoke" | "free" | "onceFree">;
  readonly source: StreamSourceParts | undefined;
  readonly onProblem: (error: unknown) => void;
  /** How the last batch of a mapping went: `undefined` problem means well. */
  readonly onResult: (uuid: string, problem: string | undefined) => void;
}

interface StreamDraft extends Draft {
  readonly source: WantedStream;
  readonly settings: StreamMappingSettings;
}

export class StreamKind implements SourceKind {
  readonly #parts: StreamKindParts;
  readonly #heldBytes = new HeldBytes();
  readonly #cells: ShardCells | undefined;

  constructor(parts: StreamKindParts) {
    this.#parts = parts;
    this.#cells = parts.source && new ShardCells({ ...parts, ...parts.source });
  }

  async admit(realm: Realm, { functionName, qualifier, source, settings }: StreamDraft): Promise<StreamSource> {
    const { version } = this.#parts.functions.reading.get(realm, functionName, qualifier);
    checkStreamSettings(settings, source.form);
    const { streams: open, mayRead, kafkaAddress } = this.#source();
    const cluster = source.form === "kafka" ? clusterOf(source.cluster, kafkaAddress()) : undefined;
    if (source.form === "kafka" && cluster?.kind === "external") return this.#admitExternal(realm, { ...source, cluster });
    const streams = await open();
    const record = streams.find(realm, source.stream);
    const arn = streamArn(realm, source.stream);
    // Topics come into being when they are first used.
    if (!record && source.form !== "kafka") throw new LambentError("InvalidParameter", `Stream not found: ${arn}`);
    if (source.form === "kinesis") {
      if (source.consumer !== undefined && record) requireConsumer(record, source.consumer);
      if (!mayRead(version, arn))
        throw new LambentError(
          "InvalidParameter",
          `Cannot access stream ${arn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListShards Actions on your stream in IAM.`,
        );
    }
    return { ...source, start: await this.#started(streams, record, source.start) };
  }

  isSame(left: StreamSource, right: StreamSource): boolean {
    const elsewhere = ({ form, ...source }: StreamSource) =>
      form === "kafka" && "cluster" in source && source.cluster.kind === "external" ? source.cluster.servers.toSorted().join(",") : "";
    return left.stream === right.stream && left.form === right.form && elsewhere(left) === elsewhere(right);
  }

  alreadyThere(realm: Realm, { uuid, functionName, source }: StreamMapping): string {
    return `The event source arn (" ${streamArn(realm, source.stream)} ") and function (" ${functionName} ") provided mapping already exists. Please update or delete the existing mapping with UUID ${uuid}`;
  }

  reader(realm: Realm, mapping: StreamMapping): Reader {
    const { clock, secureRandom, invoker, onProblem, onResult } = this.#parts;
    const { uuid, functionName } = mapping;
    return new StreamReader(
      {
        ...{ clock, secureRandom, realm, onProblem, heldBytes: this.#heldBytes },
        streams: this.#logsOf(realm, mapping.source),
        cell: async (shard) => this.#requireCells().at(realm, uuid, shard),
        release: async () => this.#cells?.release(realm, uuid),
        invoke: (request) => invoker.invoke(request),
        free: () => invoker.free(realm, functionName),
        onceFree: (listener) => invoker.onceFree(listener),
        roleArn: (name, qualifier) => this.#roleArn(realm, name, qualifier),
        kafkaAddress: () => this.#source().kafkaAddress(),
        onResult: (problem) => onResult(uuid, problem),
      },
      mapping,
    );
  }

  start(isThere: (realm: Realm, uuid: string) => boolean): void {
    this.#cells?.resume(isThere).catch((error: unknown) => {
      if (!isLambentError(error, "ShuttingDown", "StorageStopped")) this.#parts.onProblem(error);
    });
  }

  async close(): Promise<void> {
    await this.#cells?.close();
  }

  #source(): StreamSourceParts {
    const { source } = this.#parts;
    if (!source) throw new LambentError("NotImplemented", "Streams are not served here, so no mapping can read one.");
    return source;
  }

  #requireCells(): ShardCells {
    const cells = this.#cells;
    if (!cells) throw new LambentError("NotImplemented", "Streams are not served here, so no mapping can read one.");
    return cells;
  }

  /** Brokers are asked nothing, but for where their topic ends now. */
  async #admitExternal(realm: Realm, source: ExternalSource & { readonly start: WantedStart }): Promise<StreamSource> {
    const { checkAccess } = await import("./external/access.ts");
    const { addressOf } = await import("./external/address.ts");
    this.#external(source.cluster);
    checkAccess(source.cluster.access);
    for (const server of source.cluster.servers) addressOf(server);
    if (source.start.kind !== "latest" || "ends" in source.start)
      return { ...source, start: await this.#started(undefined, undefined, source.start) };
    const logs = await this.#openExternal(realm, source);
    const record = logs.find(realm, source.stream);
    if (!record)
      throw new LambentError(
        "InvalidParameter",
        `With the StartingPosition LATEST a topic has to be there: ${logs.problem ?? "it is not"}`,
      );
    return { ...source, start: await this.#started(logs, record, source.start) };
  }

  /** What the mapping reads: for all of its life, looked for at its first use. */
  #logsOf(realm: Realm, source: StreamSource): () => Promise<RecordLogs> {
    if (source.form !== "kafka" || source.cluster.kind !== "external") return () => this.#source().streams();
    const { cluster } = source;
    const logs = new Later(() => this.#openExternal(realm, { ...source, cluster }));
    return () => logs.get();
  }

  #external({ servers }: ExternalSource["cluster"]): ExternalParts {
    const { external } = this.#source();
    if (external) return external;
    throw new LambentError("NotImplemented", `This server reaches no brokers but its own: ${servers.join(", ").slice(0, 200)}.`);
  }

  async #openExternal(realm: Realm, { stream, cluster }: ExternalSource): Promise<RecordLogs> {
    const external = this.#external(cluster);
    const { openExternalTopic } = await import("./external/external-topic.ts");
    return openExternalTopic({
      ...external,
      clock: this.#parts.clock,
      realm,
      topic: stream,
      servers: cluster.servers,
      access: cluster.access,
    });
  }

  async #started(
    streams: Pick<RecordLogs, "partition"> | undefined,
    record: StreamRecord | undefined,
    start: WantedStart,
  ): Promise<StartingPosition> {
    if (start.kind === "at" && start.time > this.#parts.clock.now())
      throw new LambentError("InvalidParameter", "StartingPositionTimestamp must not be in the future.");
    if (start.kind !== "latest" || "ends" in start) return start;
    if (!record || !streams) return { kind: "trimHorizon" };
    const ends = await Promise.all(
      record.shards.map(async ({ number }) => [number, (await streams.partition(record.realm, record.name, number)).end] as const),
    );
    return { kind: "latest", streamId: record.id, ends: Object.fromEntries(ends) };
  }

  /** As it is now; a function that is gone has none. */
  #roleArn(realm: Realm, name: string, qualifier: string | undefined): string {
    try {
      return this.#parts.functions.reading.get(realm, name, qualifier).version.roleArn;
    } catch (error) {
      if (isLambentError(error, "NotFound")) return "";
      throw error;
    }
  }
}

function requireConsumer(record: StreamRecord, arn: string): void {
  const wanted = parseStreamReference(arn)?.consumer;
  const isThere = record.consumers.some(
    ({ name, createdAt }) => name === wanted?.name && Math.floor(createdAt / 1_000) === wanted.createdSeconds,
  );
  if (!isThere) throw new LambentError("InvalidParameter", `Consumer not found: ${arn}`);
}
