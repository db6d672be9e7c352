import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { busArn } from "../../src/bus/index.ts";
import { BusWorld, REALM } from "./bus-world.ts";

const target = (arn: string) => ({ id: arn.split(/[:/]/u).at(-1) ?? "t", arn });

describe("an event that a rule passes on to another bus", () => {
  test("keeps its id, and has a record there under the delivery's", async () => {
    const world = await BusWorld.open();
    await world.bus("orders");
    const arn = await world.queue("a");
    await world.rule("pass", [target(busArn(REALM, "orders"))]);
    await world.rule("r", [target(arn)], { bus: "orders" });
    const id = await world.put({ n: 1 });
    const [message] = await world.received("a");
    assert.equal((JSON.parse(message?.body ?? "") as { id: string }).id, id);
    assert.deepEqual(await world.story(id), ["a handled", "event-bus/default handled", "event-bus/orders handled"]);
  });

  test("comes there once, wherever the power goes", async () => {
    for (let survivors = 0; survivors < 10; survivors++) {
      const world = await BusWorld.open();
      await world.bus("orders");
      await world.rule("pass", [target(busArn(REALM, "orders"))]);
      let left = survivors;
      world.inner.faults = (step) => (step.kind === "commit" && left-- <= 0 ? { kind: "stopAfter" } : undefined);
      const published = world.event();
      await world.buses.publish(REALM, "default", [published]).catch(() => undefined);
      for (let turn = 0; turn < 6; turn++) await world.inner.settle();
      world.inner.faults = () => undefined;
      world.inner.troubles.length = 0;
      await world.crash();
      await world.pass(10);
      const wanted = ["event-bus/default handled", "event-bus/orders discarded: noListener"];
      assert.deepEqual(await world.story(published.event.id), wanted, `${survivors} commits survived`);
    }
  });
});

describe("an event that a rule passes on to its own bus", () => {
  const PASSES = 16;

  /** A bus whose rule passes on everything, and shows each pass in a queue. */
  async function circle(): Promise<BusWorld> {
    const world = await BusWorld.open();
    await world.rule("circle", [target(busArn(REALM, "default")), target(await world.queue("seen"))]);
    return world;
  }

  const seen = async (world: BusWorld): Promise<number> => (await world.inner.queues.queue(REALM, "seen")).list.counts().visible;

  test("ends after 16 times, each with a record of its own", async () => {
    const world = await circle();
    const id = await world.put();
    for (let second = 0; second < 5; second++) await world.pass(1_000);
    const story = await world.story(id);
    assert.equal(await seen(world), PASSES + 1);
    assert.equal(story.filter((line) => line === "seen handled").length, PASSES + 1);
    assert.equal(story.filter((line) => line.endsWith("discarded: targetGone")).length, 1, "the one that is one too many");
    assert.ok(story.filter((line) => line === "event-bus/default handled").length >= PASSES + 1);
    assert.ok(story.every((line) => !line.endsWith("waiting")));
  });

  test("is not lost wherever the power goes", async () => {
    for (let survivors = 1; survivors < 12; survivors++) {
      for (const kind of ["stopBefore", "stopAfter"] as const) {
        const world = await circle();
        let left = survivors;
        world.inner.faults = (step) => (step.kind === "commit" && left-- <= 0 ? { kind } : undefined);
        await world.buses.publish(REALM, "default", [world.event()]);
        for (let turn = 0; turn < 6; turn++) await world.inner.settle();
        world.inner.faults = () => undefined;
        world.inner.troubles.length = 0;
        await world.crash();
        for (let second = 0; second < 5; second++) await world.pass(1_000);
        assert.ok((await seen(world)) >= PASSES + 1, `${survivors} commits survived, ${kind}: ${await seen(world)} passes`);
      }
    }
  });
});
