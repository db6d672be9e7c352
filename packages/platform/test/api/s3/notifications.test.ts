/** Notification configurations: read back as they were put, the rules that come of them, and what is refused. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Event, type NotificationConfiguration } from "@aws-sdk/client-s3";
import { NOTIFICATION_EVENTS } from "../../../src/api/s3/notification-events.ts";
import { callerOf } from "../../../src/api/s3/caller.ts";
import type { Principal } from "../../../src/security/index.ts";
import { ACCOUNT, openBucketWorld, refusedWith, ROLES } from "./bucket-world.ts";

const Bucket = "photos";
const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:thumbs`;
const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:uploads`;
const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:uploads`;

async function open(test: TestContext) {
  const world = await openBucketWorld(test);
  await world.make(Bucket);
  for (const target of [FUNCTION, `${FUNCTION}:live`, QUEUE, TOPIC]) world.targets.add(target);
  const put = (configuration: object, more: object = {}) =>
    world.operations.PutBucketNotificationConfiguration(
      { Bucket, NotificationConfiguration: configuration as NotificationConfiguration, ...more },
      world.context(),
    );
  const toQueue = (...configurations: object[]) =>
    put({ QueueConfigurations: configurations.map((each) => ({ QueueArn: QUEUE, Events: ["s3:ObjectCreated:*"], ...each })) });
  return { ...world, put, toQueue };
}

const filter = (prefix?: string, suffix?: string): object => ({
  Filter: {
    Key: {
      FilterRules: [
        ...(prefix === undefined ? [] : [{ Name: "prefix", Value: prefix }]),
        ...(suffix === undefined ? [] : [{ Name: "suffix", Value: suffix }]),
      ],
    },
  },
});

describe("a notification configuration", () => {
  it("is read back as it was put, and becomes rules", async (test) => {
    const { operations, buckets, checked, tested, put } = await open(test);
    const configuration = {
      LambdaFunctionConfigurations: [
        {
          Id: "thumbs",
          LambdaFunctionArn: `${FUNCTION}:live`,
          Events: ["s3:ObjectCreated:Put", "s3:ObjectCreated:Post"],
          ...filter("in/", ".jpg"),
        },
      ],
      QueueConfigurations: [{ Id: "gone", QueueArn: QUEUE, Events: ["s3:ObjectRemoved:*"] }],
      TopicConfigurations: [{ Id: "tags", TopicArn: TOPIC, Events: ["s3:ObjectTagging:Put"], ...filter(undefined, ".png") }],
      EventBridgeConfiguration: {},
    };
    await put(configuration);
    assert.deepEqual(operations.GetBucketNotificationConfiguration({ Bucket }), configuration);
    const { rules, toBus } = buckets.get(Bucket).notifications;
    assert.equal(toBus, true);
    assert.deepEqual(rules, [
      {
        id: "thumbs",
        target: `${FUNCTION}:live`,
        events: ["s3:ObjectCreated:Put", "s3:ObjectCreated:Post"],
        prefix: "in/",
        suffix: ".jpg",
      },
      { id: "gone", target: QUEUE, events: ["s3:ObjectRemoved:*"], prefix: "", suffix: "" },
      { id: "tags", target: TOPIC, events: ["s3:ObjectTagging:Put"], prefix: "", suffix: ".png" },
    ]);
    assert.deepEqual(checked.toSorted(), [`${FUNCTION}:live`, TOPIC, QUEUE].toSorted());
    assert.deepEqual(
      tested.map(({ id }) => id),
      ["thumbs", "gone", "tags"],
    );

    await put({});
    assert.deepEqual(operations.GetBucketNotificationConfiguration({ Bucket }), {});
    assert.deepEqual(buckets.get(Bucket).notifications, { rules: [], toBus: false });
  });

  it("knows every event name that the SDK knows, and no other", async () => {
    assert.deepEqual([...NOTIFICATION_EVENTS].toSorted(), Object.values(Event).toSorted());
  });

  it("names rules that have no name, and says an event once", async (test) => {
    const { buckets, toQueue } = await open(test);
    await toQueue({ ...filter("a/"), Events: ["s3:ObjectCreated:Put", "s3:ObjectCreated:Put"] }, filter("b/"));
    const { rules } = buckets.get(Bucket).notifications;
    assert.equal(new Set(rules.map(({ id }) => id)).size, 2);
    assert.deepEqual(rules[0]?.events, ["s3:ObjectCreated:Put"]);
  });

  it("names a target that is there, unless that is not asked for", async (test) => {
    const { operations, put } = await open(test);
    const away = { QueueConfigurations: [{ QueueArn: `${QUEUE}-away`, Events: ["s3:ObjectCreated:*"] }] };
    await refusedWith(() => put(away), "InvalidArgument", /Unable to validate/);
    assert.deepEqual(operations.GetBucketNotificationConfiguration({ Bucket }), {});
    await put(away, { SkipDestinationValidation: true });
    assert.equal(operations.GetBucketNotificationConfiguration({ Bucket }).QueueConfigurations?.length, 1);
  });

  it("takes names of filters in any letters, and empty values as none", async (test) => {
    const { operations, toQueue } = await open(test);
    const FilterRules = [
      { Name: "Prefix", Value: "in/" },
      { Name: "SUFFIX", Value: "" },
    ];
    await toQueue({ Filter: { Key: { FilterRules } } });
    const [read] = operations.GetBucketNotificationConfiguration({ Bucket }).QueueConfigurations ?? [];
    assert.deepEqual(read?.Filter, { Key: { FilterRules: [{ Name: "prefix", Value: "in/" }] } });
  });

  const REFUSED: readonly (readonly [string, object, string, RegExp])[] = [
    ["no event", { Events: [] }, "MalformedXML", /Event/],
    ["an event that there is not", { Events: ["s3:ObjectPainted:*"] }, "InvalidArgument", /not supported/],
    ["an event that is a member of every object", { Events: ["constructor"] }, "InvalidArgument", /not supported/],
    ["a target of another kind", { QueueArn: FUNCTION }, "InvalidArgument", /not one of a queue/],
    ["no ARN", { QueueArn: "uploads" }, "InvalidArgument", /not one of a queue/],
    ["a FIFO queue", { QueueArn: `${QUEUE}.fifo` }, "InvalidArgument", /FIFO/],
    ["a queue of another region", { QueueArn: QUEUE.replace("us-east-1", "us-west-2") }, "InvalidArgument", /region/],
    ["a long name", { Id: "x".repeat(256) }, "InvalidArgument", /255/],
    ["a filter of its own", { Filter: { Key: { FilterRules: [{ Name: "infix", Value: "a" }] } } }, "InvalidArgument", /prefix or suffix/],
    [
      "two prefixes",
      {
        Filter: {
          Key: {
            FilterRules: [
              { Name: "prefix", Value: "a" },
              { Name: "Prefix", Value: "b" },
            ],
          },
        },
      },
      "InvalidArgument",
      /more than one prefix/,
    ],
    ["a long suffix", filter(undefined, "é".repeat(513)), "InvalidArgument", /1024/],
  ];
  for (const [what, change, name, message] of REFUSED)
    it(`is refused with ${what}`, async (test) => {
      const { operations, toQueue } = await open(test);
      await refusedWith(() => toQueue(change), name, message);
      assert.deepEqual(operations.GetBucketNotificationConfiguration({ Bucket }), {});
    });

  it("is refused with a name twice, and with too many rules", async (test) => {
    const { toQueue } = await open(test);
    await refusedWith(() => toQueue({ Id: "a", ...filter("a/") }, { Id: "a", ...filter("b/") }), "InvalidArgument", /unique/);
    const many = (count: number) => Array.from({ length: count }, (_each, index) => filter(`${index}/`));
    await refusedWith(() => toQueue(...many(101)), "InvalidArgument", /100/);
    await toQueue(...many(100));
  });

  const ALL = ["s3:ObjectCreated:*"];
  const PUT = ["s3:ObjectCreated:Put"];
  const GONE = ["s3:ObjectRemoved:Delete"];
  const PAIRS: readonly (readonly [string, object, object, boolean])[] = [
    ["the same event", { Events: PUT }, { Events: PUT }, false],
    ["an event, and all of its kind", { Events: PUT }, { Events: ALL }, false],
    ["different events", { Events: ALL }, { Events: GONE }, true],
    ["different events of a kind", { Events: PUT }, { Events: ["s3:ObjectCreated:Copy"] }, true],
    ["a prefix of the other's prefix", { Events: ALL, ...filter("a") }, { Events: ALL, ...filter("ab") }, false],
    ["prefixes apart", { Events: ALL, ...filter("a/") }, { Events: ALL, ...filter("b/") }, true],
    ["suffixes apart", { Events: ALL, ...filter("a", ".jpg") }, { Events: ALL, ...filter("a", ".png") }, true],
    [
      "suffixes that overlap below prefixes that do",
      { Events: ALL, ...filter("a", ".jpg") },
      { Events: ALL, ...filter("a/b", "x.jpg") },
      false,
    ],
    ["a prefix here, a suffix there", { Events: ALL, ...filter("a/") }, { Events: ALL, ...filter(undefined, ".jpg") }, false],
    ["overlapping filters, different events", { Events: ALL, ...filter("a") }, { Events: GONE, ...filter("a") }, true],
  ];
  for (const [what, left, right, allowed] of PAIRS)
    it(`with two rules for ${what} is ${allowed ? "allowed" : "refused"}`, async (test) => {
      const { toQueue } = await open(test);
      if (allowed) await toQueue(left, right);
      else await refusedWith(() => toQueue(left, right), "InvalidArgument", /overlap/);
    });

  it("with two rules for the same event is refused whatever their targets are", async (test) => {
    const { put } = await open(test);
    const both = {
      QueueConfigurations: [{ QueueArn: QUEUE, Events: ALL }],
      LambdaFunctionConfigurations: [{ LambdaFunctionArn: FUNCTION, Events: PUT }],
    };
    await refusedWith(() => put(both), "InvalidArgument", /overlap/);
  });
});

describe("who an event says did it", () => {
  const session = { roleArn: `arn:aws:iam::${ACCOUNT}:role/worker`, accessKeyId: "key", expiresAt: 0 };
  const WHO: readonly (readonly [Principal, RegExp])[] = [
    [{ kind: "root", account: ACCOUNT, accessKeyId: "key" }, new RegExp(`^${ACCOUNT}$`)],
    [
      { kind: "assumedRole", account: ACCOUNT, sessionName: "me", sessionPolicies: { documents: [], arns: [] }, tags: {}, ...session },
      /^AWS:AROA2222222222222222:me$/,
    ],
    [
      {
        ...{ kind: "function", realm: { account: ACCOUNT, region: "us-east-1" }, functionName: "thumbs", version: "1", revisionId: "r" },
        ...session,
      },
      /^AWS:AROA2222222222222222:thumbs$/,
    ],
    [{ kind: "service", service: "logs.amazonaws.com" }, /^logs\.amazonaws\.com$/],
    [{ kind: "anonymous" }, /^Anonymous$/],
  ];
  for (const [principal, form] of WHO)
    it(`is told of ${principal.kind}`, async (test) => {
      const { context } = await openBucketWorld(test);
      const caller = callerOf({ ...context(), principal, traceHeader: "Root=1" }, ROLES);
      assert.match(caller.principalId, form);
      assert.deepEqual(
        { ...caller, principalId: "" },
        { principalId: "", sourceAddress: "10.1.2.3", requestId: "request-1", traceHeader: "Root=1" },
      );
    });
});
