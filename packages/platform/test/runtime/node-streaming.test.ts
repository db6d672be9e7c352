import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/index.ts";
import type { ResponsePrelude, ResponseStream } from "../../src/model/index.ts";
import { errorOf, type Files, RuntimeWorld, valueOf } from "../support/runtime-world.ts";

let world: RuntimeWorld;
before(async () => {
  world = await RuntimeWorld.open();
});
after(() => world.close());

const streaming = (body: string): Files => ({
  "index.mjs": `export const handler = awslambda.streamifyResponse(async (event, stream, context) => { ${body} });`,
});

/** Keeps what is streamed; is slow until `release`, when made slow. */
class Taker implements ResponseStream {
  prelude: ResponsePrelude | undefined;
  bytes = 0;
  readonly chunks: Buffer[] = [];
  #gate = Promise.withResolvers<void>();
  readonly #slow: boolean;

  constructor(slow = false) {
    this.#slow = slow;
  }

  begin(prelude: ResponsePrelude): void {
    this.prelude = prelude;
  }

  write(chunk: Buffer): boolean {
    this.bytes += chunk.length;
    this.chunks.push(chunk);
    return !this.#slow;
  }

  drained(): Promise<void> {
    return this.#slow ? this.#gate.promise : Promise.resolve();
  }

  release(): void {
    const gate = this.#gate;
    this.#gate = Promise.withResolvers<void>();
    gate.resolve();
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

test("chunks arrive while the handler runs, behind content type and HTTP prelude", async () => {
  const instance = await world.instance(
    streaming(
      "stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: 'b' } }); stream.write('one '); await new Promise((r) => setTimeout(r, 20)); stream.end('two');",
    ),
  );
  const taker = new Taker();
  const report = await instance.invoke(world.call({}, { stream: taker }));
  assert.ok(report.ending.kind === "handled" && report.ending.payload.length === 0);
  assert.equal(taker.prelude?.contentType, "application/vnd.awslambda.http-integration-response");
  assert.deepEqual(JSON.parse(taker.prelude?.http?.toString() ?? ""), { statusCode: 201, headers: { a: "b" } });
  assert.equal(taker.text, "one two");
  assert.ok(taker.chunks.length >= 2);
});

test("a buffered call of a streaming handler gets all of it, the prelude in front", async () => {
  const plain = await world.instance(streaming("stream.setContentType('text/plain'); stream.write('a'); stream.end('b');"));
  const report = await plain.invoke(world.call());
  assert.ok(report.ending.kind === "handled" && report.ending.payload.toString() === "ab");
  const http = await world.instance(streaming("stream = awslambda.HttpResponseStream.from(stream, { statusCode: 200 }); stream.end('x');"));
  const second = await http.invoke(world.call());
  assert.ok(second.ending.kind === "handled" && second.ending.payload.toString() === '{"statusCode":200}\0\0\0\0\0\0\0\0x');
});

test("a streamed call of a buffered handler ends with the whole answer", async () => {
  const instance = await world.instance({ "index.mjs": "export const handler = async () => 'whole';" });
  const taker = new Taker();
  assert.equal(valueOf(await instance.invoke(world.call({}, { stream: taker }))), "whole");
  assert.equal(taker.prelude, undefined);
});

test("a slow taker holds the function back", async () => {
  const body = `const { once } = await import('node:events'); for (let n = 0; n < 80; n++) if (!stream.write(Buffer.alloc(262144, n))) { console.log('held'); await once(stream, 'drain'); } stream.end();`;
  const instance = await world.instance(streaming(body));
  const taker = new Taker(true);
  const running = instance.invoke(world.call({}, { stream: taker }));
  // Nothing is taken: what is on its way arrives and then it stands still.
  for (let seen = -1; seen !== taker.bytes || seen === 0;) {
    seen = taker.bytes;
    await new Promise((resolve) => systemClock.schedule(100, () => resolve(undefined)));
    if (seen === -1) seen = 0;
  }
  assert.ok(taker.bytes > 0 && taker.bytes < 8 * 1_024 * 1_024, `${taker.bytes} bytes came although nobody took them`);
  let ended = false;
  const done = running.then((report) => {
    ended = true;
    return report;
  });
  while (!ended) {
    taker.release();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await done).ending.kind, "handled");
  assert.equal(taker.bytes, 80 * 262_144);
});

test("an error in the middle of a stream ends the call as a function error", async () => {
  const instance = await world.instance(
    streaming("stream.write('begun'); await new Promise((r) => setTimeout(r, 5)); throw new RangeError('midway');"),
  );
  const taker = new Taker();
  const report = await instance.invoke(world.call({}, { stream: taker }));
  assert.equal(errorOf(report).errorType, "RangeError");
  assert.equal(taker.text, "begun");
});

test("a handler that returns without ending its stream fails", async () => {
  const instance = await world.instance(streaming("stream.write('begun');"));
  assert.equal(errorOf(await instance.invoke(world.call({}, { stream: new Taker() }))).errorType, "Runtime.StreamNotEnded");
  assert.equal(errorOf(await instance.invoke(world.call())).errorType, "Runtime.StreamNotEnded");
});

test("a buffered call refuses a stream over 6,291,456 bytes", async () => {
  const instance = await world.instance(streaming("stream.end(Buffer.alloc(6291457));"));
  assert.equal(errorOf(await instance.invoke(world.call())).errorType, "Function.ResponseSizeTooLarge");
  assert.equal(instance.admitting, true);
});
