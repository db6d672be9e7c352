/**
 * Small objects: over HTTP against a server as people start it, each request signed by itself, its body's hash in the signature; and at the
 * door of `objects/`, on a store and files on the disk. The bound is one write and fdatasync after the other.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_ATTRIBUTES } from "../../packages/platform/src/objects/index.ts";
import { Connection } from "../support/connection.ts";
import { answersPerSecond } from "../support/load.ts";
import { rawRequest } from "../support/answer.ts";
import { startBare } from "../support/bare.ts";
import { type ObjectsOnDisk, openObjects, WRITER } from "../support/objects-on-disk.ts";
import { compare, measurePair, type PairResult, type Sample } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";

export const OBJECT_BYTES = 4_096;
export const CONNECTIONS = 64;
/** Keys that the requests of one round go through. Their first puts are of new keys, the others replace. */
const KEYS = 2_048;
const BODY = "o".repeat(OBJECT_BYTES);

export interface SmallOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
}

/** Puts a second by 64 writers in this process, each of a new key. */
export async function measureStoring({ rounds, roundMs, warmUpMs }: SmallOptions): Promise<PairResult> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  const objects = await openObjects(folder);
  try {
    await stored(objects, warmUpMs);
    return await measurePair(
      () => stored(objects, roundMs),
      () => Promise.resolve(fdatasyncsPerSecond(folder, roundMs)),
      rounds,
    );
  } finally {
    await objects.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function stored({ bucket, newKey }: ObjectsOnDisk, ms: number): Promise<Sample> {
  const source = Buffer.from(BODY);
  const began = performance.now();
  let count = 0;
  const writer = async (): Promise<void> => {
    while (performance.now() - began < ms) {
      await bucket.put(newKey(), NO_ATTRIBUTES, { source, length: source.length }, { caller: WRITER });
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, writer));
  return { value: (count * 1_000) / (performance.now() - began) };
}

export interface RequestsResult {
  /** A second, beside one write and fdatasync after the other. */
  readonly puts: PairResult;
  /** A second, beside a bare `node:http` server, which says what the machine gives today. */
  readonly gets: PairResult;
}

/** Puts and gets over HTTP, 64 connections. */
export async function measureRequests({ rounds, roundMs, warmUpMs }: SmallOptions): Promise<RequestsResult> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  const [server, bare] = await Promise.all([BenchServer.start(), startBare()]);
  const samples = { puts: [] as Sample[], gets: [] as Sample[], synced: [] as Sample[], bare: [] as Sample[] };
  try {
    await server.call("s3", "PUT", "/small-objects");
    const hello = [rawRequest("GET", "/", { host: `127.0.0.1:${bare.port}` })];
    const turns = {
      puts: async (ms: number, turn: number) => answers(server, ms, (n) => server.signed("s3", "PUT", pathOf(turn, n), BODY)),
      gets: async (ms: number) => answers(server, ms, (n) => server.signed("s3", "GET", pathOf(-1, n))),
      synced: async (ms: number) => fdatasyncsPerSecond(folder, ms),
      bare: async (durationMs: number) =>
        answersPerSecond({ port: bare.port, connections: CONNECTIONS, durationMs, requests: hello }, () => bare.cpuMs()),
    };
    await putAll(server);
    await turns.puts(warmUpMs, rounds);
    await turns.gets(warmUpMs);
    const names = ["puts", "synced", "gets", "bare"] as const;
    for (let round = 0; round < rounds; round++)
      for (const name of round % 2 === 0 ? names : names.toReversed()) samples[name].push(await turns[name](roundMs, round));
    return { puts: compare(samples.puts, samples.synced), gets: compare(samples.gets, samples.bare) };
  } finally {
    await Promise.all([server.stop(), bare.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

const pathOf = (turn: number, n: number): string => `/small-objects/turn-${turn}/object-${n}`;

/** Every key that is read. */
async function putAll(server: BenchServer): Promise<void> {
  let begun = 0;
  const sender = async (): Promise<void> => {
    const connection = await Connection.open(server.port);
    while (begun < KEYS) {
      const { status } = await connection.send(server.signed("s3", "PUT", pathOf(-1, begun++), BODY));
      if (status !== 200) throw new TypeError(`a put was answered ${status}`);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sender));
}

function answers(server: BenchServer, durationMs: number, request: (n: number) => Buffer): Promise<Sample> {
  const requests = Array.from({ length: KEYS }, (_, n) => request(n));
  return answersPerSecond({ port: server.port, connections: CONNECTIONS, durationMs, requests, step: CONNECTIONS }, () => server.cpuMs());
}

/** One object's bytes after the other, written and synced on the same file system. */
function fdatasyncsPerSecond(folder: string, ms: number): Sample {
  const file = openSync(join(folder, "bound"), "w");
  const body = Buffer.from(BODY);
  const began = performance.now();
  let count = 0;
  for (; performance.now() - began < ms; count++) {
    writeSync(file, body);
    fdatasyncSync(file);
  }
  const value = (count * 1_000) / (performance.now() - began);
  closeSync(file);
  return { value };
}
