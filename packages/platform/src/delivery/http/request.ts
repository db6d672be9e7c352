/**
 * The request by which an endpoint gets a parcel: what the connection gives, what whoever sends gives, what goes along by itself.
 * Pure. The connection's word counts before the sender's, and the sender's before ours. @see EventBridge User Guide, "API destinations"
 */
import { LambentError } from "../../base/index.ts";
import type { ApiDestination, Authorization, ConnectionContent, ConnectionParameter } from "../../bus/index.ts";
import type { ParcelOptions } from "../../outbox/index.ts";
import type { HttpCall } from "./http-client.ts";

/** Headers of the connection and of the message as such: whoever sets them has no say. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set(
  "connection content-length expect host keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split(
    " ",
  ),
);

/** What EventBridge sends along; the last two cannot be changed. */
const OWN_HEADERS = { "content-type": "application/json; charset=utf-8", "accept-encoding": "gzip,deflate" };
const FIXED_HEADERS = { "user-agent": "Amazon/EventBridge/ApiDestinations", range: "bytes=0-1048575" };

/** Methods whose requests have no content. */
const WITHOUT_BODY: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** An API destination's request, but for how long it may take. `token` is that of an OAuth connection. Throws `InvalidParameter` when the stars of its path cannot be filled. */
export function destinationRequest(
  destination: Pick<ApiDestination, "endpoint" | "method">,
  { authorization, invocation }: ConnectionContent,
  token: string | undefined,
  { payload, options }: { readonly payload: Buffer; readonly options: ParcelOptions },
): Pick<HttpCall, "method" | "url" | "path" | "headers" | "body"> {
  const url = new URL(destination.endpoint);
  const query = { ...options.query, ...lastOfEach(invocation.query) };
  for (const [key, value] of Object.entries(query)) url.searchParams.append(key, value);
  return {
    method: destination.method,
    url,
    path: filled(url.pathname, options.pathValues ?? []) + url.search,
    headers: {
      ...OWN_HEADERS,
      ...endToEnd(options.headers ?? {}),
      ...endToEnd(lastOfEach(invocation.headers)),
      ...FIXED_HEADERS,
      ...endToEnd(authorizing(authorization, token)),
    },
    body: WITHOUT_BODY.has(destination.method) ? undefined : withFields(payload, lastOfEach(invocation.body)),
  };
}

/** Headers that whoever sends may set, their names in lower case. */
export function endToEnd(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => !OF_THE_CONNECTION.has(name)),
  );
}

function authorizing(authorization: Authorization, token: string | undefined): Record<string, string> {
  switch (authorization.kind) {
    case "basic":
      return { authorization: `Basic ${Buffer.from(`${authorization.username}:${authorization.password}`).toString("base64")}` };
    case "apiKey":
      return { [authorization.name]: authorization.value };
    case "oauth":
      return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }
}

/** Of parameters of the same name the last one counts. */
export function lastOfEach(parameters: readonly ConnectionParameter[]): Record<string, string> {
  return Object.fromEntries(parameters.map(({ key, value }) => [key, value]));
}

/** The stars of a path, each replaced by its value. A value is one piece of a path: it cannot lead to another one. */
function filled(path: string, values: readonly string[]): string {
  const pieces = path.split("*");
  if (pieces.length - 1 !== values.length)
    throw new LambentError(
      "InvalidParameter",
      `The endpoint's path has ${pieces.length - 1} stars, and PathParameterValues has ${values.length} entries.`,
    );
  return pieces.reduce((whole, piece, index) => whole + encoded(values[index - 1] ?? "") + piece);
}

function encoded(value: string): string {
  if (value === "." || value === ".." || !value.isWellFormed())
    throw new LambentError("InvalidParameter", `PathParameterValues holds ${JSON.stringify(value)}, which is no piece of a path.`);
  return encodeURIComponent(value);
}

/** A JSON object with more members; what is no object stays as it is. Where no name is there twice, the payload's own bytes stay. */
function withFields(payload: Buffer, fields: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(fields);
  const object = names.length === 0 ? undefined : objectOf(payload);
  if (!object) return payload;
  if (names.some((name) => Object.hasOwn(object, name))) return Buffer.from(JSON.stringify({ ...object, ...fields }));
  const text = payload.toString("utf8").trimEnd();
  const added = JSON.stringify(fields);
  return Buffer.from(Object.keys(object).length === 0 ? added : `${text.slice(0, -1)},${added.slice(1)}`);
}

function objectOf(payload: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
