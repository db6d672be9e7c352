import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isLambentError, type ErrorCode } from "../../../src/base/index.ts";
import { type ChunkedFraming, decodeAwsChunked } from "../../../src/gateway/s3/aws-chunked.ts";
import { framedBody, PLAIN_VECTOR, TRAILER_VECTOR, VECTOR_CHUNKS, vectorAuthenticator } from "../../support/chunked-vectors.ts";

async function* sending(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece;
}

async function decoded(framing: ChunkedFraming, ...pieces: readonly (string | Uint8Array)[]) {
  const body = decodeAwsChunked(sending(pieces.map((piece) => Buffer.from(piece))), framing);
  const parts: Buffer[] = [];
  for await (const part of body.source) parts.push(part);
  return { text: Buffer.concat(parts).toString("latin1"), trailer: body.trailer, parts };
}

const refuses = (code: ErrorCode, framing: ChunkedFraming, ...pieces: readonly (string | Uint8Array)[]): Promise<void> =>
  assert.rejects(decoded(framing, ...pieces), (error) => isLambentError(error, code), JSON.stringify(pieces).slice(0, 200));

function signaturesOf(vector: typeof PLAIN_VECTOR) {
  const { payload } = vectorAuthenticator().authenticateHead(vector.head, "s3", { regionless: "us-east-1" });
  assert.ok(payload.kind === "streaming");
  return payload.signatures;
}

/** `bytes` cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const TRAILER: ChunkedFraming = { trailer: true };
const CRC32 = "x-amz-checksum-crc32";

describe("an aws-chunked body", () => {
  it("P7: of chunks of next to nothing goes on in as few pieces as it came, in its order", async () => {
    const letters = Array.from({ length: 10_000 }, (_, index) => String.fromCharCode(97 + (index % 26)));
    const large = "L".repeat(5_000);
    const framed = [...letters, large, ...letters].map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join("");
    const { text, parts } = await decoded({ trailer: false }, framed, "2\r\nzz\r\n0\r\n\r\n");
    assert.equal(text, `${letters.join("")}${large}${letters.join("")}zz`);
    assert.equal(parts.length, 4);
  });

  it("is what AWS's clients send", async () => {
    const boto3 = await decoded({ ...TRAILER, decodedLength: 9 }, `9\r\nhello tls\r\n0\r\n${CRC32}:QnX7fg==\r\n\r\n`);
    assert.equal(boto3.text, "hello tls");
    assert.equal(boto3.trailer(CRC32), "QnX7fg==");
    const javascript = await decoded(TRAILER, "5\r\nhello\r\n0\r\nx-amz-checksum-crc64nvme:M3eFcAZSQlc=\r\n\r\n");
    assert.equal(javascript.trailer("x-amz-checksum-crc64nvme"), "M3eFcAZSQlc=");
    assert.equal((await decoded({ ...TRAILER, decodedLength: 0 }, "0\r\n\r\n")).text, "");
    assert.equal((await decoded(TRAILER, "A;name=value\r\n0123456789\r\n000\r\n\r\n")).text, "0123456789");
  });

  it("may end its trailers with a line feed, an empty line more, and have an empty line before their signature", async () => {
    for (const end of [`${CRC32}:QnX7fg==\n\r\n\r\n`, `${CRC32}: QnX7fg==\n\n`, "X-Amz-Checksum-CRC32:QnX7fg==\r\n\r\n"])
      assert.equal((await decoded(TRAILER, "1\r\na\r\n0\r\n", end)).trailer(CRC32), "QnX7fg==");
    const framed = framedBody(TRAILER_VECTOR).toString("latin1").replace("/Q==\r\n", "/Q==\n\r\n");
    const body = await decoded({ ...TRAILER, signatures: signaturesOf(TRAILER_VECTOR) }, framed);
    assert.equal(body.trailer("x-amz-checksum-crc32c"), "sOO8/Q==");
  });

  it("gives the same however the network cut it, signed or not, of large chunks as slices of what came", async () => {
    const content = Buffer.concat(VECTOR_CHUNKS).toString("latin1");
    const plain = Buffer.from(
      `10000\r\n${"a".repeat(65_536)}\r\n400\r\n${"a".repeat(1_024)}\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\r\n`,
    );
    const bodies = [
      { framed: framedBody(PLAIN_VECTOR), framing: () => ({ trailer: false, signatures: signaturesOf(PLAIN_VECTOR) }) },
      { framed: framedBody(TRAILER_VECTOR), framing: () => ({ trailer: true, signatures: signaturesOf(TRAILER_VECTOR) }) },
      { framed: plain, framing: () => ({ trailer: true, trailerNames: ["x-amz-checksum-crc32c"] }) },
    ];
    // Cuts near the beginning and the end fall into the framing.
    const places = fc.array(fc.oneof(fc.nat(200), fc.integer({ min: 65_500, max: 67_200 }), fc.nat(70_000)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(places, fc.constantFrom(...bodies), async (at, { framed, framing }) => {
        const pieces = cut(framed, at);
        const body = decodeAwsChunked(sending(pieces), { ...framing(), decodedLength: 66_560 });
        let text = "";
        for await (const part of body.source) {
          assert.ok(part.buffer === framed.buffer || part.length < 3 * 4_096);
          text += part.toString("latin1");
        }
        assert.ok(text === content);
        assert.equal(body.trailer("x-amz-checksum-crc32c"), framed === bodies[0]?.framed ? undefined : "sOO8/Q==");
      }),
      { seed: 13, numRuns: 150 },
    );
  });

  it("is refused with one byte of it changed, wherever it is signed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(PLAIN_VECTOR, TRAILER_VECTOR),
        fc.nat(70_000),
        fc.integer({ min: 1, max: 255 }),
        async (vector, at, by) => {
          const framed = framedBody(vector);
          const place = at % framed.length;
          framed.writeUInt8(framed.readUInt8(place) ^ by, place);
          const changed = decoded({ trailer: vector === TRAILER_VECTOR, signatures: signaturesOf(vector), decodedLength: 66_560 }, framed);
          // A size may be written with capitals; what follows the last signature is not signed.
          const ending = await changed.then(
            (body) => body.text,
            (error: unknown) => error,
          );
          if (typeof ending === "string") assert.ok(ending === "a".repeat(66_560));
          else assert.ok(isLambentError(ending, "SignatureMismatch", "MalformedRequest", "IncompleteBody"), String(ending));
        },
      ),
      { seed: 17, numRuns: 200 },
    );
    const framed = framedBody(PLAIN_VECTOR);
    framed.write("b", 1_000);
    await refuses("SignatureMismatch", { trailer: false, signatures: signaturesOf(PLAIN_VECTOR) }, framed);
    const unsigned = framedBody(PLAIN_VECTOR)
      .toString("latin1")
      .replace(/;chunk-signature=[0-9a-f]+/, "");
    await refuses("SignatureMismatch", { trailer: false, signatures: signaturesOf(PLAIN_VECTOR) }, unsigned);
  });

  it("is incomplete where it ends early, at whatever byte", async () => {
    const framed = Buffer.from(`3\r\nabc\r\n2\r\nde\r\n0\r\n${CRC32}:AAAAAA==\r\n\r\n`);
    for (let length = 0; length < framed.length; length += 1) await refuses("IncompleteBody", TRAILER, framed.subarray(0, length));
    const withoutSignature = framedBody({ head: TRAILER_VECTOR.head, signatures: TRAILER_VECTOR.signatures });
    await refuses("IncompleteBody", { ...TRAILER, signatures: signaturesOf(TRAILER_VECTOR) }, withoutSignature);
  });

  it("has to have the length that was announced", async () => {
    for (const decodedLength of [2, 4]) await refuses("IncompleteBody", { ...TRAILER, decodedLength }, "3\r\nabc\r\n0\r\n\r\n");
    // Refused at the size already, before any byte of the chunk.
    await refuses("IncompleteBody", { ...TRAILER, decodedLength: 4 }, "5\r\n");
  });

  it("has the trailers that were announced, and no others", async () => {
    const framing = { ...TRAILER, trailerNames: [CRC32] };
    assert.equal((await decoded(framing, `0\r\n${CRC32}:AAAAAA==\r\n\r\n`)).trailer(CRC32), "AAAAAA==");
    await refuses("MalformedRequest", framing, "0\r\n\r\n");
    await refuses("MalformedRequest", framing, `0\r\n${CRC32}:AAAAAA==\r\nx-amz-meta-more:1\r\n\r\n`);
    await refuses("MalformedRequest", { trailer: false }, `0\r\n${CRC32}:AAAAAA==\r\n\r\n`);
  });

  const malformed: readonly (readonly [string, string])[] = [
    ["no size", "\r\n"],
    ["a size that is not hex", "5g\r\nhello\r\n0\r\n\r\n"],
    ["a negative size", "-5\r\nhello\r\n0\r\n\r\n"],
    ["a size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n"],
    ["a size of more than 5 GiB", "140000001\r\n"],
    ["a size of sixteen digits", "ffffffffffffffff\r\n"],
    ["a size of seventeen digits", "00000000000000001\r\na\r\n0\r\n\r\n"],
    ["a size line without CR", "5\nhello\r\n0\r\n\r\n"],
    ["a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n"],
    ["bytes behind the end", "0\r\n\r\nGET / HTTP/1.1\r\n"],
    ["line ends without end behind the end", `0\r\n\r\n${"\r\n".repeat(20)}`],
    ["a trailer without a colon", "0\r\nname\r\n\r\n"],
    ["a trailer without a name", "0\r\n:value\r\n\r\n"],
    ["a control character in a trailer", "0\r\nname:a\u0001b\r\n\r\n"],
    ["a trailer twice", `0\r\n${CRC32}:AAAAAA==\r\n${CRC32}:AAAAAB==\r\n\r\n`],
    ["signed trailers of chunks that are not signed", `0\r\nx-amz-trailer-signature:${"0".repeat(64)}\r\n\r\n`],
  ];
  for (const [what, text] of malformed) it(`is malformed: ${what}`, () => refuses("MalformedRequest", TRAILER, text));

  it("is malformed where a line or the trailers never end, long before its memory would count", async () => {
    const counted = async (start: string, piece: (index: number) => string): Promise<number> => {
      let sent = 0;
      async function* endless(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(start);
        for (let index = 0; ; index += 1) {
          const bytes = Buffer.from(piece(index));
          sent += bytes.length;
          yield bytes;
        }
      }
      await assert.rejects(
        (async () => {
          for await (const part of decodeAwsChunked(endless(), TRAILER).source) assert.equal(part.length, -1, "there is no body");
        })(),
        (error) => isLambentError(error, "MalformedRequest"),
      );
      return sent;
    };
    assert.ok((await counted("", () => "0")) < 2_000);
    assert.ok((await counted("5;", () => "a")) < 2_000);
    assert.ok((await counted("0\r\n", () => "a")) < 2_000);
    assert.ok((await counted("0\r\n", (index) => `name-${index}:${"v".repeat(100)}\n`)) < 20_000);
  });

  it("ends as a body or with an error of the catalogue, whatever bytes it is", async () => {
    const piece = fc.oneof(
      fc.constantFrom("0", "1", "5", "\r\n", "\r", "\n", ";", ":", "0\r\n", "3\r\nabc\r\n", `${CRC32}:x`, ";chunk-signature=", "\r\n\r\n"),
      fc.string({ maxLength: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), fc.boolean(), fc.boolean(), async (pieces, trailer, isSigned) => {
        const signatures = isSigned ? signaturesOf(TRAILER_VECTOR) : undefined;
        const ending = await decoded({ trailer, signatures }, ...pieces).then(
          () => undefined,
          (error: unknown) => error,
        );
        assert.ok(
          ending === undefined || isLambentError(ending, "MalformedRequest", "IncompleteBody", "SignatureMismatch"),
          String(ending),
        );
      }),
      { seed: 19, numRuns: 3_000 },
    );
  });
});
