import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseAllDocuments } from "yaml";
import { isLambentError } from "../../src/base/index.ts";
import { binaryMessage, cloudEventView, eventOf } from "../../src/bus/envelope.ts";
import { BATCH_EVENTS_MAX, EVENT_DATA_BYTES_MAX, readCloudEvents } from "../../src/gateway/cloud-events/codec.ts";
import type { CloudEvent } from "../../src/model/index.ts";

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/cloudevents/${name}`, import.meta.url), "utf8");
const fixtureJson = (name: string): unknown => JSON.parse(fixture(name));

interface Case {
  readonly id: string;
  readonly sampleId?: string;
  readonly event?: unknown;
  readonly batch?: readonly unknown[];
}
const cases = (name: string): readonly Case[] => (fixtureJson(`json-format/${name}.json`) as { readonly tests: readonly Case[] }).tests;

type GoldenEvent = Readonly<Record<string, unknown>>;
const golden = fixtureJson("golden-samples.json") as {
  readonly events: Readonly<Record<string, GoldenEvent>>;
  readonly batches: Readonly<Record<string, readonly string[]>>;
};

const structured = (event: unknown): CloudEvent => {
  const body = Buffer.from(JSON.stringify(event));
  const [read] = readCloudEvents({ headers: { "content-type": "application/cloudevents+json" }, body }).events;
  return read ?? assert.fail();
};
const batched = (batch: unknown): readonly CloudEvent[] =>
  readCloudEvents({
    headers: { "content-type": "application/cloudevents-batch+json; charset=UTF-8" },
    body: Buffer.from(JSON.stringify(batch)),
  }).events;

/** An event in the JSON form of the golden ones, its time as an instant. */
function flat({ id, source, type, subject, time, dataContentType, dataSchema, extensions, data }: CloudEvent): object {
  const attributes = { specversion: "1.0", id, source, type, subject, time, datacontenttype: dataContentType, dataschema: dataSchema };
  const said = data.kind === "none" ? {} : { data: data.kind === "json" ? JSON.parse(data.bytes.toString()) : data.bytes.toString() };
  return Object.fromEntries(Object.entries({ ...attributes, ...extensions, ...said }).filter(([, value]) => value !== undefined));
}
const goldenFlat = (event: GoldenEvent | undefined): object => {
  assert.ok(event);
  return typeof event["time"] === "string" ? { ...event, time: Date.parse(event["time"]) } : event;
};

const refusal = (read: () => unknown): string => {
  let message = "";
  assert.throws(read, (error) => {
    if (isLambentError(error)) message = error.message;
    return isLambentError(error, "MalformedRequest", "InvalidParameter");
  });
  return message;
};

describe("a CloudEvent of the conformance suite", () => {
  for (const { id, event, sampleId = "" } of cases("valid-events"))
    test(`${id} is read`, () => assert.deepEqual(flat(structured(event)), goldenFlat(golden.events[sampleId])));
  for (const { id, batch, sampleId = "" } of cases("valid-batches"))
    test(`${id} is read`, () => {
      const expected = golden.batches[sampleId] ?? assert.fail();
      assert.deepEqual(
        batched(batch).map(flat),
        expected.map((name) => goldenFlat(golden.events[name])),
      );
    });
  for (const { id, event } of cases("invalid-events")) test(`${id} is refused`, () => void refusal(() => structured(event)));
  for (const { id, batch } of cases("invalid-batches"))
    test(`${id} is refused`, () =>
      assert.match(
        refusal(() => batched(batch)),
        /^Event [12] of the batch: /,
      ));
});

describe("a request of the HTTP binding's feature", () => {
  for (const { name, headers, body, attributes, data } of featureCases(fixture("http-protocol-binding.feature")))
    test(name, () => {
      const [event] = readCloudEvents({ headers, body }).events;
      assert.ok(event);
      assert.equal(Number(headers["content-length"]), body.length);
      const { data: said, ...found } = flat(event) as Record<string, unknown>;
      assert.deepEqual({ ...found, time: event.timeText }, attributes);
      assert.deepEqual(said, data);
    });
});

interface FeatureCase {
  readonly name: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: unknown;
}

/** Each outline of the feature once for each of its examples. */
function featureCases(text: string): FeatureCase[] {
  return text
    .split("Scenario Outline: ")
    .slice(1)
    .flatMap((outline) => {
      const examples = [...(outline.split("Examples:")[1] ?? "").matchAll(/^ *\| (.*?) *\|$/gm)].map(([, cell]) => cell ?? "").slice(1);
      return examples.map((contentType) => featureCase(outline.replaceAll("<contentType>", contentType)));
    });
}

function featureCase(outline: string): FeatureCase {
  const [request = "", data = ""] = [...outline.matchAll(/"""\n([^]*?)\n +"""/g)].map(([, quoted]) => unindented(quoted ?? ""));
  const [head = "", body = ""] = request.split(/\n\n([^]*)/);
  const table = (outline.split("the attributes are:")[1] ?? "").split("And the data")[0] ?? "";
  return {
    name: outline.split("\n", 1)[0]?.trim() ?? "",
    headers: Object.fromEntries(
      head
        .split("\n")
        .slice(1)
        .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]),
    ),
    body: Buffer.from(body),
    attributes: Object.fromEntries([...table.matchAll(/\| +(\S+) \| (.*?) *\|/g)].map(([, key = "", value = ""]) => [key, value])),
    data: JSON.parse(data),
  };
}

function unindented(text: string): string {
  const indent = /^ */.exec(text)?.[0].length ?? 0;
  return text.replaceAll(new RegExp(`^ {1,${indent}}`, "gm"), "");
}

describe("an event of the conformance documents", () => {
  for (const file of ["v1.yaml", "v1_minimum.yaml"])
    for (const [index, document] of parseAllDocuments(fixture(`yaml/${file}`)).entries()) {
      const { ContextAttributes: context, Data: data } = document.toJSON() as {
        readonly ContextAttributes: Record<string, unknown> & { readonly Extensions?: Record<string, string> };
        readonly Data: string;
      };
      const { specversion: _version, Extensions: extensions = {}, datacontenttype = "application/json", ...core } = context;
      test(`${index + 1} of ${file} goes out in binary and in structured mode and is the same when it is read`, () => {
        const sent = readCloudEvents({
          headers: {
            "ce-specversion": "1.0",
            "content-type": String(datacontenttype),
            ...Object.fromEntries(
              Object.entries({ ...core, ...extensions }).map(([name, value]) => [`ce-${name}`, encodeURIComponent(String(value).trim())]),
            ),
          },
          body: Buffer.from(data),
        }).events[0];
        assert.ok(sent);
        assert.equal(sent.data.kind === "none" ? "" : sent.data.bytes.toString(), data);
        const event = eventOf(sent, { account: "000000000000", region: "us-east-1", now: Date.parse("2026-11-21T19:00:00Z") });
        const own = { lambentaccount: "000000000000", lambentregion: "us-east-1" };
        const expected = flat({ ...sent, time: event.time, extensions: { ...sent.extensions, ...own } });
        const binary = readCloudEvents(binaryMessage(event)).events[0] ?? assert.fail();
        assert.deepEqual(flat(binary), expected);
        assert.equal(binary.data.kind === "none" ? "" : binary.data.bytes.toString(), data, "byte for byte");
        const headers = { "content-type": "application/cloudevents+json" };
        assert.deepEqual(flat(readCloudEvents({ headers, body: cloudEventView(event) }).events[0] ?? assert.fail()), expected);
      });
    }
});

const MINIMAL = { specversion: "1.0", id: "1", type: "t", source: "s" };
const HEADERS = { "ce-specversion": "1.0", "ce-id": "1", "ce-type": "t", "ce-source": "s" };
const binary = (headers: Record<string, string>, body = ""): CloudEvent =>
  readCloudEvents({ headers: { ...HEADERS, ...headers }, body: Buffer.from(body) }).events[0] ?? assert.fail();

describe("an error about a CloudEvent names the attribute and the rule", () => {
  for (const [what, read, expected] of [
    ["missing id", () => structured({ ...MINIMAL, id: undefined }), "CloudEvent attribute id is missing; every CloudEvent has one."],
    ["null source", () => structured({ ...MINIMAL, source: null }), /attribute source is missing/],
    [
      "other version",
      () => structured({ ...MINIMAL, specversion: "0.3" }),
      'CloudEvent attribute specversion is "0.3"; only "1.0" is read.',
    ],
    ["source with a space", () => structured({ ...MINIMAL, source: "a b" }), /attribute source is "a b"; it has to be a URI reference/],
    [
      "relative schema",
      () => structured({ ...MINIMAL, dataschema: "a/b" }),
      /attribute dataschema is "a\/b"; it has to be an absolute URI/,
    ],
    ["February 30", () => structured({ ...MINIMAL, time: "2026-02-30T00:00:00Z" }), /attribute time is "2026-02-30T00:00:00Z"/],
    ["hour 24", () => structured({ ...MINIMAL, time: "2026-02-03T24:00:00Z" }), /attribute time/],
    [
      "extension of an object",
      () => structured({ ...MINIMAL, ext: { a: 1 } }),
      /attribute ext is .*; it has to be a string, a whole number/,
    ],
    ["large number", () => structured({ ...MINIMAL, ext: 2 ** 31 }), /attribute ext is 2147483648; numbers are whole/],
    [
      "prototype",
      () =>
        readCloudEvents({
          headers: { "content-type": "application/cloudevents+json" },
          body: Buffer.from('{"specversion":"1.0","id":"1","type":"t","source":"s","__proto__":"x"}'),
        }),
      /attribute __proto__ is no attribute name/,
    ],
    ["line feed", () => structured({ ...MINIMAL, subject: "a\nb" }), /attribute subject holds a control character/],
    ["long id", () => structured({ ...MINIMAL, id: "x".repeat(5_000) }), /attribute id has 5000 characters/],
    ["bad base64", () => structured({ ...MINIMAL, data_base64: "?" }), /attribute data_base64 has to be a string of base64/],
    ["own content type header", () => binary({ "ce-datacontenttype": "a/b" }), /attribute datacontenttype comes as Content-Type/],
    ["header with a hyphen", () => binary({ "ce-my-ext": "1" }), /attribute my-ext is no attribute name/],
    ["cut escape", () => binary({ "ce-subject": "%C3" }), /attribute subject has a percent escape that is not UTF-8/],
    [
      "body that is not JSON",
      () => binary({ "content-type": "application/json" }, "{"),
      /^The body is not JSON, as Content-Type application\/json says it is\.$/,
    ],
    ["no event", () => readCloudEvents({ headers: {}, body: Buffer.alloc(0) }), /it has neither a ce-specversion header nor/],
    [
      "another format",
      () => readCloudEvents({ headers: { "content-type": "application/cloudevents+avro" }, body: Buffer.alloc(0) }),
      /application\/cloudevents\+avro is not read/,
    ],
    [
      "bytes that are no text",
      () => readCloudEvents({ headers: { "content-type": "application/cloudevents+json" }, body: Buffer.from([0xff]) }),
      /^The body is not JSON\.$/,
    ],
    ["no list", () => batched({}), /JSON array/],
  ] as const)
    test(what, () => {
      const message = refusal(read);
      if (typeof expected === "string") assert.equal(message, expected);
      else assert.match(message, expected);
    });
});

describe("what a CloudEvent says", () => {
  test("stays as it was written within a structured event", () => {
    const data = '{ "b":1.50, "a" : 12345678901234567890,\n "a\\u0062": [1e2] }';
    const body = Buffer.from(`{"specversion":"1.0", "data":${data} ,"id":"1","type":"t","source":"s"}`);
    const [event] = readCloudEvents({ headers: { "content-type": "application/cloudevents+json" }, body }).events;
    assert.deepEqual(event?.data, { kind: "json", bytes: Buffer.from(data) });
  });

  test("is text, bytes or JSON by its content type", () => {
    assert.deepEqual(binary({ "content-type": "text/plain" }, "hi").data, { kind: "text", bytes: Buffer.from("hi") });
    assert.deepEqual(binary({ "content-type": "application/problem+json; charset=utf-8" }, "[1]").data, {
      kind: "json",
      bytes: Buffer.from("[1]"),
    });
    assert.deepEqual(binary({ "content-type": "image/png" }, "hi").data, { kind: "binary", bytes: Buffer.from("hi") });
    assert.deepEqual(binary({}, "{}").data, { kind: "binary", bytes: Buffer.from("{}") });
    assert.deepEqual(binary({ "content-type": "application/json" }).data, { kind: "none" });
    assert.deepEqual(structured({ ...MINIMAL, data: "text" }).data, { kind: "json", bytes: Buffer.from('"text"') });
    assert.deepEqual(structured({ ...MINIMAL, data_base64: "TWE=" }).data, { kind: "binary", bytes: Buffer.from("Ma") });
    assert.deepEqual(structured({ ...MINIMAL, data: null, data_base64: "TWE=" }).data, { kind: "binary", bytes: Buffer.from("Ma") });
  });

  test("has bounds (P7)", () => {
    const tooMuch = (read: () => unknown, message: RegExp): void =>
      assert.throws(read, (error) => isLambentError(error, "RequestTooLarge", "InvalidParameter") && message.test(error.message));
    tooMuch(() => binary({ "content-type": "text/plain" }, "x".repeat(EVENT_DATA_BYTES_MAX + 1)), /1048577 bytes/);
    tooMuch(() => batched(Array.from({ length: BATCH_EVENTS_MAX + 1 }, () => MINIMAL)), /1001 events/);
    tooMuch(() => binary({ "content-type": "application/json" }, "[".repeat(2_000) + "]".repeat(2_000)), /attribute data nests/);
    tooMuch(
      () => structured({ ...MINIMAL, ...Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`e${at}`, 1])) }),
      /more than 64 extension/,
    );
  });
});

test("headers are read with quotes and percent escapes undone", () => {
  const { subject, extensions } = binary({ "ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80", "ce-ext": '"a \\"quoted\\" text"' });
  assert.equal(subject, "Euro € 😀");
  assert.deepEqual({ ...extensions }, { ext: 'a "quoted" text' });
});

test("a request changed at random is read, or refused with an error of the catalogue (P8)", () => {
  const headers = fc.dictionary(
    fc.constantFrom("content-type", "ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time", "ce-__proto__", "ce-x"),
    fc.oneof(
      fc.constantFrom("1.0", "application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "%", '"'),
      fc.string(),
    ),
  );
  const attributes = fc.dictionary(
    fc.constantFrom("specversion", "id", "type", "source", "time", "data", "data_base64", "x"),
    fc.oneof(fc.constantFrom("1.0", "TWE=", "2026-11-21T19:00:00Z"), fc.jsonValue()),
  );
  const body = fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.oneof(attributes, fc.array(attributes), fc.jsonValue()).map((value) => Buffer.from(JSON.stringify(value))),
  );
  const endings = { read: 0, refused: 0 };
  fc.assert(
    fc.property(headers, body, fc.boolean(), (more, bytes, valid) => {
      try {
        readCloudEvents({ headers: valid ? { ...more, ...HEADERS } : more, body: bytes });
        endings.read += 1;
      } catch (error) {
        assert.ok(isLambentError(error, "MalformedRequest", "InvalidParameter"), String(error instanceof Error ? error.stack : error));
        assert.ok(error.message.length < 1_000);
        endings.refused += 1;
      }
    }),
    { seed: 20_261_121, numRuns: 2_000 },
  );
  assert.ok(endings.read > 100 && endings.refused > 100, JSON.stringify(endings));
});

test("any attribute value comes out of binary mode as it went in", () => {
  const value = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(value, value, (subject, ext) => {
      const event = eventOf(
        { id: "1", source: "s", type: "t", subject, data: { kind: "none" }, extensions: { ext } },
        { account: "1", region: "r", now: 0 },
      );
      const { headers } = binaryMessage(event);
      for (const header of Object.values(headers)) assert.match(header, /^[!-~]+$/);
      const [read] = readCloudEvents(binaryMessage(event)).events;
      assert.equal(read?.subject, subject);
      assert.equal(read?.extensions["ext"], ext);
    }),
    { seed: 20_261_121, numRuns: 300 },
  );
});
