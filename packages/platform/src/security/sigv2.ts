import { createHmac, timingSafeEqual } from "node:crypto";
import { LambentError, type Instant } from "../base/index.ts";
import { incompleteSignature, quote, signatureMismatch } from "./refusals.ts";
import { headerValues, type RequestHead } from "./request.ts";
import { parseQuery, splitTarget, type QueryParameter } from "./sigv4/canonical.ts";

/**
 * Signature Version 2 of S3, in presigned URLs only: what boto3 makes where nobody asked for another version
 * (`AWSAccessKeyId`, `Signature`, `Expires`). In the Authorization header it is refused: nobody's default any more.
 *
 * It covers less than Version 4: the method, the path, `Content-Type`, `Content-MD5`, all `x-amz-` headers, and the query parameters that
 * name a part of a resource. Parameters that it does not cover are refused, but for those that only choose a page of a list.
 */

/** What a presigned URL of Version 2 says of itself, unchecked. */
export interface QueryV2Claim {
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
  /** Good until then. */
  readonly expiresAt: Instant;
  /** Text as it came: compared, never read. */
  readonly signature: string;
  readonly path: string;
  readonly parameters: readonly QueryParameter[];
}

/** Query parameters that are part of the canonical resource. */
const SIGNED_PARAMETERS: ReadonlySet<string> = new Set([
  "accelerate",
  "acl",
  "analytics",
  "cors",
  "defaultObjectAcl",
  "delete",
  "inventory",
  "lifecycle",
  "location",
  "logging",
  "metrics",
  "notification",
  "object-lock",
  "partNumber",
  "policy",
  "replication",
  "requestPayment",
  "restore",
  "select",
  "select-type",
  "storageClass",
  "tagging",
  "torrent",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
  "versions",
  "website",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
]);

/** Headers that are signed and that clients put into the query. */
const HOISTED_STANDARD: ReadonlySet<string> = new Set(["content-type", "content-md5"]);

/** Parameters that choose among what a list has; S3 leaves them out of the signature. */
const PAGE_PARAMETERS: ReadonlySet<string> = new Set([
  "continuation-token",
  "delimiter",
  "encoding-type",
  "fetch-owner",
  "key-marker",
  "list-type",
  "marker",
  "max-keys",
  "max-parts",
  "max-uploads",
  "part-number-marker",
  "prefix",
  "start-after",
  "upload-id-marker",
  "version-id-marker",
]);

/** Reads the claim of a URL presigned with Version 2, or undefined where there is none. Throws `IncompleteSignature`. */
export function readQueryV2Claim(request: RequestHead): QueryV2Claim | undefined {
  const { path, query } = splitTarget(request.rawUrl);
  if (!/(?:^|&)AWSAccessKeyId=/.test(query)) return undefined;
  if (/(?:^|&)X-Amz-(?:Algorithm|Signature|Credential)=/.test(query) || headerValues(request.rawHeaders, "authorization").length > 0)
    throw incompleteSignature("The request is signed more than once; only one signature is allowed.");
  const parameters = parseQuery(query);
  const values = (name: string): string[] => parameters.filter((parameter) => parameter.name === name).map((parameter) => parameter.value);
  const single = (name: string): string => {
    const [value, ...others] = values(name);
    if (value === undefined || value === "") throw incompleteSignature(`The request has no query parameter ${name}.`, { what: "query" });
    if (others.length > 0) throw incompleteSignature(`The request has more than one query parameter ${name}.`, { what: "query" });
    return value;
  };
  const expires = single("Expires");
  if (!/^\d{1,12}$/.test(expires)) throw incompleteSignature("Expires is not a number of seconds since 1970.", { what: "query" });
  return {
    accessKeyId: single("AWSAccessKeyId"),
    sessionToken: signedAmzHeaders(request, parameters).get("x-amz-security-token"),
    expiresAt: Number(expires) * 1_000,
    signature: single("Signature"),
    path,
    parameters,
  };
}

/** Refuses a URL that is past its end: `RequestExpired`. */
export function checkQueryV2Time(claim: QueryV2Claim, now: Instant): void {
  if (now > claim.expiresAt)
    throw new LambentError("RequestExpired", `The presigned URL was good until ${new Date(claim.expiresAt).toISOString()}.`, {
      what: "query",
    });
}

/** Refuses a URL whose signature is not that of the request under the secret: `SignatureMismatch`. `hostBucket`: named by the host, not the path. */
export function checkQueryV2Signature(
  request: RequestHead,
  claim: QueryV2Claim,
  secretAccessKey: string,
  hostBucket: string | undefined,
): void {
  for (const { name } of claim.parameters) {
    if (!isCovered(name))
      throw signatureMismatch(`Signature Version 2 does not cover the query parameter ${quote(name)}; sign with Version 4.`);
  }
  const isRight = resourcePaths(claim.path, hostBucket).some((path) =>
    sameText(signatureV2(secretAccessKey, stringToSign(request, claim, path)), claim.signature),
  );
  if (!isRight) throw signatureMismatch("The signature does not match the request, its headers and the secret key of this access key.");
}

/** The signature of Version 2 over `text` (one character a byte): HMAC-SHA1, in base64. */
export function signatureV2(secretAccessKey: string, text: string): string {
  return createHmac("sha1", Buffer.from(secretAccessKey, "utf8")).update(Buffer.from(text, "latin1")).digest("base64");
}

/** Whether two signatures are the same, in time that does not depend on where they differ. */
export function sameText(right: string, given: string): boolean {
  const [a, b] = [Buffer.from(right, "utf8"), Buffer.from(given, "utf8")];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

/** With the bucket, wherever the request names it; a bucket alone is signed with a slash behind it or without, whichever of them was sent. */
function resourcePaths(path: string, hostBucket: string | undefined): readonly string[] {
  const full = hostBucket === undefined ? path : `/${hostBucket}${path}`;
  const [, bucket] = /^(\/[^/]+)\/?$/.exec(full) ?? [];
  return bucket === undefined ? [full] : [`${bucket}/`, bucket];
}

function stringToSign(request: RequestHead, claim: QueryV2Claim, resourcePath: string): string {
  const standard = (name: string): string => headerOrHoisted(request, claim.parameters, name) ?? "";
  const amzHeaders = [...signedAmzHeaders(request, claim.parameters)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parameters = claim.parameters
    .filter(({ name }) => SIGNED_PARAMETERS.has(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ name, value }) => (value === "" ? name : `${name}=${value}`));
  return [
    request.method,
    standard("content-md5"),
    standard("content-type"),
    String(claim.expiresAt / 1_000),
    ...amzHeaders.map(([name, value]) => `${name}:${value}`),
    `${resourcePath}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`,
  ].join("\n");
}

/** Every `x-amz-` header by its lower-case name, whether it came as a header or in the query. */
function signedAmzHeaders(request: RequestHead, parameters: readonly QueryParameter[]): Map<string, string> {
  const names = new Set<string>();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) names.add((request.rawHeaders[index] ?? "").toLowerCase());
  for (const { name } of parameters) names.add(name.toLowerCase());
  const found = new Map<string, string>();
  for (const name of names) {
    if (name.startsWith("x-amz-")) found.set(name, headerOrHoisted(request, parameters, name) ?? "");
  }
  return found;
}

/** The one value of a header that may stand in the query instead; whoever reads either of them reads what was signed. */
function headerOrHoisted(request: RequestHead, parameters: readonly QueryParameter[], name: string): string | undefined {
  const sent = headerValues(request.rawHeaders, name).map((value) => value.trim());
  const hoisted = parameters.filter((parameter) => parameter.name.toLowerCase() === name).map((parameter) => parameter.value.trim());
  if (sent.length > 0 && hoisted.some((value) => value !== sent.join(",")))
    throw signatureMismatch(`The header ${quote(name)} has another value in the query.`);
  if (hoisted.length > 1) throw signatureMismatch(`The query has ${quote(name)} more than once.`);
  return sent.length > 0 ? sent.join(",") : hoisted[0];
}

function isCovered(name: string): boolean {
  if (name === "AWSAccessKeyId" || name === "Signature" || name === "Expires") return true;
  const lowerCase = name.toLowerCase();
  return SIGNED_PARAMETERS.has(name) || PAGE_PARAMETERS.has(name) || HOISTED_STANDARD.has(lowerCase) || lowerCase.startsWith("x-amz-");
}
