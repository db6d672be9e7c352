/** A process of the bench `recovery`: fills a work list, works on it until it is killed, or opens what such a one left. */
import { writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { systemClock, systemSecureRandom } from "../../packages/platform/src/base/index.ts";
import { openSqliteStore, openWorkList, type Store, type WorkList } from "../../packages/platform/src/storage/index.ts";

const CELL = "000000000000.us-east-1/queue/recovery/0";
const ITEMS_PER_CALL = 100;
const CALLS_AT_ONCE = 64;
const body = Buffer.alloc(300, "x");

const [role, file = "", items = "0"] = process.argv.slice(2);
if (role === "fill") await fill(Number(items));
else if (role === "work") await work();
else if (role === "open") await open();
else openRaw();

function openList(store: Store): Promise<WorkList> {
  const rules = { ordering: "fair", leasesMax: 120_000, retentionMs: 4 * 86_400_000, deduplicationMs: 300_000 } as const;
  return openWorkList({ store, cell: CELL, clock: systemClock, secureRandom: systemSecureRandom, rules, holders: "elsewhere" });
}

async function fill(count: number): Promise<void> {
  const store = await openSqliteStore({ file });
  const list = await openList(store);
  let begun = 0;
  const caller = async (): Promise<void> => {
    while (begun < count) {
      const first = begun;
      begun += ITEMS_PER_CALL;
      await list.enqueue(Array.from({ length: ITEMS_PER_CALL }, (_, index) => ({ id: `item-${first + index}`, body })));
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, caller));
  await list.close();
  await store.close();
}

async function work(): Promise<void> {
  const store = await openSqliteStore({ file });
  const list = await openList(store);
  for (let number = 0; ; number++) {
    const outcome = await list.lease({ max: 10, leaseMs: 30_000, waitMs: 0 });
    if (outcome.kind === "leased") await Promise.all(outcome.items.slice(1).map(({ receipt }) => list.settle(receipt)));
    await list.enqueue(Array.from({ length: 9 }, (_, index) => ({ id: `more-${number}-${index}`, body })));
    writeSync(1, "committed\n");
  }
}

async function open(): Promise<void> {
  const began = systemClock.monotonicMs();
  const store = await openSqliteStore({ file });
  const opened = systemClock.monotonicMs();
  const list = await openList(store);
  const listed = systemClock.monotonicMs();
  const outcome = await list.lease({ max: 1, leaseMs: 30_000, waitMs: 10_000 });
  const leased = systemClock.monotonicMs();
  if (outcome.kind !== "leased" || outcome.items.length !== 1) throw new Error("nothing was leased");
  const residentMb = process.memoryUsage.rss() / 2 ** 20;
  await list.close();
  await store.close();
  process.stdout.write(JSON.stringify({ storeMs: opened - began, listMs: listed - opened, leaseMs: leased - listed, residentMb }));
}

function openRaw(): void {
  const began = systemClock.monotonicMs();
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode=wal; pragma synchronous=FULL");
  database.prepare("select max(seq) from log").get();
  const ms = systemClock.monotonicMs() - began;
  database.close();
  process.stdout.write(JSON.stringify({ ms }));
}
