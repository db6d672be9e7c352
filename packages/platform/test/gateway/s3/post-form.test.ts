import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac, createHash } from "node:crypto";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { systemClock } from "../../../src/base/index.ts";
import { FORM_FIELDS_BYTES_MAX, readUploadForm } from "../../../src/gateway/s3/multipart-form.ts";
import { send, type HttpReply } from "../../support/signed-http.ts";
import { codeOf, open, REGION, ROOT } from "./world.ts";

const BOUNDARY = "----form-of-a-test";
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

type Fields = Readonly<Record<string, string>>;

function formBody(fields: Fields, file: Buffer | string, fileName = "cat.txt"): Buffer {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${fileName}"\r\nContent-Type: text/plain\r\n\r\n`;
  return Buffer.concat([Buffer.from(parts.join("") + head), Buffer.from(file), Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
}

function post(url: string, fields: Fields, file: Buffer | string, path = "/photos", fileName?: string): Promise<HttpReply> {
  return send(url, { method: "POST", path, headers: { "content-type": TYPE }, body: formBody(fields, file, fileName) });
}

/** Text as a header brings it: one character a byte. */
const asSent = (text: string): string => Buffer.from(text).toString("latin1");

const hmac = (key: Buffer | string, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** `fields` with a policy that allows exactly them, and its signature. */
function signedFields(fields: Fields, conditions: readonly unknown[] = []): Fields {
  const amzDate = new Date(systemClock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const day = amzDate.slice(0, 8);
  const all = {
    ...fields,
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${ROOT.accessKeyId}/${day}/${REGION}/s3/aws4_request`,
    "x-amz-date": amzDate,
  };
  const document = {
    expiration: new Date(systemClock.now() + 60_000).toISOString(),
    conditions: [
      { bucket: "photos" },
      ...Object.entries(all).map(([name, value]) => (name === "key" ? ["starts-with", "$key", ""] : { [name]: value })),
      ...conditions,
    ],
  };
  const policy = Buffer.from(JSON.stringify(document)).toString("base64");
  const key = ["s3", "aws4_request"].reduce(hmac, hmac(hmac(`AWS4${ROOT.secretAccessKey}`, day), REGION));
  return { ...all, policy, "x-amz-signature": createHmac("sha256", key).update(policy).digest("hex") };
}

describe("an upload by a form", () => {
  test("is a PutObject with the form's fields, by whoever signed its policy", async (context) => {
    const { url, seen } = await open(context);
    const tagging = "<Tagging><TagSet><Tag><Key>a&amp;b</Key><Value>1 2</Value></Tag></TagSet></Tagging>";
    const fields = { key: "uploads/${filename}", acl: "private", "Content-Type": "image/jpeg", "x-amz-meta-Of": "Grüße", tagging };
    const reply = await post(url, signedFields(fields), "the bytes", "/photos", "C:\\fakepath\\große katze.jpg");
    assert.equal(reply.status, 204, reply.body.toString());
    const [{ input, context: given, body } = assert.fail("nothing was stored")] = seen;
    assert.deepEqual(
      [input["Bucket"], input["Key"], input["ContentType"], input["ACL"], input["Metadata"], input["Tagging"]],
      ["photos", "uploads/große katze.jpg", "image/jpeg", "private", { __proto__: null, of: asSent("Grüße") }, "a%26b=1%202"],
    );
    assert.deepEqual([given.principal.kind, body?.bytes, body?.md5], ["root", 9, createHash("md5").update("the bytes").digest("hex")]);
    assert.equal(reply.headers.location, `${url}/photos/uploads/gro%C3%9Fe%20katze.jpg`);
    assert.equal(reply.headers.etag, `"${body?.md5}"`);
  });

  test("of a large file streams, whatever pieces it comes in", async (context) => {
    const { url, seen } = await open(context);
    const file = Buffer.alloc(5_000_000, `\r\n--${BOUNDARY.slice(0, -1)}X`);
    assert.equal((await post(url, signedFields({ key: "big" }), file)).status, 204);
    assert.equal(seen[0]?.body?.md5, createHash("md5").update(file).digest("hex"));
  });

  test("is answered as it asks: by a document, a status, or at another address", async (context) => {
    const { url } = await open(context);
    const answer = (fields: Fields) => post(url, signedFields({ key: "a&b", ...fields }), "x");
    const created = await answer({ success_action_status: "201" });
    assert.equal(created.status, 201);
    assert.match(
      created.body.toString(),
      /<PostResponse><Location>http:.*\/photos\/a%26b<\/Location><Bucket>photos<\/Bucket><Key>a&#38;b<\/Key><ETag>&#34;\w+&#34;<\/ETag><\/PostResponse>$/,
    );
    assert.equal((await answer({ success_action_status: "200" })).status, 200);
    assert.equal((await answer({ success_action_status: "418" })).status, 204);
    const redirected = await answer({ success_action_redirect: "https://page.example/done?a=1" });
    assert.equal(redirected.status, 303);
    assert.match(redirected.headers.location ?? "", /^https:\/\/page\.example\/done\?a=1&bucket=photos&key=a%26b&etag=%22\w+%22$/);
    assert.equal((await answer({ success_action_redirect: "javascript:alert(1)" })).status, 204);
  });

  test("that is not what its policy says is refused and stores nothing", async (context) => {
    const { url, seen } = await open(context);
    const fields = signedFields({ key: "cat" }, [["content-length-range", 2, 10]]);
    const codes = [];
    for (const reply of [
      await post(url, { ...fields, "x-amz-meta-more": "1" }, "12345"),
      await post(url, { ...fields, policy: Buffer.from("{}").toString("base64") }, "12345"),
      await post(url, fields, "12345", "/other"),
      await post(url, fields, "1"),
      await post(url, fields, "1".repeat(11)),
    ]) {
      assert.ok(reply.status === 400 || reply.status === 403, String(reply.status));
      codes.push(codeOf(reply));
    }
    assert.deepEqual(codes.slice(0, 3), ["AccessDenied", "SignatureDoesNotMatch", "AccessDenied"]);
    assert.deepEqual(codes.slice(3), ["EntityTooSmall", "EntityTooLarge"]);
    assert.deepEqual(seen, []);
    assert.equal((await post(url, fields, "12")).status, 204);
  });

  test("to what is no bucket's name reaches neither another key nor a query", async (context) => {
    const { url, port, seen } = await open(context);
    const headers = { host: `s3.localhost:${port}`, "content-type": TYPE };
    for (const path of ["/photos%2Fprivate", "/photos%3FuploadId=1&partNumber=2"])
      await send(url, { method: "POST", path, headers, body: formBody({ key: "cat" }, "x") });
    assert.deepEqual(
      seen.map(({ input }) => [input["Bucket"], input["Key"]]),
      [
        ["photos/private", "cat"],
        ["photos?uploadId=1&partNumber=2", "cat"],
      ],
    );
  });

  test("to a host that names the bucket is told where the object is, below the host of all buckets", async (context) => {
    const { url, port } = await open(context);
    const body = formBody(signedFields({ key: "cat" }), "x");
    const reply = await send(url, { method: "POST", path: "/", headers: { host: `Photos.localhost:${port}`, "content-type": TYPE }, body });
    assert.equal(reply.status, 204, reply.body.toString());
    assert.equal(reply.headers.location, `http://localhost:${port}/photos/cat`);
  });

  test("without a policy is anybody's: the bucket's policy decides", async (context) => {
    const permission = { action: "s3:PutObject", resource: "*" };
    const refusing = await open(context, { permission: () => permission });
    assert.equal(codeOf(await post(refusing.url, { key: "cat" }, "x")), "AccessDenied");
    const letting = await open(context, { permission: () => ({ ...permission, resourcePolicy: "public" }) });
    assert.equal((await post(letting.url, { key: "cat" }, "x")).status, 204);
  });

  test("whose fields could stand in no header is refused", async (context) => {
    const { url, seen } = await open(context);
    for (const fields of [
      { key: "cat", "x-amz-meta-a": "1\r\nx: 2" },
      { key: "cat", "x-amz-meta-ä b": "1" },
      { key: "cat", "content-type": "a\0b" },
    ])
      assert.equal((await post(url, fields as unknown as Fields, "x")).status, 400);
    assert.deepEqual(seen, []);
  });

  test("with boto3's generate_presigned_post works", async (context) => {
    const { url, seen } = await open(context);
    const script = `
import boto3, json, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3])
print(json.dumps(s3.generate_presigned_post("photos", "uploads/\${filename}", Fields={"acl": "private"}, Conditions=[{"acl": "private"}, ["content-length-range", 0, 100]])))`;
    const { stdout } = await promisify(execFile)("python3", ["-c", script, url, ROOT.accessKeyId, ROOT.secretAccessKey]);
    const made = JSON.parse(stdout) as { readonly url: string; readonly fields: Fields };
    const reply = await post(url, made.fields, "hello", new URL(made.url).pathname);
    assert.equal(reply.status, 204, reply.body.toString());
    assert.equal(seen[0]?.input["Key"], "uploads/cat.txt");
  });
});

describe("a form's bytes", () => {
  const read = async (body: Buffer, pieces: number): Promise<{ readonly fields: ReadonlyMap<string, string>; readonly file: string }> => {
    async function* source(): AsyncGenerator<Buffer> {
      for (let at = 0; at < body.length; at += pieces) yield body.subarray(at, at + pieces);
    }
    const form = await readUploadForm(TYPE, source());
    const chunks = [];
    for await (const chunk of form.file) chunks.push(Buffer.from(chunk));
    return { fields: form.fields, file: Buffer.concat(chunks).toString() };
  };

  test("are read alike in whatever pieces they come", async () => {
    const file = `\r\n--${BOUNDARY.slice(0, -1)}\r\n-\r\n--almost`;
    const body = Buffer.concat([Buffer.from("a preamble\r\n"), formBody({ key: "k", empty: "", Twice: "1", twice: "2" }, file)]);
    for (const pieces of [1, 2, 3, 7, 64, body.length]) {
      const form = await read(body, pieces);
      assert.deepEqual([Object.fromEntries(form.fields), form.file], [{ key: "k", empty: "", twice: "2" }, file], String(pieces));
    }
  });

  test("that end early, have no file, no boundary or too many fields are refused", async () => {
    const whole = formBody({ key: "k" }, "file");
    const codeOfRefusal = (body: Buffer | string): Promise<unknown> =>
      read(Buffer.from(body), 64).then(
        () => "read",
        (error: { readonly code?: string }) => error.code,
      );
    for (let length = 0; length < whole.length - 6; length += 1)
      assert.equal(await codeOfRefusal(whole.subarray(0, length)), "IncompleteBody", String(length));
    assert.equal(await codeOfRefusal(`--${BOUNDARY}--\r\n`), "MalformedRequest");
    assert.equal(await codeOfRefusal(`--${BOUNDARY}\r\nX: y\r\n\r\n\r\n--${BOUNDARY}--`), "MalformedRequest");
    assert.equal(await codeOfRefusal(`--${BOUNDARY}nothing`), "MalformedRequest");
    assert.equal(await codeOfRefusal(formBody({ key: "k".repeat(FORM_FIELDS_BYTES_MAX + 1) }, "x")), "RequestTooLarge");
    assert.equal(await codeOfRefusal("x".repeat(100_000)), "RequestTooLarge");
    assert.equal(await codeOfRefusal(Buffer.concat([whole, Buffer.alloc(100_000)])), "MalformedRequest");
    await assert.rejects(readUploadForm("multipart/form-data", (async function* () {})()), { code: "MalformedRequest" });
  });
});
