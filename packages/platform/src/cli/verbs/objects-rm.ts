import { confirm } from "../ask.ts";
import type { Client } from "../client.ts";
import type { CommandContext, Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { inParallel } from "../in-parallel.ts";
import { bucketPathText, folderPrefix, interruptible, readBucketPath, reportFailed, type Tally } from "../objects/index.ts";
import { type BucketKey, findObject, KEYS_REMOVED_MAX, listObjects, removeObject, removeObjects } from "../s3-api.ts";

interface RemoveOptions {
  readonly recursive?: boolean;
  readonly yes?: boolean;
}

const REQUESTS_AT_ONCE = 4;
/** What a document that names many keys cannot say. */
const NOT_OF_XML = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/u;

/** `lambent objects rm <bucket/key>`; with `--recursive` all that is in a folder. The bucket stays. */
export const run: Run<RemoveOptions> = async (context, [path = ""], options) => {
  const at = readBucketPath(path);
  return options.recursive ? removeFolder(context, at, options) : removeOne(context, at);
};

async function removeOne({ output, client }: CommandContext, at: BucketKey): Promise<void> {
  if (at.key === "")
    throw new CommandFailure("usage", `${at.bucket} is a bucket.`, "Name an object, or remove all that is in it with --recursive.");
  // S3 says of what was never there, too, that it is gone; a name that is mistyped is to be told.
  if (!(await findObject(client(), at)))
    throw new CommandFailure("notFound", `Bucket ${at.bucket} has no object ${at.key}.`, "`lambent objects ls` shows what is there.");
  const isHidden = await removeObject(client(), at);
  if (output.json) return output.data({ Bucket: at.bucket, Key: at.key, DeleteMarker: isHidden });
  output.line(`  ${output.foreign(bucketPathText(at))}   ${isHidden ? "hidden by a delete marker: its versions stay" : "removed"}`);
}

async function removeFolder(context: CommandContext, { bucket, key }: BucketKey, { yes = false }: RemoveOptions): Promise<void> {
  const { output, client } = context;
  const prefix = folderPrefix(key);
  await confirm(
    prefix === "" ? `Delete all objects of bucket ${bucket}?` : `Delete all objects in ${bucketPathText({ bucket, key: prefix })}?`,
    yes,
  );
  const tally: Tally = { objects: 0, bytes: 0, failed: [] };
  await interruptible("Interrupted: some of the objects are removed.", (signal) =>
    removeAll(client(), { bucket, key: prefix }, signal, tally),
  );
  if (tally.objects + tally.failed.length === 0)
    throw new CommandFailure(
      "notFound",
      `Nothing is in ${bucketPathText({ bucket, key: prefix })}.`,
      "`lambent objects ls` shows what is there.",
    );
  if (output.json) output.data({ Objects: tally.objects, Failed: tally.failed });
  else
    output.line(
      `  ${output.foreign(bucketPathText({ bucket, key: prefix }))}   removed: ${tally.objects === 1 ? "1 object" : `${tally.objects} objects`}`,
    );
  reportFailed(context, tally, "were not removed");
}

async function removeAll(client: Client, { bucket, key: prefix }: BucketKey, signal: AbortSignal, tally: Tally): Promise<void> {
  await inParallel(groupsOf(client, bucket, prefix, signal), REQUESTS_AT_ONCE, async (keys) => {
    const odd = keys.filter((key) => NOT_OF_XML.test(key));
    for (const key of odd) await removeObject(client, { bucket, key });
    const others = keys.filter((key) => !NOT_OF_XML.test(key));
    const refused = others.length === 0 ? [] : await removeObjects(client, bucket, others, signal);
    tally.objects += keys.length - refused.length;
    tally.failed.push(...refused.map(({ key, why }) => ({ name: bucketPathText({ bucket, key }), why })));
  });
}

/** As many keys as one request removes. */
async function* groupsOf(client: Client, bucket: string, prefix: string, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  for await (const { objects } of listObjects(client, bucket, { prefix }, signal)) {
    const keys = objects.map(({ key }) => key);
    for (let from = 0; from < keys.length; from += KEYS_REMOVED_MAX) yield keys.slice(from, from + KEYS_REMOVED_MAX);
  }
}
