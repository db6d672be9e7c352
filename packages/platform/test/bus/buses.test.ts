import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LambentError } from "../../src/base/index.ts";
import { ruleArn } from "../../src/bus/index.ts";
import { functionArn } from "../../src/functions/index.ts";
import { queueArn } from "../../src/queues/index.ts";
import { failed } from "../invoker/async/world.ts";
import { BusWorld, REALM } from "./bus-world.ts";

const HELLO = functionArn(REALM, "hello");
const target = (arn: string, more: object = {}) => ({ id: arn.split(":").at(-1) ?? "t", arn, ...more });
const attributesOf = (attributes: Readonly<Record<string, { readonly value: string | Buffer }>>) =>
  Object.fromEntries(Object.entries(attributes).map(([name, { value }]) => [name, String(value)]));

describe("P2: an event that was put", () => {
  test("reaches every target of every rule that matches, each with a record of its own under one of the event", async () => {
    const world = await BusWorld.open();
    const queues = await Promise.all(["a", "b", "c"].map((name) => world.queue(name)));
    const [a = "", b = "", c = ""] = queues;
    await world.rule("all", [target(a), target(b)]);
    await world.rule("large", [target(c)], { pattern: '{"source":["shop"],"detail":{"total":[{"numeric":[">",100]}]}}' });
    await world.rule("other", [target(a)], { pattern: '{"source":["bank"]}' });
    const id = await world.put({ total: 7 });
    assert.deepEqual(await Promise.all(["a", "b", "c"].map((name) => world.details(name))), [[{ total: 7 }], [{ total: 7 }], []]);
    assert.deepEqual(await world.story(id), ["a handled", "b handled", "event-bus/default handled"]);
    const second = await world.put({ total: 107 });
    assert.deepEqual(await world.details("c"), [{ total: 107 }]);
    assert.equal((await world.story(second)).length, 4);
    const [delivery] = (await world.ledger.list(REALM, { correlation: second, limit: 9 })).filter(({ target: arn }) => arn === c);
    assert.deepEqual(
      [delivery?.source, delivery?.origin, delivery?.subject, delivery?.cause],
      ["bus", ruleArn(REALM, "default", "large"), "Order", second],
    );
    await world.stop();
  });

  test("and that nobody listens to is discarded for that, whether there is no rule, none that matches, none that is enabled, no target", async () => {
    const world = await BusWorld.open();
    const arn = await world.queue("a");
    const lonely = async (): Promise<void> =>
      assert.deepEqual(await world.story(await world.put()), ["event-bus/default discarded: noListener"]);
    await lonely();
    await world.rule("other", [target(arn)], { pattern: '{"source":["bank"]}' });
    await lonely();
    await world.rule("off", [target(arn)], { enabled: false });
    await lonely();
    await world.rule("nobody", []);
    await lonely();
    assert.deepEqual(await world.received("a"), []);
  });

  test("comes to its function as AWS's event, and the record goes on there", async () => {
    const world = await BusWorld.open();
    await world.rule("call", [target(HELLO)]);
    const id = await world.put({ order: 1 }, "default", { resources: ["arn:x"] });
    assert.deepEqual(
      world.inner.calls.map(({ event }) => event),
      [
        {
          ...{
            version: "0",
            id,
            "detail-type": "Order",
            source: "shop",
            time: new Date(world.clock.now()).toISOString().replace(/\.\d+/u, ""),
          },
          ...{ account: REALM.account, region: REALM.region, resources: ["arn:x"], detail: { order: 1 } },
        },
      ],
    );
    await world.pass(10);
    const records = await world.ledger.list(REALM, { correlation: id, limit: 9 });
    const moved = records.find(({ target: arn }) => arn.includes(":function:"));
    assert.deepEqual(
      [records.length, moved?.source, moved?.origin, moved?.cause, moved?.subject, moved?.state.kind],
      [2, "bus", ruleArn(REALM, "default", "call"), id, "Order", "ended"],
    );
    assert.equal(world.inner.calls[0]?.id, moved?.id);
  });

  test("whose template makes too much of it says so, and reaches the other targets", async () => {
    const world = await BusWorld.open();
    const [a, b] = [await world.queue("a"), await world.queue("b")];
    const template = `"${"<d>".repeat(200)}"`;
    const input = { kind: "template", template, paths: { d: "$.detail.text" } } as const;
    await world.rule("both", [target(a, { input }), target(b)]);
    const id = await world.put({ text: "x".repeat(50_000) });
    assert.deepEqual(await world.story(id), ["a discarded: inputTooLarge", "b handled", "event-bus/default handled"]);
    assert.equal((await world.details("b")).length, 1);
    // What is written of it is no larger than any other record.
    const record = (await world.ledger.list(REALM, { correlation: id, limit: 9 })).find(({ target: arn }) => arn === a);
    assert.ok(JSON.stringify(record).length < 2_000);
  });

  test("P7: is made ready for its targets piece by piece when it comes to much, and its own record is in the last one", async () => {
    const world = await BusWorld.open();
    const arn = await world.queue("a");
    const input = { kind: "template", template: '{"a":"<d>"}', paths: { d: "$.detail.text" } } as const;
    const targets = Array.from({ length: 5 }, (_, index) => ({ id: `${index}`, arn, input }));
    for (let rule = 0; rule < 8; rule++) await world.rule(`rule${rule}`, targets);
    await world.put();
    const pieces: { readonly bytes: number; readonly ids: readonly string[] }[] = [];
    const accept = world.outbox.accept.bind(world.outbox);
    world.outbox.accept = (deliveries, more) => {
      const bytes = deliveries.reduce((sum, { parcel }) => sum + parcel.payload.length, 0);
      pieces.push({ bytes, ids: (more?.records ?? []).map(({ id }) => id) });
      return accept(deliveries, more);
    };
    const id = await world.put({ text: "x".repeat(1_000_000) });
    assert.equal(pieces.length, 3);
    assert.ok(pieces.every(({ bytes }) => bytes < 18 * 1024 * 1024));
    assert.deepEqual(
      pieces.map(({ ids }) => ids),
      [[], [], [id]],
    );
    assert.equal((await world.story(id)).length, 41);
    await world.stop();
  });

  test("with a type as long as an event may be leads to records of ordinary size", async () => {
    const world = await BusWorld.open();
    const arns = await Promise.all(Array.from({ length: 5 }, (_, index) => world.queue(`q${index}`)));
    for (let rule = 0; rule < 5; rule++)
      await world.rule(
        `rule${rule}`,
        arns.map((arn) => target(arn)),
      );
    const id = await world.put({}, "default", { type: "t".repeat(200_000) });
    const records = await world.ledger.list(REALM, { correlation: id, limit: 100 });
    assert.equal(records.length, 26);
    assert.ok(records.every((record) => JSON.stringify(record).length < 2_000));
  });

  test("leads to more deliveries than a commit takes, all of them durable before it is told", async () => {
    const world = await BusWorld.open();
    const arns = await Promise.all(Array.from({ length: 5 }, (_, index) => world.queue(`q${index}`)));
    for (let rule = 0; rule < 60; rule++)
      await world.rule(
        `rule${rule}`,
        arns.map((arn) => target(arn)),
      );
    const published = world.event();
    world.authorize = () => {
      throw new LambentError("StorageBusy", "not yet");
    };
    await world.buses.publish(REALM, "default", [published]);
    world.authorize = () => undefined;
    await world.crash();
    for (let second = 0; second < 200; second++) await world.pass(1_000);
    const counts = await Promise.all(
      arns.map(async (_, index) => (await world.inner.queues.queue(REALM, `q${index}`)).list.counts().visible),
    );
    assert.deepEqual(counts, [60, 60, 60, 60, 60]);
    assert.equal((await world.story(published.event.id)).filter((line) => line.endsWith("handled")).length, 301);
  });

  test("goes with its chain: cause, correlation and trace header", async () => {
    const world = await BusWorld.open();
    await world.rule("call", [target(HELLO)]);
    const traceHeader = "Root=1-5759e988-bd862e3fe1be46a994272793";
    const published = { ...world.event(), traceHeader, cause: "the-cause", correlation: "the-first", origin: HELLO };
    await world.buses.publish(REALM, "default", [published]);
    await world.settle();
    const { cause, correlation, origin } = await world.record(published.event.id);
    assert.deepEqual([cause, correlation, origin], ["the-cause", "the-first", HELLO]);
    assert.match(world.inner.calls[0]?.traceHeader ?? "", /^Root=1-5759e988-bd862e3fe1be46a994272793/u);
    const moved = (await world.ledger.list(REALM, { limit: 9 })).find(({ id }) => id === world.inner.calls[0]?.id);
    assert.deepEqual([moved?.cause, moved?.correlation], [published.event.id, "the-first"]);
  });

  test("is brought again to the rules a replay names only", async () => {
    const world = await BusWorld.open();
    const [a, b] = [await world.queue("a"), await world.queue("b")];
    await world.rule("first", [target(a)]);
    await world.rule("second", [target(b)]);
    await world.buses.publish(REALM, "default", [{ ...world.event({ n: 1 }), onlyRules: [ruleArn(REALM, "default", "second")] }]);
    await world.settle();
    assert.deepEqual([await world.details("a"), await world.details("b")], [[], [{ n: 1 }]]);
  });
});

describe("a target that does not take an event", () => {
  test("is tried again as its rule says, and its dead-letter queue is told why", async () => {
    const world = await BusWorld.open();
    const [arn, dead] = [await world.queue("a"), await world.queue("dead")];
    await world.rule("twice", [target(arn, { deadLetter: dead, retriesMax: 1, roleArn: "arn:aws:iam::000000000000:role/sender" })]);
    let attempts = 0;
    const asked: (string | undefined)[] = [];
    world.authorize = ({ resource, sender }) => {
      if (resource !== arn) return void asked.push(sender.kind === "service" ? sender.roleArn : "");
      attempts += 1;
      throw new LambentError("Throttled", "try later");
    };
    const id = await world.put({ n: 1 });
    assert.equal(attempts, 1);
    await world.pass(999);
    assert.equal(attempts, 1);
    await world.pass(1);
    assert.equal(attempts, 2);
    const [letter] = await world.received("dead");
    assert.deepEqual(attributesOf(letter?.attributes ?? {}), {
      ...{ RULE_ARN: ruleArn(REALM, "default", "twice"), TARGET_ARN: arn, ERROR_CODE: "THROTTLING", ERROR_MESSAGE: "try later" },
      ...{ EXHAUSTED_RETRY_CONDITION: "MaximumRetryAttempts", RETRY_ATTEMPTS: "1" },
    });
    assert.deepEqual((JSON.parse(letter?.body ?? "") as { detail: unknown }).detail, { n: 1 });
    assert.deepEqual(asked, [undefined], "the target's role is for the target");
    assert.ok((await world.story(id)).includes("a deadLettered: retriesExhausted"));
  });

  test("ends by age, where the rule has one", async () => {
    const world = await BusWorld.open();
    const [arn, dead] = [await world.queue("a"), await world.queue("dead")];
    await world.rule("young", [target(arn, { deadLetter: dead, ageMsMax: 60_000 })]);
    world.authorize = ({ resource }) => {
      if (resource === arn) throw new LambentError("Throttled", "try later");
    };
    const id = await world.put();
    for (let second = 0; second < 60; second++) await world.pass(1_000);
    const [letter] = await world.received("dead");
    assert.equal(attributesOf(letter?.attributes ?? {})["EXHAUSTED_RETRY_CONDITION"], "MaximumEventAgeInSeconds");
    assert.ok((await world.story(id)).includes("a deadLettered: expired"));
  });

  test("is not tried again when it is gone, may not be reached, or is of no kind; without a dead-letter queue the record alone says so", async () => {
    const world = await BusWorld.open();
    const dead = await world.queue("dead");
    const closed = await world.queue("closed");
    const gone = [
      queueArn(REALM, "gone"),
      functionArn(REALM, "gone"),
      queueArn({ ...REALM, region: "eu-west-1" }, "far"),
      "arn:aws:states:us-east-1:0:x",
    ];
    await world.rule(
      "gone",
      [...gone, closed].map((arn, index) => ({ id: `t${index}`, arn, deadLetter: dead })),
    );
    await world.rule("silent", [target(queueArn(REALM, "gone"))]);
    world.authorize = ({ resource }) => {
      if (resource === closed) throw new LambentError("AccessDenied", "no");
    };
    const id = await world.put();
    await world.settle();
    const letters = (await world.received("dead")).map(({ attributes }) => attributesOf(attributes));
    const codes = Object.fromEntries(letters.map(({ TARGET_ARN = "", ERROR_CODE }) => [TARGET_ARN, ERROR_CODE]));
    assert.deepEqual(codes, { ...Object.fromEntries(gone.map((arn) => [arn, "RESOURCE_NOT_FOUND"])), [closed]: "NO_PERMISSIONS" });
    assert.ok(letters.every((each) => each["RETRY_ATTEMPTS"] === "0" && !("EXHAUSTED_RETRY_CONDITION" in each)));
    const story = await world.story(id);
    assert.equal(story.filter((line) => line.endsWith("deadLettered: targetGone")).length, 5);
    assert.ok(story.includes("gone discarded: targetGone"));
  });

  test("whose dead-letter queue is gone too leaves that in the record", async () => {
    const world = await BusWorld.open();
    const dead = queueArn(REALM, "no-such-queue");
    await world.rule("gone", [target(queueArn(REALM, "gone"), { deadLetter: dead })]);
    const id = await world.put();
    await world.settle();
    const record = (await world.ledger.list(REALM, { correlation: id, limit: 9 })).find(
      ({ source, target: arn }) => source === "bus" && arn.endsWith("gone"),
    );
    assert.equal(record?.undelivered, dead);
    assert.ok((await world.story(id)).includes("gone discarded: targetGone"));
  });

  test("FIFO queues get the group their rule names, and each event once", async () => {
    const world = await BusWorld.open();
    const arn = await world.queue("orders.fifo", { contentBasedDeduplication: true });
    await world.rule("ordered", [target(arn, { messageGroupId: "shop" })]);
    await world.put({ n: 1 });
    await world.put({ n: 2 });
    const messages = await world.received("orders.fifo");
    assert.deepEqual(
      messages.map(({ group }) => group),
      ["shop", "shop"],
    );
    assert.deepEqual(
      messages.map(({ sender }) => sender),
      ["events.amazonaws.com", "events.amazonaws.com"],
    );
  });

  test("a function that fails has its event there, not on the bus: it was delivered", async () => {
    const world = await BusWorld.open();
    world.inner.reaction = () => failed();
    await world.rule("call", [target(HELLO, { retriesMax: 0 })]);
    const id = await world.put();
    await world.pass(10 * 60_000);
    assert.equal(world.inner.calls.length, 3);
    assert.deepEqual(await world.story(id), ["event-bus/default handled", "function:hello discarded: retriesExhausted"]);
  });
});

describe("rules that change", () => {
  test("count from the next event on: pattern, targets, enabled, removed", async () => {
    const world = await BusWorld.open();
    const [a, b] = [await world.queue("a"), await world.queue("b")];
    const { rules } = world.buses;
    await world.put({ n: 0 });
    await world.rule("r", [target(a)]);
    await world.put({ n: 1 });
    await rules.setEnabled(REALM, "default", "r", false);
    await world.put({ n: 2 });
    await rules.setEnabled(REALM, "default", "r", true);
    await world.put({ n: 3 });
    await world.rule("r", [], { pattern: '{"detail":{"n":[5]}}' });
    await world.put({ n: 4 });
    await world.put({ n: 5 });
    await rules.putTargets(REALM, "default", "r", [{ id: "a", arn: b }]);
    await world.put({ n: 5 });
    await rules.removeTargets(REALM, "default", "r", ["a"]);
    await world.put({ n: 5 });
    await rules.remove(REALM, "default", "r");
    await world.put({ n: 5 });
    assert.deepEqual([await world.details("a"), await world.details("b")], [[{ n: 1 }, { n: 3 }, { n: 5 }], [{ n: 5 }]]);
  });

  test("do not touch deliveries that are on their way, not even when their rule, target and bus are removed", async () => {
    const world = await BusWorld.open();
    await world.bus("orders");
    const arn = await world.queue("a");
    await world.rule("r", [target(arn)], { bus: "orders" });
    world.authorize = () => {
      throw new LambentError("Throttled", "try later");
    };
    const id = await world.put({ n: 1 }, "orders");
    await world.buses.rules.removeTargets(REALM, "orders", "r", ["a"]);
    await world.buses.rules.remove(REALM, "orders", "r");
    await world.buses.delete(REALM, "orders");
    await assert.rejects(world.put({}, "orders"), { code: "NotFound" });
    await world.crash();
    world.authorize = () => undefined;
    await world.pass(10_000);
    assert.deepEqual(await world.details("a"), [{ n: 1 }]);
    assert.deepEqual(await world.story(id), ["a handled", "event-bus/orders handled"]);
    // A bus that takes its name has nothing of it.
    await world.bus("orders");
    assert.deepEqual(world.buses.rules.list(REALM, "orders", ""), []);
    assert.deepEqual(await world.story(await world.put({}, "orders")), ["event-bus/orders discarded: noListener"]);
  });

  test("are there after a restart, with buses, tags and targets", async () => {
    const world = await BusWorld.open();
    await world.bus("orders");
    const arn = await world.queue("a");
    await world.rule("r", [target(arn)], { bus: "orders", tags: { a: "b" } });
    await world.buses.update(REALM, "default", () => ({ policy: "{}" }));
    await world.buses.rules.remove(REALM, "default", "never was");
    await world.crash();
    assert.deepEqual(
      world.buses.list(REALM, "").map(({ name, policy }) => [name, policy]),
      [
        ["default", "{}"],
        ["orders", undefined],
      ],
    );
    const { tags, targets } = world.buses.rules.get(REALM, "orders", "r");
    assert.deepEqual([tags, targets], [{ a: "b" }, [target(arn)]]);
    await world.put({ n: 1 }, "orders");
    assert.deepEqual(await world.details("a"), [{ n: 1 }]);
  });

  test("on a bus that is deleted at the same moment: either the rule is refused, or the bus stays", async () => {
    for (const first of ["rule", "bus"] as const) {
      const world = await BusWorld.open();
      await world.bus("orders");
      const steps = { rule: () => world.rule("r", [], { bus: "orders" }), bus: () => world.buses.delete(REALM, "orders") };
      const ends = await Promise.allSettled([steps[first](), steps[first === "rule" ? "bus" : "rule"]()]);
      const isThere = world.buses.find(REALM, "orders") !== undefined;
      assert.equal(world.buses.rules.find(REALM, "orders", "r") !== undefined, isThere, JSON.stringify(ends));
    }
  });
});

describe("P1: wherever the power goes", () => {
  test("an event that was told taken reaches its function in one accepted invocation, and its queue at least once", async () => {
    for (let survivors = 0; survivors < 14; survivors++) {
      for (const kind of ["stopBefore", "stopAfter"] as const) {
        const world = await BusWorld.open();
        const arn = await world.queue("a");
        await world.rule("both", [target(arn), target(HELLO)]);
        let left = survivors;
        world.inner.faults = (step) => (step.kind === "commit" && left-- <= 0 ? { kind } : undefined);
        const published = world.event({ n: 1 });
        const isTaken = await world.buses.publish(REALM, "default", [published]).then(
          () => true,
          () => false,
        );
        for (let turn = 0; turn < 6; turn++) await world.inner.settle();
        await world.clock.advance(100);
        world.inner.faults = () => undefined;
        world.inner.troubles.length = 0;
        await world.crash();
        await world.pass(100);
        const records = await world.ledger.list(REALM, { correlation: published.event.id, limit: 99 });
        const invocations = records.filter(({ target: each }) => each.includes(":function:"));
        const where = `${survivors} commits survived, ${kind}`;
        if (isTaken) assert.equal(invocations.length, 1, where);
        assert.ok(invocations.length <= 1 && invocations.every(({ state }) => state.kind === "ended"), where);
        assert.equal(new Set(world.inner.calls.map(({ id }) => id)).size, invocations.length, where);
        const messages = await world.received("a");
        assert.ok(messages.length >= (isTaken ? 1 : 0) && messages.length <= 2, where);
        assert.equal(records.filter(({ state }) => state.kind !== "ended").length, 0, where);
      }
    }
  });

  test("a bus with nothing that waits is not opened at a start", async () => {
    const world = await BusWorld.open();
    await world.rule("r", [target(await world.queue("a"))]);
    await world.bus("orders");
    await world.put();
    assert.deepEqual(world.opened.splice(0), ["000000000000.us-east-1/bus/default/default"]);
    await world.crash();
    assert.deepEqual(world.opened, []);
  });
});
