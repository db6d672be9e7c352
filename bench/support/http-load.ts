import { signRequest } from "../../packages/platform/src/security/index.ts";
import { load, rawRequest } from "./load.ts";
import type { BenchServer } from "./server.ts";

/** Answers per second of one load; fails when an answer was not 2xx, because a refused call is fast and worth nothing. */
export async function answersPerSecond(
  port: number,
  requests: readonly string[],
  connections: number,
  durationMs: number,
): Promise<number> {
  const result = await load({ host: "127.0.0.1", port, connections, durationMs, requests });
  if (result.failures > 0) throw new RangeError(`${result.failures} of ${result.answers} answers were failures`);
  return (result.answers * 1_000) / result.elapsedMs;
}

export function plainGet(port: number, path: string): string {
  return rawRequest("GET", path, { host: `127.0.0.1:${port}`, accept: "*/*" });
}

/** A signed Invoke; valid for 15 minutes from now, so it is prepared right before its round. */
export function signedInvoke(server: BenchServer, functionName: string, payload: string, at: Date): string {
  const path = `/2015-03-31/functions/${functionName}/invocations`;
  const host = `127.0.0.1:${server.port}`;
  const body = Buffer.from(payload);
  const headers = signRequest({ method: "POST", rawUrl: path, rawHeaders: ["host", host], body }, server.key, {
    region: "us-east-1",
    service: "lambda",
    now: at.getTime(),
  });
  return rawRequest("POST", path, { host, ...headers }, payload);
}
