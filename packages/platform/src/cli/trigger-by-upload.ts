import { readUpload, readUploadEvent } from "../apps/index.ts";
import type { UploadFilter } from "../model/index.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { readName } from "./event-names.ts";
import { functionNameOf } from "./function-permission.ts";
import { getFunction } from "./lambda-api.ts";
import { makeUpload } from "./make-upload.ts";
import { uploadTriggerText } from "./upload-triggers.ts";

export interface UploadTriggerOptions {
  readonly upload?: string;
  readonly event?: string;
  readonly name?: string;
  /** False with `--no-create`. */
  readonly create?: boolean;
}

/** `lambent trigger <function> --upload 'photos/*.jpg'`. */
export async function triggerByUpload(
  { output, client }: CommandContext,
  functionName: string,
  options: UploadTriggerOptions,
): Promise<void> {
  const filter = readFilter(options.upload ?? "");
  const event = readEvent(options.event);
  const ruleName = readName(options.name);
  const { name, qualifier } = functionNameOf(functionName);
  const { Configuration } = await getFunction(client(), name, qualifier);
  const { create = true } = options;
  const made = await makeUpload(client(), { functionName, functionArn: Configuration.FunctionArn, filter, event, name: ruleName, create });
  const { bucket, configuration, createdBucket, is, permitted } = made;
  if (output.json)
    return output.data({
      ...{ Bucket: bucket, Configuration: configuration, Created: is === "created" },
      ...{ CreatedPermission: permitted, ...(createdBucket ? { CreatedBucket: bucket } : {}) },
    });
  const guessed = ruleName === undefined && is === "created" ? " (guessed)" : "";
  if (createdBucket) output.line(`  bucket    ${bucket}   created`);
  if (permitted) output.line(`  allowed   bucket ${bucket} may call ${functionName}`);
  output.line(`  trigger   ${configuration.Id}${guessed} → ${functionName}   ${is}: ${uploadTriggerText(made)}`);
}

/** What `--upload` was given. */
export function readFilter(text: string): UploadFilter {
  const reading = readUpload(text);
  if (reading.kind === "read") return reading.filter;
  throw new CommandFailure("usage", `--upload ${reading.why}`, reading.next);
}

function readEvent(text = "created"): string {
  const event = readUploadEvent(text);
  if (event !== undefined) return event;
  throw new CommandFailure(
    "usage",
    `--event is ${JSON.stringify(text)}; it has to be created, removed, or a name of S3's.`,
    "For example --event removed, or --event s3:ObjectCreated:Put",
  );
}
