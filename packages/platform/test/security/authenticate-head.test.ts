import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLambentError, ManualClock, systemSecureRandom, type ErrorCode } from "../../src/base/index.ts";
import {
  type AuthenticatedHead,
  type ChunkSignatures,
  createAuthenticator,
  createCredentials,
  ephemeralSecrets,
  FUNCTION_CREDENTIALS_LIFE_MS,
  presign,
  type RequestHead,
  type SigningKey,
  signRequest,
} from "../../src/security/index.ts";
import { PLAIN_VECTOR, TRAILER_VECTOR, VECTOR_CHUNKS, VECTOR_TRAILERS, vectorAuthenticator } from "../support/chunked-vectors.ts";
import { functionVersion } from "../support/function-version.ts";

const ROOT = { accessKeyId: "AKIDEXAMPLEEXAMPLE00", secretAccessKey: "a-secret-of-some-length", account: "000000000000" };
const EMPTY = Buffer.alloc(0);
const HEX = "ab".repeat(32);

function server() {
  const clock = new ManualClock();
  const { tokenKey } = ephemeralSecrets(systemSecureRandom);
  const credentials = createCredentials({ rootKeys: [ROOT], tokenKey, clock, secureRandom: systemSecureRandom });
  const authenticator = createAuthenticator({ credentials, clock });
  const head = (request: RequestHead): AuthenticatedHead => authenticator.authenticateHead(request, "s3", { regionless: "us-east-1" });
  return { clock, credentials, authenticator, head };
}

const plain: RequestHead = { method: "PUT", rawUrl: "/photos/a%20b", rawHeaders: ["Host", "localhost:4566"] };

function withHeaders(request: RequestHead, added: Readonly<Record<string, string>>): RequestHead {
  return { ...request, rawHeaders: [...request.rawHeaders, ...Object.entries(added).flat()] };
}

/** `plain` signed in its header, with the payload stated as `payload`, or not stated. */
function signed(now: number, payload: string | undefined, key: SigningKey = ROOT): RequestHead {
  const options = { service: "s3", region: "us-east-1", now, bodyHashHeader: payload !== undefined, payloadHash: payload ?? HEX };
  return withHeaders(plain, signRequest({ ...plain, body: EMPTY }, key, options));
}

const presigned = (now: number, key: SigningKey = ROOT): RequestHead => ({
  ...plain,
  rawUrl: presign({ ...plain, body: EMPTY }, key, { service: "s3", region: "us-east-1", now, expiresSeconds: 60 }),
});

const refuses = (code: ErrorCode, act: () => unknown, message?: RegExp): void =>
  assert.throws(act, (error) => isLambentError(error, code) && (message === undefined || message.test(error.message)));

describe("a head that is signed before its body comes", () => {
  it("says how its body is covered", () => {
    const { clock, head } = server();
    const payloadOf = (payload: string): object => head(signed(clock.now(), payload)).payload;
    assert.deepEqual(payloadOf("UNSIGNED-PAYLOAD"), { kind: "unsigned" });
    assert.deepEqual(payloadOf(HEX), { kind: "hashed", sha256: HEX });
    assert.deepEqual(payloadOf("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), { kind: "streaming", trailer: true, signatures: undefined });
    for (const [payload, trailer] of [
      ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", false],
      ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true],
    ] as const) {
      const found = head(signed(clock.now(), payload)).payload;
      assert.ok(found.kind === "streaming" && found.trailer === trailer && found.signatures !== undefined);
    }
  });

  it("names the principal, its realm and where the signature stood", () => {
    const { clock, head } = server();
    const root = { kind: "root", account: ROOT.account, accessKeyId: ROOT.accessKeyId };
    const realm = { account: ROOT.account, region: "us-east-1" };
    const inHeader = head(signed(clock.now(), "UNSIGNED-PAYLOAD"));
    assert.deepEqual(inHeader, { principal: root, realm, payload: { kind: "unsigned" }, signedBy: "header" });
    assert.deepEqual(head(presigned(clock.now())), { principal: root, realm, payload: { kind: "unsigned" }, signedBy: "query" });
  });

  it("without any signature is nobody's, and states itself what its body has to be", () => {
    const { head } = server();
    assert.deepEqual(head(plain), { principal: { kind: "anonymous" }, payload: { kind: "unsigned" }, signedBy: "nobody" });
    assert.deepEqual(head(withHeaders(plain, { "x-amz-content-sha256": HEX })).payload, { kind: "hashed", sha256: HEX });
    const streaming = head(withHeaders(plain, { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" }));
    assert.equal(streaming.payload.kind, "streaming");
    refuses("InvalidParameter", () => head(withHeaders(plain, { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" })));
  });

  it("is refused with another payload stated than was signed, in either form", () => {
    const { clock, head } = server();
    const stating = (request: RequestHead, payload: string): RequestHead => ({
      ...request,
      rawHeaders: request.rawHeaders.map((text) => (text === "UNSIGNED-PAYLOAD" ? payload : text)),
    });
    for (const payload of [HEX, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"]) {
      refuses("SignatureMismatch", () => head(stating(signed(clock.now(), "UNSIGNED-PAYLOAD"), payload)));
      refuses("SignatureMismatch", () => head(withHeaders(presigned(clock.now()), { "x-amz-content-sha256": payload })));
    }
  });

  it("is refused in forms that are not taken, do not exist, or say nothing", () => {
    const { clock, head } = server();
    refuses("NotImplemented", () => head(signed(clock.now(), "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")), /ECDSA/);
    refuses("InvalidParameter", () => head(signed(clock.now(), "unsigned")));
    refuses("InvalidParameter", () => head(signed(clock.now(), HEX.toUpperCase())));
    refuses("IncompleteSignature", () => head(signed(clock.now(), undefined)), /x-amz-content-sha256/);
  });

  it("is refused when it is signed with Version 2 in its header, and is told so", () => {
    const { head } = server();
    refuses("IncompleteSignature", () => head(withHeaders(plain, { Authorization: `AWS ${ROOT.accessKeyId}:abc=` })), /Version 2/);
  });

  it("is refused with what is wrong in its claim: a URL, the version, the region alone", () => {
    const { clock, head } = server();
    const wrong = (request: RequestHead): unknown => {
      try {
        return head(request);
      } catch (error) {
        return isLambentError(error, "IncompleteSignature") ? error.details["what"] : error;
      }
    };
    const header = signed(clock.now(), HEX);
    const changed = (from: string, to: string): RequestHead => ({
      ...header,
      rawHeaders: header.rawHeaders.map((text) => text.replace(from, to)),
    });
    const url = presigned(clock.now());
    assert.equal(wrong({ ...url, rawUrl: url.rawUrl.replace("X-Amz-Expires=60", "X-Amz-Expires=604801") }), "query");
    assert.equal(wrong(withHeaders(plain, { Authorization: `AWS ${ROOT.accessKeyId}:abc=` })), "version");
    for (const region of ["US", "", "us_east_1"]) assert.equal(wrong(changed("/us-east-1/", `/${region}/`)), "region");
    assert.equal(wrong(changed("/us-east-1/s3/", "/s3/")), "credential");
  });

  it("is held to times, tokens and services as other requests are", async () => {
    const { clock, credentials, authenticator, head } = server();
    const key = credentials.issue(functionVersion());
    assert.equal(head(signed(clock.now(), "UNSIGNED-PAYLOAD", key)).principal.kind, "function");
    assert.deepEqual(head(presigned(clock.now(), key)).realm, functionVersion().realm);
    refuses("UnknownCredentials", () => head(signed(clock.now(), HEX, { ...key, sessionToken: undefined })));
    const other = credentials.issue(functionVersion({ name: "other" })).sessionToken;
    refuses("UnknownCredentials", () => head(signed(clock.now(), HEX, { ...key, sessionToken: other })));
    refuses("RequestExpired", () => head(signed(clock.now() - 16 * 60_000, HEX)));
    const url = presigned(clock.now());
    refuses("SignatureMismatch", () => authenticator.authenticateHead(url, "lambda", { regionless: "us-east-1" }), /signed for s3/);
    await clock.advance(60_001);
    refuses("RequestExpired", () => head(url));
    await clock.advance(FUNCTION_CREDENTIALS_LIFE_MS);
    refuses("ExpiredCredentials", () => head(signed(clock.now(), HEX, key)));
  });
});

describe("the signatures of a body in chunks", () => {
  const signaturesOf = (vector: typeof PLAIN_VECTOR): ChunkSignatures => {
    const { payload } = vectorAuthenticator().authenticateHead(vector.head, "s3", { regionless: "us-east-1" });
    assert.ok(payload.kind === "streaming" && payload.signatures);
    return payload.signatures;
  };
  const check = (vector: typeof PLAIN_VECTOR, chunks: readonly Buffer[], trailers = VECTOR_TRAILERS): void => {
    const signatures = signaturesOf(vector);
    for (const [index, chunk] of chunks.entries()) {
      signatures.begin();
      signatures.update(chunk.subarray(0, 10));
      signatures.update(chunk.subarray(10));
      signatures.end(vector.signatures[index] ?? "");
    }
    if (vector.trailerSignature !== undefined) signatures.trailer(trailers, vector.trailerSignature);
  };
  const edited = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
    return copy;
  };

  for (const [name, vector] of [
    ["without trailers", PLAIN_VECTOR],
    ["with trailers", TRAILER_VECTOR],
  ] as const) {
    it(`are right for AWS's published example ${name}`, () => check(vector, VECTOR_CHUNKS));

    it(`refuse one changed byte, chunks left out or swapped, and any changed signature ${name}`, () => {
      const [first = EMPTY, second = EMPTY, last = EMPTY] = VECTOR_CHUNKS;
      const changed = [
        [edited(first, 0), second, last],
        [edited(first, 65_535), second, last],
        [first, edited(second, 512), last],
        [second, first, last],
        [first, last],
        [first, second, Buffer.from("a")],
      ];
      for (const chunks of changed) refuses("SignatureMismatch", () => check(vector, chunks));
      for (const [index, signature] of vector.signatures.entries()) {
        for (const wrong of [
          "",
          signature.slice(1),
          signature.toUpperCase(),
          `${signature.slice(0, -1)}${signature.endsWith("0") ? "1" : "0"}`,
        ]) {
          const signatures = vector.signatures.with(index, wrong);
          refuses("SignatureMismatch", () => check({ ...vector, signatures }, VECTOR_CHUNKS));
        }
      }
    });
  }

  it("refuse changed trailers", () => {
    refuses("SignatureMismatch", () => check(TRAILER_VECTOR, VECTOR_CHUNKS, VECTOR_TRAILERS.replace("sOO8", "sOO9")));
    refuses("SignatureMismatch", () => check(TRAILER_VECTOR, VECTOR_CHUNKS, ""));
  });
});
