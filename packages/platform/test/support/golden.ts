/**
 * Golden files: what each real client said and heard, once per operation and once per error. What differs from run to
 * run is masked, so that every other change of the wire shows as a difference. `UPDATE_GOLDEN=1` writes them anew.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeEventFrames } from "../../src/wire/index.ts";
import type { Exchange, Message, RecordedService } from "./recorder.ts";

interface GoldenFile {
  /** Name and version of the client. */
  readonly client: string;
  readonly operations: Readonly<Record<string, object>>;
  readonly errors: Readonly<Record<string, object>>;
}

/** Compares what `client` exchanged with `service` to its golden file, or writes it. */
export function checkGolden(name: string, client: string, service: RecordedService, exchanges: readonly Exchange[]): void {
  const path = fileURLToPath(new URL(`../fixtures/golden/${name}-${service}.json`, import.meta.url));
  const actual = goldenOf(
    client,
    exchanges.filter((exchange) => exchange.service === service),
  );
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, textOf(actual));
  }
  assert.ok(existsSync(path), `${path} is missing: write it with UPDATE_GOLDEN=1 npm test, and read what it says`);
  const wanted = JSON.parse(readFileSync(path, "utf8")) as GoldenFile;
  // Another version of a client may say the same in other headers; what the server is asked and answers stays.
  const comparable = wanted.client === actual.client ? (file: GoldenFile) => file : withoutRequestHeaders;
  const [ours, theirs] = [comparable(actual), comparable(wanted)];
  for (const part of ["operations", "errors"] as const) {
    for (const entry of new Set([...Object.keys(ours[part]), ...Object.keys(theirs[part])])) {
      assert.deepEqual({ [entry]: ours[part][entry] }, { [entry]: theirs[part][entry] });
    }
  }
}

function goldenOf(client: string, exchanges: readonly Exchange[]): GoldenFile {
  const operations: Record<string, object> = {};
  const errors: Record<string, object> = {};
  for (const exchange of exchanges) {
    if (exchange.response.status < 400) operations[exchange.operation] ??= { request: requestOf(exchange), response: responseOf(exchange) };
    else errors[errorName(exchange)] ??= responseOf(exchange);
  }
  const sorted = (entries: Record<string, object>) => Object.fromEntries(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  // Through JSON once, so that what is compared is what is stored.
  return JSON.parse(JSON.stringify({ client, operations: sorted(operations), errors: sorted(errors) })) as GoldenFile;
}

function withoutRequestHeaders(file: GoldenFile): GoldenFile {
  const operations = Object.entries(file.operations).map(([name, exchange]) => {
    const { request, ...rest } = exchange as { request: { headers: object } };
    return [name, { ...rest, request: { ...request, headers: {} } }];
  });
  return { ...file, operations: Object.fromEntries(operations) as GoldenFile["operations"] };
}

/** The error's name as the protocol carries it. */
export function errorName({ response }: Exchange): string {
  const header = response.headers["x-amzn-errortype"];
  const body = response.body.toString("utf8");
  const named = typeof header === "string" ? header : (/"__type":"([^"]+)"/u.exec(body)?.[1] ?? /<Code>([^<]+)</u.exec(body)?.[1]);
  return named?.split("#").at(-1) ?? `status ${response.status}`;
}

function requestOf({ request }: Exchange): object {
  return { method: request.method, path: maskText(request.path), headers: headersOf(request), body: bodyOf(request) };
}

function responseOf({ response }: Exchange): object {
  return { status: response.status, headers: headersOf(response), body: bodyOf(response) };
}

const VARYING_HEADERS: ReadonlySet<string> = new Set([
  "amz-sdk-invocation-id",
  "content-length",
  "date",
  "host",
  "user-agent",
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-user-agent",
  "x-amz-log-result",
  "x-amzn-requestid",
  "x-amz-id-2",
  "x-amz-request-id",
  "last-modified",
]);

/** What is the same every time; of the rest the names. */
function headersOf({ headers }: Message): Record<string, string> {
  const entries = Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const varying = entries.flatMap(([name]) => (VARYING_HEADERS.has(name) ? [name] : []));
  const same = entries.filter(([name]) => !VARYING_HEADERS.has(name)).map(([name, value]) => [name, maskText(String(value))]);
  return { ...(Object.fromEntries(same) as Record<string, string>), ...(varying.length > 0 ? { "<varying>": varying.join(" ") } : {}) };
}

function bodyOf({ headers, body }: Message): unknown {
  const type = String(headers["content-type"] ?? "");
  if (body.length === 0) return "";
  if (headers["transfer-encoding"] === "chunked") return eventsOf(body);
  if (type.includes("x-www-form-urlencoded")) return mask(Object.fromEntries(new URLSearchParams(body.toString("utf8"))));
  return mask(parsed(body));
}

/** The events of a stream by kind, each kind's payloads joined: how they were cut is chance. */
function eventsOf(body: Buffer): unknown {
  const events: Record<string, string> = {};
  for (const { headers, payload } of decodeEventFrames(body).frames) {
    const kind = String(headers[":event-type"]);
    events[kind] = (events[kind] ?? "") + payload.toString("utf8");
  }
  return mask(Object.fromEntries(Object.entries(events).map(([kind, text]) => [kind, parsed(Buffer.from(text))])));
}

function parsed(body: Buffer): unknown {
  const text = body.toString("utf8");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Durations, times and identifiers that differ from run to run. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gu, "<uuid>"],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+0000)/gu, "<time>"],
  [/\b(AROA|ANPA|AKIA|ASIA)[A-Z0-9]{12,}\b/gu, "<$1…>"],
  [/http:\/\/127\.0\.0\.1:\d+/gu, "<endpoint>"],
  [/X-Amz-Date=\d{8}T\d{6}Z/gu, "X-Amz-Date=<time>"],
  [/(X-Amz-Credential=)[^&]+?%2F\d{8}/gu, "$1<key>%2F<date>"],
  [/<(SecretAccessKey|SessionToken)>[^<]+</gu, "<$1><secret><"],
  [/\b[0-9a-z]{10,11}\.[\w-]{16}(?![\w-])/gu, "<version>"],
  [/<HostId>[^<]+</gu, "<HostId><varies><"],
  [/\/function-url\/[a-z2-7]{32}\//gu, "/function-url/<id>/"],
  [/\d{4}%2F\d\d%2F\d\d/gu, "<date>"],
  [/\b[fb]\/\d{27}\b/gu, "<token>"],
  [/\b[0-9a-f]{8}[0-9a-z]+\.[0-9a-v]\.[\w-]{11}/gu, "<receipt>"],
  // Of a zip, whose entries carry local time.
  [/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/gu, "<sha256>"],
  [/\/code\/[A-Za-z0-9_-]{43}/gu, "/code/<sha256>"],
  [/\b\d{35}\b/gu, "<event id>"],
  // The token of a page of Kinesis: a signature, then what is signed.
  [/[A-Za-z0-9+/]{22}sicCIs[A-Za-z0-9+/]*={0,2}/gu, "<page>"],
  // When a shard was opened, and a consumer registered; shard and offset stay.
  [/\b49\d{13}(\d{10})(\d{31})\b/gu, "49<time>$1$2"],
  [/(\/consumer\/[\w.-]+):\d{10}\b/gu, "$1:<time>"],
  [/\d{4}\/\d\d\/\d\d\/\[(\S+?)\][0-9a-f]{32}/gu, "<date>/[$1]<instance>"],
  [/AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}/gu, "AWS4-HMAC-SHA256 Credential=<key>/<date>"],
  [/Signature=[0-9a-f]{64}/gu, "Signature=<varies>"],
];

function maskText(text: string): string {
  return MASKS.reduce((masked, [pattern, mark]) => masked.replace(pattern, mark), text);
}

/** Epoch times of the decades in which this test runs, in seconds or in milliseconds. */
function isTime(value: number): boolean {
  return [value, value / 1_000].some((seconds) => seconds > 1_600_000_000 && seconds < 4_000_000_000);
}

/** A ZipFile, or a token of as many letters. */
const LONG_BASE64 = /^[A-Za-z0-9+/_-]{120,}={0,2}$/u;

/** The bytes of a function's log lines, which hold figures of the run; the shards of whatever other tests made on the same server. */
const VARYING_MEMBERS: ReadonlyMap<string, string> = new Map([
  ["storedBytes", "<bytes>"],
  ["OpenShardCount", "<shards>"],
]);

function mask(value: unknown): unknown {
  if (typeof value === "number") return isTime(value) ? "<time>" : value;
  if (typeof value === "string" && /^\d{10}(?:\d{3})?$/u.test(value) && isTime(Number(value))) return "<time>";
  if (typeof value === "string") return LONG_BASE64.test(value) ? "<base64>" : maskText(value);
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, VARYING_MEMBERS.get(name) ?? mask(member)]));
}

/** One line a message: short enough to keep, and a difference names its operation. */
function textOf({ client, operations, errors }: GoldenFile): string {
  const lines = (entries: Readonly<Record<string, object>>): string =>
    Object.entries(entries)
      .map(([name, entry]) => {
        const parts = "request" in entry ? Object.entries(entry).map(([part, message]) => `  "${part}": ${JSON.stringify(message)}`) : [];
        return parts.length > 0 ? ` "${name}": {\n${parts.join(",\n")}\n }` : ` "${name}": ${JSON.stringify(entry)}`;
      })
      .join(",\n");
  return `{\n"client": ${JSON.stringify(client)},\n"operations": {\n${lines(operations)}\n},\n"errors": {\n${lines(errors)}\n}\n}\n`;
}
