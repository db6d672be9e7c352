/** Whom a bucket tells what happens to its objects: S3's form, checked as S3 checks it, and the rules that come of it. */
import type {
  Event,
  GetBucketNotificationConfigurationRequest,
  NotificationConfiguration,
  NotificationConfigurationFilter,
  PutBucketNotificationConfigurationRequest,
} from "@aws-sdk/client-s3";
import { isLambentError, type SecureRandom } from "../../base/index.ts";
import { type BucketRecord, NOTIFICATION_RULES_MAX, type NotificationRule, type Notifications } from "../../objects/index.ts";
import { given } from "../given.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import { type BucketParts, recordOf } from "./bucket-parts.ts";
import { callerOf } from "./caller.ts";
import { malformedXml, refused } from "./configuration-errors.ts";
import { checkOverlap, isNotificationEvent } from "./notification-events.ts";

const ID_CHARS_MAX = 255;
const FILTER_BYTES_MAX = 1_024;

type TargetKind = "function" | "queue" | "topic";

/** A rule as the wire has it, whatever its target is called there. */
interface RuleShape {
  readonly Id?: string | undefined;
  readonly Events: Event[] | undefined;
  readonly Filter?: NotificationConfigurationFilter | undefined;
}

const TARGETS: Readonly<Record<TargetKind, { readonly service: string; readonly arn: RegExp }>> = {
  function: {
    service: "lambda",
    arn: /^arn:aws[a-z-]{0,20}:lambda:([a-z0-9-]{1,32}):\d{12}:function:[A-Za-z0-9_-]{1,64}(?::[A-Za-z0-9_$-]{1,128})?$/,
  },
  queue: { service: "sqs", arn: /^arn:aws[a-z-]{0,20}:sqs:([a-z0-9-]{1,32}):\d{12}:[A-Za-z0-9_-]{1,80}(?:\.fifo)?$/ },
  topic: { service: "sns", arn: /^arn:aws[a-z-]{0,20}:sns:([a-z0-9-]{1,32}):\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?$/ },
};

/** Notifications of a bucket. @see S3 API reference */
export function notificationOperations({ buckets, secureRandom, roles, checkTarget }: BucketParts) {
  return {
    async PutBucketNotificationConfiguration(input: PutBucketNotificationConfigurationRequest, context: RequestContext): Promise<void> {
      const record = recordOf(buckets, input);
      const asked = given(input.NotificationConfiguration, "NotificationConfiguration");
      const notifications = notificationsOf(record, asked, secureRandom);
      if (input.SkipDestinationValidation !== true)
        for (const target of new Set(notifications.rules.map((rule) => rule.target)))
          await checkTarget(record, target).catch((error: unknown) => refuseTarget(target, error));
      await buckets.setNotifications(record.name, notifications, callerOf(context, roles));
    },

    GetBucketNotificationConfiguration(input: GetBucketNotificationConfigurationRequest): NotificationConfiguration {
      return configurationOf(recordOf(buckets, input).notifications);
    },
  } satisfies OperationTable;
}

/** A target that is not there, or that does not let the bucket in: S3 has one name for both. */
function refuseTarget(target: string, error: unknown): never {
  if (!isLambentError(error) || error.entry.fault !== "caller") throw error;
  throw refused("argument", `Unable to validate the following destination configurations: ${target}: ${error.message}`);
}

/** The rules of a configuration; refuses what S3 refuses. */
function notificationsOf(bucket: BucketRecord, asked: NotificationConfiguration, secureRandom: SecureRandom): Notifications {
  const rules = [
    ...(asked.LambdaFunctionConfigurations ?? []).map((each) => ruleOf(bucket, "function", each.LambdaFunctionArn, each, secureRandom)),
    ...(asked.QueueConfigurations ?? []).map((each) => ruleOf(bucket, "queue", each.QueueArn, each, secureRandom)),
    ...(asked.TopicConfigurations ?? []).map((each) => ruleOf(bucket, "topic", each.TopicArn, each, secureRandom)),
  ];
  if (rules.length > NOTIFICATION_RULES_MAX)
    throw refused("argument", `A bucket has at most ${NOTIFICATION_RULES_MAX} notification configurations`);
  if (new Set(rules.map(({ id }) => id)).size !== rules.length)
    throw refused("argument", "Same ID used for multiple configurations. IDs must be unique");
  checkOverlap(rules);
  return { rules, toBus: asked.EventBridgeConfiguration !== undefined };
}

function ruleOf(
  bucket: BucketRecord,
  kind: TargetKind,
  arn: string | undefined,
  { Id, Events = [], Filter }: RuleShape,
  secureRandom: SecureRandom,
): NotificationRule {
  const id = Id === undefined || Id === "" ? secureRandom.uuid() : Id;
  if (id.length > ID_CHARS_MAX) throw refused("argument", `The ID of a configuration has at most ${ID_CHARS_MAX} characters`);
  if (Events.length === 0) throw malformedXml("a configuration has at least one Event");
  for (const event of Events)
    if (!isNotificationEvent(event))
      throw refused("argument", `The event '${String(event).slice(0, 100)}' is not supported for notifications`);
  return { id, target: checkedTarget(bucket, kind, arn ?? ""), events: [...new Set(Events)], ...filterOf(Filter) };
}

function checkedTarget(bucket: BucketRecord, kind: TargetKind, target: string): string {
  const found = TARGETS[kind].arn.exec(target);
  if (!found) throw refused("argument", `The ARN ${JSON.stringify(target.slice(0, 256))} is not one of a ${kind}`);
  if (target.endsWith(".fifo"))
    throw refused("argument", `Unable to validate the following destination configurations: a FIFO ${kind} is not supported`);
  if (found[1] !== bucket.realm.region)
    throw refused("argument", "The notification destination service region is not valid for the bucket location constraint");
  return target;
}

/** Each of the two once. */
function filterOf(filter: NotificationConfigurationFilter | undefined): Pick<NotificationRule, "prefix" | "suffix"> {
  const found = { prefix: "", suffix: "" };
  const seen = new Set<string>();
  for (const { Name, Value = "" } of filter?.Key?.FilterRules ?? []) {
    const name = String(Name).toLowerCase();
    if (name !== "prefix" && name !== "suffix") throw refused("argument", "filter rule name must be either prefix or suffix");
    if (seen.has(name)) throw refused("argument", `Cannot specify more than one ${name} rule in a filter.`);
    if (Buffer.byteLength(Value) > FILTER_BYTES_MAX)
      throw refused("argument", `Size of filter rule value cannot exceed ${FILTER_BYTES_MAX} bytes in UTF-8 encoding`);
    seen.add(name);
    found[name] = Value;
  }
  return found;
}

/** The configuration that says these rules. */
function configurationOf({ rules, toBus }: Notifications): NotificationConfiguration {
  const of = (kind: TargetKind): readonly NotificationRule[] =>
    rules.filter(({ target }) => target.split(":")[2] === TARGETS[kind].service);
  const [functions, queues, topics] = [of("function"), of("queue"), of("topic")];
  return {
    ...(functions.length > 0
      ? { LambdaFunctionConfigurations: functions.map((rule) => ({ ...shapeOf(rule), LambdaFunctionArn: rule.target })) }
      : {}),
    ...(queues.length > 0 ? { QueueConfigurations: queues.map((rule) => ({ ...shapeOf(rule), QueueArn: rule.target })) } : {}),
    ...(topics.length > 0 ? { TopicConfigurations: topics.map((rule) => ({ ...shapeOf(rule), TopicArn: rule.target })) } : {}),
    ...(toBus ? { EventBridgeConfiguration: {} } : {}),
  };
}

function shapeOf({ id, events, prefix, suffix }: NotificationRule): RuleShape {
  const FilterRules = [
    ...(prefix === "" ? [] : [{ Name: "prefix" as const, Value: prefix }]),
    ...(suffix === "" ? [] : [{ Name: "suffix" as const, Value: suffix }]),
  ];
  return { Id: id, Events: [...events] as Event[], ...(FilterRules.length > 0 ? { Filter: { Key: { FilterRules } } } : {}) };
}
