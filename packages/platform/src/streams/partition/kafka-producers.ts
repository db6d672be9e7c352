/** What idempotent Kafka producers may append: each of their batches once, and in the order of their sequence numbers. */
import type { Instant } from "../../base/index.ts";

/** A batch that was appended. */
export interface KnownBatch {
  readonly baseSequence: number;
  readonly count: number;
  readonly baseOffset: number;
  readonly appendedAt: Instant;
}

export interface KafkaProducer {
  /** Of its last batch. */
  readonly lastOffset: number;
  readonly epoch: number;
  /** Of this epoch, the last ones in their order; one at least. */
  readonly batches: readonly KnownBatch[];
}

export interface NumberedBatch {
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly count: number;
}

export type SequenceVerdict =
  | { readonly kind: "next" }
  | { readonly kind: "duplicate"; readonly batch: KnownBatch }
  | { readonly kind: "outOfOrderSequence" }
  | { readonly kind: "invalidProducerEpoch" };

/** Numbered producers that one partition remembers (P7). */
export const KAFKA_PRODUCERS_MAX = 4_000;
/** A producer has at most so many requests under way, by the protocol: more need not be known. */
const BATCHES_KNOWN_MAX = 5;
const SEQUENCES = 2 ** 31;

/**
 * Whether a batch is the one to come. A producer that is not known, or no more, begins anywhere: what it appended before is forgotten, and
 * to refuse it would not bring that back.
 */
export function judge(known: KafkaProducer | undefined, batch: NumberedBatch): SequenceVerdict {
  if (!known) return { kind: "next" };
  if (batch.producerEpoch < known.epoch) return { kind: "invalidProducerEpoch" };
  if (batch.producerEpoch > known.epoch) return batch.baseSequence === 0 ? { kind: "next" } : { kind: "outOfOrderSequence" };
  const same = known.batches.find(({ baseSequence, count }) => baseSequence === batch.baseSequence && count === batch.count);
  if (same) return { kind: "duplicate", batch: same };
  const last = known.batches.at(-1);
  return last && (last.baseSequence + last.count) % SEQUENCES !== batch.baseSequence ? { kind: "outOfOrderSequence" } : { kind: "next" };
}

export function withBatch(known: KafkaProducer | undefined, epoch: number, batch: KnownBatch): KafkaProducer {
  const before = known?.epoch === epoch ? known.batches : [];
  return { lastOffset: batch.baseOffset, epoch, batches: [...before.slice(1 - BATCHES_KNOWN_MAX), batch] };
}
