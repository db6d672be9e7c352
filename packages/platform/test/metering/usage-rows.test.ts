import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import { startMetering, UsageRows, type Metering } from "../../src/metering/index.ts";
import { Signals, type UsageRecord } from "../../src/model/index.ts";
import { type FaultPlan, MemoryDisk, openMemoryStore, openWorkList, type Store, type WorkList } from "../../src/storage/index.ts";

const OF = { account: "000000000000", region: "us-east-1", functionName: "hello" };
const CELL = "000000000000.us-east-1/async/hello/0";
const RULES = { ordering: "fair", leasesMax: 10, retentionMs: Number.POSITIVE_INFINITY, deduplicationMs: 1_000 } as const;

interface Life {
  readonly store: Store;
  readonly metering: Metering;
  readonly list: WorkList;
  readonly rows: UsageRows;
}

async function live(disk: MemoryDisk, clock: ManualClock, faults: FaultPlan = () => undefined): Promise<Life> {
  const store = openMemoryStore({ disk, faults });
  const metering = await startMetering({ store, signals: new Signals(), clock });
  const list = await openWorkList({ store, cell: CELL, clock, secureRandom: systemSecureRandom, rules: RULES, holders: "here" });
  const onTrouble = (error: unknown): never => {
    throw error;
  };
  return { store, metering, list, rows: await UsageRows.open({ list, cell: CELL, of: OF, metering, clock, onTrouble }) };
}

const record = (requestId: string, startedAt: number): UsageRecord => ({
  requestId,
  ...OF,
  version: "$LATEST",
  memoryMb: 128,
  startedAt,
  durationMs: 1,
  initMs: 0,
  billedMs: 1,
  maxMemoryMb: 10,
  ending: "handled",
});

const invocations = async ({ metering }: Life): Promise<number> =>
  (await metering.usage(OF, "hello", 0, Number.MAX_SAFE_INTEGER)).totals.invocations;

void test("P9: usage in the commit that settles is on the bill at once, and leaves the cell", async () => {
  const clock = new ManualClock();
  const life = await live(new MemoryDisk(), clock);
  for (let n = 0; n < 250; n++) await life.list.writeRows(life.rows.write(record(`r${n}`, clock.now())));
  assert.equal(await invocations(life), 250);
  assert.equal(await invocations(life), 250);
  assert.deepEqual(await life.list.readRows({ prefix: "usage/", limit: 10 }), []);
  await clock.advance(10_000);
  assert.equal(clock.pendingCount, 1, "only metering's daily trim waits: nothing polls");
  const ids: string[] = [];
  for await (const { requestId } of life.metering.records(OF, "hello", 0, Number.MAX_SAFE_INTEGER)) ids.push(requestId);
  assert.deepEqual(
    ids,
    Array.from({ length: 250 }, (_, n) => `r${n}`),
  );
});

void test("P9: usage is billed once, wherever between the two cells the power went", async () => {
  for (let survivors = 0; survivors < 8; survivors++) {
    const clock = new ManualClock();
    const disk = new MemoryDisk();
    let left = Number.POSITIVE_INFINITY;
    const life = await live(disk, clock, ({ kind }) => (kind === "commit" && left-- <= 0 ? { kind: "stopBefore" } : undefined));
    left = survivors;
    let committed = 0;
    for (let n = 0; n < 3; n++) {
      await life.list.writeRows(life.rows.write(record(`r${n}`, clock.now()))).then(
        () => (committed += 1),
        () => undefined,
      );
      await clock.advance(600);
    }
    const after = await live(disk, clock);
    assert.equal(await invocations(after), committed, `${survivors} commits survived`);
    await after.list.writeRows(after.rows.write(record("later", clock.now())));
    assert.equal(await invocations(after), committed + 1);
  }
});

void test("a busy storage delays usage and loses none", async () => {
  const clock = new ManualClock();
  let busy = true;
  const life = await live(new MemoryDisk(), clock, ({ kind, cell }) =>
    kind === "commit" && busy && cell.includes("/usage/") ? { kind: "busy" } : undefined,
  );
  await life.list.writeRows(life.rows.write(record("r", clock.now())));
  await clock.advance(3_000);
  busy = false;
  await clock.advance(1_000);
  assert.deepEqual(await life.list.readRows({ prefix: "usage/", limit: 10 }), []);
  assert.equal(await invocations(life), 1);
});
