import type { IncomingHttpHeaders } from "node:http";

/**
 * An HTTP request as a function sees it: payload format 2.0.
 * @see AWS Lambda developer guide, "Request payload format" of function URLs
 */

export interface HttpCall {
  readonly method: string;
  /** Path as the function sees it, still percent-encoded, with its leading slash. */
  readonly path: string;
  /** Without the question mark. */
  readonly rawQuery: string;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  readonly sourceIp: string;
  readonly body: Buffer;
  readonly requestId: string;
  /** Wall time, milliseconds. */
  readonly at: number;
  /** Names the function URL: its id, and the domain it was called by. */
  readonly urlId: string;
  readonly domain: string;
  readonly caller: HttpCaller;
}

export type HttpCaller =
  | { readonly kind: "anonymous" }
  | { readonly kind: "iam"; readonly accountId: string; readonly accessKey: string; readonly userArn: string; readonly userId: string };

/**
 * The event's bytes: what the handler's runtime parses.
 * Put together by hand, because it is made for every call; everything that comes from outside goes through `text`.
 */
export function httpEvent(call: HttpCall): Buffer {
  const { json: headers, cookies } = eventHeaders(call.headers);
  const path = text(decodePath(call.path));
  const query = call.rawQuery === "" ? "" : `,"queryStringParameters":${JSON.stringify(queryParameters(call.rawQuery))}`;
  return Buffer.from(
    `{"version":"2.0","routeKey":"$default","rawPath":${path},"rawQueryString":${text(call.rawQuery)}` +
      `${cookies ? `,"cookies":${JSON.stringify(cookies)}` : ""},"headers":${headers}${query}` +
      `,"requestContext":${requestContext(call, path)}${eventBody(call)}}`,
  );
}

const text = (value: string): string => JSON.stringify(value);

function eventBody({ body, headers }: HttpCall): string {
  if (body.length === 0) return ',"isBase64Encoded":false';
  const isPlain = isText(headers["content-type"]);
  return `,"body":${text(body.toString(isPlain ? "utf8" : "base64"))},"isBase64Encoded":${!isPlain}`;
}

/** `path` is JSON already. */
function requestContext(call: HttpCall, path: string): string {
  const accountId = call.caller.kind === "iam" ? call.caller.accountId : "anonymous";
  const userAgent = call.headers["user-agent"] ?? "";
  const http = `{"method":${text(call.method)},"path":${path},"protocol":"HTTP/${call.httpVersion}","sourceIp":${text(call.sourceIp)},"userAgent":${text(userAgent)}}`;
  return (
    `{"accountId":"${accountId}","apiId":${text(call.urlId)}${authorizer(call.caller)},"domainName":${text(call.domain)}` +
    `,"domainPrefix":${text(call.urlId)},"http":${http},"requestId":"${call.requestId}","routeKey":"$default","stage":"$default"` +
    `,"time":"${commonLogTime(call.at)}","timeEpoch":${call.at}}`
  );
}

function authorizer(caller: HttpCaller): string {
  if (caller.kind === "anonymous") return "";
  const { accessKey, accountId, userArn, userId } = caller;
  const iam = { accessKey, accountId, callerId: userId, cognitoIdentity: null, principalOrgId: null, userArn, userId };
  return `,"authorizer":{"iam":${JSON.stringify(iam)}}`;
}

/**
 * JSON of the headers: every one as one string, repeated ones joined by a comma; cookies travel in a list of their own.
 * Written at once, because an object in between would cost more than the rest of the event.
 */
function eventHeaders(headers: IncomingHttpHeaders): { json: string; cookies: string[] | undefined } {
  let json = "";
  let cookies: string[] | undefined;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (name === "cookie") cookies = String(value).split("; ");
    else json += `${json === "" ? "{" : ","}${text(name)}:${text(typeof value === "string" ? value : value.join(","))}`;
  }
  return { json: json === "" ? "{}" : `${json}}`, cookies };
}

/** Repeated names are joined by a comma, as AWS does; a name without "=" has the empty value. */
function queryParameters(rawQuery: string): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    const before = parameters[name];
    parameters[name] = before === undefined ? value : `${before},${value}`;
  }
  return parameters;
}

function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURI(path);
  } catch {
    // A malformed escape is passed on as it came: the function decides what its paths mean.
    return path;
  }
}

/** AWS passes these as text and everything else as base64; a body without content type counts as text. */
function isText(contentType: string | undefined): boolean {
  if (contentType === undefined) return true;
  const semicolon = contentType.indexOf(";");
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  return (
    type.startsWith("text/") ||
    type === "application/json" ||
    type === "application/javascript" ||
    type === "application/xml" ||
    type.endsWith("+json") ||
    type.endsWith("+xml")
  );
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
let lastSecond = -1;
let lastText = "";

/** `12/Mar/2020:19:03:58 +0000`; one formatting per second is enough. */
function commonLogTime(atMs: number): string {
  const second = Math.floor(atMs / 1_000);
  if (second === lastSecond) return lastText;
  const iso = new Date(second * 1_000).toISOString();
  const month = MONTHS[Number(iso.slice(5, 7)) - 1];
  lastText = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
  lastSecond = second;
  return lastText;
}
