import { guessedUploadName } from "../apps/index.ts";
import { type UploadFilter, uploadText } from "../model/index.ts";
import type { Client } from "./client.ts";
import { CommandFailure } from "./errors.ts";
import { allowCaller, bucketCaller, disallowCaller, functionNameOf } from "./function-permission.ts";
import { resourceText } from "./resource-names.ts";
import { findNotifications, putNotifications, requireBucket, type UploadConfiguration } from "./s3-api.ts";
import { accountOfArn, filterOf, uploadTriggerText } from "./upload-triggers.ts";

export interface WantedUpload {
  readonly functionName: string;
  readonly functionArn: string;
  readonly filter: UploadFilter;
  /** As S3 spells it. */
  readonly event: string;
  /** Undefined: it is guessed. */
  readonly name: string | undefined;
  /** Whether a bucket that is missing is made. */
  readonly create: boolean;
}

export interface MadeUpload {
  readonly bucket: string;
  readonly configuration: UploadConfiguration;
  readonly createdBucket: boolean;
  readonly is: "created" | "changed" | "is there already";
  /** The function was told to let the bucket call it. */
  readonly permitted: boolean;
}

type Notifications = NonNullable<Awaited<ReturnType<typeof findNotifications>>>;

/** Other rules a refusal names. */
const NAMED_MAX = 5;

/** Makes what is missing of bucket, permission and rule, or changes the rule of this name; what else the bucket tells stays. */
export async function makeUpload(client: Client, wanted: WantedUpload): Promise<MadeUpload> {
  const { functionName, functionArn, filter } = wanted;
  const bucket = filter.bucketName;
  const createdBucket = await requireBucket(client, bucket, wanted.create);
  const known = (await findNotifications(client, bucket)) ?? {};
  const configuration = configurationOf(wanted);
  const rules = known.LambdaFunctionConfigurations ?? [];
  const caller = await bucketCaller(bucket, accountOfArn(functionArn));
  const allow = (): Promise<boolean> => allowCaller(client, functionNameOf(functionName), caller);
  const same = rules.find((each) => isSame(bucket, each, configuration) && (wanted.name === undefined || each.Id === wanted.name));
  if (same) return { bucket, configuration: same, createdBucket, is: "is there already", permitted: await allow() };
  const named = refuseOthers(bucket, known, configuration);
  const permitted = await allow();
  const others = rules.filter((each) => each !== named);
  try {
    await put(client, bucket, { ...known, LambdaFunctionConfigurations: [...others, configuration] }, configuration);
  } catch (error) {
    if (permitted) await disallowCaller(client, functionNameOf(functionName), caller);
    throw error;
  }
  return { bucket, configuration, createdBucket, is: named ? "changed" : "created", permitted };
}

function configurationOf({ functionName, functionArn, filter, event, name }: WantedUpload): UploadConfiguration {
  const FilterRules = [
    ...(filter.prefix === "" ? [] : [{ Name: "prefix" as const, Value: filter.prefix }]),
    ...(filter.suffix === "" ? [] : [{ Name: "suffix" as const, Value: filter.suffix }]),
  ];
  return {
    Id: name ?? guessedUploadName(functionName.replaceAll(":", "-"), event, filter),
    LambdaFunctionArn: functionArn,
    Events: [event] as UploadConfiguration["Events"],
    ...(FilterRules.length === 0 ? {} : { Filter: { Key: { FilterRules } } }),
  };
}

function isSame(bucket: string, left: UploadConfiguration, right: UploadConfiguration): boolean {
  const facts = (configuration: UploadConfiguration): string =>
    JSON.stringify([configuration.LambdaFunctionArn, configuration.Events, filterOf({ bucket, configuration })]);
  return facts(left) === facts(right);
}

/** The function's rule of this name, which is changed; a name that is another's is not taken from it. */
function refuseOthers(
  bucket: string,
  known: Notifications,
  { Id, LambdaFunctionArn }: UploadConfiguration,
): UploadConfiguration | undefined {
  const functions = known.LambdaFunctionConfigurations ?? [];
  const mine = functions.find((each) => each.Id === Id && each.LambdaFunctionArn === LambdaFunctionArn);
  if (mine) return mine;
  const all = [...functions, ...(known.QueueConfigurations ?? []), ...(known.TopicConfigurations ?? [])];
  if (all.some((each) => each.Id === Id))
    throw new CommandFailure("usage", `Bucket ${bucket} has a rule ${Id} for another target.`, "Give yours another name with --name.");
  return undefined;
}

/** S3 tells one target of an object, so rules that would tell two are refused. */
async function put(client: Client, bucket: string, wanted: Notifications, mine: UploadConfiguration): Promise<void> {
  try {
    await putNotifications(client, bucket, wanted);
  } catch (error) {
    if (!(error instanceof CommandFailure) || !/overlap/iu.test(error.message)) throw error;
    const others = [
      ...(wanted.LambdaFunctionConfigurations ?? []).map((each) => ({ ...each, arn: each.LambdaFunctionArn })),
      ...(wanted.QueueConfigurations ?? []).map((each) => ({ ...each, arn: each.QueueArn })),
      ...(wanted.TopicConfigurations ?? []).map((each) => ({ ...each, arn: each.TopicArn })),
    ].filter(({ Id }) => Id !== mine.Id);
    const named = others
      .slice(0, NAMED_MAX)
      .map(
        ({ arn = "", ...each }) =>
          `${uploadTriggerText({ bucket, configuration: { ...each, LambdaFunctionArn: arn } })} → ${resourceText(arn)}`,
      );
    throw new CommandFailure(
      "usage",
      `${uploadText(filterOf({ bucket, configuration: mine }))} overlaps with what bucket ${bucket} tells already, and of one object S3 tells only one target: ${named.join("; ")}.`,
      "Choose another prefix or suffix, or let the one target hand it on: a topic, or the event bus.",
    );
  }
}
