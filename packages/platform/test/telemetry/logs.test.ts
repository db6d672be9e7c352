import assert from "node:assert/strict";
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isLambentError, ManualClock, systemSecureRandom, timeOrderedId } from "../../src/base/index.ts";
import { Signals } from "../../src/model/index.ts";
import {
  eventId,
  keepFunctionLogs,
  LOG_MESSAGE_BYTES_MAX,
  openLogs,
  type LogEvent,
  type Logs,
  type LogsOptions,
} from "../../src/telemetry/index.ts";
import { LOG_BUFFER_LINES_MAX } from "../../src/telemetry/logs/write-buffer.ts";
import { LOG_SEGMENT_BYTES_MAX } from "../../src/telemetry/logs/log-stream.ts";
import { functionVersion } from "../support/function-version.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const REALM = { account: "000000000000", region: "us-east-1" };
const GROUP = "/aws/lambda/hello";
const HOUR_MS = 3_600_000;

interface World {
  readonly clock: ManualClock;
  readonly folder: string;
  logs: Logs;
  write(stream: string, ...messages: readonly string[]): void;
  reopen(): Promise<void>;
}

async function world(t: TestContext, more: Partial<LogsOptions> = {}): Promise<World> {
  const clock = new ManualClock();
  const folder = join(temporaryFolder(t), "logs");
  const open = () => openLogs({ folder, clock, onTrouble: assert.fail, ...more });
  const made: World = {
    clock,
    folder,
    logs: await open(),
    write: (stream, ...messages) =>
      void made.logs.write(
        REALM,
        GROUP,
        stream,
        messages.map((message) => ({ timestamp: clock.now(), message })),
      ),
    async reopen() {
      await made.logs.close();
      made.logs = await open();
    },
  };
  t.after(() => made.logs.close());
  return made;
}

const messages = (events: readonly LogEvent[]): string[] => events.map((event) => event.message);
const whole = { at: undefined, direction: "forward", limit: 10_000 } as const;

void test("lines of a function land in its group, in the stream of their instance, with the time they were taken in", async (t) => {
  const { clock, logs } = await world(t);
  const signals = new Signals();
  keepFunctionLogs(signals, logs);
  const version = functionVersion({
    name: "hello",
    logging: { format: "Text", applicationLevel: "INFO", systemLevel: "INFO", group: GROUP },
  });
  const instanceId = timeOrderedId(clock, systemSecureRandom);
  const line = { version, instanceId, requestId: "r-1", at: clock.now() - 5, text: "one" };
  signals.emit("log", line);
  signals.emit("log", { ...line, instanceId: timeOrderedId(clock, systemSecureRandom), text: "two" });
  const stream = `2023/11/14/[${version.version}]${instanceId.replaceAll("-", "")}`;
  assert.ok((await (await logs.group(version.realm, GROUP)).streams()).has(stream));
  const [event] = await logs.read(version.realm, GROUP, stream, whole);
  assert.deepEqual([event?.message, event?.timestamp, event?.ingestedAt, event?.requestId], ["one", clock.now() - 5, clock.now(), "r-1"]);
});

void test("an instance that lives over midnight keeps its stream", async (t) => {
  const { clock, logs } = await world(t);
  const signals = new Signals();
  keepFunctionLogs(signals, logs);
  const version = functionVersion({ name: "hello" });
  const instanceId = timeOrderedId(clock, systemSecureRandom);
  signals.emit("log", { version, instanceId, requestId: undefined, at: clock.now(), text: "before" });
  await clock.advance(24 * HOUR_MS);
  signals.emit("log", { version, instanceId, requestId: undefined, at: clock.now(), text: "after" });
  const streams = await (await logs.group(version.realm, version.logging.group)).streams();
  assert.equal(streams.size, 1);
});

void test("a stream is read forward and backward in pages, and new lines continue it, also after a restart", async (t) => {
  const at = await world(t);
  at.write("s", "1", "2", "3", "4", "5");
  const page = async (direction: "forward" | "backward", limit: number, from?: LogEvent) =>
    at.logs.read(REALM, GROUP, "s", { at: from?.place, direction, limit });
  const first = await page("forward", 2);
  const second = await page("forward", 2, first.at(-1));
  assert.deepEqual(
    [messages(first), messages(second)],
    [
      ["1", "2"],
      ["3", "4"],
    ],
  );
  assert.deepEqual(messages(await page("backward", 2)), ["4", "5"]);
  assert.deepEqual(messages(await page("backward", 2, second[0])), ["1", "2"]);
  await at.reopen();
  at.write("s", "6");
  assert.deepEqual(messages(await page("forward", 10, second.at(-1))), ["5", "6"]);
  assert.deepEqual(await page("forward", 10, (await page("backward", 1))[0]), []);
});

void test("a search goes over all streams in the order of time, whatever order lines came in, page by page", async (t) => {
  const { logs, clock } = await world(t);
  const start = clock.now();
  const at = [50, 10, 40, 20, 30, 60, 0, 70];
  for (const [index, ms] of at.entries())
    logs.write(REALM, GROUP, `s${index % 3}`, [{ timestamp: start + ms, message: `m${ms} ${ms % 20 === 0 ? "even" : "odd"}` }]);
  const seen: string[] = [];
  for (let after: LogEvent | undefined; ;) {
    const page = await logs.search(REALM, GROUP, { limit: 3, after });
    seen.push(...messages(page).map((message) => message.split(" ")[0] ?? ""));
    after = page.at(-1);
    if (!after) break;
  }
  assert.deepEqual(seen, ["m0", "m10", "m20", "m30", "m40", "m50", "m60", "m70"]);
  assert.deepEqual(messages(await logs.search(REALM, GROUP, { limit: 10, pattern: "even", from: start + 20, to: start + 60 })), [
    "m20 even",
    "m40 even",
  ]);
  assert.equal((await logs.search(REALM, GROUP, { limit: 10, streams: ["s0"] })).length, 3);
  assert.equal((await logs.search(REALM, GROUP, { limit: 10, streamPrefix: "s1" })).length, 3);
  const ids = (await logs.search(REALM, GROUP, { limit: 10 })).map(eventId);
  assert.equal(new Set(ids).size, 8);
  assert.ok(ids.every((id) => /^\d{35}$/.test(id)));
});

void test("P6: who follows a group gets each line as it is written, and no line after it stopped", async (t) => {
  const { logs, write } = await world(t);
  const seen: string[] = [];
  const stop = logs.follow(REALM, GROUP, (event) => seen.push(`${event.stream}:${event.message}`));
  logs.follow(REALM, "/other", () => assert.fail("another group's line"));
  write("a", "1");
  write("b", "2");
  await logs.flush();
  assert.deepEqual(seen, ["a:1", "b:2"]);
  stop();
  write("a", "3");
  await logs.flush();
  assert.equal(seen.length, 2);
});

void test("P7: over the buffer's bound lines are dropped, and the stream says how many", async (t) => {
  const { logs, write } = await world(t);
  write("s", ...Array.from({ length: LOG_BUFFER_LINES_MAX }, () => "x"));
  assert.equal(
    logs.write(REALM, GROUP, "s", [
      { timestamp: 1, message: "too many" },
      { timestamp: 1, message: "too many" },
    ]),
    false,
  );
  const last = await logs.read(REALM, GROUP, "s", { at: undefined, direction: "backward", limit: 1 });
  assert.match(messages(last)[0] ?? "", /^2 log lines were dropped/);
});

void test("P7: a line over its bound is cut off and says so", async (t) => {
  const { logs, write } = await world(t);
  write("s", "é".repeat(LOG_MESSAGE_BYTES_MAX));
  const [event] = await logs.read(REALM, GROUP, "s", whole);
  assert.ok(Buffer.byteLength(event?.message ?? "") <= LOG_MESSAGE_BYTES_MAX);
  assert.match(event?.message ?? "", /é … \(cut off\)$/);
});

void test("a stream goes on in a new file at the bound, and is read over all of them", async (t) => {
  const at = await world(t);
  const line = "y".repeat(200_000);
  for (let index = 0; index < 50; index++) at.write("s", `${index} ${line}`);
  const numbers = async (): Promise<number[]> =>
    messages(await at.logs.read(REALM, GROUP, "s", whole)).map((message) => Number.parseInt(message, 10));
  assert.deepEqual(
    await numbers(),
    Array.from({ length: 50 }, (_, index) => index),
  );
  const stream = (await (await at.logs.group(REALM, GROUP)).streams()).get("s");
  assert.equal(stream?.segments.length, Math.ceil((50 * 200_000) / LOG_SEGMENT_BYTES_MAX));
  await at.reopen();
  assert.deepEqual(
    await numbers(),
    Array.from({ length: 50 }, (_, index) => index),
  );
});

void test("a line that a crash left half written is passed over, and later lines are read", async (t) => {
  const at = await world(t);
  at.write("s", "whole");
  await at.logs.flush();
  const folder = join(at.folder, "000000000000.us-east-1", encodeURIComponent(GROUP), "s");
  appendFileSync(join(folder, readdirSync(folder).find((name) => name.endsWith(".jsonl")) ?? ""), '{"t":17,"m":"ha');
  await at.reopen();
  at.write("s", "later");
  assert.deepEqual(messages(await at.logs.read(REALM, GROUP, "s", whole)), ["whole", "later"]);
});

void test("logs older than the group keeps them are forgotten, seven days where it says nothing", async (t) => {
  const { logs, clock, write } = await world(t);
  await logs.createGroup(REALM, GROUP, {});
  write("old", "1");
  await logs.flush();
  await clock.advance(6 * 24 * HOUR_MS);
  write("new", "2");
  await logs.flush();
  assert.equal((await logs.search(REALM, GROUP, { limit: 10 })).length, 2);
  await clock.advance(25 * HOUR_MS);
  assert.deepEqual(messages(await logs.search(REALM, GROUP, { limit: 10 })), ["2"]);
  assert.deepEqual([...(await (await logs.group(REALM, GROUP)).streams()).keys()], ["new"]);
  await logs.changeGroup(REALM, GROUP, (settings) => ({ ...settings, retentionDays: 1 }));
  await clock.advance(2 * HOUR_MS);
  await logs.flush();
  assert.equal((await (await logs.group(REALM, GROUP)).streams()).size, 0);
});

void test("P7: a group over its bytes forgets its oldest lines", async (t) => {
  const { logs, clock, write } = await world(t, { groupBytesMax: 3_000 });
  for (let index = 0; index < 5; index++) {
    write(`s${index}`, "z".repeat(900));
    await logs.flush();
    await clock.advance(1_000);
  }
  await clock.advance(HOUR_MS);
  await logs.flush();
  assert.deepEqual([...(await (await logs.group(REALM, GROUP)).streams()).keys()], ["s2", "s3", "s4"]);
});

void test("groups and streams are made, listed by realm, removed, and what is missing is named", async (t) => {
  const at = await world(t);
  const long = `/long/${"x".repeat(500)}`;
  await at.logs.createGroup(REALM, long, { team: "a" });
  await at.logs.createGroup({ ...REALM, region: "eu-west-1" }, "/elsewhere", {});
  await at.logs.createStream(REALM, long, "../../escape");
  await assert.rejects(at.logs.createGroup(REALM, long, {}), (error) => isLambentError(error, "AlreadyExists"));
  await assert.rejects(at.logs.createStream(REALM, long, "../../escape"), (error) => isLambentError(error, "AlreadyExists"));
  await at.reopen();
  assert.deepEqual(
    (await at.logs.groups(REALM)).map((group) => [group.settings.name, group.settings.tags]),
    [[long, { team: "a" }]],
  );
  assert.deepEqual([...(await (await at.logs.group(REALM, long)).streams()).keys()], ["../../escape"]);
  assert.deepEqual(readdirSync(at.folder).sort(), ["000000000000.eu-west-1", "000000000000.us-east-1"]);
  await at.logs.deleteStream(REALM, long, "../../escape");
  await assert.rejects(at.logs.read(REALM, long, "../../escape", whole), (error) => isLambentError(error, "NotFound"));
  await at.logs.deleteGroup(REALM, long);
  await assert.rejects(
    at.logs.group(REALM, long),
    (error) => isLambentError(error, "NotFound") && /does not exist in account 000000000000, region us-east-1/.test(error.message),
  );
});

void test("a deleted group comes back empty with the next line", async (t) => {
  const { logs, write } = await world(t);
  write("s", "1");
  await logs.deleteGroup(REALM, GROUP);
  write("s", "2");
  assert.deepEqual(messages(await logs.read(REALM, GROUP, "s", whole)), ["2"]);
});
