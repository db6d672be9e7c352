/**
 * Whom a bucket tells what happened to its objects: a delivery for each rule that is about it, and one for the account's bus.
 * The bucket commits them with the change (P1); `delivery/` carries them on.
 */
import { type Clock, type Instant, type SecureRandom, timeOrderedId } from "../../base/index.ts";
import { eventOf } from "../../invoker/index.ts";
import { bucketArn, type BucketRecord, type Caller, type NotificationRule, type Notifier, type ObjectEvent } from "../../objects/index.ts";
import { BACK_OFF_WAITS_MS, type NewDelivery, type ParcelOptions, type ParcelSender, type RetryPolicy } from "../../outbox/index.ts";
import { busDetail, recordEvent, testEvent } from "./event.ts";
import { busWordsOf, isAbout } from "./event-names.ts";

/** The service as a principal. */
export const NOTIFYING_SERVICE = "s3.amazonaws.com";
/** S3 names neither number nor age: a day, as EventBridge has it. */
const RETRY: RetryPolicy = { retriesMax: 185, ageMsMax: 86_400_000, waitsMs: BACK_OFF_WAITS_MS };
const TOPIC_SUBJECT = "Amazon S3 Notification";
const IS_TOPIC = /^arn:aws[a-z-]{0,20}:sns:/;
const IS_FUNCTION = /^arn:aws[a-z-]{0,20}:lambda:/;

/** In whose name a bucket tells. */
export function notifierOf({ name, realm }: Pick<BucketRecord, "name" | "realm">): ParcelSender {
  return { kind: "service", realm, service: NOTIFYING_SERVICE, sourceArn: bucketArn(name) };
}

/** Makes deliveries in AWS's forms. */
export function createNotifier({ clock, secureRandom }: { readonly clock: Clock; readonly secureRandom: SecureRandom }): Notifier {
  const delivery = (bucket: BucketRecord, notice: Notice): NewDelivery => deliveryOf(timeOrderedId(clock, secureRandom), bucket, notice);
  return {
    deliveries(bucket, event) {
      const { rules, toBus } = bucket.notifications;
      const { at, caller } = event;
      const subject = `${event.name} ${event.key}`;
      const told = rules
        .filter((rule) => concerns(rule, event))
        .map((rule) => {
          const { target } = rule;
          return delivery(bucket, {
            target,
            at,
            caller,
            subject,
            payload: recordEvent(bucket, event, rule.id),
            options: optionsFor(target),
          });
        });
      const words = toBus ? busWordsOf(event.name) : undefined;
      if (!words) return told;
      const options: ParcelOptions = {
        event: { source: "aws.s3", detailType: words.detailType, resources: [bucketArn(bucket.name)], time: at },
      };
      return [...told, delivery(bucket, { target: defaultBusOf(bucket), at, caller, subject, payload: busDetail(bucket, event), options })];
    },
    testDeliveries(bucket, rules, caller) {
      const at = clock.now();
      return rules
        .filter(({ target }) => !IS_FUNCTION.test(target))
        .map(({ target }) =>
          delivery(bucket, {
            ...{ target, at, caller, subject: "s3:TestEvent", options: optionsFor(target) },
            payload: testEvent(bucket, caller, at),
          }),
        );
    },
  };
}

interface Notice {
  readonly target: string;
  readonly at: Instant;
  readonly caller: Caller;
  readonly subject: string;
  readonly payload: Buffer;
  readonly options: ParcelOptions;
}

function deliveryOf(id: string, bucket: BucketRecord, { target, at, caller, subject, payload, options }: Notice): NewDelivery {
  const { traceHeader } = caller;
  const chain = eventOf(traceHeader);
  return {
    ...{ id, subject, source: "objects", origin: bucketArn(bucket.name), acceptedAt: at, retry: RETRY },
    parcel: { target, sender: notifierOf(bucket), payload, options, traceHeader },
    cause: chain?.cause,
    correlation: chain?.correlation ?? id,
  };
}

function concerns({ events, prefix, suffix }: NotificationRule, { name, key }: ObjectEvent): boolean {
  return key.startsWith(prefix) && key.endsWith(suffix) && events.some((wanted) => isAbout(wanted, name));
}

function optionsFor(target: string): ParcelOptions {
  return IS_TOPIC.test(target) ? { subject: TOPIC_SUBJECT } : {};
}

function defaultBusOf({ realm }: BucketRecord): string {
  return `arn:aws:events:${realm.region}:${realm.account}:event-bus/default`;
}
