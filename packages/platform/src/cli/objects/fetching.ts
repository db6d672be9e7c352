/** Brings an object's bytes here, at constant memory. A file appears whole or not at all. */
import { createWriteStream } from "node:fs";
import { mkdir, realpath, rename, rm, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { systemSecureRandom } from "../../base/index.ts";
import { type Client, lostConnection } from "../client.ts";
import { type BucketKey, s3 } from "../s3-api.ts";

export interface Fetching {
  readonly client: Client;
  readonly at: BucketKey;
  readonly signal: AbortSignal;
  /** How many bytes there are to come, once that is known. */
  readonly onSize: (bytes: number) => void;
  readonly onBytes: (bytes: number) => void;
}

/** Writes the object to `path`, making the folders that lead there; answers its bytes. */
export async function fetchFile(fetching: Fetching, path: string): Promise<number> {
  const answer = await begin(fetching);
  try {
    const known = await stat(path).catch(() => undefined);
    // A device or a pipe is written to; to be replaced is not what it is for.
    if (known && !known.isFile()) return await carry(fetching, answer, createWriteStream(path));
    return await replace(fetching, answer, known ? await realpath(path) : path);
  } catch (error) {
    answer.destroy();
    throw error;
  }
}

async function replace(fetching: Fetching, answer: IncomingMessage, target: string): Promise<number> {
  await mkdir(dirname(target), { recursive: true });
  const draft = join(dirname(target), `.lambent-${systemSecureRandom.uuid()}.part`);
  try {
    const bytes = await carry(fetching, answer, createWriteStream(draft, { flags: "wx", flush: true }));
    await rename(draft, target);
    return bytes;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Writes the object to a stream, which stays open. */
export async function fetchStream(fetching: Fetching, to: Writable): Promise<number> {
  return carry(fetching, await begin(fetching), to, { end: false });
}

async function begin({ client, at, signal, onSize }: Fetching): Promise<IncomingMessage> {
  const answer = await s3(client, "GET", at, signal);
  const length = Number(answer.headers["content-length"]);
  if (Number.isSafeInteger(length)) onSize(length);
  return answer;
}

async function carry(
  { onBytes, signal }: Fetching,
  answer: IncomingMessage,
  to: Writable,
  options: { readonly end?: boolean } = {},
): Promise<number> {
  let bytes = 0;
  await pipeline(
    answer,
    async function* counted(source: AsyncIterable<Buffer>) {
      try {
        for await (const chunk of source) {
          bytes += chunk.length;
          onBytes(chunk.length);
          yield chunk;
        }
      } catch (error) {
        throw lostConnection(error);
      }
    },
    to,
    { signal, ...options },
  );
  return bytes;
}
