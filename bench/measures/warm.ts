/**
 * Warm calls: what a call costs once its instance lives. Ours is a server as people start it; the bound is a bare
 * `node:http` server that answers the same bytes, with the same generator and as many connections.
 */
import { rawRequest } from "../support/answer.ts";
import { deployAll } from "../support/application.ts";
import { startBare } from "../support/bare.ts";
import { Connection } from "../support/connection.ts";
import { answersPerSecond } from "../support/load.ts";
import { compare, measurePair, type PairResult } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";

const FILES = { "index.mjs": 'export const handler = async () => ({ hello: "world" });\n' };
const EXPECTED = '{"hello":"world"}';

const CASES = {
  /** HTTP, 64 connections, an instance that takes 100 calls at once. */
  http: { functionName: "hello-many", connections: 64, signed: false },
  /** HTTP, 4 connections, 4 instances that take one call at a time. */
  httpOneAtATime: { functionName: "hello-one", connections: 4, signed: false },
  /** Signed Invoke through the API, 64 connections, an instance that takes 100 calls at once. */
  invoke: { functionName: "hello-many", connections: 64, signed: true },
} as const;
type CaseName = keyof typeof CASES;

/** Requests that one round goes through: each is signed by itself, as by 64 callers. */
const SIGNED_REQUESTS = 64;

export interface WarmOptions {
  readonly cases: readonly CaseName[];
  readonly rounds: number;
  readonly roundMs: number;
  /** Unmeasured load on each side before the first round: code that runs often is compiled by then. */
  readonly warmUpMs: number;
}

/** Measures each case in rounds of its own against one server and one bound. */
export async function measureWarm(options: WarmOptions): Promise<ReadonlyMap<CaseName, PairResult>> {
  const [server, bare] = await Promise.all([BenchServer.start(), startBare()]);
  try {
    await deployAll(server, {
      "hello-many": { runtime: "nodejs24.x", files: FILES, concurrency: 100, url: true },
      "hello-one": { runtime: "nodejs24.x", files: FILES, url: true },
    });
    const results = new Map<CaseName, PairResult>();
    for (const name of options.cases) results.set(name, await measureCase(name, server, bare, options));
    return results;
  } finally {
    await Promise.all([server.stop(), bare.stop()]);
  }
}

async function measureCase(
  name: CaseName,
  server: BenchServer,
  bare: Awaited<ReturnType<typeof startBare>>,
  { rounds, roundMs, warmUpMs }: WarmOptions,
): Promise<PairResult> {
  const { connections } = CASES[name];
  const ours = (durationMs: number) => () =>
    answersPerSecond({ port: server.port, connections, durationMs, requests: requestsOf(name, server) }, () => server.cpuMs());
  const bound = (durationMs: number) => () =>
    answersPerSecond({ port: bare.port, connections, durationMs, requests: [plainGet(bare.port, "/")] }, () => bare.cpuMs());
  await requireAnswer(name, server);
  await measurePair(ours(warmUpMs), bound(warmUpMs), 1);
  const result = await measurePair(ours(roundMs), bound(roundMs), rounds);
  const { InstanceCount } = await server.status();
  return compare(withInstances(result.ours, InstanceCount), result.bound);
}

function withInstances(samples: PairResult["ours"], count: number): PairResult["ours"] {
  return samples.map(({ value, details }) => ({ value, details: { ...details, "instances alive": count } }));
}

function requestsOf(name: CaseName, server: BenchServer): Buffer[] {
  const { functionName, signed } = CASES[name];
  if (!signed) return [plainGet(server.port, `/function-url/${functionName}/`)];
  return Array.from({ length: SIGNED_REQUESTS }, (_, index) => server.signedInvoke(functionName, `{"caller":${index}}`));
}

function plainGet(port: number, path: string): Buffer {
  return rawRequest("GET", path, { host: `127.0.0.1:${port}`, accept: "*/*" });
}

/** One call before all others: what is measured must be the answer that was meant. */
async function requireAnswer(name: CaseName, server: BenchServer): Promise<void> {
  const connection = await Connection.open(server.port);
  const answer = await connection.send(requestsOf(name, server)[0] ?? Buffer.alloc(0));
  connection.close();
  if (answer.status !== 200 || answer.body !== EXPECTED) throw new TypeError(`${name} answered ${answer.status}: ${answer.body}`);
}
