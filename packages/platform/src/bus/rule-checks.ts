/** What a rule and its targets may say; refused in EventBridge's words where it has them. */
import { LambentError } from "../base/index.ts";
import { parsePattern } from "../patterns/index.ts";
import type { RuleRecord, RuleTarget } from "./definitions.ts";
import { DEFAULT_BUS } from "./names.ts";

/** Characters of an event pattern. @limit */
export const PATTERN_LENGTH_MAX = 4_096;
/** Targets of one rule. @limit */
export const TARGETS_PER_RULE_MAX = 5;
/** Tags of a bus or a rule. @limit */
export const EVENTS_TAGS_MAX = 50;
const STREAM_ARN = /^arn:aws[a-z-]{0,20}:kinesis:[a-z0-9-]{1,32}:\d{12}:stream\/[a-zA-Z0-9._-]{1,249}$/;
const QUEUE_ARN = /^arn:aws[a-z-]{0,20}:sqs:[a-z0-9-]{1,32}:\d{12}:[A-Za-z0-9_-]{1,80}$/;

/** Throws `InvalidParameter` or `InvalidPattern`. */
export function checkRule({ bus, pattern, schedule, tags }: Pick<RuleRecord, "bus" | "pattern" | "schedule" | "tags">): void {
  if (pattern === undefined && schedule === undefined) throw refused("Parameter(s) EventPattern or ScheduleExpression must be specified.");
  if (schedule !== undefined && bus !== DEFAULT_BUS) throw refused("ScheduleExpression is supported only on the default event bus.");
  if (pattern !== undefined) {
    if (pattern.length > PATTERN_LENGTH_MAX)
      throw refused(`EventPattern has ${pattern.length} characters; at most ${PATTERN_LENGTH_MAX} are allowed.`);
    parsePattern(pattern);
  }
  checkTags(tags);
}

/** Throws `InvalidParameter`. */
export function checkTags(tags: RuleRecord["tags"]): void {
  if (Object.keys(tags).length > EVENTS_TAGS_MAX) throw refused(`A bus or a rule has at most ${EVENTS_TAGS_MAX} tags.`);
}

/** What is wrong with a target, as PutTargets says it of one entry; undefined when nothing is. */
export function targetFault(target: RuleTarget): string | undefined {
  const { deadLetter, messageGroupId, partitionKeyPath, arn } = target;
  if (!arn.startsWith("arn:") || (isOfKinesis(arn) && !STREAM_ARN.test(arn)))
    return `Parameter ${arn.slice(0, 200)} is not valid. Reason: Provided Arn is not in correct format.`;
  if (deadLetter !== undefined && !QUEUE_ARN.test(deadLetter)) return "The dead letter queue must be a standard queue.";
  if (isFifoQueue(arn) && messageGroupId === undefined) return `Parameter(s) SqsParameters must be specified for target: ${target.id}.`;
  if (messageGroupId !== undefined && !isQueue(arn)) return `Parameter(s) SqsParameters not valid for target: ${target.id}.`;
  if (partitionKeyPath !== undefined && !isOfKinesis(arn)) return `Parameter(s) KinesisParameters not valid for target: ${target.id}.`;
  return undefined;
}

/** A stream, of which a target says the partition key. */
export const isOfKinesis = (arn: string): boolean => /^arn:aws[a-z-]{0,20}:kinesis:/.test(arn);

const isQueue = (arn: string): boolean => /^arn:aws[a-z-]{0,20}:sqs:/.test(arn);
const isFifoQueue = (arn: string): boolean => isQueue(arn) && arn.endsWith(".fifo");

function refused(message: string): LambentError {
  return new LambentError("InvalidParameter", message);
}
