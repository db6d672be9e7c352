/** The forms in which functions get records of one shard: what is held of a record, the event of a batch, and whom an answer names. */
import { isUtf8 } from "node:buffer";
import type { Instant } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import {
  kinesisRecordOf,
  sequenceNumberOf,
  shardIdOf,
  type ShardRecord,
  streamArn,
  type StreamRecord,
  type StreamRecordView,
} from "../../streams/index.ts";
import { compileContentFilters, FILTERED_FIELD } from "../content-filter.ts";
import type { StreamMapping, StreamSource } from "../mappings/mapping.ts";
import { BATCH_BYTES_MAX } from "../queue/poller-machine.ts";
import { EVENT_FRAME_BYTES } from "./cut.ts";
import { kafkaEvent, type KafkaOrigin, kafkaRecord, kinesisEvent, type KinesisOrigin, kinesisRecord, valuesEvent } from "./event.ts";
import type { Held, PieceWindow } from "./held.ts";

/** A record that is held: its entry in the event is all that lives on. */
export interface HeldRecord extends Held {
  /** JSON. */
  readonly json: string;
  /** What it keeps its order by. */
  readonly key: Buffer | string | undefined;
}

export interface RecordForm {
  /** What is held of a record; undefined where no filter takes it. */
  held(record: StreamRecordView, arrivedAt: Instant): HeldRecord | undefined;
  keyOf(record: StreamRecordView): Buffer | string | undefined;
  event(records: readonly HeldRecord[], window: PieceWindow | undefined): Buffer;
  /** The offset that a function means by an `itemIdentifier`; undefined for what is none. */
  offsetOf(identifier: unknown, records: readonly HeldRecord[]): number | undefined;
}

export interface FormParts {
  readonly realm: Realm;
  readonly stream: StreamRecord;
  readonly shard: ShardRecord;
  readonly roleArn: string;
  /** Where clients reach the broker: `localhost:9092`. */
  readonly kafkaAddress: string;
}

/** The form that the mapping's function gets records in. */
export function formOf({ source, settings }: StreamMapping, parts: FormParts): RecordForm {
  switch (source.form) {
    case "kinesis":
      return kinesisForm(parts, source.consumer, settings.filters);
    case "kafka":
      return kafkaForm(parts, source, settings.filters);
    case "json":
      return valuesForm(settings.filters);
  }
}

function kinesisForm({ realm, stream, shard, roleArn }: FormParts, consumer: string | undefined, filters: readonly string[]): RecordForm {
  const sourceArn = consumer ?? streamArn(realm, stream.name);
  const origin: KinesisOrigin = { shardId: shardIdOf(shard.number), sourceArn, region: realm.region, roleArn };
  const filter = compileContentFilters(filters, FILTERED_FIELD.kinesis);
  const keyOf = (record: StreamRecordView): string => kinesisRecordOf(record, shard.number, 0).partitionKey;
  return {
    keyOf,
    held(record, arrivedAt) {
      const { partitionKey, data } = kinesisRecordOf(record, shard.number, arrivedAt);
      const sequenceNumber = sequenceNumberOf(shard, record.offset);
      const shape = kinesisRecord(origin, { partitionKey, sequenceNumber, data, arrivedAt });
      if (filter && !filter({ ...shape, ...shape.kinesis }, data.toString("utf8"))) return undefined;
      return heldOf(record.offset, arrivedAt, JSON.stringify(shape), partitionKey);
    },
    event: (records, window) => kinesisEvent(origin, jsonOf(records), window),
    offsetOf: (identifier, records) => records.find(({ offset }) => sequenceNumberOf(shard, offset) === identifier)?.offset,
  };
}

function kafkaForm(
  { stream, shard, kafkaAddress }: FormParts,
  { cluster }: Extract<StreamSource, { readonly form: "kafka" }>,
  filters: readonly string[],
): RecordForm {
  const origin: KafkaOrigin = {
    topic: stream.name,
    partition: shard.number,
    timestampType: stream.settings.timestamps === "append" ? "LOG_APPEND_TIME" : "CREATE_TIME",
    clusterArn: cluster.kind === "managed" ? cluster.arn : undefined,
    bootstrapServers: cluster.kind === "managed" ? kafkaAddress : cluster.servers.join(","),
  };
  const name = `${stream.name}-${shard.number}`;
  const filter = compileContentFilters(filters, FILTERED_FIELD.kafka);
  return {
    keyOf: ({ key }) => key,
    held(record, arrivedAt) {
      const shape = kafkaRecord(origin, record);
      if (filter && !filter(shape, record.value?.toString("utf8") ?? "")) return undefined;
      return heldOf(record.offset, arrivedAt, JSON.stringify(shape), record.key);
    },
    event: (records) => kafkaEvent(origin, jsonOf(records)),
    offsetOf(identifier, records) {
      if (typeof identifier !== "object" || identifier === null) return undefined;
      const { partition, offset } = identifier as { readonly partition?: unknown; readonly offset?: unknown };
      return partition === name ? records.find((each) => each.offset === offset)?.offset : undefined;
    },
  };
}

/** Values have no names, so no answer can name one. */
function valuesForm(filters: readonly string[]): RecordForm {
  const filter = compileContentFilters(filters, FILTERED_FIELD.json);
  return {
    keyOf: ({ key }) => key,
    held({ offset, key, value }, arrivedAt) {
      const text = value && isUtf8(value) ? value.toString("utf8") : undefined;
      const isJson = value === undefined || (text !== undefined && parses(text));
      if (!isJson) {
        // Whoever is told of it gets it as a text.
        const shown = JSON.stringify(text ?? value.toString("base64"));
        return { offset, arrivedAt, key, json: shown, bytes: Buffer.byteLength(shown), fault: "notJson" };
      }
      if (filter && !filter({}, text ?? "null")) return undefined;
      // A tombstone is a value that is none.
      return heldOf(offset, arrivedAt, text ?? "null", key);
    },
    event: (records) => valuesEvent(jsonOf(records)),
    offsetOf: () => undefined,
  };
}

function heldOf(offset: number, arrivedAt: Instant, json: string, key: HeldRecord["key"]): HeldRecord {
  const bytes = Buffer.byteLength(json);
  if (bytes + EVENT_FRAME_BYTES <= BATCH_BYTES_MAX) return { offset, arrivedAt, json, key, bytes, fault: undefined };
  return { offset, arrivedAt, json: "null", key, bytes: 4, fault: "inputTooLarge" };
}

function jsonOf(records: readonly HeldRecord[]): string[] {
  return records.map(({ json }) => json);
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
