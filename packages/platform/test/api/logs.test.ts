import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  ListTagsForResourceCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { logsService } from "../../src/api/logs/service.ts";
import { systemClock } from "../../src/base/index.ts";
import { openLogs } from "../../src/telemetry/index.ts";
import { serveServices, TEST_KEY, testSecurity } from "../support/api-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const REALM = { account: "000000000000", region: "us-east-1" };
const GROUP = "/aws/lambda/hello";
const ARN = `arn:aws:logs:us-east-1:000000000000:log-group:${GROUP}`;

async function started(test: TestContext) {
  const security = await testSecurity(test);
  const logs = await openLogs({ folder: join(temporaryFolder(test), "logs"), clock: systemClock, onTrouble: assert.fail });
  test.after(() => logs.close());
  const endpoint = await serveServices(test, [logsService({ logs, clock: systemClock })], security);
  const client = new CloudWatchLogsClient({ endpoint, region: "us-east-1", credentials: TEST_KEY, maxAttempts: 1 });
  test.after(() => client.destroy());
  const write = (stream: string, messages: readonly string[], timestamp = systemClock.now()): void =>
    void logs.write(
      REALM,
      GROUP,
      stream,
      messages.map((message) => ({ timestamp, message })),
    );
  return { client, logs, write };
}

const named =
  (name: string, pattern = /./) =>
  (error: unknown) =>
    error instanceof Error && error.name === name && pattern.test(error.message);
const messagesOf = (answer: { readonly events?: readonly { readonly message?: string | undefined }[] | undefined }) =>
  answer.events?.map((event) => event.message);

describe("CloudWatch Logs", () => {
  it("reads a function's lines as `aws logs tail` does: filtered by time over all streams, page by page", async (test) => {
    const { client, write } = await started(test);
    const now = systemClock.now();
    for (let index = 0; index < 6; index++) write(`2026/01/01/[$LATEST]${index % 2}`, [`line ${index}`], now - 60_000 + index);
    const seen: (string | undefined)[] = [];
    const ids = new Set<string | undefined>();
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new FilterLogEventsCommand({ logGroupName: GROUP, startTime: now - 600_000, limit: 4, nextToken, interleaved: true }),
      );
      for (const event of page.events ?? []) {
        seen.push(event.message);
        ids.add(event.eventId);
        assert.ok(event.ingestionTime && event.ingestionTime >= now && event.logStreamName);
      }
      nextToken = page.nextToken;
    } while (nextToken);
    assert.deepEqual(seen, ["line 0", "line 1", "line 2", "line 3", "line 4", "line 5"]);
    assert.equal(ids.size, 6);
    // The end of the range is inclusive here.
    const part = await client.send(
      new FilterLogEventsCommand({ logGroupIdentifier: ARN, startTime: now - 59_999, endTime: now - 59_997, filterPattern: "?line ?none" }),
    );
    assert.deepEqual(messagesOf(part), ["line 1", "line 2", "line 3"]);
    const newest = await client.send(
      new FilterLogEventsCommand({ logGroupName: GROUP, startFromHead: false, startTime: now - 600_000, limit: 2 }),
    );
    assert.deepEqual(messagesOf(newest), ["line 5", "line 4"]);
    const next = await client.send(new FilterLogEventsCommand({ logGroupName: GROUP, limit: 2, nextToken: newest.nextToken }));
    assert.deepEqual(messagesOf(next), ["line 3", "line 2"]);
  });

  it("reads one stream from its end or its start, and the token of the end stays until there is more", async (test) => {
    const { client, write } = await started(test);
    write("s", ["1", "2", "3"]);
    const get = (more: object) => client.send(new GetLogEventsCommand({ logGroupName: GROUP, logStreamName: "s", ...more }));
    const latest = await get({ limit: 2 });
    assert.deepEqual(messagesOf(latest), ["2", "3"]);
    assert.deepEqual(messagesOf(await get({ limit: 2, nextToken: latest.nextBackwardToken })), ["1"]);
    const end = await get({ nextToken: latest.nextForwardToken });
    assert.deepEqual([messagesOf(end), end.nextForwardToken], [[], latest.nextForwardToken]);
    write("s", ["4"]);
    assert.deepEqual(messagesOf(await get({ nextToken: end.nextForwardToken })), ["4"]);
    const first = await get({ limit: 1, startFromHead: true });
    assert.deepEqual(messagesOf(first), ["1"]);
    assert.deepEqual(messagesOf(await get({ startFromHead: true, endTime: 1 })), []);
  });

  it("a page holds at most a mebibyte, in either direction", async (test) => {
    const { client, write } = await started(test);
    write(
      "s",
      Array.from({ length: 8 }, (_, index) => `${index}${"x".repeat(200_000)}`),
    );
    const heads = (answer: Parameters<typeof messagesOf>[0]) => messagesOf(answer)?.map((message) => message?.charAt(0));
    const latest = await client.send(new GetLogEventsCommand({ logGroupName: GROUP, logStreamName: "s" }));
    assert.deepEqual(heads(latest), ["3", "4", "5", "6", "7"]);
    assert.deepEqual(
      heads(await client.send(new GetLogEventsCommand({ logGroupName: GROUP, logStreamName: "s", nextToken: latest.nextBackwardToken }))),
      ["0", "1", "2"],
    );
    const found = await client.send(new FilterLogEventsCommand({ logGroupName: GROUP }));
    assert.deepEqual(heads(found), ["0", "1", "2", "3", "4"]);
    assert.deepEqual(heads(await client.send(new FilterLogEventsCommand({ logGroupName: GROUP, nextToken: found.nextToken }))), [
      "5",
      "6",
      "7",
    ]);
  });

  it("keeps what is put, entry by entry, and says which entries it left out", async (test) => {
    const { client } = await started(test);
    const now = systemClock.now();
    const put = (logEvents: { timestamp: number; message: string }[]) =>
      client.send(new PutLogEventsCommand({ logGroupName: GROUP, logStreamName: "mine", logEvents }));
    await assert.rejects(put([{ timestamp: now, message: "x" }]), named("ResourceNotFoundException", /log group/));
    await client.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
    await assert.rejects(put([{ timestamp: now, message: "x" }]), named("ResourceNotFoundException", /log stream mine/));
    await client.send(new CreateLogStreamCommand({ logGroupName: GROUP, logStreamName: "mine" }));
    const day = 86_400_000;
    const answer = await put([
      { timestamp: now - 20 * day, message: "far too old" },
      { timestamp: now - 10 * day, message: "past its time" },
      { timestamp: now, message: "kept" },
      { timestamp: now + day, message: "too new" },
    ]);
    assert.deepEqual(answer.rejectedLogEventsInfo, { tooOldLogEventEndIndex: 1, expiredLogEventEndIndex: 2, tooNewLogEventStartIndex: 3 });
    assert.deepEqual(messagesOf(await client.send(new FilterLogEventsCommand({ logGroupName: GROUP }))), ["kept"]);
    await assert.rejects(
      put([
        { timestamp: now, message: "b" },
        { timestamp: now - 1, message: "a" },
      ]),
      named("InvalidParameterException", /chronological/),
    );
    await assert.rejects(
      put([{ timestamp: now, message: "x".repeat(262_145) }]),
      named("InvalidParameterException", /262145 bytes; 262144/),
    );
    await assert.rejects(
      put(Array.from({ length: 5 }, () => ({ timestamp: now, message: "x".repeat(220_000) }))),
      named("InvalidParameterException", /1048576 bytes/),
    );
  });

  it("lists groups with what is set of them, by prefix and pattern, in pages", async (test) => {
    const { client } = await started(test);
    for (const name of ["/a/One", "/a/two", "/b/one"])
      await client.send(new CreateLogGroupCommand({ logGroupName: name, tags: { made: "here" } }));
    await assert.rejects(client.send(new CreateLogGroupCommand({ logGroupName: "/a/two" })), named("ResourceAlreadyExistsException"));
    await assert.rejects(client.send(new CreateLogGroupCommand({ logGroupName: "not allowed!" })), named("InvalidParameterException"));
    const names = async (input: object) => {
      const answer = await client.send(new DescribeLogGroupsCommand(input));
      return { names: answer.logGroups?.map((group) => group.logGroupName), token: answer.nextToken };
    };
    assert.deepEqual((await names({ logGroupNamePrefix: "/a/" })).names, ["/a/One", "/a/two"]);
    assert.deepEqual((await names({ logGroupNamePattern: "ONE" })).names, ["/a/One", "/b/one"]);
    const first = await names({ limit: 2 });
    assert.deepEqual([first.names, (await names({ limit: 2, nextToken: first.token })).names], [["/a/One", "/a/two"], ["/b/one"]]);
    await client.send(new PutRetentionPolicyCommand({ logGroupName: "/a/two", retentionInDays: 14 }));
    const described = async () => (await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: "/a/two" }))).logGroups?.[0];
    const group = await described();
    assert.deepEqual(
      [group?.retentionInDays, group?.arn, group?.logGroupArn],
      [14, "arn:aws:logs:us-east-1:000000000000:log-group:/a/two:*", "arn:aws:logs:us-east-1:000000000000:log-group:/a/two"],
    );
    await client.send(new DeleteRetentionPolicyCommand({ logGroupName: "/a/two" }));
    assert.equal((await described())?.retentionInDays, undefined);
    await assert.rejects(
      client.send(new PutRetentionPolicyCommand({ logGroupName: "/a/two", retentionInDays: 2 })),
      named("InvalidParameterException", /retentionInDays is 2/),
    );
    await client.send(new DeleteLogGroupCommand({ logGroupName: "/a/two" }));
    assert.equal(await described(), undefined);
    await assert.rejects(client.send(new DeleteLogGroupCommand({ logGroupName: "/a/two" })), named("ResourceNotFoundException"));
  });

  it("lists streams by name or by their last event, in pages", async (test) => {
    const { client, write } = await started(test);
    const now = systemClock.now();
    for (const [index, stream] of ["b", "a", "c"].entries()) write(stream, ["x"], now - index * 1_000);
    const list = async (input: object) => {
      const answer = await client.send(new DescribeLogStreamsCommand({ logGroupName: GROUP, ...input }));
      return { names: answer.logStreams?.map((stream) => stream.logStreamName), token: answer.nextToken, first: answer.logStreams?.[0] };
    };
    assert.deepEqual((await list({})).names, ["a", "b", "c"]);
    assert.deepEqual((await list({ logStreamNamePrefix: "b" })).names, ["b"]);
    const latest = await list({ orderBy: "LastEventTime", descending: true, limit: 2 });
    assert.deepEqual([latest.names, latest.first?.lastEventTimestamp], [["b", "a"], now]);
    assert.deepEqual((await list({ orderBy: "LastEventTime", descending: true, limit: 2, nextToken: latest.token })).names, ["c"]);
    await client.send(new DeleteLogStreamCommand({ logGroupName: GROUP, logStreamName: "a" }));
    assert.deepEqual((await list({})).names, ["b", "c"]);
    await assert.rejects(
      list({ orderBy: "LastEventTime", logStreamNamePrefix: "b" }),
      named("InvalidParameterException", /LogStreamName only/),
    );
  });

  it("tags a group", async (test) => {
    const { client } = await started(test);
    await client.send(new CreateLogGroupCommand({ logGroupName: GROUP, tags: { a: "1", b: "2" } }));
    await client.send(new TagResourceCommand({ resourceArn: ARN, tags: { c: "3" } }));
    await client.send(new UntagResourceCommand({ resourceArn: ARN, tagKeys: ["a"] }));
    assert.deepEqual((await client.send(new ListTagsForResourceCommand({ resourceArn: ARN }))).tags, { b: "2", c: "3" });
    await assert.rejects(
      client.send(new ListTagsForResourceCommand({ resourceArn: ARN.replace("us-east-1", "eu-west-1") })),
      named("ResourceNotFoundException"),
    );
  });

  it("P8: foreign tokens and patterns are refused with what is wrong", async (test) => {
    const { client, write } = await started(test);
    write("s", ["1"]);
    for (const nextToken of ["nonsense", "f/1", Buffer.from("[1]").toString("base64url"), Buffer.from('{"a":1}').toString("base64url")]) {
      await assert.rejects(
        client.send(new FilterLogEventsCommand({ logGroupName: GROUP, nextToken })),
        named("InvalidParameterException", /nextToken/),
      );
      await assert.rejects(
        client.send(new GetLogEventsCommand({ logGroupName: GROUP, logStreamName: "s", nextToken })),
        named("InvalidParameterException", /nextToken/),
      );
      await assert.rejects(client.send(new DescribeLogGroupsCommand({ nextToken })), named("InvalidParameterException", /nextToken/));
    }
    await assert.rejects(
      client.send(new FilterLogEventsCommand({ logGroupName: GROUP, filterPattern: "{ $.a" })),
      named("InvalidParameterException", /JSON filter pattern/),
    );
    await assert.rejects(
      client.send(new FilterLogEventsCommand({ logGroupName: GROUP, logStreamNames: ["gone"] })),
      named("ResourceNotFoundException", /gone/),
    );
    await assert.rejects(
      client.send(new FilterLogEventsCommand({ logGroupName: GROUP, logStreamNames: ["s"], logStreamNamePrefix: "s" })),
      named("InvalidParameterException"),
    );
  });
});
