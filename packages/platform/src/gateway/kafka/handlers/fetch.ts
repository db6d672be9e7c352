/**
 * Fetch: batches as they are kept, of many partitions at once. Where there is too little, one wait over all of them (P6) until there is enough,
 * the client's time is over, or it is gone.
 *
 * Every answer is whole: no session is kept for what did not change, and clients that ask for one are told so.
 */
import { deferred, isLambentError, LambentError } from "../../../base/index.ts";
import type { Partition, StoredBatch } from "../../../streams/index.ts";
import type { Share } from "../byte-budget.ts";
import { type Call, route, type Route } from "../call.ts";
import { codeOf, failureOf } from "../errors.ts";
import { type Decoded, type Encodable, fetch, type KafkaErrorName } from "../protocol/index.ts";
import { LEADER_EPOCH } from "../topics.ts";
import type { HandlerParts } from "./parts.ts";

/** Bytes of records in one answer, whatever the client would take. One batch is always given. @limit */
export const FETCH_BYTES_MAX = 32 * 1024 * 1024;
/** What one answer may hold even when readers hold all that they may together. */
const FETCH_BYTES_MIN = 1024 * 1024;
/** How long a reader waits for records at most, whatever it asks for. @limit */
export const FETCH_WAIT_MS_MAX = 5 * 60_000;
/** Partitions that one request reads. @limit */
export const FETCH_PARTITIONS_MAX = 10_000;

type FetchRequest = Decoded<typeof fetch.request>;
type FetchResponse = Encodable<typeof fetch.response>;
type PartitionResponse = FetchResponse["responses"][number]["partitions"][number];

/** One partition that is asked for, and what was found. */
interface Reading {
  readonly index: number;
  readonly offset: number;
  readonly bytesMax: number;
  readonly partition: Partition | undefined;
  error: KafkaErrorName | undefined;
  batches: readonly StoredBatch[];
  /** The partition's end when it was last looked at. */
  end: number;
}

interface FetchBounds extends Pick<FetchRequest, "maxWaitMs" | "minBytes" | "maxBytes"> {
  readonly share: Share;
}

interface TopicReading {
  readonly topic: string;
  readonly topicId: string;
  readonly readings: readonly Reading[];
}

/** Answers requests to fetch. */
export function fetchRoute(parts: HandlerParts): Route {
  return route(fetch, async (request, call) => {
    const isInSession = request.sessionId !== 0 && request.sessionEpoch > 0;
    if (isInSession) return { errorCode: codeOf("FETCH_SESSION_ID_NOT_FOUND"), responses: [] };
    const topics = await open(parts, request, call);
    const readings = topics.flatMap((topic) => topic.readings);
    const share = parts.fetched.share();
    call.onAnswered(() => share.set(0));
    await readUntilEnough(parts, readings, { ...request, share }, call);
    return { errorCode: 0, responses: topics.map(({ topic, topicId, readings: own }) => ({ topic, topicId, partitions: own.map(told) })) };
  });
}

async function open(parts: HandlerParts, { topics }: FetchRequest, call: Call): Promise<readonly TopicReading[]> {
  const count = topics.reduce((sum, { partitions }) => sum + partitions.length, 0);
  if (count > FETCH_PARTITIONS_MAX)
    throw new LambentError("RequestTooLarge", `${count} partitions are read at once; ${FETCH_PARTITIONS_MAX} are allowed.`);
  return Promise.all(
    topics.map(async ({ topic, topicId, partitions }) => {
      const found = parts.topics.find(call, { name: topic, topicId }, "ReadData");
      const readings = partitions.map(
        async ({ partition: index, fetchOffset: offset, partitionMaxBytes: bytesMax, currentLeaderEpoch }) => {
          const asked = { index, offset, bytesMax, batches: [], end: -1 };
          if (found.kind === "refused") return { ...asked, partition: undefined, error: found.error };
          if (currentLeaderEpoch > LEADER_EPOCH) return { ...asked, partition: undefined, error: "UNKNOWN_LEADER_EPOCH" as const };
          try {
            const partition = await parts.streams.partition(call.realm, found.stream.name, index);
            return { ...asked, partition, error: undefined };
          } catch (error) {
            return { ...asked, partition: undefined, error: failureOf(error, parts.reportDefect).error };
          }
        },
      );
      return { topic, topicId, readings: await Promise.all(readings) };
    }),
  );
}

/** What a reader that waits holds counts, too; and while it reads, what it may read. */
async function readWithin(parts: HandlerParts, readings: readonly Reading[], { maxBytes, share }: FetchBounds): Promise<boolean> {
  const bytesMax = Math.max(1, Math.min(maxBytes, share.within(FETCH_BYTES_MIN, FETCH_BYTES_MAX)));
  share.set(bytesMax);
  const isFull = await read(parts, readings, bytesMax);
  share.set(sizeOf(readings));
  return isFull;
}

/** Reads what there is into `readings`, up to `bytesMax` over all; the first batch is taken whatever its size, so that everybody comes on. True when no more fits. */
async function read(parts: HandlerParts, readings: readonly Reading[], bytesMax: number): Promise<boolean> {
  let left = bytesMax;
  let isFirst = true;
  let isMoreThere = false;
  for (const reading of readings) {
    const { partition } = reading;
    if (!partition || reading.error) continue;
    if (partition.end !== reading.end) await readOne(parts, reading, partition, Math.max(1, Math.min(reading.bytesMax, left)));
    const size = sizeOf([reading]);
    if (size > left && !isFirst) {
      reading.batches = [];
      return true;
    }
    if (size > 0) isFirst = false;
    left -= size;
    if (left <= 0) return true;
    // What a partition has beyond its share comes with the next request: nobody waits for more while there is more.
    const last = reading.batches.at(-1);
    if (last && last.lastOffset + 1 < reading.end) isMoreThere = true;
  }
  return isMoreThere;
}

async function readOne(parts: HandlerParts, reading: Reading, partition: Partition, bytesMax: number): Promise<void> {
  const { offset } = reading;
  reading.end = partition.end;
  if (offset < partition.first || offset > partition.end) {
    reading.error = "OFFSET_OUT_OF_RANGE";
    return;
  }
  if (offset === partition.end) return;
  try {
    reading.batches = await partition.read(offset, { bytesMax });
  } catch (error) {
    // What was there may have been trimmed while it was read.
    reading.error = offset < partition.first ? "OFFSET_OUT_OF_RANGE" : failureOf(error, parts.reportDefect).error;
  }
}

function sizeOf(readings: readonly Reading[]): number {
  let size = 0;
  for (const { batches } of readings) for (const { bytes } of batches) size += bytes.length;
  return size;
}

/** An error is told at once; and where nothing is asked for there is nothing to wait for. */
function isEnough(readings: readonly Reading[], minBytes: number): boolean {
  return readings.length === 0 || readings.some(({ error }) => error !== undefined) || sizeOf(readings) >= minBytes;
}

async function readUntilEnough(parts: HandlerParts, readings: readonly Reading[], bounds: FetchBounds, { stopping }: Call): Promise<void> {
  const { maxWaitMs, minBytes } = bounds;
  if ((await readWithin(parts, readings, bounds)) || isEnough(readings, minBytes)) return;
  const over = new AbortController();
  const end = (): void => over.abort();
  const timer = parts.clock.schedule(Math.min(Math.max(0, maxWaitMs), FETCH_WAIT_MS_MAX), end);
  stopping.addEventListener("abort", end, { once: true });
  if (stopping.aborted) end();
  try {
    while (!over.signal.aborted) {
      await anyGrows(readings, over.signal);
      const hasGrown = readings.some(({ partition, end: seen }) => partition && partition.end > seen);
      // A stream that was removed wakes its readers without having grown.
      if (!hasGrown) return markGone(parts, readings);
      if ((await readWithin(parts, readings, bounds)) || isEnough(readings, minBytes)) return;
    }
  } finally {
    timer.cancel();
    stopping.removeEventListener("abort", end);
  }
}

/** Resolves when a partition has more than was looked at, its stream is gone, or the signal aborts. Shards that are closed never have more. */
async function anyGrows(readings: readonly Reading[], signal: AbortSignal): Promise<void> {
  const round = new AbortController();
  const over = deferred<void>();
  const end = (): void => over.resolve();
  signal.addEventListener("abort", end, { once: true });
  try {
    const waits = readings.flatMap(({ partition, end: seen }) => {
      const isOpen = partition && partition.stream.shards[partition.number]?.closed === undefined;
      return isOpen ? [partition.wait(seen, round.signal)] : [];
    });
    await Promise.race([over.promise, ...waits]);
  } catch (error) {
    // More wait already than may: this one is answered with what there is.
    if (!isLambentError(error, "Throttled")) throw error;
  } finally {
    round.abort();
    signal.removeEventListener("abort", end);
  }
}

function markGone(parts: HandlerParts, readings: readonly Reading[]): void {
  for (const reading of readings) {
    const stream = reading.partition?.stream;
    if (stream && parts.streams.find(stream.realm, stream.name)?.id !== stream.id) reading.error = "UNKNOWN_TOPIC_OR_PARTITION";
  }
}

function told({ index, error, partition, batches }: Reading): PartitionResponse {
  const end = partition?.end ?? -1;
  return {
    partitionIndex: index,
    errorCode: codeOf(error),
    highWatermark: end,
    lastStableOffset: end,
    logStartOffset: partition?.first ?? -1,
    abortedTransactions: null,
    records: batches.map(({ bytes }) => bytes),
  };
}
