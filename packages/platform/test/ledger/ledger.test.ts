import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock, systemSecureRandom, timeOrderedId } from "../../src/base/index.ts";
import {
  accepted,
  begun,
  ended,
  Ledger,
  LEDGER_ATTEMPTS_KEPT_MAX,
  LEDGER_KEEP_MS_MIN,
  LedgerRows,
  type Attempt,
  type LedgerRecord,
  triedAgain,
  undelivered,
} from "../../src/ledger/index.ts";
import { MemoryDisk, openMemoryStore, openWorkList, type Store, type WorkList } from "../../src/storage/index.ts";

const REALM = { account: "000000000000", region: "us-east-1" };
const TARGET = "arn:aws:lambda:us-east-1:000000000000:function:hello";
const RULES = { ordering: "fair", leasesMax: 10, retentionMs: Number.POSITIVE_INFINITY, deduplicationMs: 1_000 } as const;

class World {
  readonly clock = new ManualClock();
  readonly store: Store = openMemoryStore({ disk: new MemoryDisk() });

  list(name: string): Promise<WorkList> {
    const { store, clock } = this;
    return openWorkList({
      store,
      clock,
      cell: `000000000000.us-east-1/async/${name}/0`,
      secureRandom: systemSecureRandom,
      rules: RULES,
      holders: "here",
    });
  }

  record(more: Partial<Parameters<typeof accepted>[0]> = {}): LedgerRecord {
    const id = timeOrderedId(this.clock, systemSecureRandom);
    return accepted({ id, source: "invoke", origin: undefined, target: TARGET, acceptedAt: this.clock.now(), cause: undefined, ...more });
  }

  get ledger(): Ledger {
    return new Ledger({ store: this.store, clock: this.clock, cellKinds: ["async", "mapping"], live: (_cell, record) => record });
  }
}

const attempt = (n: number): Attempt => ({
  at: n,
  durationMs: n,
  requestId: "r",
  version: "1",
  result: "functionError",
  error: "e".repeat(1_000),
});

describe("a record", () => {
  test("goes from accepted over attempts to its outcome, and keeps the first and the latest attempts", () => {
    const world = new World();
    let record = world.record();
    assert.deepEqual([record.state, record.correlation], [{ kind: "waiting", nextAt: undefined }, record.id]);
    assert.deepEqual(begun(record, 5).state, { kind: "running", since: 5 });
    for (let n = 1; n <= 20; n++) record = triedAgain(record, attempt(n), n + 1);
    assert.equal(record.attemptCount, 20);
    assert.deepEqual(
      record.attempts.map(({ at }) => at),
      [1, 12, 13, 14, 15, 16, 17, 18, 19, 20],
    );
    assert.equal(record.attempts.length, LEDGER_ATTEMPTS_KEPT_MAX);
    assert.equal(record.attempts[0]?.error?.length, 256);
    const last = ended(record, 30, { kind: "deadLettered", target: "q", reason: "retriesExhausted" }, attempt(21));
    assert.deepEqual(
      [last.attemptCount, last.state],
      [21, { kind: "ended", at: 30, outcome: { kind: "deadLettered", target: "q", reason: "retriesExhausted" } }],
    );
    assert.deepEqual(undelivered(last, 40, "q").state, { kind: "ended", at: 40, outcome: { kind: "discarded", reason: "targetGone" } });
    assert.deepEqual(undelivered(last, 40, "other").state, last.state);
    assert.throws(() => triedAgain(last, attempt(22), 1), /ended before/u);
  });
});

describe("a cell's ledger", () => {
  test("drops the oldest that have ended beyond its bound, counts those that go early, and never one that waits (P2, P7)", async () => {
    const world = new World();
    const list = await world.list("hello");
    const rows = await LedgerRows.open(list, world.clock, 10);
    const waiting = world.record();
    await list.writeRows(rows.write(waiting));
    const end = async (): Promise<string> => {
      await world.clock.advance(1);
      const record = world.record();
      await list.writeRows(rows.write(record));
      await list.writeRows(rows.write(ended(record, world.clock.now(), { kind: "handled" })));
      return record.id;
    };
    const first = await end();
    for (let n = 0; n < 29; n++) await end();
    assert.equal(rows.counts.ended, 10);
    assert.equal(rows.counts.droppedEarly, 20);
    assert.equal(await rows.get(first), undefined);
    assert.deepEqual((await rows.get(waiting.id))?.state.kind, "waiting");
    await world.clock.advance(LEDGER_KEEP_MS_MIN + 1);
    for (let n = 0; n < 5; n++) await end();
    assert.deepEqual(rows.counts, { ended: 10, droppedEarly: 20 });
    const again = await LedgerRows.open(list, world.clock, 10);
    assert.deepEqual(again.counts, rows.counts);
    assert.equal((await list.readRows({ prefix: "ledger/", limit: 100 })).length, 11);
  });
});

describe("the ledger of a realm", () => {
  test("lists the newest of all cells first, by time, function, source and state", async () => {
    const world = new World();
    const lists = [await world.list("hello"), await world.list("other")];
    const ledgers = await Promise.all(lists.map((list) => LedgerRows.open(list, world.clock)));
    const made: LedgerRecord[] = [];
    const begin = world.clock.now();
    for (let n = 0; n < 60; n++) {
      await world.clock.advance(n % 3 === 0 ? 3_600_000 : 10);
      const which = n % 2;
      const open = world.record({
        target: which === 0 ? `${TARGET}:prod` : TARGET.replace("hello", "other"),
        source: n % 4 === 0 ? "queue" : "invoke",
      });
      const record = n % 5 === 0 ? ended(open, world.clock.now(), { kind: "expired" }) : open;
      made.unshift(record);
      await lists[which]?.writeRows(ledgers[which]?.write(record) ?? []);
    }
    const ids = (records: readonly LedgerRecord[]): string[] => records.map(({ id }) => id);
    const { ledger } = world;
    assert.deepEqual(ids(await ledger.list(REALM, { limit: 7 })), ids(made.slice(0, 7)));
    assert.deepEqual(ids(await ledger.list(REALM, { limit: 1_000 })), ids(made));
    const since = begin + 5 * 3_600_000;
    const until = begin + 12 * 3_600_000;
    const within = made.filter(({ acceptedAt }) => acceptedAt >= since && acceptedAt < until);
    assert.deepEqual(ids(await ledger.list(REALM, { limit: 1_000, since, until })), ids(within));
    assert.deepEqual(
      ids(await ledger.list(REALM, { limit: 3, target: TARGET })),
      ids(made.filter(({ target }) => target.startsWith(TARGET)).slice(0, 3)),
    );
    assert.deepEqual(ids(await ledger.list(REALM, { limit: 50, source: "queue" })), ids(made.filter(({ source }) => source === "queue")));
    assert.deepEqual(
      ids(await ledger.list(REALM, { limit: 4, states: ["ended"] })),
      ids(made.filter(({ state }) => state.kind === "ended").slice(0, 4)),
    );
    assert.deepEqual(await ledger.list({ ...REALM, region: "eu-west-1" }, { limit: 5 }), []);
  });

  test("finds an event by its id, and nothing for one that is not there", async () => {
    const world = new World();
    const list = await world.list("hello");
    const rows = await LedgerRows.open(list, world.clock);
    const record = world.record();
    await list.writeRows(rows.write(record));
    const found = await world.ledger.find(REALM, record.id);
    assert.deepEqual([found?.cell, found?.record.id], ["000000000000.us-east-1/async/hello/0", record.id]);
    assert.equal(await world.ledger.find(REALM, record.id.slice(0, 30)), undefined);
    assert.equal(await world.ledger.find(REALM, timeOrderedId(world.clock, systemSecureRandom)), undefined);
  });

  test("lists a chain: its first event and all that name it, whatever cell they are in", async () => {
    const world = new World();
    const chain: LedgerRecord[] = [];
    for (const name of ["one", "two"]) {
      const list = await world.list(name);
      const rows = await LedgerRows.open(list, world.clock);
      for (let n = 0; n < 5; n += 1) {
        const correlation = chain[0]?.id;
        const own = world.record(correlation === undefined ? {} : { correlation });
        chain.push(own);
        await list.writeRows([...rows.write(own), ...rows.write(world.record())]);
        await world.clock.advance(60_000);
      }
    }
    const found = await world.ledger.list(REALM, { limit: 100, correlation: chain[0]?.id });
    assert.deepEqual(
      found.map(({ id }) => id),
      chain.map(({ id }) => id).toReversed(),
    );
  });
});
