import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect, type Socket } from "node:net";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { FrameDecoder } from "../../src/runtime/channel/decoder.ts";
import {
  bodyBytesMax,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FrameType,
  isKnownType,
  writeHeader,
} from "../../src/runtime/channel/frames.ts";
import { frame, invokeFrame, readDuration, readErrorPayload, readHello, readStreamBegin } from "../../src/runtime/channel/messages.ts";
import { FramedPort } from "../../src/runtime/framed-port.ts";
import type { PortListener } from "../../src/runtime/port.ts";

interface Seen {
  readonly type: number;
  readonly flags: number;
  readonly callId: number;
  readonly body: string;
}

const arbitraryFrame = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  flags: fc.integer({ min: 0, max: 255 }),
  callId: fc.integer({ min: 0, max: 0xffff_ffff }),
  body: fc.uint8Array({ maxLength: 300 }),
});

function decodeInPieces(bytes: Buffer, cuts: readonly number[]): { readonly seen: Seen[]; readonly breach: string | undefined } {
  const seen: Seen[] = [];
  const decoder = new FrameDecoder((type, flags, callId, body) => seen.push({ type, flags, callId, body: body.toString("hex") }));
  let breach: string | undefined;
  let from = 0;
  for (const cut of [...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]) {
    breach = decoder.push(bytes.subarray(from, cut));
    from = cut;
  }
  return { seen, breach };
}

test("frames come out as they went in, however the bytes are cut, without the types nobody knows", () => {
  fc.assert(
    fc.property(fc.array(arbitraryFrame, { maxLength: 12 }), fc.array(fc.nat(5_000), { maxLength: 20 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames.flatMap(({ type, flags, callId, body }) => frame(type, flags, callId, Buffer.from(body))));
      const expected = frames
        .filter(({ type }) => isKnownType(type))
        .map(({ type, flags, callId, body }) => ({ type, flags, callId, body: Buffer.from(body).toString("hex") }));
      assert.deepEqual(decodeInPieces(bytes, cuts), { seen: expected, breach: undefined });
    }),
    { seed: 41, numRuns: 300 },
  );
});

test("any bytes are decoded or refused, never thrown at", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(400), { maxLength: 8 }), (bytes, cuts) => {
      const { seen } = decodeInPieces(Buffer.from(bytes), cuts);
      for (const { type, body } of seen) assert.ok(body.length / 2 <= bodyBytesMax(type));
    }),
    { seed: 42, numRuns: 500 },
  );
});

test("bodies that cannot be read give undefined, whatever they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const body = Buffer.from(bytes);
      for (const read of [readHello, readDuration, readStreamBegin, readErrorPayload]) assert.doesNotThrow(() => read(body));
    }),
    { seed: 43, numRuns: 500 },
  );
  assert.equal(readHello(Buffer.from("null")), undefined);
  assert.equal(readDuration(Buffer.from([0, 0, 0, 0, 0, 0, 0xf8, 0x7f])), undefined, "not a number is no duration");
  assert.equal(readErrorPayload(Buffer.from("[1]")), undefined);
});

test("a length over its type's bound is refused by its header alone", () => {
  for (const type of [FrameType.result, FrameType.log, FrameType.hello, 200]) {
    const head = Buffer.alloc(FRAME_HEADER_BYTES);
    writeHeader(head, type, 0, 0, bodyBytesMax(type) + 1);
    const decoder = new FrameDecoder(() => assert.fail("nothing may come out"));
    assert.match(decoder.push(head) ?? "", /it may have \d+/);
    assert.notEqual(decoder.push(Buffer.alloc(100)), undefined, "a breach is for good");
  }
  assert.equal(bodyBytesMax(200), FRAME_BYTES_MAX);
});

test("an INVOKE holds metadata and event, small in one piece and large without a copy", () => {
  const call = {
    requestId: "r",
    payload: Buffer.alloc(20, "p"),
    deadline: 5,
    functionArn: "arn:ü",
    traceId: "t",
    clientContext: undefined,
    stream: undefined,
  };
  const [whole, rest] = invokeFrame(7, call);
  assert.equal(rest, undefined);
  const metadataBytes = whole.readUInt32LE(12);
  assert.deepEqual(JSON.parse(whole.toString("utf8", 16, 16 + metadataBytes)), {
    requestId: "r",
    deadline: 5,
    functionArn: "arn:ü",
    traceId: "t",
    streaming: false,
  });
  assert.equal(whole.toString("utf8", 16 + metadataBytes), "p".repeat(20));
  assert.equal(whole.readUInt32LE(0), whole.length - FRAME_HEADER_BYTES);
  const large = { ...call, payload: Buffer.alloc(100_000) };
  assert.equal(invokeFrame(7, large)[1], large.payload);
});

/** A port with a raw socket as its process. */
async function portAndPeer(context: TestContext): Promise<{ readonly port: FramedPort; readonly peer: Socket }> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-frames-"));
  const server = createServer().listen(join(folder, "s"));
  await once(server, "listening");
  const peer = connect(join(folder, "s"));
  const [socket] = (await once(server, "connection")) as [Socket];
  const port = new FramedPort(socket);
  context.after(() => {
    port.close();
    peer.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { port, peer };
}

const hello = (version: number): Buffer => frame(FrameType.hello, 0, 0, Buffer.from(JSON.stringify({ version, features: ["later"] })))[0];

/** Hears a port; only breaches matter here. */
function listener(): { readonly heard: string[]; readonly listener: PortListener } {
  const heard: string[] = [];
  return {
    heard,
    listener: {
      ready: () => heard.push("ready"),
      initFailed: () => heard.push("initFailed"),
      answered: (callId) => heard.push(`answered ${callId}`),
      streamBegin: () => heard.push("streamBegin"),
      streamChunk: () => heard.push("streamChunk"),
      log: (_callId, text) => heard.push(`log ${text}`),
      broken: (what) => heard.push(`broken: ${what}`),
      closed: () => heard.push("closed"),
    },
  };
}

test("a peer of another version, or one that does not greet first, is refused", async (context) => {
  for (const [first, wrong] of [
    [hello(2), /speaks version 2/],
    [frame(FrameType.ready, 0, 0, Buffer.from("{}"))[0], /first frame was no HELLO/],
    [Buffer.alloc(12, 255), /255 says it has/],
  ] as const) {
    const { port, peer } = await portAndPeer(context);
    peer.write(first);
    assert.match((await port.greeted) ?? "", wrong);
    await port.ended;
  }
});

for (const [what, bytes, expected] of [
  ["an answer without duration", frame(FrameType.result, 0, 1, Buffer.from("1"))[0], "broken: an answer without its duration"],
  ["an error that is no object", frame(FrameType.error, 0, 1, Buffer.alloc(8))[0], "broken: an error that is not a JSON object"],
  [
    "a frame of the platform",
    frame(FrameType.assign, 0, 0, Buffer.from("{}"))[0],
    "broken: a frame of type 2, which only the platform sends",
  ],
  ["a broken stream head", frame(FrameType.streamBegin, 0, 1, Buffer.from([255]))[0], "broken: a STREAM_BEGIN that cannot be read"],
] as const) {
  test(`${what} breaks the protocol, after what came before it`, async (context) => {
    const { port, peer } = await portAndPeer(context);
    const { heard, listener: taker } = listener();
    port.assign({} as Parameters<FramedPort["assign"]>[0], taker);
    peer.write(
      Buffer.concat([
        hello(1),
        frame(99, 0, 0, Buffer.from("from the future"))[0],
        frame(FrameType.log, 0, 0, Buffer.from("kept"))[0],
        bytes,
        bytes,
      ]),
    );
    await port.ended;
    assert.deepEqual(heard, ["log kept", expected]);
  });
}

test("docs/runtime-protocol.md lists every frame type with its number", () => {
  const document = readFileSync(new URL("../../../../docs/runtime-protocol.md", import.meta.url), "utf8");
  const rows = [...document.matchAll(/^\| ([A-Z_]+) \| (\d+) \|/gm)].map(([, name, number]) => [name, Number(number)]);
  const inCode = Object.entries(FrameType).map(([name, number]) => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
    number,
  ]);
  assert.deepEqual(rows, inCode);
});
