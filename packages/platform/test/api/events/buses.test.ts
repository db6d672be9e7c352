/** Buses, rules, targets and tags by the SDK: what goes in comes out, what is refused has EventBridge's names. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EventBridge, Target } from "@aws-sdk/client-eventbridge";
import { ACCOUNT, arnOf, openEvents } from "./world.ts";

const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:orders`;
const STREAM = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/orders`;
const streamTarget: Target = { Id: "x", Arn: STREAM, RoleArn: `arn:aws:iam::${ACCOUNT}:role/any` };
const PATTERN = '{"source":["shop"]}';
const text = (name: string, message?: RegExp) => (message ? { name, message } : { name });

async function ruleOn(events: EventBridge, Name = "r", EventBusName?: string): Promise<void> {
  await events.putRule({ Name, EventPattern: PATTERN, EventBusName });
}

/** All pages of a list, two at a time. */
async function pages<T>(
  list: (token: string | undefined) => Promise<{ readonly NextToken?: string | undefined; readonly page: readonly T[] }>,
): Promise<T[]> {
  const all: T[] = [];
  for (let token: string | undefined; ;) {
    const { NextToken, page } = await list(token);
    assert.ok(page.length > 0 && page.length <= 2);
    all.push(...page);
    if (NextToken === undefined) return all;
    token = NextToken;
  }
}

describe("buses", () => {
  test("are made, described, changed, listed, deleted; every realm has a default one", async (context) => {
    const { events } = await openEvents(context);
    const made = await events.createEventBus({ Name: "orders", Description: "of the shop", Tags: [{ Key: "a", Value: "b" }] });
    assert.deepEqual([made.EventBusArn, made.Description], [arnOf("event-bus/orders"), "of the shop"]);
    const { CreationTime, LastModifiedTime, $metadata: _metadata, ...bus } = await events.describeEventBus({ Name: "orders" });
    assert.deepEqual(bus, { Name: "orders", Arn: arnOf("event-bus/orders"), Description: "of the shop" });
    assert.ok(CreationTime && LastModifiedTime);
    assert.equal((await events.describeEventBus({})).Arn, arnOf("event-bus/default"));
    assert.equal((await events.describeEventBus({ Name: arnOf("event-bus/orders") })).Name, "orders");
    const updated = await events.updateEventBus({ Name: "orders", Description: "of shops" });
    assert.deepEqual([updated.Name, updated.Arn, updated.Description], ["orders", arnOf("event-bus/orders"), "of shops"]);
    await events.updateEventBus({ Description: "the first one" });
    assert.equal((await events.describeEventBus({})).Description, "the first one");
    assert.deepEqual((await events.listTagsForResource({ ResourceARN: arnOf("event-bus/orders") })).Tags, [{ Key: "a", Value: "b" }]);
    await events.deleteEventBus({ Name: "orders" });
    await events.deleteEventBus({ Name: "orders" });
    await assert.rejects(
      events.describeEventBus({ Name: "orders" }),
      text("ResourceNotFoundException", /Event bus orders does not exist/u),
    );
  });

  test("are listed in pages, by prefix", async (context) => {
    const { events } = await openEvents(context);
    for (const Name of ["b", "a2", "a1", "a3", "c"]) await events.createEventBus({ Name });
    const list = (NamePrefix?: string) =>
      pages(async (NextToken) => {
        const answer = await events.listEventBuses({ Limit: 2, NextToken, NamePrefix });
        return { NextToken: answer.NextToken, page: (answer.EventBuses ?? []).map(({ Name }) => Name) };
      });
    assert.deepEqual(await list(), ["a1", "a2", "a3", "b", "c", "default"]);
    assert.deepEqual(await list("a"), ["a1", "a2", "a3"]);
    await assert.rejects(events.listEventBuses({ NextToken: "***" }), text("ValidationException"));
  });

  test("refuse what EventBridge refuses, by its names", async (context) => {
    const { events, json } = await openEvents(context);
    await events.createEventBus({ Name: "orders" });
    await assert.rejects(events.createEventBus({ Name: "orders" }), text("ResourceAlreadyExistsException", /orders already exists/u));
    await assert.rejects(events.createEventBus({ Name: "default" }), text("ResourceAlreadyExistsException"));
    await assert.rejects(events.createEventBus({ Name: "a b" }), text("ValidationException"));
    await assert.rejects(events.createEventBus({ Name: "x", KmsKeyIdentifier: "key" }), text("NotImplemented", /KmsKeyIdentifier/u));
    await assert.rejects(events.deleteEventBus({ Name: "default" }), text("ValidationException", /default/u));
    await assert.rejects(events.updateEventBus({ Name: "none" }), text("ResourceNotFoundException"));
    await ruleOn(events, "r", "orders");
    await assert.rejects(events.deleteEventBus({ Name: "orders" }), text("ValidationException", /has rules/u));
    const { status, body } = await json("CreateEventBus", { Name: 7 });
    assert.deepEqual([status, JSON.parse(body.toString())["__type"]], [400, "SerializationException"]);
    assert.equal((await json("CreateEventBus", {})).status, 400);
  });

  test("of another account or region are none of this one's", async (context) => {
    const { events, buses } = await openEvents(context);
    await events.createEventBus({ Name: "orders" });
    for (const arn of [`arn:aws:events:eu-west-1:${ACCOUNT}:event-bus/orders`, "arn:aws:events:us-east-1:111111111111:event-bus/orders"]) {
      await assert.rejects(events.describeEventBus({ Name: arn }), text("ResourceNotFoundException"));
      await assert.rejects(events.putRule({ Name: "r", EventBusName: arn, EventPattern: PATTERN }), text("ResourceNotFoundException"));
      // A thing of another account is said by that account's policy, which is not there.
      const name = arn.includes(ACCOUNT) ? "ResourceNotFoundException" : "AccessDeniedException";
      await assert.rejects(events.listTagsForResource({ ResourceARN: arn }), { name });
      await assert.rejects(events.tagResource({ ResourceARN: arn.replace("event-bus", "rule"), Tags: [] }), { name });
      await assert.rejects(events.deleteEventBus({ Name: arn }), text("ValidationException"));
      const { FailedEntryCount, Entries } = await events.putEvents({
        Entries: [{ Source: "shop", DetailType: "t", Detail: "{}", EventBusName: arn }],
      });
      assert.deepEqual([FailedEntryCount, Entries?.[0]?.ErrorCode], [1, "ResourceNotFoundException"]);
    }
    assert.ok(buses.find({ account: ACCOUNT, region: "us-east-1" }, "orders"));
  });

  test("have a policy, whole or by statement", async (context) => {
    const { events } = await openEvents(context);
    const policy = async () =>
      JSON.parse((await events.describeEventBus({})).Policy ?? '{"Statement":[]}') as { Statement: { Sid?: string }[] };
    await events.putPermission({ StatementId: "one", Action: "events:PutEvents", Principal: "111111111111" });
    await events.putPermission({
      ...{ StatementId: "all", Action: "events:PutEvents", Principal: "*" },
      Condition: { Type: "StringEquals", Key: "aws:PrincipalOrgID", Value: "o-1" },
    });
    assert.deepEqual((await policy()).Statement, [
      {
        ...{ Sid: "one", Effect: "Allow", Principal: { AWS: "arn:aws:iam::111111111111:root" } },
        ...{ Action: "events:PutEvents", Resource: arnOf("event-bus/default") },
      },
      {
        ...{ Sid: "all", Effect: "Allow", Principal: "*", Action: "events:PutEvents", Resource: arnOf("event-bus/default") },
        Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } },
      },
    ]);
    await events.putPermission({ StatementId: "one", Action: "events:PutEvents", Principal: "222222222222" });
    assert.deepEqual(
      (await policy()).Statement.map(({ Sid }) => Sid),
      ["all", "one"],
    );
    await events.removePermission({ StatementId: "all" });
    await assert.rejects(events.removePermission({ StatementId: "all" }), text("ResourceNotFoundException"));
    await assert.rejects(events.removePermission({}), text("ValidationException"));
    await events.removePermission({ StatementId: "one" });
    assert.equal((await events.describeEventBus({})).Policy, undefined);
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "mine",
          Effect: "Allow",
          Principal: { AWS: "111111111111" },
          Action: "events:PutEvents",
          Resource: arnOf("event-bus/default"),
        },
      ],
    });
    await events.putPermission({ Policy });
    assert.equal((await events.describeEventBus({})).Policy, Policy);
    await events.removePermission({ RemoveAllPermissions: true });
    assert.equal((await events.describeEventBus({})).Policy, undefined);
  });

  test("refuse a policy that is none, that is too long, and a statement without its parts", async (context) => {
    const { events } = await openEvents(context);
    for (const Policy of ["{", "[]", '{"Statement":7}', '{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}'])
      await assert.rejects(events.putPermission({ Policy }), text("ValidationException"), Policy);
    await assert.rejects(events.putPermission({ Policy: " ".repeat(10_241) }), text("PolicyLengthExceededException", /10240/u));
    await assert.rejects(events.putPermission({ StatementId: "one" }), text("ValidationException", /Principal/u));
    await assert.rejects(events.putPermission({ EventBusName: "none", Policy: "{}" }), text("ResourceNotFoundException"));
    assert.equal((await events.describeEventBus({})).Policy, undefined);
  });
});

describe("rules", () => {
  test("are made, described, changed, switched, deleted", async (context) => {
    const { events } = await openEvents(context);
    await events.createEventBus({ Name: "orders" });
    const given = {
      Name: "big",
      EventBusName: "orders",
      EventPattern: PATTERN,
      Description: "large ones",
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/r`,
    };
    assert.equal((await events.putRule({ ...given, Tags: [{ Key: "a", Value: "b" }] })).RuleArn, arnOf("rule/orders/big"));
    const describe = async () => {
      const { $metadata: _metadata, ...rule } = await events.describeRule({ Name: "big", EventBusName: "orders" });
      return rule;
    };
    assert.deepEqual(await describe(), { ...given, Arn: arnOf("rule/orders/big"), State: "ENABLED", CreatedBy: ACCOUNT });
    await events.disableRule({ Name: "big", EventBusName: arnOf("event-bus/orders") });
    assert.equal((await describe()).State, "DISABLED");
    await events.enableRule({ Name: "big", EventBusName: "orders" });
    assert.equal((await describe()).State, "ENABLED");
    await events.putRule({ Name: "big", EventBusName: "orders", EventPattern: '{"source":["bank"]}', State: "DISABLED" });
    assert.deepEqual(await describe(), {
      ...{ Name: "big", Arn: arnOf("rule/orders/big"), EventBusName: "orders", EventPattern: '{"source":["bank"]}' },
      ...{ State: "DISABLED", CreatedBy: ACCOUNT },
    });
    assert.deepEqual(
      (await events.listTagsForResource({ ResourceARN: arnOf("rule/orders/big") })).Tags,
      [{ Key: "a", Value: "b" }],
      "tags stay",
    );
    await events.deleteRule({ Name: "big", EventBusName: "orders" });
    await events.deleteRule({ Name: "big", EventBusName: "orders" });
    await assert.rejects(
      events.describeRule({ Name: "big", EventBusName: "orders" }),
      text("ResourceNotFoundException", /Rule big does not exist on EventBus orders/u),
    );
  });

  test("are listed in pages, by prefix and by target", async (context) => {
    const { events } = await openEvents(context);
    await events.createEventBus({ Name: "orders" });
    for (const name of ["b", "a3", "a1", "a2", "a4"]) await ruleOn(events, name, "orders");
    await ruleOn(events, "elsewhere");
    for (const Rule of ["a1", "b", "a4"]) await events.putTargets({ Rule, EventBusName: "orders", Targets: [{ Id: "q", Arn: QUEUE }] });
    const list = (NamePrefix?: string) =>
      pages(async (NextToken) => {
        const answer = await events.listRules({ EventBusName: "orders", Limit: 2, NextToken, NamePrefix });
        return { NextToken: answer.NextToken, page: (answer.Rules ?? []).map(({ Name }) => Name) };
      });
    assert.deepEqual(
      [await list(), await list("a")],
      [
        ["a1", "a2", "a3", "a4", "b"],
        ["a1", "a2", "a3", "a4"],
      ],
    );
    const byTarget = await pages(async (NextToken) => {
      const answer = await events.listRuleNamesByTarget({ TargetArn: QUEUE, EventBusName: "orders", Limit: 2, NextToken });
      return { NextToken: answer.NextToken, page: answer.RuleNames ?? [] };
    });
    assert.deepEqual(byTarget, ["a1", "a4", "b"]);
    assert.deepEqual((await events.listRuleNamesByTarget({ TargetArn: QUEUE })).RuleNames, []);
    assert.deepEqual(
      (await events.listRules({})).Rules?.map(({ Name, EventBusName }) => [Name, EventBusName]),
      [["elsewhere", "default"]],
    );
    await assert.rejects(events.listRules({ EventBusName: "none" }), text("ResourceNotFoundException"));
    await assert.rejects(events.listRuleNamesByTarget({ TargetArn: QUEUE, EventBusName: "none" }), text("ResourceNotFoundException"));
  });

  test("refuse what EventBridge refuses, by its names", async (context) => {
    const { events } = await openEvents(context);
    await assert.rejects(
      events.putRule({ Name: "r" }),
      text("ValidationException", /EventPattern or ScheduleExpression must be specified/u),
    );
    for (const EventPattern of ["{", "7", '{"source":"shop"}', '{"source":[{"prefixx":"a"}]}'])
      await assert.rejects(events.putRule({ Name: "r", EventPattern }), text("InvalidEventPatternException"), EventPattern);
    await assert.rejects(events.putRule({ Name: "a b", EventPattern: PATTERN }), text("ValidationException"));
    await assert.rejects(events.putRule({ Name: "r", EventPattern: PATTERN, EventBusName: "none" }), text("ResourceNotFoundException"));
    for (const refused of [
      events.enableRule({ Name: "none" }),
      events.disableRule({ Name: "none" }),
      events.deleteRule({ Name: "none", EventBusName: "none" }),
      events.putTargets({ Rule: "none", Targets: [{ Id: "a", Arn: QUEUE }] }),
      events.removeTargets({ Rule: "none", Ids: ["a"] }),
      events.listTargetsByRule({ Rule: "none" }),
    ])
      await assert.rejects(refused, text("ResourceNotFoundException"));
    await ruleOn(events);
    await events.putTargets({ Rule: "r", Targets: [{ Id: "a", Arn: QUEUE }] });
    await assert.rejects(events.deleteRule({ Name: "r" }), text("ValidationException", /has targets/u));
  });
});

describe("targets", () => {
  test("come out as they went in, in order of their ids, in pages", async (context) => {
    const { events } = await openEvents(context);
    await ruleOn(events);
    const targets: Target[] = [
      {
        Id: "a",
        Arn: QUEUE,
        Input: '{"a":1}',
        DeadLetterConfig: { Arn: `${QUEUE}-dead` },
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
      {
        Id: "b",
        Arn: `${QUEUE}.fifo`,
        InputPath: "$.detail",
        SqsParameters: { MessageGroupId: "g" },
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400 },
      },
      {
        ...{ Id: "c", Arn: arnOf("api-destination/x/0"), RoleArn: `arn:aws:iam::${ACCOUNT}:role/r` },
        InputTransformer: { InputPathsMap: { n: "$.detail.n" }, InputTemplate: '{"n":<n>}' },
        HttpParameters: { PathParameterValues: ["p"], HeaderParameters: { h: "v" }, QueryStringParameters: { q: "v" } },
        RetryPolicy: { MaximumRetryAttempts: 185 },
      },
      { Id: "d", Arn: QUEUE, InputTransformer: { InputTemplate: "<lambent.cloudevent>" } },
      { ...streamTarget, Id: "e", KinesisParameters: { PartitionKeyPath: "$.detail.customer" } },
    ];
    const put = await events.putTargets({ Rule: "r", Targets: targets.toReversed() });
    assert.deepEqual([put.FailedEntryCount, put.FailedEntries], [0, []]);
    const list = () =>
      pages(async (NextToken) => {
        const answer = await events.listTargetsByRule({ Rule: "r", Limit: 2, NextToken });
        return { NextToken: answer.NextToken, page: answer.Targets ?? [] };
      });
    assert.deepEqual(await list(), targets);
    await events.putTargets({ Rule: "r", Targets: [{ Id: "c", Arn: QUEUE }] });
    assert.deepEqual((await list())[2], { Id: "c", Arn: QUEUE }, "the id has another target now");
    const removed = await events.removeTargets({ Rule: "r", Ids: ["a", "none", "e"] });
    assert.deepEqual(
      [removed.FailedEntryCount, removed.FailedEntries?.map(({ TargetId, ErrorCode }) => [TargetId, ErrorCode])],
      [1, [["none", "ResourceNotFoundException"]]],
    );
    assert.deepEqual(
      (await list()).map(({ Id }) => Id),
      ["b", "c", "d"],
    );
  });

  test("are refused one by one where EventBridge does so, and as a whole where not", async (context) => {
    const { events } = await openEvents(context);
    await ruleOn(events);
    const put = (...Targets: Target[]) => events.putTargets({ Rule: "r", Targets });
    const { FailedEntryCount, FailedEntries } = await put(
      { Id: "good", Arn: QUEUE },
      { Id: "name", Arn: "hello" },
      { Id: "fifo", Arn: `${QUEUE}.fifo` },
      { Id: "key", Arn: QUEUE, KinesisParameters: { PartitionKeyPath: "$.id" } },
      { ...streamTarget, Id: "reader", Arn: `${STREAM}/consumer/c:1` },
    );
    assert.equal(FailedEntryCount, 4);
    assert.deepEqual(
      FailedEntries?.map(({ TargetId, ErrorCode }) => [TargetId, ErrorCode]),
      [
        ["name", "ValidationException"],
        ["fifo", "ValidationException"],
        ["key", "ValidationException"],
        ["reader", "ValidationException"],
      ],
    );
    const whole: readonly (readonly [Target, string, RegExp])[] = [
      [{ Id: "x", Arn: QUEUE, Input: "{" }, "ValidationException", /JSON syntax error in input for target x/u],
      [{ Id: "x", Arn: QUEUE, Input: "{}", InputPath: "$" }, "ValidationException", /Only one of Input, InputPath, or InputTransformer/u],
      [{ Id: "x", Arn: QUEUE, InputPath: "detail" }, "ValidationException", /InputPath for target x is invalid/u],
      [{ Id: "x", Arn: QUEUE, InputTransformer: { InputTemplate: "<missing>" } }, "ValidationException", /x/u],
      [{ Id: "x", Arn: QUEUE, RetryPolicy: { MaximumRetryAttempts: 186 } }, "ValidationException", /185/u],
      [{ Id: "x", Arn: QUEUE, RetryPolicy: { MaximumEventAgeInSeconds: 59 } }, "ValidationException", /60/u],
      [{ Id: "x", Arn: STREAM }, "ValidationException", /RoleArn is required for target arn:aws:kinesis:/u],
      [{ ...streamTarget, KinesisParameters: { PartitionKeyPath: "id" } }, "ValidationException", /PartitionKeyPath for target x/u],
      [{ Id: "x", Arn: STREAM.replace("kinesis", "firehose") }, "NotImplemented", /firehose/u],
    ];
    for (const [target, name, message] of whole)
      await assert.rejects(put({ Id: "alsoGood", Arn: QUEUE }, target), { name, message }, JSON.stringify(target));
    const six = Array.from({ length: 6 }, (_, index) => ({ Id: `${index}`, Arn: QUEUE }));
    await assert.rejects(put(...six), text("LimitExceededException", /5 targets/u));
    assert.deepEqual((await events.listTargetsByRule({ Rule: "r" })).Targets, [{ Id: "good", Arn: QUEUE }]);
  });
});

describe("tags", () => {
  test("are put on buses and rules, changed, taken off", async (context) => {
    const { events } = await openEvents(context);
    await events.createEventBus({ Name: "orders" });
    await ruleOn(events);
    await ruleOn(events, "r", "orders");
    for (const ResourceARN of [arnOf("event-bus/default"), arnOf("event-bus/orders"), arnOf("rule/r"), arnOf("rule/orders/r")]) {
      const tags = async () => (await events.listTagsForResource({ ResourceARN })).Tags;
      assert.deepEqual(await tags(), []);
      await events.tagResource({
        ResourceARN,
        Tags: [
          { Key: "a", Value: "1" },
          { Key: "__proto__", Value: "2" },
        ],
      });
      await events.tagResource({ ResourceARN, Tags: [{ Key: "a", Value: "3" }] });
      assert.deepEqual(await tags(), [
        { Key: "a", Value: "3" },
        { Key: "__proto__", Value: "2" },
      ]);
      await events.untagResource({ ResourceARN, TagKeys: ["a", "never was"] });
      assert.deepEqual(await tags(), [{ Key: "__proto__", Value: "2" }]);
      const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: "v" }));
      await assert.rejects(events.tagResource({ ResourceARN, Tags: many }), text("ValidationException", /50 tags/u));
    }
    for (const ResourceARN of [arnOf("event-bus/none"), arnOf("rule/none"), arnOf("archive/x"), "arn:aws:sqs:us-east-1:000000000000:q"])
      for (const refused of [
        events.listTagsForResource({ ResourceARN }),
        events.tagResource({ ResourceARN, Tags: [{ Key: "a", Value: "b" }] }),
        events.untagResource({ ResourceARN, TagKeys: ["a"] }),
      ])
        await assert.rejects(refused, text("ResourceNotFoundException"), ResourceARN);
  });
});
