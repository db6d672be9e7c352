/** boto3's own requests for every operation of S3, made in one Python process that sends none of them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { decode, findService, loadService } from "../../src/wire/index.ts";
import { wireRequest } from "../support/wire-request.ts";

interface Made {
  readonly operation: string;
  readonly given: Readonly<Record<string, unknown>>;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const s3 = loadService("s3");
const SCRIPT = fileURLToPath(new URL("s3_requests.py", import.meta.url));
const environment = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", AWS_EC2_METADATA_DISABLED: "true" };
const printed = execFileSync("python3", [SCRIPT], { encoding: "utf8", env: environment, maxBuffer: 32 * 1024 * 1024 });
const requests = printed
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Made);

/** Older names of the same requests, which only botocore has still. */
const RENAMED: Readonly<Record<string, string>> = {
  GetBucketLifecycle: "GetBucketLifecycleConfiguration",
  GetBucketNotification: "GetBucketNotificationConfiguration",
  PutBucketLifecycle: "PutBucketLifecycleConfiguration",
  PutBucketNotification: "PutBucketNotificationConfiguration",
};

const OLDER_DOCUMENT = "its document has other elements than its successor's";
const NOT_COMPARED: Readonly<Record<string, string>> = {
  PutBucketLifecycle: OLDER_DOCUMENT,
  PutBucketNotification: OLDER_DOCUMENT,
  ListDirectoryBuckets: "it goes to a host of its own, and is ListBuckets in all else: boto3 sends no x-id",
};

/** What was decoded, in the form in which the script tells what was given. */
function told(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { bytes: value.toString("base64") };
  if (value instanceof Date) return { date: value.toISOString().replace(".000Z", "+00:00") };
  if (Array.isArray(value)) return value.map(told);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, told(entry)]));
}

/** boto3 quotes what it is given as a source; the SDK for JavaScript, whose schema is ours, has this marker as text. */
function sent(name: string, value: unknown): unknown {
  if (name === "CopySource") return encodeURI(String(value));
  return name === "PartNumberMarker" ? String(value) : value;
}

describe("a request of boto3's for S3", () => {
  test("is made for every operation", () => {
    const made = new Set(requests.map(({ operation }) => RENAMED[operation] ?? operation));
    // Newer than the pinned boto3.
    const newer = [
      "DeleteObjectAnnotation",
      "GetObjectAnnotation",
      "ListObjectAnnotations",
      "PutObjectAnnotation",
      "UpdateBucketMetadataAnnotationTableConfiguration",
    ];
    assert.deepEqual([...s3.operations.keys()].filter((name) => !made.has(name)).sort(), newer);
  });

  test("is read as the operation that it is, with all that it was given", () => {
    const differences: string[] = [];
    for (const { operation, given, method, url, headers, body } of requests) {
      if (NOT_COMPARED[operation] !== undefined) continue;
      const { pathname, search } = splitUrl(url);
      const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
      const request = wireRequest(method, pathname + search, lowerCase, Buffer.from(body, "base64"));
      assert.equal(findService({ ...request, scopeService: "s3" }, [s3]), s3);
      const decoded = decode(request, s3);
      assert.equal(decoded.operation, RENAMED[operation] ?? operation, url);
      for (const [name, value] of Object.entries(given))
        if (!isDeepStrictEqual(told(decoded.input[name]), sent(name, value)))
          differences.push(`${operation} ${name}: ${JSON.stringify(told(decoded.input[name]))} for ${JSON.stringify(value)}`);
    }
    assert.deepEqual(differences, []);
  });
});

/** As it was sent: a parsed URL would have its path changed. */
function splitUrl(url: string): { readonly pathname: string; readonly search: string } {
  const path = url.replace(/^http:\/\/[^/]+/, "");
  const mark = path.indexOf("?");
  return mark === -1 ? { pathname: path, search: "" } : { pathname: path.slice(0, mark), search: path.slice(mark) };
}
