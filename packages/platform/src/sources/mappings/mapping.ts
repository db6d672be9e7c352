import type { Instant } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { MappingState } from "./mapping-state.ts";

/** That a function is called with what comes to a source: AWS calls it an event source mapping. */
export type Mapping = QueueMapping | StreamMapping;
export type MappingSource = Mapping["source"];

interface MappingBase {
  readonly uuid: string;
  readonly functionName: string;
  /** Version or alias; undefined: `$LATEST`. */
  readonly qualifier: string | undefined;
  readonly state: MappingState;
  readonly tags: Readonly<Record<string, string>>;
  readonly modifiedAt: Instant;
}

export interface QueueMapping extends MappingBase {
  readonly source: QueueSource;
  readonly settings: MappingSettings;
}

export interface StreamMapping extends MappingBase {
  readonly source: StreamSource;
  readonly settings: StreamMappingSettings;
}

/** A queue of the mapping's own realm. */
export interface QueueSource {
  readonly kind: "queue";
  readonly name: string;
  readonly ordering: "standard" | "fifo";
}

/** A stream of the mapping's own realm. */
export type StreamSource = StreamForm & {
  readonly kind: "stream";
  readonly stream: string;
  readonly start: StartingPosition;
};

/** In which form the function gets records, and what of it is told back to whoever asks for the mapping. */
export type StreamForm =
  /** `consumer`: ARN of the fan-out consumer in whose name it reads. */
  | { readonly form: "kinesis"; readonly consumer?: string | undefined }
  /** `group`: by what name of a consumer group it was asked for. Where it has come to is kept by the mapping, and not by a group. */
  | { readonly form: "kafka"; readonly cluster: KafkaCluster; readonly group?: string | undefined }
  /** The bare values, in an array. */
  | { readonly form: "json" };

/** Under which name the broker in this server was asked for; or brokers elsewhere. */
export type KafkaCluster =
  | { readonly kind: "managed"; readonly arn: string }
  | { readonly kind: "selfManaged"; readonly servers: readonly string[]; readonly access?: readonly KafkaAccess[] }
  /** None of this server: the mapping reads them as a client does. */
  | { readonly kind: "external"; readonly servers: readonly string[]; readonly access: readonly KafkaAccess[] };

/** How a mapping signs in, as AWS spells it: what it is, and where it is found. */
export interface KafkaAccess {
  readonly type: string;
  readonly uri: string;
}

/** Where reading begins, of a shard that was not read before. */
export type StartingPosition =
  | { readonly kind: "trimHorizon" }
  /** Behind what was there when the mapping was made, shard by shard; a shard that came later is read from its beginning. */
  | { readonly kind: "latest"; readonly streamId: string; readonly ends: Readonly<Record<number, number>> }
  /** The first record that was appended then, or later. */
  | { readonly kind: "at"; readonly time: Instant };

interface BatchSettings {
  readonly batchSize: number;
  readonly windowMs: number;
  /** Patterns, JSON texts; none: everything. */
  readonly filters: readonly string[];
  /** `reported`: the function names what it did not handle. */
  readonly answers: "whole" | "reported";
}

/** Of a mapping of a queue. */
export interface MappingSettings extends BatchSettings {
  /** Undefined: as many as the source's scaling gives. */
  readonly concurrencyMax: number | undefined;
}

export interface StreamMappingSettings extends BatchSettings {
  /** Batches of one shard that run at once; records of one key never do. */
  readonly parallelization: number;
  /** A batch that failed is split in two. */
  readonly bisects: boolean;
  /** Attempts behind the first one; undefined: for as long as the stream keeps the records. */
  readonly retriesMax?: number | undefined;
  /** Since a record's arrival; undefined: for as long as the stream keeps it. */
  readonly recordAgeMsMax?: number | undefined;
  /** ARN of the queue, topic or bucket that is told of records that were given up. */
  readonly onFailure?: string | undefined;
  /** Length of tumbling windows; 0: none. */
  readonly tumblingMs: number;
}

/** Whether a mapping reads a stream, so that its settings are those of one. */
export function isStreamMapping(mapping: Mapping): mapping is StreamMapping {
  return mapping.source.kind === "stream";
}

/** `arn:aws:lambda:<region>:<account>:event-source-mapping:<uuid>`. */
export function mappingArn({ region, account }: Realm, uuid: string): string {
  return `arn:aws:lambda:${region}:${account}:event-source-mapping:${uuid}`;
}

const MAPPING_ARN = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):event-source-mapping:([0-9a-f-]{36})$/;

/** The mapping an ARN names; undefined when it is no ARN of one. */
export function parseMappingArn(arn: string): { readonly realm: Realm; readonly uuid: string } | undefined {
  const [, region, account, uuid] = MAPPING_ARN.exec(arn) ?? [];
  return region === undefined || account === undefined || uuid === undefined ? undefined : { realm: { account, region }, uuid };
}
