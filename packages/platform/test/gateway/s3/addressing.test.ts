import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressOf, meaningOf, type HostNames } from "../../../src/gateway/s3/addressing.ts";
import { isS3Request, type S3Telling } from "../../../src/gateway/s3/is-s3-request.ts";

const NAMES: HostNames = { suffixes: ["lambent.example.test"], services: new Set(["lambda", "sqs", "logs"]) };

describe("a host", () => {
  const buckets: readonly (readonly [host: string, bucket: string])[] = [
    ["photos.s3.us-east-1.amazonaws.com", "photos"],
    ["photos.s3.amazonaws.com:443", "photos"],
    ["photos.s3-eu-west-1.amazonaws.com", "photos"],
    ["photos.s3.dualstack.us-west-2.amazonaws.com", "photos"],
    ["photos.s3.localhost:4566", "photos"],
    ["photos.s3.us-east-1.localhost.localstack.cloud:4566", "photos"],
    ["my.dotted.bucket.s3.localhost", "my.dotted.bucket"],
    ["old.s3.copies.s3.localhost", "old.s3.copies"],
    ["photos.localhost:4566", "photos"],
    ["my.dotted.bucket.localhost", "my.dotted.bucket"],
    ["PHOTOS.LocalHost.", "photos"],
    ["localhost-photos.localhost", "localhost-photos"],
    ["photos.lambent.example.test:8080", "photos"],
    ["lambda-code.localhost", "lambda-code"],
  ];
  for (const [host, bucket] of buckets)
    test(`${host} is the bucket ${bucket}`, () => assert.deepEqual(meaningOf(host, NAMES, false), { kind: "bucket", bucket }));

  test("that begins with S3's label is S3 without a bucket", () => {
    for (const host of ["s3.localhost:4566", "s3.us-east-1.amazonaws.com", "s3.amazonaws.com", "s3-eu-west-1.amazonaws.com"])
      assert.deepEqual(meaningOf(host, NAMES, false), { kind: "s3" }, host);
  });

  test("that is an address, a bare name, a listener's own name or of another domain names no bucket", () => {
    for (const host of [
      "",
      "localhost",
      "localhost:4566",
      "lambent",
      "127.0.0.1:4566",
      "10.1.2.3",
      "[::1]:4566",
      "[fe80::1.2.3.4]",
      "lambent.example.test",
      "other.example.test",
      "localhost.localstack.cloud:4566",
      `${"a".repeat(400)}.localhost`,
    ])
      assert.deepEqual(meaningOf(host, NAMES, false), { kind: "endpoint" }, host);
  });

  test("with a service's label is that service's, unless the request is signed for S3", () => {
    for (const [host, bucket] of [
      ["lambda.localhost", "lambda"],
      ["sqs.us-east-1.localhost", "sqs.us-east-1"],
    ] as const) {
      assert.deepEqual(meaningOf(host, NAMES, false), { kind: "endpoint" }, host);
      assert.deepEqual(meaningOf(host, NAMES, true), { kind: "bucket", bucket }, host);
    }
    assert.deepEqual(meaningOf("lambda.code.localhost", NAMES, false), { kind: "bucket", bucket: "lambda.code" });
  });
});

describe("an address", () => {
  const ofPath = (url: string) => addressOf({ kind: "endpoint" }, url);
  const ofHost = (url: string) => addressOf({ kind: "bucket", bucket: "photos" }, url);

  test("in path style has its bucket first, and the key as it came", () => {
    assert.deepEqual(ofPath("/photos/2024/a%20b//c/../d.jpg?versionId=1"), {
      style: "endpoint",
      bucket: "photos",
      rawKey: "2024/a%20b//c/../d.jpg",
      pathStyleUrl: "/photos/2024/a%20b//c/../d.jpg?versionId=1",
    });
    for (const [url, bucket, rawKey] of [
      ["/", undefined, ""],
      ["/?x-id=ListBuckets", undefined, ""],
      ["/photos", "photos", ""],
      ["/photos/", "photos", ""],
      ["/photos?list-type=2", "photos", ""],
      ["/photos//", "photos", "/"],
      ["/ph%6ftos/k", "photos", "k"],
      ["/ph%zz/k", "ph%zz", "k"],
    ] as const)
      assert.deepEqual([ofPath(url).bucket, ofPath(url).rawKey, ofPath(url).pathStyleUrl], [bucket, rawKey, url]);
  });

  test("with its bucket in the host is put into path style", () => {
    for (const [url, rawKey, pathStyleUrl] of [
      ["/", "", "/photos/"],
      ["/?list-type=2&prefix=a", "", "/photos/?list-type=2&prefix=a"],
      ["?list-type=2", "", "/photos/?list-type=2"],
      ["/a/b%2Fc", "a/b%2Fc", "/photos/a/b%2Fc"],
      ["//a", "/a", "/photos//a"],
    ] as const)
      assert.deepEqual(ofHost(url), { style: "bucket", bucket: "photos", rawKey, pathStyleUrl }, url);
  });
});

describe("a request is told to be S3's or not", () => {
  const scoped = (service: string) => ({
    authorization: `AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  });
  const form = { "content-type": "multipart/form-data; boundary=x" };
  const cases: readonly (readonly [S3Telling, string, string, Readonly<Record<string, string>>?])[] = [
    ["s3", "GET", "/", scoped("s3")],
    ["other", "GET", "/photos/cat", scoped("lambda")],
    ["s3", "GET", "/photos/cat?X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0"],
    ["other", "GET", "/photos/cat?X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fsqs%2Faws4_request&X-Amz-Signature=0"],
    ["s3", "GET", "/photos/cat?AWSAccessKeyId=AK&Signature=x&Expires=1"],
    ["s3", "PUT", "/photos/cat", { authorization: "AWS AK:signature" }],
    ["s3", "GET", "/cat", { host: "photos.s3.localhost" }],
    ["s3", "GET", "/", { host: "photos.localhost:4566" }],
    ["s3", "GET", "/", { host: "s3.localhost:4566" }],
    ["other", "GET", "/", { host: "lambda.localhost:4566" }],
    ["other", "POST", "/", { host: "photos.localhost", "x-amz-target": "Logs_20140328.DescribeLogGroups" }],
    ["other", "GET", "/000000000000/queue?Action=ReceiveMessage"],
    ["other", "POST", "/000000000000/queue", { "content-type": "application/x-www-form-urlencoded; charset=utf-8" }],
    ["other", "GET", "/"],
    ["other", "GET", "/_lambent/status"],
    ["other", "GET", "/Not_A_Bucket/x"],
    ["other", "PATCH", "/photos/cat"],
    ["s3", "POST", "/photos", form],
    ["s3", "POST", "/photos/", form],
    ["other", "POST", "/", form],
    ["s3", "OPTIONS", "/photos/cat", { origin: "https://page.example" }],
    ["untold", "OPTIONS", "/photos/cat"],
    ["untold", "GET", "/photos"],
    ["untold", "GET", "/photos?list-type=2"],
    ["untold", "PUT", "/photos/cat", { "content-type": "application/x-www-form-urlencoded" }],
    ["untold", "GET", "/2015-03-31/functions"],
  ];
  for (const [telling, method, url, headers = {}] of cases)
    test(`${method} ${url} with ${JSON.stringify(headers)}: ${telling}`, () =>
      assert.equal(isS3Request({ method, url, headers: { host: "127.0.0.1:4566", ...headers } }, NAMES), telling));
});
