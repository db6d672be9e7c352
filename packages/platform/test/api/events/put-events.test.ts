/** Putting events, trying patterns, and who may do what, by the SDK and by hand. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { functionArn } from "../../../src/functions/index.ts";
import { functionVersion } from "../../support/function-version.ts";
import { ACCOUNT, arnOf, openEvents, REALM, type EventsWorld } from "./world.ts";

const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:orders`;
const GOOD = { Source: "shop", DetailType: "Order", Detail: '{"n":1}' };

describe("PutEvents", () => {
  test("takes what is good, tells what is not, in the order of the entries, on each bus", async (context) => {
    const { events, ledger } = await openEvents(context);
    await events.createEventBus({ Name: "orders" });
    const Entries: (PutEventsRequestEntry & { readonly code?: string })[] = [
      GOOD,
      { ...GOOD, Detail: "{" },
      { ...GOOD, EventBusName: "orders", Time: new Date(0), Resources: ["arn:x"] },
      { ...GOOD, EventBusName: "none" },
      { ...GOOD, Source: "aws.ec2" },
      { ...GOOD, Detail: "[]" },
      { DetailType: "Order", Detail: "{}" },
      { ...GOOD, EventBusName: arnOf("event-bus/orders") },
    ];
    const answer = await events.putEvents({ Entries });
    assert.equal(answer.FailedEntryCount, 5);
    assert.deepEqual(
      answer.Entries?.map(({ EventId, ErrorCode }) => ErrorCode ?? EventId?.length),
      [36, "MalformedDetail", 36, "ResourceNotFoundException", "NotAuthorizedForSourceException", "MalformedDetail", "InvalidArgument", 36],
    );
    for (const [index, { EventId = "", ErrorMessage }] of (answer.Entries ?? []).entries()) {
      const found = (await ledger.find(REALM, EventId))?.record;
      const bus = Entries[index]?.EventBusName === undefined ? "default" : "orders";
      if (ErrorMessage === undefined) assert.deepEqual([found?.target, found?.state.kind], [arnOf(`event-bus/${bus}`), "ended"]);
      else assert.ok(ErrorMessage.length > 5);
    }
  });

  test("keeps a detail byte for byte, and an id of its own for each entry", async (context) => {
    const { events, buses } = await openEvents(context);
    const Detail = '{ "n": 1.0,  "é":"\\u00e9", "big": 12345678901234567890 }';
    await events.putRule({ Name: "r", EventPattern: '{"source":["shop"]}' });
    await events.putTargets({ Rule: "r", Targets: [{ Id: "q", Arn: QUEUE }] });
    const { Entries } = await events.putEvents({
      Entries: [
        { ...GOOD, Detail },
        { ...GOOD, Detail },
      ],
    });
    assert.notEqual(Entries?.[0]?.EventId, Entries?.[1]?.EventId);
    assert.ok(buses.find(REALM, "default"));
  });

  test("refuses more than ten entries, none, and what no schema takes, as a whole", async (context) => {
    const { events, json, ledger } = await openEvents(context);
    await assert.rejects(events.putEvents({ Entries: Array.from({ length: 11 }, () => GOOD) }), {
      name: "ValidationException",
      message: /less than or equal to 10/u,
    });
    await assert.rejects(events.putEvents({ Entries: [] }), { name: "ValidationException" });
    assert.equal((await json("PutEvents", { Entries: [GOOD], EndpointId: "abcde.veo" })).status, 501);
    assert.equal((await json("PutEvents", { Entries: [{ Source: { toString: 1 } }] })).status, 400);
    assert.equal((await json("PutEvents", {})).status, 400);
    assert.equal((await json("PutEvents", { Entries: [null] })).status, 400);
    assert.deepEqual(await ledger.list(REALM, { limit: 9 }), []);
  });

  test("refuses an entry that no commit takes, whatever made it so large, and others are taken after it", async (context) => {
    const { events } = await openEvents(context);
    await events.putRule({ Name: "r", EventPattern: '{"source":[{"exists":true}]}' });
    await events.putTargets({ Rule: "r", Targets: [{ Id: "q", Arn: QUEUE }] });
    for (const entry of [
      { ...GOOD, DetailType: "\u0001".repeat(600_000) },
      { ...GOOD, Source: "\u0001".repeat(600_000) },
      { ...GOOD, Resources: Array.from({ length: 300 }, () => "\u0001".repeat(2_000)) },
      { ...GOOD, Detail: JSON.stringify({ text: "x".repeat(1_100_000) }) },
    ]) {
      const { FailedEntryCount, Entries } = await events.putEvents({ Entries: [entry] });
      assert.deepEqual([FailedEntryCount, Entries?.[0]?.ErrorCode], [1, "InvalidArgument"]);
    }
    assert.equal((await events.putEvents({ Entries: [GOOD] })).FailedEntryCount, 0);
    assert.equal(
      (await events.putEvents({ Entries: [{ ...GOOD, Detail: JSON.stringify({ text: "x".repeat(1_000_000) }) }] })).FailedEntryCount,
      0,
    );
  });

  test("tells of a busy storage entry by entry, so that clients send those again", async (context) => {
    const world = await openEvents(context);
    await world.events.createEventBus({ Name: "orders" });
    world.faults = ({ kind, cell }) => (kind === "commit" && cell.includes("/bus/orders/") ? { kind: "busy" } : undefined);
    const { FailedEntryCount, Entries } = await world.events.putEvents({ Entries: [GOOD, { ...GOOD, EventBusName: "orders" }, GOOD] });
    assert.deepEqual([FailedEntryCount, Entries?.map(({ ErrorCode }) => ErrorCode)], [1, [undefined, "ThrottlingException", undefined]]);
    world.faults = ({ kind }) => (kind === "commit" ? { kind: "stopBefore" } : undefined);
    await assert.rejects(world.events.putEvents({ Entries: [GOOD] }), { name: "ServiceUnavailable" });
  });
});

describe("TestEventPattern", () => {
  const event = {
    ...{ id: "1", account: ACCOUNT, source: "shop", time: "2026-11-21T19:00:00Z", region: "us-east-1", resources: [] },
    "detail-type": "Order",
    detail: { n: 5 },
  };

  test("says whether an event matches", async (context) => {
    const { events } = await openEvents(context);
    const matches = async (EventPattern: string) => (await events.testEventPattern({ EventPattern, Event: JSON.stringify(event) })).Result;
    assert.equal(await matches('{"source":["shop"]}'), true);
    assert.equal(await matches('{"detail":{"n":[{"numeric":[">",5]}]}}'), false);
    assert.equal(await matches('{"$or":[{"source":["bank"]},{"detail":{"n":[5]}}]}'), true);
  });

  test("refuses a pattern that is none by its name, and an event that lacks a member", async (context) => {
    const { events } = await openEvents(context);
    const refused = (EventPattern: string, Event: string, name: string) =>
      assert.rejects(events.testEventPattern({ EventPattern, Event }), { name }, Event);
    const members = Object.keys(event).filter((member) => member !== "detail");
    const incomplete = members.map((member) =>
      JSON.stringify(Object.fromEntries(Object.entries(event).filter(([name]) => name !== member))),
    );
    for (const pattern of ["", "{", '{"source":"shop"}', '{"source":[{"numeric":[">"]}]}'])
      await refused(pattern, JSON.stringify(event), "InvalidEventPatternException");
    for (const wrong of ["", "7", "null", "[]", "{}", ...incomplete]) await refused('{"source":["shop"]}', wrong, "ValidationException");
    await refused('{"source":["shop"]}', "[".repeat(100_000), "ValidationException");
  });
});

describe("who may do what", () => {
  test("is asked of the thing that a call is about", async (context) => {
    const { events, permissions } = await openEvents(context);
    const bus = arnOf("event-bus/orders");
    const [rule, onOrders] = [arnOf("rule/r"), arnOf("rule/orders/r")];
    const asked = async (resource: string, ...calls: readonly (() => Promise<unknown>)[]): Promise<void> => {
      for (const call of calls) {
        permissions.length = 0;
        await call().catch(() => undefined);
        assert.equal(permissions.length, 1);
        assert.equal(permissions[0]?.resource, resource, permissions[0]?.action ?? "not asked");
      }
    };
    await asked(
      bus,
      () => events.createEventBus({ Name: "orders" }),
      () => events.updateEventBus({ Name: "orders" }),
      () => events.describeEventBus({ Name: bus }),
      () => events.putPermission({ EventBusName: "orders", Policy: "{" }),
      () => events.removePermission({ EventBusName: "orders", StatementId: "x" }),
      () => events.tagResource({ ResourceARN: bus, Tags: [] }),
      () => events.untagResource({ ResourceARN: bus, TagKeys: [] }),
      () => events.listTagsForResource({ ResourceARN: bus }),
      () =>
        events.putEvents({
          Entries: [
            { ...GOOD, EventBusName: "orders" },
            { ...GOOD, EventBusName: bus },
          ],
        }),
    );
    await asked(
      arnOf("event-bus/default"),
      () => events.putEvents({ Entries: [GOOD, GOOD] }),
      () => events.describeEventBus({}),
    );
    await asked(
      "*",
      () => events.listEventBuses({}),
      () => events.listRules({ EventBusName: "orders" }),
      () => events.listRuleNamesByTarget({ TargetArn: QUEUE }),
      () => events.testEventPattern({ EventPattern: "{", Event: "{}" }),
      () => events.listArchives({}),
      () => events.listReplays({}),
    );
    await asked(
      rule,
      () => events.putRule({ Name: "r", EventPattern: '{"source":["shop"]}' }),
      () => events.putTargets({ Rule: "r", Targets: [{ Id: "a", Arn: QUEUE }] }),
      () => events.listTargetsByRule({ Rule: "r" }),
      () => events.removeTargets({ Rule: "r", Ids: ["a"] }),
      () => events.describeRule({ Name: "r" }),
      () => events.enableRule({ Name: "r" }),
      () => events.disableRule({ Name: "r" }),
      () => events.listTagsForResource({ ResourceARN: rule }),
      () => events.deleteRule({ Name: "r" }),
    );
    await asked(
      onOrders,
      () => events.putRule({ Name: "r", EventBusName: bus, EventPattern: "{" }),
      () => events.describeRule({ Name: "r", EventBusName: "orders" }),
    );
    await asked(
      arnOf("archive/a"),
      () => events.describeArchive({ ArchiveName: "a" }),
      () => events.deleteArchive({ ArchiveName: "a" }),
    );
    await asked(
      arnOf("replay/a"),
      () => events.describeReplay({ ReplayName: "a" }),
      () => events.cancelReplay({ ReplayName: "a" }),
    );
    await asked(bus, () => events.deleteEventBus({ Name: "orders" }));
    permissions.length = 0;
    await events.putEvents({ Entries: [GOOD, { ...GOOD, EventBusName: "orders" }, { ...GOOD, EventBusName: bus }] });
    assert.deepEqual(permissions, [
      { action: "events:PutEvents", resource: arnOf("event-bus/default") },
      { action: "events:PutEvents", resource: bus },
    ]);
  });

  test("a bus on which a role is denied to put takes nothing of it, also among entries for buses on which it may", async (context) => {
    const world = await openEvents(context);
    for (const Name of ["orders", "payments", "sealed"]) await world.events.createEventBus({ Name });
    const events = await worker(world, [
      { Effect: "Allow", Action: "events:PutEvents", Resource: "*" },
      { Effect: "Deny", Action: "events:PutEvents", Resource: arnOf("event-bus/payments") },
    ]);
    const denied = { Effect: "Deny", Principal: "*", Action: "events:PutEvents", Resource: arnOf("event-bus/sealed") };
    await world.events.putPermission({
      EventBusName: "sealed",
      Policy: JSON.stringify({ Version: "2012-10-17", Statement: [denied] }),
    });
    const on = (...names: readonly string[]) => events.putEvents({ Entries: names.map((EventBusName) => ({ ...GOOD, EventBusName })) });
    assert.equal((await on("orders", "default")).FailedEntryCount, 0, "several at once, each of which it may");
    for (const bus of ["payments", "sealed"]) {
      await assert.rejects(on(bus), { name: "AccessDeniedException" });
      await assert.rejects(on("orders", bus), { name: "AccessDeniedException" }, `orders and ${bus}`);
    }
  });

  /** The worker's credentials; its role allows what `Statement` says. */
  async function worker({ security, client }: EventsWorld, Statement: readonly object[]) {
    const trustPolicy =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}';
    await security.roles.createRole(ACCOUNT, { name: "worker", path: "/", trustPolicy, tags: {} });
    if (Statement.length > 0) {
      const document = JSON.stringify({ Version: "2012-10-17", Statement });
      await security.roles.changeRole(ACCOUNT, "worker", { kind: "putInline", name: "allowed", document });
    }
    return client(security.credentials.issue(functionVersion({ name: "worker", roleArn: `arn:aws:iam::${ACCOUNT}:role/worker` })));
  }

  test("a role that may put on one bus puts on that, and not on several at once", async (context) => {
    const world = await openEvents(context);
    for (const Name of ["orders", "payments"]) await world.events.createEventBus({ Name });
    const events = await worker(world, [{ Effect: "Allow", Action: "events:PutEvents", Resource: arnOf("event-bus/orders") }]);
    const on = (...names: readonly string[]) => events.putEvents({ Entries: names.map((EventBusName) => ({ ...GOOD, EventBusName })) });
    const { Entries } = await on("orders", "orders");
    const record = (await world.ledger.find(REALM, Entries?.[0]?.EventId ?? ""))?.record;
    assert.equal(record?.origin, functionArn(REALM, "worker"), "the record says who put it");
    await assert.rejects(on("payments"), { name: "AccessDeniedException" });
    await assert.rejects(on("orders", "payments"), { name: "AccessDeniedException" });
    await assert.rejects(events.listEventBuses({}), { name: "AccessDeniedException" });
  });

  test("a bus's policy lets in a role that nothing else allows, and its deny always counts", async (context) => {
    const world = await openEvents(context);
    const events = await worker(world, []);
    const put = () => events.putEvents({ Entries: [GOOD] });
    await assert.rejects(put(), { name: "AccessDeniedException" });
    const policy = (Effect: string) =>
      world.events.putPermission({
        Policy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect,
              Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/worker` },
              Action: "events:PutEvents",
              Resource: arnOf("event-bus/default"),
            },
          ],
        }),
      });
    await policy("Allow");
    assert.equal((await put()).FailedEntryCount, 0);
    await policy("Deny");
    await assert.rejects(put(), { name: "AccessDeniedException" });
  });
});
