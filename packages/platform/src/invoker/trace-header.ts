/**
 * What travels with a chain of calls, in the trace header, as on AWS: its root, and how often each function was called in it, which stops
 * functions that trigger each other in a circle (`…;Lineage=<function>:<times>|…`); and, which AWS does not have, the event that is
 * being handled and the first one of the chain (`…;Event=<id>:<id>`). The SDKs in a function send the header they were
 * called with along with every request, and queues carry it with their messages.
 */
import { createHash } from "node:crypto";

/** A function that was called this often in one chain is not called again, unless its configuration allows it. @limit */
export const RECURSION_HOPS_MAX = 16;
/** Functions of one chain that are counted; of more, the latest. */
const FUNCTIONS_COUNTED_MAX = 32;
/** Characters of a trace header that are looked at. @limit */
export const TRACE_HEADER_LENGTH_MAX = 1_024;
const LINEAGE = /(?:^|;)Lineage=([0-9a-f:|]+)/;
const EVENT = /(?:^|;)Event=([0-9a-f-]{36}):([0-9a-f-]{36})(?:;|$)/;
const HOP = /^([0-9a-f]{8}):(\d{1,4})$/;

/** Digests that were made, because one costs more than the rest of a header; begun anew at the bound (P7). */
const digests = new Map<string, string>();
const DIGESTS_MAX = 10_000;

/**
 * A root of its own for calls that bring no trace, as X-Ray writes it: `Root=1-<seconds>-<96 bits>;Parent=<64 bits>;Sampled=0`.
 * The bits are those of the request id, of its time and its random part: asking for more would cost as much as the rest of the call's record.
 */
export function newTraceHeader(requestId: string, atMs: number): string {
  const node = requestId.slice(24);
  const root = node + requestId.slice(0, 8) + requestId.slice(9, 13);
  return `Root=1-${Math.floor(atMs / 1_000).toString(16)}-${root};Parent=${requestId.slice(19, 23)}${node};Sampled=0`;
}

/** The header of a call that handles the event `id` of the chain that began with `correlation`. */
export function withEvent(traceHeader: string, id: string, correlation: string): string {
  return `${traceHeader.replace(/;?Event=[^;]*/g, "")};Event=${id}:${correlation}`;
}

/** The event during whose handling a request with this header was made, and the first one of its chain. */
export function eventOf(traceHeader: string | undefined): { readonly cause: string; readonly correlation: string } | undefined {
  const found = traceHeader === undefined ? null : EVENT.exec(traceHeader.slice(0, TRACE_HEADER_LENGTH_MAX));
  return found ? { cause: found[1] ?? "", correlation: found[2] ?? "" } : undefined;
}

/** How often the function was called in the chain that `traceHeader` belongs to. */
export function hopsOf(traceHeader: string | undefined, functionArn: string): number {
  return traceHeader === undefined || !traceHeader.includes("Lineage=") ? 0 : (lineageOf(traceHeader).get(digestOf(functionArn)) ?? 0);
}

/** The header that a call of the function is made with: with one hop more. */
export function withHop(traceHeader: string, functionArn: string): string {
  const digest = digestOf(functionArn);
  if (!traceHeader.includes("Lineage=")) return `${traceHeader};Lineage=${digest}:1`;
  const lineage = lineageOf(traceHeader);
  const times = (lineage.get(digest) ?? 0) + 1;
  lineage.delete(digest);
  lineage.set(digest, Math.min(times, 9_999));
  const hops = [...lineage].slice(-FUNCTIONS_COUNTED_MAX).map(([name, count]) => `${name}:${count}`);
  return `${traceHeader.replace(/;?Lineage=[^;]*/g, "")};Lineage=${hops.join("|")}`;
}

/** The header as it came with a request, where it is one: a caller may send anything. */
export function traceHeaderOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > TRACE_HEADER_LENGTH_MAX) return undefined;
  return /^[\w=;:|-]*Root=1-[0-9a-f]{8}-[0-9a-f]{24}[\w=;:|-]*$/i.test(header) ? header : undefined;
}

function lineageOf(traceHeader: string): Map<string, number> {
  const hops = LINEAGE.exec(traceHeader.slice(0, TRACE_HEADER_LENGTH_MAX))?.[1]?.split("|") ?? [];
  return new Map(
    hops.flatMap((hop) => {
      const found = HOP.exec(hop);
      return found ? [[found[1] ?? "", Number(found[2])] as const] : [];
    }),
  );
}

/** Versions and aliases of a function count as one. */
function digestOf(functionArn: string): string {
  const known = digests.get(functionArn);
  if (known !== undefined) return known;
  const unqualified = functionArn.split(":").slice(0, 7).join(":");
  const made = createHash("sha256").update(unqualified).digest("hex").slice(0, 8);
  if (digests.size >= DIGESTS_MAX) digests.clear();
  digests.set(functionArn, made);
  return made;
}
