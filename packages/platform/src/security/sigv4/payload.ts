import { LambentError } from "../../base/index.ts";
import { incompleteSignature, quote, signatureMismatch } from "../refusals.ts";
import { headerValues, type RequestHead, type SignedRequest } from "../request.ts";
import { bodyHash } from "./canonical.ts";
import { ChunkSignatures } from "./chunk-signatures.ts";
import type { SignatureClaim } from "./claim.ts";
import type { SigningKeys } from "./signing-key.ts";

/** What a signature says of the body: the last line of its canonical request, and how a body that comes later is held to it. */

/** How a body that is still to come has to be checked. */
export type SignedPayload =
  /** Not covered by the signature. */
  | { readonly kind: "unsigned" }
  /** Has to have this SHA-256, in hex. */
  | { readonly kind: "hashed"; readonly sha256: string }
  /** Comes as aws-chunked; with signatures, every chunk has to have its own. */
  | { readonly kind: "streaming"; readonly trailer: boolean; readonly signatures: ChunkSignatures | undefined };

const UNSIGNED = "UNSIGNED-PAYLOAD";
const UNSIGNED_STREAM = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED_STREAM = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_STREAM_WITH_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

/** The payload line of a request whose body is there; a hash the client states has to be the body's. */
export function payloadHashOf(request: SignedRequest, claim: SignatureClaim): string {
  const stated = statedHash(request, claim);
  if (claim.scope.service === "s3") return s3PayloadHash(request, claim, stated);
  const actual = bodyHash(request.body);
  if (stated !== undefined && stated !== actual) throw otherBody();
  return actual;
}

function s3PayloadHash(request: SignedRequest, claim: SignatureClaim, stated: string | undefined): string {
  const line = statedForS3(claim, stated);
  if (line === UNSIGNED || line === UNSIGNED_STREAM) return line;
  // Taking a body in signed chunks without checking the chunks would take any body.
  if (line.startsWith("STREAMING-")) throw notTaken(line);
  if (line !== bodyHash(request.body)) throw otherBody();
  return line;
}

/** The payload line of a request to S3 whose body comes later: what the client states, in a form that the body can be held to. */
export function headPayloadHash(request: RequestHead, claim: SignatureClaim): string {
  const line = statedForS3(claim, statedHash(request, claim));
  if (STATED_FORMS.has(line) || /^[0-9a-f]{64}$/.test(line)) return line;
  if (line.startsWith("STREAMING-")) throw notTaken(line);
  throw new LambentError("InvalidParameter", `x-amz-content-sha256 has to be ${UNSIGNED}, a form of STREAMING-, or a SHA-256 in hex.`);
}

const STATED_FORMS: ReadonlySet<string> = new Set([UNSIGNED, UNSIGNED_STREAM, SIGNED_STREAM, SIGNED_STREAM_WITH_TRAILER]);

/** How the body has to be checked, once the signature over `line` was found right. */
export function signedPayload(line: string, claim: SignatureClaim, keys: SigningKeys, secretAccessKey: string): SignedPayload {
  switch (line) {
    case UNSIGNED:
      return { kind: "unsigned" };
    case UNSIGNED_STREAM:
      return { kind: "streaming", trailer: true, signatures: undefined };
    case SIGNED_STREAM:
    case SIGNED_STREAM_WITH_TRAILER: {
      const signatures = new ChunkSignatures(claim, (text) => keys.sign(secretAccessKey, claim.scopeText, text));
      return { kind: "streaming", trailer: line === SIGNED_STREAM_WITH_TRAILER, signatures };
    }
    default:
      return { kind: "hashed", sha256: line };
  }
}

/** How the body of a request that is not signed with Version 4 has to be checked: by what it states itself, if anything. */
export function unsignedPayload(request: RequestHead): SignedPayload {
  const line = headerValues(request.rawHeaders, "x-amz-content-sha256").at(-1)?.trim();
  if (line === undefined || line === UNSIGNED) return { kind: "unsigned" };
  if (line === UNSIGNED_STREAM) return { kind: "streaming", trailer: true, signatures: undefined };
  if (/^[0-9a-f]{64}$/.test(line)) return { kind: "hashed", sha256: line };
  throw new LambentError("InvalidParameter", `x-amz-content-sha256 is ${quote(line)}, which needs a signature of Version 4.`);
}

function statedHash(request: RequestHead, claim: SignatureClaim): string | undefined {
  const header = headerValues(request.rawHeaders, "x-amz-content-sha256").at(-1)?.trim();
  return header ?? claim.parameters.find((parameter) => parameter.name === "X-Amz-Content-Sha256")?.value;
}

function statedForS3(claim: SignatureClaim, stated: string | undefined): string {
  if (stated !== undefined) return stated;
  if (claim.form === "query") return UNSIGNED;
  throw incompleteSignature("The request has no x-amz-content-sha256 header, which S3 requires.", { what: "header" });
}

function notTaken(line: string): LambentError {
  return new LambentError("NotImplemented", `Bodies signed as ${line.slice(0, 80)} are not supported.`);
}

function otherBody(): LambentError {
  return signatureMismatch("x-amz-content-sha256 is not the SHA-256 of the body.");
}
