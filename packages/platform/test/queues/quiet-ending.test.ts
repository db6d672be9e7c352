import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accepted, ended, type LedgerRecord } from "../../src/ledger/index.ts";
import { arnOf, openQueuesWorld, type QueuesWorld, REALM } from "./world.ts";

const RETENTION_MS = 60_000;

/** What a mapping wrote of a message it tried in vain. */
function waiting(world: QueuesWorld): LedgerRecord {
  const event = {
    id: "m",
    source: "queue",
    origin: arnOf("jobs"),
    target: "worker",
    acceptedAt: world.clock.now(),
    cause: undefined,
  } as const;
  return accepted(event);
}

async function jobs(world: QueuesWorld): Promise<string> {
  const queue = await world.make("jobs", { retentionMs: RETENTION_MS });
  return `000000000000.us-east-1/queue/jobs/${queue.record.id}`;
}

describe("P2: a message that ends with nobody touching it", () => {
  it("has expired once it is older than its queue keeps messages", async () => {
    const world = await openQueuesWorld();
    const cell = await jobs(world);
    const record = waiting(world);
    await world.clock.advance(RETENTION_MS - 1);
    assert.deepEqual(world.queues.live(cell, record), record);
    await world.clock.advance(1);
    const at = record.acceptedAt + RETENTION_MS;
    assert.deepEqual(world.queues.live(cell, record).state, { kind: "ended", at, outcome: { kind: "expired" } });
  });

  it("was purged, also after a restart; what came behind the purge was not", async () => {
    const world = await openQueuesWorld();
    const cell = await jobs(world);
    const record = waiting(world);
    await world.clock.advance(10);
    const purgedAt = world.clock.now();
    await world.queues.purge(REALM, "jobs");
    await world.restart();
    const purged = { kind: "ended", at: purgedAt, outcome: { kind: "discarded", reason: "purged" } };
    assert.deepEqual(world.queues.live(cell, record).state, purged);
    const later = waiting(world);
    assert.deepEqual(world.queues.live(cell, later), later);
  });

  it("went with its queue, and a queue that takes the name later does not answer for it", async () => {
    const world = await openQueuesWorld();
    const cell = await jobs(world);
    const record = waiting(world);
    await world.queues.delete(REALM, "jobs");
    const gone = { kind: "discarded", reason: "queueDeleted" };
    for (const again of [false, true]) {
      if (again) {
        await world.clock.advance(60_000);
        await jobs(world);
      }
      const { state } = world.queues.live(cell, record);
      assert.deepEqual(state.kind === "ended" && state.outcome, gone);
    }
  });

  it("keeps the outcome it had", async () => {
    const world = await openQueuesWorld();
    const cell = await jobs(world);
    const handled = ended(waiting(world), world.clock.now(), { kind: "handled" });
    await world.clock.advance(10 * RETENTION_MS);
    assert.deepEqual(world.queues.live(cell, handled), handled);
  });
});
