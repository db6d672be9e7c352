import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { randomBelow, seededRandom } from "../../src/base/index.ts";
import type { HandOver } from "../../src/outbox/index.ts";
import type { PublishOutcome } from "../../src/topics/index.ts";
import { idsOf, jsonOf, openTopicsWorld, queueArnOf, refusedAs, refusedFor, TAKEN, type TopicsWorld } from "./world.ts";

const inGroup = (group: string, text: string, more: { readonly deduplication?: string } = {}) => ({
  message: text,
  group,
  deduplication: text,
  ...more,
});
const sequenceOf = (outcome: PublishOutcome | undefined): number | undefined =>
  outcome?.kind === "published" ? outcome.sequence : undefined;
const textsOf = (due: Awaited<ReturnType<TopicsWorld["due"]>>): string[] => due.map(({ parcel }) => parcel.payload.toString());

describe("a FIFO topic", () => {
  it("numbers its messages, and tells queues group, id and number", async () => {
    const world = await openTopicsWorld();
    await world.make("orders.fifo");
    await world.subscribe("orders.fifo", "sqs", queueArnOf("all.fifo"));
    await world.subscribe("orders.fifo", "sqs", queueArnOf("standard"), { raw: true });
    const outcomes = await world.publish("orders.fifo", inGroup("g", "one"), inGroup("g", "two"));
    assert.deepEqual(outcomes.map(sequenceOf), [1, 2]);
    const due = await world.due();
    const fifo = due.find(({ parcel }) => parcel.target === queueArnOf("all.fifo"))?.parcel;
    assert.equal(fifo?.options.messageGroupId, "g");
    assert.equal(fifo?.options.deduplicationId, "one");
    assert.equal(jsonOf({ parcel: fifo ?? assert.fail("nothing for the FIFO queue") })["SequenceNumber"], "00000000000000000001");
    const standard = due.find(({ parcel }) => parcel.target === queueArnOf("standard"))?.parcel;
    assert.equal(standard?.options.messageGroupId, "g");
    assert.equal(standard?.options.deduplicationId, undefined);
  });

  it("gives nothing of a group to a queue while an earlier message of it has not arrived (P4); other groups and queues go on", async () => {
    const world = await openTopicsWorld();
    await world.make("ordered.fifo");
    await world.subscribe("ordered.fifo", "sqs", queueArnOf("a.fifo"), { raw: true });
    await world.subscribe("ordered.fifo", "sqs", queueArnOf("b.fifo"), { raw: true });
    await world.publish("ordered.fifo", inGroup("1", "1a"), inGroup("1", "1b"), inGroup("2", "2a"));
    const round = async (fails: (target: string, text: string) => boolean): Promise<string[]> => {
      const [seen, stopped] = [[] as string[], new Set<string>()];
      for (const taken of await world.due()) {
        const [target, text] = [taken.parcel.target.split(":")[5] ?? "", taken.parcel.payload.toString()];
        // As whoever hands over does: what is behind one that was not taken is given back untried.
        const outcome: HandOver = stopped.has(taken.lane) ? { kind: "wait", ms: 0 } : fails(target, text) ? refusedFor("later") : TAKEN;
        if (outcome.kind !== "wait") seen.push(`${target} ${text}`);
        if (outcome.kind !== "taken") stopped.add(taken.lane);
        await world.settle(taken, outcome);
      }
      return seen.sort();
    };
    let isDown = true;
    const fails = (target: string, text: string): boolean => isDown && target === "a.fifo" && text === "1a";
    assert.deepEqual(await round(fails), ["a.fifo 1a", "a.fifo 2a", "b.fifo 1a", "b.fifo 1b", "b.fifo 2a"]);
    const tries: string[][] = [];
    for (let step = 0; step < 6; step += 1) {
      tries.push(await round(fails));
      await world.clock.advance(1_000);
    }
    assert.deepEqual([...new Set(tries.flat())], ["a.fifo 1a"]);
    isDown = false;
    await world.clock.advance(20_000);
    assert.deepEqual(await round(fails), ["a.fifo 1a", "a.fifo 1b"]);
  });

  it("acknowledges a message with a known id as the first one, for five minutes, and across a restart", async () => {
    const world = await openTopicsWorld();
    await world.make("once.fifo");
    await world.subscribe("once.fifo", "sqs", queueArnOf("a.fifo"), { raw: true });
    const [first, same] = await world.publish("once.fifo", inGroup("g", "x"), inGroup("h", "y", { deduplication: "x" }));
    assert.deepEqual(same, first);
    await world.clock.advance(299_000);
    await world.restart();
    const [late] = await world.publish("once.fifo", inGroup("g", "x"));
    assert.deepEqual(late, first);
    assert.deepEqual(textsOf(await world.due()), ["x"]);
    await world.clock.advance(1_001);
    const [again] = await world.publish("once.fifo", inGroup("g", "x"));
    assert.equal(sequenceOf(again), 2);
    assert.notDeepEqual(again, first);
  });

  it("takes ids by group where it is told to, and the content where there is none", async () => {
    const world = await openTopicsWorld();
    await world.make("groups.fifo", { deduplicationScope: "MessageGroup", contentBasedDeduplication: true });
    const outcomes = await world.publish(
      "groups.fifo",
      { message: "same", group: "1" },
      { message: "same", group: "2" },
      { message: "same", group: "1" },
      { message: "other", group: "1" },
    );
    assert.deepEqual(outcomes.map(sequenceOf), [1, 2, 1, 3]);
  });

  it("refuses what it cannot order, by message", async () => {
    const world = await openTopicsWorld();
    await world.make("strict.fifo");
    const [noGroup, noId, good] = await world.publish(
      "strict.fifo",
      { message: "x", deduplication: "1" },
      { message: "x", group: "g" },
      inGroup("g", "x"),
    );
    assert.ok(noGroup?.kind === "refused" && /MessageGroupId parameter is required for FIFO topics/.test(noGroup.error.message));
    assert.ok(noId?.kind === "refused" && /ContentBasedDeduplication enabled or MessageDeduplicationId provided/.test(noId.error.message));
    assert.equal(good?.kind, "published");
    await assert.rejects(
      world.subscribe("strict.fifo", "lambda", "arn:aws:lambda:us-east-1:000000000000:function:f"),
      refusedAs("InvalidParameter", /Please use FIFO SQS queue/),
    );
    await assert.rejects(
      world.subscribe("strict.fifo", "http", "http://example.com"),
      refusedAs("InvalidParameter", /Please use FIFO SQS queue/),
    );
    await world.make("plain");
    await assert.rejects(
      world.subscribe("plain", "sqs", queueArnOf("a.fifo")),
      refusedAs("InvalidParameter", /FIFO SQS Queues can not be subscribed to standard SNS topics/),
    );
  });

  it("gives what it could not deliver to a FIFO dead-letter queue with its group and id, to a standard one without", async () => {
    const world = await openTopicsWorld();
    await world.make("dead.fifo");
    await world.subscribe("dead.fifo", "sqs", queueArnOf("a.fifo"), { raw: true, deadLetter: queueArnOf("letters.fifo") });
    await world.subscribe("dead.fifo", "sqs", queueArnOf("b.fifo"), { raw: true, deadLetter: queueArnOf("letters") });
    await world.publish("dead.fifo", inGroup("g", "x"));
    for (const taken of await world.due()) await world.settle(taken, refusedFor("never"));
    const letters = new Map((await world.due()).map(({ parcel }) => [parcel.target, parcel.options]));
    assert.deepEqual(
      [letters.get(queueArnOf("letters.fifo"))?.messageGroupId, letters.get(queueArnOf("letters.fifo"))?.deduplicationId],
      ["g", "x"],
    );
    assert.deepEqual(
      [letters.get(queueArnOf("letters"))?.messageGroupId, letters.get(queueArnOf("letters"))?.deduplicationId],
      [undefined, undefined],
    );
  });

  it("numbers messages that come at once in the order they came, with large ones between them", async () => {
    const world = await openTopicsWorld();
    await world.make("busy.fifo", { contentBasedDeduplication: true });
    for (const name of ["a.fifo", "b.fifo", "c.fifo"]) {
      await world.subscribe("busy.fifo", "sqs", queueArnOf(name), { raw: true });
    }
    const random = seededRandom(5);
    const texts = Array.from({ length: 60 }, (_, index) => `${index}:${"x".repeat(randomBelow(random, 4) === 0 ? 200_000 : 10)}`);
    const outcomes = await Promise.all(texts.map((text) => world.publish("busy.fifo", { message: text, group: "g" })));
    const ids = outcomes.flatMap(idsOf);
    assert.equal(new Set(ids).size, texts.length);
    const sequences = outcomes.map(([outcome]) => sequenceOf(outcome) ?? 0);
    const order = texts.map((_, index) => index).sort((left, right) => (sequences[left] ?? 0) - (sequences[right] ?? 0));
    const arrived: Record<string, string[]> = {};
    for (let due = await world.due(); due.length > 0; due = await world.due()) {
      for (const taken of due) {
        (arrived[taken.parcel.target] ??= []).push(taken.parcel.payload.toString());
        await world.settle(taken);
      }
    }
    const wanted = order.map((index) => texts[index]);
    assert.deepEqual(Object.keys(arrived).sort(), ["a.fifo", "b.fifo", "c.fifo"].map(queueArnOf));
    for (const got of Object.values(arrived))
      assert.deepEqual(
        got.map((text) => text.split(":")[0]),
        wanted.map((text) => text?.split(":")[0]),
      );
  });

  it("does not know a message whose deliveries were not all taken: whoever tries again is not told that it is there", async () => {
    let refuses = (_step: number): boolean => false;
    let steps = 0;
    const world = await openTopicsWorld(({ kind }) => (kind === "commit" && refuses((steps += 1)) ? { kind: "busy" } : undefined));
    await world.make("half.fifo");
    const large = Array.from({ length: 5 }, (_, index) => queueArnOf(`${index}.fifo`));
    for (const arn of large) await world.subscribe("half.fifo", "sqs", arn);
    await world.publish("half.fifo", inGroup("g", "before"));
    // Over a megabyte of deliveries: several commits, of which all but the first are refused.
    const text = "x".repeat(250_000);
    steps = 0;
    refuses = (step) => step > 1;
    const [refused] = await world.publish("half.fifo", inGroup("g", text, { deduplication: "x" }));
    assert.equal(refused?.kind === "refused" && refused.error.code, "StorageBusy");
    refuses = () => false;
    // The store is asked again a moment later.
    await world.clock.advance(1_000);
    const [outcome] = await world.publish("half.fifo", inGroup("g", text, { deduplication: "x" }));
    assert.equal(sequenceOf(outcome), 3);
    const reached = new Map<string, number[]>();
    for (const taken of await world.due()) {
      const { Message, SequenceNumber } = jsonOf(taken);
      if (Message === text) reached.set(taken.parcel.target, [...(reached.get(taken.parcel.target) ?? []), Number(SequenceNumber)]);
    }
    // Everybody has it; whom the first try reached gets it again, with the same id, by which a FIFO queue knows it.
    assert.deepEqual([...reached.keys()].sort(), large);
    for (const sequences of reached.values()) assert.equal(sequences.at(-1), 3);
  });
});
