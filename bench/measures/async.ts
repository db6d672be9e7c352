/**
 * Asynchronous invocations: how many events a server keeps durably a second, beside one-at-a-time write + fdatasync of as many bytes on
 * the same file system; and how long an event takes to its handler when nothing else happens.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deployAll } from "../support/application.ts";
import { answersPerSecond } from "../support/load.ts";
import { measurePair, type PairResult, type Sample } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";
import { oneAtATime } from "../support/to-handler.ts";

const CONNECTIONS = 64;
/** Events that one round goes through: each is signed by itself, as by 64 callers. */
const SIGNED_REQUESTS = 64;
const EVENT_BYTES = 1_024;
const event = (n: number): string => JSON.stringify({ n, fill: "x".repeat(EVENT_BYTES - 30) });

const FILES = {
  "index.mjs": `
let entered = [];
export const handler = async ({ n, read }) => {
  if (!read) return void (n >= 0 && entered.push([n, performance.timeOrigin + performance.now()]));
  const all = entered;
  entered = [];
  return all;
};`,
};

export interface AsyncResult {
  readonly accepted: PairResult;
  /** From the write of the request: to the handler, with the server's answer beside it. */
  readonly toHandler: readonly Sample[];
}

export async function measureAsync(options: {
  readonly rounds: number;
  readonly roundMs: number;
  readonly idleEvents: number;
}): Promise<AsyncResult> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-async-"));
  const server = await BenchServer.start();
  try {
    await deployAll(server, { quiet: { runtime: "nodejs24.x", files: FILES, concurrency: 100 } });
    await server.call("lambda", "POST", "/2015-03-31/functions/quiet/invocations", '{"read":true}');
    const toHandler: Sample[] = [];
    for (let round = 0; round < options.rounds; round++) toHandler.push(await idle(server, options.idleEvents));
    const ours = (durationMs: number) => () => accept(server, durationMs);
    await ours(options.roundMs)();
    const accepted = await measurePair(ours(options.roundMs), () => Promise.resolve(fdatasync(folder, options.roundMs)), options.rounds);
    return { accepted, toHandler };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Events a second from 64 callers; the function handles them meanwhile, and the next round begins when all are handled. */
async function accept(server: BenchServer, durationMs: number): Promise<Sample> {
  const requests = Array.from({ length: SIGNED_REQUESTS }, () => server.signedEvent("quiet", event(-1)));
  const sample = await answersPerSecond({ port: server.port, connections: CONNECTIONS, durationMs, requests }, () => server.cpuMs());
  await server.isQuiet();
  return sample;
}

/** One event at a time, each after the one before has reached its handler. */
function idle(server: BenchServer, events: number): Promise<Sample> {
  return oneAtATime(server, "quiet", { events, status: 202, request: (n) => server.signedEvent("quiet", event(n)) });
}

function fdatasync(folder: string, durationMs: number): Sample {
  const body = Buffer.alloc(EVENT_BYTES, "x");
  const file = openSync(join(folder, "bound"), "w");
  const began = performance.now();
  let writes = 0;
  for (; performance.now() - began < durationMs; writes++) {
    writeSync(file, body);
    fdatasyncSync(file);
  }
  closeSync(file);
  return { value: (writes * 1_000) / (performance.now() - began) };
}
