/** Sends bytes to a bucket: at once, or from `SINGLE_BYTES_MAX` on in parts, at constant memory either way. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Client, StreamedBody } from "../client.ts";
import { CommandFailure } from "../errors.ts";
import { inParallel } from "../in-parallel.ts";
import { abortUpload, type BucketKey, completeUpload, createUpload, putObject, putPart } from "../s3-api.ts";

export interface Sending {
  readonly client: Client;
  readonly at: BucketKey;
  readonly contentType: string | undefined;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** Files up to here are one request. */
export const SINGLE_BYTES_MAX = 64 * 1024 * 1024;
/** Parts have this size, as long as so many are enough. */
const PART_BYTES = 16 * 1024 * 1024;
/** Parts of one object: S3's bound. */
const PARTS_MAX = 10_000;
const PARTS_AT_ONCE = 4;
/** Files up to here are read once, whole. */
const IN_MEMORY_BYTES_MAX = 1024 * 1024;

interface Part {
  readonly number: number;
  readonly body: () => Promise<Uint8Array | StreamedBody>;
  readonly bytes: number;
}

/** Sends a file that had `bytes` when it was looked at. */
export async function sendFile(sending: Sending, path: string, bytes: number): Promise<void> {
  if (bytes > SINGLE_BYTES_MAX) return sendParts(sending, partsOfFile(sending, path, bytes));
  const body = bytes <= IN_MEMORY_BYTES_MAX ? await readFile(path) : await rangeOf(sending, path, 0, bytes);
  await putObject(sending.client, sending.at, body, headersOf(sending), sending.signal);
  if (body instanceof Uint8Array) sending.onBytes(body.length);
}

/** Sends what comes, however much it is; answers how much it was. */
export async function sendStream(sending: Sending, source: AsyncIterable<Uint8Array>): Promise<number> {
  const pieces = piecesOf(source, PART_BYTES);
  const first = (await pieces.next()).value ?? Buffer.alloc(0);
  const second = first.length < PART_BYTES ? undefined : (await pieces.next()).value;
  if (second === undefined) {
    await putObject(sending.client, sending.at, first, headersOf(sending), sending.signal);
    sending.onBytes(first.length);
    return first.length;
  }
  let bytes = 0;
  async function* parts(begun: readonly Buffer[]): AsyncGenerator<Part> {
    let number = 0;
    const part = (piece: Buffer): Part => {
      number += 1;
      bytes += piece.length;
      if (number > PARTS_MAX)
        throw new CommandFailure(
          "usage",
          `Standard input is over ${(PARTS_MAX * PART_BYTES) / 1024 ** 3} GB.`,
          "Send it as a file: its size is known then.",
        );
      return { number, body: async () => piece, bytes: piece.length };
    };
    yield* begun.map(part);
    for await (const piece of pieces) yield part(piece);
  }
  await sendParts(sending, parts([first, second]));
  return bytes;
}

/** What was begun and is not finished is aborted, so that nothing is kept of it. */
async function sendParts(sending: Sending, parts: Iterable<Part> | AsyncIterable<Part>): Promise<void> {
  const { client, at, signal, onBytes } = sending;
  const uploadId = await createUpload(client, at, headersOf(sending), signal);
  const done: { readonly PartNumber: number; readonly ETag: string }[] = [];
  try {
    await inParallel(parts, PARTS_AT_ONCE, async ({ number, body, bytes }) => {
      const content = await body();
      done.push({ PartNumber: number, ETag: await putPart(client, at, { uploadId, number, body: content }, signal) });
      if (content instanceof Uint8Array) onBytes(bytes);
    });
    signal.throwIfAborted();
    await completeUpload(
      client,
      at,
      uploadId,
      done.sort((left, right) => left.PartNumber - right.PartNumber),
    );
  } catch (error) {
    // What it failed of is what is to be told.
    await abortUpload(client, at, uploadId).catch(() => undefined);
    throw error;
  }
}

function* partsOfFile(sending: Sending, path: string, bytes: number): Generator<Part> {
  const partBytes = partBytesFor(bytes);
  for (let number = 1, start = 0; start < bytes; number += 1, start += partBytes) {
    const length = Math.min(partBytes, bytes - start);
    yield { number, bytes: length, body: () => rangeOf(sending, path, start, length) };
  }
}

/** Whole MiB, so that `PARTS_MAX` parts are enough. */
export function partBytesFor(bytes: number): number {
  const mib = 1024 * 1024;
  return Math.max(PART_BYTES, Math.ceil(bytes / PARTS_MAX / mib) * mib);
}

/** A range of a file as a body: read once for its hash here, once more when it is sent. */
async function rangeOf({ onBytes, signal }: Sending, path: string, start: number, bytes: number): Promise<StreamedBody> {
  const range = { start, end: start + bytes - 1 };
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { ...range, signal }) as AsyncIterable<Buffer>) hash.update(chunk);
  async function* counted(): AsyncGenerator<Buffer> {
    let sent = 0;
    for await (const chunk of createReadStream(path, range) as AsyncIterable<Buffer>) {
      sent += chunk.length;
      onBytes(chunk.length);
      yield chunk;
    }
    // The server would wait for the rest.
    if (sent !== bytes) throw new CommandFailure("tryAgain", `${path} became shorter while it was sent.`, "Repeat the command.");
  }
  return { bytes, sha256: hash.digest("hex"), open: () => Readable.from(counted(), { objectMode: false }) };
}

/** A stream in pieces of exactly `bytes`; only the last one may be smaller. */
async function* piecesOf(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Buffer> {
  let chunks: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    held += chunk.length;
    if (held < bytes) continue;
    const all = Buffer.concat(chunks);
    let from = 0;
    for (; all.length - from >= bytes; from += bytes) yield all.subarray(from, from + bytes);
    const rest = Buffer.from(all.subarray(from));
    chunks = rest.length > 0 ? [rest] : [];
    held = rest.length;
  }
  if (held > 0) yield Buffer.concat(chunks);
}

function headersOf({ contentType, at }: Sending): Record<string, string> {
  if (contentType === undefined) return {};
  if (!/^[\u0020-\u007E]{1,256}$/u.test(contentType))
    throw new CommandFailure(
      "usage",
      `The content type of ${at.key} is ${JSON.stringify(contentType)}.`,
      "For example --content-type image/jpeg",
    );
  return { "content-type": contentType };
}
