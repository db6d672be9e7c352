/**
 * A load generator in a process of its own: keep-alive connections that each send one prepared request, wait for its answer,
 * and send the next. Small on purpose, because it shares the machine with what it measures; the same for both sides of a pair.
 *
 * Reads its job as JSON from standard input and prints its result as JSON.
 */
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { wholeAnswer } from "./answer.ts";

export interface LoadJob {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  /** Whole HTTP requests, base64; each connection goes round the list from its own start. */
  readonly requests: readonly string[];
  /** How far each goes from one request to its next; 1 when absent. As many as there are connections: no two send the same one. */
  readonly step?: number;
}

export interface LoadResult {
  readonly answers: number;
  /** Answers whose status was not 2xx, and connections that were closed before their time. */
  readonly failures: number;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function run(job: LoadJob): Promise<LoadResult> {
  const requests = job.requests.map((request) => Buffer.from(request, "base64"));
  const latencies: number[] = [];
  let failures = 0;
  const began = performance.now();
  const until = began + job.durationMs;
  const client = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: job.port, noDelay: true });
      let next = index;
      let sentAt = 0;
      let pending: Buffer = Buffer.alloc(0);
      const send = (): void => {
        sentAt = performance.now();
        socket.write(requests[next % requests.length] ?? Buffer.alloc(0));
        next += job.step ?? 1;
      };
      socket.on("connect", send);
      socket.on("error", reject);
      socket.on("close", () => {
        if (performance.now() < until) failures += 1;
        resolve();
      });
      socket.on("data", (chunk: Buffer) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        const answer = wholeAnswer(pending);
        if (!answer) return;
        if (answer.status < 200 || answer.status > 299) failures += 1;
        pending = pending.subarray(answer.end);
        const now = performance.now();
        latencies.push(now - sentAt);
        if (now < until) send();
        else socket.end();
      });
    });
  await Promise.all(Array.from({ length: job.connections }, (_, index) => client(index)));
  return summary(latencies, failures, performance.now() - began);
}

function summary(latencies: number[], failures: number, elapsedMs: number): LoadResult {
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { answers: latencies.length, failures, elapsedMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

if (import.meta.main) process.stdout.write(JSON.stringify(await run(JSON.parse(await text(process.stdin)) as LoadJob)));
