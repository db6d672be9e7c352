import type {
  PutRecordInput,
  PutRecordOutput,
  PutRecordsInput,
  PutRecordsOutput,
  PutRecordsRequestEntry,
  PutRecordsResultEntry,
} from "@aws-sdk/client-kinesis";
import { isLambentError, LambentError } from "../../base/index.ts";
import {
  hashKeyOf,
  type NewRecord,
  sequenceNumberOf,
  shardFor,
  shardIdOf,
  type ShardRecord,
  type StreamRecord,
  type StreamReference,
  type Streams,
} from "../../streams/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { invalidArgument, invalidValue, kinesisWireError } from "./errors.ts";
import { foundStream, streamNotFound, streamOf } from "./names.ts";
import { encryptionShape } from "./shard-shapes.ts";

/** Bytes of all records of one PutRecords, their partition keys included. @limit */
export const PUT_RECORDS_BYTES_MAX = 10 * 1024 * 1024;
/** Times that records look for an open shard: one that is split while they are on their way leads to its children. */
const ROUTES_MAX = 4;
const KEYS = 1n << 128n;

/** A record with the hash key that says which shard takes it. */
interface Draft {
  readonly record: NewRecord;
  readonly hashKey: bigint;
  readonly bytes: number;
}

interface Place {
  readonly shard: ShardRecord;
  readonly offset: number;
}

/** Records are put: one, or many, of which each has its own outcome. @see Kinesis API reference */
export function putOperations(streams: Streams) {
  return {
    async PutRecord(input: PutRecordInput, context: RequestContext): Promise<PutRecordOutput> {
      refuseUnbuilt(input, ["DryRun"]);
      const reference = streamOf(context, input);
      const record = foundStream(streams, reference);
      const draft = draftOf(record, input);
      const [place] = await putAll(streams, reference, [draft]);
      if (!place || place instanceof LambentError) throw place ?? streamNotFound(reference.realm, reference.name);
      return { ...placeShape(place), ...encryptedShape(record) };
    },

    async PutRecords(input: PutRecordsInput, context: RequestContext): Promise<PutRecordsOutput> {
      refuseUnbuilt(input, ["DryRun"]);
      const reference = streamOf(context, input);
      const record = foundStream(streams, reference);
      const drafts = given(input.Records, "Records").map((entry) => draftOf(record, entry));
      const bytes = drafts.reduce((sum, draft) => sum + draft.bytes, 0);
      if (bytes > PUT_RECORDS_BYTES_MAX)
        throw invalidArgument(`Records have ${bytes} bytes together; one request takes at most ${PUT_RECORDS_BYTES_MAX}.`);
      const places = await putAll(streams, reference, drafts);
      const failed = places.filter((place) => place instanceof LambentError);
      return {
        FailedRecordCount: failed.length,
        Records: places.map((place) => (place instanceof LambentError ? failureShape(place) : placeShape(place))),
        ...encryptedShape(record),
      };
    },
  };
}

function draftOf(stream: StreamRecord, entry: Pick<PutRecordsRequestEntry, "Data" | "PartitionKey" | "ExplicitHashKey">): Draft {
  const partitionKey = given(entry.PartitionKey, "PartitionKey");
  const data = given(entry.Data, "Data");
  const key = Buffer.from(partitionKey, "utf8");
  const bytes = data.length + key.length;
  const { recordBytesMax } = stream.settings;
  if (bytes > recordBytesMax)
    throw invalidValue(
      `1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than or equal to ${recordBytesMax}; the record has ${bytes} bytes with its partition key`,
    );
  return { record: { key, value: data }, hashKey: explicitHashKey(entry.ExplicitHashKey) ?? hashKeyOf(partitionKey), bytes };
}

function explicitHashKey(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const key = BigInt(text);
  if (key >= KEYS)
    throw invalidArgument(`Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${text}`);
  return key;
}

/** Where each of `drafts` is, or why it is nowhere; those for one shard are put by one append, in their order. */
async function putAll(streams: Streams, reference: StreamReference, drafts: readonly Draft[]): Promise<(Place | LambentError)[]> {
  const outcomes: (Place | LambentError | undefined)[] = drafts.map(() => undefined);
  let left = drafts.map((_, index) => index);
  for (let route = 0; route < ROUTES_MAX && left.length > 0; route += 1) {
    const record = foundStream(streams, reference);
    const groups = Map.groupBy(left, (index) => shardFor(record, drafts[index]?.hashKey ?? 0n));
    const again = await Promise.all(
      [...groups].map(async ([shard, indexes]) => {
        const outcome = await append(
          streams,
          reference,
          shard,
          indexes.flatMap((index) => drafts[index]?.record ?? []),
        );
        if (outcome === "closed") return indexes;
        for (const [nth, index] of indexes.entries())
          outcomes[index] = outcome instanceof LambentError ? outcome : { shard, offset: outcome + nth };
        return [];
      }),
    );
    left = again.flat().sort((one, other) => one - other);
  }
  return outcomes.map(
    (outcome) => outcome ?? new LambentError("StorageBusy", `The shards of stream ${reference.name} change at the moment.`),
  );
}

/** The offset of the first of `records`; "closed" where the shard was split or merged meanwhile. */
async function append(
  streams: Streams,
  { realm, name }: StreamReference,
  shard: ShardRecord,
  records: readonly NewRecord[],
): Promise<number | "closed" | LambentError> {
  try {
    const partition = await streams.partition(realm, name, shard.number);
    return (await partition.append(records)).firstOffset;
  } catch (error) {
    if (isLambentError(error, "IllegalState")) return "closed";
    if (isLambentError(error, "Throttled", "StorageBusy"))
      return new LambentError(
        error.code,
        `Rate exceeded for shard ${shardIdOf(shard.number)} in stream ${name} under account ${realm.account}.`,
      );
    if (isLambentError(error)) return error;
    throw error;
  }
}

function placeShape({ shard, offset }: Place) {
  return { ShardId: shardIdOf(shard.number), SequenceNumber: sequenceNumberOf(shard, offset) };
}

function failureShape(error: LambentError): PutRecordsResultEntry {
  const { name } = kinesisWireError(error);
  return { ErrorCode: name, ErrorMessage: error.message };
}

/** Said only of a stream with a key, as on AWS. */
function encryptedShape(record: StreamRecord) {
  const { EncryptionType } = encryptionShape(record);
  return EncryptionType === "KMS" ? { EncryptionType } : {};
}
