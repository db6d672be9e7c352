import { type Instant, LambentError } from "../../base/index.ts";

/** Marks an append that is to happen once: who appends, and the how-manieth of theirs it is. */
export interface ProducerStamp {
  /** For example a window's id and generation. At most `PRODUCER_NAME_LENGTH_MAX` characters. */
  readonly producer: string;
  /** Rises by any steps. */
  readonly sequence: number;
}

/** Where what was stamped went, as a row of the log tells it: from the batch's first record on. */
export interface StampedRange extends ProducerStamp {
  readonly from: number;
  readonly count: number;
}

export interface StampedAppend {
  readonly sequence: number;
  readonly firstOffset: number;
  readonly count: number;
  readonly appendedAt: Instant;
}

/** The last appends of one producer, in their order. */
export interface StampedProducer {
  readonly lastOffset: number;
  readonly appends: readonly StampedAppend[];
}

/** Producers with stamps that one partition remembers (P7). */
export const STAMPED_PRODUCERS_MAX = 1_000;
export const PRODUCER_NAME_LENGTH_MAX = 200;
/** Appends of one producer whose repetition is known as such. @limit */
const STAMPED_APPENDS_MAX = 16;

/** The append that this is a repetition of, if it is one. */
export function repeated(known: StampedProducer | undefined, { producer, sequence }: ProducerStamp): StampedAppend | undefined {
  const before = known?.appends.find((append) => append.sequence === sequence);
  const last = known?.appends.at(-1);
  if (!before && last && sequence < last.sequence)
    throw new LambentError(
      "InvalidParameter",
      `The append ${sequence} of producer ${producer} comes after ${last.sequence}; those of a producer come in rising order.`,
      { lastSequence: last.sequence },
    );
  return before;
}

export function withStamped(known: StampedProducer | undefined, append: StampedAppend): StampedProducer {
  return { lastOffset: append.firstOffset, appends: [...(known?.appends ?? []).slice(1 - STAMPED_APPENDS_MAX), append] };
}
