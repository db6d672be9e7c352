/**
 * Headers as restXml reads them. Presigned requests carry theirs in the query, where clients moved them when they signed.
 *
 * Values are Latin-1 text, in which each character is one byte, as Node has headers: so metadata that a client sent as
 * raw UTF-8 goes out again in the bytes it came in.
 */
import { isLambentError } from "../../base/index.ts";
import type { WireRequest } from "../http.ts";
import { readHeader, readPrefixHeaders } from "../http-bindings.ts";
import type { Query } from "../route.ts";
import type { HttpBindings, Member } from "../schema.ts";

type Headers = WireRequest["headers"];

const MOVED = "x-amz-";
/** Signed before there was a body, a checksum in the query is that of no bytes at all. */
const CHECKSUM = /^x-amz-(?:sdk-checksum-|checksum-(?!mode$|algorithm$|type$))/;
const BEYOND_ASCII = /[^\x00-\x7f]/;

/** Reads what is bound to headers into `into`. */
export function readHeaders(bindings: HttpBindings, query: Query, sent: Headers, into: Record<string, unknown>): void {
  if (bindings.headers.length === 0 && !bindings.prefixHeaders) return;
  const headers = query.size === 0 ? sent : withMoved(query, sent);
  for (const member of bindings.headers) {
    const text = headers[member.locationName];
    const value = text === undefined ? undefined : valueOf(member, text);
    if (value !== undefined) into[member.name] = value;
  }
  if (bindings.prefixHeaders) readPrefixHeaders(bindings.prefixHeaders, headers, into);
}

function withMoved(query: Query, sent: Headers): Headers {
  let headers: Record<string, string | undefined> | undefined;
  for (const [key, values] of query) {
    const name = key.toLowerCase();
    if (!name.startsWith(MOVED) || CHECKSUM.test(name) || sent[name] !== undefined) continue;
    headers ??= { __proto__: null, ...sent } as unknown as Record<string, string | undefined>;
    headers[name] = asBytes(values.at(-1) ?? "");
  }
  return headers ?? sent;
}

function asBytes(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}

/** A date of HTTP's own headers that is none is as if it were not there. */
function valueOf(member: Member, text: string): unknown {
  if (member.shape.kind !== "timestamp" || member.shape.format === "date-time") return readHeader(member, text);
  try {
    return readHeader(member, text);
  } catch (error) {
    if (isLambentError(error)) return undefined;
    throw error;
  }
}
