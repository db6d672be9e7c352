/** What `lambent trigger` refuses before it asks a server anything: a line on what was wrong, a line on what to do. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { unreachable } from "../../src/base/index.ts";
import type { CommandContext } from "../../src/cli/command.ts";
import { CommandFailure } from "../../src/cli/errors.ts";
import { openOutput } from "../../src/cli/output.ts";
import { foreignFields, readPattern } from "../../src/cli/pattern-argument.ts";
import { run as send } from "../../src/cli/verbs/send.ts";
import { run } from "../../src/cli/verbs/trigger.ts";

const context: CommandContext = {
  ...{ output: openOutput({ json: false }), environment: {}, connection: {} as CommandContext["connection"] },
  calledAs: (flag) => flag,
  client: () => unreachable("a server is asked" as never),
};

async function refused(options: Parameters<typeof run>[2], what: RegExp, next: RegExp): Promise<void> {
  await assert.rejects(
    async () => run(context, ["hello"], options),
    (error) => error instanceof CommandFailure && error.exit === "usage" && what.test(error.message) && next.test(error.next),
    JSON.stringify(options),
  );
}

test("one thing calls the function, and only its own options go with it", async () => {
  await refused(
    {},
    /^What is to trigger the function is missing\.$/u,
    /--queue orders, --kafka clicks, --on order\.placed, --every '5 minutes', --cron .* or --upload 'photos\/\*\.jpg'$/u,
  );
  await refused({ on: "a", every: "5m" }, /^--on and --every are a trigger each\.$/u, /once for each/u);
  await refused({ on: "a", batch: "3" }, /^--batch does not go with --on\.$/u, /^With it go --bus, --format, --name\.$/u);
  await refused({ queue: "q", name: "x" }, /^--name does not go with --queue\.$/u, /--report-failures/u);
  await refused({ kafka: "c", stream: "c" }, /^--kafka and --stream are a trigger each\.$/u, /once for each/u);
  await refused({ kafka: "c", parallel: "2" }, /^--parallel does not go with --kafka\.$/u, /--batch, --window, --from, --bisect/u);
  await refused({ stream: "c", concurrency: "2" }, /^--concurrency does not go with --stream\.$/u, /--parallel, --tumble\.$/u);
  await refused({ every: "5m", timezone: "UTC" }, /^--timezone does not go with --every\.$/u, /--input, --name/u);
});

test("where a stream is read from, how much at once, and whom failures go to is checked first", async () => {
  await refused({ stream: "s", from: "yesterday" }, /^--from is "yesterday"; it has to be start, latest, or a time\.$/u, /--from start/u);
  await refused({ stream: "s", onFailure: "lost" }, /^--on-failure is "lost"; it has to be queue: and a queue's name/u, /queue:lost/u);
  await refused({ stream: "s", parallel: "11" }, /^--parallel is "11"; it has to be a whole number from 1 to 10\.$/u, /--parallel 1/u);
  await refused({ kafka: "s", retries: "-1" }, /^--retries is "-1"; it has to be a whole number from 0 to 10000\.$/u, /--retries 0/u);
  await refused({ kafka: "s", maxAge: "old" }, /^--max-age is "old"; it has to be a number and s, m, h or d\.$/u, /--max-age 2h/u);
});

test("a record's value stands alone beside its stream, a message beside its queue", async () => {
  const refusedSend = (args: readonly string[], options: Parameters<typeof send>[2], what: RegExp): Promise<void> =>
    assert.rejects(
      async () => send(context, args, options),
      (error) => error instanceof CommandFailure && error.exit === "usage" && what.test(error.message),
    );
  await refusedSend(["orders"], {}, /^The message is missing\.$/u);
  await refusedSend(["orders", "x"], { key: "k" }, /^--key is for records of streams\.$/u);
  await refusedSend(["a", "b"], { stream: "s" }, /^"b" is one argument too many\.$/u);
  await refusedSend(["a"], { stream: "s", kafka: "s" }, /^--kafka and --stream name a stream each\.$/u);
  await refusedSend(["a"], { kafka: "s", group: "g" }, /^--group is for FIFO queues\.$/u);
});

test("patterns, formats, periods, zones and inputs are checked first", async () => {
  await refused({ on: '{"source":"a"}' }, /no event pattern: .*must be an object or an array/u, /--on order\.placed/u);
  await refused({ on: '{"source"' }, /The pattern of --on is not JSON/u, /For example/u);
  await refused({ on: "" }, /^--on is ""; it has to be an event pattern or the type of events\.$/u, /For example/u);
  await refused({ on: "a", format: "xml" }, /--format is "xml"; it has to be one of aws, cloudevent/u, /--format aws/u);
  await refused({ every: "30s" }, /--every "30s" is not a number of whole minutes/u, /messages with a delay on a queue/u);
  await refused({ cron: "0 3 * * * *" }, /--cron "0 3 \* \* \* \*" is no cron expression/u, /'0 3 \* \* \? \*'/u);
  await refused({ cron: "0 3 1 * 1" }, /a day of the month and a weekday/u, /two schedules/u);
  await refused({ cron: "0 3 * * ? *", timezone: "Mars" }, /^--timezone "Mars" is no time zone/u, /Europe\/Berlin/u);
  await refused({ cron: "0 0 30 2 ? *" }, /^--cron "0 0 30 2 \? \*" never comes: no year has such a day\.$/u, /L is the last one/u);
  await refused({ cron: "0 0 31 4 *" }, /^--cron "0 0 31 4 \*" never comes/u, /a day that there is/u);
  await refused({ on: "a", bus: "my bus" }, /^--bus is "my bus"; a bus's name has letters/u, /--bus shop/u);
  await refused({ on: "a", name: "a b" }, /^--name is "a b"; a rule's or a schedule's name has letters/u, /--name nightly/u);
  await refused({ every: "5m", name: "a/b" }, /^--name is "a\/b"/u, /--name nightly/u);
  await refused({ every: "5m", input: "{" }, /^--input is not JSON/u, /--input '\{"kind":"nightly"\}'/u);
});

test("which uploads are meant is checked first", async () => {
  await refused({ upload: "Photos/*.jpg" }, /^--upload "Photos\/\*\.jpg" does not begin with a bucket's name: /u, /photos\/\*\.jpg/u);
  await refused(
    { upload: "photos/*.jpg", event: "changed" },
    /^--event is "changed"; it has to be created, removed/u,
    /s3:ObjectCreated:Put/u,
  );
  await refused({ upload: "photos", bus: "shop" }, /^--bus does not go with --upload\.$/u, /^With it go --event, --name\.$/u);
  await refused({ upload: "photos", name: "a b" }, /^--name is "a b"/u, /--name nightly/u);
});

test("fields that no event has are found, so that a person is told", () => {
  assert.deepEqual(foreignFields('{"source":["a"],"detail":{"total":[1]},"$or":[{"id":["1"]},{"account":["2"]}]}'), []);
  assert.deepEqual(foreignFields('{"total":[1],"detail-type":["a"],"detial":["b"]}'), ["total", "detial"]);
});

test("a pattern is read from a file, too", () => {
  const folder = mkdtempSync(join(tmpdir(), "lambent-pattern-"));
  try {
    writeFileSync(join(folder, "pattern.json"), '{ "source": ["shop"] }\n');
    assert.equal(readPattern(`@${join(folder, "pattern.json")}`), '{"source":["shop"]}');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
