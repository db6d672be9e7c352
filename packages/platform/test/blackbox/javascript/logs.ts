import assert from "node:assert/strict";
import { InvalidParameterException, ResourceAlreadyExistsException, ResourceNotFoundException } from "@aws-sdk/client-cloudwatch-logs";
import { systemClock } from "../../../src/base/index.ts";
import { ACCOUNT, answering, call } from "../../support/javascript-clients.ts";
import { known, type OperationCase, type Stage } from "./cases.ts";

const NOWHERE = { logGroupName: "/nowhere" };
const arnOf = (group: string): string => `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${group}`;

async function group({ stage }: Stage, logGroupName: string): Promise<string> {
  await stage.logs.createLogGroup({ logGroupName });
  return logGroupName;
}

/** A group with one stream, `a`. */
async function stream(stage: Stage, name: string): Promise<{ readonly logGroupName: string; readonly logStreamName: string }> {
  const place = { logGroupName: await group(stage, name), logStreamName: "a" };
  await stage.stage.logs.createLogStream(place);
  return place;
}

/** The same with three events, a second apart. */
async function written(stage: Stage, name: string) {
  const place = await stream(stage, name);
  const start = systemClock.now() - 10_000;
  const logEvents = ["one", "ERROR two", "three"].map((message, index) => ({ timestamp: start + index * 1_000, message }));
  await stage.stage.logs.putLogEvents({ ...place, logEvents });
  return { place, start };
}

const described = async ({ stage }: Stage, logGroupNamePrefix: string) =>
  known((await stage.logs.describeLogGroups({ logGroupNamePrefix })).logGroups);

/** Log groups and streams. */
const groupCases: Readonly<Record<string, OperationCase>> = {
  CreateLogGroup: {
    async does(stage) {
      await stage.js.logs.createLogGroup({ logGroupName: "/create/group", tags: { a: "b" } });
      assert.deepEqual(
        (await described(stage, "/create/group")).map((each) => each.arn),
        [`${arnOf("/create/group")}:*`],
      );
    },
    refuses: [
      async (stage) => stage.js.logs.createLogGroup({ logGroupName: await group(stage, "/taken") }),
      ResourceAlreadyExistsException,
      400,
    ],
  },
  DeleteLogGroup: {
    async does(stage) {
      await stage.js.logs.deleteLogGroup({ logGroupName: await group(stage, "/delete/group") });
      assert.deepEqual(await described(stage, "/delete/group"), []);
    },
    refuses: [({ js }) => js.logs.deleteLogGroup(NOWHERE), ResourceNotFoundException, 400],
  },
  DescribeLogGroups: {
    async does(stage) {
      for (const name of ["/listed/a", "/listed/b"]) await group(stage, name);
      const first = await stage.js.logs.describeLogGroups({ logGroupNamePrefix: "/listed/", limit: 1 });
      const rest = await stage.js.logs.describeLogGroups({ logGroupNamePrefix: "/listed/", nextToken: known(first.nextToken) });
      assert.deepEqual(
        [...known(first.logGroups), ...known(rest.logGroups)].map((each) => each.logGroupName),
        ["/listed/a", "/listed/b"],
      );
    },
    refuses: [({ js }) => js.logs.describeLogGroups({ nextToken: "made up" }), InvalidParameterException, 400],
  },
  PutRetentionPolicy: {
    async does(stage) {
      await stage.js.logs.putRetentionPolicy({ logGroupName: await group(stage, "/kept/for"), retentionInDays: 14 });
      assert.deepEqual(
        (await described(stage, "/kept/for")).map((each) => each.retentionInDays),
        [14],
      );
    },
    refuses: [
      async (stage) => stage.js.logs.putRetentionPolicy({ logGroupName: await group(stage, "/kept/two"), retentionInDays: 2 }),
      InvalidParameterException,
      400,
    ],
  },
  DeleteRetentionPolicy: {
    async does(stage) {
      const logGroupName = await group(stage, "/kept/default");
      await stage.stage.logs.putRetentionPolicy({ logGroupName, retentionInDays: 14 });
      await stage.js.logs.deleteRetentionPolicy({ logGroupName });
      assert.deepEqual(
        (await described(stage, logGroupName)).map((each) => each.retentionInDays),
        [undefined],
      );
    },
    refuses: [({ js }) => js.logs.deleteRetentionPolicy(NOWHERE), ResourceNotFoundException, 400],
  },
  TagResource: {
    async does(stage) {
      const resourceArn = arnOf(await group(stage, "/tag"));
      await stage.js.logs.tagResource({ resourceArn, tags: { a: "b" } });
      assert.deepEqual((await stage.stage.logs.listTagsForResource({ resourceArn })).tags, { a: "b" });
    },
    refuses: [({ js }) => js.logs.tagResource({ resourceArn: arnOf("/nowhere"), tags: { a: "b" } }), ResourceNotFoundException, 400],
  },
  UntagResource: {
    async does(stage) {
      const resourceArn = arnOf(await group(stage, "/untag"));
      await stage.stage.logs.tagResource({ resourceArn, tags: { a: "1", b: "2" } });
      await stage.js.logs.untagResource({ resourceArn, tagKeys: ["a"] });
      assert.deepEqual((await stage.stage.logs.listTagsForResource({ resourceArn })).tags, { b: "2" });
    },
    refuses: [({ js }) => js.logs.untagResource({ resourceArn: arnOf("/nowhere"), tagKeys: ["a"] }), ResourceNotFoundException, 400],
  },
  ListTagsForResource: {
    async does(stage) {
      const resourceArn = arnOf(await group(stage, "/list/tags"));
      assert.deepEqual((await stage.js.logs.listTagsForResource({ resourceArn })).tags, {});
    },
    refuses: [({ js }) => js.logs.listTagsForResource({ resourceArn: arnOf("/nowhere") }), ResourceNotFoundException, 400],
  },
  CreateLogStream: {
    async does(stage) {
      const logGroupName = await group(stage, "/create/stream");
      await stage.js.logs.createLogStream({ logGroupName, logStreamName: "a/b" });
      assert.deepEqual(
        (await stage.stage.logs.describeLogStreams({ logGroupName })).logStreams?.map((each) => each.logStreamName),
        ["a/b"],
      );
    },
    refuses: [async (stage) => stage.js.logs.createLogStream(await stream(stage, "/stream/taken")), ResourceAlreadyExistsException, 400],
  },
  DeleteLogStream: {
    async does(stage) {
      const place = await stream(stage, "/delete/stream");
      await stage.js.logs.deleteLogStream(place);
      assert.deepEqual((await stage.stage.logs.describeLogStreams({ logGroupName: place.logGroupName })).logStreams, []);
    },
    refuses: [({ js }) => js.logs.deleteLogStream({ ...NOWHERE, logStreamName: "a" }), ResourceNotFoundException, 400],
  },
  DescribeLogStreams: {
    async does(stage) {
      const { logGroupName } = await stream(stage, "/list/streams");
      const { logStreams } = await stage.js.logs.describeLogStreams({ logGroupName, orderBy: "LastEventTime", descending: true });
      assert.deepEqual(
        logStreams?.map((each) => each.logStreamName),
        ["a"],
      );
    },
    refuses: [({ js }) => js.logs.describeLogStreams(NOWHERE), ResourceNotFoundException, 400],
  },
};

/** Events: what functions and others wrote, read and searched. */
const eventCases: Readonly<Record<string, OperationCase>> = {
  PutLogEvents: {
    async does(stage) {
      const place = await stream(stage, "/put/events");
      await stage.js.logs.putLogEvents({ ...place, logEvents: [{ timestamp: systemClock.now(), message: "written" }] });
      assert.deepEqual(
        (await stage.stage.logs.getLogEvents(place)).events?.map((event) => event.message),
        ["written"],
      );
    },
    refuses: [
      ({ js }) => js.logs.putLogEvents({ ...NOWHERE, logStreamName: "a", logEvents: [{ timestamp: systemClock.now(), message: "x" }] }),
      ResourceNotFoundException,
      400,
    ],
  },
  GetLogEvents: {
    async does(stage) {
      const { place, start } = await written(stage, "/get/events");
      const first = await stage.js.logs.getLogEvents({ ...place, startFromHead: true, startTime: start, limit: 2 });
      const rest = await stage.js.logs.getLogEvents({ ...place, startFromHead: true, nextToken: known(first.nextForwardToken) });
      assert.deepEqual(
        [...known(first.events), ...known(rest.events)].map((event) => event.message),
        ["one", "ERROR two", "three"],
      );
      const end = await stage.js.logs.getLogEvents({ ...place, startFromHead: true, nextToken: known(rest.nextForwardToken) });
      assert.deepEqual([end.events, end.nextForwardToken], [[], rest.nextForwardToken], "the same token comes back at the end");
    },
    refuses: [({ js }) => js.logs.getLogEvents({ ...NOWHERE, logStreamName: "a" }), ResourceNotFoundException, 400],
  },
  FilterLogEvents: {
    async does(stage) {
      const { place } = await written(stage, "/filter/events");
      const { events } = await stage.js.logs.filterLogEvents({ logGroupName: place.logGroupName, filterPattern: "ERROR" });
      assert.deepEqual(
        events?.map((event) => event.message),
        ["ERROR two"],
      );
      const FunctionName = await stage.made("logs-itself", { files: answering("console.log('needle ' + event.n);") });
      await call(stage.stage.lambda, FunctionName, { n: 7 });
      const found = await stage.stage.logs.filterLogEvents({ logGroupName: `/aws/lambda/${FunctionName}`, filterPattern: "needle" });
      assert.match(known(found.events?.[0]?.message), /\tINFO\tneedle 7\n?$/u);
    },
    refuses: [({ js }) => js.logs.filterLogEvents(NOWHERE), ResourceNotFoundException, 400],
  },
};

export const logsCases: Readonly<Record<string, OperationCase>> = { ...groupCases, ...eventCases };
