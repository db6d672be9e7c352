/** An ordinary day with the AWS CLI, unmodified: from a role to a function, its calls, its logs, and its end. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { checkGolden } from "../support/golden.ts";
import { ACCOUNT, functionArnOf } from "../support/javascript-clients.ts";
import { SERVICES, startRecordedServer } from "../support/recorder.ts";
import { zipOf } from "../support/zips.ts";

const { server, recorder } = await startRecordedServer();
const folder = mkdtempSync(join(tmpdir(), "lambent-cli-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ending {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `aws <words>` in a folder of the test's own. */
async function run(words: string, ...more: readonly string[]): Promise<Ending> {
  const environment = { ...server.clientEnvironment, AWS_ENDPOINT_URL: recorder.url, AWS_MAX_ATTEMPTS: "1" };
  const child = spawn("aws", [...words.split(" "), ...more], { cwd: folder, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

/** The same for a command that must work; what it printed, as data. */
async function aws(words: string, ...more: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await run(words, ...more);
  assert.equal(code, 0, `aws ${words}: ${err}`);
  return (out.trim() === "" ? {} : JSON.parse(out)) as Record<string, unknown>;
}

const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return `fileb://${name}`;
};
const answered = (): unknown => JSON.parse(readFileSync(join(folder, "answer.json"), "utf8"));
const handler = (text: string): Readonly<Record<string, string>> => ({
  "index.mjs": `export const handler = async (event) => { console.log("hello,", event.name); return "${text} " + event.name; };`,
});

describe("an ordinary day with the AWS CLI", () => {
  test("get-caller-identity says who the printed key is", async () => {
    assert.deepEqual(await aws("sts get-caller-identity"), { UserId: ACCOUNT, Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:root` });
  });

  test("create-role and attach-role-policy come before the function, as in every guide", async () => {
    const trust = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    };
    const { Role } = (await aws("iam create-role --role-name day --assume-role-policy-document", JSON.stringify(trust))) as {
      Role: { Arn: string };
    };
    assert.equal(Role.Arn, `arn:aws:iam::${ACCOUNT}:role/day`);
    await aws("iam attach-role-policy --role-name day --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole");
    const { AttachedPolicies } = await aws("iam list-attached-role-policies --role-name day");
    assert.equal((AttachedPolicies as unknown[]).length, 1);
  });

  test("create-function, wait, invoke with the tail of its log", async () => {
    const code = file("code.zip", await zipOf(handler("hello")));
    const made = await aws(
      `lambda create-function --function-name day --runtime nodejs22.x --handler index.handler --role arn:aws:iam::${ACCOUNT}:role/day --zip-file ${code}`,
    );
    assert.equal(made["State"], "Pending");
    await aws("lambda wait function-active-v2 --function-name day");
    const called = await aws(
      `lambda invoke --function-name day --log-type Tail --payload ${file("event.json", '{"name":"Ada"}')} answer.json`,
    );
    assert.deepEqual([called["StatusCode"], called["ExecutedVersion"], answered()], [200, "$LATEST", "hello Ada"]);
    assert.match(Buffer.from(String(called["LogResult"]), "base64").toString(), /^START [^]*\tINFO\thello, Ada\n[^]*REPORT /u);
  });

  test("update-function-code --publish, create-alias, and the alias is called", async () => {
    const code = file("code.zip", await zipOf(handler("goodbye")));
    const updated = await aws(`lambda update-function-code --function-name day --publish --zip-file ${code}`);
    assert.equal(updated["Version"], "1");
    await aws("lambda create-alias --function-name day --name live --function-version 1");
    const called = await aws("lambda invoke --function-name day:live --payload fileb://event.json answer.json");
    assert.deepEqual([called["ExecutedVersion"], answered()], ["1", "goodbye Ada"]);
  });

  test("get-function and list-functions show it", async () => {
    const { Configuration, Code } = (await aws("lambda get-function --function-name day")) as {
      Configuration: { FunctionArn: string };
      Code: { Location: string };
    };
    assert.equal(Configuration.FunctionArn, functionArnOf("day"));
    assert.deepEqual(Buffer.from(await (await fetch(Code.Location)).arrayBuffer()), await zipOf(handler("goodbye")));
    assert.deepEqual(await aws("lambda list-functions --query", "{names: Functions[].FunctionName}"), { names: ["day"] });
  });

  test("describe-log-groups and filter-log-events find what it wrote", async () => {
    const { logGroups } = (await aws("logs describe-log-groups --log-group-name-prefix /aws/lambda/day")) as {
      logGroups: { logGroupName: string }[];
    };
    assert.deepEqual(
      logGroups.map((group) => group.logGroupName),
      ["/aws/lambda/day"],
    );
    const { events } = (await aws("logs filter-log-events --log-group-name /aws/lambda/day --filter-pattern hello")) as {
      events: { message: string }[];
    };
    assert.equal(events.length, 2, JSON.stringify(events));
    for (const { message } of events) assert.match(message, /\tINFO\thello, Ada/u);
  });

  test("a queue's day: create-queue, send, receive, delete, and a batch with a bad entry", async () => {
    // This CLI looks past AWS_ENDPOINT_URL for sqs.
    const sqs = (words: string, ...more: readonly string[]) => aws(`--endpoint-url ${recorder.url} sqs ${words}`, ...more);
    const { QueueUrl } = await sqs(
      "create-queue --queue-name day --attributes VisibilityTimeout=60,ReceiveMessageWaitTimeSeconds=1 --tags a=b",
    );
    const url = String(QueueUrl);
    assert.deepEqual(await sqs("get-queue-url --queue-name day"), { QueueUrl: url });
    const attribute = '{"n":{"DataType":"Number","StringValue":"7"}}';
    await sqs(`send-message --queue-url ${url} --message-body`, "hello, queue", "--message-attributes", attribute);
    const entries = [
      { Id: "good", MessageBody: "second" },
      { Id: "bad", MessageBody: "late", DelaySeconds: 901 },
    ];
    const { Successful, Failed } = await sqs(`send-message-batch --queue-url ${url} --entries`, JSON.stringify(entries));
    assert.deepEqual([(Successful as { Id: string }[])[0]?.Id, (Failed as { Id: string }[])[0]?.Id], ["good", "bad"]);
    const { Messages } = (await sqs(`receive-message --queue-url ${url} --max-number-of-messages 10 --message-attribute-names All`)) as {
      Messages: { Body: string; ReceiptHandle: string; MessageAttributes?: object }[];
    };
    assert.deepEqual(
      Messages.map(({ Body }) => Body),
      ["hello, queue", "second"],
    );
    assert.deepEqual(Messages[0]?.MessageAttributes, { n: { DataType: "Number", StringValue: "7" } });
    await sqs(`change-message-visibility --queue-url ${url} --visibility-timeout 30 --receipt-handle`, String(Messages[0]?.ReceiptHandle));
    for (const { ReceiptHandle } of Messages) await sqs(`delete-message --queue-url ${url} --receipt-handle`, ReceiptHandle);
    const counted = await sqs(
      `get-queue-attributes --queue-url ${url} --attribute-names All --query`,
      "Attributes.ApproximateNumberOfMessagesNotVisible",
    );
    assert.deepEqual(counted, "0");
    await sqs(`delete-queue --queue-url ${url}`);
    const gone = await run(`--endpoint-url ${recorder.url} sqs send-message --queue-url ${url} --message-body late`);
    assert.match(
      gone.err,
      /An error occurred \(AWS\.SimpleQueueService\.NonExistentQueue\) when calling the SendMessage operation: The specified queue/u,
    );
  });

  test("a queue triggers the function: create-event-source-mapping, list, update, delete", async () => {
    const sqs = (words: string, ...more: readonly string[]) => aws(`--endpoint-url ${server.url} sqs ${words}`, ...more);
    await sqs("create-queue --queue-name triggering");
    const reading = "--role-name day --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole";
    await aws(`iam attach-role-policy ${reading}`);
    const source = `arn:aws:sqs:us-east-1:${ACCOUNT}:triggering`;
    const filters = '{"Filters":[{"Pattern":"{\\"body\\":{\\"name\\":[\\"Ada\\"]}}"}]}';
    const made = await aws(
      `lambda create-event-source-mapping --function-name day --event-source-arn ${source} --filter-criteria`,
      filters,
    );
    assert.deepEqual([made["State"], made["BatchSize"], made["FilterCriteria"]], ["Creating", 10, JSON.parse(filters)]);
    const uuid = String(made["UUID"]);
    const { EventSourceMappings } = await aws(`lambda list-event-source-mappings --event-source-arn ${source}`);
    assert.deepEqual(
      (EventSourceMappings as { UUID: string }[]).map(({ UUID }) => UUID),
      [uuid],
    );
    assert.equal((await aws(`lambda update-event-source-mapping --uuid ${uuid} --no-enabled`))["State"], "Disabling");
    for (let state = ""; state !== "Disabled";) state = String((await aws(`lambda get-event-source-mapping --uuid ${uuid}`))["State"]);
    assert.equal((await aws(`lambda delete-event-source-mapping --uuid ${uuid}`))["State"], "Deleting");
    await aws(`iam detach-role-policy ${reading}`);
    const unread = await run(`lambda create-event-source-mapping --function-name day --event-source-arn`, source);
    assert.match(
      unread.err,
      /\(InvalidParameterValueException\) .*: The function execution role does not have permissions to call ReceiveMessage on SQS/u,
    );
    const other = await run(
      "lambda create-event-source-mapping --function-name day --starting-position LATEST --event-source-arn",
      `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/clicks/stream/2026-01-01T00:00:00.000`,
    );
    assert.match(
      other.err,
      /An error occurred \(NotImplemented\) .*: Event source mappings of dynamodb are not built in Lambent; those of/u,
    );
  });

  test("a rule's day: create-event-bus, put-rule, put-targets, put-events, and the queue has the event", async () => {
    const sqs = (words: string, ...more: readonly string[]) => aws(`--endpoint-url ${server.url} sqs ${words}`, ...more);
    const { EventBusArn } = await aws("events create-event-bus --name orders");
    assert.equal(EventBusArn, `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/orders`);
    const { RuleArn } = await aws(
      "events put-rule --name large --event-bus-name orders --event-pattern",
      '{"detail":{"total":[{"numeric":[">",100]}]}}',
    );
    const Resource = `arn:aws:sqs:us-east-1:${ACCOUNT}:large-orders`;
    const Condition = { ArnEquals: { "aws:SourceArn": RuleArn } };
    const allowed = { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sqs:SendMessage", Resource, Condition };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [allowed] });
    const { QueueUrl } = await sqs("create-queue --queue-name large-orders --attributes", JSON.stringify({ Policy }));
    const targets = await aws(
      `events put-targets --rule large --event-bus-name orders --targets Id=queue,Arn=${Resource},InputPath=$.detail`,
    );
    assert.deepEqual(targets, { FailedEntryCount: 0, FailedEntries: [] });
    const entry = (total: number) => ({ Source: "shop", DetailType: "Order", Detail: JSON.stringify({ total }), EventBusName: "orders" });
    const put = await aws("events put-events --entries", JSON.stringify([entry(7), { ...entry(8), Detail: "{" }, entry(107)]));
    assert.deepEqual([put["FailedEntryCount"], (put["Entries"] as { ErrorCode?: string }[])[1]?.ErrorCode], [1, "MalformedDetail"]);
    const { Messages } = (await sqs(`receive-message --wait-time-seconds 20 --queue-url ${String(QueueUrl)}`)) as {
      Messages: { Body: string }[];
    };
    assert.deepEqual(
      Messages.map(({ Body }) => Body),
      ['{"total":107}'],
    );
    const full = await run("events delete-rule --name large --event-bus-name orders");
    assert.match(full.err, /An error occurred \(ValidationException\) .*: Rule can't be deleted since it has targets\./u);
  });

  test("a bucket's day: create-bucket, put-object, get-object, copy-object, a marker, and what is refused", async () => {
    // This CLI looks past AWS_ENDPOINT_URL for s3api.
    const s3 = (words: string, ...more: readonly string[]) => aws(`--endpoint-url ${recorder.url} s3api ${words}`, ...more);
    assert.deepEqual(await s3("create-bucket --bucket day"), { Location: "/day", BucketArn: "arn:aws:s3:::day" });
    await s3("put-bucket-versioning --bucket day --versioning-configuration Status=Enabled");
    file("hello.txt", "hello");
    const stored = await s3("put-object --bucket day --body hello.txt --metadata by=Ada --key", "a folder/hello.txt");
    assert.equal(stored["ETag"], '"5d41402abc4b2a76b9719d911017c592"');
    const got = await s3("get-object --bucket day --key", "a folder/hello.txt", "answer.txt");
    assert.deepEqual([got["Metadata"], readFileSync(join(folder, "answer.txt"), "utf8")], [{ by: "Ada" }, "hello"]);
    await s3("copy-object --bucket day --key copy.txt --copy-source", "day/a folder/hello.txt");
    const { Contents } = (await s3("list-objects-v2 --bucket day")) as { Contents: { Key: string }[] };
    assert.deepEqual(
      Contents.map(({ Key }) => Key),
      ["a folder/hello.txt", "copy.txt"],
    );
    assert.equal((await s3("delete-object --bucket day --key copy.txt"))["DeleteMarker"], true);
    const gone = await run(`--endpoint-url ${recorder.url} s3api get-object --bucket day --key copy.txt answer.txt`);
    assert.match(gone.err, /An error occurred \(NoSuchKey\) when calling the GetObject operation: The specified key does not exist\./u);
    const locked = await run(
      `--endpoint-url ${recorder.url} s3api put-object-lock-configuration --bucket day --object-lock-configuration ObjectLockEnabled=Enabled`,
    );
    assert.match(locked.err, /An error occurred \(NotImplemented\) .*: Object Lock.* is not built in Lambent\./u);
  });

  test("a stream's day: create-stream, put-record, get-shard-iterator, get-records, a split, and what is refused", async () => {
    await aws("kinesis create-stream --stream-name day --shard-count 1");
    await aws("kinesis wait stream-exists --stream-name day");
    const put = await aws("kinesis put-record --stream-name day --partition-key ada --data hello");
    assert.equal(put["ShardId"], "shardId-000000000000");
    const from = "--stream-name day --shard-id shardId-000000000000 --shard-iterator-type TRIM_HORIZON";
    const { ShardIterator } = await aws(`kinesis get-shard-iterator ${from}`);
    const { Records } = (await aws("kinesis get-records --shard-iterator", String(ShardIterator))) as {
      Records: { Data: string; PartitionKey: string; SequenceNumber: string }[];
    };
    assert.deepEqual(
      Records.map(({ Data, PartitionKey, SequenceNumber }) => [Buffer.from(Data, "base64").toString(), PartitionKey, SequenceNumber]),
      [["hello", "ada", put["SequenceNumber"]]],
    );
    const split = "--shard-to-split shardId-000000000000 --new-starting-hash-key 170141183460469231731687303715884105728";
    await aws(`kinesis split-shard --stream-name day ${split}`);
    const { StreamDescriptionSummary } = (await aws("kinesis describe-stream-summary --stream-name day")) as {
      StreamDescriptionSummary: Record<string, unknown>;
    };
    assert.deepEqual([StreamDescriptionSummary["StreamStatus"], StreamDescriptionSummary["OpenShardCount"]], ["ACTIVE", 2]);
    await aws("kinesis delete-stream --stream-name day");
    const gone = await run("kinesis describe-stream-summary --stream-name day");
    assert.match(gone.err, /\(ResourceNotFoundException\) when calling the DescribeStreamSummary operation: Stream day under account/u);
  });

  test("delete-function ends it, and errors are said in the CLI's own words", async () => {
    await aws("lambda delete-function --function-name day");
    const missing = await run("lambda get-function --function-name day");
    assert.match(
      missing.err,
      /An error occurred \(ResourceNotFoundException\) when calling the GetFunction operation: Function not found/u,
    );
    assert.ok(missing.code !== 0 && missing.out === "");
    const unbuilt = await run("lambda list-code-signing-configs");
    assert.match(
      unbuilt.err,
      /An error occurred \(NotImplemented\) when calling the ListCodeSigningConfigs operation: .*ListCodeSigningConfigs/u,
    );
  });

  test("what was said and answered is as in the golden files", async () => {
    const { out, err } = await run("--version");
    const version = /aws-cli\/\S+/u.exec(out + err)?.[0] ?? "";
    for (const service of SERVICES) checkGolden("aws-cli", version, service, recorder.exchanges);
  });
});
