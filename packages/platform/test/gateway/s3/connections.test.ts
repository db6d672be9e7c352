import assert from "node:assert/strict";
import { once } from "node:events";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { deferred, ManualClock } from "../../../src/base/index.ts";
import { connected, head, open, signed, until } from "./world.ts";

describe("a client that waits for 100", () => {
  const expecting = (url: string, port: number, path: string) =>
    head(
      "PUT",
      path,
      signed(
        url,
        { method: "PUT", path, headers: { host: `127.0.0.1:${port}`, "content-length": "5", expect: "100-continue" } },
        "UNSIGNED-PAYLOAD",
      ),
    );

  test("is told to send its body when its operation reads it", async (context) => {
    const { url, port, seen } = await open(context);
    const socket = await connected(port);
    socket.write(expecting(url, port, "/photos/cat"));
    await until(socket, /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    socket.write("hello");
    await until(socket, /^HTTP\/1\.1 200 /);
    assert.equal(seen[0]?.body?.bytes, 5);
    socket.destroy();
  });

  test("is refused before it sends anything, by its signature or by its operation", async (context) => {
    const { url, port } = await open(context);
    for (const [text, status] of [
      [expecting(url, port, "/absent/cat"), "404"],
      [expecting(url, port, "/photos/cat").replace(/Signature=\w{4}/u, "Signature=0000"), "403"],
    ] as const) {
      const socket = await connected(port);
      socket.write(text);
      const answer = await until(socket, /<\/Error>/);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} .*connection: close`, "is"));
      socket.end();
      await once(socket, "close");
    }
  });

  test("at another service is told at once", async (context) => {
    const { port } = await open(context);
    const socket = await connected(port);
    socket.write(head("POST", "/2015-03-31/functions/f/invocations", { host: "localhost", "content-length": "2", expect: "100-continue" }));
    await until(socket, /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    socket.write("{}");
    await until(socket, /HTTP\/1\.1 403 /);
    socket.destroy();
  });
});

describe("a body that is not read to its end", () => {
  test("lets its client see the answer, is listened to for a while, and its connection closed", async (context) => {
    const { url, port } = await open(context);
    const socket = await connected(port);
    const total = 8 * 1024 * 1024;
    const call = { method: "PUT", path: "/absent/big", headers: { host: `127.0.0.1:${port}`, "content-length": String(total) } };
    const closed = once(socket, "close");
    let received = "";
    socket.on("data", (piece: Buffer) => (received += piece.toString()));
    socket.write(head("PUT", call.path, signed(url, call, "UNSIGNED-PAYLOAD")));
    await new Promise((resolve) => socket.write(Buffer.alloc(total), resolve));
    await closed;
    assert.match(received, /^HTTP\/1\.1 404 .*NoSuchBucket.*<\/Error>$/s);
  });

  test("P7: is given up after a while when its client neither sends nor leaves", async (context) => {
    const clock = new ManualClock();
    const { url, port } = await open(context, { clock });
    const socket = await connected(port);
    const call = { method: "PUT", path: "/absent/big", headers: { host: `127.0.0.1:${port}`, "content-length": "1000" } };
    socket.write(head("PUT", call.path, signed(url, call, "UNSIGNED-PAYLOAD")));
    await until(socket, /<\/Error>/);
    const closed = once(socket, "close");
    await clock.advance(5_000);
    await closed;
  });
});

describe("a client that vanishes or stands still", () => {
  /** An upload of which the first bytes came. */
  async function begin(context: Parameters<typeof open>[0], clock?: ManualClock) {
    const failure = deferred<unknown>();
    const begun = deferred<void>();
    const received = { bytes: 0 };
    const operations = {
      PutObject: async (input: { readonly Body: { readonly source: AsyncIterable<Uint8Array> } }) => {
        try {
          for await (const chunk of input.Body.source) {
            received.bytes += chunk.length;
            begun.resolve();
          }
          failure.resolve(undefined);
          return {};
        } catch (error) {
          failure.resolve(error);
          throw error;
        }
      },
    };
    const world = await open(context, { operations: operations as never, ...(clock ? { clock } : {}) });
    const socket = await connected(world.port);
    const call = { method: "PUT", path: "/photos/big", headers: { host: `127.0.0.1:${world.port}`, "content-length": "100000" } };
    socket.write(`${head("PUT", call.path, signed(world.url, call, "UNSIGNED-PAYLOAD"))}some`);
    await begun.promise;
    return { ...world, socket, failure, received };
  }

  test("ends its operation with IncompleteBody, and is no defect", async (context) => {
    const { socket, failure, defects } = await begin(context);
    socket.destroy();
    assert.equal(((await failure.promise) as { readonly code?: string }).code, "IncompleteBody");
    assert.deepEqual(defects, []);
  });

  test("P7: is given up when next to nothing comes for a minute, however long the whole takes", async (context) => {
    const clock = new ManualClock();
    const { socket, failure, received } = await begin(context, clock);
    let sent = 4;
    for (let minute = 0; minute < 10; minute += 1) {
      await clock.advance(50_000);
      await new Promise((resolve) => socket.write("x".repeat(5_000), resolve));
      sent += 5_000;
      // Its wait begins anew once all of it was taken.
      while (received.bytes < sent) await new Promise((resolve) => setImmediate(resolve));
      while (clock.pendingCount === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const answered = until(socket, /IncompleteBody/);
    await clock.advance(60_000);
    assert.equal(((await failure.promise) as { readonly code?: string }).code, "IncompleteBody");
    await answered;
    socket.destroy();
  });
});

describe("a body that was opened for an answer", () => {
  /** Asks for an object, whose operation waits until it is let go on. */
  async function ask(context: Parameters<typeof open>[0], shape: object) {
    const asked = deferred<{ onCallerGone(listener: () => void): void }>();
    const goOn = deferred<void>();
    const body = new Readable({ read: () => undefined });
    const operations = {
      GetObject: async (_: unknown, given: { onCallerGone(listener: () => void): void }) => {
        asked.resolve(given);
        await goOn.promise;
        return { Body: body, ContentLength: 5, ...shape };
      },
    };
    const world = await open(context, { operations: operations as never });
    const socket = await connected(world.port);
    const call = { method: "GET", path: "/photos/cat", headers: { host: `127.0.0.1:${world.port}` } };
    socket.write(head("GET", call.path, signed(world.url, call, "UNSIGNED-PAYLOAD")));
    return { ...world, socket, body, goOn, given: await asked.promise };
  }

  test("P8: is closed when its client left meanwhile, which is no defect", async (context) => {
    const { socket, body, goOn, given, defects } = await ask(context, {});
    const gone = new Promise<void>((resolve) => given.onCallerGone(resolve));
    socket.destroy();
    await gone;
    goOn.resolve();
    await once(body, "close");
    assert.deepEqual(defects, []);
  });

  test("is cut where it is shorter than was said, and that is told", async (context) => {
    const { socket, body, goOn, defects } = await ask(context, { ContentLength: 5 });
    const closed = once(socket, "close");
    const begun = until(socket, /\r\n\r\nfour$/);
    goOn.resolve();
    body.push("four");
    assert.match(await begun, /content-length: 5/iu);
    body.push(null);
    await closed;
    assert.equal((defects[0] as { readonly code?: string }).code, "StorageCorrupt");
  });

  test("P8: is closed when its answer cannot be written", async (context) => {
    const { body, goOn, socket, defects } = await ask(context, { ContentType: Object.create(null) });
    const answered = until(socket, /^HTTP\/1\.1 500 /);
    goOn.resolve();
    await once(body, "close");
    await answered;
    assert.equal(defects.length, 1);
    socket.destroy();
  });
});
