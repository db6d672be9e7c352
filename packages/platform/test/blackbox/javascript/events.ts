import assert from "node:assert/strict";
import {
  InvalidEventPatternException,
  PolicyLengthExceededException,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from "@aws-sdk/client-eventbridge";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import { known, type OperationCase } from "./cases.ts";
import { archiveCases, destinationCases } from "./events-archives.ts";
import { arnOf, bus, INVALID, next, NOT_THERE, order, queue, queueArnOf, rule } from "./events-stage.ts";

const busCases = {
  CreateEventBus: {
    async does({ js, stage }) {
      const Tags = [{ Key: "a", Value: "b" }];
      const { EventBusArn } = await js.events.createEventBus({ Name: "made", Description: "of tests", Tags });
      assert.equal(EventBusArn, arnOf("event-bus/made"));
      assert.equal((await stage.events.describeEventBus({ Name: "made" })).Description, "of tests");
    },
    refuses: [({ js }) => js.events.createEventBus({ Name: "default" }), ResourceAlreadyExistsException, 400],
  },
  UpdateEventBus: {
    async does(stage) {
      await bus(stage, "updated");
      await stage.js.events.updateEventBus({ Name: "updated", Description: "changed" });
      assert.equal((await stage.stage.events.describeEventBus({ Name: "updated" })).Description, "changed");
    },
    refuses: [({ js }) => js.events.updateEventBus({ Name: "none", Description: "x" }), ...NOT_THERE],
  },
  DeleteEventBus: {
    async does(stage) {
      await bus(stage, "deleted");
      await stage.js.events.deleteEventBus({ Name: "deleted" });
      await assert.rejects(stage.stage.events.describeEventBus({ Name: "deleted" }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.events.deleteEventBus({ Name: "default" }), ...INVALID],
  },
  DescribeEventBus: {
    async does({ js }) {
      assert.equal((await js.events.describeEventBus({})).Arn, arnOf("event-bus/default"));
    },
    refuses: [({ js }) => js.events.describeEventBus({ Name: "none" }), ...NOT_THERE],
  },
  ListEventBuses: {
    async does(stage) {
      for (const name of ["listed-a", "listed-b"]) await bus(stage, name);
      const { EventBuses, NextToken } = await stage.js.events.listEventBuses({ NamePrefix: "listed-", Limit: 1 });
      const rest = await stage.stage.events.listEventBuses({ NamePrefix: "listed-", NextToken });
      assert.deepEqual([EventBuses?.[0]?.Name, rest.EventBuses?.[0]?.Name, rest.NextToken], ["listed-a", "listed-b", undefined]);
    },
    refuses: [({ js }) => js.events.listEventBuses({ NextToken: "***" }), ...INVALID],
  },
  PutPermission: {
    async does(stage) {
      await bus(stage, "shared");
      const given = { EventBusName: "shared", StatementId: "friends", Action: "events:PutEvents", Principal: "111111111111" };
      await stage.js.events.putPermission(given);
      assert.match(known((await stage.stage.events.describeEventBus({ Name: "shared" })).Policy), /"Sid":"friends"/u);
    },
    refuses: [({ js }) => js.events.putPermission({ Policy: " ".repeat(10_241) }), PolicyLengthExceededException, 400],
  },
  RemovePermission: {
    async does(stage) {
      await bus(stage, "unshared");
      const given = { EventBusName: "unshared", StatementId: "friends" };
      await stage.stage.events.putPermission({ ...given, Action: "events:PutEvents", Principal: "111111111111" });
      await stage.js.events.removePermission(given);
      assert.equal((await stage.stage.events.describeEventBus({ Name: "unshared" })).Policy, undefined);
    },
    refuses: [({ js }) => js.events.removePermission({ StatementId: "none" }), ...NOT_THERE],
  },
  TagResource: {
    async does(stage) {
      const ResourceARN = await bus(stage, "tagged");
      await stage.js.events.tagResource({ ResourceARN, Tags: [{ Key: "a", Value: "1" }] });
      assert.deepEqual((await stage.stage.events.listTagsForResource({ ResourceARN })).Tags, [{ Key: "a", Value: "1" }]);
    },
    refuses: [({ js }) => js.events.tagResource({ ResourceARN: arnOf("event-bus/none"), Tags: [] }), ...NOT_THERE],
  },
  UntagResource: {
    async does(stage) {
      const ResourceARN = await bus(stage, "untagged");
      await stage.stage.events.tagResource({ ResourceARN, Tags: [{ Key: "a", Value: "1" }] });
      await stage.js.events.untagResource({ ResourceARN, TagKeys: ["a"] });
      assert.deepEqual((await stage.stage.events.listTagsForResource({ ResourceARN })).Tags, []);
    },
    refuses: [({ js }) => js.events.untagResource({ ResourceARN: arnOf("rule/none"), TagKeys: ["a"] }), ...NOT_THERE],
  },
  ListTagsForResource: {
    async does({ js }) {
      assert.deepEqual((await js.events.listTagsForResource({ ResourceARN: arnOf("event-bus/default") })).Tags, []);
    },
    refuses: [({ js }) => js.events.listTagsForResource({ ResourceARN: arnOf("rule/none") }), ...NOT_THERE],
  },
} satisfies Record<string, OperationCase>;

const ruleCases = {
  PutRule: {
    async does(stage) {
      await bus(stage, "put-rule");
      const given = { Name: "r", EventBusName: "put-rule", EventPattern: '{"source":["shop"]}', Description: "x" };
      assert.equal((await stage.js.events.putRule(given)).RuleArn, arnOf("rule/put-rule/r"));
      assert.equal((await stage.stage.events.describeRule(given)).Description, "x");
    },
    refuses: [({ js }) => js.events.putRule({ Name: "r", EventPattern: '{"source":"shop"}' }), InvalidEventPatternException, 400],
  },
  DescribeRule: {
    async does(stage) {
      const { State, CreatedBy } = await stage.js.events.describeRule(await rule(stage, "described"));
      assert.deepEqual([State, CreatedBy], ["ENABLED", ACCOUNT]);
    },
    refuses: [({ js }) => js.events.describeRule({ Name: "none" }), ...NOT_THERE],
  },
  DeleteRule: {
    async does(stage) {
      const named = await rule(stage, "deleted-rule");
      await stage.js.events.deleteRule(named);
      await assert.rejects(stage.stage.events.describeRule(named), ResourceNotFoundException);
    },
    refuses: [async (stage) => stage.js.events.deleteRule(await rule(stage, "full", { Id: "q", Arn: queueArnOf("x") })), ...INVALID],
  },
  EnableRule: {
    async does(stage) {
      const named = await rule(stage, "enabled");
      await stage.stage.events.disableRule(named);
      await stage.js.events.enableRule(named);
      assert.equal((await stage.stage.events.describeRule(named)).State, "ENABLED");
    },
    refuses: [({ js }) => js.events.enableRule({ Name: "none" }), ...NOT_THERE],
  },
  DisableRule: {
    async does(stage) {
      const named = await rule(stage, "disabled");
      await stage.js.events.disableRule(named);
      assert.equal((await stage.stage.events.describeRule(named)).State, "DISABLED");
    },
    refuses: [({ js }) => js.events.disableRule({ Name: "none" }), ...NOT_THERE],
  },
  ListRules: {
    async does(stage) {
      const { EventBusName } = await rule(stage, "listed-rules");
      assert.deepEqual(
        (await stage.js.events.listRules({ EventBusName })).Rules?.map(({ Name }) => Name),
        ["listed-rules"],
      );
    },
    refuses: [({ js }) => js.events.listRules({ EventBusName: "none" }), ...NOT_THERE],
  },
  ListRuleNamesByTarget: {
    async does(stage) {
      const { EventBusName } = await rule(stage, "by-target", { Id: "q", Arn: queueArnOf("x") });
      assert.deepEqual((await stage.js.events.listRuleNamesByTarget({ EventBusName, TargetArn: queueArnOf("x") })).RuleNames, [
        "by-target",
      ]);
    },
    refuses: [({ js }) => js.events.listRuleNamesByTarget({ TargetArn: queueArnOf("x"), EventBusName: "none" }), ...NOT_THERE],
  },
  PutTargets: {
    async does(stage) {
      const { Name: Rule, EventBusName } = await rule(stage, "targets");
      const QueueUrl = await queue(stage, "targets");
      const InputTransformer = { InputPathsMap: { n: "$.detail.n" }, InputTemplate: '{"number":<n>,"rule":<aws.events.rule-name>}' };
      const Targets = [
        { Id: "queue", Arn: queueArnOf("targets"), InputTransformer },
        { Id: "bad", Arn: "no-arn" },
      ];
      const { FailedEntryCount, FailedEntries } = await stage.js.events.putTargets({ Rule, EventBusName, Targets });
      assert.deepEqual([FailedEntryCount, FailedEntries?.[0]?.TargetId], [1, "bad"]);
      await stage.stage.events.putEvents({ Entries: [order(EventBusName, 7)] });
      assert.deepEqual(await next(stage, QueueUrl), { number: 7, rule: "targets" });
    },
    refuses: [({ js }) => js.events.putTargets({ Rule: "none", Targets: [{ Id: "q", Arn: queueArnOf("x") }] }), ...NOT_THERE],
  },
  RemoveTargets: {
    async does(stage) {
      const { Name: Rule, EventBusName } = await rule(stage, "removed", { Id: "q", Arn: queueArnOf("x") });
      assert.equal((await stage.js.events.removeTargets({ Rule, EventBusName, Ids: ["q"] })).FailedEntryCount, 0);
      assert.deepEqual((await stage.stage.events.listTargetsByRule({ Rule, EventBusName })).Targets, []);
    },
    refuses: [({ js }) => js.events.removeTargets({ Rule: "none", Ids: ["q"] }), ...NOT_THERE],
  },
  ListTargetsByRule: {
    async does(stage) {
      const target = { Id: "q", Arn: queueArnOf("x"), RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60 } };
      const { Name: Rule, EventBusName } = await rule(stage, "target-list", target);
      assert.deepEqual((await stage.js.events.listTargetsByRule({ Rule, EventBusName })).Targets, [target]);
    },
    refuses: [({ js }) => js.events.listTargetsByRule({ Rule: "none" }), ...NOT_THERE],
  },
  PutEvents: {
    async does(stage) {
      const QueueUrl = await queue(stage, "put");
      const { EventBusName } = await rule(stage, "put", { Id: "q", Arn: queueArnOf("put") });
      const Entries = [order(EventBusName, 1), { ...order(EventBusName, 2), Detail: "no JSON" }];
      const answer = await stage.js.events.putEvents({ Entries });
      assert.deepEqual([answer.FailedEntryCount, answer.Entries?.[1]?.ErrorCode], [1, "MalformedDetail"]);
      const { id, detail, source, "detail-type": type } = await next(stage, QueueUrl);
      assert.deepEqual([id, detail, source, type], [answer.Entries?.[0]?.EventId, { n: 1 }, "shop", "Order"]);
    },
    refuses: [({ js }) => js.events.putEvents({ Entries: Array.from({ length: 11 }, () => order("default", 1)) }), ...INVALID],
  },
  TestEventPattern: {
    async does({ js }) {
      const given = {
        id: "1",
        account: ACCOUNT,
        source: "shop",
        time: "2026-11-21T19:00:00Z",
        region: "us-east-1",
        resources: [],
        "detail-type": "x",
      };
      const matches = async (EventPattern: string) =>
        (await js.events.testEventPattern({ EventPattern, Event: JSON.stringify(given) })).Result;
      assert.deepEqual([await matches('{"source":[{"prefix":"sh"}]}'), await matches('{"source":["bank"]}')], [true, false]);
    },
    refuses: [({ js }) => js.events.testEventPattern({ EventPattern: "{", Event: "{}" }), InvalidEventPatternException, 400],
  },
} satisfies Record<string, OperationCase>;

/** EventBridge: buses, rules, targets, archives, connections; a queue shows what came of it. */
export const eventsCases: Readonly<Record<string, OperationCase>> = { ...busCases, ...ruleCases, ...archiveCases, ...destinationCases };
