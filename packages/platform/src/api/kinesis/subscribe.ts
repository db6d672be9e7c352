import type { SubscribeToShardEventStream, SubscribeToShardInput, SubscribeToShardOutput } from "@aws-sdk/client-kinesis";
import { type Clock, deferred, isLambentError, type LambentError } from "../../base/index.ts";
import { type Partition, shardIdOf, type ShardRecord, type StreamRecord, type Streams } from "../../streams/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { foundConsumer } from "./consumer-records.ts";
import { consumerReference } from "./consumers.ts";
import { kinesisWireError } from "./errors.ts";
import { foundShard, foundStream, streamNotFound } from "./names.ts";
import { sequenceBefore, startingOffset } from "./positions.ts";
import { readPortion } from "./reading.ts";
import { childShards, consumerShape } from "./shard-shapes.ts";
import type { Subscription, Subscriptions } from "./subscriptions.ts";

/** How long records are pushed before a consumer subscribes anew. @limit */
export const SUBSCRIPTION_MS = 300_000;
/** How long nothing is said where there is nothing to say: readers take a silence for a broken connection. */
const QUIET_MS = 5_000;
/** Of one event: small enough that a reader sees the first record soon. */
const EVENT_BOUNDS = { recordsMax: 1_000, bytesMax: 1024 * 1024 };

export interface SubscribeParts {
  readonly streams: Streams;
  readonly subscriptions: Subscriptions;
  readonly clock: Clock;
}

/** Enhanced fan-out: records are pushed as they come. @see Kinesis API reference, SubscribeToShard */
export function subscribeOperations(parts: SubscribeParts) {
  const { streams, subscriptions, clock } = parts;
  return {
    async SubscribeToShard(input: SubscribeToShardInput, context: RequestContext): Promise<SubscribeToShardOutput> {
      refuseUnbuilt(input, ["DryRun", "StreamId"]);
      const reference = consumerReference(streams, context, { ConsumerARN: given(input.ConsumerARN, "ConsumerARN") });
      const record = foundStream(streams, reference);
      const { ConsumerARN } = consumerShape(record, foundConsumer(record, reference));
      const shard = foundShard(record, input.ShardId);
      const partition = await streams.partition(record.realm, record.name, shard.number);
      const { Type, SequenceNumber, Timestamp } = given(input.StartingPosition, "StartingPosition");
      const asked = { type: Type, sequenceNumber: SequenceNumber, timestamp: Timestamp };
      const from = await startingOffset(partition, shard, asked, clock.now());
      const subscription = subscriptions.begin(ConsumerARN, shardIdOf(shard.number));
      const push = new Push({ streams, clock, record, partition, shard, subscription, context }, from);
      // Taken up by nobody where the caller left before the answer: then it ends without having begun.
      context.onCallerGone(() => push.leave());
      return { EventStream: push.events() };
    },
  };
}

interface PushParts {
  readonly streams: Pick<Streams, "find">;
  readonly clock: Clock;
  readonly record: StreamRecord;
  readonly partition: Partition;
  readonly shard: ShardRecord;
  readonly subscription: Subscription;
  readonly context: Pick<RequestContext, "signal">;
}

/** One subscription: reads on as fast as its reader takes what is read. */
class Push {
  readonly #parts: PushParts;
  #next: number;
  readonly #left = new AbortController();

  constructor(parts: PushParts, from: number) {
    this.#parts = parts;
    this.#next = from;
  }

  leave(): void {
    this.#left.abort();
    this.#parts.subscription.end();
  }

  async *events(): AsyncGenerator<SubscribeToShardEventStream> {
    const { clock, subscription, context } = this.#parts;
    const over = deferred<"over">();
    const timer = clock.schedule(SUBSCRIPTION_MS, () => over.resolve("over"));
    const ended = AbortSignal.any([this.#left.signal, subscription.signal, context.signal]);
    const stop = new AbortController();
    void over.promise.then(() => stop.abort());
    try {
      yield* this.#until(AbortSignal.any([ended, stop.signal]));
      if (subscription.signal.aborted) yield exceptionOf(subscription.signal.reason as LambentError);
    } catch (error) {
      if (!isLambentError(error)) throw error;
      yield exceptionOf(error);
    } finally {
      timer.cancel();
      subscription.end();
    }
  }

  async *#until(ended: AbortSignal): AsyncGenerator<SubscribeToShardEventStream> {
    while (!ended.aborted) {
      const { event, isLast } = await this.#read();
      yield { SubscribeToShardEvent: event };
      if (isLast) return;
      await this.#more(ended);
    }
  }

  async #read() {
    const { clock, partition, shard, streams, record } = this.#parts;
    // A stream that was removed meanwhile, or made anew, has nothing more to say.
    const current = foundStream(streams, record);
    if (current.id !== record.id) throw streamNotFound(record.realm, record.name);
    const { records, next, behindMs } = await readPortion(partition, shard, this.#next, EVENT_BOUNDS, clock.now());
    this.#next = next;
    const isLast = current.shards[shard.number]?.closed !== undefined && next >= partition.end;
    const event = {
      Records: [...records],
      // There is nothing to go on with behind the last record of a shard that takes no more.
      ContinuationSequenceNumber: isLast ? undefined : sequenceBefore(shard, next),
      MillisBehindLatest: behindMs,
      ...(isLast ? { ChildShards: childShards(current, shard.number) } : {}),
    };
    return { event, isLast };
  }

  /** Until there is more to read, or it is time for a sign of life. */
  async #more(ended: AbortSignal): Promise<void> {
    const { clock, partition } = this.#parts;
    if (partition.end > this.#next) return;
    const quiet = new AbortController();
    const timer = clock.schedule(QUIET_MS, () => quiet.abort());
    try {
      await partition.wait(this.#next, AbortSignal.any([ended, quiet.signal]));
    } finally {
      timer.cancel();
    }
  }
}

/** The last event of a subscription that breaks off: by its own name where the stream of events has one. */
function exceptionOf(error: LambentError): SubscribeToShardEventStream {
  const { name, message } = kinesisWireError(error);
  if (name === "ResourceInUseException" || name === "ResourceNotFoundException")
    return { [name]: { message } } as unknown as SubscribeToShardEventStream;
  return { InternalFailureException: { message } } as unknown as SubscribeToShardEventStream;
}
