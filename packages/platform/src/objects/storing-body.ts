/** Takes a body in, in one pass: counted, digested, and kept in memory or in a loose file, according to its size. */
import { createHash, hash as digestOf, type Hash } from "node:crypto";
import { LambentError } from "../base/index.ts";
import type { BucketCell } from "./bucket-cell.ts";
import { createChecksum } from "./checksums/index.ts";
import type { IncomingBody } from "./incoming-body.ts";
import type { LooseFiles } from "./rows.ts";
import type { ChecksumAlgorithm } from "./version.ts";

/** A body up to this goes into the commit itself. @limit */
export const INLINE_BODY_BYTES_MAX = 16 * 1_024;
/** Bytes of one body; larger objects are uploaded in parts. @limit */
export const BODY_BYTES_MAX = 5 * 1_024 ** 3;

/** A body that was taken in, whole and as it was said to be. Nothing refers to it yet. */
export interface StoredBody {
  readonly bytes: number;
  /** Hex. */
  readonly md5: string;
  /** Base64. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
  readonly place: { readonly kind: "inline"; readonly content: Buffer } | { readonly kind: "file"; readonly file: string };
}

/**
 * Takes `body` in. `inlineBytesMax`: up to so many bytes stay in memory; a negative number makes a file of every body. Throws `IncompleteBody`
 * where it has another length than was declared, `ChecksumMismatch`, `RequestTooLarge`, `StorageFull`, `InvalidParameter` (a digest that is none),
 * `NotFound` once the bucket was deleted. Whatever is thrown, nothing is stored.
 */
export async function storeBody(cell: BucketCell, body: IncomingBody, inlineBytesMax: number = INLINE_BODY_BYTES_MAX): Promise<StoredBody> {
  const { source } = body;
  checkDeclared(body);
  if (source instanceof Uint8Array && source.length <= inlineBytesMax) return inlineBody(body, bufferOf(source));
  return cell.makingFiles(() => storeStream(cell, body, source instanceof Uint8Array ? [source] : source, inlineBytesMax));
}

/** The loose file of a stored body, where it has one. */
export function looseFileOf({ place }: Pick<StoredBody, "place">): LooseFiles | undefined {
  return place.kind === "file" ? { name: place.file } : undefined;
}

async function storeStream(
  cell: BucketCell,
  body: IncomingBody,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  inlineBytesMax: number,
): Promise<StoredBody> {
  const chunks = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let ended = false;
  try {
    const first: Buffer[] = [];
    let bytes = 0;
    while (bytes <= inlineBytesMax) {
      const next = await chunks.next();
      if (next.done) {
        ended = true;
        return inlineBody(body, first.length === 1 && first[0] ? first[0] : Buffer.concat(first, bytes));
      }
      bytes += next.value.length;
      first.push(bufferOf(next.value));
      if (bytes > (body.length ?? BODY_BYTES_MAX)) throw tooLong(body, bytes);
    }
    const file = cell.newFile();
    const expected = cell.loose.expect({ name: file });
    // Waited for behind the last byte; until then nobody looks whether it was refused.
    expected.catch(() => undefined);
    const pass = new BodyPass({ cell, body, first, rest: chunks, expected, onEnded: () => (ended = true) });
    try {
      await cell.bodies.write(cell.owner, file, pass.through());
      return { ...pass.checked(), place: { kind: "file", file } };
    } catch (error) {
      // Nothing refers to it, whatever went wrong.
      await expected.catch(() => undefined);
      await cell.loose.discard({ name: file });
      throw error;
    }
  } finally {
    // Its sender is told that nobody reads on.
    if (!ended) await chunks.return?.();
  }
}

interface BodyPassParts {
  readonly cell: BucketCell;
  readonly body: IncomingBody;
  /** What was taken from the source before, and what is left in it. */
  readonly first: readonly Buffer[];
  readonly rest: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  /** Resolves once the file's row as a loose one is durable. */
  readonly expected: Promise<void>;
  readonly onEnded: () => void;
}

/** A body on its way through to the disk. */
class BodyPass {
  readonly #parts: BodyPassParts;
  readonly #body: IncomingBody;
  readonly #md5 = createHash("md5");
  readonly #sha256: Hash | undefined;
  readonly #checksum: ReturnType<typeof createChecksum> | undefined;
  #bytes = 0;

  constructor(parts: BodyPassParts) {
    const { body } = parts;
    this.#parts = parts;
    this.#body = body;
    this.#sha256 = body.signedSha256 === undefined ? undefined : createHash("sha256");
    this.#checksum = body.checksum && createChecksum(body.checksum.algorithm);
  }

  async *through(): AsyncGenerator<Uint8Array> {
    const { cell, first, rest, expected, onEnded } = this.#parts;
    for (const chunk of first) yield this.#seen(chunk);
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      cell.refuseWhenGone();
      yield this.#seen(bufferOf(next.value));
    }
    onEnded();
    // What is short is refused before the disk is asked to keep it.
    checkLength(this.#body, this.#bytes);
    // The file gets its name behind this: the row that knows of it is there before.
    await expected;
  }

  /** Behind the last byte. */
  checked(): Omit<StoredBody, "place"> {
    const digests = {
      bytes: this.#bytes,
      md5: this.#md5.digest(),
      sha256: this.#sha256?.digest("hex"),
      checksum: this.#checksum?.digest(),
    };
    return checkDigests(this.#body, digests);
  }

  #seen(chunk: Buffer): Buffer {
    this.#bytes += chunk.length;
    if (this.#bytes > (this.#body.length ?? BODY_BYTES_MAX)) throw tooLong(this.#body, this.#bytes);
    this.#md5.update(chunk);
    this.#sha256?.update(chunk);
    this.#checksum?.update(chunk);
    return chunk;
  }
}

function inlineBody(body: IncomingBody, content: Buffer): StoredBody {
  checkLength(body, content.length);
  const checksum = body.checksum && createChecksum(body.checksum.algorithm);
  checksum?.update(content);
  const digests = {
    bytes: content.length,
    md5: digestOf("md5", content, "buffer"),
    sha256: body.signedSha256 === undefined ? undefined : digestOf("sha256", content, "hex"),
    checksum: checksum?.digest(),
  };
  return { ...checkDigests(body, digests), place: { kind: "inline", content } };
}

interface Digests {
  readonly bytes: number;
  readonly md5: Buffer;
  readonly sha256: string | undefined;
  readonly checksum: Buffer | undefined;
}

function checkDigests(body: IncomingBody, { bytes, md5, sha256, checksum }: Digests): Omit<StoredBody, "place"> {
  const md5Text = md5.toString("base64");
  if (body.md5 !== undefined && body.md5 !== md5Text) throw mismatch("md5", "Content-MD5", md5Text, body.md5);
  if (sha256 !== undefined && sha256 !== body.signedSha256?.toLowerCase())
    throw mismatch("sha256", "signed SHA-256", sha256, body.signedSha256 ?? "");
  const kept = checksum && body.checksum && { algorithm: body.checksum.algorithm, value: checksum.toString("base64") };
  const expected = body.checksum?.value ?? body.trailingChecksum?.();
  if (kept && expected !== undefined && expected !== kept.value) throw mismatch("checksum", kept.algorithm, kept.value, expected);
  return { bytes, md5: md5.toString("hex"), checksum: kept };
}

function checkDeclared({ md5, length = 0 }: IncomingBody): void {
  if (md5 !== undefined && Buffer.from(md5, "base64").length !== 16)
    throw new LambentError("InvalidParameter", "The Content-MD5 you specified was invalid.", { what: "digest" });
  if (length > BODY_BYTES_MAX) throw tooLarge(length);
}

function checkLength({ length }: IncomingBody, bytes: number): void {
  if (length === undefined || bytes === length) return;
  throw new LambentError("IncompleteBody", `The body has ${bytes} bytes; ${length} were declared.`);
}

function tooLong({ length }: IncomingBody, bytes: number): LambentError {
  if (length === undefined) return tooLarge(bytes);
  return new LambentError("IncompleteBody", `The body goes on behind the ${length} bytes that were declared.`);
}

function tooLarge(bytes: number): LambentError {
  return new LambentError("RequestTooLarge", `A body has at most ${BODY_BYTES_MAX} bytes; this one has ${bytes} or more.`, {
    bytesMax: BODY_BYTES_MAX,
  });
}

function mismatch(digest: "md5" | "sha256" | "checksum", name: string, actual: string, expected: string): LambentError {
  return new LambentError("ChecksumMismatch", `The ${name} of the body is ${actual}, not ${expected} as was sent with it.`, { digest });
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
