/** Objects by browsers, links and clients that are no SDK's, against a real server. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/base/index.ts";
import { signRequest } from "../../src/security/index.ts";
import { until } from "../support/event-stage.ts";
import { startServerWithClients } from "../support/javascript-clients.ts";
import { runProgram } from "../support/lambent-process.ts";
import { type HttpCall, type HttpReply, send, sendSigned } from "../support/signed-http.ts";
import { known } from "./javascript/cases.ts";

const { server, clients } = await startServerWithClients();
const { s3 } = clients;
const { port } = new URL(server.url);

const textOf = async (Bucket: string, Key: string): Promise<string> =>
  known((await s3.getObject({ Bucket, Key })).Body).transformToString();
/** Name of the error that an answer has. */
const codeOf = (reply: HttpReply): string | undefined => /<Code>([^<]+)</u.exec(reply.body.toString("utf8"))?.[1];
const signed = (call: HttpCall): Promise<HttpReply> => sendSigned(server.url, call, server.key, "s3");
async function assertRefused(reply: HttpReply | Promise<HttpReply>, status: number, code: string): Promise<void> {
  const answered = await reply;
  assert.deepEqual([answered.status, codeOf(answered)], [status, code], answered.body.toString("utf8"));
}

interface Form {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}
type Links = Readonly<Record<"s3" | "s3v4", Readonly<Record<"get" | "put" | "other", string>>>>;
interface Made {
  readonly urls: Links;
  readonly expired: Links;
  readonly forms: Readonly<Record<"s3" | "s3v4", Form>>;
  readonly expiredForm: Form;
}
let made: Made;

before(async () => {
  await s3.createBucket({ Bucket: "linked" });
  await s3.putObject({ Bucket: "linked", Key: "猫 a+b.txt", Body: "meow" });
  const script = fileURLToPath(new URL("boto3/object_links.py", import.meta.url));
  const environment = { ...server.clientEnvironment, RECORDER_URL: server.url, PYTHONDONTWRITEBYTECODE: "1" };
  const { exit, out, err } = await runProgram("python3", [script], environment);
  assert.equal(exit, 0, err);
  made = JSON.parse(out) as Made;
});

/** Asks for a link as a browser does. */
async function follow(url: string, how: RequestInit = {}): Promise<HttpReply> {
  const answer = await fetch(url, how);
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: Buffer.from(await answer.arrayBuffer()) };
}

for (const version of ["s3v4", "s3"] as const)
  describe(`a link signed as ${version}`, () => {
    test("reads, with the headers it asks for", async () => {
      const got = await follow(made.urls[version].get);
      assert.deepEqual([got.status, got.body.toString(), got.headers["content-type"]], [200, "meow", "text/x-cat"]);
    });

    test("writes, with the headers that were signed", async () => {
      const stored = await follow(made.urls[version].put, { method: "PUT", body: "text", headers: { "content-type": "text/plain" } });
      assert.equal(stored.status, 200, stored.body.toString());
      assert.equal(await textOf("linked", `put by ${version}`), "text");
      const other = { method: "PUT", body: "text", headers: { "content-type": "text/html" } };
      await assertRefused(follow(made.urls[version].put, other), 403, "SignatureDoesNotMatch");
    });

    test("is refused for another key, another method, another answer, and once its time is over", async () => {
      const { get, other } = made.urls[version];
      await assertRefused(follow(get.replace("linked/", "linked/x")), 403, "SignatureDoesNotMatch");
      await assertRefused(follow(get, { method: "DELETE" }), 403, "SignatureDoesNotMatch");
      await assertRefused(follow(get.replace("text%2Fx-cat", "text%2Fhtml")), 403, "SignatureDoesNotMatch");
      await assertRefused(follow(other), 404, "NoSuchKey");
      await assertRefused(follow(made.expired[version].get), 403, "AccessDenied");
      await assertRefused(follow(made.expired[version].put, { method: "PUT", body: "late" }), 403, "AccessDenied");
    });
  });

describe("a form", () => {
  const post = ({ url, fields }: Form, file: string, more: Readonly<Record<string, string>> = { "Content-Type": "text/plain" }) => {
    const body = new FormData();
    for (const [name, value] of Object.entries({ ...fields, ...more })) body.append(name, value);
    body.append("file", new Blob([file]), "猫 一.txt");
    return follow(url, { method: "POST", body });
  };

  test("uploads under its file's name, as its policy lets it", async () => {
    for (const version of ["s3v4", "s3"] as const) {
      const answer = await post(made.forms[version], "hello");
      assert.deepEqual([answer.status, /<Key>([^<]+)</u.exec(answer.body.toString("utf8"))?.[1]], [201, `by ${version}/猫 一.txt`]);
      assert.equal(await textOf("linked", `by ${version}/猫 一.txt`), "hello");
    }
  });

  test("whose conditions do not hold is refused, and stores nothing", async () => {
    const form = made.forms.s3v4;
    const key = { "Content-Type": "text/plain", key: "by s3v4/other" };
    await assertRefused(post(form, "hello", { "Content-Type": "image/png" }), 403, "AccessDenied");
    await assertRefused(post(form, "hello", { ...key, key: "elsewhere" }), 403, "AccessDenied");
    await assertRefused(post(form, "hello", { ...key, acl: "public-read" }), 403, "AccessDenied");
    await assertRefused(post(form, "x".repeat(1_001), key), 400, "EntityTooLarge");
    await assertRefused(post(form, "", key), 400, "EntityTooSmall");
    await assertRefused(post(made.expiredForm, "hello", key), 403, "AccessDenied");
    await assertRefused(
      post({ ...form, fields: { ...form.fields, "x-amz-signature": "0".repeat(64) } }, "hello", key),
      403,
      "SignatureDoesNotMatch",
    );
    await assertRefused(post({ ...form, fields: {} }, "hello", key), 403, "AccessDenied");
    const { Contents = [] } = await s3.listObjectsV2({ Bucket: "linked" });
    assert.deepEqual(
      Contents.filter(({ Key }) => /other|elsewhere/u.test(Key ?? "")),
      [],
    );
  });
});

test("nobody in particular reads what a bucket's policy gives to everybody, and only that", async () => {
  const Bucket = "public-pictures";
  await s3.createBucket({ Bucket });
  await s3.putObject({ Bucket, Key: "open/a", Body: "seen" });
  await s3.putObject({ Bucket, Key: "closed/a", Body: "unseen" });
  const get = (path: string, method = "GET"): Promise<HttpReply> => send(server.url, { method, path });
  await assertRefused(get("/public-pictures/open/a"), 403, "AccessDenied");
  const Statement = [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/open/*` }];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await assert.rejects(s3.putBucketPolicy({ Bucket, Policy }), { name: "AccessDenied" });
  await s3.deletePublicAccessBlock({ Bucket });
  await s3.putBucketPolicy({ Bucket, Policy });
  assert.equal((await get("/public-pictures/open/a")).body.toString(), "seen");
  for (const path of ["/public-pictures/closed/a", "/public-pictures/open/missing", "/public-pictures", "/public-pictures/open/a?acl"])
    await assertRefused(get(path), 403, "AccessDenied");
  await assertRefused(send(server.url, { method: "PUT", path: "/public-pictures/open/b", body: "x" }), 403, "AccessDenied");
  await assertRefused(get("/public-pictures/open/a", "DELETE"), 403, "AccessDenied");
  await s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } });
  await assertRefused(get("/public-pictures/open/a"), 403, "AccessDenied");
});

test("a bucket is reached by its name before the server's, signed and not", async () => {
  for (const host of [`linked.localhost:${port}`, `linked.s3.localhost:${port}`]) {
    const path = `/${encodeURIComponent("by host")}`;
    const stored = await signed({ method: "PUT", path, headers: { host }, body: host });
    assert.equal(stored.status, 200, `${host}: ${stored.body.toString("utf8")}`);
    assert.equal(await textOf("linked", "by host"), host);
    assert.match(
      (await signed({ method: "GET", path: "/?list-type=2&prefix=by%20host", headers: { host } })).body.toString(),
      /<Name>linked<\/Name>/u,
    );
    await assertRefused(send(server.url, { method: "GET", path, headers: { host } }), 403, "AccessDenied");
  }
});

test("a browser's page of another origin asks first, and is answered by the bucket's rules", async () => {
  const Bucket = "with-cors";
  await s3.createBucket({ Bucket });
  await s3.putObject({ Bucket, Key: "k", Body: "x" });
  const ask = (origin: string, method: string): Promise<HttpReply> =>
    send(server.url, {
      method: "OPTIONS",
      path: "/with-cors/k",
      headers: { origin, "access-control-request-method": method, "access-control-request-headers": "content-type" },
    });
  await assertRefused(ask("https://page.example", "PUT"), 403, "AccessForbidden");
  const CORSRules = [
    {
      AllowedOrigins: ["https://*.example"],
      AllowedMethods: ["PUT"],
      AllowedHeaders: ["content-*"],
      ExposeHeaders: ["etag"],
      MaxAgeSeconds: 60,
    },
  ];
  await s3.putBucketCors({ Bucket, CORSConfiguration: { CORSRules } });
  const { status, headers } = await ask("https://page.example", "PUT");
  assert.deepEqual(
    [status, headers["access-control-allow-origin"], headers["access-control-allow-methods"], headers["access-control-max-age"]],
    [200, "https://page.example", "PUT", "60"],
  );
  await assertRefused(ask("https://page.example", "DELETE"), 403, "AccessForbidden");
  await assertRefused(ask("https://elsewhere.test", "PUT"), 403, "AccessForbidden");
  const stored = await signed({ method: "PUT", path: "/with-cors/k", headers: { origin: "https://page.example" }, body: "y" });
  assert.deepEqual([stored.status, stored.headers["access-control-expose-headers"]], [200, "etag"]);
});

describe("P8: what no client should send", () => {
  test("paths that are no text are refused by name", async () => {
    for (const path of ["/linked/%FF", "/linked/a%C3%28", "/linked/%ED%A0%80", "/linked/%", "/linked/%zz", "/linked/a%00b"]) {
      await assertRefused(signed({ method: "PUT", path, body: "x" }), 400, "InvalidURI");
    }
  });

  test("documents that are no XML, or would grow, are refused by name", async () => {
    const lines = Array.from({ length: 20 }, (_, n) => `<!ENTITY e${n + 1} "&e${n};&e${n};">`).join("");
    const bomb = `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "boom">${lines}]><Delete><Object><Key>&e20;</Key></Object></Delete>`;
    const outside = '<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&f;</Key></Object></Delete>';
    const deep = `${"<Delete>".repeat(50_000)}${"</Delete>".repeat(50_000)}`;
    for (const body of [bomb, outside, deep, "<Delete><Object>", "no xml", '{"Delete":{}}', "<Delete>\0</Delete>", "\ufffe<Delete/>"]) {
      const headers = { "content-md5": createHash("md5").update(body).digest("base64") };
      await assertRefused(signed({ method: "POST", path: "/linked?delete", headers, body }), 400, "MalformedXML");
    }
    await assertRefused(signed({ method: "POST", path: "/linked?delete", body: "" }), 400, "MissingRequestBodyError");
    assert.equal(await textOf("linked", "猫 a+b.txt"), "meow");
  });

  /** The head of an upload. */
  function headOf(path: string, headers: Readonly<Record<string, string>>, payloadHash = "UNSIGNED-PAYLOAD"): string {
    const all = { host: `127.0.0.1:${port}`, ...headers };
    const request = { method: "PUT", rawUrl: path, rawHeaders: Object.entries(all).flat(), body: Buffer.alloc(0) };
    const signing = { service: "s3", region: "us-east-1", now: systemClock.now(), payloadHash };
    const lines = Object.entries({ ...all, ...signRequest(request, server.key, signing) }).map(([name, value]) => `${name}: ${value}\r\n`);
    return `PUT ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
  }

  async function connected(): Promise<Socket> {
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    return socket;
  }

  /** Files of all buckets. */
  function filesStored(): number {
    const top = join(known(server.clientEnvironment["XDG_RUNTIME_DIR"]), "data", "objects");
    return readdirSync(top, { recursive: true, encoding: "utf8" }).filter((name) =>
      statSync(join(top, name), { throwIfNoEntry: false })?.isFile(),
    ).length;
  }

  test("a client that vanishes within its body leaves nothing", async () => {
    await s3.putObject({ Bucket: "linked", Key: "whole", Body: Buffer.alloc(100_000) });
    const before = filesStored();
    const socket = await connected();
    socket.write(headOf("/linked/vanished", { "content-length": "4000000" }));
    socket.write(Buffer.alloc(2_000_000, 7));
    await until(
      async () => filesStored(),
      (count) => count > before,
    );
    socket.destroy();
    await until(
      async () => filesStored(),
      (count) => count === before,
    );
    await assertRefused(signed({ method: "GET", path: "/linked/vanished" }), 404, "NoSuchKey");
    assert.equal(filesStored(), before);
  });

  test("chunks that end early, or whose checksum behind them is another's, leave nothing", async () => {
    const before = filesStored();
    const upload = async (body: string, length: number): Promise<string> => {
      const socket = await connected();
      let answer = "";
      socket.setEncoding("latin1").on("data", (piece: string) => (answer += piece));
      const framing = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": String(length),
        "x-amz-trailer": "x-amz-checksum-crc32",
      };
      const head = headOf("/linked/chunked", { ...framing, "content-length": String(body.length) }, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
      socket.write(head + body);
      while (!/<\/Error>|^HTTP\/1\.1 200/u.test(answer)) await once(socket, "data");
      socket.destroy();
      return `${/^HTTP\/1\.1 (\d+)/u.exec(answer)?.[1]} ${/<Code>([^<]+)/u.exec(answer)?.[1] ?? ""}`;
    };
    const long = "x".repeat(40_000);
    const good = `9c40\r\n${long}\r\n0\r\nx-amz-checksum-crc32:`;
    assert.equal(await upload(`${good}AAAAAA==\r\n\r\n`, 40_000), "400 BadDigest");
    assert.equal(await upload("5\r\nhello\r\n0\r\n\r\n", 9), "400 IncompleteBody");
    assert.equal(await upload(`5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n`, 5), "400 BadDigest");
    assert.equal(await upload(`zz\r\nhello\r\n0\r\n\r\n`, 5), "400 InvalidRequest");
    await assertRefused(signed({ method: "GET", path: "/linked/chunked" }), 404, "NoSuchKey");
    await until(
      async () => filesStored(),
      (count) => count === before,
    );
    assert.equal(await upload(`5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n`, 5), "200 ");
  });

  test("who waits for 100 before its body is refused without it", async () => {
    const expecting = { "content-length": "4000000", expect: "100-continue" };
    const socket = await connected();
    let answer = "";
    socket.setEncoding("latin1").on("data", (piece: string) => (answer += piece));
    socket.write(headOf("/nobody-made-this-bucket/k", expecting));
    while (!answer.includes("</Error>")) await once(socket, "data");
    socket.destroy();
    assert.match(answer, /^HTTP\/1\.1 404 [^]*NoSuchBucket/u);
    const taken = await connected();
    taken.write(headOf("/linked/expected", { "content-length": "5", expect: "100-continue" }));
    const [interim] = (await once(taken, "data")) as [Buffer];
    assert.match(interim.toString("latin1"), /^HTTP\/1\.1 100 Continue\r\n\r\n$/u);
    taken.write("hello");
    const [final] = (await once(taken, "data")) as [Buffer];
    assert.match(final.toString("latin1"), /^HTTP\/1\.1 200 OK/u);
    taken.destroy();
    assert.equal(await textOf("linked", "expected"), "hello");
  });
});
