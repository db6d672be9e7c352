/** What follows from an occurrence: a delivery to the schedule's target, or a record in the ledger that it was missed. */
import { type Clock, type Instant, type SecureRandom, timeOrderedId } from "../base/index.ts";
import { accepted, ended, type LedgerRecord } from "../ledger/index.ts";
import type { Realm } from "../model/index.ts";
import { BACK_OFF_WAITS_MS, type DeadDelivery, type NewDelivery, type ParcelAttribute } from "../outbox/index.ts";
import type { ClaimStep } from "./claim.ts";
import { executionId, notification, payloadOf, SCHEDULER_PRINCIPAL, wholeSecond } from "./event.ts";
import { scheduleArn } from "./names.ts";
import type { ScheduleRecord, ScheduleTarget } from "./schedule.ts";

/** A target that was due long ago is tried at least this long. */
const AGE_LEFT_MS_MIN = 60_000;
/** An operation is the same target for all who call it, whatever they call it with. */
const OPERATION = /^arn:aws[a-z-]{0,20}:scheduler:::aws-sdk:/;

export interface Occurring {
  readonly realm: Realm;
  readonly group: string;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
}

/** The delivery of an occurrence to its target. */
export function deliveryOf(
  at: Occurring,
  { name }: ScheduleRecord,
  target: ScheduleTarget,
  { dueAt, since }: NonNullable<ClaimStep["fire"]>,
): NewDelivery {
  const { realm, group, clock, secureRandom } = at;
  const now = clock.now();
  const arn = scheduleArn(realm, group, name);
  const id = timeOrderedId(clock, secureRandom);
  const { messageGroupId, event, partitionKey } = target;
  return {
    id,
    parcel: {
      target: target.arn,
      sender: { kind: "service", realm, service: SCHEDULER_PRINCIPAL, sourceArn: arn, roleArn: target.roleArn },
      payload: payloadOf(target.input ?? notification(id, realm, arn, dueAt), arn, dueAt),
      options: { ...(messageGroupId === undefined ? {} : { messageGroupId }), ...(event ? { event } : {}), partitionKey },
      traceHeader: undefined,
    },
    lane: OPERATION.test(target.arn) ? arn : undefined,
    source: "schedule",
    origin: arn,
    subject: name,
    cause: undefined,
    correlation: id,
    acceptedAt: now,
    dueAt,
    retry: {
      retriesMax: target.retriesMax,
      ageMsMax: Math.max(AGE_LEFT_MS_MIN, target.ageMsMax - (now - since)),
      waitsMs: BACK_OFF_WAITS_MS,
    },
    deadLetter: target.deadLetter,
  };
}

/** What the ledger says of an occurrence that was missed; with `until`, of all from `dueAt` until before that. */
export function missedRecord(at: Occurring, record: ScheduleRecord, dueAt: Instant, until?: Instant): LedgerRecord {
  const { realm, group, clock, secureRandom } = at;
  const { name, settings } = record;
  const now = clock.now();
  const { action } = settings;
  const waiting = accepted({
    id: timeOrderedId(clock, secureRandom),
    source: "schedule",
    origin: action.kind === "rule" ? action.arn : scheduleArn(realm, group, name),
    target: action.kind === "rule" ? action.arn : action.target.arn,
    subject: until === undefined ? name : `${name}: every occurrence before ${wholeSecond(until)}`,
    dueAt,
    acceptedAt: now,
    cause: undefined,
  });
  return ended(waiting, now, { kind: "discarded", reason: "missed" });
}

/** What a dead-letter queue is told of a schedule's delivery, as message attributes. */
export function deadLetterAttributes({ delivery, attempts, why, refusal }: DeadDelivery): Readonly<Record<string, ParcelAttribute>> {
  const texts = {
    ERROR_CODE: refusal.code,
    ERROR_MESSAGE: refusal.message,
    EXECUTION_ID: executionId(delivery.id, attempts),
    ...(why === "refused" ? {} : { EXHAUSTED_RETRY_CONDITION: why }),
    IS_PAYLOAD_TRUNCATED: "false",
    RETRY_ATTEMPTS: `${attempts - 1}`,
    ...(delivery.dueAt === undefined ? {} : { SCHEDULED_TIME: wholeSecond(delivery.dueAt) }),
    SCHEDULE_ARN: delivery.origin,
    TARGET_ARN: delivery.parcel.target,
  };
  return Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, { type: "String", value }]));
}
