import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NewMessage } from "../../src/queues/index.ts";
import { bodiesOf, firstOf, message, openQueuesWorld, receive, refusedAs, send } from "./world.ts";

const of = (group: string, body: string, more: Partial<NewMessage> = {}): NewMessage =>
  message(body, { group, deduplication: body, ...more });

describe("messages of a FIFO queue", () => {
  it("P4: of a group come in order, and none while an earlier one of it is in flight", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders.fifo", { visibilityMs: 1_000 });
    await send(queue, of("a", "a1"), of("b", "b1"), of("a", "a2"), of("b", "b2"));
    const first = firstOf(await receive(queue, { max: 1 }));
    assert.equal(first.body, "a1");
    assert.deepEqual(bodiesOf(await receive(queue)), ["b1", "b2"], "the other group, as far as it goes");
    assert.deepEqual(await receive(queue), []);
    await clock.advance(1_000);
    assert.deepEqual(bodiesOf(await receive(queue)), ["a1", "a2", "b1", "b2"], "an expired lease hands the same out again first");
  });

  it("P4: go on in their group once the earlier one is deleted", async () => {
    const { make } = await openQueuesWorld();
    const queue = await make("orders.fifo");
    await send(queue, of("a", "a1"), of("a", "a2"));
    await queue.delete(firstOf(await receive(queue, { max: 1 })).handle);
    assert.deepEqual(bodiesOf(await receive(queue)), ["a2"]);
  });

  it("are numbered in the order they were taken", async () => {
    const { make } = await openQueuesWorld();
    const queue = await make("orders.fifo");
    const outcomes = await queue.send([of("a", "1"), of("b", "2"), of("a", "3")]);
    const sequences = outcomes.map((outcome) => (outcome.kind === "sent" ? outcome.sequence : -1));
    assert.deepEqual(
      sequences,
      sequences.toSorted((left, right) => left - right),
    );
    assert.equal(new Set(sequences).size, 3);
  });

  it("are taken once within five minutes, by id or by content, and the sender is told the first one's id", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders.fifo", { contentBasedDeduplication: true });
    const [first, again, otherId] = await queue.send([
      message("x", { group: "a" }),
      message("x", { group: "b" }),
      of("a", "x", { deduplication: "own" }),
    ]);
    assert.deepEqual(first, again);
    assert.notDeepEqual(first, otherId);
    await queue.delete(firstOf(await receive(queue, { max: 1 })).handle);
    await clock.advance(299_999);
    assert.deepEqual((await queue.send([message("x", { group: "a" })]))[0], first, "also when it was deleted meanwhile");
    await clock.advance(1);
    assert.notDeepEqual((await queue.send([message("x", { group: "a" })]))[0], first);
  });

  it("are deduplicated over a restart, and by group where the queue says so", async () => {
    const world = await openQueuesWorld();
    await send(await world.make("orders.fifo", { deduplicationScope: "messageGroup" }), of("a", "x"), of("b", "x"));
    await world.restart();
    const queue = await world.queue("orders.fifo");
    await send(queue, of("a", "x"));
    assert.equal((await receive(queue)).length, 2);
  });

  it("need a group and a deduplication id, and have no delay of their own", async () => {
    const { make } = await openQueuesWorld();
    const queue = await make("orders.fifo");
    await assert.rejects(send(queue, message("x", { deduplication: "1" })), refusedAs("InvalidParameter", /MessageGroupId/u));
    await assert.rejects(send(queue, message("x", { group: "a" })), refusedAs("InvalidParameter", /ContentBasedDeduplication/u));
    await assert.rejects(send(queue, of("a", "x", { delayMs: 1_000 })), refusedAs("InvalidParameter", /DelaySeconds/u));
    await assert.rejects(send(queue, of("a\u0007", "x")), refusedAs("InvalidParameter", /MessageGroupId/u));
  });

  it("are not deleted by a handle that has expired: the group would go on out of order", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders.fifo", { visibilityMs: 1_000 });
    await send(queue, of("a", "a1"));
    const { handle } = firstOf(await receive(queue));
    await clock.advance(1_000);
    await assert.rejects(queue.delete(handle), refusedAs("InvalidParameter", /expired/u));
    assert.deepEqual(bodiesOf(await receive(queue)), ["a1"]);
  });

  it("P7: are remembered for repeated receives up to a bound of their bytes, then forgotten from the oldest", async () => {
    const { make } = await openQueuesWorld();
    const queue = await make("orders.fifo");
    for (let index = 0; index < 6; index++)
      await send(queue, of(`g${index}`, `${index}${"x".repeat(1_000_000)}`, { deduplication: `${index}` }));
    const first = await receive(queue, { max: 1, attempt: "0" });
    const second = await receive(queue, { max: 1, attempt: "1" });
    for (const attempt of ["2", "3"]) await receive(queue, { max: 1, attempt });
    assert.deepEqual(await receive(queue, { max: 1, attempt: "0" }), first);
    await receive(queue, { max: 1, attempt: "4" });
    assert.deepEqual(await receive(queue, { max: 1, attempt: "1" }), second);
    assert.notDeepEqual(await receive(queue, { max: 1, attempt: "0" }), first, "forgotten: another message is given");
  });

  it("are the same ones again for a receive that is repeated under its attempt id, while they are in flight", async () => {
    const { make, clock } = await openQueuesWorld();
    const queue = await make("orders.fifo", { visibilityMs: 10_000 });
    await send(queue, of("a", "a1"), of("a", "a2"), of("b", "b1"));
    const first = await receive(queue, { max: 2, attempt: "try" });
    assert.deepEqual(await receive(queue, { max: 2, attempt: "try" }), first);
    assert.deepEqual(bodiesOf(await receive(queue, { attempt: "another" })), ["b1"]);
    await clock.advance(10_000);
    assert.deepEqual(
      (await receive(queue, { max: 2, attempt: "try" })).map(({ body, receiveCount }) => [body, receiveCount]),
      [
        ["a1", 2],
        ["a2", 2],
      ],
    );
    const standard = await make("standard");
    await assert.rejects(receive(standard, { attempt: "try" }), refusedAs("InvalidParameter"));
  });
});
