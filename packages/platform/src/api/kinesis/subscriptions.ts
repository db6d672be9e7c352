import { type Clock, LambentError } from "../../base/index.ts";

/** A subscription is taken over only by one that comes this much later. */
const TAKEOVER_MS = 5_000;

/** One reader that is being pushed the records of one shard. */
export interface Subscription {
  /** Aborts with the error that its reader is told, when another one takes its place or its consumer goes. */
  readonly signal: AbortSignal;
  end(): void;
}

interface Held {
  readonly beganMs: number;
  readonly controller: AbortController;
}

/** Who is being pushed records: one for each consumer and shard. */
export class Subscriptions {
  readonly #clock: Clock;
  /** By consumer, then by shard. */
  readonly #held = new Map<string, Map<string, Held>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Begins a subscription. Throws `Conflict` within five seconds of another one; later it takes that one's place, as on AWS.
   *
   * @see Kinesis API reference, SubscribeToShard
   */
  begin(consumerArn: string, shardId: string): Subscription {
    const shards = this.#held.get(consumerArn) ?? new Map<string, Held>();
    const before = shards.get(shardId);
    const now = this.#clock.monotonicMs();
    const inUse = new LambentError("Conflict", `Another active subscription exists for this consumer: ${consumerArn} and ${shardId}`);
    if (before && now - before.beganMs < TAKEOVER_MS) throw inUse;
    before?.controller.abort(inUse);
    const held: Held = { beganMs: now, controller: new AbortController() };
    this.#held.set(consumerArn, shards.set(shardId, held));
    return {
      signal: held.controller.signal,
      end: () => {
        if (shards.get(shardId) !== held) return;
        shards.delete(shardId);
        if (shards.size === 0 && this.#held.get(consumerArn) === shards) this.#held.delete(consumerArn);
      },
    };
  }

  /** Ends all of a consumer that is no more. */
  endOf(consumerArn: string): void {
    const gone = new LambentError("NotFound", `Consumer ${consumerArn} not found.`);
    for (const { controller } of this.#held.get(consumerArn)?.values() ?? []) controller.abort(gone);
  }
}
