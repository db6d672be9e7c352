/** From an event to its deliveries: which rules it matches, and what each of their targets gets. Pure, but for ids. */
import { isLambentError, type Instant } from "../base/index.ts";
import { accepted, ended, type LedgerRecord } from "../ledger/index.ts";
import type { Realm } from "../model/index.ts";
import {
  BACK_OFF_WAITS_MS,
  type DeadDelivery,
  type NewDelivery,
  type ParcelAttribute,
  type ParcelOptions,
  type ParcelSender,
} from "../outbox/index.ts";
import type { RuleRecord, RuleTarget } from "./definitions.ts";
import { awsView, type BusEvent, encodeBusEvent } from "./envelope.ts";
import { partitionKeyOf } from "./input/partition-key.ts";
import { targetPayload } from "./input/target-input.ts";
import { busArn, parseEventsArn, ruleArn } from "./names.ts";
import { isOfKinesis } from "./rule-checks.ts";

/** How often a target is tried again where its rule says nothing else. @limit */
export const TARGET_RETRIES_MAX = 185;
/** For how long. @limit */
export const TARGET_AGE_MS_MAX = 86_400_000;
const SERVICE = "events.amazonaws.com";
/** Characters of a type that a record keeps. */
const SUBJECT_LENGTH_MAX = 256;

/** An event as it was put on a bus, with what of its chain is known. */
export interface PublishedEvent {
  readonly event: BusEvent;
  /** Names its record, where that is not its own id: an event that another bus passed on keeps its id. */
  readonly recordId?: string | undefined;
  readonly traceHeader: string | undefined;
  readonly cause: string | undefined;
  readonly correlation: string | undefined;
  /** Who put it: ARN of a function or a rule; undefined for anybody else. */
  readonly origin: string | undefined;
  /** A replay reaches these rules only. */
  readonly onlyRules?: readonly string[] | undefined;
}

/** An event with what is made of it once for all who ask: its form of AWS. */
export interface ViewedEvent extends PublishedEvent {
  readonly view: Buffer;
}

/** Something an event leads to: a delivery for a target, or the record that says why there is none. */
export type Routed =
  | { readonly kind: "delivery"; readonly delivery: NewDelivery }
  | { readonly kind: "record"; readonly record: LedgerRecord };

/** All an event leads to, each made when it is asked for: there may be thousands of targets. The event's own record comes last. */
export function* route(
  place: { readonly realm: Realm; readonly bus: string },
  published: ViewedEvent,
  rules: readonly RuleRecord[],
  { now, newId }: { readonly now: Instant; readonly newId: () => string },
): Generator<Routed> {
  const { event, view } = published;
  let whole: Buffer | undefined;
  let hasTargets = false;
  for (const rule of rules) {
    const names = { ruleArn: ruleArn(place.realm, rule.bus, rule.name), ruleName: rule.name };
    for (const target of rule.targets) {
      hasTargets = true;
      const delivery = deliveryOf(place.realm, published, names.ruleArn, target, { id: newId(), acceptedAt: now });
      try {
        // Another bus and an archive take the event as it is, whatever its form.
        const payload = parseEventsArn(target.arn) ? (whole ??= encodeBusEvent(event)) : targetPayload(target.input, event, view, names);
        yield { kind: "delivery", delivery: { ...delivery, parcel: { ...delivery.parcel, payload } } };
      } catch (error) {
        if (!isLambentError(error, "RequestTooLarge")) throw error;
        const { parcel: _parcel, retry: _retry, deadLetter: _deadLetter, ...event } = delivery;
        const record = ended(accepted({ ...event, target: target.arn }), now, { kind: "discarded", reason: "inputTooLarge" });
        yield { kind: "record", record };
      }
    }
  }
  yield { kind: "record", record: recordOf(place, published, hasTargets, now) };
}

/** What a rule with a schedule leads to when it is due: the event that EventBridge sends then. */
export function scheduledDeliveries(
  realm: Realm,
  rule: RuleRecord,
  dueAt: Instant,
  { now, newId }: { readonly now: Instant; readonly newId: () => string },
): NewDelivery[] {
  const arn = ruleArn(realm, rule.bus, rule.name);
  const event: BusEvent = {
    ...{ id: newId(), source: "aws.events", type: "Scheduled Event", time: dueAt, ingestedAt: now, ...realm, resources: [arn] },
    ...{ dataContentType: "application/json", extensions: {}, data: { kind: "json", bytes: Buffer.from("{}") } },
  };
  const published = { event, view: awsView(event), traceHeader: undefined, cause: undefined, correlation: undefined, origin: undefined };
  const routed = [...route({ realm, bus: rule.bus }, published, [rule], { now, newId })];
  return routed.flatMap((each) => {
    if (each.kind === "record") return [];
    const { delivery } = each;
    return { ...delivery, ...{ source: "schedule", subject: rule.name, dueAt, cause: undefined, correlation: delivery.id } };
  });
}

function deliveryOf(
  realm: Realm,
  { event, view, recordId = event.id, traceHeader, correlation = recordId }: ViewedEvent,
  arn: string,
  target: RuleTarget,
  { id, acceptedAt }: { readonly id: string; readonly acceptedAt: Instant },
): NewDelivery {
  const sender = { kind: "service", realm, service: SERVICE, sourceArn: arn, roleArn: target.roleArn } as const;
  return {
    id,
    parcel: { target: target.arn, sender, payload: view, options: optionsOf(target, event, view), traceHeader },
    ...{ source: "bus", origin: arn, subject: subjectOf(event), cause: recordId, correlation, acceptedAt },
    retry: {
      retriesMax: target.retriesMax ?? TARGET_RETRIES_MAX,
      ageMsMax: target.ageMsMax ?? TARGET_AGE_MS_MAX,
      waitsMs: BACK_OFF_WAITS_MS,
    },
    deadLetter: target.deadLetter,
  };
}

/** A type may be as long as an event; it stands in every record the event leads to. */
function subjectOf({ type }: BusEvent): string {
  return type.slice(0, SUBJECT_LENGTH_MAX);
}

/** The record of the event itself: it is handled once every target has a delivery of its own, or nobody wanted it. */
function recordOf(
  { realm, bus }: { readonly realm: Realm; readonly bus: string },
  published: PublishedEvent,
  hasTargets: boolean,
  now: Instant,
): LedgerRecord {
  const { event, recordId = event.id, cause, correlation, origin } = published;
  const record = accepted({
    ...{ id: recordId, source: "bus", origin, subject: subjectOf(event), target: busArn(realm, bus), acceptedAt: now, cause, correlation },
  });
  return ended(record, now, hasTargets ? { kind: "handled" } : { kind: "discarded", reason: "noListener" });
}

/** What a dead-letter queue is told of an event that a target did not take. @see EventBridge User Guide, "Using dead-letter queues" */
export function deadLetterAttributes({ delivery, attempts, why, refusal }: DeadDelivery): Record<string, ParcelAttribute> {
  const text = (value: string): ParcelAttribute => ({ type: "String", value });
  return {
    RULE_ARN: text(delivery.origin),
    TARGET_ARN: text(delivery.parcel.target),
    ERROR_CODE: text(refusal.code),
    ERROR_MESSAGE: text(refusal.message === "" ? refusal.code : refusal.message.slice(0, 1_024)),
    RETRY_ATTEMPTS: { type: "Number", value: String(attempts - 1) },
    ...(why === "refused" ? {} : { EXHAUSTED_RETRY_CONDITION: text(why) }),
  };
}

/** The target's role is for the target: dead-letter queues know the rule by its ARN, as on AWS. */
export function asService(sender: ParcelSender): ParcelSender {
  return sender.kind === "service" ? { ...sender, roleArn: undefined } : sender;
}

function optionsOf({ arn, messageGroupId, http, partitionKeyPath }: RuleTarget, event: BusEvent, view: Buffer): ParcelOptions {
  return {
    ...(isOfKinesis(arn) ? { partitionKey: partitionKeyOf(partitionKeyPath, event, view) } : {}),
    ...(messageGroupId === undefined ? {} : { messageGroupId }),
    ...(http ? { pathValues: http.pathValues, headers: http.headers, query: http.query } : {}),
  };
}
