/** Kafka's messages: recorded ones both ways, made-up ones of every version, and bytes that are none (P8). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isLambentError } from "../../../src/base/index.ts";
import {
  API_RANGES,
  MESSAGE_ELEMENTS_MAX,
  metadata,
  produce,
  Reader,
  readRequestHeader,
  STRING_BYTES_MAX,
  Writer,
  writeRequestHeader,
} from "../../../src/gateway/kafka/protocol/index.ts";
import { readRecords, splitBatches } from "../../../src/streams/index.ts";
import { ALL_APIS, type AnyApi, decode, encode, everyVersion, messagesOf } from "./messages.ts";

interface Frame {
  readonly name: string;
  readonly hex: string;
  readonly decoded: Record<string, unknown>;
}

const FRAMES = JSON.parse(readFileSync(join(import.meta.dirname, "../../fixtures/kafka/frames.json"), "utf8")).frames as readonly Frame[];
const SIDES = ["request", "response"] as const;

/** What a recorded body is of: `fetch_v11_request`. */
function recorded({ name, hex }: Frame) {
  const [, word = "", version = "", side = ""] = /^([a-z]+)_v(\d+)_(request|response)/u.exec(name) ?? [];
  const api = ALL_APIS.find((each) => each.name.toLowerCase() === word);
  return api && { api, version: Number(version), side: side as (typeof SIDES)[number], bytes: Buffer.from(hex, "hex") };
}

test("recorded messages are read to their last byte, and written again byte for byte", () => {
  const bodies = FRAMES.flatMap((frame) => recorded(frame) ?? []);
  assert.equal(bodies.length, FRAMES.length - 1, "all but the record batch are messages");
  for (const { api, version, side, bytes } of bodies) {
    const { message, left } = decode(api, side, version, bytes);
    assert.equal(left, 0, `${api.name} v${version} ${side}`);
    assert.deepEqual(encode(api, side, version, message), bytes);
  }
});

test("recorded messages say what they said to the client that recorded them", () => {
  const messageOf = (name: string) => {
    const frame = FRAMES.find((each) => each.name === name);
    assert.ok(frame);
    const body = recorded(frame);
    assert.ok(body);
    return { decoded: frame.decoded, ...decode(body.api, body.side, body.version, body.bytes) };
  };
  const versions = messageOf("apiversions_v0_response");
  const apis = versions.message["apiKeys"] as { apiKey: number; minVersion: number; maxVersion: number }[];
  assert.deepEqual(
    apis.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]),
    versions.decoded["apis"],
  );

  const { message, decoded } = messageOf("fetch_v11_response");
  const [topic] = message["responses"] as { topic: string; partitions: { highWatermark: number; records: Buffer }[] }[];
  const [told] = decoded["topics"] as {
    name: string;
    partitions: { highWatermark: number; batches: { records: { key: string; value: string }[] }[] }[];
  }[];
  assert.equal(topic?.topic, told?.name);
  assert.equal(topic?.partitions[0]?.highWatermark, told?.partitions[0]?.highWatermark);
  const records = splitBatches(topic?.partitions[0]?.records ?? Buffer.alloc(0)).flatMap((bytes) => readRecords({ bytes }));
  assert.deepEqual(
    records.map(({ key, value }) => ({ key: String(key), value: String(value) })),
    told?.partitions[0]?.batches.flatMap((batch) => batch.records.map(({ key, value }) => ({ key, value }))),
  );

  const coordinator = messageOf("findcoordinator_v1_response");
  for (const member of ["nodeId", "host", "port", "errorMessage"]) assert.equal(coordinator.message[member], coordinator.decoded[member]);
});

test("every message of every version is read as it was written", () => {
  for (const { api, version, name } of everyVersion())
    for (const side of SIDES)
      fc.assert(
        fc.property(messagesOf(api[side], version), (message) => {
          const { message: read, left } = decode(api, side, version, encode(api, side, version, message));
          assert.deepEqual(read, { ...message });
          assert.equal(left, 0, name);
        }),
        { numRuns: 8, seed: 7 },
      );
});

test("a message that is cut short anywhere is refused", () => {
  for (const { api, version, name } of everyVersion())
    for (const side of SIDES) {
      const [message = {}] = fc.sample(messagesOf(api[side], version), { numRuns: 1, seed: 11 });
      const bytes = encode(api, side, version, message);
      // Long ones are cut at every byte of their beginning and end, and here and there between.
      for (let length = 0; length < bytes.length; length += length > 300 && length < bytes.length - 100 ? 37 : 1)
        assert.throws(() => decode(api, side, version, bytes.subarray(0, length)), isMalformed, `${name} ${side} cut to ${length}`);
    }
});

test("a message with changed bytes is read as another one or refused, and costs no more memory than it has elements for", () => {
  const apis = [...everyVersion()];
  const before = process.memoryUsage().heapUsed;
  fc.assert(
    fc.property(
      fc.constantFrom(...apis),
      fc.integer(),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(7)), { minLength: 1, maxLength: 8 }),
      ({ api, version }, seed, changes) => {
        const [message = {}] = fc.sample(messagesOf(api.request, version), { numRuns: 1, seed });
        const bytes = encode(api, "request", version, message);
        if (bytes.length === 0) return;
        for (const [at, value, run] of changes) bytes.fill(value, at % bytes.length, Math.min(bytes.length, (at % bytes.length) + run));
        try {
          decode(api, "request", version, bytes);
        } catch (error) {
          assert.ok(isMalformed(error), String(error));
        }
      },
    ),
    { numRuns: 1_500, seed: 3 },
  );
  assert.ok(process.memoryUsage().heapUsed - before < 256 * 1024 * 1024);
});

test("lengths are held against what is there before anything is made of them", () => {
  const giant = Buffer.from("7fffffff", "hex");
  const refused = (read: (reader: Reader) => unknown, bytes: Buffer): void => {
    assert.throws(() => read(new Reader(bytes)), isMalformed);
  };
  refused((reader) => reader.elements(false), Buffer.concat([giant, Buffer.alloc(100)]));
  refused((reader) => reader.bytes(false), giant);
  refused((reader) => reader.bytes(true), Buffer.from("ffffffff0f", "hex"));
  refused((reader) => reader.string(true), Buffer.concat([Buffer.from("8080048180", "hex"), Buffer.alloc(70_000)]));
  refused((reader) => reader.nullableString(false), Buffer.from("fffe", "hex"));
  refused((reader) => reader.unsignedVarint(), Buffer.from("ffffffffff01", "hex"));
  refused((reader) => metadata.responseCodec(0).read(reader), Buffer.from("ffffffff", "hex"));
  refused((reader) => reader.skipTaggedFields(), Buffer.from("ffffffff0f0000", "hex"));
  const many = Buffer.alloc(MESSAGE_ELEMENTS_MAX + 5);
  many.writeInt32BE(MESSAGE_ELEMENTS_MAX + 1);
  refused((reader) => reader.elements(false), many);
});

test("tagged fields that a newer client adds are left out", () => {
  const reader = new Reader(Buffer.from("02" + "0003aabbcc" + "8101" + "00" + "2a", "hex"));
  reader.skipTaggedFields();
  assert.equal(reader.int8(), 42);
});

test("a string longer than the protocol can say is cut, and stays one", () => {
  for (const text of ["x".repeat(40_000), "ü".repeat(20_000)]) {
    const writer = new Writer();
    writer.string(text, false);
    const written = new Reader(Buffer.concat(writer.finish())).string(false);
    assert.ok(Buffer.byteLength(written) <= STRING_BYTES_MAX && text.startsWith(written) && written.length > 10_000);
  }
});

test("headers of both forms are read as they are written", () => {
  for (const flexible of [false, true]) {
    const header = { apiKey: 3, version: 12, correlationId: -5, clientId: flexible ? "me" : null };
    const writer = new Writer();
    writeRequestHeader(writer, header, flexible);
    const reader = new Reader(Buffer.concat(writer.finish()));
    assert.deepEqual(
      readRequestHeader(reader, () => flexible),
      header,
    );
    assert.equal(reader.left, 0);
  }
});

test("what ApiVersions tells is what is spoken, but for Produce, which librdkafka looks for from version 0 on", () => {
  const spoken = ALL_APIS.map(({ key, versions: [min, max] }: AnyApi) => ({
    apiKey: key,
    minVersion: key === produce.key ? 0 : min,
    maxVersion: max,
  }));
  assert.deepEqual(
    API_RANGES,
    spoken.toSorted((left, right) => left.apiKey - right.apiKey),
  );
  assert.equal(new Set(API_RANGES.map(({ apiKey }) => apiKey)).size, API_RANGES.length);
});

function isMalformed(error: unknown): boolean {
  return isLambentError(error, "MalformedRequest");
}
