/** Which events may be handed over again or ended, and how a chain is asked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventOperations } from "../../../src/api/lambent/events.ts";
import type { RequestContext } from "../../../src/api/index.ts";
import { isLambentError } from "../../../src/base/index.ts";
import { accepted, type LedgerQuery, type LedgerRecord } from "../../../src/ledger/index.ts";

const context = { realm: { account: "000000000000", region: "us-east-1" } } as RequestContext;
const ID = "01890a5d-ac96-774b-bcce-b302099a8057";
const RULE = "arn:aws:events:us-east-1:000000000000:rule/r1";

function record(more: Partial<LedgerRecord> = {}): LedgerRecord {
  const target = "arn:aws:lambda:us-east-1:000000000000:function:hello";
  return {
    ...accepted({ id: ID, source: "bus", origin: RULE, subject: "order.placed", target, acceptedAt: 0, cause: undefined }),
    ...more,
  };
}

function operationsOn(cell: string, found: LedgerRecord, asked: LedgerQuery[] = []) {
  return eventOperations({
    ledger: async () => ({
      find: async () => ({ cell, record: found }),
      list: async (_realm, query) => {
        asked.push(query);
        return [found];
      },
    }),
    asyncInvoker: { replay: async () => "another", cancel: async () => "cancelled" },
  });
}

test("an event of a rule or a schedule that a function holds is replayed and cancelled like any call of it", async () => {
  for (const source of ["bus", "schedule", "topic", "invoke"] as const) {
    const operations = operationsOn("000000000000+us-east-1/async/hello/1", record({ source }));
    assert.deepEqual(await operations.ReplayEvent({ Id: ID }, context), { Id: "another" });
    await operations.CancelEvent({ Id: ID }, context);
  }
});

test("an event that its bus, group of schedules, topic or queue holds is refused", async () => {
  for (const kind of ["bus", "schedules", "topic", "queue"]) {
    const operations = operationsOn(`000000000000+us-east-1/${kind}/default/1`, record());
    const unsupported = (error: unknown): boolean =>
      isLambentError(error, "UnsupportedOperation") && /is not an asynchronous call/u.test(error.message);
    await assert.rejects(operations.ReplayEvent({ Id: ID }, context), unsupported, kind);
    await assert.rejects(operations.CancelEvent({ Id: ID }, context), unsupported, kind);
  }
});

test("a chain is asked for by its first event, and says what each event is about and when it was due", async () => {
  const asked: LedgerQuery[] = [];
  const operations = operationsOn(
    "r/schedules/default/0",
    record({ source: "schedule", subject: "nightly", dueAt: 1_000, acceptedAt: 2_000 }),
    asked,
  );
  const { Events } = await operations.ListEvents({ Correlation: ID, Limit: 1_000 }, context);
  assert.equal(asked[0]?.correlation, ID);
  assert.deepEqual([Events[0]?.Subject, Events[0]?.DueAt?.getTime(), Events[0]?.AcceptedAt.getTime()], ["nightly", 1_000, 2_000]);
});
