/** Targets of schedules: which there may be, from the wire and back. */
import type { Target } from "@aws-sdk/client-scheduler";
import { LambentError } from "../../base/index.ts";
import { SCHEDULE_AGE_MS_MAX, SCHEDULE_RETRIES_MAX, type ScheduleTarget } from "../../schedules/index.ts";
import { given, refuseUnbuilt } from "../given.ts";

/** Bytes of the input of a schedule's target. @limit */
const SCHEDULE_INPUT_BYTES_MAX = 262_144;

/** Whether this server has the operation, as an SDK names service and operation: `sqs`, `sendMessage`. */
export type HasOperation = (service: string, operation: string) => Promise<boolean>;

type TargetKind = "function" | "queue" | "topic" | "bus" | "stream" | "operation";

const KINDS: readonly (readonly [TargetKind, RegExp])[] = [
  ["function", /^arn:aws[a-z-]{0,20}:lambda:[a-z0-9-]{1,32}:\d{12}:function:[A-Za-z0-9_-]{1,64}(:(\$LATEST|[A-Za-z0-9_-]{1,128}))?$/],
  ["queue", /^arn:aws[a-z-]{0,20}:sqs:[a-z0-9-]{1,32}:\d{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?$/],
  ["topic", /^arn:aws[a-z-]{0,20}:sns:[a-z0-9-]{1,32}:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$/],
  ["bus", /^arn:aws[a-z-]{0,20}:events:[a-z0-9-]{1,32}:\d{12}:event-bus\/[/.\-_A-Za-z0-9]{1,256}$/],
  ["stream", /^arn:aws[a-z-]{0,20}:kinesis:[a-z0-9-]{1,32}:\d{12}:stream\/[a-zA-Z0-9._-]{1,249}$/],
  ["operation", /^arn:aws[a-z-]{0,20}:scheduler:::aws-sdk:[a-z0-9]{1,64}:[A-Za-z0-9]{1,128}$/],
];
/** What AWS has as targets beside those, and Lambent has not. */
const UNBUILT = /^arn:aws[a-z-]{0,20}:(states|firehose|ecs|sagemaker|codebuild|codepipeline|inspector|batch|redshift-data):/;
const UNBUILT_PARAMETERS = [
  "EcsParameters",
  "SageMakerPipelineParameters",
  "EventBridgePutEventsV2Parameters",
  "EventBridgePutRawEventsParameters",
] as const;
/** Operations that only read are no targets: nobody would get what they answer. */
const READS = /^(get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate|batchGet|batchDescribe)[A-Z]/;

/** The target as it is kept. Throws `InvalidParameter`, or `NotImplemented` for what AWS has and Lambent has not. */
export async function targetOf(input: Target, hasOperation: HasOperation): Promise<ScheduleTarget> {
  refuseUnbuilt(input, UNBUILT_PARAMETERS);
  const arn = given(input.Arn, "target.arn");
  const kind = await kindOf(arn, hasOperation);
  const { SqsParameters, EventBridgeParameters, KinesisParameters, RetryPolicy, DeadLetterConfig, Input } = input;
  checkParameters(input, kind);
  checkInput(Input, kind);
  return {
    arn,
    roleArn: given(input.RoleArn, "target.roleArn"),
    input: Input,
    retriesMax: RetryPolicy?.MaximumRetryAttempts ?? SCHEDULE_RETRIES_MAX,
    ageMsMax: RetryPolicy?.MaximumEventAgeInSeconds === undefined ? SCHEDULE_AGE_MS_MAX : RetryPolicy.MaximumEventAgeInSeconds * 1_000,
    deadLetter: DeadLetterConfig?.Arn,
    messageGroupId: SqsParameters?.MessageGroupId,
    event: EventBridgeParameters && {
      source: given(EventBridgeParameters.Source, "source"),
      detailType: given(EventBridgeParameters.DetailType, "detailType"),
    },
    partitionKey: KinesisParameters && given(KinesisParameters.PartitionKey, "partitionKey"),
  };
}

/** Each kind has parameters of its own, and no others. */
function checkParameters({ Arn, SqsParameters, EventBridgeParameters, KinesisParameters }: Target, kind: TargetKind): void {
  if (SqsParameters && kind !== "queue") throw refused("SqsParameters can only be given for a target that is an Amazon SQS queue.");
  if (EventBridgeParameters && kind !== "bus") throw refused("EventBridgeParameters can only be given for a target that is an event bus.");
  if (KinesisParameters && kind !== "stream")
    throw refused("KinesisParameters can only be given for a target that is an Amazon Kinesis stream.");
  if (kind === "bus" && !EventBridgeParameters) throw refused("EventBridgeParameters are required for a target that is an event bus.");
  if (kind === "stream" && !KinesisParameters)
    throw refused("KinesisParameters are required for a target that is an Amazon Kinesis stream.");
  if (kind === "queue" && Arn?.endsWith(".fifo") && SqsParameters?.MessageGroupId === undefined)
    throw refused("SqsParameters with a MessageGroupId are required for a target that is a FIFO queue.");
}

/** The target as GetSchedule shows it, with what was not given. */
export function targetShape(target: ScheduleTarget): Target {
  const { arn, roleArn, input, retriesMax, ageMsMax, deadLetter, messageGroupId, event, partitionKey } = target;
  return {
    Arn: arn,
    RoleArn: roleArn,
    ...(input === undefined ? {} : { Input: input }),
    RetryPolicy: { MaximumEventAgeInSeconds: ageMsMax / 1_000, MaximumRetryAttempts: retriesMax },
    ...(deadLetter === undefined ? {} : { DeadLetterConfig: { Arn: deadLetter } }),
    ...(messageGroupId === undefined ? {} : { SqsParameters: { MessageGroupId: messageGroupId } }),
    ...(event ? { EventBridgeParameters: { DetailType: event.detailType, Source: event.source } } : {}),
    ...(partitionKey === undefined ? {} : { KinesisParameters: { PartitionKey: partitionKey } }),
  };
}

async function kindOf(arn: string, hasOperation: HasOperation): Promise<TargetKind> {
  const [kind] = KINDS.find(([, pattern]) => pattern.test(arn)) ?? [];
  if (kind === "operation") await checkOperation(arn, hasOperation);
  if (kind) return kind;
  const [, service] = UNBUILT.exec(arn) ?? [];
  if (service !== undefined) throw new LambentError("NotImplemented", `Targets of ${service} are not built in Lambent.`);
  throw refused("Provided Arn is not in correct format.");
}

async function checkOperation(arn: string, hasOperation: HasOperation): Promise<void> {
  const [operation = "", service = ""] = arn.split(":").reverse();
  if (READS.test(operation)) throw refused(`${service}:${operation} only reads; such operations are no targets.`);
  if (!(await hasOperation(service, operation))) throw refused(`${service}:${operation} is not an operation that is built in Lambent.`);
}

function checkInput(input: string | undefined, kind: TargetKind): void {
  if (input === undefined) return;
  const bytes = Buffer.byteLength(input);
  if (bytes > SCHEDULE_INPUT_BYTES_MAX) throw refused(`Input has ${bytes} bytes; at most ${SCHEDULE_INPUT_BYTES_MAX} are allowed.`);
  if ((kind === "function" || kind === "bus" || kind === "operation") && !isJson(input))
    throw refused("Invalid Input: it must be well-formed JSON for this target.");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function refused(message: string): LambentError {
  return new LambentError("InvalidParameter", message);
}
