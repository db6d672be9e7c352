/**
 * Bodies in the framing `aws-chunked`: chunks with their sizes in hex, each perhaps signed, and behind the last one trailers with the checksum.
 *
 * Passes slices of what came on, small ones put together, and keeps none of it (P7). Bytes of a chunk go on before its signature is known: whoever takes them may
 * count on them only once the body has ended without an error. Not every sender ends its trailers alike; what is unambiguous is taken.
 */
import { LambentError } from "../../base/index.ts";
import type { ChunkSignatures } from "../../security/index.ts";

/** Longest line before a chunk: size, extensions, signature (P7). */
const CHUNK_LINE_BYTES_MAX = 1_024;
/** Largest chunk: the largest body of one request. */
const CHUNK_BYTES_MAX = 5 * 1024 ** 3;
/** Chunks below this are copied together, as far as they came together (P7). */
const SMALL_BYTES = 4_096;
/** All trailers together (P7). */
const TRAILER_BYTES_MAX = 16 * 1024;
/** Line ends that some senders put behind the last one. */
const SURPLUS_BYTES_MAX = 8;

export interface ChunkedFraming {
  /** Whether trailers follow the last chunk. */
  readonly trailer: boolean;
  /** What the chunks have to be signed with; undefined where they are not signed. */
  readonly signatures?: ChunkSignatures | undefined;
  /** Bytes of the body without its framing (`x-amz-decoded-content-length`). */
  readonly decodedLength?: number | undefined;
  /** Lower-case names that have to be among the trailers, and no others (`x-amz-trailer`); undefined: any. */
  readonly trailerNames?: readonly string[] | undefined;
}

export interface ChunkedBody {
  /** The body without its framing; read once. Throws `MalformedRequest`, `IncompleteBody`, `SignatureMismatch`. */
  readonly source: AsyncIterable<Buffer>;
  /** The value of a trailer by its lower-case name, once the source has ended. */
  trailer(name: string): string | undefined;
}

/** The body within `source`. */
export function decodeAwsChunked(source: AsyncIterable<Uint8Array>, framing: ChunkedFraming): ChunkedBody {
  const decoder = new ChunkDecoder(framing);
  return { source: decode(source, decoder), trailer: (name) => decoder.trailers.get(name) };
}

async function* decode(source: AsyncIterable<Uint8Array>, decoder: ChunkDecoder): AsyncGenerator<Buffer, void> {
  for await (const bytes of source) yield* joined(decoder.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  decoder.finish();
}

/** Whoever takes the body has far more to do for a piece than for a byte: chunks of next to nothing go on together. */
function* joined(pieces: Iterable<Buffer>): Generator<Buffer, void> {
  let small: Buffer[] = [];
  for (const piece of pieces) {
    if (piece.length < SMALL_BYTES) {
      small.push(piece);
      continue;
    }
    if (small.length > 0) yield asOne(small);
    small = [];
    yield piece;
  }
  if (small.length > 0) yield asOne(small);
}

function asOne(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return first && pieces.length === 1 ? first : Buffer.concat(pieces);
}

type State =
  /** Within the line before a chunk. */
  | { readonly kind: "size" }
  | { readonly kind: "data"; readonly left: number; readonly signature: string | undefined }
  /** Within the line end behind a chunk's bytes. */
  | { readonly kind: "dataEnd" }
  | { readonly kind: "trailers"; readonly signed: boolean; readonly bytes: number }
  | { readonly kind: "ended"; readonly surplus: number };

class ChunkDecoder {
  readonly trailers = new Map<string, string>();
  readonly #framing: ChunkedFraming;
  #state: State = { kind: "size" };
  /** What came of the line under way. */
  #line = "";
  /** Bytes that the chunks so far announced. */
  #announced = 0;

  constructor(framing: ChunkedFraming) {
    this.#framing = framing;
  }

  /** Takes the next bytes as they came from the network; gives those of the body. */
  *push(bytes: Buffer): Generator<Buffer, void> {
    let position = 0;
    while (position < bytes.length) {
      if (this.#state.kind === "data") {
        const taken = bytes.subarray(position, position + this.#state.left);
        position += taken.length;
        this.#takeData(taken, this.#state);
        yield taken;
      } else {
        position = this.#takeLine(bytes, position);
      }
    }
  }

  /** Nothing comes any more. */
  finish(): void {
    if (this.#state.kind !== "ended") throw incomplete("the body ended before its last chunk and what follows it");
    const { decodedLength, trailerNames } = this.#framing;
    if (decodedLength !== undefined && this.#announced !== decodedLength)
      throw incomplete(`${decodedLength} bytes were announced, ${this.#announced} came`);
    const missing = trailerNames?.find((name) => !this.trailers.has(name));
    if (missing !== undefined) throw malformed(`the trailer ${quote(missing)} was announced and did not come`);
  }

  #takeData(bytes: Buffer, state: State & { readonly kind: "data" }): void {
    const { signatures } = this.#framing;
    signatures?.update(bytes);
    const left = state.left - bytes.length;
    if (left === 0) signatures?.end(state.signature ?? "");
    this.#state = left === 0 ? { kind: "dataEnd" } : { ...state, left };
  }

  /** Reads up to the next line feed; the position behind what was read. */
  #takeLine(bytes: Buffer, start: number): number {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed < 0 ? bytes.length : feed;
    if (this.#line.length + (end - start) > CHUNK_LINE_BYTES_MAX) throw malformed("a line of the framing is too long");
    this.#line += bytes.toString("latin1", start, end);
    if (feed < 0) return end;
    const line = this.#line;
    this.#line = "";
    this.#endLine(line);
    return feed + 1;
  }

  #endLine(line: string): void {
    const state = this.#state;
    const text = line.endsWith("\r") ? line.slice(0, -1) : undefined;
    switch (state.kind) {
      case "size":
        if (text === undefined) throw malformed("the line before a chunk does not end with CR LF");
        return this.#beginChunk(text);
      case "dataEnd":
        if (text !== "") throw malformed("a chunk is longer than its size says");
        this.#state = { kind: "size" };
        return;
      case "trailers":
        return this.#takeTrailer(text ?? line, state);
      case "ended":
        if ((text ?? line) !== "" || state.surplus >= SURPLUS_BYTES_MAX) throw malformed("something follows the end of the body");
        this.#state = { kind: "ended", surplus: state.surplus + line.length + 1 };
        return;
      case "data":
        // Bytes of a chunk are not read by lines.
        return;
    }
  }

  #beginChunk(line: string): void {
    const [size = "", ...extensions] = line.split(";");
    if (!/^[0-9A-Fa-f]{1,16}$/.test(size)) throw malformed(`${quote(size)} is not the size of a chunk in hex`);
    const bytes = Number.parseInt(size, 16);
    if (bytes > CHUNK_BYTES_MAX) throw malformed(`a chunk may have ${CHUNK_BYTES_MAX} bytes`);
    this.#announced += bytes;
    const { decodedLength, signatures } = this.#framing;
    if (decodedLength !== undefined && this.#announced > decodedLength)
      throw incomplete(`${decodedLength} bytes were announced, more come`);
    signatures?.begin();
    const signature = extensions.find((extension) => extension.startsWith("chunk-signature="))?.slice("chunk-signature=".length);
    if (bytes > 0) {
      this.#state = { kind: "data", left: bytes, signature };
      return;
    }
    signatures?.end(signature ?? "");
    this.#state = { kind: "trailers", signed: false, bytes: 0 };
  }

  #takeTrailer(line: string, state: State & { readonly kind: "trailers" }): void {
    const bytes = state.bytes + line.length + 1;
    if (bytes > TRAILER_BYTES_MAX) throw malformed("the trailers are too long");
    const needsSignature = this.#framing.trailer && this.#framing.signatures !== undefined;
    if (line === "") {
      // Some senders put an empty line between the trailers and their signature.
      this.#state = needsSignature && !state.signed ? { ...state, bytes } : { kind: "ended", surplus: 0 };
      return;
    }
    if (!this.#framing.trailer) throw malformed("trailers follow the body and none were announced");
    if (state.signed) throw malformed("a trailer follows the signature of the trailers");
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!/^[a-z0-9-]{1,256}$/.test(name) || !/^[\x20-\x7e]*$/.test(value)) throw malformed(`${quote(line)} is no trailer`);
    const isSignature = name === "x-amz-trailer-signature";
    if (isSignature) this.#checkTrailers(value);
    else this.#keepTrailer(name, value);
    this.#state = { kind: "trailers", signed: isSignature, bytes };
  }

  #keepTrailer(name: string, value: string): void {
    if (this.trailers.has(name)) throw malformed(`the trailer ${quote(name)} comes twice`);
    if (this.#framing.trailerNames?.includes(name) === false) throw malformed(`the trailer ${quote(name)} was not announced`);
    this.trailers.set(name, value);
  }

  #checkTrailers(signature: string): void {
    const { signatures } = this.#framing;
    if (!signatures) throw malformed("the trailers are signed and the chunks are not");
    const canonical = Array.from(this.trailers, ([name, value]) => `${name}:${value}\n`).join("");
    signatures.trailer(canonical, signature);
  }
}

function malformed(why: string): LambentError {
  return new LambentError("MalformedRequest", `The body is not well-formed aws-chunked: ${why}.`, { what: "request" });
}

function incomplete(why: string): LambentError {
  return new LambentError("IncompleteBody", `The request body terminated unexpectedly: ${why}.`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
