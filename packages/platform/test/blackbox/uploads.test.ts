/** What an upload starts, over the wire of a real server that may be killed; code out of buckets; functions that use them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NotificationConfiguration } from "@aws-sdk/client-s3";
import { deferred } from "../../src/base/index.ts";
import { openEventStage, queueArnOf, type ToldJson, until } from "../support/event-stage.ts";
import {
  ACCOUNT,
  answering,
  call,
  functionArnOf,
  makeFunction,
  ROLE,
  startServerWithClients,
  untilActive,
  untilUpdated,
} from "../support/javascript-clients.ts";
import { sendSigned } from "../support/signed-http.ts";
import { zipOf } from "../support/zips.ts";
import { known } from "./javascript/cases.ts";

const { server, clients } = await startServerWithClients();
const { s3, lambda, sns } = clients;
const stage = openEventStage(server, clients);

interface RecordJson {
  readonly eventVersion: string;
  readonly eventSource: string;
  readonly awsRegion: string;
  readonly eventTime: string;
  readonly eventName: string;
  readonly s3: {
    readonly configurationId: string;
    readonly bucket: { readonly name: string; readonly arn: string };
    readonly object: {
      readonly key: string;
      readonly size?: number;
      readonly eTag?: string;
      readonly versionId?: string;
      readonly sequencer: string;
    };
  };
}
interface EventJson {
  readonly Records?: readonly RecordJson[];
  readonly Event?: string;
}

const recordOf = (event: EventJson): RecordJson => known(event.Records?.[0]);
/** As everybody reads a record's key. */
const keyOf = (record: RecordJson): string => decodeURIComponent(record.s3.object.key.replaceAll("+", " "));

async function bucket(Bucket: string, NotificationConfiguration: NotificationConfiguration = {}): Promise<string> {
  await s3.createBucket({ Bucket });
  await s3.putBucketNotificationConfiguration({ Bucket, NotificationConfiguration });
  return Bucket;
}

const letIn = (FunctionName: string) =>
  lambda.addPermission({
    FunctionName,
    StatementId: "s3",
    Action: "lambda:InvokeFunction",
    Principal: "s3.amazonaws.com",
    SourceAccount: ACCOUNT,
  });

/** A topic that buckets may tell, and whose messages a queue hears. */
async function openTopic(Name: string) {
  const TopicArn = known((await sns.createTopic({ Name })).TopicArn);
  const Statement = [{ Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sns:Publish", Resource: TopicArn }];
  const AttributeValue = JSON.stringify({ Version: "2012-10-17", Statement });
  await sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue });
  const heard = await stage.queue(`${Name}-heard`);
  await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: heard.arn });
  return { arn: TopicArn, heard };
}

const CREATED = "s3:ObjectCreated:*" as const;

describe("an upload", () => {
  test("starts a function, and tells a queue, a topic and a rule of the bus, in AWS's words", async () => {
    const heard = await stage.hearing("resizer", { files: answering("return event.Records[0].s3.object.key;") });
    await letIn("resizer");
    const queue = await stage.queue("uploaded");
    const topic = await openTopic("uploads");
    const bus = await stage.queue("bus-heard");
    await stage.rule("uploads", { source: ["aws.s3"], "detail-type": ["Object Created"], detail: { bucket: { name: ["pictures"] } } }, [
      { Arn: bus.arn },
    ]);
    await bucket("pictures", {
      LambdaFunctionConfigurations: [
        {
          Id: "resize",
          LambdaFunctionArn: functionArnOf("resizer"),
          Events: [CREATED],
          Filter: { Key: { FilterRules: [{ Name: "suffix", Value: ".jpg" }] } },
        },
      ],
      QueueConfigurations: [
        { QueueArn: queue.arn, Events: [CREATED], Filter: { Key: { FilterRules: [{ Name: "suffix", Value: ".png" }] } } },
      ],
      TopicConfigurations: [
        { TopicArn: topic.arn, Events: [CREATED], Filter: { Key: { FilterRules: [{ Name: "suffix", Value: ".gif" }] } } },
      ],
      EventBridgeConfiguration: {},
    });
    assert.equal((await queue.told<EventJson>()).Event, "s3:TestEvent");
    assert.equal((JSON.parse((await topic.heard.told<{ Message: string }>()).Message) as EventJson).Event, "s3:TestEvent");

    const name = "照片/猫 1+1=2 (100%)";
    for (const ending of ["jpg", "png", "gif"]) await s3.putObject({ Bucket: "pictures", Key: `${name}.${ending}`, Body: "meow" });
    const { requestPayload, responsePayload } = await heard.told<ToldJson>();
    const record = recordOf(requestPayload as EventJson);
    assert.equal(responsePayload, "%E7%85%A7%E7%89%87/%E7%8C%AB+1%2B1%3D2+%28100%25%29.jpg");
    const { eventVersion, eventSource, awsRegion, eventName } = record;
    assert.deepEqual(
      { eventVersion, eventSource, awsRegion, eventName },
      { eventVersion: "2.1", eventSource: "aws:s3", awsRegion: "us-east-1", eventName: "ObjectCreated:Put" },
    );
    assert.deepEqual(
      [record.s3.configurationId, record.s3.bucket.name, record.s3.bucket.arn],
      ["resize", "pictures", "arn:aws:s3:::pictures"],
    );
    assert.deepEqual([keyOf(record), record.s3.object.size, record.s3.object.eTag], [`${name}.jpg`, 4, "4a4be40c96ac6314e91d93f38043a634"]);
    assert.equal(keyOf(recordOf(await queue.told<EventJson>())), `${name}.png`);
    const message = await topic.heard.told<{ Message: string; Subject: string }>();
    assert.equal(message.Subject, "Amazon S3 Notification");
    assert.equal(keyOf(recordOf(JSON.parse(message.Message) as EventJson)), `${name}.gif`);
    const onBus = new Set<string>();
    while (onBus.size < 3) {
      const { detail } = await bus.told<{ detail: { object: { key: string; size: number }; reason: string } }>();
      assert.deepEqual([detail.object.size, detail.reason], [4, "PutObject"]);
      onBus.add(detail.object.key);
    }
    assert.deepEqual(
      [...onBus].toSorted(),
      ["gif", "jpg", "png"].map((ending) => `${name}.${ending}`),
    );
  });

  test("tells only of what was asked for: kinds, prefixes, suffixes; deletes and their markers too", async () => {
    const queue = await stage.queue("chosen");
    const rules = (prefix: string, suffix: string) => ({
      Key: {
        FilterRules: [
          { Name: "prefix" as const, Value: prefix },
          { Name: "suffix" as const, Value: suffix },
        ],
      },
    });
    const Bucket = await bucket("chosen", {
      QueueConfigurations: [
        { QueueArn: queue.arn, Events: [CREATED], Filter: rules("in box/", ".jpg") },
        { QueueArn: queue.arn, Events: ["s3:ObjectRemoved:*"] },
      ],
    });
    // One for each rule.
    for (let rule = 0; rule < 2; rule++) assert.equal((await queue.told<EventJson>()).Event, "s3:TestEvent");
    for (const Key of ["in box/a.jpg", "in box/a.png", "out/a.jpg", "in box"]) await s3.putObject({ Bucket, Key, Body: "x" });
    await s3.copyObject({ Bucket, Key: "in box/copy.jpg", CopySource: `${Bucket}/out/a.jpg` });
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: "in box/parts.jpg" });
    const { ETag } = await s3.uploadPart({ Bucket, Key: "in box/parts.jpg", UploadId, PartNumber: 1, Body: "xyz" });
    await s3.completeMultipartUpload({ Bucket, Key: "in box/parts.jpg", UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } });
    await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "out/a.jpg" }, { Key: "in box/a.png" }] } });
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
    const { VersionId } = await s3.deleteObject({ Bucket, Key: "in box" });
    const told: string[] = [];
    while (told.length < 6) {
      const record = recordOf(await queue.told<EventJson>());
      told.push(`${record.eventName} ${keyOf(record)}`);
      if (record.eventName === "ObjectRemoved:DeleteMarkerCreated") assert.equal(record.s3.object.versionId, VersionId);
    }
    assert.deepEqual(told.toSorted(), [
      "ObjectCreated:CompleteMultipartUpload in box/parts.jpg",
      "ObjectCreated:Copy in box/copy.jpg",
      "ObjectCreated:Put in box/a.jpg",
      "ObjectRemoved:Delete in box/a.png",
      "ObjectRemoved:Delete out/a.jpg",
      "ObjectRemoved:DeleteMarkerCreated in box",
    ]);
    await queue.assertSilent();
  });

  test("has one rule at most: two that are about the same upload are refused", async () => {
    const queue = await stage.queue("twice");
    const of = (Value: string) => ({
      QueueArn: queue.arn,
      Events: [CREATED],
      Filter: { Key: { FilterRules: [{ Name: "suffix" as const, Value }] } },
    });
    const NotificationConfiguration = { QueueConfigurations: [of(".jpg"), of("jpg")] };
    await s3.createBucket({ Bucket: "twice" });
    await assert.rejects(s3.putBucketNotificationConfiguration({ Bucket: "twice", NotificationConfiguration }), {
      name: "InvalidArgument",
    });
    await queue.assertSilent();
  });

  test("is not told to a queue or a function that does not let the bucket in", async () => {
    await makeFunction(lambda, "shut");
    const Bucket = await bucket("unheard");
    const LambdaFunctionConfigurations = [{ LambdaFunctionArn: functionArnOf("shut"), Events: [CREATED] }];
    await assert.rejects(s3.putBucketNotificationConfiguration({ Bucket, NotificationConfiguration: { LambdaFunctionConfigurations } }), {
      name: "InvalidArgument",
    });
    const QueueConfigurations = [{ QueueArn: queueArnOf("nobody-made-it"), Events: [CREATED] }];
    await assert.rejects(s3.putBucketNotificationConfiguration({ Bucket, NotificationConfiguration: { QueueConfigurations } }), {
      name: "InvalidArgument",
    });
    assert.deepEqual((await s3.getBucketNotificationConfiguration({ Bucket })).QueueConfigurations, undefined);
  });
});

test("P1: what was stored before kill -9 is there after it, and its function hears of it at least once", async (context) => {
  const heard = await stage.hearing("survivor");
  await letIn("survivor");
  const Bucket = await bucket("survivor", {
    LambdaFunctionConfigurations: [{ LambdaFunctionArn: functionArnOf("survivor"), Events: [CREATED] }],
  });
  const upload = { Bucket, Key: "in parts" };
  const { UploadId } = await s3.createMultipartUpload(upload);
  const part = (n: number) => Buffer.alloc(5 * 1024 * 1024, n);
  const { ETag: first } = await s3.uploadPart({ ...upload, UploadId, PartNumber: 1, Body: part(1) });
  const stored: string[] = [];
  const enough = deferred<void>();
  const put = async (n: number): Promise<void> => {
    // Small bodies are in the commit, larger ones in files of their own.
    await s3.putObject({ Bucket, Key: `k ${n}`, Body: Buffer.alloc(n % 2 === 0 ? 100 : 40_000, n) });
    stored.push(`k ${n}`);
    if (stored.length >= 12) enough.resolve();
  };
  const putting = Promise.allSettled(Array.from({ length: 32 }, (_, n) => put(n)));
  await enough.promise;
  await server.restartAfterKill();
  await putting;
  // An upload that was under way goes on.
  const { ETag: second } = await s3.uploadPart({ ...upload, UploadId, PartNumber: 2, Body: "end" });
  const Parts = [first, second].map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
  await s3.completeMultipartUpload({ ...upload, UploadId, MultipartUpload: { Parts } });
  const whole = await known((await s3.getObject(upload)).Body).transformToByteArray();
  assert.ok(Buffer.concat([part(1), Buffer.from("end")]).equals(whole));
  await s3.deleteObject(upload);
  stored.push("in parts");
  const times = new Map<string, number>();
  await heard.all(stored, (text) => {
    const key = keyOf(recordOf((JSON.parse(text) as ToldJson).requestPayload as EventJson));
    times.set(key, (times.get(key) ?? 0) + 1);
    return key;
  });
  const twice = [...times.values()].filter((each) => each > 1).length;
  context.diagnostic(`${stored.length} uploads were acknowledged before the kill, ${twice} were told twice`);
  for (const Key of stored.filter((key) => key !== upload.Key)) {
    const { Body } = await s3.getObject({ Bucket, Key });
    const n = Number(Key.slice(2));
    assert.ok(Buffer.alloc(n % 2 === 0 ? 100 : 40_000, n).equals(await known(Body).transformToByteArray()), Key);
  }
  // Nothing half: what was not acknowledged is there whole, or not at all.
  const { Contents = [] } = await s3.listObjectsV2({ Bucket });
  assert.deepEqual(
    Contents.map(({ Size }) => Size).filter((size) => size !== 100 && size !== 40_000),
    [],
  );
});

describe("a function's code", () => {
  test("comes out of a bucket: of a key, or of one of its versions", async () => {
    const Bucket = await bucket("code");
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
    const put = async (Key: string, text: string) => {
      const { VersionId } = await s3.putObject({ Bucket, Key, Body: await zipOf(answering(`return ${JSON.stringify(text)};`)) });
      return VersionId;
    };
    const first = await put("app.zip", "first");
    await put("app.zip", "second");
    const made = { FunctionName: "from-bucket", Runtime: "nodejs22.x", Handler: "index.handler", Role: ROLE } as const;
    await lambda.createFunction({ ...made, Code: { S3Bucket: Bucket, S3Key: "app.zip" } });
    await untilActive(lambda, "from-bucket");
    assert.equal((await call(lambda, "from-bucket")).value, "second");
    await lambda.updateFunctionCode({ FunctionName: "from-bucket", S3Bucket: Bucket, S3Key: "app.zip", S3ObjectVersion: first });
    await untilUpdated(lambda, "from-bucket");
    assert.equal((await call(lambda, "from-bucket")).value, "first");
    const missing = lambda.updateFunctionCode({ FunctionName: "from-bucket", S3Bucket: Bucket, S3Key: "missing.zip" });
    await assert.rejects(missing, { name: "InvalidParameterValueException", message: /NoSuchKey/u });
  });

  test("and its layers", async () => {
    const Body = await zipOf({ "nodejs/node_modules/said/index.js": 'module.exports = "out of a layer";' });
    await s3.createBucket({ Bucket: "layers" });
    await s3.putObject({ Bucket: "layers", Key: "said.zip", Body });
    const { LayerVersionArn } = await lambda.publishLayerVersion({ LayerName: "said", Content: { S3Bucket: "layers", S3Key: "said.zip" } });
    const files = { "index.js": 'exports.handler = async () => require("said");' };
    await makeFunction(lambda, "with-layer", { files, Layers: [known(LayerVersionArn)] });
    assert.equal((await call(lambda, "with-layer")).value, "out of a layer");
  });
});

test("a bucket keeps what a function failed at", async () => {
  await s3.createBucket({ Bucket: "failures" });
  await makeFunction(lambda, "failing", { files: answering('throw new Error("no " + event.n);') });
  const DestinationConfig = { OnFailure: { Destination: "arn:aws:s3:::failures" } };
  await lambda.putFunctionEventInvokeConfig({ FunctionName: "failing", MaximumRetryAttempts: 0, DestinationConfig });
  await lambda.invoke({ FunctionName: "failing", InvocationType: "Event", Payload: '{"n":7}' });
  const { Contents = [] } = await until(
    () => s3.listObjectsV2({ Bucket: "failures" }),
    ({ KeyCount }) => KeyCount === 1,
  );
  const Key = known(Contents[0]?.Key);
  assert.match(Key, /^aws\/lambda\/async\/failing\/\d{4}\/\d\d\/\d\d\//u);
  const { Body } = await s3.getObject({ Bucket: "failures", Key });
  const told = JSON.parse(await known(Body).transformToString()) as ToldJson;
  assert.deepEqual([told.requestPayload, told.requestContext.condition], [{ n: 7 }, "RetriesExhausted"]);
});

describe("a function that an upload starts, and that brings about the next one", () => {
  const circling = (LambdaFunctionArn: string) => ({
    LambdaFunctionConfigurations: [{ Id: "again", LambdaFunctionArn, Events: [CREATED] }],
  });
  const told = async () => {
    const path = "/_lambent/v1/events?source=objects&limit=1000";
    const { body } = await sendSigned(server.url, { method: "GET", path }, server.key, "lambent");
    return (
      JSON.parse(body.toString()) as {
        readonly Events: readonly { readonly Reason?: string; readonly Subject?: string; readonly Target: string }[];
      }
    ).Events;
  };

  test("is stopped where it writes into its own bucket", async () => {
    const files = {
      "index.mjs": `
import { S3 } from "@aws-sdk/client-s3";
const s3 = new S3({});
export const handler = async ({ Records: [{ s3: { bucket, object } }] }) => {
  await s3.putObject({ Bucket: bucket.name, Key: String(Number(object.key) + 1), Body: "x" });
};`,
    };
    await makeFunction(lambda, "circle", { files, Timeout: 20 });
    await letIn("circle");
    await bucket("circle", circling(functionArnOf("circle")));
    await s3.putObject({ Bucket: "circle", Key: "1", Body: "x" });
    const events = await until(told, (all) => all.some(({ Reason }) => Reason === "recursion"));
    assert.equal(known(events.find(({ Reason }) => Reason === "recursion")).Subject, "ObjectCreated:Put 17");
    assert.equal((await s3.listObjectsV2({ Bucket: "circle" })).KeyCount, 17);
  });

  test("is stopped where its failures are kept in the bucket that starts it", async () => {
    await makeFunction(lambda, "failing-on", { files: answering('throw new Error("no");') });
    await letIn("failing-on");
    await bucket("failing-on", circling(functionArnOf("failing-on")));
    const DestinationConfig = { OnFailure: { Destination: "arn:aws:s3:::failing-on" } };
    await lambda.putFunctionEventInvokeConfig({ FunctionName: "failing-on", MaximumRetryAttempts: 0, DestinationConfig });
    await s3.putObject({ Bucket: "failing-on", Key: "first", Body: "x" });
    await until(told, (all) => all.some(({ Reason, Target }) => Reason === "recursion" && Target === functionArnOf("failing-on")));
  });
});

describe("a function uses buckets in its sandbox", () => {
  const bytes = 300_000;

  test("by the SDK for JavaScript", async () => {
    await s3.createBucket({ Bucket: "by-node" });
    const files = {
      "index.mjs": `
import { Readable } from "node:stream";
import { S3 } from "@aws-sdk/client-s3";
const s3 = new S3({});
export const handler = async ({ Bucket, bytes }) => {
  await s3.putObject({ Bucket, Key: "猫 1", Body: Readable.from([Buffer.alloc(bytes, 7)]), ContentLength: bytes });
  const { Body } = await s3.getObject({ Bucket, Key: "猫 1" });
  const got = await Body.transformToByteArray();
  const { Contents } = await s3.listObjectsV2({ Bucket });
  return [got.length, got.every((byte) => byte === 7), Contents.map(({ Key }) => Key)];
};`,
    };
    await makeFunction(lambda, "by-node", { files, Timeout: 20 });
    assert.deepEqual((await call(lambda, "by-node", { Bucket: "by-node", bytes })).value, [bytes, true, ["猫 1"]]);
  });

  test("by boto3", async () => {
    await s3.createBucket({ Bucket: "by-python" });
    const files = {
      "index.py": `
import io
import boto3
s3 = boto3.client("s3")

def handler(event, context):
    bucket, data = event["Bucket"], bytes([7]) * event["bytes"]
    s3.upload_fileobj(io.BytesIO(data), bucket, "猫 1")
    found = io.BytesIO()
    s3.download_fileobj(bucket, "猫 1", found)
    return [len(found.getvalue()), found.getvalue() == data, [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]]
`,
    };
    await makeFunction(lambda, "by-python", { files, Runtime: "python3.12", Timeout: 20 });
    assert.deepEqual((await call(lambda, "by-python", { Bucket: "by-python", bytes })).value, [bytes, true, ["猫 1"]]);
  });
});
