import { timingSafeEqual } from "node:crypto";
import { LambentError, type Instant } from "../../base/index.ts";
import type { SignedRequest } from "../request.ts";
import { parseAmzDate } from "./amz-date.ts";
import {
  bodyHash,
  canonicalHeaderValue,
  canonicalPath,
  canonicalQuery,
  canonicalRequest,
  pathStyleOf,
  stringToSign,
  type PathStyle,
} from "./canonical.ts";
import type { SignatureClaim } from "./claim.ts";
import type { SigningKeys } from "./signing-key.ts";

/** How far a request's time may be from the server's, either way. */
const CLOCK_SKEW_MS_MAX = 15 * 60_000;

/** Refuses a claim whose times do not fit: `RequestExpired`, or `IncompleteSignature` when they are no times. */
export function checkTime(claim: SignatureClaim, now: Instant): void {
  const signedAt = parseAmzDate(claim.amzDate);
  if (signedAt === undefined) throw new LambentError("IncompleteSignature", `X-Amz-Date is not of the form 20150830T123600Z.`);
  if (claim.scope.date !== claim.amzDate.slice(0, 8)) {
    throw new LambentError("SignatureMismatch", `The credential's date ${claim.scope.date} is not the day of X-Amz-Date ${claim.amzDate}.`);
  }
  const aheadMs = signedAt - now;
  if (aheadMs > CLOCK_SKEW_MS_MAX)
    throw expired(`The request was signed at ${claim.amzDate}, more than 15 minutes ahead of the server's clock.`);
  if (claim.form === "query") {
    if (now > signedAt + claim.expiresSeconds * 1_000)
      throw expired(`The presigned URL of ${claim.amzDate} was good for ${claim.expiresSeconds} s.`);
  } else if (aheadMs < -CLOCK_SKEW_MS_MAX) {
    throw expired(`The request was signed at ${claim.amzDate}, more than 15 minutes behind the server's clock.`);
  }
}

function expired(message: string): LambentError {
  return new LambentError("RequestExpired", message);
}

export interface Verification {
  readonly keys: SigningKeys;
  readonly secretAccessKey: string;
  /** By default what the scope's service needs. */
  readonly pathStyle?: PathStyle | undefined;
}

/** Refuses a request whose signature is not the one its claim and the secret lead to: `SignatureMismatch`. */
export function checkSignature(request: SignedRequest, claim: SignatureClaim, verification: Verification): void {
  const headers = collectHeaders(request, claim);
  const canonical = canonicalRequest({
    method: request.method,
    path: canonicalPath(claim.path, verification.pathStyle ?? pathStyleOf(claim.scope.service)),
    query: canonicalQuery(claim.parameters),
    headers: headers.signed,
    payloadHash: payloadHash(request, claim, headers.contentSha256),
  });
  const text = stringToSign(claim.amzDate, claim.scopeText, canonical);
  const right = verification.keys.sign(verification.secretAccessKey, claim.scopeText, text);
  if (!timingSafeEqual(right, claim.signature)) {
    throw mismatch("The signature does not match the request, its headers and the secret key of this access key.");
  }
}

interface CollectedHeaders {
  readonly signed: readonly (readonly [name: string, value: string])[];
  readonly contentSha256: string | undefined;
}

/**
 * One pass over the raw headers: the signed ones with their values joined, and a refusal when an `x-amz-` header is
 * not among them, because it could have been added on the way and changes what the request does.
 */
function collectHeaders(request: SignedRequest, claim: SignatureClaim): CollectedHeaders {
  const values = new Map<string, string | undefined>();
  for (const name of claim.signedHeaders) values.set(name, undefined);
  let contentSha256: string | undefined;
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    const value = rawHeaders[index + 1] ?? "";
    if (name === "x-amz-content-sha256") contentSha256 = value.trim();
    if (values.has(name)) {
      const before = values.get(name);
      const canonical = canonicalHeaderValue(value);
      values.set(name, before === undefined ? canonical : `${before},${canonical}`);
    } else if (name.startsWith("x-amz-") && !MAY_BE_UNSIGNED.has(name)) {
      throw mismatch(`The header ${name} is not among the signed ones; every x-amz- header has to be.`);
    }
  }
  const signed = claim.signedHeaders.map((name) => [name, values.get(name) ?? hostUnderItsOtherName(request, name)] as const);
  return { signed, contentSha256 };
}

/**
 * `x-amz-security-token`: it needs no signature, since the secret key follows from it, so another token would need another signature;
 * some clients add it after signing. `x-amz-content-sha256`: its value is compared with the body, or is signed as the payload's hash.
 */
const MAY_BE_UNSIGNED: ReadonlySet<string> = new Set(["x-amz-security-token", "x-amz-content-sha256"]);

/** HTTP/2 carries the host as `:authority`; clients sign either name. */
function hostUnderItsOtherName(request: SignedRequest, name: string): string {
  const other = name === "host" ? ":authority" : name === ":authority" ? "host" : undefined;
  if (other !== undefined) {
    for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
      if (request.rawHeaders[index]?.toLowerCase() === other) return canonicalHeaderValue(request.rawHeaders[index + 1] ?? "");
    }
  }
  throw mismatch(`The header ${name} is named as signed but is not in the request.`);
}

/** The last line of the canonical request; a hash the client states has to be the body's. */
function payloadHash(request: SignedRequest, claim: SignatureClaim, header: string | undefined): string {
  const stated = header ?? claim.parameters.find((parameter) => parameter.name === "X-Amz-Content-Sha256")?.value;
  if (claim.scope.service === "s3") return s3PayloadHash(request, claim, stated);
  const actual = bodyHash(request.body);
  if (stated !== undefined && stated !== actual) throw mismatch("x-amz-content-sha256 is not the SHA-256 of the body.");
  return actual;
}

function s3PayloadHash(request: SignedRequest, claim: SignatureClaim, stated: string | undefined): string {
  if (stated === undefined) {
    if (claim.form === "query") return "UNSIGNED-PAYLOAD";
    throw new LambentError("IncompleteSignature", "The request has no x-amz-content-sha256 header, which S3 requires.");
  }
  if (stated === "UNSIGNED-PAYLOAD" || stated === "STREAMING-UNSIGNED-PAYLOAD-TRAILER") return stated;
  // Taking a body in signed chunks without checking the chunks would take any body.
  if (stated.startsWith("STREAMING-"))
    throw new LambentError("NotImplemented", `Bodies signed as ${stated.slice(0, 80)} are not supported.`);
  if (stated !== bodyHash(request.body)) throw mismatch("x-amz-content-sha256 is not the SHA-256 of the body.");
  return stated;
}

function mismatch(message: string): LambentError {
  return new LambentError("SignatureMismatch", message);
}
