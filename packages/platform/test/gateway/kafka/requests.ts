/** Requests of the bare protocol that several tests send. */
import { fetch, produce } from "../../../src/gateway/kafka/protocol/index.ts";
import { encodeBatch, readRecords, splitBatches } from "../../../src/streams/index.ts";
import type { KafkaWire } from "./wire.ts";

export const NO_ID = "00000000-0000-0000-0000-000000000000";
const VERSION = { produce: 9, fetch: 12 } as const;

/** A batch of records with these values, with a time each where given. */
export function batchOf(values: readonly string[], times: readonly number[] = []): Buffer {
  const records = values.map((value, index) => ({
    key: undefined,
    value: Buffer.from(value),
    ...(times[index] === undefined ? {} : { timestamp: times[index] }),
  }));
  return encodeBatch(records, { baseOffset: 0, now: 1_700_000_000_000 });
}

/** Puts a record set into a partition; the answer for it. */
export async function put(
  wire: KafkaWire,
  name: string,
  records: Buffer | null,
  { index = 0, acks = -1, transactionalId = null as string | null } = {},
) {
  const partitionData = [{ index, records: records && [records] }];
  const { responses } = await wire.ask(produce, VERSION.produce, {
    transactionalId,
    acks,
    timeoutMs: 1_000,
    topicData: [{ name, partitionData }],
  });
  const [told] = responses[0]?.partitionResponses ?? [];
  if (!told) throw new RangeError("there is no answer for the partition");
  return told;
}

export interface FetchOptions {
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly partitionMaxBytes?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
}

/** Reads partitions of a topic from offsets; what was told of each, with its values. */
export async function read(wire: KafkaWire, topic: string, offsets: Readonly<Record<number, number>>, options: FetchOptions = {}) {
  const { maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 20, partitionMaxBytes = 1 << 20, sessionId = 0, sessionEpoch = -1 } = options;
  const partitions = Object.entries(offsets).map(([partition, fetchOffset]) => ({
    partition: Number(partition),
    fetchOffset,
    partitionMaxBytes,
  }));
  const { errorCode, responses } = await wire.ask(fetch, VERSION.fetch, {
    maxWaitMs,
    minBytes,
    maxBytes,
    sessionId,
    sessionEpoch,
    topics: [{ topic, partitions }],
  });
  const told = (responses[0]?.partitions ?? []).map(({ records, ...rest }) => ({
    ...rest,
    values: splitBatches(records ?? Buffer.alloc(0)).flatMap((bytes) => readRecords({ bytes }).map(({ value }) => String(value))),
  }));
  return { errorCode, partitions: told };
}
