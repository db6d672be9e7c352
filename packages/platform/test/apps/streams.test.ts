/** Streams of an application and what calls functions from there: read, named, planned. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAppDocument, readFrom, STREAM_TRIGGER_DEFAULTS } from "../../src/apps/index.ts";
import {
  type CurrentStreamWiring,
  isDestination,
  type StreamTrigger,
  streamTriggerKey,
  type StreamWiring,
  withPlainDestination,
} from "../../src/apps/stream-form.ts";
import { planStreams, planStreamTriggerRemovals, planStreamTriggers } from "../../src/apps/stream-plan.ts";
import { checkStreams } from "../../src/apps/stream-wiring.ts";
import { triggerOfKey } from "../../src/apps/trigger-key.ts";
import { isLambentError } from "../../src/base/index.ts";
import { DEFAULT_STREAM_MAPPING_SETTINGS } from "../../src/sources/index.ts";

const RULES = { owned: new Set<string>(), onlyUntouched: false };

const trigger = (change: Partial<StreamTrigger["options"]> = {}, names: Partial<StreamTrigger> = {}): StreamTrigger => ({
  ...{ functionName: "hello", streamName: "clicks", source: "kafka", form: "kafka", from: undefined },
  options: { ...STREAM_TRIGGER_DEFAULTS, ...change },
  ...names,
});
const wiring = (wanted: Partial<StreamWiring>): StreamWiring => ({ streams: [], streamTriggers: [], ...wanted });
const current = (triggers: readonly StreamTrigger[], partitions = 3): CurrentStreamWiring => ({
  streams: new Map([["clicks", { name: "clicks", options: { partitions, retentionMs: 1_000 } }]]),
  triggers: new Map(
    triggers.map((each) => [
      streamTriggerKey(each),
      { ...each, from: each.from ?? "latest", uuid: "u", state: "Enabled", result: undefined },
    ]),
  ),
});
const said = (code: "InvalidParameter" | "Conflict" | "LimitExceeded", message: RegExp) => (error: unknown) =>
  isLambentError(error, code) && message.test(error.message) && !error.message.includes("\n");

test("a trigger that says nothing is set to what a mapping is set to that says nothing", () => {
  const { reportsFailures, enabled, ...shared } = STREAM_TRIGGER_DEFAULTS;
  const mapping = { ...shared, answers: reportsFailures ? "reported" : "whole" };
  const named = Object.fromEntries(Object.entries(mapping).filter(([, value]) => value !== undefined));
  assert.deepEqual(named, { ...DEFAULT_STREAM_MAPPING_SETTINGS });
  assert.equal(enabled, true);
});

test("a document names streams, and functions what they read of them", () => {
  const document = parseAppDocument(
    [
      "streams: { readings: { partitions: 4, retention: 30d }, kept: { retention: forever }, plain: }",
      "functions:",
      "  hello:",
      "    triggers:",
      "      - kafka: clicks",
      "      - { kafka: sensors, format: json, from: start, batch: 500, window: 5s, filters: [{ value: { celsius: [1] } }] }",
      "      - stream: readings",
      "        from: 2026-01-31",
      "        parallel: 3",
      "        bisect: true",
      "        retries: 2",
      "        maxAge: 1h",
      "        onFailure: queue:lost",
      "        reportFailures: true",
      "        enabled: false",
      "      - { stream: sums, tumble: 30 }",
    ].join("\n"),
    "lambent.yaml",
  );
  assert.deepEqual(document.streams, [
    { name: "readings", options: { partitions: 4, retentionMs: 30 * 86_400_000 } },
    { name: "kept", options: { retentionMs: -1 } },
    { name: "plain", options: {} },
  ]);
  const kinesis = { source: "kinesis", form: "kinesis" } as const;
  assert.deepEqual(document.streamTriggers, [
    trigger(),
    trigger(
      { batchSize: 500, windowMs: 5_000, filters: ['{"value":{"celsius":[1]}}'] },
      { streamName: "sensors", form: "json", from: "start" },
    ),
    trigger(
      {
        ...{ parallelization: 3, bisects: true, retriesMax: 2, recordAgeMsMax: 3_600_000 },
        ...{ onFailure: "queue:lost", reportsFailures: true, enabled: false },
      },
      { ...kinesis, streamName: "readings", from: "2026-01-31T00:00:00.000Z" },
    ),
    trigger({ tumblingMs: 30_000 }, { ...kinesis, streamName: "sums" }),
  ]);
});

test("what does not go together, and what nobody knows, is refused with place and rule", () => {
  const refused = (text: string, message: RegExp): void =>
    assert.throws(() => parseAppDocument(text, "lambent.yaml"), said("InvalidParameter", message), text);
  const of = (text: string): string => `functions: { a: { triggers: [${text}] } }`;
  refused(of("{ kafka: clicks, stream: clicks }"), /triggers\[0\] has kafka and stream; each is a trigger of its own/u);
  refused(of("{ kafka: clicks, parallel: 2 }"), /has parallel, which does not go with kafka; with it go batch, window, from/u);
  refused(of("{ stream: s, concurrency: 2 }"), /has concurrency, which does not go with stream/u);
  refused(of("{ queue: orders, from: start }"), /has from, which does not go with queue/u);
  refused(of("{ stream: s, from: yesterday }"), /triggers\[0\]\.from is "yesterday"; it has to be start, latest, or a time/u);
  refused(of("{ stream: s, onFailure: lost }"), /onFailure is "lost"; it has to be queue: and a queue's name, or an ARN/u);
  refused(of("{ stream: s, format: cloudevent }"), /format is "cloudevent"; of streams it has to be aws or json/u);
  refused(of("{ on: order.placed, format: json }"), /format is "json", which is for streams/u);
  refused(of("{ stream: s, bisects: true }"), /triggers\[0\] has an unknown entry "bisects"/u);
  refused(of("{ stream: s, retries: -1 }"), /retries is -1; it has to be 0 to 10000/u);
  refused(of("{ stream: a/b }"), /stream is "a\/b"; it has to be a stream/u);
  refused("streams: { a: { shards: 2 } }\nfunctions: { a: }", /streams\.a has an unknown entry "shards".*partitions/u);
  refused("streams: { a: { partitions: 0 } }\nfunctions: { a: }", /partitions is 0; it has to be 1 to 4096/u);
  refused("streams: { a b: }\nfunctions: { a: }", /streams has an entry "a b"/u);
});

test("where reading begins is a word or a time, told in one form", () => {
  assert.equal(readFrom("start"), "start");
  assert.equal(readFrom("latest"), "latest");
  assert.equal(readFrom("2026-01-31T08:00:00+01:00"), "2026-01-31T07:00:00.000Z");
  for (const text of ["", "now", "2026", "2026-13-01", "2026-01-31T08:00", "1769846400"]) assert.equal(readFrom(text), undefined, text);
});

test("a destination is a queue by its name, or an ARN; a queue of one's own is told by its name, whichever way it was named", () => {
  for (const text of ["queue:lost", "queue:lost.fifo", "arn:aws:sns:us-east-1:000000000000:news"]) assert.ok(isDestination(text), text);
  for (const text of ["", "lost", "queue:", "queue:a b", "arn:"]) assert.ok(!isDestination(text), text);
  const realm = { account: "000000000000", region: "us-east-1" };
  const plain = (onFailure: string): unknown => withPlainDestination(realm, trigger({ onFailure })).options.onFailure;
  assert.equal(plain("arn:aws:sqs:us-east-1:000000000000:lost"), "queue:lost");
  assert.equal(plain("arn:aws:sqs:eu-west-1:000000000000:lost"), "arn:aws:sqs:eu-west-1:000000000000:lost");
});

test("a stream that only a trigger names is made as its clients would make it; partitions are only added", () => {
  const wanted = wiring({
    streams: [{ name: "named", options: { partitions: 2 } }],
    streamTriggers: [
      trigger({}, { streamName: "named" }),
      trigger({}, { streamName: "topic" }),
      trigger({}, { streamName: "s", source: "kinesis" }),
    ],
  });
  assert.deepEqual(planStreams(current([]), wanted, RULES), [
    { kind: "createStream", stream: { name: "named", options: { partitions: 2 }, madeBy: "lambent" } },
    { kind: "createStream", stream: { name: "topic", options: {}, madeBy: "kafka" } },
    { kind: "createStream", stream: { name: "s", options: {}, madeBy: "kinesis" } },
  ]);
  const change = (options: StreamWiring["streams"][number]["options"]) =>
    planStreams(current([]), wiring({ streams: [{ name: "clicks", options }] }), RULES);
  assert.deepEqual(change({}), []);
  assert.deepEqual(change({ partitions: 3, retentionMs: 1_000 }), []);
  assert.deepEqual(change({ partitions: 5 }), [
    { kind: "updateStream", stream: { name: "clicks", options: { partitions: 5 } }, fields: [{ field: "partitions", from: "3", to: "5" }] },
  ]);
  assert.throws(() => change({ partitions: 2 }), said("InvalidParameter", /has 3 partitions, and 2 are wanted/u));
});

test("only what differs of a trigger changes; another beginning is refused and not begun; another form is another trigger", () => {
  const there = current([trigger({ batchSize: 10 }), trigger({}, { form: "json", from: "start" })]);
  const plan = (...streamTriggers: readonly StreamTrigger[]) => planStreamTriggers(there, wiring({ streamTriggers }), RULES);
  assert.deepEqual(
    plan(trigger({ batchSize: 10 }), trigger({}, { form: "json", from: "start" }), trigger({ batchSize: 10 }, { from: "latest" })),
    [],
  );
  const [change] = plan(trigger({ batchSize: 20, onFailure: "queue:lost" }));
  assert.deepEqual(change?.kind === "updateStreamTrigger" && change.fields, [
    { field: "batchSize", from: "10", to: "20" },
    { field: "onFailure", from: "none", to: "queue:lost" },
  ]);
  assert.throws(
    () => plan(trigger({ batchSize: 10 }, { from: "start" })),
    said("Conflict", /^The trigger of hello by stream clicks is there and began at latest; where it begins, which was to be start,/u),
  );
  assert.deepEqual(
    plan(trigger({}, { source: "kinesis", form: "kinesis" })).map(({ kind }) => kind),
    ["createStreamTrigger"],
  );
});

test("what the application brought goes with its line; examples change nothing and bring nothing back", () => {
  const mine = trigger();
  const owned = new Set([streamTriggerKey(mine), streamTriggerKey(trigger({}, { streamName: "gone" })), "hello orders"]);
  assert.deepEqual(triggerOfKey(streamTriggerKey(mine)), { kind: "stream", functionName: "hello", streamName: "clicks", form: "kafka" });
  const there = current([mine, trigger({}, { form: "json" })]);
  assert.deepEqual(planStreamTriggerRemovals(there, wiring({}), { owned, onlyUntouched: false }), [
    { kind: "removeStreamTrigger", streamTrigger: { kind: "stream", functionName: "hello", streamName: "clicks", form: "kafka" } },
  ]);
  const untouched = { owned, onlyUntouched: true };
  assert.deepEqual(planStreamTriggers(current([]), wiring({ streamTriggers: [mine] }), untouched), []);
  assert.deepEqual(planStreamTriggers(there, wiring({ streamTriggers: [trigger({ batchSize: 1 }, { from: "start" })] }), untouched), []);
  assert.deepEqual(planStreams(there, wiring({ streams: [{ name: "clicks", options: { partitions: 1 } }] }), untouched), []);
});

test("twice the same, and too many, are refused before anything is made", () => {
  assert.throws(
    () => checkStreams(wiring({ streamTriggers: [trigger(), trigger({ batchSize: 1 })] })),
    said("InvalidParameter", /The trigger of hello by stream clicks \(kafka\) is named twice/u),
  );
  const streams = Array.from({ length: 201 }, (_, at) => ({ name: `s${at}`, options: {} }));
  assert.throws(() => checkStreams(wiring({ streams })), said("LimitExceeded", /201 streams; at most 200/u));
});
