import type { CommandContext, Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { bucketPathText, readBucketPath } from "../objects/index.ts";
import { formatBytes } from "../output.ts";
import { type BucketKey, listBuckets, listObjects, type ListedPage } from "../s3-api.ts";

interface ListOptions {
  readonly recursive?: boolean;
}

/** Objects that are collected for one JSON document; beyond them, list by prefix (P7). */
const JSON_OBJECTS_MAX = 1_000_000;
const TIME_CHARS = "2026-11-21 23:44:02".length;
const SIZE_CHARS = 10;

/** `lambent objects ls [bucket[/prefix]]`: buckets, or the objects whose keys begin so. */
export const run: Run<ListOptions> = async (context, [path], options) => {
  if (path === undefined) return showBuckets(context);
  const at = readBucketPath(path);
  return context.output.json ? showData(context, at, options) : showRows(context, at, options);
};

async function showBuckets({ output, client }: CommandContext): Promise<void> {
  const buckets = await listBuckets(client());
  if (output.json) return output.data({ Buckets: buckets.map(({ Name, CreationDate }) => ({ Name, CreationDate })) });
  if (buckets.length === 0) return output.note("  No buckets yet. Make one with what is in it: lambent objects cp cat.jpg photos:cat.jpg");
  output.table(
    ["CREATED", "BUCKET"],
    buckets.map(({ Name = "", CreationDate = new Date(0) }) => [timeText(CreationDate), Name]),
  );
}

function pagesOf({ client }: CommandContext, { bucket, key }: BucketKey, { recursive }: ListOptions): AsyncGenerator<ListedPage> {
  return listObjects(client(), bucket, { prefix: key, ...(recursive ? {} : { delimiter: "/" }) });
}

/** Row by row as they come: however many there are, none is kept. */
async function showRows(context: CommandContext, at: BucketKey, options: ListOptions): Promise<void> {
  const { output } = context;
  let count = 0;
  for await (const { objects, commonPrefixes } of pagesOf(context, at, options)) {
    const rows = [
      ...commonPrefixes.map((prefix) => ({ name: prefix, time: "", size: "" })),
      ...objects.map(({ key, bytes, modifiedAt }) => ({ name: key, time: timeText(modifiedAt), size: formatBytes(bytes) })),
    ].toSorted((left, right) => (left.name < right.name ? -1 : 1));
    if (count === 0 && rows.length > 0) output.line(output.paint("dim", rowText({ time: "MODIFIED", size: "SIZE", name: "KEY" })));
    for (const row of rows) output.line(rowText({ ...row, name: output.foreign(row.name) }));
    count += rows.length;
  }
  if (count > 0) return;
  requireAnything(at);
  output.note(`  Bucket ${at.bucket} is empty.`);
}

async function showData(context: CommandContext, at: BucketKey, options: ListOptions): Promise<void> {
  const found: { readonly Key: string; readonly Size: number; readonly LastModified: Date; readonly ETag: string }[] = [];
  const CommonPrefixes: string[] = [];
  for await (const { objects, commonPrefixes } of pagesOf(context, at, options)) {
    for (const { key, bytes, modifiedAt, etag } of objects) found.push({ Key: key, Size: bytes, LastModified: modifiedAt, ETag: etag });
    CommonPrefixes.push(...commonPrefixes);
    if (found.length + CommonPrefixes.length > JSON_OBJECTS_MAX)
      throw new CommandFailure(
        "usage",
        `There are more than ${JSON_OBJECTS_MAX} objects, too many for one document.`,
        "List a prefix at a time.",
      );
  }
  if (found.length + CommonPrefixes.length === 0) requireAnything(at);
  context.output.data({ Objects: found, CommonPrefixes });
}

/** An empty bucket is no mistake; a prefix of nothing likely is. */
function requireAnything(at: BucketKey): void {
  if (at.key !== "")
    throw new CommandFailure(
      "notFound",
      `Nothing begins with ${bucketPathText(at)}.`,
      `\`lambent objects ls ${at.bucket}\` shows what is there.`,
    );
}

function rowText({ time, size, name }: { readonly time: string; readonly size: string; readonly name: string }): string {
  return `${time.padEnd(TIME_CHARS)}  ${size.padStart(SIZE_CHARS)}  ${name}`;
}

function timeText(at: Date): string {
  return at.toISOString().slice(0, 19).replace("T", " ");
}
