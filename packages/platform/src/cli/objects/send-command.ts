/** `lambent objects cp <from> <bucket>`. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { systemClock } from "../../base/index.ts";
import { CommandFailure } from "../errors.ts";
import { requireBucket } from "../s3-api.ts";
import { bucketPathText, folderPrefix, keyFor } from "./bucket-path.ts";
import { contentTypeOf } from "./content-types.ts";
import { type Copying, type Elsewhere, type InBucket, report, sizeAndTime, whileMeasured } from "./copying.ts";
import { type LocalFile, walkFiles } from "./local-files.ts";
import { forMany, type Tally } from "./many.ts";
import { type Sending, sendFile, sendStream } from "./sending.ts";

/** Sends a file, a folder or standard input. */
export async function sendTo(copying: Copying, from: Elsewhere, to: InBucket): Promise<void> {
  const { context, options, bar, signal } = copying;
  const found = from.kind === "local" ? await stat(from.path) : undefined;
  if (from.kind === "local" && found?.isDirectory()) return sendFolder(copying, from.path, to);
  if (options.recursive)
    throw new CommandFailure("usage", `${from.kind === "local" ? from.path : "Standard input"} is no folder.`, "Leave --recursive away.");
  if (from.kind === "standard" && (to.key === "" || to.key.endsWith("/")))
    throw new CommandFailure(
      "usage",
      "Standard input has no name, and the object none either.",
      "For example lambent objects cp - photos:cat.jpg",
    );
  const key = from.kind === "local" ? keyFor(to.key, basename(from.path)) : to.key;
  const at = { bucket: to.bucket, key };
  const startedMs = systemClock.monotonicMs();
  const created = await create(copying, at.bucket);
  const contentType = options.contentType ?? contentTypeOf(key);
  const sending = { client: context.client(), at, contentType, signal, onBytes: (bytes: number) => bar.advance(bytes) };
  let bytes = 0;
  if (from.kind === "local" && found?.isFile()) {
    bytes = found.size;
    bar.expect(bytes);
    await sendFile(sending, from.path, bytes);
  } else bytes = await sendInput(sending, from);
  bar.end();
  const { output } = context;
  if (output.json)
    return output.data({
      Bucket: at.bucket,
      Key: key,
      Bytes: bytes,
      ContentType: contentType,
      ...(created ? { CreatedBucket: at.bucket } : {}),
    });
  output.line(
    `  ${output.foreign(bucketPathText(at))}   sent: ${sizeAndTime(bytes, startedMs)}${contentType === undefined ? "" : `, ${contentType}`}`,
  );
}

/** Standard input, or a file that has no size: a pipe, a device. */
async function sendInput(sending: Sending, from: Elsewhere): Promise<number> {
  const source = from.kind === "local" ? createReadStream(from.path) : process.stdin;
  const stop = (): void => void source.destroy();
  sending.signal.addEventListener("abort", stop);
  try {
    return await sendStream(sending, source);
  } finally {
    sending.signal.removeEventListener("abort", stop);
  }
}

/** All that is in the folder, not the folder itself. */
async function sendFolder(copying: Copying, folder: string, to: InBucket): Promise<void> {
  const { context, options, bar, signal } = copying;
  if (!options.recursive) throw new CommandFailure("usage", `${folder} is a folder.`, "Send all that is in it with --recursive.");
  const prefix = folderPrefix(to.key);
  const startedMs = systemClock.monotonicMs();
  const created = await create(copying, to.bucket);
  const leftOut: Tally["failed"] = [];
  const files = walkFiles(folder, ({ path, why }) => leftOut.push({ name: path, why }));
  const sendOne = async ({ path, relative, bytes }: LocalFile): Promise<number> => {
    const at = { bucket: to.bucket, key: prefix + relative };
    const contentType = options.contentType ?? contentTypeOf(relative);
    await sendFile({ client: context.client(), at, contentType, signal, onBytes: (count) => bar.advance(count) }, path, bytes);
    return bytes;
  };
  const tally = await whileMeasured(
    copying,
    () => walkFiles(folder, () => undefined),
    () => forMany(files, ({ path }) => path, signal, sendOne),
  );
  tally.failed.push(...leftOut);
  report(copying, tally, {
    name: bucketPathText({ bucket: to.bucket, key: prefix }),
    done: "sent",
    startedMs,
    created: created ? to.bucket : undefined,
  });
}

async function create({ context, options, bar }: Copying, bucket: string): Promise<boolean> {
  const created = await requireBucket(context.client(), bucket, options.create !== false);
  if (created && !context.output.json) {
    bar.end();
    context.output.line(`  bucket    ${bucket}   created`);
  }
  return created;
}
