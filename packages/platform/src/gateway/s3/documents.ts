/** Bodies that are read whole before their operation runs: documents of configurations, lists of keys. */
import { hash } from "node:crypto";
import { LambentError } from "../../base/index.ts";
import { createChecksum, type IncomingBody } from "../../objects/index.ts";
import type { BodyBudget, HeldBody } from "../body.ts";

/** Largest body of an operation that does not take a stream: a thousand keys of a kilobyte, each with room. @limit */
export const S3_DOCUMENT_BYTES_MAX = 6 * 1024 * 1024;

/** Receives `body`, and holds it to every digest that came with it. Throws `RequestTooLarge`, `IncompleteBody`, `ChecksumMismatch`. */
export async function receiveDocument(body: IncomingBody, bodies: BodyBudget): Promise<HeldBody> {
  const { source, length = 0 } = body;
  if (length > S3_DOCUMENT_BYTES_MAX)
    throw new LambentError("RequestTooLarge", `The document has ${length} bytes; at most ${S3_DOCUMENT_BYTES_MAX} are read.`);
  const held = await bodies.gather(source instanceof Uint8Array ? [source] : source, S3_DOCUMENT_BYTES_MAX);
  try {
    checkDigests(body, held.bytes);
    return held;
  } catch (error) {
    held.release();
    throw error;
  }
}

function checkDigests({ length, signedSha256, md5, checksum, trailingChecksum }: IncomingBody, bytes: Buffer): void {
  if (length !== undefined && length !== bytes.length)
    throw new LambentError("IncompleteBody", `The body has ${bytes.length} bytes; ${length} were declared.`);
  compare("sha256", "signed SHA-256", signedSha256, () => hash("sha256", bytes, "hex"));
  compare("md5", "Content-MD5", md5, () => hash("md5", bytes, "base64"));
  if (!checksum) return;
  compare("checksum", checksum.algorithm, checksum.value ?? trailingChecksum?.(), () => {
    const computed = createChecksum(checksum.algorithm);
    computed.update(bytes);
    return computed.digest().toString("base64");
  });
}

function compare(digest: string, name: string, expected: string | undefined, compute: () => string): void {
  if (expected === undefined) return;
  const actual = compute();
  if (actual !== expected)
    throw new LambentError("ChecksumMismatch", `The ${name} of the body is ${actual}, not ${expected.slice(0, 100)} as was sent with it.`, {
      digest,
    });
}
