import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deferred, isLambentError, LambentError } from "../../src/base/index.ts";
import { decode, decodeEventFrames, encodeEventFrame, encodeOutput, loadService } from "../../src/wire/index.ts";
import { wireRequest } from "../support/wire-request.ts";

const lambda = loadService("lambda");

describe("an event frame", () => {
  const chunk = encodeEventFrame({
    headers: { ":message-type": "event", ":event-type": "PayloadChunk", ":content-type": "application/octet-stream" },
    payload: Buffer.from("hi"),
  });

  test("has lengths and checksums in front and behind", () => {
    assert.equal(chunk.length, 0x6c);
    assert.equal(chunk.readUInt32BE(0), 0x6c);
    assert.equal(chunk.readUInt32BE(4), 0x5a);
    assert.equal(chunk.readUInt32BE(8), 0xb25efdcf);
  });

  test("is read back from pieces of any size", () => {
    const whole = Buffer.concat([chunk, chunk]);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const first = decodeEventFrames(whole.subarray(0, cut));
      const second = decodeEventFrames(Buffer.concat([first.rest, whole.subarray(cut)]));
      const payloads = [...first.frames, ...second.frames].map(({ payload }) => payload.toString("utf8"));
      assert.deepEqual([payloads, second.rest.length], [["hi", "hi"], 0]);
    }
  });

  test("with any byte changed is refused or waits for more, never read as another", () => {
    for (let at = 0; at < chunk.length; at += 1) {
      const changed = Buffer.from(chunk);
      changed.writeUInt8(changed.readUInt8(at) ^ 0x40, at);
      assert.throws(
        () => decodeEventFrames(changed),
        (error) => isLambentError(error, "MalformedRequest"),
      );
    }
  });
});

describe("an answer that is an event stream", () => {
  const streaming = decode(wireRequest("POST", "/2021-11-15/functions/hello/response-streaming-invocations"), lambda);

  async function framesOf(events: AsyncIterable<object>, defects: unknown[] = []) {
    const output = { StatusCode: 200, ExecutedVersion: "1", EventStream: events };
    const response = encodeOutput(streaming, output, "id-1", (error, requestId) => defects.push(error, requestId));
    assert.equal(response.headers["content-type"], "application/vnd.amazon.eventstream");
    assert.equal(response.headers["x-amz-executed-version"], "1");
    return decodeEventFrames(Buffer.concat(await Array.fromAsync(response.body as AsyncIterable<Buffer>))).frames;
  }

  test("carries payloads raw and other events as JSON", async () => {
    const frames = await framesOf(
      (async function* () {
        yield { PayloadChunk: { Payload: Buffer.from("hi") } };
        yield { InvokeComplete: { ErrorCode: undefined, LogResult: "bG9n" } };
      })(),
    );
    assert.deepEqual(
      frames.map(({ headers, payload }) => [headers[":event-type"], headers[":content-type"], payload.toString("utf8")]),
      [
        ["PayloadChunk", "application/octet-stream", "hi"],
        ["InvokeComplete", "application/json", '{"LogResult":"bG9n"}'],
      ],
    );
  });

  test("ends with an error frame when its source throws, and tells its reader nothing of a defect, but whoever keeps the log", async () => {
    const defect = new TypeError("secret");
    for (const [thrown, code, message, told] of [
      [new LambentError("InstanceLost", "the instance ended"), "InstanceLost", "the instance ended", []],
      [defect, "InternalError", "The stream ended by a defect.", [defect, "id-1"]],
    ] as const) {
      const defects: unknown[] = [];
      const frames = await framesOf(
        (async function* () {
          yield { PayloadChunk: { Payload: Buffer.from("a") } };
          throw thrown;
        })(),
        defects,
      );
      assert.deepEqual(defects, told);
      assert.deepEqual({ ...frames[1]?.headers }, { ":message-type": "error", ":error-code": code, ":error-message": message });
    }
  });

  test("of which one cannot be written ends as well, and that is told", async () => {
    const defects: unknown[] = [];
    const frames = await framesOf(
      (async function* () {
        yield {
          InvokeComplete: {
            get ErrorCode(): string {
              throw new RangeError("not to be read");
            },
          },
        };
      })(),
      defects,
    );
    assert.deepEqual(
      frames.map(({ headers }) => headers[":error-code"]),
      ["InternalError"],
    );
    assert.equal(String(defects[0]), "RangeError: not to be read");
  });

  test("takes an event only when the reader wants it, and lets its source end with the reader", async () => {
    let taken = 0;
    const ended = deferred<void>();
    const source = (async function* () {
      try {
        for (; taken < 1_000; taken += 1) yield { PayloadChunk: { Payload: Buffer.alloc(64 * 1024) } };
      } finally {
        ended.resolve();
      }
    })();
    const response = encodeOutput(streaming, { StatusCode: 200, EventStream: source }, "id-1");
    for await (const _frame of response.body as AsyncIterable<Buffer>) break;
    assert.ok(taken < 10, `${taken} events were taken for one frame`);
    await ended.promise;
  });
});
