import { uploadEventText, type UploadFilter, uploadText } from "../model/index.ts";
import type { Client } from "./client.ts";
import { bucketCaller, disallowCaller, functionNameOf } from "./function-permission.ts";
import { inParallel } from "./in-parallel.ts";
import { findNotifications, listBuckets, putNotifications, type UploadConfiguration } from "./s3-api.ts";
import { functionOf } from "./trigger-api.ts";
import { isMeant, type WhichFunction } from "./which-function.ts";

/** A notification rule of a bucket and the function it calls. */
export interface UploadTrigger {
  readonly bucket: string;
  readonly configuration: UploadConfiguration;
}

/** Buckets that are asked at once. */
const BUCKETS_AT_ONCE = 8;

/** Rules of buckets that call functions, or the one that is named. */
export async function listUploadTriggers(client: Client, which: WhichFunction): Promise<UploadTrigger[]> {
  const all: UploadTrigger[] = [];
  await inParallel(await listBuckets(client), BUCKETS_AT_ONCE, async ({ Name: bucket = "" }) => {
    const { LambdaFunctionConfigurations = [] } = (await findNotifications(client, bucket)) ?? {};
    for (const configuration of LambdaFunctionConfigurations)
      if (isMeant(which, configuration.LambdaFunctionArn ?? "")) all.push({ bucket, configuration });
  });
  return all;
}

/** Takes the rule from its bucket; the permission goes with the bucket's last rule for the function. */
export async function removeUploadTrigger(client: Client, { bucket, configuration }: UploadTrigger): Promise<void> {
  const { LambdaFunctionArn: arn = "", Id } = configuration;
  const known = (await findNotifications(client, bucket)) ?? {};
  const rest = (known.LambdaFunctionConfigurations ?? []).filter((each) => each.Id !== Id);
  await putNotifications(client, bucket, { ...known, LambdaFunctionConfigurations: rest }, { isLess: true });
  if (rest.some(({ LambdaFunctionArn }) => LambdaFunctionArn === arn)) return;
  await disallowCaller(client, functionNameOf(functionOf(arn)), await bucketCaller(bucket, accountOfArn(arn)));
}

export function accountOfArn(arn: string): string {
  return arn.split(":")[4] ?? "";
}

export function filterOf({ bucket, configuration }: UploadTrigger): UploadFilter {
  const rules = configuration.Filter?.Key?.FilterRules ?? [];
  const value = (name: string): string => rules.find(({ Name }) => Name?.toLowerCase() === name)?.Value ?? "";
  return { bucketName: bucket, prefix: value("prefix"), suffix: value("suffix") };
}

/** `photos/in/*.jpg created`. */
export function uploadTriggerText(trigger: UploadTrigger): string {
  return `${uploadText(filterOf(trigger))} ${(trigger.configuration.Events ?? []).map(uploadEventText).join(", ")}`;
}
