import { createHash, hash, timingSafeEqual, type Hash } from "node:crypto";
import { invariant } from "../../base/index.ts";
import { signatureMismatch } from "../refusals.ts";
import { bodyHash } from "./canonical.ts";
import type { SignatureClaim } from "./claim.ts";

const EMPTY_SHA256 = bodyHash(new Uint8Array());

/**
 * The signatures of a body in signed chunks. Each covers the one before, the first one that of the request: chunks can be neither
 * changed, nor left out, nor put in another order. Holds one hash under way and the last signature, nothing of the bytes.
 */
export class ChunkSignatures {
  readonly #amzDate: string;
  readonly #scopeText: string;
  readonly #sign: (text: string) => Buffer;
  /** Hex. */
  #previous: string;
  #chunk: Hash | undefined;

  /** `sign` is the HMAC under the request's signing key. */
  constructor(claim: Pick<SignatureClaim, "amzDate" | "scopeText" | "signature">, sign: (text: string) => Buffer) {
    this.#amzDate = claim.amzDate;
    this.#scopeText = claim.scopeText;
    this.#sign = sign;
    this.#previous = claim.signature.toString("hex");
  }

  /** A chunk begins; the last one, of no bytes, is one too. */
  begin(): void {
    this.#chunk = createHash("sha256");
  }

  /** Bytes of the chunk that began. */
  update(bytes: Uint8Array): void {
    invariant(this.#chunk !== undefined, "a chunk has begun");
    this.#chunk.update(bytes);
  }

  /** The chunk ended. Throws `SignatureMismatch` where `signatureHex` is not its signature. */
  end(signatureHex: string): void {
    invariant(this.#chunk !== undefined, "a chunk has begun");
    const digest = this.#chunk.digest("hex");
    this.#chunk = undefined;
    this.#check("AWS4-HMAC-SHA256-PAYLOAD", `${EMPTY_SHA256}\n${digest}`, signatureHex, "a chunk of the body");
  }

  /** The trailers as they are signed (`name:value\n` each), behind the last chunk. Throws `SignatureMismatch`. */
  trailer(canonicalTrailers: string, signatureHex: string): void {
    this.#check("AWS4-HMAC-SHA256-TRAILER", hash("sha256", canonicalTrailers, "hex"), signatureHex, "the trailers");
  }

  #check(algorithm: string, what: string, signatureHex: string, place: string): void {
    const right = this.#sign(`${algorithm}\n${this.#amzDate}\n${this.#scopeText}\n${this.#previous}\n${what}`);
    if (!/^[0-9a-f]{64}$/.test(signatureHex) || !timingSafeEqual(right, Buffer.from(signatureHex, "hex"))) {
      throw signatureMismatch(`The signature of ${place} does not match.`);
    }
    this.#previous = signatureHex;
  }
}
