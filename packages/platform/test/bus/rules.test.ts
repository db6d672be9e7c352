import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { busArn } from "../../src/bus/index.ts";
import { functionArn } from "../../src/functions/index.ts";
import { queueArn } from "../../src/queues/index.ts";
import { BusWorld, REALM } from "./bus-world.ts";

const HELLO = functionArn(REALM, "hello");
const target = (arn: string, more: object = {}) => ({ id: arn.split(":").at(-1) ?? "t", arn, ...more });

describe("a rule or bus that is refused", () => {
  const refused = async (work: Promise<unknown>, code: string, message: RegExp): Promise<void> =>
    assert.rejects(work, (error) => isLambentError(error) && error.code === code && message.test(error.message));

  test("says which rule it breaks", async () => {
    const world = await BusWorld.open();
    const { rules } = world.buses;
    const draft = {
      name: "r",
      bus: "default",
      schedule: undefined,
      enabled: true,
      description: undefined,
      roleArn: undefined,
      tags: undefined,
    };
    await refused(
      rules.put(REALM, { ...draft, pattern: undefined }),
      "InvalidParameter",
      /EventPattern or ScheduleExpression must be specified/u,
    );
    await refused(rules.put(REALM, { ...draft, pattern: "{" }), "InvalidPattern", /./u);
    await refused(rules.put(REALM, { ...draft, pattern: " ".repeat(4_097) }), "InvalidParameter", /4097.*4096/u);
    await refused(rules.put(REALM, { ...draft, bus: "none", pattern: "{}" }), "NotFound", /none/u);
    await world.bus("orders");
    const timed = { ...draft, pattern: undefined, schedule: "rate(1 minute)" };
    await refused(rules.put(REALM, { ...timed, bus: "orders" }), "InvalidParameter", /only on the default event bus/u);
    const tags = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, "v"]));
    await refused(rules.put(REALM, { ...draft, pattern: '{"source":["a"]}', tags }), "InvalidParameter", /50 tags/u);
    await refused(
      (async () => world.buses.create(REALM, { name: "tagged", description: undefined, tags }))(),
      "InvalidParameter",
      /50 tags/u,
    );
    await refused(
      world.buses.update(REALM, "orders", () => ({ tags })),
      "InvalidParameter",
      /50 tags/u,
    );
    for (const name of ["", "a/b", "a b", "é", "x".repeat(257)])
      await refused(
        (async () => world.buses.create(REALM, { name, description: undefined, tags: {} }))(),
        "InvalidParameter",
        /not valid/u,
      );
    await refused(world.buses.create(REALM, { name: "orders", description: undefined, tags: {} }), "AlreadyExists", /orders/u);
    await refused(world.buses.create(REALM, { name: "default", description: undefined, tags: {} }), "AlreadyExists", /default/u);
    await refused((async () => world.buses.delete(REALM, "default"))(), "InvalidParameter", /default/u);
    await world.buses.delete(REALM, "never was");
  });

  test("leaves a bus with rules and a rule with targets where they are", async () => {
    const world = await BusWorld.open();
    await world.bus("orders");
    await world.rule("r", [target(await world.queue("a"))], { bus: "orders" });
    await refused(world.buses.delete(REALM, "orders"), "InvalidParameter", /has rules/u);
    await refused(world.buses.rules.remove(REALM, "orders", "r"), "InvalidParameter", /has targets/u);
  });

  test("P7: beyond the bounds of buses and targets", async () => {
    const world = await BusWorld.open();
    for (let bus = 0; bus < 100; bus++) await world.bus(`bus${bus}`);
    await refused(world.bus("more"), "LimitExceeded", /100 event buses/u);
    const arn = await world.queue("a");
    await world.rule(
      "r",
      Array.from({ length: 5 }, (_, index) => ({ id: `${index}`, arn })),
    );
    await refused(world.buses.rules.putTargets(REALM, "default", "r", [{ id: "5", arn }]), "LimitExceeded", /5 targets/u);
    assert.deepEqual(await world.buses.rules.putTargets(REALM, "default", "r", [{ id: "4", arn: HELLO }]), []);
    assert.deepEqual(
      world.buses.rules.get(REALM, "default", "r").targets.map(({ arn: each }) => each === HELLO),
      [false, false, false, false, true],
    );
  });

  test("of targets refuses entries, and takes the others", async () => {
    const world = await BusWorld.open();
    await world.rule("r", []);
    const put = (...targets: readonly { readonly id: string; readonly arn: string }[]) =>
      world.buses.rules.putTargets(REALM, "default", "r", targets);
    const good = await world.queue("a");
    const faults = await put(
      { id: "good", arn: good },
      { id: "name", arn: "hello" },
      { id: "no group", arn: queueArn(REALM, "x.fifo") },
      { id: "group", arn: HELLO, messageGroupId: "g" } as never,
      { id: "letter", arn: good, deadLetter: queueArn(REALM, "x.fifo") } as never,
    );
    assert.deepEqual(
      faults.map(({ targetId }) => targetId),
      ["name", "no group", "group", "letter"],
    );
    assert.ok(faults.every(({ message }) => message.length > 20));
    assert.deepEqual(world.buses.rules.get(REALM, "default", "r").targets, [{ id: "good", arn: good }]);
    await refused(world.buses.rules.putTargets(REALM, "default", "none", []), "NotFound", /none/u);
    assert.deepEqual(
      (await world.buses.rules.removeTargets(REALM, "default", "r", ["good", "none"])).map(({ targetId }) => targetId),
      ["none"],
    );
  });

  test("does not take another bus's rules for its own", async () => {
    const world = await BusWorld.open();
    await world.bus("orders");
    await world.bus("orders-2");
    const arn = await world.queue("a");
    await world.rule("r", [target(arn)], { bus: "orders" });
    await world.rule("other", [], { bus: "orders-2" });
    assert.deepEqual(
      world.buses.rules.list(REALM, "orders", "").map(({ name }) => name),
      ["r"],
    );
    assert.deepEqual(await world.story(await world.put({}, "orders-2")), ["event-bus/orders-2 discarded: noListener"]);
    assert.equal(world.buses.rules.find({ ...REALM, region: "eu-west-1" }, "orders", "r"), undefined);
    assert.equal(busArn(REALM, "orders"), "arn:aws:events:us-east-1:000000000000:event-bus/orders");
  });
});
