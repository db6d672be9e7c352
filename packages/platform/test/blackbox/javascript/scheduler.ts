import assert from "node:assert/strict";
import {
  ConflictException,
  type CreateScheduleCommandInput,
  ResourceNotFoundException,
  type Target,
  ValidationException,
} from "@aws-sdk/client-scheduler";
import { ACCOUNT, functionArnOf } from "../../support/javascript-clients.ts";
import { known, type OperationCase, type Stage } from "./cases.ts";

const groupArnOf = (name: string): string => `arn:aws:scheduler:us-east-1:${ACCOUNT}:schedule-group/${name}`;
const nowhere = { ResourceArn: groupArnOf("nowhere") };

function schedule(Name: string, more: Partial<CreateScheduleCommandInput> = {}, target: Partial<Target> = {}): CreateScheduleCommandInput {
  const Target = { Arn: functionArnOf("nobody"), RoleArn: `arn:aws:iam::${ACCOUNT}:role/any-well-formed-name`, ...target };
  return { Name, ScheduleExpression: "at(2199-01-01T00:00:00)", FlexibleTimeWindow: { Mode: "OFF" }, Target, ...more };
}

async function made({ stage }: Stage, name: string, more: Partial<CreateScheduleCommandInput> = {}): Promise<string> {
  await stage.scheduler.createSchedule(schedule(name, more));
  return name;
}

async function group({ stage }: Stage, Name: string): Promise<string> {
  return known((await stage.scheduler.createScheduleGroup({ Name, Tags: [{ Key: "a", Value: "1" }] })).ScheduleGroupArn);
}

const scheduleCases = {
  CreateSchedule: {
    async does({ js, stage }) {
      const { QueueUrl = "" } = await stage.sqs.createQueue({ QueueName: "scheduled" });
      const Arn = `arn:aws:sqs:us-east-1:${ACCOUNT}:scheduled`;
      await js.scheduler.createSchedule(schedule("at-once", { ScheduleExpression: "rate(1 day)" }, { Arn, Input: "hello" }));
      const { Messages } = await stage.sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 });
      assert.equal(Messages?.[0]?.Body, "hello");
    },
    refuses: [({ js }) => js.scheduler.createSchedule(schedule("x", { ScheduleExpression: "rate(5 minute)" })), ValidationException, 400],
  },
  GetSchedule: {
    async does(stage) {
      await made(stage, "shown", { Description: "d", ScheduleExpressionTimezone: "Europe/Berlin" });
      const shown = await stage.js.scheduler.getSchedule({ Name: "shown" });
      assert.deepEqual([shown.GroupName, shown.Description, shown.ScheduleExpressionTimezone], ["default", "d", "Europe/Berlin"]);
    },
    refuses: [({ js }) => js.scheduler.getSchedule({ Name: "nowhere" }), ResourceNotFoundException, 404],
  },
  UpdateSchedule: {
    async does(stage) {
      await made(stage, "changed", { Description: "goes" });
      await stage.js.scheduler.updateSchedule(schedule("changed", { State: "DISABLED" }));
      const { State, Description } = await stage.stage.scheduler.getSchedule({ Name: "changed" });
      assert.deepEqual([State, Description], ["DISABLED", undefined]);
    },
    refuses: [({ js }) => js.scheduler.updateSchedule(schedule("nowhere")), ResourceNotFoundException, 404],
  },
  DeleteSchedule: {
    async does(stage) {
      await made(stage, "gone");
      await stage.js.scheduler.deleteSchedule({ Name: "gone" });
      await assert.rejects(stage.stage.scheduler.getSchedule({ Name: "gone" }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.scheduler.deleteSchedule({ Name: "nowhere" }), ResourceNotFoundException, 404],
  },
  ListSchedules: {
    async does(stage) {
      for (const name of ["listed-a", "listed-b", "listed-c"]) await made(stage, name);
      const first = await stage.js.scheduler.listSchedules({ NamePrefix: "listed-", MaxResults: 2 });
      const rest = await stage.js.scheduler.listSchedules({ NamePrefix: "listed-", NextToken: known(first.NextToken) });
      assert.deepEqual(
        [...known(first.Schedules), ...known(rest.Schedules)].map(({ Name }) => Name),
        ["listed-a", "listed-b", "listed-c"],
      );
    },
    refuses: [({ js }) => js.scheduler.listSchedules({ GroupName: "nowhere" }), ResourceNotFoundException, 404],
  },
} satisfies Readonly<Record<string, OperationCase>>;

const groupCases = {
  CreateScheduleGroup: {
    async does(stage) {
      const { ScheduleGroupArn } = await stage.js.scheduler.createScheduleGroup({ Name: "made" });
      assert.equal(ScheduleGroupArn, groupArnOf("made"));
      await made(stage, "inside", { GroupName: "made" });
      assert.equal((await stage.stage.scheduler.getSchedule({ Name: "inside", GroupName: "made" })).GroupName, "made");
    },
    refuses: [({ js }) => js.scheduler.createScheduleGroup({ Name: "default" }), ConflictException, 409],
  },
  GetScheduleGroup: {
    async does(stage) {
      await group(stage, "group-shown");
      assert.equal((await stage.js.scheduler.getScheduleGroup({ Name: "group-shown" })).State, "ACTIVE");
    },
    refuses: [({ js }) => js.scheduler.getScheduleGroup({ Name: "nowhere" }), ResourceNotFoundException, 404],
  },
  ListScheduleGroups: {
    async does(stage) {
      for (const name of ["groups-b", "groups-a"]) await group(stage, name);
      const { ScheduleGroups } = await stage.js.scheduler.listScheduleGroups({ NamePrefix: "groups-" });
      assert.deepEqual(
        ScheduleGroups?.map(({ Name }) => Name),
        ["groups-a", "groups-b"],
      );
    },
    refuses: [({ js }) => js.scheduler.listScheduleGroups({ NextToken: "%" }), ValidationException, 400],
  },
  DeleteScheduleGroup: {
    async does(stage) {
      await group(stage, "removed");
      await stage.js.scheduler.deleteScheduleGroup({ Name: "removed" });
      await assert.rejects(made(stage, "late", { GroupName: "removed" }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.scheduler.deleteScheduleGroup({ Name: "default" }), ValidationException, 400],
  },
  TagResource: {
    async does(stage) {
      const ResourceArn = await group(stage, "tagged");
      await stage.js.scheduler.tagResource({ ResourceArn, Tags: [{ Key: "b", Value: "2" }] });
      assert.equal((await stage.stage.scheduler.listTagsForResource({ ResourceArn })).Tags?.length, 2);
    },
    refuses: [({ js }) => js.scheduler.tagResource({ ...nowhere, Tags: [] }), ResourceNotFoundException, 404],
  },
  UntagResource: {
    async does(stage) {
      const ResourceArn = await group(stage, "untagged");
      await stage.js.scheduler.untagResource({ ResourceArn, TagKeys: ["a"] });
      assert.deepEqual((await stage.stage.scheduler.listTagsForResource({ ResourceArn })).Tags, []);
    },
    refuses: [({ js }) => js.scheduler.untagResource({ ...nowhere, TagKeys: ["a"] }), ResourceNotFoundException, 404],
  },
  ListTagsForResource: {
    async does(stage) {
      const ResourceArn = await group(stage, "tags-shown");
      assert.deepEqual((await stage.js.scheduler.listTagsForResource({ ResourceArn })).Tags, [{ Key: "a", Value: "1" }]);
    },
    refuses: [({ js }) => js.scheduler.listTagsForResource(nowhere), ResourceNotFoundException, 404],
  },
} satisfies Readonly<Record<string, OperationCase>>;

/** EventBridge Scheduler, whole. */
export const schedulerCases = { ...scheduleCases, ...groupCases } satisfies Readonly<Record<string, OperationCase>>;
