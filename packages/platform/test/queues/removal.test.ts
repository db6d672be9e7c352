import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemSecureRandom, timeOrderedId } from "../../src/base/index.ts";
import { accepted, ended, Ledger, LEDGER_KEEP_MS_MIN, LedgerRows, type LedgerRecord, type Outcome } from "../../src/ledger/index.ts";
import type { FaultPlan } from "../../src/storage/index.ts";
import { arnOf, openQueuesWorld, type QueuesWorld, REALM, send } from "./world.ts";

const HOUR_MS = 3_600_000;
/** A sweep may be this late. */
const SWEPT_MS = LEDGER_KEEP_MS_MIN + HOUR_MS;

/** A queue with one message, and what a mapping writes beside it. */
class Jobs {
  readonly world: QueuesWorld;
  #cell = "";

  constructor(world: QueuesWorld) {
    this.world = world;
  }

  static async open(faults?: FaultPlan): Promise<Jobs> {
    const jobs = new Jobs(await openQueuesWorld(faults));
    const queue = await jobs.world.make("jobs", { retentionMs: 2 * HOUR_MS });
    jobs.#cell = `000000000000.us-east-1/queue/jobs/${queue.record.id}`;
    await send(queue, "waits");
    return jobs;
  }

  /** The record of a message that a mapping tried, ended as `outcome` says or waiting for its next delivery. */
  async tried(outcome?: Outcome): Promise<string> {
    const { clock } = this.world;
    const { list } = await this.world.queue("jobs");
    const event = { source: "queue", origin: arnOf("jobs"), target: "worker", acceptedAt: clock.now(), cause: undefined } as const;
    const record = accepted({ id: timeOrderedId(clock, systemSecureRandom), ...event });
    const rows = await LedgerRows.open(list, clock);
    await list.writeRows(rows.write(outcome ? ended(record, clock.now(), outcome) : record));
    return record.id;
  }

  /** As `lambent events` asks. */
  async found(id: string): Promise<LedgerRecord["state"] | undefined> {
    const { store, clock, queues } = this.world;
    const ledger = new Ledger({ store, clock, cellKinds: ["queue"], live: (cell, record) => queues.live(cell, record) });
    const found = await ledger.find(REALM, id);
    const listed = await ledger.list(REALM, { limit: 10 });
    assert.deepEqual(
      listed.find((record) => record.id === id),
      found?.record,
    );
    return found?.record.state;
  }

  delete(): Promise<void> {
    return this.world.queues.delete(REALM, "jobs");
  }

  async keys(): Promise<string[]> {
    return (await this.world.store.list(this.#cell, { prefix: "", limit: 100 })).map(({ key }) => key);
  }
}

const stateOf = (at: number, outcome: Outcome): LedgerRecord["state"] => ({ kind: "ended", at, outcome });
const QUEUE_DELETED: Outcome = { kind: "discarded", reason: "queueDeleted" };

describe("P2: records of a queue that was deleted", () => {
  it("say what became of each message, for a day, and then go", async () => {
    const jobs = await Jobs.open();
    const { clock } = jobs.world;
    const handledAt = clock.now();
    const handled = await jobs.tried({ kind: "handled" });
    await clock.advance(HOUR_MS);
    const waited = await jobs.tried();
    const deletedAt = clock.now();
    await jobs.delete();
    for (const again of [false, true]) {
      if (again) await jobs.world.restart();
      await clock.advance(10);
      assert.deepEqual(await jobs.found(handled), stateOf(handledAt, { kind: "handled" }));
      assert.deepEqual(await jobs.found(waited), stateOf(deletedAt, QUEUE_DELETED), "written down, not worked out anew");
    }
    assert.ok(
      (await jobs.keys()).every((key) => key.startsWith("own/ledger")),
      "nothing else is left",
    );
    await clock.advance(deletedAt + LEDGER_KEEP_MS_MIN - clock.now() - 1);
    assert.notEqual(await jobs.found(waited), undefined);
    await clock.advance(HOUR_MS + 1);
    assert.deepEqual(await jobs.keys(), []);
    assert.equal(clock.pendingCount, 0, "nothing is looked at any more");
    await jobs.world.settle();
  });

  it("tell apart what had expired, or was purged, before it was deleted", async () => {
    const jobs = await Jobs.open();
    const { clock, queues } = jobs.world;
    const sentAt = clock.now();
    const expired = await jobs.tried();
    await clock.advance(2 * HOUR_MS);
    const purged = await jobs.tried();
    await clock.advance(10);
    const purgedAt = clock.now();
    await queues.purge(REALM, "jobs");
    await clock.advance(10);
    await jobs.delete();
    assert.deepEqual(await jobs.found(purged), stateOf(purgedAt, { kind: "discarded", reason: "purged" }));
    assert.deepEqual(await jobs.found(expired), stateOf(sentAt + 2 * HOUR_MS, { kind: "expired" }));
  });

  it("are not kept when their time has passed already, and then nothing waits", async () => {
    const jobs = await Jobs.open();
    const { clock } = jobs.world;
    await jobs.tried({ kind: "handled" });
    const waited = await jobs.tried();
    await clock.advance(LEDGER_KEEP_MS_MIN + 2 * HOUR_MS);
    const pending = clock.pendingCount;
    await jobs.delete();
    assert.deepEqual([await jobs.keys(), await jobs.found(waited)], [[], undefined]);
    assert.ok(clock.pendingCount <= pending);
  });

  it("are there and have their endings wherever the server was killed while it deleted", async () => {
    for (let survivors = 1; survivors < 8; survivors++) {
      let left = Number.POSITIVE_INFINITY;
      const jobs = await Jobs.open(({ kind }) => (kind === "commit" && left-- <= 0 ? { kind: "stopBefore" } : undefined));
      const { clock } = jobs.world;
      const handled = await jobs.tried({ kind: "handled" });
      const waited = await jobs.tried();
      left = survivors;
      await jobs.delete().catch(() => undefined);
      left = Number.POSITIVE_INFINITY;
      await clock.advance(HOUR_MS);
      await jobs.world.restart();
      const state = (await jobs.found(waited)) ?? assert.fail(`${survivors} commits survived`);
      assert.deepEqual(state.kind === "ended" && state.outcome, QUEUE_DELETED);
      assert.equal((await jobs.found(handled))?.kind, "ended");
      await clock.advance(10);
      assert.deepEqual(await jobs.found(waited), state, "written down, not worked out anew");
      assert.ok((await jobs.keys()).every((key) => key.startsWith("own/ledger")));
      await clock.advance(SWEPT_MS);
      assert.deepEqual(await jobs.keys(), []);
      await jobs.world.settle();
    }
  });

  it("go with the next start when their time passed while no server ran", async () => {
    const jobs = await Jobs.open();
    await jobs.tried();
    await jobs.delete();
    await jobs.world.queues.close();
    assert.equal(jobs.world.clock.pendingCount, 0);
    await jobs.world.clock.advance(SWEPT_MS);
    assert.notDeepEqual(await jobs.keys(), []);
    await jobs.world.restart();
    assert.deepEqual(await jobs.keys(), []);
  });

  it("go a sweep later when the store is busy", async () => {
    let busy = false;
    const jobs = await Jobs.open(({ kind }) => (busy && kind === "commit" ? { kind: "busy" } : undefined));
    await jobs.tried();
    await jobs.delete();
    busy = true;
    await jobs.world.clock.advance(SWEPT_MS);
    assert.notDeepEqual(await jobs.keys(), []);
    busy = false;
    await jobs.world.clock.advance(HOUR_MS);
    assert.deepEqual(await jobs.keys(), []);
    await jobs.world.settle();
  });
});
