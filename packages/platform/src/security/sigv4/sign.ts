import type { Instant } from "../../base/index.ts";
import type { SignedRequest } from "../request.ts";
import { amzDateOf } from "./amz-date.ts";
import {
  bodyHash,
  canonicalHeaderValue,
  canonicalPath,
  canonicalQuery,
  canonicalRequest,
  parseQuery,
  pathStyleOf,
  splitTarget,
  stringToSign,
  type PathStyle,
  type QueryParameter,
} from "./canonical.ts";
import { SigningKeys } from "./signing-key.ts";

/**
 * Signs requests, for the command line, for calls between parts of the platform and for tests.
 * Shares the canonical forms with the verifier; both are held to the same published vectors.
 */

/** What a signature is made with. */
export interface SigningKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface SigningOptions {
  readonly service: string;
  readonly region: string;
  readonly now: Instant;
  /** By default what the service needs: `raw` for S3. */
  readonly pathStyle?: PathStyle;
  /** Adds `x-amz-content-sha256`; always on for S3. */
  readonly bodyHashHeader?: boolean;
  /** Stands for the body's hash where the body is signed otherwise or not at all: `UNSIGNED-PAYLOAD`. */
  readonly payloadHash?: string;
}

const signingKeys = new SigningKeys();

/** What proxies and HTTP libraries add or change on the way; signing it would break the signature. */
const NEVER_SIGNED: ReadonlySet<string> = new Set([
  "authorization",
  "cache-control",
  "connection",
  "expect",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "x-amzn-trace-id",
]);

/**
 * Headers (lower-case names) to add to `request` so that it is signed: `x-amz-date`, `authorization` and, where
 * needed, `x-amz-security-token` and `x-amz-content-sha256`. The request has its `host` (or `:authority`) header already.
 */
export function signRequest(request: SignedRequest, key: SigningKey, options: SigningOptions): Record<string, string> {
  const amzDate = amzDateOf(options.now);
  const payloadHash = options.payloadHash ?? bodyHash(request.body);
  const added: Record<string, string> = { "x-amz-date": amzDate };
  if (key.sessionToken !== undefined) added["x-amz-security-token"] = key.sessionToken;
  if (options.bodyHashHeader ?? options.service === "s3") added["x-amz-content-sha256"] = payloadHash;
  const headers = signedHeaders([...request.rawHeaders, ...Object.entries(added).flat()]);
  const { path, query } = splitTarget(request.rawUrl);
  const { scope, signature } = sign(key, options, amzDate, {
    method: request.method,
    path: byteString(path),
    query: parseQuery(byteString(query)),
    headers,
    payloadHash,
  });
  const names = headers.map(([name]) => name).join(";");
  added["authorization"] = `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return added;
}

/**
 * The request target (path and query) of `request`, signed in its query and good for `expiresSeconds` (0–604,800).
 * All headers the request has must be sent with it.
 */
export function presign(request: SignedRequest, key: SigningKey, options: SigningOptions & { readonly expiresSeconds: number }): string {
  const amzDate = amzDateOf(options.now);
  const headers = signedHeaders(request.rawHeaders);
  const { path, query } = splitTarget(request.rawUrl);
  const parameters: QueryParameter[] = [
    ...parseQuery(byteString(query)),
    { name: "X-Amz-Algorithm", value: "AWS4-HMAC-SHA256" },
    { name: "X-Amz-Credential", value: `${key.accessKeyId}/${scopeOf(options, amzDate)}` },
    { name: "X-Amz-Date", value: amzDate },
    { name: "X-Amz-Expires", value: String(options.expiresSeconds) },
    { name: "X-Amz-SignedHeaders", value: headers.map(([name]) => name).join(";") },
  ];
  if (key.sessionToken !== undefined) parameters.push({ name: "X-Amz-Security-Token", value: key.sessionToken });
  const payloadHash = options.service === "s3" ? "UNSIGNED-PAYLOAD" : bodyHash(request.body);
  const { signature } = sign(key, options, amzDate, {
    method: request.method,
    path: byteString(path),
    query: parameters,
    headers,
    payloadHash,
  });
  return `${path}?${canonicalQuery(parameters)}&X-Amz-Signature=${signature}`;
}

interface Unsigned {
  readonly method: string;
  readonly path: string;
  readonly query: readonly QueryParameter[];
  readonly headers: readonly (readonly [string, string])[];
  readonly payloadHash: string;
}

function sign(key: SigningKey, options: SigningOptions, amzDate: string, unsigned: Unsigned): { scope: string; signature: string } {
  const scope = scopeOf(options, amzDate);
  const canonical = canonicalRequest({
    method: unsigned.method,
    path: canonicalPath(unsigned.path, options.pathStyle ?? pathStyleOf(options.service)),
    query: canonicalQuery(unsigned.query),
    headers: unsigned.headers,
    payloadHash: unsigned.payloadHash,
  });
  const text = stringToSign(amzDate, scope, canonical);
  return { scope, signature: signingKeys.sign(key.secretAccessKey, scope, text).toString("hex") };
}

function scopeOf(options: SigningOptions, amzDate: string): string {
  return `${amzDate.slice(0, 8)}/${options.region}/${options.service}/aws4_request`;
}

/** The headers to sign: lower case, repeated ones joined, sorted. */
function signedHeaders(rawHeaders: readonly string[]): (readonly [string, string])[] {
  const joined = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    if (NEVER_SIGNED.has(name)) continue;
    const value = canonicalHeaderValue(byteString(rawHeaders[index + 1] ?? ""));
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before},${value}`);
  }
  return [...joined].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Text as the bytes it is sent as: characters above 0xff have to be UTF-8 already on the wire. */
function byteString(text: string): string {
  return /[^\x00-\xff]/.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}
