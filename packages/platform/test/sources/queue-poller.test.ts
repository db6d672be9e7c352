import assert from "node:assert/strict";
import { test } from "node:test";
import { QUEUE_ARN, REALM, SourcesWorld } from "./world.ts";

const VISIBILITY_MS = 30_000;
const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => String(at));

test("a message is handed over as it comes, and is gone once it was handled", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  await world.map();
  const [id = ""] = await world.send(["hello"]);
  await world.clock.advance(0);
  assert.deepEqual(
    world.calls.map(({ records }) => records.map(({ body }) => body)),
    [["hello"]],
  );
  assert.deepEqual(await world.left(), [0, 0]);
  const record = await world.record(id);
  assert.deepEqual(record?.state, { kind: "ended", at: world.clock.now(), outcome: { kind: "handled" } });
  assert.deepEqual([record.source, record.origin, record.attemptCount, record.attempts[0]?.result], ["queue", QUEUE_ARN, 1, "ok"]);
  assert.deepEqual(world.problems, []);
});

test("P2: a failed delivery is recorded, and the message comes again when its visibility timeout is over, then goes to the dead-letter queue", async () => {
  const world = await SourcesWorld.open();
  await world.queue("failed");
  await world.queue("orders", { redrive: { target: `${QUEUE_ARN.replace("orders", "failed")}`, receivesMax: 2 } });
  world.react = () => ({ kind: "functionError" });
  await world.map();
  const [id = ""] = await world.send(["poison"]);
  await world.clock.advance(0);
  const first = await world.record(id);
  assert.deepEqual(first?.state, { kind: "waiting", nextAt: world.clock.now() + VISIBILITY_MS });
  assert.equal(first.attempts[0]?.error, "Error: no more paper");
  await world.clock.advance(VISIBILITY_MS - 1);
  assert.equal(world.calls.length, 1, "not before its time");
  await world.clock.advance(1);
  assert.equal(world.calls.length, 2);
  assert.equal(world.calls[1]?.records[0]?.attributes["ApproximateReceiveCount"], "2");
  await world.clock.advance(VISIBILITY_MS);
  assert.equal(world.calls.length, 2);
  assert.deepEqual(await world.left("failed"), [1, 0]);
  const last = await world.record(id);
  assert.ok(last?.state.kind === "ended");
  assert.deepEqual(last.state.outcome, { kind: "deadLettered", target: QUEUE_ARN.replace("orders", "failed"), reason: "retriesExhausted" });
  assert.equal(last.attemptCount, 2);
});

test("only the messages that the function names come again", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  world.react = ({ records }) => ({
    kind: "handled",
    answer: {
      batchItemFailures: records.filter(({ body }) => Number(body) % 2 === 1).map(({ messageId }) => ({ itemIdentifier: messageId })),
    },
  });
  await world.map({ answers: "reported", windowMs: 100 });
  await world.send(numbers(10));
  await world.clock.advance(100);
  assert.deepEqual(await world.left(), [0, 5]);
  world.react = () => ({ kind: "handled" });
  await world.clock.advance(VISIBILITY_MS);
  await world.clock.advance(100);
  assert.deepEqual(world.calls[1]?.records.map(({ body }) => body).toSorted(), ["1", "3", "5", "7", "9"]);
  assert.deepEqual(await world.left(), [0, 0]);
});

test("an answer that names no message of the batch fails all of it", async () => {
  for (const answer of [
    { batchItemFailures: [{ itemIdentifier: "" }] },
    { batchItemFailures: [{ itemIdentifier: "stranger" }] },
    { batchItemFailures: [{ id: "x" }] },
  ]) {
    const world = await SourcesWorld.open();
    await world.queue();
    world.react = () => ({ kind: "handled", answer });
    await world.map({ answers: "reported" });
    await world.send(["a", "b"]);
    await world.clock.advance(0);
    assert.deepEqual(await world.left(), [0, 2], JSON.stringify(answer));
  }
});

test("messages that no filter takes are deleted, and recorded as such", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  await world.map({ filters: ['{"body":{"kind":["order"]}}'] });
  const [, refund = "", text = ""] = await world.send(['{"kind":"order"}', '{"kind":"refund"}', "order"]);
  await world.clock.advance(0);
  assert.deepEqual(
    world.calls.flatMap(({ records }) => records.map(({ body }) => body)),
    ['{"kind":"order"}'],
  );
  assert.deepEqual(await world.left(), [0, 0]);
  for (const id of [refund, text]) {
    const record = await world.record(id);
    assert.ok(record?.state.kind === "ended");
    assert.deepEqual(record.state.outcome, { kind: "discarded", reason: "noListener" });
  }
});

test("a throttled function loses nothing: its batch waits, and goes back before its lease would end under the call", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  world.react = () => ({ kind: "throttled" });
  await world.map();
  const [id = ""] = await world.send(["patient"]);
  await world.clock.advance(29_000);
  assert.deepEqual(
    world.calls.map(({ at }) => at),
    [0, 1_000, 3_000, 7_000, 15_000],
  );
  assert.equal((await world.record(id))?.attempts[0]?.result, "throttled");
  world.react = () => ({ kind: "handled" });
  await world.clock.advance(60_000);
  assert.equal((await world.record(id))?.state.kind, "ended");
  assert.deepEqual(await world.left(), [0, 0]);
});

test("a function with few places is never idle while messages wait, however many are refused", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  world.concurrency = 2;
  world.react = () => ({ kind: "handled", durationMs: 100 });
  await world.map({ batchSize: 1 });
  await world.send(numbers(100));
  await world.clock.advance(100 * 50);
  assert.deepEqual(await world.left(), [0, 0]);
  assert.equal(world.runningMax, 2);
});

test("a function that is not ready, or cannot be started here, is a reason to wait, not to lose", async () => {
  for (const kind of ["notReady", "unavailable"] as const) {
    const world = await SourcesWorld.open();
    await world.queue();
    world.react = () => (world.calls.length < 3 ? { kind } : { kind: "handled" });
    await world.map();
    await world.send(["x"]);
    await world.clock.advance(3_000);
    assert.equal(world.calls.length, 3);
    assert.deepEqual(await world.left(), [0, 0]);
  }
});

test("P4: groups of a FIFO queue keep their order, one batch of a group at a time, several groups beside each other", async () => {
  const world = await SourcesWorld.open();
  await world.queue("line.fifo");
  await world.map({ batchSize: 1 }, "line.fifo");
  world.react = () => ({ kind: "handled", durationMs: 100 });
  const bodies = numbers(5);
  for (const group of ["a", "b", "c"]) await world.send(bodies, { group }, "line.fifo");
  await world.clock.advance(0);
  assert.equal(world.running, 3);
  await world.clock.advance(1_000);
  for (const group of ["a", "b", "c"]) {
    const seen = world.calls.flatMap(({ records }) =>
      records.filter(({ attributes }) => attributes["MessageGroupId"] === group).map(({ body }) => body),
    );
    assert.deepEqual(seen, bodies, group);
  }
  assert.equal(world.runningMax, 3);
});

test("of a FIFO group nothing later is handed out before what failed", async () => {
  const world = await SourcesWorld.open();
  await world.queue("line.fifo");
  const seen: string[] = [];
  world.react = ({ records }) => {
    const bodies = records.map(({ body }) => body);
    seen.push(...bodies);
    return bodies.includes("1") && seen.filter((body) => body === "1").length === 1 ? { kind: "functionError" } : { kind: "handled" };
  };
  await world.map({ batchSize: 1 }, "line.fifo");
  await world.send(numbers(4), { group: "a" }, "line.fifo");
  await world.clock.advance(VISIBILITY_MS * 2);
  assert.deepEqual(seen, ["0", "1", "1", "2", "3"]);
});

test("a disabled mapping ends what is in flight and begins nothing new; enabled again, it goes on", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  world.react = () => ({ kind: "handled", durationMs: 500 });
  const { uuid } = await world.map({ batchSize: 1, concurrencyMax: 2 });
  await world.send(numbers(6));
  await world.clock.advance(100);
  assert.equal(world.calls.length, 2);
  await world.sources.update(REALM, uuid, { settings: {}, enabled: false });
  await world.clock.advance(100);
  assert.equal(world.sources.get(REALM, uuid).state.kind, "disabling", "as long as a batch is in flight");
  await world.clock.advance(60_000);
  assert.equal(world.sources.get(REALM, uuid).state.kind, "disabled");
  assert.deepEqual([world.calls.length, ...(await world.left())], [2, 4, 0]);
  await world.sources.update(REALM, uuid, { settings: {}, enabled: true });
  await world.clock.advance(5_000);
  assert.equal(world.sources.get(REALM, uuid).state.kind, "enabled");
  assert.deepEqual([world.calls.length, ...(await world.left())], [6, 0, 0]);
});

test("a mapping that is deleted ends what is in flight, then is gone", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  world.react = () => ({ kind: "handled", durationMs: 500 });
  const { uuid } = await world.map();
  await world.send(["x"]);
  await world.clock.advance(100);
  await world.sources.remove(REALM, uuid);
  assert.equal(world.sources.get(REALM, uuid).state.kind, "deleting");
  await world.clock.advance(500);
  await world.sources.settled();
  assert.deepEqual(world.sources.list(REALM), []);
  assert.deepEqual(await world.left(), [0, 0]);
});

test("changed settings hold without losing what is held", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  const { uuid } = await world.map({ batchSize: 100, windowMs: 60_000 });
  await world.send(numbers(20));
  await world.clock.advance(1_000);
  assert.equal(world.calls.length, 0);
  await world.sources.update(REALM, uuid, { settings: { batchSize: 5, windowMs: 0 }, enabled: undefined });
  await world.sources.settled();
  await world.clock.advance(60_000);
  assert.deepEqual(await world.left(), [0, 0]);
  assert.equal(world.calls.flatMap(({ records }) => records).length, 20);
});

test("P6: a queue that has nothing costs nothing: no timer, no call, until a message comes", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  await world.map();
  await world.clock.advance(3_600_000);
  const waiting = world.clock.pendingCount;
  await world.clock.advance(3_600_000);
  assert.equal(world.clock.pendingCount, waiting);
  const before = world.clock.monotonicMs();
  await world.send(["now"]);
  await world.clock.advance(0);
  assert.deepEqual(
    world.calls.map(({ at }) => at),
    [before],
  );
});

test("a backlog drains without an idle moment, with as many batches at once as it may", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  world.react = () => ({ kind: "handled", durationMs: 10 });
  await world.send(numbers(1_000));
  await world.map({ batchSize: 10 });
  await world.clock.advance(200);
  assert.deepEqual(await world.left(), [0, 0]);
  const starts = [...new Set(world.calls.map(({ at }) => at))];
  assert.deepEqual(
    starts,
    Array.from({ length: 20 }, (_, at) => at * 10),
    "five batches every 10 ms",
  );
});

test("concurrency grows with a backlog: 1,000 slow messages take as long as the growth allows", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  world.react = () => ({ kind: "handled", durationMs: 2_000 });
  await world.send(numbers(1_000));
  await world.map({ batchSize: 1 });
  await world.clock.advance(30_000);
  assert.deepEqual(await world.left(), [0, 0]);
  assert.ok(world.runningMax > 50 && world.runningMax <= 5 + 30 * 5, String(world.runningMax));
});

test("after a crash, what was handed out and not handled comes again at once, and what was handled does not", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  let hangs = true;
  world.react = ({ records }) => (hangs && records[0]?.body === "hangs" ? { kind: "handled", durationMs: 1e9 } : { kind: "handled" });
  await world.map({ batchSize: 1 });
  await world.send(["quick", "hangs"]);
  await world.clock.advance(0);
  assert.deepEqual(await world.left(), [0, 1]);
  hangs = false;
  await world.crash();
  await world.send(["late"]);
  await world.clock.advance(0);
  assert.deepEqual(new Set(world.calls.slice(2).map(({ records }) => records[0]?.body)), new Set(["hangs", "late"]));
  assert.deepEqual(await world.left(), [0, 0]);
});

test("what is held is written down only as long as it is", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  world.react = ({ records }) => (records[0]?.body === "bad" ? { kind: "functionError" } : { kind: "handled", durationMs: 100 });
  await world.map({ batchSize: 2 });
  const { list } = await world.queues.queue(REALM, "orders");
  const held = async (): Promise<number> => (await list.readRows({ prefix: "held/", limit: 100 })).length;
  await world.send(["good", "bad", "good", "good"]);
  await world.clock.advance(50);
  assert.equal(await held(), 1);
  await world.clock.advance(100);
  assert.equal(await held(), 0);
  assert.deepEqual(await world.left(), [0, 0]);
  await world.send(["bad"]);
  await world.clock.advance(1);
  assert.deepEqual(
    [await held(), ...(await world.left())],
    [0, 0, 1],
    "a message that failed waits for its visibility timeout, also over a restart",
  );
  await world.crash();
  await world.clock.advance(1);
  assert.deepEqual(await world.left(), [0, 1]);
});

test("a queue that is deleted under its mapping is waited for, and served again when it is back", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  const { uuid } = await world.map();
  await world.queues.delete(REALM, "orders");
  await world.clock.advance(61_000);
  assert.equal(world.sources.result(uuid)?.kind, "problem");
  await world.queue();
  await world.send(["back"]);
  await world.clock.advance(60_000);
  assert.equal(world.calls.length, 1);
  assert.equal(world.sources.result(uuid)?.kind, "ok");
  assert.deepEqual(world.problems, []);
});

test("a chain of calls that comes back to the function again and again ends, in the dead-letter queue where there is one", async () => {
  const world = await SourcesWorld.open();
  await world.queue("failed");
  await world.queue("orders", { redrive: { target: QUEUE_ARN.replace("orders", "failed"), receivesMax: 5 } });
  await world.map();
  const digest = "3ad2ae15";
  const { createHash } = await import("node:crypto");
  const own = createHash("sha256").update("arn:aws:lambda:us-east-1:000000000000:function:worker").digest("hex").slice(0, 8);
  const root = "Root=1-65000000-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0";
  const [circling = ""] = await world.send(["round"], { trace: `${root};Lineage=${own}:16` });
  await world.send(["other"], { trace: `${root};Lineage=${digest}:16` });
  await world.clock.advance(0);
  assert.deepEqual(
    world.calls.flatMap(({ records }) => records.map(({ body }) => body)),
    ["other"],
  );
  const record = await world.record(circling);
  assert.ok(record?.state.kind === "ended" && record.state.outcome.kind === "deadLettered" && record.state.outcome.reason === "recursion");
  assert.deepEqual(await world.left("failed"), [1, 0]);
});

test("a call carries the trace of its message, and the message as what it handles", async () => {
  const world = await SourcesWorld.open();
  await world.queue();
  await world.map();
  const root = "Root=1-65000000-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0";
  const [id = ""] = await world.send(["traced"], { trace: root });
  await world.clock.advance(0);
  assert.equal(world.calls[0]?.request.traceId, `${root};Event=${id}:${id}`);
});
