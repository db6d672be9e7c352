/** `lambent objects cp <bucket> <to>`. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../base/index.ts";
import type { Client } from "../client.ts";
import { CommandFailure } from "../errors.ts";
import { type BucketKey, type ListedObject, listObjects } from "../s3-api.ts";
import { bucketPathText, folderPrefix, stepsOf } from "./bucket-path.ts";
import { type Copying, type Elsewhere, type InBucket, report, sizeAndTime, whileMeasured } from "./copying.ts";
import { fetchFile, fetchStream } from "./fetching.ts";
import { forMany } from "./many.ts";

/** Fetches an object, or all that is in a folder. */
export async function fetchTo(copying: Copying, from: InBucket, to: Elsewhere): Promise<void> {
  const { context, options, bar, signal } = copying;
  if (options.contentType !== undefined || options.create === false)
    throw new CommandFailure("usage", "--content-type and --no-create are for what is sent to a bucket.", "Leave them away.");
  if (options.recursive) return fetchFolder(copying, from, to);
  if (from.key === "")
    throw new CommandFailure("usage", `${from.bucket} is a bucket.`, "Name an object, or fetch all of it with --recursive.");
  const fetching = {
    ...{ client: context.client(), at: from, signal },
    onSize: (bytes: number) => bar.expect(bytes),
    onBytes: (bytes: number) => bar.advance(bytes),
  };
  if (to.kind === "standard") {
    if (context.output.json) throw new CommandFailure("usage", "Standard output is the object's, and --json's.", "Fetch it into a file.");
    await fetchStream(fetching, process.stdout);
    return;
  }
  const startedMs = systemClock.monotonicMs();
  const path = await pathFor(from, to.path);
  const bytes = await fetchFile(fetching, path);
  bar.end();
  const { output } = context;
  if (output.json) return output.data({ Bucket: from.bucket, Key: from.key, File: path, Bytes: bytes });
  output.line(`  ${output.foreign(path)}   fetched: ${sizeAndTime(bytes, startedMs)}`);
}

/** The file itself, or one of the object's name in a folder. */
async function pathFor({ key }: BucketKey, path: string): Promise<string> {
  const isFolder = path.endsWith("/") || (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if (!isFolder) return path;
  const name = stepsOf(key.split("/").at(-1) ?? "")?.[0];
  if (name === undefined) throw new CommandFailure("usage", `${key} ends in no name for a file in ${path}.`, "Name the file.");
  return join(path, name);
}

/** All whose keys are in the folder, each where its key says. */
async function fetchFolder(copying: Copying, from: InBucket, to: Elsewhere): Promise<void> {
  const { context, bar, signal } = copying;
  if (to.kind === "standard") throw new CommandFailure("usage", "Many objects do not fit one standard output.", "Name a folder.");
  const folder = to.path;
  const prefix = folderPrefix(from.key);
  const startedMs = systemClock.monotonicMs();
  const client = context.client();
  const fetchOne = async ({ key }: ListedObject): Promise<number> => {
    const steps = stepsOf(key.slice(prefix.length));
    if (!steps) throw new CommandFailure("usage", "its key is no path of a file below a folder", "Fetch it alone, and name the file.");
    const at = { bucket: from.bucket, key };
    const onBytes = (bytes: number): void => bar.advance(bytes);
    return fetchFile({ client, at, signal, onSize: () => undefined, onBytes }, join(folder, ...steps));
  };
  const found = (until: AbortSignal): AsyncGenerator<ListedObject> => objectsBelow(client, from.bucket, prefix, until);
  const tally = await whileMeasured(copying, found, () =>
    forMany(found(signal), ({ key }) => bucketPathText({ bucket: from.bucket, key }), signal, fetchOne),
  );
  if (tally.objects + tally.failed.length === 0)
    throw new CommandFailure(
      "notFound",
      `Nothing is in ${bucketPathText({ bucket: from.bucket, key: prefix })}.`,
      "`lambent objects ls` shows what is there.",
    );
  report(copying, tally, { name: folder, done: "fetched", startedMs, created: undefined });
}

/** Keys that end in a slash stand for folders, as consoles make them. */
async function* objectsBelow(client: Client, bucket: string, prefix: string, signal: AbortSignal): AsyncGenerator<ListedObject> {
  for await (const { objects } of listObjects(client, bucket, { prefix }, signal))
    yield* objects.filter(({ key, bytes }) => !(key.endsWith("/") && bytes === 0));
}
