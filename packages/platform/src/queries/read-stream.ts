/** The records of one stream for a query, as many as its plan says. */
import { isLambentError } from "../base/index.ts";
import { type Partition, readRecords, type StreamRecord, type Streams } from "../streams/index.ts";
import type { PackedRecords } from "./engine/messages.ts";
import { packRecords } from "./engine/packed-records.ts";
import { type Extent, type Plan, planReading, QUERY_READ_BYTES_MAX, type Range, type Span } from "./reading-plan.ts";

/** Bytes read and sent at once. */
const PIECE_BYTES = 512 * 1024;

/** What was read of a stream, for the query's facts; filled while it is read. */
export interface StreamRead {
  /** As the statement names it. */
  readonly table: string;
  readonly stream: string;
  records: number;
  bytes: number;
  /** Records the stream keeps. */
  kept: number;
  /** Not all of what was asked for was read. */
  isCut: boolean;
}

/** Decides what to read, and reads it piece by piece. `read` counts. */
export async function* readStream(streams: Streams, record: StreamRecord, range: Range, read: StreamRead): AsyncGenerator<PackedRecords> {
  const { realm, name } = record;
  const partitions = await Promise.all(record.shards.map(({ number }) => streams.partition(realm, name, number)));
  const plan = await planOf(partitions, range);
  read.kept = partitions.reduce((sum, { first, end }) => sum + end - first, 0);
  read.isCut = plan.isCut;
  const since = range.kind === "since" ? range.at : Number.NEGATIVE_INFINITY;
  for (const span of plan.spans) {
    const partition = partitions.find(({ number }) => number === span.partition);
    if (partition && span.to > span.from) yield* readSpan(partition, span, since, read);
  }
}

async function planOf(partitions: readonly Partition[], range: Range): Promise<Plan> {
  const extents = await Promise.all(
    partitions.map(async (partition): Promise<Extent> => {
      const found = range.kind === "since" ? await partition.offsetAt(range.at, "created") : { offset: partition.first };
      const { number, first, end, bytes } = partition;
      return { partition: number, first: Math.max(first, found?.offset ?? end), end, bytes, records: end - first };
    }),
  );
  return planReading(range, extents);
}

async function* readSpan(partition: Partition, { from, to }: Span, since: number, read: StreamRead): AsyncGenerator<PackedRecords> {
  for (let at = from; at < to;) {
    const batches = await readOrSkip(partition, at);
    const last = batches.at(-1);
    if (!last) return;
    for (const batch of batches) {
      // Beyond what was reckoned: records of this span are longer than the partition's others.
      if (read.bytes > QUERY_READ_BYTES_MAX) {
        read.isCut = true;
        return;
      }
      const begin = at;
      const records = readRecords(batch).filter(({ offset, timestamp }) => offset >= begin && offset < to && timestamp >= since);
      at = batch.lastOffset + 1;
      read.bytes += batch.bytes.length;
      read.records += records.length;
      if (records.length > 0) yield packRecords(partition.number, records);
    }
  }
}

/** What retention took since the plan was made is gone; reading goes on behind it. */
async function readOrSkip(partition: Partition, at: number): ReturnType<Partition["read"]> {
  try {
    return await partition.read(at, { bytesMax: PIECE_BYTES });
  } catch (error) {
    if (!isLambentError(error, "OffsetOutOfRange") || at >= partition.first) throw error;
    return partition.read(partition.first, { bytesMax: PIECE_BYTES });
  }
}
