import type {
  ListTargetsByRuleRequest,
  ListTargetsByRuleResponse,
  PutTargetsRequest,
  PutTargetsResponse,
  RemoveTargetsRequest,
  RemoveTargetsResponse,
  Target,
} from "@aws-sdk/client-eventbridge";
import { LambentError } from "../../base/index.ts";
import { type Buses, busNameOf, checkPartitionKeyPath, type RuleTarget, type TargetInput, targetInput } from "../../bus/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { paged } from "./paging.ts";

/** Parameters of targets that are not built. */
const UNBUILT: readonly (keyof Target)[] = [
  "RunCommandParameters",
  "EcsParameters",
  "BatchParameters",
  "RedshiftDataParameters",
  "SageMakerPipelineParameters",
  "AppSyncParameters",
];

/** A service whose things are no targets here: an event for one would be lost. */
const UNBUILT_SERVICE = /^arn:aws[a-z-]{0,20}:(?!(?:lambda|sqs|sns|events|kinesis):)([a-z0-9-]{1,63}):/;
const IS_STREAM = /^arn:aws[a-z-]{0,20}:kinesis:/;
const FIFO_TOPIC = /^arn:aws[a-z-]{0,20}:sns:.*\.fifo$/;

/** A template that stands for the whole event as a CloudEvent, which EventBridge has no word for. */
const CLOUD_EVENT_TEMPLATE = "<lambent.cloudevent>";

/** Targets of rules. @see EventBridge API reference */
export function targetOperations(buses: Buses) {
  return {
    async PutTargets(input: PutTargetsRequest, { realm }: RequestContext): Promise<PutTargetsResponse> {
      const targets = given(input.Targets, "Targets").map(targetOf);
      const faults = await buses.rules.putTargets(realm, busNameOf(input.EventBusName, realm), given(input.Rule, "Rule"), targets);
      return {
        FailedEntryCount: faults.length,
        FailedEntries: faults.map(({ targetId, message }) => ({
          TargetId: targetId,
          ErrorCode: "ValidationException",
          ErrorMessage: message,
        })),
      };
    },

    async RemoveTargets(input: RemoveTargetsRequest, { realm }: RequestContext): Promise<RemoveTargetsResponse> {
      const ids = given(input.Ids, "Ids");
      const faults = await buses.rules.removeTargets(realm, busNameOf(input.EventBusName, realm), given(input.Rule, "Rule"), ids);
      return {
        FailedEntryCount: faults.length,
        FailedEntries: faults.map(({ targetId, message }) => ({
          ...{ TargetId: targetId, ErrorCode: "ResourceNotFoundException", ErrorMessage: message },
        })),
      };
    },

    ListTargetsByRule(input: ListTargetsByRuleRequest, { realm }: RequestContext): ListTargetsByRuleResponse {
      const { targets } = buses.rules.get(realm, busNameOf(input.EventBusName, realm), given(input.Rule, "Rule"));
      const { page, next } = paged(
        targets.toSorted((left, right) => (left.id < right.id ? -1 : 1)),
        ({ id }) => id,
        input,
      );
      return { Targets: page.map(shapeOf), NextToken: next };
    },
  };
}

function targetOf(target: Target): RuleTarget {
  refuseUnbuilt(target, UNBUILT);
  const { RoleArn, SqsParameters, HttpParameters, KinesisParameters, DeadLetterConfig, RetryPolicy } = target;
  const id = given(target.Id, "Id");
  const arn = given(target.Arn, "Arn");
  checkArn(id, arn, RoleArn);
  if (KinesisParameters) checkPartitionKeyPath(given(KinesisParameters.PartitionKeyPath, "PartitionKeyPath"), id);
  const input = inputOf(id, target);
  const age = RetryPolicy?.MaximumEventAgeInSeconds;
  if (RetryPolicy?.MaximumRetryAttempts !== undefined && RetryPolicy.MaximumRetryAttempts > 185)
    throw new LambentError("InvalidParameter", `MaximumRetryAttempts of target ${id} is above 185.`);
  return {
    id,
    arn,
    ...(RoleArn === undefined ? {} : { roleArn: RoleArn }),
    ...(input ? { input } : {}),
    ...(SqsParameters?.MessageGroupId === undefined ? {} : { messageGroupId: SqsParameters.MessageGroupId }),
    ...(HttpParameters ? { http: httpOf(HttpParameters) } : {}),
    ...(KinesisParameters?.PartitionKeyPath === undefined ? {} : { partitionKeyPath: KinesisParameters.PartitionKeyPath }),
    ...(DeadLetterConfig?.Arn === undefined ? {} : { deadLetter: DeadLetterConfig.Arn }),
    ...(RetryPolicy?.MaximumRetryAttempts === undefined ? {} : { retriesMax: RetryPolicy.MaximumRetryAttempts }),
    ...(age === undefined ? {} : { ageMsMax: age * 1_000 }),
  };
}

function checkArn(id: string, arn: string, roleArn: string | undefined): void {
  const [, service] = UNBUILT_SERVICE.exec(arn) ?? [];
  if (service !== undefined) throw new LambentError("NotImplemented", `Targets of ${service} are not built in Lambent.`);
  if (FIFO_TOPIC.test(arn))
    throw new LambentError("InvalidParameter", `Parameter Arn of target ${id} is not valid. Reason: FIFO topics are no targets of rules.`);
  if (IS_STREAM.test(arn) && roleArn === undefined) throw new LambentError("InvalidParameter", `RoleArn is required for target ${arn}.`);
}

function httpOf(parameters: NonNullable<Target["HttpParameters"]>): NonNullable<RuleTarget["http"]> {
  return {
    pathValues: parameters.PathParameterValues ?? [],
    headers: { ...parameters.HeaderParameters },
    query: { ...parameters.QueryStringParameters },
  };
}

function shapeOf(target: RuleTarget): Target {
  const { id, arn, roleArn, input, messageGroupId, http, partitionKeyPath, deadLetter, retriesMax, ageMsMax } = target;
  return {
    Id: id,
    Arn: arn,
    RoleArn: roleArn,
    ...inputShape(input),
    ...(messageGroupId === undefined ? {} : { SqsParameters: { MessageGroupId: messageGroupId } }),
    ...(http
      ? { HttpParameters: { PathParameterValues: [...http.pathValues], HeaderParameters: http.headers, QueryStringParameters: http.query } }
      : {}),
    ...(partitionKeyPath === undefined ? {} : { KinesisParameters: { PartitionKeyPath: partitionKeyPath } }),
    ...(deadLetter === undefined ? {} : { DeadLetterConfig: { Arn: deadLetter } }),
    ...(retriesMax === undefined && ageMsMax === undefined
      ? {}
      : {
          RetryPolicy: {
            ...(retriesMax === undefined ? {} : { MaximumRetryAttempts: retriesMax }),
            ...(ageMsMax === undefined ? {} : { MaximumEventAgeInSeconds: ageMsMax / 1_000 }),
          },
        }),
  };
}

function inputOf(id: string, { Input, InputPath, InputTransformer }: Target): TargetInput | undefined {
  if (InputTransformer?.InputTemplate === CLOUD_EVENT_TEMPLATE) return { kind: "event", form: "cloudevent" };
  const inputTransformer = InputTransformer && {
    template: given(InputTransformer.InputTemplate, "InputTemplate"),
    paths: { ...InputTransformer.InputPathsMap },
  };
  return targetInput({ input: Input, inputPath: InputPath, inputTransformer }, id);
}

function inputShape(input: TargetInput | undefined): Pick<Target, "Input" | "InputPath" | "InputTransformer"> {
  switch (input?.kind) {
    case undefined:
      return {};
    case "event":
      return input.form === "cloudevent" ? { InputTransformer: { InputTemplate: CLOUD_EVENT_TEMPLATE } } : {};
    case "constant":
      return { Input: input.json };
    case "path":
      return { InputPath: input.path };
    case "template":
      return { InputTransformer: { InputPathsMap: { ...input.paths }, InputTemplate: input.template } };
  }
}
