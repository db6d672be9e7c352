/** What needs no bucket: ranges, conditions, copy sources, encodings, tags, errors. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { givenChecksum } from "../../../src/api/s3/checksums.ts";
import { checkCopySource, checkReadHeaders, type ConditionInput, writeConditions } from "../../../src/api/s3/conditions.ts";
import { parseCopySource } from "../../../src/api/s3/copy-source.ts";
import { s3WireError } from "../../../src/api/s3/errors.ts";
import { continuationToken, pageSize, readContinuationToken } from "../../../src/api/s3/paging.ts";
import { copyRangeOf, rangeOf } from "../../../src/api/s3/ranges.ts";
import { tagsOfHeader } from "../../../src/api/s3/tags.ts";
import { encoderFor } from "../../../src/api/s3/url-encoding.ts";
import { type ErrorCode, ERROR_CATALOGUE, type ErrorDetails, isLambentError, LambentError } from "../../../src/base/index.ts";

/** What `make` is refused with, in S3's words. */
function refusal(make: () => unknown) {
  try {
    make();
  } catch (error) {
    if (isLambentError(error)) return s3WireError(error);
    throw error;
  }
  return assert.fail("it was not refused");
}

describe("the range of a read", () => {
  const cases: readonly (readonly [header: string | undefined, bytes: number, expected: readonly [number, number] | "all" | 416])[] = [
    [undefined, 10, "all"],
    ["bytes=0-0", 10, [0, 0]],
    ["bytes=2-5", 10, [2, 5]],
    ["bytes=2-", 10, [2, 9]],
    ["bytes=2-99", 10, [2, 9]],
    ["bytes=-3", 10, [7, 9]],
    ["bytes=-99", 10, [0, 9]],
    ["bytes=9-9", 10, [9, 9]],
    ["bytes=10-", 10, 416],
    ["bytes=10-12", 10, 416],
    ["bytes=-0", 10, 416],
    ["bytes=0-", 0, 416],
    ["bytes=-1", 0, 416],
    ["bytes=5-2", 10, "all"],
    ["bytes=-", 10, "all"],
    ["bytes=a-b", 10, "all"],
    ["bytes=0-1,3-4", 10, "all"],
    ["items=0-1", 10, "all"],
    ["bytes = 0-1", 10, "all"],
    ["bytes=99999999999999999999-", 10, "all"],
    ["", 10, "all"],
  ];
  for (const [header, bytes, expected] of cases) {
    it(`${JSON.stringify(header)} of ${bytes} bytes is ${JSON.stringify(expected)}`, () => {
      if (expected === 416) {
        const told = refusal(() => rangeOf(header, bytes));
        assert.deepEqual([told.name, told.status, told.headers], ["InvalidRange", 416, { "content-range": `bytes */${bytes}` }]);
        assert.deepEqual(told.members, { RangeRequested: header, ActualObjectSize: String(bytes) });
        return;
      }
      assert.deepEqual(rangeOf(header, bytes), expected === "all" ? undefined : { start: expected[0], end: expected[1] });
    });
  }

  it("of a copy has both its ends within the source", () => {
    assert.deepEqual(copyRangeOf("bytes=0-9", 10), { start: 0, end: 9 });
    for (const text of ["bytes=0-10", "bytes=5-", "bytes=-5", "bytes=5-4", "0-9", "bytes=0-1,2-3"])
      assert.equal(refusal(() => copyRangeOf(text, 10)).name, "InvalidArgument", text);
  });
});

describe("conditions of a read", () => {
  const object = { etag: "abc", modifiedAt: Date.parse("2026-11-21T10:00:00.700Z") };
  const before = new Date("2026-11-21T09:59:59Z");
  const then = new Date("2026-11-21T10:00:00Z");
  const after = new Date("2026-11-21T10:00:01Z");
  const cases: readonly (readonly [conditions: ConditionInput, verdict: "holds" | "notModified" | "If-Match" | "If-Unmodified-Since"])[] = [
    [{}, "holds"],
    [{ IfMatch: '"abc"' }, "holds"],
    [{ IfMatch: "abc" }, "holds"],
    [{ IfMatch: "*" }, "holds"],
    [{ IfMatch: '"x", "abc"' }, "holds"],
    [{ IfMatch: '"x"' }, "If-Match"],
    [{ IfNoneMatch: '"abc"' }, "notModified"],
    [{ IfNoneMatch: 'W/"abc"' }, "notModified"],
    [{ IfNoneMatch: "*" }, "notModified"],
    [{ IfNoneMatch: '"x"' }, "holds"],
    [{ IfModifiedSince: before }, "holds"],
    [{ IfModifiedSince: then }, "notModified"],
    [{ IfModifiedSince: after }, "notModified"],
    [{ IfUnmodifiedSince: before }, "If-Unmodified-Since"],
    [{ IfUnmodifiedSince: then }, "holds"],
    // The more exact of two decides.
    [{ IfMatch: '"abc"', IfUnmodifiedSince: before }, "holds"],
    [{ IfMatch: '"x"', IfUnmodifiedSince: after }, "If-Match"],
    [{ IfNoneMatch: '"x"', IfModifiedSince: after }, "holds"],
    [{ IfNoneMatch: '"abc"', IfModifiedSince: before }, "notModified"],
    [{ IfMatch: '"x"', IfNoneMatch: '"abc"' }, "If-Match"],
  ];
  for (const [conditions, expected] of cases) {
    it(`${JSON.stringify(conditions)}: ${expected}`, () => {
      const check = (): void => checkReadHeaders(conditions, object, { etag: '"abc"' });
      if (expected === "holds") return check();
      const { name, headers, members } = refusal(check);
      if (expected === "notModified") assert.deepEqual([name, headers], ["NotModified", { etag: '"abc"' }]);
      else assert.deepEqual([name, members], ["PreconditionFailed", { Condition: expected }]);
    });
  }

  it("of a copy refuse it also where the source is known already", () => {
    assert.deepEqual(refusal(() => checkCopySource({ IfNoneMatch: '"abc"' }, object)).members, {
      Condition: "x-amz-copy-source-If-None-Match",
    });
    assert.equal(refusal(() => checkCopySource({ IfModifiedSince: then }, object)).name, "PreconditionFailed");
    assert.deepEqual(refusal(() => checkCopySource({ IfMatch: "x" }, object)).members, { Condition: "x-amz-copy-source-If-Match" });
    checkCopySource({ IfMatch: '"abc"' }, object);
  });

  it("of a write are an ETag without its quotes, or that there is nothing", () => {
    assert.equal(writeConditions({}), undefined);
    assert.deepEqual(writeConditions({ IfMatch: '"abc"' }), { ifMatch: "abc" });
    assert.deepEqual(writeConditions({ IfNoneMatch: "*" }), { ifNoneMatch: "*" });
    assert.equal(refusal(() => writeConditions({ IfNoneMatch: '"abc"' })).name, "NotImplemented");
  });
});

describe("the source of a copy", () => {
  const cases: readonly (readonly [text: string, bucket: string, key: string, versionId: string | undefined])[] = [
    ["from/a.txt", "from", "a.txt", undefined],
    ["/from/a.txt", "from", "a.txt", undefined],
    ["from/a/b//c", "from", "a/b//c", undefined],
    ["from/a%20b+c%2Bd", "from", "a b c+d", undefined],
    ["from/%E7%8C%AB.jpg", "from", "猫.jpg", undefined],
    ["from/a%3FversionId%3Dx", "from", "a?versionId=x", undefined],
    ["from/a.txt?versionId=1.x_-", "from", "a.txt", "1.x_-"],
    ["from%2Fa.txt", "from", "a.txt", undefined],
  ];
  for (const [text, bucket, key, versionId] of cases)
    it(`${text} names ${key}`, () => assert.deepEqual(parseCopySource(text), { bucket, key, versionId }));

  for (const text of ["", "/", "from", "from/", "/from/", "//a", "from/%zz", "from/a?other=1", "from/a?versionId="])
    it(`${JSON.stringify(text)} names nothing`, () => assert.equal(refusal(() => parseCopySource(text)).name, "InvalidArgument"));
});

describe("listings", () => {
  it("encode names as forms do, and leave slashes alone", () => {
    const url = encoderFor("url");
    assert.equal(url("a b/ü+&*~(1)!'.txt"), "a+b/%C3%BC%2B%26*%7E%281%29%21%27.txt");
    assert.equal(url("line\nend\u0001"), "line%0Aend%01");
    assert.equal(url(undefined), undefined);
    assert.equal(encoderFor(undefined)("a b"), "a b");
    assert.equal(refusal(() => encoderFor("base64")).name, "InvalidArgument");
  });

  it("go on behind tokens that pages ended with, and no others", () => {
    for (const place of ["", "a/b", "猫 \u0000", "x".repeat(1_024)]) assert.equal(readContinuationToken(continuationToken(place)), place);
    for (const token of ["", "a", "abc", `${continuationToken("a")}=`, continuationToken("a").slice(1), "x".repeat(5_000)])
      assert.equal(refusal(() => readContinuationToken(token)).name, "InvalidArgument", token.slice(0, 20));
  });

  it("have up to a thousand entries", () => {
    assert.deepEqual(
      [pageSize(undefined, "max-keys"), pageSize(0, "max-keys"), pageSize(7, "max-keys"), pageSize(5_000, "max-keys")],
      [1_000, 0, 7, 1_000],
    );
    for (const asked of [-1, 1.5, 2 ** 31, Number.NaN]) assert.equal(refusal(() => pageSize(asked, "max-keys")).name, "InvalidArgument");
  });
});

describe("tags in a header", () => {
  it("are pairs of a form", () => {
    assert.deepEqual(tagsOfHeader("a=b&c=&d&e%20f=g+h%2B&"), { a: "b", c: "", d: "", "e f": "g h+" });
    assert.deepEqual(tagsOfHeader(""), {});
  });
  const eleven = Array.from({ length: 11 }, (_, index) => `k${index}=v`).join("&");
  const cases: readonly (readonly [header: string, name: string])[] = [
    ["a=1&a=2", "InvalidArgument"],
    ["a=%zz", "InvalidArgument"],
    [eleven, "BadRequest"],
    ["=x", "InvalidTag"],
    ["aws:x=y", "InvalidTag"],
    [`${"k".repeat(129)}=v`, "InvalidTag"],
    [`k=${"v".repeat(257)}`, "InvalidTag"],
    ["k=%3C", "InvalidTag"],
  ];
  for (const [header, name] of cases)
    it(`${header.slice(0, 20)} is refused with ${name}`, () => assert.equal(refusal(() => tagsOfHeader(header)).name, name));
});

describe("checksums that come with a request", () => {
  it("are one, in base64, of a length", () => {
    assert.deepEqual(givenChecksum({ ChecksumCRC32: "AAAAAA==" }), { algorithm: "CRC32", value: "AAAAAA==" });
    assert.deepEqual(givenChecksum({ ChecksumCRC32: "AAAAAA==-3" }), { algorithm: "CRC32", value: "AAAAAA==-3" });
    assert.equal(givenChecksum({}), undefined);
    assert.equal(refusal(() => givenChecksum({ ChecksumCRC32: "AAAAAA==", ChecksumCRC32C: "AAAAAA==" })).name, "InvalidRequest");
    assert.equal(refusal(() => givenChecksum({ ChecksumSHA256: "AAAAAA==" })).name, "InvalidRequest");
    assert.equal(refusal(() => givenChecksum({ ChecksumCRC32: "no" })).name, "InvalidRequest");
    assert.equal(refusal(() => givenChecksum({ ChecksumXXHASH64: "AAAAAAAAAAA=" } as never)).name, "NotImplemented");
  });
});

describe("errors in S3's words", () => {
  const cases: readonly (readonly [code: ErrorCode, details: ErrorDetails, name: string, status: number])[] = [
    ["NotFound", { what: "bucket", name: "b" }, "NoSuchBucket", 404],
    ["NotFound", { what: "key", name: "k" }, "NoSuchKey", 404],
    ["NotFound", { what: "version", name: "k" }, "NoSuchVersion", 404],
    ["NotFound", { what: "upload", name: "u" }, "NoSuchUpload", 404],
    ["NotFound", { what: "configuration:lifecycle", name: "b" }, "NoSuchLifecycleConfiguration", 404],
    ["NotFound", { what: "configuration:policy", name: "b" }, "NoSuchBucketPolicy", 404],
    ["AlreadyExists", { owned: true }, "BucketAlreadyOwnedByYou", 409],
    ["AlreadyExists", { owned: false }, "BucketAlreadyExists", 409],
    ["BucketNotEmpty", {}, "BucketNotEmpty", 409],
    ["InvalidBucketName", {}, "InvalidBucketName", 400],
    ["ChecksumMismatch", { digest: "md5" }, "BadDigest", 400],
    ["ChecksumMismatch", { digest: "checksum" }, "BadDigest", 400],
    ["ChecksumMismatch", { digest: "sha256" }, "XAmzContentSHA256Mismatch", 400],
    ["IncompleteBody", {}, "IncompleteBody", 400],
    ["PreconditionFailed", { condition: "If-Match" }, "PreconditionFailed", 412],
    ["NotModified", {}, "NotModified", 304],
    ["RangeNotSatisfiable", {}, "InvalidRange", 416],
    ["IsDeleteMarker", { deleteMarker: true }, "MethodNotAllowed", 405],
    ["InvalidPart", {}, "InvalidPart", 400],
    ["InvalidPartOrder", {}, "InvalidPartOrder", 400],
    ["PartTooSmall", {}, "EntityTooSmall", 400],
    ["RequestTooLarge", {}, "EntityTooLarge", 400],
    ["InvalidParameter", {}, "InvalidArgument", 400],
    ["InvalidParameter", { what: "digest" }, "InvalidDigest", 400],
    ["InvalidParameter", { what: "tag" }, "InvalidTag", 400],
    ["InvalidParameter", { what: "xml" }, "MalformedXML", 400],
    ["InvalidParameter", { what: "request" }, "InvalidRequest", 400],
    ["InvalidParameter", { what: "keyTooLong" }, "KeyTooLongError", 400],
    ["InvalidParameter", { what: "uri" }, "InvalidURI", 400],
    ["InvalidParameter", { what: "metadata" }, "MetadataTooLarge", 400],
    ["InvalidParameter", { what: "versioning" }, "IllegalVersioningConfigurationException", 400],
    ["InvalidParameter", { what: "constructor" }, "InvalidArgument", 400],
    ["MalformedRequest", {}, "MalformedXML", 400],
    ["UnknownCredentials", {}, "InvalidAccessKeyId", 403],
    ["SignatureMismatch", {}, "SignatureDoesNotMatch", 403],
    ["IncompleteSignature", {}, "AuthorizationHeaderMalformed", 400],
    ["IncompleteSignature", { what: "header" }, "MissingSecurityHeader", 400],
    ["IncompleteSignature", { what: "query" }, "AuthorizationQueryParametersError", 400],
    ["IncompleteSignature", { what: "version" }, "InvalidRequest", 400],
    ["IncompleteSignature", { what: "region" }, "AuthorizationHeaderMalformed", 400],
    ["RequestExpired", {}, "RequestTimeTooSkewed", 403],
    ["RequestExpired", { what: "query" }, "AccessDenied", 403],
    ["ExpiredCredentials", {}, "ExpiredToken", 400],
    ["AccessDenied", {}, "AccessDenied", 403],
    ["MissingCredentials", {}, "AccessDenied", 403],
    ["StorageBusy", {}, "SlowDown", 503],
    ["Throttled", {}, "SlowDown", 503],
    ["StorageFull", {}, "StorageFull", 507],
    ["NotImplemented", {}, "NotImplemented", 501],
    ["LimitExceeded", { what: "buckets" }, "TooManyBuckets", 400],
    ["InternalError", {}, "InternalError", 500],
    ["StorageCorrupt", {}, "InternalError", 500],
  ];
  for (const [code, details, name, status] of cases) {
    it(`${code} ${JSON.stringify(details)} is ${name}`, () => {
      const told = s3WireError(new LambentError(code, "why", details));
      assert.deepEqual([told.name, told.status, told.fault], [name, status, ERROR_CATALOGUE[code].fault]);
    });
  }

  it("name what they are about", () => {
    const membersOf = (code: ErrorCode, details: ErrorDetails) => s3WireError(new LambentError(code, "why", details)).members;
    assert.deepEqual(membersOf("NotFound", { what: "bucket", name: "photos" }), { BucketName: "photos" });
    assert.deepEqual(membersOf("NotFound", { what: "key", name: "a.jpg" }), { Key: "a.jpg" });
    assert.deepEqual(membersOf("NotFound", { what: "version", name: "a.jpg", versionId: "1.x" }), { Key: "a.jpg", VersionId: "1.x" });
    assert.deepEqual(membersOf("NotFound", { what: "configuration:cors", name: "photos" }), { BucketName: "photos" });
    assert.deepEqual(membersOf("PreconditionFailed", { condition: "If-Match" }), { Condition: "If-Match" });
    assert.deepEqual(membersOf("IncompleteSignature", { what: "region" }), { Region: "us-east-1" });
    assert.deepEqual(membersOf("IncompleteSignature", { what: "credential" }), {});
    assert.deepEqual(membersOf("InvalidParameter", { what: "keyTooLong", bytes: 1_025, bytesMax: 1_024 }), {
      Size: 1_025,
      MaxSizeAllowed: 1_024,
    });
  });

  it("say of a delete marker that it is one, in headers", () => {
    const details = { name: "a", deleteMarker: true, versionId: "1.x", modifiedAt: 0 };
    assert.deepEqual(s3WireError(new LambentError("IsDeleteMarker", "", details)).headers, {
      "x-amz-delete-marker": "true",
      "x-amz-version-id": "1.x",
      allow: "DELETE",
      "last-modified": "Thu, 01 Jan 1970 00:00:00 GMT",
    });
    assert.deepEqual(s3WireError(new LambentError("NotFound", "", { what: "key", ...details })).headers, {
      "x-amz-delete-marker": "true",
      "x-amz-version-id": "1.x",
    });
  });
});
