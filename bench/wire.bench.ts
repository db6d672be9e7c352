/**
 * What decoding a Lambda Invoke and encoding its answer cost, beside parsing and writing the same bytes as JSON.
 * Both run in turns in one process; the median of the rounds and their range are printed.
 *
 * Not measured: sockets, signatures, the function.
 */
import { systemClock } from "../packages/platform/src/base/index.ts";
import { decode, encodeOutput, loadService, type WireRequest } from "../packages/platform/src/wire/index.ts";

const ROUNDS = 15;
const CALLS = 50_000;
const payload = Buffer.from(JSON.stringify({ user: "u-1", items: [1, 2, 3], note: "a small event" }));
const lambda = loadService("lambda");
const request: WireRequest = {
  method: "POST",
  rawUrl: "/2015-03-31/functions/hello-world/invocations",
  rawHeaders: [],
  headers: { host: "127.0.0.1:4566", "content-type": "application/octet-stream", "x-amz-invocation-type": "RequestResponse" },
  body: payload,
};
const output = { StatusCode: 200, ExecutedVersion: "$LATEST", Payload: payload };

const variants = {
  wire: () => encodeOutput(decode(request, lambda), output, "2f4a8e9c-1b2d-4c3e-8f5a-6b7c8d9e0f1a"),
  json: () => Buffer.from(JSON.stringify(JSON.parse(payload.toString("utf8")))),
};

function microsecondsPerCall(call: () => unknown): number {
  const start = systemClock.monotonicMs();
  for (let index = 0; index < CALLS; index += 1) call();
  return ((systemClock.monotonicMs() - start) * 1_000) / CALLS;
}

const rounds: Record<keyof typeof variants, number[]> = { wire: [], json: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  const order = round % 2 === 0 ? (["wire", "json"] as const) : (["json", "wire"] as const);
  for (const name of order) rounds[name].push(microsecondsPerCall(variants[name]));
}

const sorted = (values: readonly number[]): number[] => [...values].sort((left, right) => left - right);
for (const [name, values] of Object.entries(rounds)) {
  const [low = 0, median = 0, high = 0] = [0, 0.5, 1].map((share) => sorted(values)[Math.floor(share * (values.length - 1))]);
  process.stdout.write(`${name}: ${median.toFixed(2)} µs a call (${low.toFixed(2)} to ${high.toFixed(2)}, ${ROUNDS} rounds of ${CALLS})\n`);
}
