/** What is written of the batches of a shard: one record each with its offsets (P2), and what the on-failure destination is told. */
import { type Clock, derivedId, type Instant, type SecureRandom, timeOrderedId } from "../../base/index.ts";
import { accepted, type Attempt, ended, type LedgerRecord, type Outcome, triedAgain } from "../../ledger/index.ts";
import type { Realm } from "../../model/index.ts";
import { BACK_OFF_WAITS_MS, type NewDelivery, type ParcelOptions, type RetryPolicy } from "../../outbox/index.ts";
import { shardIdOf } from "../../streams/index.ts";
import type { Settlement } from "./after-call.ts";
import { failureKey, failureRecord, type GivenUpOrigin } from "./failure-record.ts";
import type { HeldRecord, RecordForm } from "./forms.ts";
import type { AsideReason, Held, Piece } from "./held.ts";

/** AWS names neither number nor age for what an on-failure destination does not take: a day. */
const RETRY: RetryPolicy = { retriesMax: 185, ageMsMax: 86_400_000, waitsMs: BACK_OFF_WAITS_MS };
const IS_BUCKET = /^arn:aws[a-z-]{0,20}:s3:/;

export interface OutcomesParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly realm: Realm;
  /** Of the mapping. */
  readonly uuid: string;
  readonly streamId: string;
  readonly functionArn: string;
  readonly onFailure: string | undefined;
  readonly origin: GivenUpOrigin;
  readonly form: RecordForm;
  /** The record of a batch that was tried in vain. */
  readonly noted: (id: string) => LedgerRecord | undefined;
}

export class Outcomes {
  readonly #parts: OutcomesParts;

  constructor(parts: OutcomesParts) {
    this.#parts = parts;
  }

  /** A batch is named by where it begins, so that it has one record, however often it is cut anew, also behind a crash. */
  idOf({ records: [first], window }: Pick<Piece<Held>, "records" | "window">): string {
    const { uuid, streamId, origin } = this.#parts;
    const place = `${uuid} ${streamId} ${origin.shard.number}`;
    if (first) return derivedId(first.arrivedAt, `${place} ${first.offset}`);
    return derivedId(window?.end ?? 0, `${place} window ${window?.start}`);
  }

  /** A call was in vain, and another one follows. */
  tried(piece: Piece<HeldRecord>, attempt: Attempt, at: Instant | undefined): LedgerRecord {
    return triedAgain(this.#open(piece, piece.records), attempt, at);
  }

  /** The records end here; `last` is the call before, where there was one. */
  ended(
    settlement: Settlement<HeldRecord>,
    last: Attempt | undefined,
  ): { readonly record: LedgerRecord; readonly delivery: NewDelivery | undefined } {
    const { piece, records, outcome } = settlement;
    const open = this.#open(piece, records);
    const now = this.#parts.clock.now();
    if (outcome === "handled") {
      // Of a batch that was handled in part, this is the part that was.
      const attempt: Attempt | undefined = last && { ...last, result: "ok", error: undefined };
      return { record: ended(open, now, { kind: "handled" }, attempt), delivery: undefined };
    }
    const { onFailure } = this.#parts;
    // What is set aside for another reason was not called with, or the call was noted when it was in vain.
    const attempt = outcome === "retriesExhausted" ? last : undefined;
    const record = ended(open, now, outcomeOf(outcome, onFailure), attempt);
    return { record, delivery: onFailure === undefined ? undefined : this.#delivery(onFailure, outcome, records, record) };
  }

  /** Records that the stream no longer has when they are read. */
  lost(first: number, last: number): LedgerRecord {
    const { clock, uuid, streamId, origin, functionArn } = this.#parts;
    const { number } = origin.shard;
    const now = clock.now();
    const record = accepted({
      ...{
        id: derivedId(now, `${uuid} ${streamId} ${number} lost ${first}`),
        source: "stream",
        origin: origin.streamArn,
        target: functionArn,
      },
      ...{
        subject: subjectOf(origin),
        offsets: { shard: number, first, last, count: last - first + 1 },
        acceptedAt: now,
        cause: undefined,
      },
    });
    return ended(record, now, { kind: "expired" });
  }

  #open(piece: Piece<HeldRecord>, records: readonly HeldRecord[]): LedgerRecord {
    const { origin, functionArn, noted } = this.#parts;
    const [first] = records;
    const last = records.at(-1);
    const id = this.idOf({ records, window: piece.window });
    const { number } = origin.shard;
    const offsets = first && last && { shard: number, first: first.offset, last: last.offset, count: records.length };
    const known = noted(id);
    if (known) return { ...known, offsets };
    const acceptedAt = first?.arrivedAt ?? piece.window?.end ?? 0;
    return accepted({
      ...{ id, source: "stream", origin: origin.streamArn, subject: subjectOf(origin), offsets, target: functionArn },
      ...{ acceptedAt, cause: undefined },
    });
  }

  #delivery(target: string, reason: AsideReason, records: readonly HeldRecord[], batch: LedgerRecord): NewDelivery | undefined {
    const { clock, secureRandom, realm, uuid, functionArn, origin, form } = this.#parts;
    const [first, ...rest] = records;
    // Of a window that could not be closed there are no records any more.
    if (!first) return undefined;
    const at = clock.now();
    const id = timeOrderedId(clock, secureRandom);
    const attempt = batch.attempts.at(-1);
    const requestId = attempt?.requestId ?? id;
    const about = { at, functionArn, requestId, reason, calls: batch.attemptCount, version: attempt?.version };
    const event = IS_BUCKET.test(target) ? form.event(records, undefined) : undefined;
    const options: ParcelOptions = {
      ...(event ? { objectKey: failureKey(origin, uuid, at, id) } : {}),
      ...(target.endsWith(".fifo") ? { messageGroupId: shardIdOf(origin.shard.number), deduplicationId: id } : {}),
    };
    return {
      ...{ id, subject: batch.subject, source: "stream", origin: origin.streamArn, acceptedAt: at, retry: RETRY },
      parcel: {
        ...{ target, sender: { kind: "function", realm, functionArn, requestId }, options, traceHeader: undefined },
        payload: failureRecord(origin, { ...about, records: [first, ...rest] }, event),
      },
      cause: batch.id,
      correlation: batch.correlation,
    };
  }
}

/** `clicks shardId-000000000000`. */
function subjectOf({ stream, shard }: GivenUpOrigin): string {
  return `${stream} ${shardIdOf(shard.number)}`;
}

function outcomeOf(outcome: "handled" | AsideReason, told: string | undefined): Outcome {
  if (outcome === "handled") return { kind: "handled" };
  if (told !== undefined) return { kind: "deadLettered", target: told, reason: outcome };
  return outcome === "expired" ? { kind: "expired" } : { kind: "discarded", reason: outcome };
}
