/** How events read: where each came from, what became of it, and a chain as a tree. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chainRows } from "../../src/cli/event-chain.ts";
import { eventLines, type EventJson, isHandedOn, outcomeText, sourceText } from "../../src/cli/event-lines.ts";
import { resourceText } from "../../src/cli/resource-names.ts";

const arn = (service: string, rest: string): string => `arn:aws:${service}:us-east-1:000000000000:${rest}`;
const BUS = arn("events", "event-bus/default");
const HELLO = arn("lambda", "function:hello");

function event(Id: string, more: Partial<EventJson>): EventJson {
  return {
    ...{ Id, Source: "bus", Target: HELLO, AcceptedAt: 100, Correlation: "1", AttemptCount: 1, Attempts: [] },
    ...{ State: "ended", EndedAt: 100.5, Outcome: "handled" },
    ...more,
  };
}

test("ARNs are shown as people say them", () => {
  const said: Readonly<Record<string, string>> = {
    [arn("lambda", "function:hello:live")]: "hello:live",
    [arn("sqs", "orders")]: "queue orders",
    [BUS]: "bus default",
    [arn("events", "rule/r1")]: "rule r1",
    [arn("events", "rule/shop/r1")]: "rule r1 of bus shop",
    [arn("events", "api-destination/partner/0a1b")]: "API destination partner",
    [arn("events", "archive/all")]: "archive all",
    [arn("scheduler", "schedule/default/nightly")]: "schedule nightly",
    [arn("scheduler", "schedule/tenants/nightly")]: "schedule tenants/nightly",
    [arn("sns", "news:0a1b")]: "topic news",
    [arn("kinesis", "stream/x")]: "stream x",
    [arn("dynamodb", "table/x")]: arn("dynamodb", "table/x"),
  };
  assert.deepEqual(Object.keys(said).map(resourceText), Object.values(said));
});

test("each event says where it came from", () => {
  assert.equal(sourceText(event("1", { Target: BUS, Subject: "order.placed" })), "order.placed");
  assert.equal(sourceText(event("1", { Target: BUS, Subject: "order.placed", Origin: HELLO })), "order.placed from hello");
  assert.equal(sourceText(event("1", { Subject: "order.placed", Origin: arn("events", "rule/r1") })), "rule r1: order.placed");
  assert.equal(sourceText(event("1", { Source: "schedule", Subject: "n", Origin: arn("scheduler", "schedule/default/n") })), "schedule n");
  const late = event("1", { Source: "schedule", Origin: arn("scheduler", "schedule/default/n"), DueAt: 60 });
  assert.equal(sourceText(late), "schedule n, due 1970-01-01 00:01:00", "missed ones are told apart");
  assert.equal(sourceText({ ...late, DueAt: 99.5 }), "schedule n");
  assert.equal(sourceText(event("1", { Source: "topic", Origin: arn("sns", "news") })), "topic news");
  assert.equal(sourceText(event("1", { Source: "queue", Origin: arn("sqs", "orders") })), "queue orders");
  const stored = event("1", { Source: "objects", Origin: "arn:aws:s3:::photos", Subject: "ObjectCreated:Put cat.jpg" });
  assert.equal(sourceText(stored), "bucket photos: ObjectCreated:Put cat.jpg");
  assert.equal(sourceText(event("1", { Source: "invoke", Origin: HELLO })), "from hello");
  assert.equal(sourceText(event("1", { Source: "invoke" })), "invoke");
});

test("what others named moves no cursor and makes no line of its own", () => {
  const named = event("1", { Source: "objects", Origin: "arn:aws:s3:::photos", Subject: "ObjectCreated:Put a\u001b[2Jb\nc\u009b" });
  assert.equal(sourceText(named), "bucket photos: ObjectCreated:Put a\\x1b[2Jb\\x0ac\\x9b");
  const attempts = [{ At: 100, DurationMs: 1, RequestId: "1", Result: "functionError" as const, Error: "a\u001bb\nc" }];
  for (const line of eventLines({ ...named, Attempts: attempts }, 0)) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/u);
});

test("what nothing took reads by where it came", () => {
  const discarded = (Source: string, Reason: string): string => outcomeText(event("1", { Source, Outcome: "discarded", Reason }), 0);
  assert.equal(discarded("bus", "noListener"), "discarded: nothing listens to it");
  assert.equal(discarded("topic", "noListener"), "discarded: no subscription takes it");
  assert.equal(discarded("queue", "noListener"), "discarded: no filter matched it");
  assert.equal(discarded("schedule", "missed"), "discarded: its time passed while the server was down, or could not take it");
});

test("a delivery that its target refused says why, in the list and in its attempt", () => {
  const refused = (error: string | undefined, more: Partial<EventJson> = {}): EventJson =>
    event("1", {
      ...{ Outcome: "discarded", Reason: "targetGone", ...more },
      Attempts: [{ At: 0, DurationMs: 0, RequestId: "1", Result: "unavailable", ...(error === undefined ? {} : { Error: error }) }],
    });
  const said = (error: string | undefined): string => outcomeText(refused(error), 0);
  assert.equal(said("NO_PERMISSIONS: no policy allows it"), "discarded: its target does not allow it (NO_PERMISSIONS)");
  assert.equal(said("RESOURCE_NOT_FOUND: no such queue"), "discarded: its target does not exist (RESOURCE_NOT_FOUND)");
  assert.equal(said("EGRESS_REFUSED: private"), "discarded: its address may not be reached from here (EGRESS_REFUSED)");
  assert.equal(said("HTTP_404: not found"), "discarded: its target refused it for good (HTTP_404)");
  assert.equal(said(undefined), "discarded: its target is gone, or refused it for good");
  assert.equal(
    outcomeText(refused("NO_PERMISSIONS: no", { Outcome: "deadLettered", DeadLetterTarget: arn("sqs", "dead") }), 0),
    "dead-lettered to queue dead (its target does not allow it (NO_PERMISSIONS))",
  );
  const lines = eventLines(refused("NO_PERMISSIONS: no policy allows it", { Undelivered: arn("sqs", "dead") }), 0).join("\n");
  assert.match(lines, /attempt 1 .* not taken: NO_PERMISSIONS: no policy allows it$/mu);
  assert.match(lines, /not told +arn:\S+:dead did not take it: it is missing, or does not allow it$/mu);
  const noInstance = { At: 0, DurationMs: 0, RequestId: "1", Result: "unavailable", Error: "the runtime is not there" } as const;
  assert.match(eventLines(event("1", { Attempts: [noInstance] }), 0).join("\n"), / no instance: the runtime is not there$/mu);
});

test("what was handed on from a bus or a topic is told from a delivery", () => {
  const rule = arn("events", "rule/r1");
  assert.ok(isHandedOn(event("1", { Target: BUS })));
  assert.ok(isHandedOn(event("1", { Source: "topic", Target: arn("sns", "news") })));
  assert.ok(!isHandedOn(event("1", { Target: BUS, Outcome: "discarded", Reason: "noListener" })));
  assert.ok(!isHandedOn(event("1", { Target: BUS, Origin: rule })), "a rule's delivery to a bus");
  assert.ok(!isHandedOn(event("1", { Origin: rule })));
  assert.ok(!isHandedOn(event("1", { Source: "topic", Target: arn("sqs", "q") })));
});

test("a scheduled task shows when it was due, when it began, its attempts and what is next", () => {
  const attempt = { At: 60.25, DurationMs: 5, RequestId: "r", Result: "functionError", Error: "Error: no" } as const;
  const lines = eventLines(
    event("1", { Source: "schedule", Subject: "nightly", DueAt: 60, Attempts: [attempt], State: "waiting", NextAt: 120 }),
    60_500,
  );
  assert.ok(lines.includes("  due        1970-01-01T00:01:00.000Z, begun 250 ms later"), lines.join("\n"));
  assert.ok(lines.includes("  outcome    waits, next in 59 s"), lines.join("\n"));
  assert.ok(lines.includes("  attempt 1  1970-01-01 00:01:00  failed in 5 ms: Error: no"), lines.join("\n"));
});

test("a chain is a tree by cause, in the order of time; what has no cause here is a root", () => {
  const rule = (name: string): string => arn("events", `rule/${name}`);
  const { EndedAt: _end, Outcome: _outcome, ...open } = event("2", { AcceptedAt: 100.001, Cause: "1", Origin: rule("r1") });
  const running: EventJson = { ...open, State: "running" };
  const rows = chainRows(
    [
      event("5", { AcceptedAt: 100.04, Cause: "gone", Source: "invoke" }),
      event("4", {
        AcceptedAt: 100.03,
        Cause: "2",
        Target: BUS,
        Subject: "b",
        Outcome: "discarded",
        Reason: "noListener",
        EndedAt: 100.03,
      }),
      event("3", { AcceptedAt: 100.002, Cause: "1", Origin: rule("r2"), AttemptCount: 3 }),
      running,
      event("1", { Target: BUS, Subject: "a", EndedAt: 100 }),
    ],
    0,
  );
  assert.deepEqual(rows, [
    ["+0 ms", "a on bus default", "handled", "0 ms", "1"],
    ["+1 ms", "├ rule r1 → hello", "running", "", "2"],
    ["+30 ms", "│ └ b on bus default", "discarded: nothing listens to it", "0 ms", "4"],
    ["+2 ms", "└ rule r2 → hello", "handled at attempt 3", "498 ms", "3"],
    ["+40 ms", "invoke → hello", "handled", "460 ms", "5"],
  ]);
});

test("in a chain, what waits says that it was tried", () => {
  const { EndedAt: _end, Outcome: _outcome, ...open } = event("1", { NextAt: 60 });
  const waiting = (AttemptCount: number): string | undefined => chainRows([{ ...open, State: "waiting", AttemptCount }], 3_000)[0]?.[2];
  assert.deepEqual([0, 1, 2].map(waiting), ["waits, next in 57 s", "waits, next in 57 s, 1 attempt", "waits, next in 57 s, 2 attempts"]);
});

test("a chain of a thousand events one below the other is shown", () => {
  const events = Array.from({ length: 1_000 }, (_, at) => event(`${at + 1}`, { AcceptedAt: at, ...(at === 0 ? {} : { Cause: `${at}` }) }));
  assert.equal(chainRows(events, 0).length, 1_000);
});
