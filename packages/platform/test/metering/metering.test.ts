import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../src/base/index.ts";
import { METERING_FLUSH_MS_MAX, startMetering, USAGE_KEEP_MS, type Metering } from "../../src/metering/index.ts";
import { METERING_BUFFER_RECORDS_MAX } from "../../src/metering/usage-buffer.ts";
import { Signals, type UsageRecord } from "../../src/model/index.ts";
import { MemoryDisk, openMemoryStore, type FaultPlan } from "../../src/storage/index.ts";

const REALM = { account: "000000000000", region: "us-east-1" };
const DAY_MS = 86_400_000;

interface Bench {
  readonly clock: ManualClock;
  readonly metering: Metering;
  readonly disk: MemoryDisk;
  /** Usage of `functionName`, now. */
  used(requestId: string, more?: Partial<UsageRecord>): void;
  /** What is in the store, without asking metering to flush. */
  committed(): Promise<number>;
}

async function bench(faults: FaultPlan = () => undefined, disk = new MemoryDisk(), clock = new ManualClock()): Promise<Bench> {
  const store = openMemoryStore({ disk, faults });
  const signals = new Signals();
  const metering = await startMetering({ store, signals, clock });
  return {
    clock,
    metering,
    disk,
    used: (requestId, more = {}) =>
      signals.emit("usage", {
        ...{
          requestId,
          ...REALM,
          functionName: "hello",
          version: "$LATEST",
          memoryMb: 512,
          startedAt: clock.now(),
          durationMs: 12.5,
          initMs: 0,
          billedMs: 13,
          maxMemoryMb: 60,
          ending: "handled",
        },
        ...more,
      }),
    committed: async () => (await openMemoryStore({ disk }).read("000000000000.us-east-1/usage/hello/0", 1, 1_000)).length,
  };
}

void test("P9: a record is in the store within METERING_FLUSH_MS_MAX, in one commit with those beside it", async () => {
  const { clock, used, committed } = await bench();
  used("r1");
  used("r2");
  assert.equal(await committed(), 0);
  await clock.advance(METERING_FLUSH_MS_MAX / 2);
  assert.equal(await committed(), 1);
  used("r3");
  await clock.advance(METERING_FLUSH_MS_MAX);
  assert.equal(await committed(), 2);
});

void test("P9: attempts of one asynchronous invocation share its request id and are billed each", async () => {
  const { clock, metering, used } = await bench();
  used("r1");
  used("r1", { startedAt: clock.now() + 60_000 });
  await clock.advance(METERING_FLUSH_MS_MAX);
  assert.equal((await metering.usage(REALM, "hello", 0, clock.now() + 60_001)).totals.invocations, 2);
});

void test("usage adds up a stretch of time: invocations, failures, billed milliseconds, GB-seconds", async () => {
  const { clock, metering, used } = await bench();
  const start = clock.now();
  for (let hour = 0; hour < 5; hour++) {
    used(`h${hour}`, { billedMs: 1_000, durationMs: 999.5, ending: hour === 3 ? "timedOut" : "handled" });
    used(`other${hour}`, { functionName: "other" });
    await clock.advance(3_600_000);
  }
  const report = await metering.usage(REALM, "hello", start + 3_600_000, start + 4 * 3_600_000);
  assert.deepEqual(report, {
    totals: { invocations: 3, failures: 1, durationMs: 2_998.5, billedMs: 3_000, gbSeconds: 1.5 },
    lost: 0,
    crashesNoticedAt: [],
  });
  const ids: string[] = [];
  for await (const record of metering.records(REALM, "hello", start, clock.now())) ids.push(`${record.functionName}/${record.requestId}`);
  assert.deepEqual(ids, ["hello/h0", "hello/h1", "hello/h2", "hello/h3", "hello/h4"]);
  assert.equal((await metering.usage(REALM, "none", 0, clock.now())).totals.invocations, 0);
});

void test("a call that began in the stretch and ended long after it is found", async () => {
  const { clock, metering, used } = await bench();
  const start = clock.now();
  await clock.advance(900_000);
  used("long", { startedAt: start, billedMs: 900_000 });
  await clock.advance(METERING_FLUSH_MS_MAX);
  assert.equal((await metering.usage(REALM, "hello", start, start + 1)).totals.billedMs, 900_000);
});

void test("a busy storage delays records and loses none", async () => {
  let busy = true;
  const { clock, metering, used } = await bench(({ kind, cell }) =>
    kind === "commit" && cell.includes("usage") && busy ? { kind: "busy" } : undefined,
  );
  for (let index = 0; index < 2_500; index++) used(`r${index}`);
  await clock.advance(METERING_FLUSH_MS_MAX);
  used("late");
  busy = false;
  await clock.advance(METERING_FLUSH_MS_MAX);
  assert.equal((await metering.usage(REALM, "hello", 0, clock.now() + 1)).totals.invocations, 2_501);
});

void test("P7: over the buffer's bound records are dropped, and the bill says how many", async () => {
  const { clock, metering, used } = await bench();
  for (let index = 0; index < METERING_BUFFER_RECORDS_MAX + 7; index++) used(`r${index}`);
  const report = await metering.usage(REALM, "hello", 0, clock.now() + 1);
  assert.deepEqual([report.totals.invocations, report.lost], [METERING_BUFFER_RECORDS_MAX, 7]);
});

void test("the bill shows a crash, and shows none after a stop in order", async () => {
  const first = await bench();
  first.used("kept");
  await first.clock.advance(METERING_FLUSH_MS_MAX);
  first.used("lost by the crash");
  const second = await bench(undefined, first.disk, first.clock);
  const report = await second.metering.usage(REALM, "hello", 0, first.clock.now() + 1);
  assert.deepEqual([report.totals.invocations, report.crashesNoticedAt], [1, [first.clock.now()]]);
  await second.metering.close();
  const third = await bench(undefined, first.disk, first.clock);
  assert.equal((await third.metering.usage(REALM, "hello", 0, first.clock.now() + 1)).crashesNoticedAt.length, 1);
});

void test("closing commits what waits", async () => {
  const { metering, used, committed } = await bench();
  used("r1");
  await metering.close();
  assert.equal(await committed(), 1);
});

void test("usage is kept for thirteen months and then trimmed, also without new usage", async () => {
  const { clock, metering, used, committed } = await bench();
  for (let day = 0; day < 10; day++) {
    used(`d${day}`);
    await clock.advance(DAY_MS);
  }
  assert.equal(await committed(), 10);
  await clock.advance(USAGE_KEEP_MS - 5 * DAY_MS);
  assert.equal(await committed(), 5);
  assert.equal((await metering.usage(REALM, "hello", 0, clock.now())).totals.invocations, 5);
  await clock.advance(10 * DAY_MS);
  assert.equal(await committed(), 0);
});

void test("a start looks at one cell, however many there are; what is too old goes behind it", async () => {
  const first = await bench();
  first.used("old");
  await first.clock.advance(METERING_FLUSH_MS_MAX);
  await first.metering.close();
  await first.clock.advance(USAGE_KEEP_MS + DAY_MS);
  const asked = new Set<string>();
  const second = await bench(({ cell }) => void asked.add(cell), first.disk, first.clock);
  assert.deepEqual([...asked], ["server/metering/session/0"]);
  assert.equal(await second.committed(), 1);
  await second.clock.advance(60_000);
  assert.equal(await second.committed(), 0);
  await second.metering.close();
  assert.equal(second.clock.pendingCount, 0);
});

void test("a wall clock that goes back does not disorder the log", async () => {
  const { clock, metering, used } = await bench();
  used("before");
  await clock.advance(METERING_FLUSH_MS_MAX);
  clock.jumpWall(-3_600_000);
  used("after");
  await clock.advance(METERING_FLUSH_MS_MAX);
  assert.equal((await metering.usage(REALM, "hello", 0, clock.now() + DAY_MS)).totals.invocations, 2);
});
