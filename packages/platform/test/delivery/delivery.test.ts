import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LambentError } from "../../src/base/index.ts";
import { functionArn } from "../../src/functions/index.ts";
import { DEFAULT_QUEUE_SETTINGS, queueArn, type ReceivedMessage } from "../../src/queues/index.ts";
import { AsyncWorld, failed, ok, REALM } from "../invoker/async/world.ts";

const MINUTE_MS = 60_000;

async function queue(world: AsyncWorld, name: string): Promise<string> {
  await world.queues.create(REALM, name, { ...DEFAULT_QUEUE_SETTINGS, visibilityMs: 0 }, [], {});
  return queueArn(REALM, name);
}

async function received(world: AsyncWorld, name: string): Promise<readonly ReceivedMessage[]> {
  await world.settle();
  return (await world.queues.queue(REALM, name)).receive({ max: 10, waitMs: 0, visibilityMs: 0 });
}

/** The power goes at each commit in turn: after the next start the destination that `prepare` makes was `told` of each accepted event once. */
async function assertToldOnce(
  prepare: (world: AsyncWorld) => Promise<string>,
  told: (world: AsyncWorld) => Promise<readonly (string | undefined)[]>,
): Promise<void> {
  for (let survivors = 0; survivors < 10; survivors++) {
    const world = await AsyncWorld.open();
    world.eventInvoke({ onSuccess: await prepare(world) });
    let left = survivors;
    world.faults = ({ kind }) => (kind === "commit" && left-- <= 0 ? { kind: "stopBefore" } : undefined);
    const accepted: string[] = [];
    for (const event of [1, 2])
      await world.accept(event).then(
        (id) => accepted.push(id),
        () => undefined,
      );
    await world.clock.advance(1_000);
    world.faults = () => undefined;
    await world.crash();
    await world.clock.advance(1_000);
    const ids = await told(world);
    assert.equal(new Set(ids).size, ids.length, `${survivors} commits survived`);
    for (const id of accepted) assert.ok(ids.includes(id), `${survivors} commits survived`);
  }
}

describe("a queue as a destination", () => {
  test("of success gets AWS's record", async () => {
    const world = await AsyncWorld.open({ reaction: () => ok({ total: 1e3 }) });
    world.eventInvoke({ onSuccess: await queue(world, "done") });
    const id = await world.accept({ order: 1 });
    await world.clock.advance(10);
    const [message] = await received(world, "done");
    assert.deepEqual(JSON.parse(message?.body ?? ""), {
      version: "1.0",
      timestamp: new Date(world.clock.now()).toISOString(),
      requestContext: {
        requestId: id,
        functionArn: functionArn(REALM, "hello", "$LATEST"),
        condition: "Success",
        approximateInvokeCount: 1,
      },
      requestPayload: { order: 1 },
      responseContext: { statusCode: 200, executedVersion: "$LATEST" },
      responsePayload: { total: 1_000 },
    });
    assert.match(message?.traceHeader ?? "", /^Root=1-.*;Lineage=[0-9a-f]{8}:1$/u);
    assert.equal(message?.sender, functionArn(REALM, "hello"));
  });

  test("of failure gets AWS's record, and the dead-letter queue the event with three attributes", async () => {
    const world = await AsyncWorld.open({ reaction: () => failed("out of stock") });
    const onFailure = await queue(world, "failed");
    world.eventInvoke({ onFailure });
    world.set({ deadLetterArn: await queue(world, "dead") });
    const id = await world.accept({ order: 2 });
    await world.clock.advance(5 * MINUTE_MS);
    const [record] = await received(world, "failed");
    const { requestContext, responseContext, responsePayload } = JSON.parse(record?.body ?? "") as Record<string, Record<string, unknown>>;
    assert.deepEqual(requestContext, {
      requestId: id,
      functionArn: functionArn(REALM, "hello", "$LATEST"),
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    });
    assert.deepEqual(responseContext, { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" });
    assert.deepEqual(responsePayload, { errorType: "Error", errorMessage: "out of stock" });
    const [dead] = await received(world, "dead");
    assert.equal(dead?.body, '{"order":2}');
    assert.deepEqual(
      { ...dead?.attributes },
      {
        RequestID: { type: "String", value: id },
        ErrorCode: { type: "Number", value: "200" },
        ErrorMessage: { type: "String", value: "out of stock" },
      },
    );
    assert.deepEqual((await world.record(id)).state, {
      kind: "ended",
      at: world.clock.now() - 5 * MINUTE_MS + 3 * MINUTE_MS + 30,
      outcome: { kind: "deadLettered", target: onFailure, reason: "retriesExhausted" },
    });
  });

  test("is told of an event that was never tried, without an answer", async () => {
    const cases = [
      ["ZeroReservedConcurrency", { reservedConcurrency: 0 }, 0],
      ["EventAgeExceeded", {}, 60_000],
    ] as const;
    for (const [condition, settings, waitMs] of cases) {
      const world = await AsyncWorld.open({ capacity: 0 });
      world.eventInvoke({ onFailure: await queue(world, "failed"), maximumEventAgeSeconds: 60 });
      world.set({ ...settings, deadLetterArn: await queue(world, "dead") });
      await world.accept({ order: 3 });
      await world.clock.advance(waitMs);
      const [record] = await received(world, "failed");
      const { requestContext, ...rest } = JSON.parse(record?.body ?? "") as { requestContext: Record<string, unknown> };
      assert.deepEqual([requestContext["condition"], requestContext["approximateInvokeCount"]], [condition, 0]);
      assert.partialDeepStrictEqual(rest, { requestPayload: { order: 3 }, responseContext: null, responsePayload: null });
      assert.equal((await received(world, "dead"))[0]?.attributes["ErrorCode"]?.value, "429");
    }
  });

  test("that is not there or takes no such message is written into the record (P2)", async () => {
    const world = await AsyncWorld.open({ reaction: () => failed() });
    await world.queues.create(REALM, "ordered.fifo", { ...DEFAULT_QUEUE_SETTINGS, kind: "fifo" }, [], {});
    const targets = [
      queueArn(REALM, "nowhere"),
      queueArn(REALM, "ordered.fifo"),
      queueArn({ ...REALM, region: "eu-west-1" }, "x"),
      "arn:aws:s3:::bucket",
    ];
    for (const target of targets) {
      world.eventInvoke({ onFailure: target, maximumRetryAttempts: 0 });
      const id = await world.accept();
      await world.clock.advance(10);
      assert.equal(await world.outcome(id), "discarded: targetGone", target);
      assert.equal((await world.record(id)).undelivered, target);
    }
    world.reaction = () => ok();
    world.eventInvoke({ onSuccess: targets[0] });
    const handled = await world.accept();
    await world.clock.advance(10);
    assert.equal(await world.outcome(handled), "handled");
    assert.equal((await world.record(handled)).undelivered, targets[0]);
  });

  test("that the function's role may not send to is written into the record", async () => {
    const world = await AsyncWorld.open();
    const onSuccess = await queue(world, "closed");
    world.eventInvoke({ onSuccess });
    const asked: unknown[] = [];
    world.authorize = (permission) => {
      asked.push(permission);
      throw new LambentError("AccessDenied", "no");
    };
    const id = await world.accept();
    await world.clock.advance(10);
    assert.equal((await world.record(id)).undelivered, onSuccess);
    assert.deepEqual(asked, [
      {
        sender: { kind: "function", realm: REALM, functionArn: functionArn(REALM, "hello", "$LATEST"), requestId: id },
        action: "sqs:SendMessage",
        resource: onSuccess,
        resourcePolicy: undefined,
      },
    ]);
    assert.deepEqual(await received(world, "closed"), []);
  });

  test("that no target could take, because event and answer are too large together, is told so at once", async () => {
    const world = await AsyncWorld.open({ reaction: () => ok("x".repeat(600_000)) });
    const onSuccess = await queue(world, "done");
    world.eventInvoke({ onSuccess });
    const id = await world.accept("y".repeat(600_000));
    await world.clock.advance(10);
    assert.equal((await world.record(id)).undelivered, onSuccess);
    assert.deepEqual(await received(world, "done"), []);
  });

  test("gets each outcome once, at whatever commit the power went", () =>
    assertToldOnce(
      (world) => queue(world, "done"),
      async (world) =>
        (await received(world, "done")).map(
          ({ body }) => (JSON.parse(body) as { requestContext: { requestId: string } }).requestContext.requestId,
        ),
    ));

  test("gets a hundred outcomes in their order", async () => {
    const world = await AsyncWorld.open({ capacity: 1 });
    world.eventInvoke({ onSuccess: await queue(world, "many") });
    const ids: string[] = [];
    for (let n = 0; n < 100; n++) ids.push(await world.accept({ n, fill: "x".repeat(n % 10 === 0 ? 200_000 : 10) }));
    await world.clock.advance(10_000);
    const many = await world.queues.queue(REALM, "many");
    const told: string[] = [];
    for (let got = await many.receive({ max: 10, waitMs: 0, visibilityMs: 30_000 }); got.length > 0;) {
      for (const { body } of got) told.push((JSON.parse(body) as { requestContext: { requestId: string } }).requestContext.requestId);
      got = await many.receive({ max: 10, waitMs: 0, visibilityMs: 30_000 });
    }
    assert.deepEqual(told, ids);
  });

  test("that is full for the moment gets the outcome later, and others meanwhile theirs", async () => {
    const world = await AsyncWorld.open();
    world.eventInvoke({ onSuccess: await queue(world, "slow") });
    let busy = true;
    world.faults = ({ kind, cell }) => (kind === "commit" && busy && cell.includes("/queue/slow/") ? { kind: "busy" } : undefined);
    await world.accept(1);
    await world.clock.advance(100);
    world.eventInvoke({ onSuccess: await queue(world, "quick") });
    await world.accept(2);
    await world.clock.advance(1_500);
    assert.equal((await received(world, "quick")).length, 1);
    busy = false;
    await world.clock.advance(60_000);
    assert.equal((await received(world, "slow")).length, 1);
  });
});

describe("a function as a destination", () => {
  test("is called asynchronously with the record, as a part of the same chain", async () => {
    const world = await AsyncWorld.open();
    world.functions.set("next", { id: "id-next", settings: {} });
    world.eventInvoke({ onSuccess: functionArn(REALM, "next") });
    const id = await world.accept({ order: 1 });
    await world.clock.advance(100);
    await world.settle();
    const call = world.calls.find(({ name }) => name === "next");
    assert.partialDeepStrictEqual(call?.event, { requestContext: { requestId: id, condition: "Success" }, requestPayload: { order: 1 } });
    const { cause, correlation, origin } = await world.record(call?.id ?? "");
    assert.deepEqual([cause, correlation, origin], [id, id, functionArn(REALM, "hello")]);
  });

  test("is called with each outcome once, at whatever commit the power went", () =>
    assertToldOnce(
      async (world) => {
        world.functions.set("next", { id: "id-next", settings: {} });
        return functionArn(REALM, "next");
      },
      async (world) => {
        await world.settle();
        return (await world.ledger.list(REALM, { limit: 100, target: functionArn(REALM, "next") })).map(({ cause }) => cause);
      },
    ));

  test("that cannot be asked because of a defect is asked again before the next start, and the defect is told", async () => {
    const world = await AsyncWorld.open();
    world.functions.set("next", { id: "id-next", settings: {} });
    world.eventInvoke({ onSuccess: functionArn(REALM, "next") });
    world.authorize = () => assert.fail("a defect");
    await world.accept({ order: 1 });
    for (let second = 0; second < 10; second++) {
      await world.clock.advance(1_000);
      await world.settle();
    }
    assert.ok(world.troubles.length > 1);
    assert.equal(world.calls.length, 1);
    world.authorize = () => undefined;
    await world.clock.advance(MINUTE_MS);
    await world.settle();
    assert.deepEqual(
      world.calls.map(({ name }) => name),
      ["hello", "next"],
    );
  });

  test("that leads back to itself is stopped after 16 calls", async () => {
    const world = await AsyncWorld.open();
    world.eventInvoke({ onSuccess: functionArn(REALM, "hello") });
    await world.accept({});
    await world.clock.advance(10_000);
    assert.equal(world.calls.length, 16);
    const [newest] = await world.ledger.list(REALM, { limit: 1 });
    assert.deepEqual(newest?.state.kind === "ended" && newest.state.outcome, { kind: "discarded", reason: "recursion" });
  });
});
