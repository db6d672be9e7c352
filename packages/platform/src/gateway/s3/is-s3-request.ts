/**
 * Which requests are S3's. What a request says of itself decides, in this order:
 *
 * 1. signed for `s3`, in its header or in its query, or in S3's old ways (`AWS <key>:…`, `?AWSAccessKeyId=`): S3's; signed for another service: not;
 * 2. a target, an action or a form of awsQuery: not S3's, which has none of them;
 * 3. a host of S3, or of a bucket: S3's;
 * 4. the root, and what begins with an underscore (the platform's own paths): not S3's;
 * 5. a path that begins with what may be a bucket's name: S3's if it is a browser's question before a request of another origin, or an upload
 *    by a form, which no other service takes; else *untold*: S3's unless another service has such a path, which takes their schemas.
 */
import type { IncomingHttpHeaders } from "node:http";
import { type HostNames, meaningOf } from "./addressing.ts";

export interface S3RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

export type S3Telling = "s3" | "other" | "untold";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);
/** Scopes end in `/<region>/<service>/aws4_request`. */
const SCOPE_OF_S3 = "/s3/aws4_request";
const BUCKET_NAME = /^\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:[/?]|$)/;

/** Whether a request is S3's, as far as its head tells. */
export function isS3Request(head: S3RequestHead, names: HostNames): S3Telling {
  const { headers, url = "/", method = "GET" } = head;
  const signed = signedFor(url, headers);
  if (signed !== undefined) return signed;
  const mark = url.indexOf("?");
  if (headers["x-amz-target"] !== undefined || headers["smithy-protocol"] !== undefined) return "other";
  if (mark >= 0 && /[?&]Action=/.test(url.slice(mark))) return "other";
  const type = headers["content-type"] ?? "";
  if (method === "POST" && type.startsWith("application/x-www-form-urlencoded")) return "other";
  if (!METHODS.has(method)) return "other";
  if (meaningOf(headers.host ?? "", names, false).kind !== "endpoint") return "s3";
  if (!BUCKET_NAME.test(url)) return "other";
  if (isForm(method, type) || isPreflight(method, headers)) return "s3";
  return "untold";
}

function signedFor(url: string, headers: IncomingHttpHeaders): S3Telling | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    if (authorization.startsWith("AWS4-HMAC-SHA256")) return authorization.includes(SCOPE_OF_S3) ? "s3" : "other";
    if (authorization.startsWith("AWS ")) return "s3";
  }
  const mark = url.indexOf("?");
  if (mark < 0) return undefined;
  const scope = /[?&]X-Amz-Credential=([^&]*)/.exec(url)?.[1];
  if (scope !== undefined) return /(?:\/|%2F)s3(?:\/|%2F)aws4_request$/i.test(scope) ? "s3" : "other";
  return /[?&]AWSAccessKeyId=/.test(url) && /[?&]Signature=/.test(url) ? "s3" : undefined;
}

/** An upload by a page's form. */
export function isForm(method: string, contentType: string): boolean {
  return method === "POST" && /^multipart\/form-data\s*;/i.test(contentType);
}

/** A browser's question before it sends what another origin's page wants to send. */
function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return method === "OPTIONS" && headers.origin !== undefined;
}
