/** The body of an upload as it is stored: what is known of it in its head, its bytes without the framing they come in. */
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, type IncomingBody } from "../../objects/index.ts";
import { LambentError } from "../../base/index.ts";
import type { SignedPayload } from "../../security/index.ts";
import type { WireRequest } from "../../wire/index.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";

type Headers = WireRequest["headers"];

const CHECKSUM_HEADERS = CHECKSUM_ALGORITHMS.map((algorithm) => ({ algorithm, header: headerOf(algorithm) }));

/** The body that a request with `headers` has. `bytes` are as they come; empty ones are those of a request without a body. */
export function incomingBody(headers: Headers, payload: SignedPayload, bytes: AsyncIterable<Uint8Array> | Uint8Array): IncomingBody {
  const md5 = headers["content-md5"];
  if (payload.kind === "streaming") return { ...chunkedBody(headers, payload, bytes), md5 };
  return {
    source: bytes,
    length: bytes instanceof Uint8Array ? bytes.length : lengthOf(headers["content-length"], "Content-Length"),
    md5,
    signedSha256: payload.kind === "hashed" ? payload.sha256 : undefined,
    checksum: checksumOf(headers),
  };
}

function chunkedBody(
  headers: Headers,
  { trailer, signatures }: SignedPayload & { readonly kind: "streaming" },
  bytes: AsyncIterable<Uint8Array> | Uint8Array,
): IncomingBody {
  const decodedLength = lengthOf(headers["x-amz-decoded-content-length"], "x-amz-decoded-content-length");
  const trailerNames = headers["x-amz-trailer"] === undefined ? undefined : namesOf(headers["x-amz-trailer"]);
  const checksum = checksumOf(headers);
  const framed = bytes instanceof Uint8Array ? whole(bytes) : bytes;
  const decoded = decodeAwsChunked(framed, { trailer, signatures, decodedLength, trailerNames });
  return {
    source: decoded.source,
    length: decodedLength,
    checksum,
    trailingChecksum: () => checksum && decoded.trailer(headerOf(checksum.algorithm)),
  };
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}

/** The checksum that the head gives, or names for later. A link's query may hold one too, that of an empty body: it counts for nothing. */
export function checksumOf(headers: Headers): NonNullable<IncomingBody["checksum"]> | undefined {
  const given = CHECKSUM_HEADERS.flatMap(({ algorithm, header }) => {
    const value = headers[header];
    return value === undefined ? [] : [{ algorithm, value }];
  });
  if (given.length > 1)
    throw new LambentError("InvalidParameter", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.", {
      what: "request",
    });
  const algorithm = given.length === 0 ? (trailingAlgorithm(headers) ?? namedAlgorithm(headers)) : undefined;
  return given[0] ?? (algorithm && { algorithm });
}

function trailingAlgorithm(headers: Headers): ChecksumAlgorithm | undefined {
  if (headers["x-amz-trailer"] === undefined) return undefined;
  const names = namesOf(headers["x-amz-trailer"]);
  return CHECKSUM_HEADERS.find(({ header }) => names.includes(header))?.algorithm;
}

function namesOf(list: string): string[] {
  return list.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim().toLowerCase()]));
}

function namedAlgorithm(headers: Headers): ChecksumAlgorithm | undefined {
  const name = headers["x-amz-sdk-checksum-algorithm"]?.toUpperCase();
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name);
}

/** The headers that say what is stored: aws-chunked is how a body travels, not how it is encoded. */
export function storedHeaders(headers: Headers): Headers {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || !encoding.includes("aws-chunked")) return headers;
  const kept = encoding
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && each !== "aws-chunked");
  return { ...headers, "content-encoding": kept.length === 0 ? undefined : kept.join(",") };
}

function lengthOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,16}$/.test(text)) throw new LambentError("InvalidParameter", `${name} is no number of bytes.`);
  return Number(text);
}

function headerOf(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}
