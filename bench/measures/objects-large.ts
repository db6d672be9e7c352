/**
 * One gigabyte through S3 as people start it, over one connection and in parts over ten. The bound is a copy of a file of that size on
 * the same file system, synced as an object is: its data, then the name in its folder.
 */
import { createHash } from "node:crypto";
import { closeSync, copyFileSync, createWriteStream, fdatasyncSync, fsyncSync, mkdtempSync, openSync, rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { compare, type PairResult, type Sample } from "../support/pair.ts";
import { cpuMsOf, residentMbOf } from "../support/processes.ts";
import { BenchServer } from "../support/server.ts";
import { download, upload, uploaded } from "../support/transfer.ts";

export const PART_BYTES = 8 * 2 ** 20;
export const PARTS_AT_ONCE = 10;
const BUCKET = "/large-objects";
const LOOK_EVERY_MS = 10;

/** MB/s beside the copy's, and the most MB of resident memory above that of the idle server. */
export interface Transfer {
  readonly rate: PairResult;
  readonly memory: readonly Sample[];
}

/** A put and a get beside the copy in each round. */
export async function measureLarge(rounds: number, bytes: number): Promise<{ readonly put: Transfer; readonly get: Transfer }> {
  return onServer(bytes, async ({ server, watched, copy }) => {
    await checkBytes(server, bytes);
    const { put, get, bound } = await inTurns(rounds, {
      bound: copy,
      put: () => watched(() => putOne(server, bytes)),
      get: () => watched(() => download(server.port, server.signed("s3", "GET", `${BUCKET}/one`))),
    });
    return { put: transferOf(put, bound), get: transferOf(get, bound) };
  });
}

/** An upload in parts beside the copy in each round. */
export async function measureParts(rounds: number, bytes: number): Promise<Transfer> {
  return onServer(bytes, async ({ server, watched, copy }) => {
    await putParts(server, bytes);
    const { parts, bound } = await inTurns(rounds, { bound: copy, parts: () => watched(() => putParts(server, bytes)) });
    return transferOf(parts, bound);
  });
}

interface Stage {
  readonly server: BenchServer;
  readonly copy: () => Promise<Sample>;
  readonly watched: (work: () => Promise<unknown>) => Promise<Sample>;
}

/** Runs `work` with an idle server that has answered once, and a file to copy. */
async function onServer<T>(bytes: number, work: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  const server = await BenchServer.start();
  try {
    await pipeline(Readable.from(uploaded(bytes)), createWriteStream(join(folder, "source")));
    await server.call("s3", "PUT", BUCKET);
    await server.call("s3", "PUT", `${BUCKET}/small`, "a server that answered once");
    await server.isQuiet();
    const idleMb = residentMbOf(server.pid);
    return await work({
      server,
      copy: () => Promise.resolve(copied(folder, bytes)),
      watched: (transfer) => watched(server, bytes, idleMb, transfer),
    });
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes each in turn, the order reversed every round. */
async function inTurns<Name extends string>(
  rounds: number,
  turns: Readonly<Record<Name, () => Promise<Sample>>>,
): Promise<Record<Name, Sample[]>> {
  const names = Object.keys(turns) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Record<Name, Sample[]>;
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? names : names.toReversed()) samples[name].push(await turns[name]());
  return samples;
}

function transferOf(ours: readonly Sample[], bound: readonly Sample[]): Transfer {
  return { rate: compare(ours, bound), memory: ours.map(({ details }) => ({ value: details?.[ABOVE_IDLE] ?? Number.NaN })) };
}

const ABOVE_IDLE = "MB above idle, at most";

async function putOne(server: BenchServer, bytes: number): Promise<string> {
  return upload(server.port, server.signedUploadHead(`${BUCKET}/one`, bytes), bytes);
}

/** What comes back is what was sent; looked at once, outside what is measured. */
async function checkBytes(server: BenchServer, bytes: number): Promise<void> {
  await putOne(server, bytes);
  const [sent, received] = [createHash("md5"), createHash("md5")];
  for (const chunk of uploaded(bytes)) sent.update(chunk);
  await download(server.port, server.signed("s3", "GET", `${BUCKET}/one`), (chunk) => received.update(chunk));
  if (sent.digest("hex") !== received.digest("hex")) throw new TypeError("other bytes came back than were sent");
}

/** As `aws s3 cp` does: parts of 8 MiB, ten at once. */
async function putParts(server: BenchServer, bytes: number): Promise<void> {
  const path = `${BUCKET}/parts`;
  const uploadId = /<UploadId>([^<]+)/.exec((await server.call("s3", "POST", `${path}?uploads=`)).body)?.[1] ?? "";
  const etags: string[] = [];
  let begun = 0;
  const sender = async (): Promise<void> => {
    for (let number = ++begun; (number - 1) * PART_BYTES < bytes; number = ++begun) {
      const length = Math.min(PART_BYTES, bytes - (number - 1) * PART_BYTES);
      const head = server.signedUploadHead(`${path}?partNumber=${number}&uploadId=${encodeURIComponent(uploadId)}`, length);
      etags[number - 1] = /\r\netag: *(\S+)/i.exec(await upload(server.port, head, length))?.[1] ?? "";
    }
  };
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, sender));
  const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  await server.call("s3", "POST", `${path}?uploadId=${encodeURIComponent(uploadId)}`, body);
}

/** MB/s of `work`, with the processor time it took the server and the most memory seen meanwhile. */
async function watched(server: BenchServer, bytes: number, idleMb: number, work: () => Promise<unknown>): Promise<Sample> {
  let mostMb = 0;
  const look = (): void => void (mostMb = Math.max(mostMb, residentMbOf(server.pid)));
  const looking = setInterval(look, LOOK_EVERY_MS);
  const cpuBefore = cpuMsOf(server.pid);
  const began = performance.now();
  try {
    await work();
    const value = rate(bytes, performance.now() - began);
    const details = { "server CPU ms": cpuMsOf(server.pid) - cpuBefore, [ABOVE_IDLE]: mostMb - idleMb };
    return { value, details };
  } finally {
    clearInterval(looking);
  }
}

function copied(folder: string, bytes: number): Sample {
  const began = performance.now();
  const target = join(folder, "copy");
  copyFileSync(join(folder, "source"), target);
  for (const [path, sync] of [[target, fdatasyncSync] as const, [folder, fsyncSync] as const]) {
    const file = openSync(path, "r");
    sync(file);
    closeSync(file);
  }
  const value = rate(bytes, performance.now() - began);
  unlinkSync(target);
  return { value };
}

const rate = (bytes: number, ms: number): number => bytes / 1_000 / ms;
