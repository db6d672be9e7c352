import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Readable } from "node:stream";
import { isLambentError } from "../../src/base/index.ts";
import { decode, type Decoded, encodeError, encodeOutput, errorTarget, loadService, takesStream } from "../../src/wire/index.ts";
import { wireRequest } from "../support/wire-request.ts";

const s3 = loadService("s3");
const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

const read = (method: string, url: string, headers: Readonly<Record<string, string>> = {}, body: string | Buffer = ""): Decoded =>
  decode(wireRequest(method, url, headers, body), s3);

function bodyText(body: Buffer | Readable): string {
  assert.ok(Buffer.isBuffer(body));
  return body.toString("utf8");
}

function assertRefused(
  run: () => unknown,
  code: "MalformedRequest" | "InvalidParameter" | "UnknownOperation" | "RequestTooLarge",
  what?: string,
): void {
  assert.throws(run, (error) => isLambentError(error, code) && (what === undefined || error.details["what"] === what));
}

describe("the operation of a request to S3", () => {
  const copy = { "x-amz-copy-source": "/b/k" };
  for (const [method, url, headers, operation] of [
    ["GET", "/", {}, "ListBuckets"],
    ["GET", "/?x-id=ListBuckets", {}, "ListBuckets"],
    ["GET", "/?x-id=ListDirectoryBuckets", {}, "ListDirectoryBuckets"],
    ["GET", "/?prefix=a", {}, "ListBuckets"],
    ["PUT", "/b", {}, "CreateBucket"],
    ["PUT", "/b/", {}, "CreateBucket"],
    ["HEAD", "/b/", {}, "HeadBucket"],
    ["DELETE", "/b", {}, "DeleteBucket"],
    ["GET", "/b", {}, "ListObjects"],
    ["GET", "/b/", {}, "ListObjects"],
    ["GET", "/b?list-type=1", {}, "ListObjects"],
    ["GET", "/b?list-type=2&prefix=a", {}, "ListObjectsV2"],
    ["GET", "/b/?versions", {}, "ListObjectVersions"],
    ["GET", "/b?uploads=", {}, "ListMultipartUploads"],
    ["GET", "/b?location", {}, "GetBucketLocation"],
    ["GET", "/b?versioning", {}, "GetBucketVersioning"],
    ["GET", "/b?analytics", {}, "ListBucketAnalyticsConfigurations"],
    ["GET", "/b?analytics&id=1", {}, "GetBucketAnalyticsConfiguration"],
    ["POST", "/b?delete", {}, "DeleteObjects"],
    ["PUT", "/b/k", {}, "PutObject"],
    ["PUT", "/b/k?x-id=PutObject", {}, "PutObject"],
    ["PUT", "/b/k", copy, "CopyObject"],
    ["PUT", "/b/k?partNumber=1&uploadId=u", {}, "UploadPart"],
    ["PUT", "/b/k?partNumber=1&uploadId=u", copy, "UploadPartCopy"],
    ["PUT", "/b/k?tagging", {}, "PutObjectTagging"],
    ["PUT", "/b/k?tagging&versionId=v", {}, "PutObjectTagging"],
    ["PUT", "/b/k?acl", {}, "PutObjectAcl"],
    ["GET", "/b/k", {}, "GetObject"],
    ["GET", "/b/k?versionId=v", {}, "GetObject"],
    ["GET", "/b/k?partNumber=2", {}, "GetObject"],
    ["GET", "/b/k?uploadId=u", {}, "ListParts"],
    ["GET", "/b/k?tagging", {}, "GetObjectTagging"],
    ["GET", "/b/k?attributes", { "x-amz-object-attributes": "ETag" }, "GetObjectAttributes"],
    ["HEAD", "/b/k", {}, "HeadObject"],
    ["DELETE", "/b/k", {}, "DeleteObject"],
    ["DELETE", "/b/k?uploadId=u", {}, "AbortMultipartUpload"],
    ["DELETE", "/b/k?tagging", {}, "DeleteObjectTagging"],
    ["POST", "/b/k?uploads", {}, "CreateMultipartUpload"],
    ["POST", "/b/k?uploadId=u", {}, "CompleteMultipartUpload"],
    ["GET", "/WriteGetObjectResponse", {}, "ListObjects"],
    ["GET", "/service/k?Action=ListRoles", { "x-amz-target": "Logs_20140328.X", "smithy-protocol": "rpc-v2-cbor" }, "GetObject"],
  ] as const) {
    test(`${method} ${url}${"x-amz-copy-source" in headers ? ", a copy," : ""} is ${operation}`, () => {
      const body: Readonly<Record<string, string>> = {
        DeleteObjects: "<Delete><Object><Key>k</Key></Object></Delete>",
        PutObjectTagging: "<Tagging><TagSet/></Tagging>",
      };
      const decoded = read(method, url, headers, body[operation] ?? "");
      assert.equal(decoded.operation, operation);
      assert.equal(decoded.protocol, "restXml");
      if (url.startsWith("/b")) assert.equal(decoded.input["Bucket"], "b");
    });
  }

  test("is none for methods and paths that S3 does not have", () => {
    assertRefused(() => read("PATCH", "/b/k"), "UnknownOperation");
    assertRefused(() => read("POST", "/b/k"), "InvalidParameter", "argument");
    assertRefused(() => read("PUT", "/"), "UnknownOperation");
    assertRefused(() => read("GET", "//k"), "UnknownOperation");
  });

  test("takes words that the model does not have, where S3 does or says so itself", () => {
    assert.equal(read("PUT", "/b?acl", { "x-amz-acl": "log-delivery-write" }).input["ACL"], "log-delivery-write");
    const region = "<CreateBucketConfiguration><LocationConstraint>home-1</LocationConstraint></CreateBucketConfiguration>";
    const { CreateBucketConfiguration } = read("PUT", "/b", {}, region).input as { CreateBucketConfiguration: object };
    assert.deepEqual({ ...CreateBucketConfiguration }, { LocationConstraint: "home-1" });
  });

  test("is never one that changes more than half of a selector asks for", () => {
    assertRefused(() => read("PUT", "/b/k?partNumber=1"), "InvalidParameter", "argument");
    assertRefused(() => read("PUT", "/b/k?uploadId=u"), "InvalidParameter", "argument");
    assertRefused(() => read("PUT", "/b/k?uploadId=u", { "x-amz-copy-source": "/b/k" }), "InvalidParameter", "argument");
    assertRefused(() => read("GET", "/b/k?attributes"), "InvalidParameter", "argument");
  });
});

describe("a key of S3's", () => {
  for (const [raw, key] of [
    ["k", "k"],
    ["folder/", "folder/"],
    ["a//b", "a//b"],
    ["/a", "/a"],
    ["/", "/"],
    ["a//", "a//"],
    [".", "."],
    ["../a/./..", "../a/./.."],
    ["a%2Fb", "a/b"],
    ["a%20b", "a b"],
    ["a+b", "a+b"],
    ["a%2Bb", "a+b"],
    ["%E6%B0%B4/%F0%9F%98%80", "水/😀"],
    ["a%3Fb%26c%23", "a?b&c#"],
    ["%252F", "%2F"],
    ["a=b;c,d:e@f!$'()*", "a=b;c,d:e@f!$'()*"],
    ["__proto__", "__proto__"],
  ] as const) {
    test(`is ${key} in the path /b/${raw}`, () => {
      const { input } = read("GET", `/b/${raw}?versionId=v`);
      assert.deepEqual({ ...input }, { Bucket: "b", Key: key, VersionId: "v" });
      assert.equal(Object.getPrototypeOf(input), null);
    });
  }

  test("with an escape that is no UTF-8 is refused as a URI", () => {
    for (const url of ["/b/%ff", "/b/%", "/b/%zz", "/b?prefix=%ff"]) assertRefused(() => read("GET", url), "MalformedRequest", "uri");
  });

  test("is as long as a URL may be, and no longer", () => assertRefused(() => read("GET", `/b/${"a".repeat(40_000)}`), "RequestTooLarge"));
});

describe("the headers of a request to S3", () => {
  test("give their members values of their kinds, and metadata as the bytes that were sent", () => {
    const { input } = read("PUT", "/b/k", {
      "cache-control": "no-cache",
      "content-length": "12",
      expires: "Sat, 21 Nov 2026 20:15:30 GMT",
      "x-amz-acl": "private",
      "x-amz-meta-a": "1, 2",
      "x-amz-meta-b": Buffer.from("水", "utf8").toString("latin1"),
      "x-amz-server-side-encryption-bucket-key-enabled": "true",
    });
    assert.deepEqual(
      { ...input, Metadata: { ...(input["Metadata"] as object) } },
      {
        Bucket: "b",
        Key: "k",
        CacheControl: "no-cache",
        ContentLength: 12,
        Expires: new Date("2026-11-21T20:15:30Z"),
        ACL: "private",
        Metadata: { a: "1, 2", b: Buffer.from("水", "utf8").toString("latin1") },
        BucketKeyEnabled: true,
      },
    );
  });

  test("may stand in the query of a presigned request, but for checksums of a body that was not there yet", () => {
    const url =
      "/b/k?X-Amz-Signature=0&x-amz-acl=public-read&X-Amz-Meta-One=a%20b&x-amz-meta-two=%E6%B0%B4&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32";
    const { input } = read("PUT", url, { "x-amz-meta-one": "sent" });
    assert.deepEqual(
      { ...input, Metadata: { ...(input["Metadata"] as object) } },
      { Bucket: "b", Key: "k", ACL: "public-read", Metadata: { one: "sent", two: Buffer.from("水", "utf8").toString("latin1") } },
    );
    assert.equal(read("GET", "/b/k?x-amz-checksum-mode=ENABLED").input["ChecksumMode"], "ENABLED");
  });

  test("with a date that is none are as if it were not there, unless S3 holds things until then", () => {
    assert.equal("IfModifiedSince" in read("GET", "/b/k", { "if-modified-since": "yesterday" }).input, false);
    assertRefused(() => read("PUT", "/b/k", { "x-amz-object-lock-retain-until-date": "soon" }), "InvalidParameter", "argument");
  });

  for (const [what, method, url, headers, argument] of [
    ["a number that is none", "GET", "/b?list-type=2&max-keys=many", {}, undefined],
    ["a number with a fraction", "GET", "/b?list-type=2&max-keys=1.5", {}, "max-keys"],
    ["a word that S3 does not know", "PUT", "/b/k", { "x-amz-acl": "publik" }, "x-amz-acl"],
    ["a required header left out", "GET", "/b/k?attributes", {}, "x-amz-object-attributes"],
    ["an encoding that is none", "GET", "/b?encoding-type=base64", {}, "encoding-type"],
  ] as const) {
    test(`with ${what} are a wrong argument`, () => {
      assert.throws(
        () => read(method, url, headers),
        (error) =>
          isLambentError(error, "InvalidParameter") && error.details["what"] === "argument" && error.details["argument"] === argument,
      );
    });
  }
});

describe("the document of a request to S3", () => {
  const tagging = (xml: string): unknown => read("PUT", "/b/k?tagging", {}, xml).input["Tagging"];
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  test("is read with or without declaration, namespace, prefixes and white space", () => {
    const expected = { TagSet: [{ Key: "a", Value: " b " }] };
    for (const xml of [
      "<Tagging><TagSet><Tag><Key>a</Key><Value> b </Value></Tag></TagSet></Tagging>",
      `${DECLARATION}<Tagging ${NAMESPACE}>\n  <TagSet>\n <Tag>\t<Value> b </Value><Key>a</Key></Tag>\r\n</TagSet></Tagging>\n`,
      `<s:Tagging xmlns:s="urn:x"><s:TagSet><s:Tag><s:Key>a</s:Key><s:Value> b </s:Value></s:Tag></s:TagSet></s:Tagging>`,
      "<Tagging><Unknown><Key>x</Key></Unknown><TagSet><Other/><Tag><Key>a</Key><Value> b </Value><More>1</More></Tag></TagSet></Tagging>",
    ])
      assert.deepEqual(plain(tagging(xml)), expected, xml);
    assert.deepEqual(plain(tagging("<Tagging><TagSet/></Tagging>")), { TagSet: [] });
  });

  test("has flattened lists, numbers, booleans, dates and attributes", () => {
    const remove = read(
      "POST",
      "/b?delete",
      {},
      "<Delete><Object><Key>a</Key></Object><Quiet> true </Quiet><Object><Key/></Object></Delete>",
    );
    assert.deepEqual(plain(remove.input["Delete"]), { Objects: [{ Key: "a" }, { Key: "" }], Quiet: true });
    const rule = "<Rule><Status>Enabled</Status><Filter/><Expiration><Date>2027-01-01T00:00:00.000Z</Date></Expiration></Rule>";
    const lifecycle = read("PUT", "/b?lifecycle", {}, `<LifecycleConfiguration>${rule}${rule}</LifecycleConfiguration>`);
    const expected = { Status: "Enabled", Filter: {}, Expiration: { Date: "2027-01-01T00:00:00.000Z" } };
    assert.deepEqual(plain(lifecycle.input["LifecycleConfiguration"]), { Rules: [expected, expected] });
    const grantee = '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>u</URI></Grantee>';
    const grants = `<AccessControlList><Grant>${grantee}<Permission>READ</Permission></Grant></AccessControlList>`;
    const acl = read("PUT", "/b?acl", {}, `<AccessControlPolicy>${grants}</AccessControlPolicy>`);
    assert.deepEqual(plain(acl.input["AccessControlPolicy"]), { Grants: [{ Grantee: { Type: "Group", URI: "u" }, Permission: "READ" }] });
  });

  test("has null prototypes throughout", () => {
    const { TagSet } = tagging("<Tagging><__proto__/><TagSet><Tag><Key>__proto__</Key><Value/></Tag></TagSet></Tagging>") as {
      TagSet: readonly object[];
    };
    assert.equal(Object.getPrototypeOf(TagSet[0]), null);
  });

  for (const [what, xml] of [
    ["another root", "<Tags><TagSet/></Tags>"],
    ["a list that is left out", "<Tagging/>"],
    ["a required member left out", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"],
    ["an element twice", "<Tagging><TagSet/><TagSet/></Tagging>"],
    ["text where elements belong", "<Tagging><TagSet>a</TagSet></Tagging>"],
    ["elements where text belongs", "<Tagging><TagSet><Tag><Key><b/></Key><Value/></Tag></TagSet></Tagging>"],
    ["an entity bomb", '<!DOCTYPE a [<!ENTITY b "ha">]><Tagging><TagSet/></Tagging>'],
    ["JSON", "{}"],
  ] as const) {
    test(`with ${what} is malformed`, () => assertRefused(() => tagging(xml), "MalformedRequest", "xml"));
  }

  test("with a word or number that its schema does not have is malformed", () => {
    const versioning = (status: string): unknown =>
      read("PUT", "/b?versioning", {}, `<VersioningConfiguration>${status}</VersioningConfiguration>`);
    assertRefused(() => versioning("<Status>On</Status>"), "MalformedRequest", "xml");
    const cors =
      "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><MaxAgeSeconds>long</MaxAgeSeconds></CORSRule>";
    assertRefused(() => read("PUT", "/b?cors", {}, `<CORSConfiguration>${cors}</CORSConfiguration>`), "MalformedRequest", "xml");
  });

  test("that is left out where there must be one is told apart", () => {
    assertRefused(() => read("PUT", "/b/k?tagging"), "MalformedRequest", "body");
    assertRefused(() => read("PUT", "/b?policy"), "MalformedRequest", "body");
    assert.deepEqual({ ...read("PUT", "/b").input }, { Bucket: "b" });
  });

  test("that is a policy is passed on as text, in UTF-8 or not at all", () => {
    assert.equal(read("PUT", "/b?policy", {}, '{"Id":"ü"}').input["Policy"], '{"Id":"ü"}');
    assertRefused(() => read("PUT", "/b?policy", {}, Buffer.from([0xff])), "MalformedRequest", "encoding");
  });

  test("of 10 MB is refused unread, and ten thousand parts are read", () => {
    const open = "<CompleteMultipartUpload>";
    assertRefused(() => read("POST", "/b/k?uploadId=u", {}, Buffer.alloc(10 * 1024 * 1024, open)), "RequestTooLarge");
    const parts = Array.from(
      { length: 10_000 },
      (_, index) => `<Part><ETag>&quot;e&quot;</ETag><PartNumber>${index + 1}</PartNumber></Part>`,
    );
    const { input } = read("POST", "/b/k?uploadId=u", {}, `${open}${parts.join("")}</CompleteMultipartUpload>`);
    const { Parts } = input["MultipartUpload"] as { Parts: readonly { ETag: string; PartNumber: number }[] };
    assert.equal(Parts.length, 10_000);
    assert.deepEqual({ ...Parts.at(-1) }, { ETag: '"e"', PartNumber: 10_000 });
  });
});

describe("a body that S3 takes as a stream", () => {
  test("is that of objects and parts, and of nothing else", () => {
    const copy = { "x-amz-copy-source": "/b/k" };
    for (const [method, url, headers, expected] of [
      ["PUT", "/b/k", {}, true],
      ["PUT", "/b/k?partNumber=1&uploadId=u", {}, true],
      ["PUT", "/b/k", copy, false],
      ["PUT", "/b/k?tagging", {}, false],
      ["PUT", "/b", {}, false],
      ["GET", "/b/k", {}, false],
      ["POST", "/b?delete", {}, false],
      ["PUT", "/b/k?a=%ff", {}, false],
    ] as const)
      assert.equal(takesStream(wireRequest(method, url, headers), s3), expected, `${method} ${url}`);
    assert.equal(takesStream(wireRequest("POST", "/2015-03-31/functions/f/invocations"), loadService("lambda")), false);
  });

  test("is passed on as it is", () => {
    const stream = { any: "thing" };
    assert.equal(decode({ ...wireRequest("PUT", "/b/k"), stream }, s3).input["Body"], stream);
    assert.deepEqual(read("PUT", "/b/k", {}, "bytes").input["Body"], Buffer.from("bytes"));
  });
});

describe("an answer of S3's", () => {
  const get = read("GET", "/b/k");

  test("has an object's bytes as they are, its headers, and the request's id twice", () => {
    const body = Readable.from([Buffer.from("a")]);
    const response = encodeOutput(
      get,
      { Body: body, ContentLength: 1, ETag: '"e"', Metadata: { a: "b" }, DeleteMarker: undefined },
      "id-1",
    );
    assert.equal(response.status, 200);
    assert.equal(response.body, body);
    assert.deepEqual(response.headers, {
      "content-length": "1",
      etag: '"e"',
      "x-amz-meta-a": "b",
      "content-type": "binary/octet-stream",
      "x-amz-request-id": "id-1",
      "x-amz-id-2": Buffer.from("id-1").toString("base64"),
      "x-amzn-requestid": "id-1",
    });
  });

  test("that is a part of an object is a 206", () => {
    assert.equal(encodeOutput(get, { Body: Buffer.from("b"), ContentRange: "bytes 1-1/3" }, "id").status, 206);
  });

  test("to a HEAD has the length of a body that is not there", () => {
    const response = encodeOutput(read("HEAD", "/b/k"), { ContentLength: 12, ContentType: "text/plain" }, "id");
    assert.equal(response.headers["content-length"], "12");
    assert.equal(bodyText(response.body), "");
  });

  test("without anything to say has no body, whatever its status", () => {
    const removed = encodeOutput(read("DELETE", "/b/k"), { VersionId: "v" }, "id");
    assert.equal(removed.status, 204);
    assert.equal(removed.headers["x-amz-version-id"], "v");
    const put = encodeOutput(read("PUT", "/b/k"), { ETag: '"e"' }, "id");
    assert.equal(put.status, 200);
    assert.equal(put.headers["content-type"], undefined);
    assert.equal(bodyText(removed.body) + bodyText(put.body), "");
  });

  test("is a document with declaration, root and namespace of its own", () => {
    const listing = encodeOutput(
      read("GET", "/b?list-type=2"),
      { Name: "b", IsTruncated: false, Contents: [{ Key: "a&\r", Size: 1 }, { Key: "b" }], CommonPrefixes: [{ Prefix: "c/" }] },
      "id",
    );
    assert.equal(listing.headers["content-type"], "application/xml");
    assert.equal(
      bodyText(listing.body),
      `${DECLARATION}<ListBucketResult ${NAMESPACE}><IsTruncated>false</IsTruncated><Contents><Key>a&amp;&#xd;</Key><Size>1</Size></Contents>` +
        "<Contents><Key>b</Key></Contents><Name>b</Name><CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes></ListBucketResult>",
    );
    const versioning = encodeOutput(read("GET", "/b?versioning"), {}, "id");
    assert.equal(bodyText(versioning.body), `${DECLARATION}<VersioningConfiguration ${NAMESPACE}></VersioningConfiguration>`);
  });

  test("to GetBucketLocation is the region alone, and empty for the first of regions", () => {
    const location = (output: object): string => bodyText(encodeOutput(read("GET", "/b?location"), { ...output }, "id").body);
    assert.equal(
      location({ LocationConstraint: "eu-west-1" }),
      `${DECLARATION}<LocationConstraint ${NAMESPACE}>eu-west-1</LocationConstraint>`,
    );
    assert.equal(location({}), `${DECLARATION}<LocationConstraint ${NAMESPACE}></LocationConstraint>`);
  });

  test("with a grantee says its type as an attribute", () => {
    const grantee = { Type: "CanonicalUser", ID: "1" };
    const acl = encodeOutput(read("GET", "/b?acl"), { Grants: [{ Grantee: grantee, Permission: "READ" }] }, "id");
    assert.match(
      bodyText(acl.body),
      /<AccessControlList><Grant><Grantee xmlns:xsi="http:\/\/www\.w3\.org\/2001\/XMLSchema-instance" xsi:type="CanonicalUser"><ID>1<\/ID><\/Grantee>/,
    );
  });

  test("that is a policy is JSON", () => {
    const policy = encodeOutput(read("GET", "/b?policy"), { Policy: "{}" }, "id");
    assert.equal(policy.headers["content-type"], "application/json");
    assert.equal(bodyText(policy.body), "{}");
  });
});

describe("a refusal of S3's", () => {
  const noKey = {
    name: "NoSuchKey",
    message: "It is <gone>.",
    status: 404,
    members: { Key: "a&b", "not a name": 1, Code: "x", Absent: undefined },
  };

  test("is a bare error with code, message, members and ids", () => {
    const response = encodeError(read("GET", "/b/k"), { ...noKey, headers: { "x-amz-delete-marker": "true" } }, "id-1");
    assert.equal(response.status, 404);
    assert.deepEqual(response.headers, {
      "x-amz-request-id": "id-1",
      "x-amz-id-2": "aWQtMQ==",
      "x-amzn-requestid": "id-1",
      "content-type": "application/xml",
      "x-amz-delete-marker": "true",
    });
    assert.equal(
      bodyText(response.body),
      `${DECLARATION}<Error><Code>NoSuchKey</Code><Message>It is &lt;gone&gt;.</Message><Key>a&amp;b</Key><RequestId>id-1</RequestId><HostId>aWQtMQ==</HostId></Error>`,
    );
  });

  test("of a HEAD, or that says that nothing is new, has no body", () => {
    for (const target of [read("HEAD", "/b/k"), errorTarget(wireRequest("HEAD", "/b/%ff"), s3)]) {
      const response = encodeError(target, noKey, "id");
      assert.equal(response.status, 404);
      assert.equal(response.headers["content-type"], undefined);
      assert.equal(bodyText(response.body), "");
    }
    const unchanged = encodeError(read("GET", "/b/k"), { name: "NotModified", message: "", status: 304, headers: { etag: '"e"' } }, "id");
    assert.equal(unchanged.headers["etag"], '"e"');
    assert.equal(bodyText(unchanged.body), "");
  });
});
