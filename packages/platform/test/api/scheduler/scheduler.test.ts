/** EventBridge Scheduler by the SDK: each operation, what is refused and how, and who may do what. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ConflictException,
  type CreateScheduleCommandInput,
  ResourceNotFoundException,
  SchedulerServiceException,
  ServiceQuotaExceededException,
  type Target,
  ValidationException,
} from "@aws-sdk/client-scheduler";
import { functionVersion } from "../../support/function-version.ts";
import { openScheduler } from "./world.ts";

const ACCOUNT = "000000000000";
const REALM = { account: ACCOUNT, region: "us-east-1" };
const ROLE = `arn:aws:iam::${ACCOUNT}:role/scheduler`;
const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:work`;
const STREAM = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/ticks`;
const LATER = "at(2199-01-01T00:00:00)";

function schedule(Name: string, more: Partial<CreateScheduleCommandInput> = {}, target: Partial<Target> = {}): CreateScheduleCommandInput {
  return {
    Name,
    ScheduleExpression: LATER,
    FlexibleTimeWindow: { Mode: "OFF" },
    Target: { Arn: FUNCTION, RoleArn: ROLE, ...target },
    ...more,
  };
}

describe("schedules by the SDK", () => {
  it("are made, shown with what was not said, changed as a whole, and removed", async (test) => {
    const { scheduler } = await openScheduler(test);
    const ScheduleArn = `arn:aws:scheduler:us-east-1:${ACCOUNT}:schedule/default/one`;
    assert.equal((await scheduler.createSchedule(schedule("one"))).ScheduleArn, ScheduleArn);
    const { $metadata: _, CreationDate, LastModificationDate, ...shown } = await scheduler.getSchedule({ Name: "one" });
    assert.ok(CreationDate instanceof Date && LastModificationDate?.getTime() === CreationDate.getTime());
    assert.deepEqual(shown, {
      Arn: ScheduleArn,
      GroupName: "default",
      Name: "one",
      ScheduleExpression: LATER,
      ScheduleExpressionTimezone: "UTC",
      State: "ENABLED",
      Target: { Arn: FUNCTION, RoleArn: ROLE, RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 } },
      FlexibleTimeWindow: { Mode: "OFF" },
      ActionAfterCompletion: "NONE",
    });
    const [StartDate, EndDate] = [new Date(Date.now() + 60_000), new Date(Date.now() + 120_000_000)];
    const whole = schedule(
      "one",
      {
        ScheduleExpression: "cron(0 9 ? * MON-FRI *)",
        ScheduleExpressionTimezone: "Europe/Berlin",
        FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 15 },
        Description: "d",
        State: "DISABLED",
        ActionAfterCompletion: "DELETE",
        KmsKeyArn: `arn:aws:kms:us-east-1:${ACCOUNT}:key/x`,
        StartDate,
        EndDate,
      },
      {
        Arn: `arn:aws:sqs:us-east-1:${ACCOUNT}:orders.fifo`,
        SqsParameters: { MessageGroupId: "g" },
        Input: "any text",
        DeadLetterConfig: { Arn: `arn:aws:sqs:us-east-1:${ACCOUNT}:dead` },
        RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
      },
    );
    await scheduler.updateSchedule(whole);
    const {
      Arn: __,
      CreationDate: ___,
      LastModificationDate: ____,
      $metadata: _____,
      GroupName,
      ...changed
    } = await scheduler.getSchedule({ Name: "one" });
    assert.deepEqual([GroupName, changed], ["default", whole]);
    await scheduler.updateSchedule(schedule("one"));
    assert.equal((await scheduler.getSchedule({ Name: "one" })).Description, undefined);
    await scheduler.deleteSchedule({ Name: "one" });
    await assert.rejects(scheduler.getSchedule({ Name: "one" }), ResourceNotFoundException);
  });

  it("are listed by group, prefix and state, in pages", async (test) => {
    const { scheduler } = await openScheduler(test);
    await scheduler.createScheduleGroup({ Name: "night" });
    for (const [Name, GroupName, State] of [
      ["a1", "default", "ENABLED"],
      ["a2", "default", "DISABLED"],
      ["b1", "default", "ENABLED"],
      ["a1", "night", "ENABLED"],
      ["a3", "night", "DISABLED"],
    ] as const)
      await scheduler.createSchedule(schedule(Name, { GroupName, State }));
    const listed = async (input: Parameters<typeof scheduler.listSchedules>[0]) => {
      const names: string[] = [];
      for (let NextToken: string | undefined, pages = 0; pages < 10; pages++) {
        const page = await scheduler.listSchedules({ ...input, ...(NextToken === undefined ? {} : { NextToken }) });
        names.push(...(page.Schedules ?? []).map(({ GroupName, Name }) => `${GroupName}/${Name}`));
        NextToken = page.NextToken;
        if (NextToken === undefined) break;
      }
      return names;
    };
    const all = ["default/a1", "default/a2", "default/b1", "night/a1", "night/a3"];
    assert.deepEqual(await listed({}), all);
    for (const MaxResults of [1, 2, 3, 5]) assert.deepEqual(await listed({ MaxResults }), all);
    assert.deepEqual(await listed({ NamePrefix: "a", State: "ENABLED", MaxResults: 1 }), ["default/a1", "night/a1"]);
    assert.deepEqual(await listed({ GroupName: "night" }), ["night/a1", "night/a3"]);
    const [first] = (await scheduler.listSchedules({ MaxResults: 1 })).Schedules ?? [];
    assert.deepEqual(
      [first?.Arn, first?.State, first?.Target],
      [`arn:aws:scheduler:us-east-1:${ACCOUNT}:schedule/default/a1`, "ENABLED", { Arn: FUNCTION }],
    );
    await assert.rejects(scheduler.listSchedules({ GroupName: "nowhere" }), ResourceNotFoundException);
    await assert.rejects(scheduler.listSchedules({ NextToken: "%%%" }), ValidationException);
  });

  it("are refused in AWS's words", async (test) => {
    const { scheduler } = await openScheduler(test);
    const refused = (input: CreateScheduleCommandInput, message: string | RegExp) =>
      assert.rejects(scheduler.createSchedule(input), (error) => {
        assert.ok(error instanceof ValidationException, String(error));
        assert.equal(error.$metadata.httpStatusCode, 400);
        if (typeof message === "string") assert.equal(error.message, message);
        else assert.match(error.message, message);
        return true;
      });
    await refused(schedule("x", { ScheduleExpression: "rate(5 minute)" }), "Invalid Schedule Expression rate(5 minute).");
    await refused(schedule("x", { ScheduleExpression: "cron(0 0 30 2 ? *)" }), "Invalid Schedule Expression cron(0 0 30 2 ? *).");
    await refused(schedule("x", { ScheduleExpressionTimezone: "Mars/Olympus" }), "Invalid Schedule Expression Timezone Mars/Olympus.");
    await refused(
      schedule("x", { ScheduleExpression: "rate(1 day)", StartDate: new Date(0) }),
      "The StartDate you specify cannot be earlier than 5 minutes ago.",
    );
    await refused(schedule("not a name"), /^1 validation error detected: Value 'not a name' at 'name' failed to satisfy constraint/);
    await refused(schedule("x", { FlexibleTimeWindow: { Mode: "FLEXIBLE" } }), /^MaximumWindowInMinutes must be given/);
    await refused(schedule("x", { FlexibleTimeWindow: { Mode: "OFF", MaximumWindowInMinutes: 5 } }), /^MaximumWindowInMinutes must not/);
    await refused(schedule("x", {}, { RetryPolicy: { MaximumRetryAttempts: 186 } }), /less than or equal to 185/);
    await refused(schedule("x", {}, { Arn: "arn:aws:nothing" }), "Provided Arn is not in correct format.");
    await refused(schedule("x", {}, { Input: "no json" }), /well-formed JSON/);
    await refused(schedule("x", {}, { SqsParameters: { MessageGroupId: "g" } }), /SqsParameters/);
    await refused(schedule("x", {}, { Arn: `arn:aws:sqs:us-east-1:${ACCOUNT}:q.fifo` }), /MessageGroupId/);
    await refused(schedule("x", {}, { Arn: `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/default` }), /EventBridgeParameters/);
    await refused(schedule("x", {}, { Arn: STREAM }), /^KinesisParameters are required/);
    await refused(schedule("x", {}, { KinesisParameters: { PartitionKey: "p" } }), /^KinesisParameters can only be given/);
    await refused(schedule("x", {}, { Arn: STREAM, KinesisParameters: { PartitionKey: "" } }), /partitionKey/);
    await refused(
      schedule("x", {}, { Arn: `${STREAM}/consumer/c:1`, KinesisParameters: { PartitionKey: "p" } }),
      "Provided Arn is not in correct format.",
    );
    await refused(schedule("x", {}, { DeadLetterConfig: { Arn: `arn:aws:sqs:us-east-1:${ACCOUNT}:q.fifo` } }), /deadLetterConfig\.arn/);
    await refused(schedule("x", {}, { Input: `"${"x".repeat(262_144)}"` }), /^Input has 262146 bytes; at most 262144 are allowed\.$/);
    await refused(schedule("x", {}, { Arn: "arn:aws:scheduler:::aws-sdk:sqs:receiveMessage" }), /only reads/);
    await refused(schedule("x", {}, { Arn: "arn:aws:scheduler:::aws-sdk:ec2:stopInstances" }), /^ec2:stopInstances is not an operation/);
    assert.deepEqual((await scheduler.listSchedules({})).Schedules, []);
  });

  it("have as targets what is built, and are told what is not", async (test) => {
    const { scheduler } = await openScheduler(test);
    await scheduler.createSchedule(
      schedule(
        "bus",
        {},
        {
          Arn: `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/default`,
          EventBridgeParameters: { DetailType: "d", Source: "s" },
          Input: '{"a":1}',
        },
      ),
    );
    assert.deepEqual((await scheduler.getSchedule({ Name: "bus" })).Target?.EventBridgeParameters, { DetailType: "d", Source: "s" });
    await scheduler.createSchedule(schedule("topic", {}, { Arn: `arn:aws:sns:us-east-1:${ACCOUNT}:t`, Input: "text" }));
    await scheduler.createSchedule(schedule("version", {}, { Arn: `${FUNCTION}:7` }));
    await scheduler.createSchedule(schedule("any", {}, { Arn: "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", Input: "{}" }));
    await scheduler.createSchedule(schedule("stream", {}, { Arn: STREAM, KinesisParameters: { PartitionKey: "p" }, Input: "text" }));
    assert.deepEqual((await scheduler.getSchedule({ Name: "stream" })).Target?.KinesisParameters, { PartitionKey: "p" });
    await scheduler.updateSchedule(schedule("stream"));
    assert.equal((await scheduler.getSchedule({ Name: "stream" })).Target?.KinesisParameters, undefined);
    for (const target of [
      { Arn: `arn:aws:states:us-east-1:${ACCOUNT}:stateMachine:x` },
      { Arn: STREAM.replace("kinesis", "firehose").replace("stream", "deliverystream") },
    ])
      await assert.rejects(scheduler.createSchedule(schedule("x", {}, target)), (error) => {
        assert.ok(error instanceof SchedulerServiceException);
        assert.deepEqual([error.name, error.$metadata.httpStatusCode], ["NotImplemented", 501]);
        return true;
      });
  });

  it("are made once by their token", async (test) => {
    const { scheduler } = await openScheduler(test);
    await scheduler.createSchedule(schedule("one", { ClientToken: "t" }));
    await scheduler.createSchedule(schedule("one", { ClientToken: "t" }));
    await assert.rejects(scheduler.createSchedule(schedule("one", { ClientToken: "u" })), (error) => {
      assert.ok(error instanceof ConflictException);
      assert.deepEqual([error.message, error.$metadata.httpStatusCode], ["Schedule one already exists.", 409]);
      return true;
    });
    await assert.rejects(scheduler.updateSchedule(schedule("two")), ResourceNotFoundException);
    await scheduler.deleteSchedule({ Name: "one", ClientToken: "d" });
    await scheduler.deleteSchedule({ Name: "one", ClientToken: "d" });
    await assert.rejects(scheduler.deleteSchedule({ Name: "one", ClientToken: "e" }), ResourceNotFoundException);
  });
});

describe("groups by the SDK", () => {
  it("are made with tags, shown, listed in pages, tagged and removed", async (test) => {
    const { scheduler } = await openScheduler(test);
    const arn = `arn:aws:scheduler:us-east-1:${ACCOUNT}:schedule-group/night`;
    const made = await scheduler.createScheduleGroup({ Name: "night", Tags: [{ Key: "a", Value: "1" }] });
    assert.equal(made.ScheduleGroupArn, arn);
    const shown = await scheduler.getScheduleGroup({ Name: "night" });
    assert.deepEqual([shown.Arn, shown.State, shown.CreationDate instanceof Date], [arn, "ACTIVE", true]);
    await scheduler.tagResource({ ResourceArn: arn, Tags: [{ Key: "b", Value: "2" }] });
    await scheduler.untagResource({ ResourceArn: arn, TagKeys: ["a"] });
    assert.deepEqual((await scheduler.listTagsForResource({ ResourceArn: arn })).Tags, [{ Key: "b", Value: "2" }]);
    await scheduler.createScheduleGroup({ Name: "day" });
    const first = await scheduler.listScheduleGroups({ MaxResults: 2 });
    assert.deepEqual(
      first.ScheduleGroups?.map(({ Name }) => Name),
      ["day", "default"],
    );
    const second = await scheduler.listScheduleGroups({ NextToken: first.NextToken });
    assert.deepEqual([second.ScheduleGroups?.map(({ Name }) => Name), second.NextToken], [["night"], undefined]);
    assert.equal((await scheduler.getScheduleGroup({ Name: "default" })).State, "ACTIVE");
    await scheduler.deleteScheduleGroup({ Name: "day" });
    await assert.rejects(scheduler.deleteScheduleGroup({ Name: "default" }), ValidationException);
    await assert.rejects(scheduler.createScheduleGroup({ Name: "night" }), ConflictException);
    await assert.rejects(scheduler.getScheduleGroup({ Name: "nowhere" }), ResourceNotFoundException);
    await assert.rejects(scheduler.getScheduleGroup({ Name: "~rules" }), ValidationException);
    await assert.rejects(
      scheduler.listTagsForResource({ ResourceArn: `arn:aws:scheduler:eu-west-1:${ACCOUNT}:schedule-group/night` }),
      ResourceNotFoundException,
    );
    const Tags = Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: "v" }));
    await assert.rejects(scheduler.tagResource({ ResourceArn: arn, Tags }), ServiceQuotaExceededException);
  });
});

describe("a list of all schedules", () => {
  it("does not end over a group that is removed meanwhile; one of a group that is not there is refused", async (test) => {
    const { scheduler, schedules } = await openScheduler(test);
    await scheduler.createSchedule(schedule("kept"));
    const listing = test.mock.method(schedules, "groups");
    // What the groups were a moment ago.
    listing.mock.mockImplementation(() => ["default", "gone"].map((name) => ({ ...schedules.group(REALM, "default"), name })));
    assert.deepEqual(
      (await scheduler.listSchedules({})).Schedules?.map(({ Name }) => Name),
      ["kept"],
    );
    await assert.rejects(scheduler.listSchedules({ GroupName: "gone" }), ResourceNotFoundException);
  });
});

describe("who may do what with schedules", () => {
  it("a function's role needs leave for the action on the schedule or group", async (test) => {
    const { scheduler, client, security } = await openScheduler(test);
    const trust = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    };
    await security.roles.createRole(ACCOUNT, { name: "work", path: "/", trustPolicy: JSON.stringify(trust), tags: {} });
    const Resource = `arn:aws:scheduler:us-east-1:${ACCOUNT}:schedule/default/mine-*`;
    const Statement = [{ Effect: "Allow", Action: ["scheduler:CreateSchedule", "scheduler:GetSchedule"], Resource }];
    const document = JSON.stringify({ Version: "2012-10-17", Statement });
    await security.roles.changeRole(ACCOUNT, "work", { kind: "putInline", name: "own", document });
    const bound = client(security.credentials.issue(functionVersion({ name: "work", roleArn: `arn:aws:iam::${ACCOUNT}:role/work` })));
    await bound.createSchedule(schedule("mine-1"));
    assert.equal((await bound.getSchedule({ Name: "mine-1" })).Name, "mine-1");
    await assert.rejects(bound.createSchedule(schedule("yours")), { name: "AccessDeniedException" });
    await assert.rejects(bound.deleteSchedule({ Name: "mine-1" }), { name: "AccessDeniedException" });
    await assert.rejects(bound.listSchedules({}), { name: "AccessDeniedException" });
    await scheduler.deleteSchedule({ Name: "mine-1" });
  });
});
