import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Readable } from "node:stream";
import { describe, test, type TestContext } from "node:test";
import { crc32 } from "node:zlib";
import { deferred, ManualClock, systemClock } from "../../../src/base/index.ts";
import { REQUEST_MS_MAX } from "../../../src/gateway/gateway.ts";
import { createInstanceEndpoint } from "../../../src/gateway/index.ts";
import { type Egress, presign } from "../../../src/security/index.ts";
import { functionVersion } from "../../support/function-version.ts";
import { send } from "../../support/signed-http.ts";
import { codeOf, connected, credentials, head, open, type Options, put, REGION, ROOT, type Seen, signed, until } from "./world.ts";

const md5Of = (text: string | Buffer): string => createHash("md5").update(text).digest("hex");
const UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

function crcOf(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString("base64");
}

describe("the name of a file", () => {
  // Headers are bytes: a browser's UTF-8 comes in as Latin-1 text, a link's own name may be Latin-1 itself.
  const utf8 = Buffer.from('attachment; filename="图片 ü.png"', "utf8").toString("latin1");
  for (const name of [utf8, 'attachment; filename="ü.png"'])
    test(`${JSON.stringify(name)} is answered as it was given`, async (context) => {
      const answer = { ContentLength: 3, ContentDisposition: name };
      const { url } = await open(context, {
        operations: {
          GetObject: ({ Key }: { readonly Key?: unknown }) => ({
            ...answer,
            Body: Key === "whole" ? Buffer.from("abc") : Readable.from([Buffer.from("abc")]),
          }),
          HeadObject: () => answer,
        },
      });
      for (const call of [{ path: "/photos/whole" }, { path: "/photos/stream" }, { path: "/photos/whole", method: "HEAD" }]) {
        const reply = await put(url, { method: "GET", ...call });
        assert.deepEqual([reply.status, reply.headers["content-disposition"], reply.headers["content-length"]], [200, name, "3"]);
      }
    });
});

describe("an upload", () => {
  test("reaches its operation with its bytes, its caller and what its head says of the body", async (context) => {
    const { url, seen, bodies } = await open(context);
    const headers = {
      "x-amz-checksum-crc32": crcOf("hello"),
      "content-md5": createHash("md5").update("hello").digest("base64"),
      "content-type": "text/plain",
    };
    const reply = await put(url, { path: "/photos/a%20b/c.txt", headers, body: "hello" });
    assert.equal(reply.status, 200, reply.body.toString());
    assert.equal(reply.headers.etag, `"${md5Of("hello")}"`);
    const [{ input, context: given, body }] = seen as [Seen];
    assert.deepEqual([input["Bucket"], input["Key"], input["ContentType"]], ["photos", "a b/c.txt", "text/plain"]);
    assert.deepEqual(
      [given.principal.kind, given.realm, given.sourceAddress],
      ["root", { account: ROOT.account, region: REGION }, "127.0.0.1"],
    );
    assert.deepEqual([body?.bytes, body?.md5], [5, md5Of("hello")]);
    const { length, md5, checksum, signedSha256 } = body?.announced ?? {};
    assert.deepEqual(
      { length, md5, checksum, signedSha256 },
      {
        length: 5,
        md5: headers["content-md5"],
        checksum: { algorithm: "CRC32", value: crcOf("hello") },
        signedSha256: createHash("sha256").update("hello").digest("hex"),
      },
    );
    assert.equal(reply.headers["x-amz-request-id"], given.requestId);
    assert.ok(reply.headers.date);
    assert.equal(bodies.held, 0, "nothing of it is held");
  });

  test("to a bucket in the host name is the same as in path style", async (context) => {
    const { url, seen } = await open(context);
    const host = `photos.localhost:${new URL(url).port}`;
    for (const [at, path] of [
      [host, "/cat"],
      [`photos.s3.us-east-1.localhost:${new URL(url).port}`, "/cat"],
    ] as const)
      assert.equal((await put(url, { path, headers: { host: at }, body: "x" })).status, 200, at);
    assert.deepEqual(
      seen.map(({ input }) => [input["Bucket"], input["Key"]]),
      [
        ["photos", "cat"],
        ["photos", "cat"],
      ],
    );
  });

  test("in aws-chunked comes without its framing, with the checksum behind it, and no such encoding is stored", async (context) => {
    const { url, seen } = await open(context);
    const headers = {
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "5",
      "x-amz-trailer": "x-amz-checksum-crc32",
      "x-amz-sdk-checksum-algorithm": "CRC32",
    };
    const body = `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${crcOf("hello")}\r\n\r\n`;
    assert.equal((await put(url, { path: "/photos/cat", headers, body }, UNSIGNED_TRAILER)).status, 200);
    assert.equal(
      (await put(url, { path: "/photos/cat", headers: { ...headers, "content-encoding": "gzip,aws-chunked" }, body }, UNSIGNED_TRAILER))
        .status,
      200,
    );
    for (const { body: stored } of seen) {
      assert.deepEqual([stored?.bytes, stored?.md5, stored?.trailing], [5, md5Of("hello"), crcOf("hello")]);
      assert.deepEqual([stored?.announced.length, stored?.announced.checksum], [5, { algorithm: "CRC32" }]);
    }
    assert.deepEqual(
      seen.map(({ input }) => input["ContentEncoding"]),
      [undefined, "gzip"],
    );
  });

  test("whose chunks are broken or missing is refused", async (context) => {
    const { url, seen } = await open(context);
    const headers = { "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "5" };
    const codes = [];
    for (const body of ["5\r\nhel", "zz\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n", ""])
      codes.push(codeOf(await put(url, { path: "/photos/cat", headers, body }, UNSIGNED_TRAILER)));
    assert.deepEqual(
      codes.map((code) => code !== undefined && code !== "InternalError"),
      [true, true, true, true],
      String(codes),
    );
    assert.deepEqual(seen, []);
  });

  test("by a presigned link needs no header, and is refused once the link was altered", async (context) => {
    const { url, seen } = await open(context);
    const request = { method: "PUT", rawUrl: "/photos/cat", rawHeaders: ["host", new URL(url).host], body: Buffer.alloc(0) };
    const path = presign(request, ROOT, { service: "s3", region: REGION, now: systemClock.now(), expiresSeconds: 60 });
    assert.equal((await send(url, { method: "PUT", path, body: "hello" })).status, 200);
    assert.equal(seen[0]?.body?.bytes, 5);
    const altered = await send(url, { method: "PUT", path: path.replace("cat", "dog"), body: "hello" });
    assert.deepEqual([altered.status, codeOf(altered)], [403, "SignatureDoesNotMatch"]);
  });

  test("of no bytes is one too", async (context) => {
    const { url, seen } = await open(context);
    assert.equal((await put(url, { path: "/photos/empty" })).status, 200);
    assert.deepEqual([seen[0]?.body?.bytes, seen[0]?.body?.announced.length], [0, 0]);
  });

  test("leaves its connection open for the next request", async (context) => {
    const { url, port } = await open(context);
    const socket = await connected(port);
    const call = { method: "PUT", path: "/photos/cat", headers: { host: `127.0.0.1:${port}` }, body: "x".repeat(300_000) };
    for (let round = 0; round < 2; round += 1) {
      socket.write(head("PUT", call.path, { ...signed(url, call), "content-length": "300000" }) + call.body);
      assert.match(await until(socket, /\r\n\r\n/), /^HTTP\/1\.1 200 (?!.*connection: close)/is);
    }
    socket.destroy();
  });

  test("P7: is read no faster than it is stored", async (context) => {
    const gate = deferred<void>();
    const begun = deferred<void>();
    let bytes = 0;
    const operations = {
      PutObject: async (input: { readonly Body: { readonly source: AsyncIterable<Uint8Array> } }) => {
        for await (const chunk of input.Body.source) {
          bytes += chunk.length;
          begun.resolve();
          await gate.promise;
        }
        return {};
      },
    };
    const { url, port } = await open(context, { operations: operations as never });
    const socket = await connected(port);
    const total = 64 * 1024 * 1024;
    const call = { method: "PUT", path: "/photos/big", headers: { host: `127.0.0.1:${port}`, "content-length": String(total) } };
    socket.write(head("PUT", call.path, signed(url, call, "UNSIGNED-PAYLOAD")));
    const piece = Buffer.alloc(1024 * 1024);
    let sent = 0;
    const feed = (): void => {
      while (sent < total) {
        sent += piece.length;
        if (!socket.write(piece)) return void socket.once("drain", feed);
      }
    };
    feed();
    await begun.promise;
    // The sender stands once the sockets' buffers are full, far from the end.
    const taken = (): number => socket.bytesWritten - socket.writableLength;
    let before = taken();
    for (let turns = 0; turns < 500; turns = taken() === before ? turns + 1 : 0) {
      before = taken();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(before < total / 2, `${before} bytes were taken`);
    assert.ok(bytes < 1024 * 1024);
    gate.resolve();
    await until(socket, /HTTP\/1\.1 200/);
    assert.equal(bytes, total);
    socket.destroy();
  });
});

describe("a document", () => {
  const policy = '{"Version":"2012-10-17"}';

  test("is received whole, and given back to the budget", async (context) => {
    const { url, seen, bodies } = await open(context);
    assert.equal((await put(url, { path: "/photos?policy", body: policy })).status, 200);
    assert.deepEqual([seen[0]?.input["Policy"], bodies.held], [policy, 0]);
  });

  test("with another digest than was sent with it is refused", async (context) => {
    const { url, seen } = await open(context);
    const other = createHash("md5").update("other").digest("base64");
    for (const [headers, sha256, code] of [
      [{ "content-md5": other }, undefined, "BadDigest"],
      [{ "x-amz-checksum-crc32": "AAAAAA==" }, undefined, "BadDigest"],
      [{}, "0".repeat(64), "XAmzContentSHA256Mismatch"],
    ] as const) {
      const reply = await put(url, { path: "/photos?policy", headers, body: policy }, sha256);
      assert.deepEqual([reply.status, codeOf(reply)], [400, code]);
    }
    assert.deepEqual(seen, []);
  });

  test("P7: over its bound is refused by its length alone", async (context) => {
    const { url, port } = await open(context);
    const socket = await connected(port);
    const call = { method: "PUT", path: "/photos?policy", headers: { host: `127.0.0.1:${port}`, "content-length": "999999999" } };
    socket.write(head("PUT", call.path, signed(url, call, "UNSIGNED-PAYLOAD")));
    assert.match(await until(socket, /<\/Error>/), /EntityTooLarge/);
    socket.destroy();
  });
});

describe("an answer", () => {
  test("streams, and HEAD has its length without a body, also where there is nothing", async (context) => {
    const { url } = await open(context);
    const got = await put(url, { method: "GET", path: "/photos/cat" });
    assert.deepEqual([got.status, got.body.toString(), got.headers["content-length"]], [200, "the bytes of it", "15"]);
    const asked = await put(url, { method: "HEAD", path: "/photos/cat" });
    assert.deepEqual([asked.status, asked.headers["content-length"], asked.body.length], [200, "12345", 0]);
    const absent = await put(url, { method: "HEAD", path: "/photos/absent" });
    assert.deepEqual([absent.status, absent.body.length], [404, 0]);
  });

  test("of many bytes keeps its connection", async (context) => {
    const bytes = Buffer.alloc(3_000_000, 7);
    const operations = {
      GetObject: () => ({ Body: Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]), ContentLength: bytes.length }),
    };
    const { url, port } = await open(context, { operations });
    const socket = await connected(port);
    const call = { method: "GET", path: "/photos/cat", headers: { host: `127.0.0.1:${port}` } };
    for (let round = 0; round < 2; round += 1) {
      let received = 0;
      const whole = deferred<void>();
      const onData = (piece: Buffer): void => {
        received += piece.length;
        if (received > bytes.length) whole.resolve();
      };
      socket.on("data", onData);
      socket.write(head("GET", call.path, signed(url, call)));
      await whole.promise;
      socket.off("data", onData);
    }
    socket.destroy();
  });

  test("P7: of which its client takes nothing for minutes is cut, and its source closed", async (context) => {
    const clock = new ManualClock();
    const closed = deferred<void>();
    const chunk = Buffer.alloc(1_000_000);
    const operations = {
      GetObject: () => ({
        Body: new Readable({
          read() {
            this.push(chunk);
          },
          destroy: (error, done) => (closed.resolve(), done(error)),
        }),
        ContentLength: 10 ** 12,
      }),
    };
    const { url, port, defects } = await open(context, { operations, clock });
    const socket = await connected(port);
    const call = { method: "GET", path: "/photos/endless", headers: { host: `127.0.0.1:${port}` } };
    socket.write(head("GET", call.path, signed(url, call)));
    await once(socket, "readable");
    socket.pause();
    let isClosed = false;
    void closed.promise.then(() => (isClosed = true));
    // Sockets' buffers take some before nothing moves any more.
    for (let check = 0; check < 100 && !isClosed; check += 1) {
      await clock.advance(120_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed.promise;
    assert.deepEqual(defects, []);
    socket.destroy();
  });

  test("to nobody in particular is AccessDenied, in XML, unless the bucket lets everybody", async (context) => {
    const refusing = await open(context, { permission: () => ({ action: "s3:GetObject", resource: "*" }) });
    for (const method of ["GET", "PUT"]) {
      const reply = await send(refusing.url, { method, path: "/photos/cat" });
      assert.deepEqual([reply.status, reply.headers["content-type"], codeOf(reply)], [403, "application/xml", "AccessDenied"], method);
    }
    const letting = await open(context, { permission: () => ({ action: "s3:GetObject", resource: "*", resourcePolicy: "public" }) });
    assert.equal((await send(letting.url, { method: "GET", path: "/photos/cat" })).body.toString(), "the bytes of it");
    assert.equal(letting.seen[0]?.context.principal.kind, "anonymous");
  });
});

describe("a page of another origin", () => {
  const origin = "https://page.example";
  const rule = { AllowedOrigins: [origin], AllowedMethods: ["GET", "PUT"], AllowedHeaders: ["*"], ExposeHeaders: ["etag"] };
  const cors = { photos: { CORSRules: [rule] } };

  test("is answered before its request as the bucket's rules say", async (context) => {
    const { url } = await open(context, { cors });
    const ask = (path: string, method: string, from = origin) =>
      send(url, {
        method: "OPTIONS",
        path,
        headers: { origin: from, "access-control-request-method": method, "access-control-request-headers": "x-amz-date" },
      });
    const allowed = await ask("/photos/cat", "PUT");
    assert.deepEqual(
      [allowed.status, allowed.headers["access-control-allow-origin"], allowed.headers["access-control-allow-headers"]],
      [200, origin, "x-amz-date"],
    );
    for (const refused of [
      await ask("/photos/cat", "DELETE"),
      await ask("/photos/cat", "PUT", "https://other.example"),
      await ask("/private/cat", "GET"),
    ]) {
      assert.deepEqual([refused.status, codeOf(refused)], [403, "AccessForbidden"]);
      assert.equal(refused.headers["access-control-allow-origin"], undefined);
    }
  });

  test("may read the answers, errors among them; other pages may not", async (context) => {
    const { url } = await open(context, { cors });
    const ask = (path: string, method: string, from: string) =>
      put(url, { method, path, headers: { origin: from, "sec-fetch-site": "cross-site" } });
    assert.equal((await ask("/photos/cat", "GET", origin)).headers["access-control-allow-origin"], origin);
    assert.equal((await ask("/photos/cat?policy=1&nothing", "GET", origin)).headers["access-control-expose-headers"], "etag");
    assert.equal((await ask("/photos/cat", "GET", "https://other.example")).headers["access-control-allow-origin"], undefined);
  });

  test("may not call another service, signed or not, nor S3 by a name that is not this server's", async (context) => {
    const { url } = await open(context, { cors });
    const headers = { origin, "sec-fetch-site": "cross-site" };
    assert.equal((await send(url, { method: "GET", path: "/2015-03-31/functions", headers })).status, 403);
    const host = { host: "photos.s3.evil.example" };
    assert.match((await send(url, { method: "GET", path: "/cat", headers: host })).body.toString(), /HostRefused/);
  });
});

describe("P3: the listener of an instance", () => {
  const own = functionVersion({ name: "own" });

  /** Its listener, with the same handlers as the main one. */
  async function instance(context: TestContext, options: Options = {}) {
    const world = await open(context, options);
    const endpoint = createInstanceEndpoint({ api: world.api, egress: {} as Egress, s3: world.s3 });
    const listener = createServer();
    const serving = endpoint.serveApi(listener, { instanceId: "i-1", version: own });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    context.after(() => {
      serving.close();
      listener.close();
    });
    const { port } = listener.address() as AddressInfo;
    return { ...world, port, url: `http://127.0.0.1:${port}` };
  }

  test("takes uploads with the credentials of its own function, and nobody else's", async (context) => {
    const { url, seen } = await instance(context);
    const keys = [credentials.issue(own), credentials.issue(functionVersion({ name: "other" })), ROOT];
    const statuses = [];
    for (const key of keys) statuses.push((await put(url, { path: "/photos/cat", body: "x" }, undefined, key)).status);
    assert.deepEqual([statuses, seen.map(({ context: given }) => given.principal.kind)], [[200, 403, 403], ["function"]]);
  });

  test("lets a client wait for 100, at S3 and elsewhere", async (context) => {
    const { url, port } = await instance(context);
    const headers = { host: `127.0.0.1:${port}`, "content-length": "2", expect: "100-continue" };
    const key = credentials.issue(own);
    for (const text of [
      head("PUT", "/photos/cat", signed(url, { path: "/photos/cat", headers }, "UNSIGNED-PAYLOAD", key)),
      head("POST", "/2015-03-31/functions/f/invocations", headers),
    ]) {
      const socket = await connected(port);
      socket.write(text);
      await until(socket, /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
      socket.write("{}");
      await until(socket, /HTTP\/1\.1 (?:200|403) /);
      socket.destroy();
    }
  });
});

describe("what is not S3's", () => {
  test("P7: has to have arrived whole within its bound, as before", async (context) => {
    const clock = new ManualClock();
    const { port } = await open(context, { clock });
    const socket = await connected(port);
    socket.write(
      `${head("POST", "/2015-03-31/functions/f/invocations", { host: "localhost", "content-length": "100", expect: "100-continue" })}{`,
    );
    await until(socket, /100 Continue/);
    const answered = until(socket, /HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n\r\n/);
    await clock.advance(REQUEST_MS_MAX);
    await answered;
    if (!socket.closed) await once(socket, "close");
  });

  test("goes where it went: health, other services' paths, the root", async (context) => {
    const { url, seen } = await open(context);
    assert.equal((await send(url, { method: "GET", path: "/_lambent/health" })).body.toString(), '{"status":"running"}');
    for (const path of ["/2015-03-31/functions/", "/schedules"])
      assert.doesNotMatch((await send(url, { method: "GET", path })).body.toString(), /^<\?xml/, path);
    const root = await send(url, { method: "GET", path: "/" });
    assert.deepEqual([root.status, /no service here answers GET \//.test(root.body.toString())], [404, true]);
    assert.deepEqual(seen, []);
  });
});
