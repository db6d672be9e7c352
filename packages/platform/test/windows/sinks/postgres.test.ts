import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import { createCipher } from "../../../src/security/index.ts";
import { MemoryDisk } from "../../../src/storage/index.ts";
import type { OutsideParts } from "../../../src/windows/index.ts";
import { PASSWORD, type PostgresServer, startPostgres } from "../../support/postgres-server.ts";
import { declared, openWorld, put, pumped, REALM, type World } from "../world.ts";

const MINUTE = 60_000;
const cipher = createCipher(systemSecureRandom.bytes(32), systemSecureRandom);
let postgres: PostgresServer;
before(async () => void (postgres = await startPostgres()));
after(() => postgres.close());

interface Stage {
  readonly world: World;
  readonly environment: Record<string, string>;
  /** Opens everything again over what is stored. */
  crash(): Promise<Stage>;
}

async function stage(given: { disk?: MemoryDisk; clock?: ManualClock; environment?: Record<string, string> } = {}): Promise<Stage> {
  const { disk = new MemoryDisk(), clock = new ManualClock(), environment = { LAMBENT_SECRET_DATABASE: postgres.url } } = given;
  const outside: OutsideParts = {
    cipher,
    environment: (variable) => environment[variable],
    egress: { resolveAll: async (address) => [{ address, family: 4 }] },
  };
  const world = await openWorld({ disk, clock, outside });
  const crash = async (): Promise<Stage> => {
    // What is in memory is lost with the store, before the rest can write it down.
    await world.store.close();
    await pumped(clock, world.windows.close());
    await world.streams.close();
    return stage({ disk, clock, environment });
  };
  return { world, environment, crash };
}

const table = (name: string, more: Readonly<Record<string, unknown>> = {}) =>
  declared({ sinks: [{ postgres: name, url: "env:LAMBENT_SECRET_DATABASE" }], ...more });

/** Waits for the table to have what is expected; every look at it gives the sink time. */
async function become(world: World, name: string, expected: readonly string[], what = "key || ' ' || (result->>'sum')"): Promise<void> {
  let found: string[] = [];
  for (let turn = 0; turn < 3_000; turn += 1) {
    found = await postgres.query(`select ${what} as said from ${name} order by window_start, key, nth`).then(
      (rows) => rows.map(({ said }) => String(said)),
      () => [],
    );
    if (JSON.stringify(found) === JSON.stringify(expected)) return;
    await world.clock.advance(turn < 20 ? 0 : 10);
  }
  assert.deepEqual(found, expected);
}

test("results are rows by window and key; late records change theirs", async () => {
  const { world } = await stage();
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await world.windows.create(REALM, "sums", table("public.sums", { allowedLateness: "1h" }));
  await put(world.streams, 0, [
    { device: "a", value: 1, at: 10 },
    { device: "b", value: 5, at: 20 },
    { device: "a", value: 2, at: MINUTE },
  ]);
  await become(world, "sums", ["a 1", "b 5"]);
  await put(world.streams, 0, [
    { device: "a", value: 10, at: 30 },
    { device: "a", value: 0, at: 2 * MINUTE },
  ]);
  await become(world, "sums", ["a 11", "b 5", "a 2"]);
  const [row] = await postgres.query(
    "select window_name, window_start, window_end, nth, result from sums where key = 'a' order by 2 limit 1",
  );
  assert.deepEqual(
    [row?.["window_name"], row?.["window_start"], row?.["window_end"], row?.["nth"]],
    ["sums", new Date(0), new Date(MINUTE), "0"],
  );
  assert.equal((row?.["result"] as { readonly timing: string } | undefined)?.timing, "late");
  assert.deepEqual(world.problems, []);
  await world.close();
});

test("a session that grows takes the rows of those with it that it was made of", async () => {
  const { world } = await stage();
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  const session = { window: { kind: "session", gap: "10s" }, allowedLateness: "1h" };
  await world.windows.create(REALM, "visits", table("visits", session));
  const at = (seconds: number, value = 1) => ({ device: "a", value, at: seconds * 1_000 });
  await put(world.streams, 0, [at(1), at(15), at(60, 0)]);
  await become(world, "visits", ["a 1", "a 1"]);
  // Between the two, so that there is one.
  await put(world.streams, 0, [at(8)]);
  await become(world, "visits", ["a 3"]);
  await world.close();
});

test("windows that end with a record have a row each, also of one time", async () => {
  const { world } = await stage();
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await world.windows.create(REALM, "last", table("last_two", { window: { kind: "slidingCount", size: 2 } }));
  await put(
    world.streams,
    0,
    [1, 2, 3].map((value) => ({ device: "a", value, at: 7 })),
  );
  await become(world, "last_two", ["a 1", "a 3", "a 5"]);
  await world.close();
});

test("P5: a row that was taken before a crash is not taken again behind it", async () => {
  const before = await stage();
  await before.world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await before.world.windows.create(REALM, "once", table("once"));
  await put(before.world.streams, 0, [
    { device: "a", value: 1, at: 0 },
    { device: "b", value: 2, at: MINUTE },
  ]);
  // The clock stands: that the sink has it is not in the journal yet.
  await become(before.world, "once", ["a 1"]);
  await postgres.query("delete from once");
  const { world } = await before.crash();
  await world.windows.resume();
  await put(world.streams, 0, [{ device: "b", value: 2, at: 2 * MINUTE }]);
  await become(world, "once", ["b 2"]);
  await world.close();
});

test("a table that had what this window has not, as behind an older backup, is not written to until a reset", async () => {
  const { world } = await stage();
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  const { id } = await world.windows.create(REALM, "older", table("older"));
  await put(world.streams, 0, [
    { device: "a", value: 1, at: 0 },
    { device: "a", value: 1, at: MINUTE },
  ]);
  await become(world, "older", ["a 1"]);
  await postgres.query(`update lambent_window_turns set turn = 1, digest = 'another' where sink like '${id} %'`);
  await put(world.streams, 0, [{ device: "a", value: 1, at: 2 * MINUTE }]);
  const problem = async (): Promise<string> => (await world.windows.describe(REALM, "older")).running?.sinks[0]?.problem ?? "";
  while (!(await problem()).includes("backup")) await world.clock.advance(10);
  await world.windows.reset(REALM, "older", { kind: "earliest" });
  await become(world, "older", ["a 1", "a 1"]);
  await world.close();
});

test("what Postgres has no place for keeps nothing else out, and is counted", async () => {
  const { world } = await stage();
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  const first = { aggregates: { first: "first" } };
  await world.windows.create(REALM, "odd", table("odd", first));
  // Longer than an index has room for, and nothing to be pressed out of it.
  const noise = systemSecureRandom.bytes(2_048);
  const long = String.fromCodePoint(...Array.from({ length: 1_024 }, (_, at) => 0x4e00 + (noise.readUInt16LE(2 * at) % 20_000)));
  await put(world.streams, 0, [
    { device: "a\0b", value: "x\0\ud800", at: 0 },
    { device: long, value: "y", at: 0 },
    { device: "c", value: "z", at: MINUTE },
  ]);
  await become(world, "odd", ["a\u{fffd}b x\u{fffd}\u{fffd}"], "key || ' ' || (result->>'first')");
  while ((await world.windows.describe(REALM, "odd")).running?.sinks[0]?.givenUp !== 1) await world.clock.advance(10);
  assert.deepEqual(world.problems, []);
  await world.close();
});

test("a database that cannot be reached is waited for, and a variable that changes counts from the next attempt", async () => {
  const { world, environment } = await stage({ environment: {} });
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  await world.windows.create(REALM, "waits", table("waits"));
  await put(world.streams, 0, [
    { device: "a", value: 1, at: 0 },
    { device: "a", value: 1, at: MINUTE },
  ]);
  const says = async (what: string): Promise<void> => {
    while (!(await world.windows.describe(REALM, "waits")).running?.sinks[0]?.problem?.includes(what)) await world.clock.advance(1_000);
  };
  await says("LAMBENT_SECRET_DATABASE is not set");
  environment["LAMBENT_SECRET_DATABASE"] = "postgres://tester:secret@127.0.0.1:1/postgres";
  await says("ECONNREFUSED");
  environment["LAMBENT_SECRET_DATABASE"] = postgres.url;
  await become(world, "waits", ["a 1"]);
  assert.deepEqual(world.problems, []);
  await world.close();
});

test("an address that is declared is kept sealed and is never in what is told of a window; the same one is no change", async () => {
  const { world } = await stage();
  await world.streams.create(REALM, "readings", { shards: 1, madeBy: "kafka" });
  const with_ = (url: string) => declared({ sinks: [{ postgres: "sealed", url }] });
  const record = await world.windows.create(REALM, "sealed", with_(postgres.url));
  const told = JSON.stringify([record, await world.windows.describe(REALM, "sealed")]);
  assert.ok(!told.includes(PASSWORD) && told.includes('"kind":"sealed"'));
  assert.deepEqual(world.windows.plan(REALM, "sealed", with_(postgres.url)), { kind: "same" });
  assert.deepEqual(world.windows.plan(REALM, "sealed", with_("postgres://other@localhost/x")), { kind: "kept", fields: ["sinks"] });
  await put(world.streams, 0, [
    { device: "a", value: 1, at: 0 },
    { device: "a", value: 1, at: MINUTE },
  ]);
  await become(world, "sealed", ["a 1"]);
  await world.close();
});

test("only variables that are meant for it can be named, and only results go to a table", () => {
  const refused = (change: Readonly<Record<string, unknown>>): string => {
    try {
      declared(change);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  assert.match(refused({ sinks: [{ postgres: "t", url: "env:AWS_SECRET_ACCESS_KEY" }] }), /begin with LAMBENT_SECRET_/u);
  assert.match(refused({ sinks: [{ postgres: "t; drop", url: "env:LAMBENT_SECRET_X" }] }), /has to be a table/u);
  assert.match(refused({ late: "output", lateSinks: [{ postgres: "t", url: "env:LAMBENT_SECRET_X" }] }), /sink for results/u);
});
