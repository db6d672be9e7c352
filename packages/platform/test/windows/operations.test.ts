/** Managed windows through Lambent's own API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestContext } from "../../src/api/index.ts";
import { windowOperations } from "../../src/api/lambent/windows.ts";
import { isLambentError } from "../../src/base/index.ts";
import { declared, openWorld, pumped, put, REALM, until } from "./world.ts";

const CONTEXT = { realm: REALM } as unknown as RequestContext;
const DECLARED = {
  source: "readings",
  start: "earliest",
  key: "$.device",
  value: "$.value",
  time: "$.at",
  outOfOrderness: "0s",
  jumpMax: "3650d",
};
const SUMS = {
  ...DECLARED,
  window: { kind: "tumbling", size: "1m" },
  aggregates: { sum: "sum", count: "count" },
  sinks: [{ stream: "sums" }],
};

test("a window is made, looked at, changed, paused, begun anew and removed", async () => {
  const world = await openWorld();
  const { clock, streams } = world;
  const operations = windowOperations(async () => world.windows);
  await streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  const { Window } = await operations.CreateWindow({ Name: "sums", Declaration: JSON.stringify(SUMS) }, CONTEXT);
  assert.deepEqual(
    [Window.WindowArn, Window.State, Window.Generation],
    ["arn:aws:lambent:us-east-1:000000000000:window:sums", "running", 1],
  );
  assert.deepEqual(JSON.parse(Window.Definition), JSON.parse(JSON.stringify(declared())));
  await put(streams, 0, [
    { device: "a", value: 1, at: 0 },
    { device: "a", value: "x", at: 1 },
    { device: "a", value: 2, at: 60_000 },
  ]);
  const progress = async () => (await operations.DescribeWindow({ Name: "sums" }, CONTEXT)).Progress;
  await until(clock, async () => (await progress())?.Sinks[0]?.Taken === 1);
  const { Partitions, Watermark, SetAside, LastSetAside, Sinks, Read } = (await progress()) ?? assert.fail("it runs");
  assert.deepEqual(
    [Partitions, Watermark, Read],
    [[{ Partition: 0, Next: 3, Ended: false, Lag: 0, Watermark: new Date(60_000) }], new Date(60_000), 3],
  );
  assert.deepEqual([SetAside, LastSetAside], [{ notANumber: 1 }, [{ Reason: "notANumber", Partition: 0, Key: "a", Time: new Date(1) }]]);
  assert.deepEqual(Sinks, [{ Sink: "stream sums", Lane: "results", Taken: 1, Waiting: 0, GivenUp: 0 }]);
  const wider = JSON.stringify({ ...SUMS, window: { kind: "tumbling", size: "2m" } });
  await assert.rejects(operations.UpdateWindow({ Name: "sums", Declaration: wider }, CONTEXT), (error) =>
    isLambentError(error, "RestartNeeded"),
  );
  const { Change } = await pumped(clock, operations.UpdateWindow({ Name: "sums", Declaration: wider, Restart: "earliest" }, CONTEXT));
  assert.equal(Change.Kind, "restarted");
  assert.equal((await pumped(clock, operations.PauseWindow({ Name: "sums" }, CONTEXT))).Window.State, "paused");
  assert.equal((await pumped(clock, operations.ResumeWindow({ Name: "sums" }, CONTEXT))).Window.State, "running");
  assert.equal(
    (await pumped(clock, operations.ResetWindow({ Name: "sums", Start: "2026-01-01T00:00:00Z" }, CONTEXT))).Window.Generation,
    3,
  );
  assert.deepEqual(
    (await operations.ListWindows({}, CONTEXT)).Windows.map(({ Name }) => Name),
    ["sums"],
  );
  await pumped(clock, operations.DeleteWindow({ Name: "sums" }, CONTEXT));
  assert.deepEqual(await operations.ListWindows({}, CONTEXT), { Windows: [] });
  assert.deepEqual(world.problems, []);
  await world.close();
});

test("what is no window is refused, and what is refused says why", async () => {
  const world = await openWorld();
  const { CreateWindow, DescribeWindow, ResetWindow } = windowOperations(async () => world.windows);
  const refused = (code: "InvalidParameter" | "NotFound", why: RegExp) => (error: unknown) =>
    isLambentError(error, code) && why.test(error.message);
  await assert.rejects(CreateWindow({ Name: "a", Declaration: "{" }, CONTEXT), refused("InvalidParameter", /^Declaration is no JSON/u));
  await assert.rejects(CreateWindow({ Name: "a", Declaration: "[]" }, CONTEXT), refused("InvalidParameter", /^The declaration is \[\]/u));
  await assert.rejects(CreateWindow({ Name: "a", Declaration: JSON.stringify(SUMS) }, CONTEXT), refused("NotFound", /readings/u));
  await assert.rejects(DescribeWindow({ Name: "a" }, CONTEXT), refused("NotFound", /Window a does not exist/u));
  await assert.rejects(ResetWindow({ Name: "a", Start: "soon" }, CONTEXT), refused("InvalidParameter", /^start is "soon"/u));
  await world.close();
});

test("a watermark before all dates, as behind the earliest record there can be, is left out of what is told", async () => {
  const world = await openWorld();
  const operations = windowOperations(async () => world.windows);
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  const declaration = JSON.stringify({ ...SUMS, outOfOrderness: "10s" });
  await operations.CreateWindow({ Name: "sums", Declaration: declaration }, CONTEXT);
  await put(world.streams, 0, [{ device: "a", value: 1, at: -8_640_000_000_000_000 }]);
  const progress = async () => (await operations.DescribeWindow({ Name: "sums" }, CONTEXT)).Progress;
  await until(world.clock, async () => (await progress())?.Read === 1);
  const { Watermark, Partitions } = (await progress()) ?? assert.fail("it runs");
  assert.deepEqual([Watermark, Partitions], [undefined, [{ Partition: 0, Next: 1, Ended: false, Lag: 0 }]]);
  await world.close();
});
