import { timingSafeEqual } from "node:crypto";
import { type ErrorDetails, LambentError, type Instant } from "../../base/index.ts";
import { incompleteSignature, signatureMismatch } from "../refusals.ts";
import type { RequestHead } from "../request.ts";
import { parseAmzDate } from "./amz-date.ts";
import {
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
  if (signedAt === undefined) throw incompleteSignature(`X-Amz-Date is not of the form 20150830T123600Z.`);
  if (claim.scope.date !== claim.amzDate.slice(0, 8)) {
    throw signatureMismatch(`The credential's date ${claim.scope.date} is not the day of X-Amz-Date ${claim.amzDate}.`);
  }
  const aheadMs = signedAt - now;
  if (aheadMs > CLOCK_SKEW_MS_MAX)
    throw expired(`The request was signed at ${claim.amzDate}, more than 15 minutes ahead of the server's clock.`);
  if (claim.form === "query") {
    if (now > signedAt + claim.expiresSeconds * 1_000)
      throw expired(`The presigned URL of ${claim.amzDate} was good for ${claim.expiresSeconds} s.`, { what: "query" });
  } else if (aheadMs < -CLOCK_SKEW_MS_MAX) {
    throw expired(`The request was signed at ${claim.amzDate}, more than 15 minutes behind the server's clock.`);
  }
}

function expired(message: string, details: ErrorDetails = {}): LambentError {
  return new LambentError("RequestExpired", message, details);
}

export interface Verification {
  readonly keys: SigningKeys;
  readonly secretAccessKey: string;
  /** Last line of the canonical request, see payload.ts; asked for last, as it may have to hash a body. */
  payloadHash(): string;
  /** By default what the scope's service needs. */
  readonly pathStyle?: PathStyle | undefined;
}

/** Refuses a request whose signature is not the one its claim and the secret lead to: `SignatureMismatch`. */
export function checkSignature(request: RequestHead, claim: SignatureClaim, verification: Verification): void {
  const headers = signedHeaders(request, claim);
  const canonical = canonicalRequest({
    method: request.method,
    path: canonicalPath(claim.path, verification.pathStyle ?? pathStyleOf(claim.scope.service)),
    query: canonicalQuery(claim.parameters),
    headers,
    payloadHash: verification.payloadHash(),
  });
  const text = stringToSign(claim.amzDate, claim.scopeText, canonical);
  const right = verification.keys.sign(verification.secretAccessKey, claim.scopeText, text);
  if (!timingSafeEqual(right, claim.signature)) {
    throw signatureMismatch("The signature does not match the request, its headers and the secret key of this access key.");
  }
}

/**
 * One pass over the raw headers: the signed ones with their values joined, and a refusal when an `x-amz-` header is
 * not among them, because it could have been added on the way and changes what the request does.
 */
function signedHeaders(request: RequestHead, claim: SignatureClaim): (readonly [name: string, value: string])[] {
  const values = new Map<string, string | undefined>();
  for (const name of claim.signedHeaders) values.set(name, undefined);
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    if (values.has(name)) {
      const before = values.get(name);
      const canonical = canonicalHeaderValue(rawHeaders[index + 1] ?? "");
      values.set(name, before === undefined ? canonical : `${before},${canonical}`);
    } else if (name.startsWith("x-amz-") && !MAY_BE_UNSIGNED.has(name)) {
      throw signatureMismatch(`The header ${name} is not among the signed ones; every x-amz- header has to be.`);
    }
  }
  return claim.signedHeaders.map((name) => [name, values.get(name) ?? hostUnderItsOtherName(request, name)] as const);
}

/**
 * `x-amz-security-token`: it needs no signature, since the secret key follows from it, so another token would need another signature;
 * some clients add it after signing. `x-amz-content-sha256`: its value is compared with the body, or is signed as the payload's hash.
 */
const MAY_BE_UNSIGNED: ReadonlySet<string> = new Set(["x-amz-security-token", "x-amz-content-sha256"]);

/** HTTP/2 carries the host as `:authority`; clients sign either name. */
function hostUnderItsOtherName(request: RequestHead, name: string): string {
  const other = name === "host" ? ":authority" : name === ":authority" ? "host" : undefined;
  if (other !== undefined) {
    for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
      if (request.rawHeaders[index]?.toLowerCase() === other) return canonicalHeaderValue(request.rawHeaders[index + 1] ?? "");
    }
  }
  throw signatureMismatch(`The header ${name} is named as signed but is not in the request.`);
}
