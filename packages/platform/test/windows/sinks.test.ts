import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred } from "../../src/base/index.ts";
import type { InvokeOutcome } from "../../src/invoker/index.ts";
import type { HandOver, Parcel } from "../../src/outbox/index.ts";
import type { WindowCall } from "../../src/windows/index.ts";
import { contents, declared, openWorld, pumped, put, REALM, TAKEN, until, type World, type WorldOptions } from "./world.ts";

const MINUTE = 60_000;
const HANDLED = { kind: "ended", ending: { kind: "handled", payload: Buffer.from("null") }, durationMs: 1 } as unknown as InvokeOutcome;
const FAILED = {
  kind: "ended",
  ending: { kind: "functionError", payload: Buffer.from('{"errorType":"Error","errorMessage":"no more paper"}') },
  durationMs: 1,
} as unknown as InvokeOutcome;
const LATER: HandOver = { kind: "later", refusal: { code: "HTTP_503", message: "not now" }, durationMs: 0 };

async function withWindow(change: Readonly<Record<string, unknown>>, options: WorldOptions): Promise<World> {
  const world = await openWorld(options);
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await world.windows.create(REALM, "sums", declared(change));
  return world;
}

const ROLLING = { window: { kind: "rolling", size: 3 }, aggregates: {} };
const reading = (device: string, value: unknown, at = 0) => ({ device, value, at });
const eventOf = (call: WindowCall): Record<string, unknown> => JSON.parse(call.payload.toString()) as Record<string, unknown>;
const sinkOf = async (world: World) => (await world.windows.describe(REALM, "sums")).running?.sinks[0];

test('a function gets the last values as event["data"], with key and window beside', async () => {
  const calls: WindowCall[] = [];
  const world = await withWindow(
    { ...ROLLING, sinks: [{ function: "average:live" }] },
    { invoke: async (call) => (calls.push(call), HANDLED) },
  );
  await put(
    world.streams,
    0,
    [1, 2, 3, 4].map((value) => reading("a", value, value)),
  );
  await until(world.clock, () => calls.length === 4);
  assert.deepEqual(
    calls.map((call) => eventOf(call)["data"]),
    [[1], [1, 2], [1, 2, 3], [2, 3, 4]],
  );
  const { key, window } = eventOf(calls[3] as WindowCall);
  assert.deepEqual([key, window], ["a", { start: 2, end: 5 }]);
  assert.deepEqual([calls[0]?.functionName, calls[0]?.qualifier], ["average", "live"]);
  assert.equal(new Set(calls.map(({ requestId }) => requestId)).size, 4);
  await world.close();
});

test("a function that fails is called again under the same request id, and its key waits while others go on", async () => {
  const seen: string[] = [];
  const ids = new Map<string, Set<string>>();
  let failures = 2;
  const invoke = async (call: WindowCall): Promise<InvokeOutcome> => {
    const { key, data } = eventOf(call) as { key: string; data: number[] };
    const name = `${key}${data.at(-1)}`;
    ids.set(name, (ids.get(name) ?? new Set()).add(call.requestId));
    seen.push(name);
    return name === "a1" && failures-- > 0 ? FAILED : HANDLED;
  };
  const world = await withWindow({ ...ROLLING, sinks: [{ function: "average", retries: 5 }] }, { invoke });
  await put(world.streams, 0, [reading("a", 1), reading("b", 1), reading("a", 2), reading("b", 2)]);
  await until(world.clock, async () => (await sinkOf(world))?.sunk === 4);
  assert.deepEqual(
    seen.filter((name) => name.startsWith("a")),
    ["a1", "a1", "a1", "a2"],
  );
  assert.ok(seen.indexOf("b2") < seen.lastIndexOf("a1"), seen.join(" "));
  assert.deepEqual(
    [...ids.values()].map(({ size }) => size),
    [1, 1, 1, 1],
  );
  await world.close();
});

test("what a function fails with to the end goes where it is to go, is counted, and what comes behind it is called", async () => {
  const parcels: Parcel[] = [];
  const invoke = async (call: WindowCall): Promise<InvokeOutcome> => ((eventOf(call)["data"] as number[]).includes(13) ? FAILED : HANDLED);
  const sinks = [{ function: "average", retries: 1, onFailure: "arn:aws:sqs:us-east-1:000000000000:failed" }];
  const world = await withWindow(
    { window: { kind: "rolling", size: 1 }, aggregates: {}, sinks },
    { invoke, handOver: (parcel) => (parcels.push(parcel), TAKEN) },
  );
  await put(world.streams, 0, [reading("a", 12), reading("a", 13), reading("a", 14)]);
  await until(world.clock, async () => (await sinkOf(world))?.sunk === 3);
  assert.equal((await sinkOf(world))?.givenUp, 1);
  assert.equal(parcels.length, 1);
  const [parcel] = parcels;
  assert.equal(parcel?.target, sinks[0]?.onFailure);
  assert.deepEqual((JSON.parse(String(parcel?.payload)) as { data: unknown }).data, [13]);
  assert.equal(parcel?.options.attributes?.["ErrorMessage"]?.value, "Error: no more paper");
  await world.close();
});

test("a target that takes nothing is asked again with the same ids, and says in the description why", async () => {
  let open = false;
  const asked: { readonly id: string; readonly parcel: Parcel }[] = [];
  const world = await withWindow(
    { sinks: [{ target: "arn:aws:events:us-east-1:000000000000:event-bus/default" }] },
    { handOver: (parcel, id) => (asked.push({ id, parcel }), open ? TAKEN : LATER) },
  );
  await put(world.streams, 0, [reading("a", 1), reading("b", 2), reading("c", 3, 2 * MINUTE)]);
  await until(world.clock, () => asked.length >= 4);
  assert.match((await sinkOf(world))?.problem ?? "", /HTTP_503: not now/u);
  open = true;
  await until(world.clock, async () => (await sinkOf(world))?.sunk === 2);
  assert.equal(new Set(asked.map(({ id }) => id)).size, 2);
  const { options, sender } = (asked[0] as { readonly parcel: Parcel }).parcel;
  assert.deepEqual(options.event, {
    source: "lambent.windows",
    detailType: "Window Result",
    resources: ["arn:aws:lambent:us-east-1:000000000000:window:sums"],
  });
  assert.equal(sender.kind === "service" && sender.sourceArn, "arn:aws:lambent:us-east-1:000000000000:window:sums");
  assert.equal((await sinkOf(world))?.problem, undefined);
  await world.close();
});

test("behind a crash a sink is handed what it had not told of, under the ids it knows, and nothing else", async () => {
  const taken: string[] = [];
  const change = { sinks: [{ http: "http://example.com/results" }] };
  const world = await withWindow(change, { handOver: (_, id) => (taken.push(id), TAKEN) });
  await put(world.streams, 0, [reading("a", 1), reading("a", 2, MINUTE), reading("a", 3, 2 * MINUTE)]);
  await until(world.clock, () => taken.length > 0);
  const before = [...taken];
  const { disk, clock } = world;
  // The store is gone before anything is written of what was handed over.
  await world.store.close();
  await pumped(
    clock,
    world.windows.close().catch(() => undefined),
  );
  const again = await openWorld({ disk, clock, handOver: (_, id) => (taken.push(id), TAKEN) });
  await pumped(clock, again.windows.resume());
  await until(clock, async () => (await sinkOf(again))?.waiting === 0);
  assert.deepEqual(new Set(taken), new Set(before));
  await clock.advance(1_000);
  const settled = taken.length;
  await pumped(clock, again.close());
  const third = await openWorld({ disk, clock, handOver: (_, id) => (taken.push(id), TAKEN) });
  await pumped(clock, third.windows.resume());
  await clock.advance(1_000);
  assert.equal(taken.length, settled);
  await third.close();
});

test("results for a bucket are lines of an object for each hour, and the same row is the same objects", async () => {
  const objects = new Map<string, string>();
  let taken = 0;
  const world = await withWindow(
    { sinks: [{ bucket: "lake", prefix: "sums/" }] },
    // The second one of a row is refused once: both are put again.
    { handOver: ({ options, payload }) => (objects.set(options.objectKey ?? "", payload.toString()), ++taken === 2 ? LATER : TAKEN) },
  );
  const noon = Date.UTC(2026, 0, 31, 12);
  const before = noon - MINUTE;
  await put(world.streams, 0, [
    reading("a", 1, before),
    reading("b", 2, before + 1),
    reading("a", 3, noon),
    reading("a", 3, noon + MINUTE),
  ]);
  await until(world.clock, async () => (await sinkOf(world))?.sunk === 3);
  assert.equal(taken, 4);
  const lines = [...objects].map(([key, text]) => [
    key.replace(/-[0-9a-f]{8}-/u, "-…-"),
    ...text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { sum: number }).sum),
  ]);
  assert.deepEqual(lines, [
    // Until noon, which is not in it.
    ["sums/year=2026/month=01/day=31/hour=11/sums-…-1-results-0000000000.jsonl", 1, 2],
    ["sums/year=2026/month=01/day=31/hour=12/sums-…-1-results-0000000000.jsonl", 3],
  ]);
  await world.close();
});

test("while a sink takes nothing, no more is read than the bound of results that wait allows", async () => {
  const gate = deferred<void>();
  const invoke = async (): Promise<InvokeOutcome> => (await gate.promise, HANDLED);
  const world = await withWindow({ window: { kind: "rolling", size: 4 }, aggregates: {}, sinks: [{ function: "slow" }] }, { invoke });
  const large = "x".repeat(40_000);
  for (let at = 0; at < 400; at += 50)
    await put(
      world.streams,
      0,
      Array.from({ length: 50 }, (_, each) => reading(`k${each % 16}`, large, at + each)),
    );
  await world.clock.advance(5_000);
  const stopped = (await world.windows.describe(REALM, "sums")).running?.read ?? 0;
  assert.ok(stopped > 20 && stopped < 400, `${stopped} read`);
  await world.clock.advance(5_000);
  assert.equal((await world.windows.describe(REALM, "sums")).running?.read, stopped);
  gate.resolve();
  await until(world.clock, async () => (await sinkOf(world))?.sunk === 400);
  await world.close();
});

test("records that cannot be taken are counted by reason and go to the stream for them; the others are reckoned", async () => {
  const world = await openWorld();
  const { streams, windows, clock } = world;
  await streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await windows.create(REALM, "sums", declared({ jumpMax: "1d", setAside: "refused" }));
  const now = clock.now() - (clock.now() % MINUTE);
  const partition = await streams.partition(REALM, "readings", 0);
  const bad = ["no json", "", '{"device":"a","value":1}', `{"value":1,"at":${now}}`, `{"device":"a","value":"x","at":${now}}`];
  bad.push(
    `{"device":"a","value":1e999,"at":${now}}`,
    `{"device":["a"],"value":1,"at":${now}}`,
    '{"device":"a","value":1,"at":"soon"}',
    "NaN",
  );
  bad.push(`{"device":"a","value":1,"at":${now + 30 * 86_400_000}}`, `{"device":"a","at":${now}}`);
  await partition.append([...bad.map((text) => ({ key: undefined, value: Buffer.from(text) })), { key: undefined, value: undefined }]);
  await put(streams, 0, [reading("a", 1, now), reading("a", 2, now + 1), reading("a", 4, now + MINUTE)]);
  await until(clock, async () => (await contents(streams, "sums")).length === 1);
  assert.equal((await contents(streams, "sums"))[0]?.["sum"], 3);
  const { running } = await windows.describe(REALM, "sums");
  assert.deepEqual(running?.setAside, {
    notJson: 3,
    noTime: 1,
    noKey: 1,
    badKey: 1,
    badTime: 1,
    missing: 1,
    noValue: 1,
    notANumber: 2,
    future: 1,
  });
  await until(clock, async () => (await contents(streams, "refused")).length === 12);
  assert.deepEqual(
    (await contents(streams, "refused")).filter(({ reason }) => reason === "notJson").map(({ record, offset }) => [record, offset]),
    [
      ["no json", 0],
      ["", 1],
      ["NaN", 8],
    ],
  );
  assert.equal(running?.lastSetAside.length, 10);
  await world.close();
});

test("what is unusual for its key is told apart from the results, and results say how usual they are", async () => {
  const world = await withWindow(
    {
      ...{ window: { kind: "slidingCount", size: 1 }, aggregates: { last: "last" } },
      anomaly: { of: "last", detector: { kind: "robustZ", warmUp: 8, window: 16 }, sinks: [{ stream: "alerts" }] },
    },
    {},
  );
  const values = Array.from({ length: 40 }, (_, at) => (at === 30 ? 900 : 20 + (at % 5)));
  await put(
    world.streams,
    0,
    values.map((value, at) => reading("a", value, at)),
  );
  await until(world.clock, async () => (await contents(world.streams, "sums")).length === 40);
  await until(world.clock, async () => (await contents(world.streams, "alerts")).length === 1);
  const [alert] = await contents(world.streams, "alerts");
  assert.equal(alert?.["last"], 900);
  assert.equal((alert?.["anomaly"] as { isAnomaly: boolean } | undefined)?.isAnomaly, true);
  await world.close();
});
