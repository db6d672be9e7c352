/**
 * A load generator in a process of its own: keep-alive connections that each send one prepared request, wait for its answer,
 * and send the next. Small on purpose, because it shares the machine with what it measures; the same for both sides of a pair.
 *
 * Reads its job as JSON from the first argument and prints its result as JSON.
 */
import { connect } from "node:net";

export interface LoadJob {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  /** Whole HTTP requests, base64; each connection goes round the list from its own start. */
  readonly requests: readonly string[];
}

export interface LoadResult {
  readonly answers: number;
  /** Answers whose status was not 2xx. */
  readonly failures: number;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const HEADER_END = Buffer.from("\r\n\r\n");
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

function run(job: LoadJob): Promise<LoadResult> {
  const requests = job.requests.map((request) => Buffer.from(request, "base64"));
  const latencies: number[] = [];
  let failures = 0;
  const began = performance.now();
  const until = began + job.durationMs;
  const client = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: job.host, port: job.port, noDelay: true });
      let next = index;
      let sentAt = 0;
      let pending: Buffer = Buffer.alloc(0);
      const send = (): void => {
        sentAt = performance.now();
        socket.write(requests[next++ % requests.length] ?? Buffer.alloc(0));
      };
      socket.on("connect", send);
      socket.on("error", reject);
      socket.on("close", () => resolve());
      socket.on("data", (chunk: Buffer) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        const size = answerSize(pending);
        if (size === undefined || pending.length < size) return;
        if (pending[9] !== 50) failures += 1;
        pending = pending.subarray(size);
        const now = performance.now();
        latencies.push(now - sentAt);
        if (now < until) send();
        else socket.end();
      });
    });
  return Promise.all(Array.from({ length: job.connections }, (_, index) => client(index))).then(() =>
    summary(latencies, failures, performance.now() - began),
  );
}

/** Bytes of the first answer in `bytes`, or undefined while its headers are not complete. */
function answerSize(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(HEADER_END);
  if (end < 0) return undefined;
  const length = CONTENT_LENGTH.exec(bytes.toString("latin1", 0, end))?.[1];
  return end + 4 + Number(length ?? 0);
}

function summary(latencies: number[], failures: number, elapsedMs: number): LoadResult {
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { answers: latencies.length, failures, elapsedMs, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

const job = process.argv[2];
if (import.meta.main && job !== undefined) process.stdout.write(JSON.stringify(await run(JSON.parse(job) as LoadJob)));
