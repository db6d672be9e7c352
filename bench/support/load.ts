import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { LoadResult } from "./generator.ts";
import type { Sample } from "./pair.ts";

const GENERATOR = fileURLToPath(new URL("./generator.ts", import.meta.url));

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  readonly requests: readonly Buffer[];
  readonly step?: number;
}

/** Reads the CPU time of what is measured, in milliseconds, under a name each. */
export type ReadCpu = () => Readonly<Record<string, number>>;

/**
 * Answers a second under one load from a fresh generator process, with the CPU time each answer took beside it.
 *
 * Throws when an answer was not 2xx or a connection was lost: a refused call is fast and worth nothing.
 */
export async function answersPerSecond(load: Load, cpu: ReadCpu): Promise<Sample> {
  const child = spawn(process.execPath, [GENERATOR], { stdio: ["pipe", "pipe", "inherit"] });
  const gone = once(child, "exit");
  const before = cpu();
  child.stdin.end(JSON.stringify({ ...load, requests: load.requests.map((request) => request.toString("base64")) }));
  const printed = await text(child.stdout);
  const after = cpu();
  await gone;
  const result = JSON.parse(printed) as LoadResult;
  if (result.failures > 0) throw new RangeError(`${result.failures} of ${result.answers} answers were failures`);
  const used = Object.entries(after).map(([name, ms]): [string, number] => [
    `${name} CPU µs per answer`,
    ((ms - (before[name] ?? 0)) * 1_000) / result.answers,
  ]);
  return {
    value: (result.answers * 1_000) / result.elapsedMs,
    details: { "p50 ms": result.p50Ms, "p99 ms": result.p99Ms, ...Object.fromEntries(used) },
  };
}
