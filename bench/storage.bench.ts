/**
 * Durable commits a second through `storage/` (64 callers, each with one 1 KiB row under way), beside one-at-a-time
 * write + fdatasync of 1 KiB on the same file system, and beside SQLite by itself on this thread: a row a transaction, and
 * the 64 rows that are under way in one. In turns, the order reversed each round; medians and ranges.
 *
 * Budgets (docs/specification.md): on 64 cells and on 1 cell at least 12 times the bound; with two bulk appenders
 * (512 KiB a commit) beside the 64 callers at least 0.4 times the rate without them, p99 under 10 ms.
 * Also shown: state rows instead of log rows.
 *
 * Not measured: reads, sockets, other disks than that of the temporary folder, a store that is already large.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../packages/platform/src/base/index.ts";
import { openSqliteStore, type Op, type Store } from "../packages/platform/src/storage/index.ts";

const ROUNDS = Number(process.argv[2] ?? 5);
const ROUND_MS = Number(process.argv[3] ?? 1_500);
const CALLERS = 64;
const BULK_CALLERS = 2;
const BUDGET = 12;
const BULK_BUDGET = 0.4;
const BULK_P99_MS_BUDGET = 10;
const body = Buffer.alloc(1_024, "x");
const bulkBody = Buffer.alloc(512 * 1_024, "b");

interface Round {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

function fdatasyncOneAtATime(folder: string): Round {
  const file = openSync(join(folder, "bound"), "w");
  const latencies: number[] = [];
  const start = systemClock.monotonicMs();
  for (let now = start; now - start < ROUND_MS;) {
    writeSync(file, body);
    fdatasyncSync(file);
    const after = systemClock.monotonicMs();
    latencies.push(after - now);
    now = after;
  }
  closeSync(file);
  return summary(latencies, systemClock.monotonicMs() - start);
}

/** What SQLite does with nobody between: no threads, no cells, no checksums, checkpoints as it takes them itself. */
function sqliteByItself(folder: string, rowsPerTransaction: number): Round {
  const database = new DatabaseSync(join(folder, "raw.db"));
  database.exec("pragma journal_mode=wal; pragma synchronous=FULL; create table log(seq integer primary key, value blob not null)");
  const insert = database.prepare("insert into log(value) values(?)");
  const latencies: number[] = [];
  const start = systemClock.monotonicMs();
  for (let now = start; now - start < ROUND_MS;) {
    database.exec("begin immediate");
    for (let row = 0; row < rowsPerTransaction; row++) insert.run(body);
    database.exec("commit");
    const after = systemClock.monotonicMs();
    for (let row = 0; row < rowsPerTransaction; row++) latencies.push(after - now);
    now = after;
  }
  database.close();
  return summary(latencies, systemClock.monotonicMs() - start);
}

async function through(store: Store, opOf: (caller: number) => Op, bulkCallers: number): Promise<Round> {
  const latencies: number[] = [];
  const start = systemClock.monotonicMs();
  const goesOn = (): boolean => systemClock.monotonicMs() - start < ROUND_MS;
  const bulk = async (caller: number): Promise<void> => {
    const cell = `bulk/${caller}`;
    while (goesOn()) await store.commit(cell, "any", [{ kind: "append", cell, value: bulkBody }], "log");
  };
  const one = async (caller: number): Promise<void> => {
    const op = opOf(caller);
    while (goesOn()) {
      const before = systemClock.monotonicMs();
      await store.commit(op.cell, "any", [op]);
      latencies.push(systemClock.monotonicMs() - before);
    }
  };
  await Promise.all([
    ...Array.from({ length: CALLERS }, (_, caller) => one(caller)),
    ...Array.from({ length: bulkCallers }, (_, caller) => bulk(caller)),
  ]);
  return summary(latencies, systemClock.monotonicMs() - start);
}

function summary(latencies: number[], elapsedMs: number): Round {
  const sorted = latencies.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return { perSecond: (latencies.length * 1_000) / elapsedMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

const append = (cell: string): Op => ({ kind: "append", cell, value: body });
const variants: Readonly<Record<string, (folder: string, store: Store) => Promise<Round> | Round>> = {
  "fdatasync, one at a time": (folder) => fdatasyncOneAtATime(folder),
  "SQLite, a row a transaction": (folder) => sqliteByItself(folder, 1),
  "SQLite, 64 rows each": (folder) => sqliteByItself(folder, CALLERS),
  "64 cells, log rows": (_folder, store) => through(store, (caller) => append(`cells/${caller}`), 0),
  "1 cell, log rows": (_folder, store) => through(store, () => append("cell/0"), 0),
  "64 cells, state rows": (_folder, store) =>
    through(store, (caller) => ({ kind: "put", cell: `cells/${caller}`, key: "k", value: body }), 0),
  "64 cells beside 2 bulk": (_folder, store) => through(store, (caller) => append(`cells/${caller}`), BULK_CALLERS),
  "1 cell beside 2 bulk": (_folder, store) => through(store, () => append("cell/0"), BULK_CALLERS),
};

const rounds = new Map(Object.keys(variants).map((name) => [name, [] as Round[]]));
for (let round = 0; round < ROUNDS; round++) {
  const names = Object.keys(variants);
  for (const name of round % 2 === 0 ? names : names.toReversed()) {
    const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
    const store = await openSqliteStore({ file: join(folder, "store.db") });
    const result = await variants[name]?.(folder, store);
    await store.close();
    rmSync(folder, { recursive: true });
    if (result) rounds.get(name)?.push(result);
  }
}

const median = (values: readonly number[]): number => values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
const bound = median((rounds.get("fdatasync, one at a time") ?? []).map((round) => round.perSecond));
console.log(`${ROUNDS} rounds of ${ROUND_MS} ms, ${availableParallelism()} processors, Node ${process.version}, folder under ${tmpdir()}`);
console.log("variant".padEnd(28), "commits/s (range)".padEnd(28), "× bound".padEnd(9), "p50 ms".padEnd(8), "p99 ms");
for (const [name, results] of rounds) {
  const rates = results.map((round) => Math.round(round.perSecond));
  const rate = median(rates);
  const range = `${rate} (${Math.min(...rates)}–${Math.max(...rates)})`;
  const p50 = median(results.map((round) => round.p50Ms)).toFixed(2);
  const p99 = median(results.map((round) => round.p99Ms)).toFixed(2);
  console.log(name.padEnd(28), range.padEnd(28), (rate / bound).toFixed(1).padEnd(9), p50.padEnd(8), p99);
}
const rateOf = (name: string): number => median((rounds.get(name) ?? []).map((round) => round.perSecond));
for (const name of ["64 cells, log rows", "1 cell, log rows"]) {
  const ratio = rateOf(name) / bound;
  console.log(`${name}: ${ratio.toFixed(1)} × the bound; the budget is ${BUDGET} ×${ratio >= BUDGET ? "" : ", missed"}`);
}
for (const cells of ["64 cells", "1 cell"]) {
  const ratio = rateOf(`${cells} beside 2 bulk`) / rateOf(`${cells}, log rows`);
  const p99Ms = median((rounds.get(`${cells} beside 2 bulk`) ?? []).map((round) => round.p99Ms));
  const held = ratio >= BULK_BUDGET && p99Ms < BULK_P99_MS_BUDGET;
  console.log(
    `${cells} beside 2 bulk: ${ratio.toFixed(2)} × without them, p99 ${p99Ms.toFixed(1)} ms; ` +
      `the budget is ${BULK_BUDGET} × and ${BULK_P99_MS_BUDGET} ms${held ? "" : ", missed"}`,
  );
}
