/** `lambent trigger --kafka` and `--stream`, `send`, `triggers`, `untrigger` against a real server, and the same in a `lambent.yaml`. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { ListStreamTriggersResponse } from "../../src/api/index.ts";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { CommandWorld } from "../support/command-world.ts";

const world = new CommandWorld("--no-kafka");
await world.start();
after(() => world.stop());

/** Logs in one line what it was called with: the values, and from where. */
const SHOWS = `
const text = (base64) => Buffer.from(base64 ?? "", "base64").toString();
export const handler = async (event) => {
  if (Array.isArray(event)) return console.log("bare " + JSON.stringify(event));
  if (event.records) for (const [place, records] of Object.entries(event.records))
    return console.log(event.eventSource + " " + place + " " + records.map(({ key, value }) => text(key) + "=" + text(value)));
  const [{ eventSource, kinesis: { partitionKey } }] = event.Records;
  console.log(eventSource + " " + partitionKey + "=" + event.Records.map(({ kinesis }) => text(kinesis.data)));
  if (event.Records.some(({ kinesis }) => text(kinesis.data) === "poison")) throw new Error("poisoned");
};
`;

/** Resolves once the function logged the line. */
async function logged(name: string, line: RegExp): Promise<void> {
  const log = world.begin("logs", name, "-f", "--since", "1m");
  await log.said(line);
  await log.interrupt();
}

test("a topic that is missing is made as Kafka makes it, and what is sent comes as Kafka's event", async () => {
  await world.run("deploy", world.file("hello.mjs", SHOWS), "--no-url");
  const [noTopic, noFunction] = await Promise.all([
    world.refused(EXIT_CODES.notFound, "trigger", "hello", "--kafka", "clicks", "--no-create"),
    world.refused(EXIT_CODES.notFound, "trigger", "nobody", "--kafka", "clicks"),
  ]);
  assert.match(noTopic, /^lambent: There is no topic clicks\.\n/u);
  assert.match(noFunction, /Function not found/u);
  assert.equal(
    await world.run("trigger", "hello", "--kafka", "clicks"),
    "  topic     clicks   created: 1 partition, kept for 7 d\n" +
      "  trigger   clicks → hello   created: Kafka's events in batches of up to 100, from latest\n",
  );
  assert.equal(
    await world.run("trigger", "hello", "--kafka", "clicks"),
    "  trigger   clicks → hello   is there already: Kafka's events in batches of up to 100\n",
  );
  assert.equal(await world.run("send", "--kafka", "clicks", "--key", "ada", "first"), "  partition 0, offset 0   sent to clicks\n");
  await logged("hello", /\taws:kafka clicks-0 ada=first$/mu);
  assert.match(await world.run("events", "--source", "stream"), / stream clicks: partition 0, 0 +hello +1 +handled/u);
});

test("what is given changes the trigger that is there, and only that; AWS's tools see the same", async () => {
  const changed = await world.run(
    ...["trigger", "hello", "--kafka", "clicks", "--batch", "500", "--window", "1", "--retries", "3", "--max-age", "2h"],
    ...["--on-failure", "queue:lost", "--bisect", "--filter", '{"value":{"page":[{"exists":true}]}}', "--report-failures"],
  );
  assert.equal(
    changed,
    "  queue     lost   created\n  trigger   clicks → hello   changed: Kafka's events in batches of up to 500 within 1 s, halved when they fail, " +
      "3 retries, given up after 2 h 0 min, failures to queue:lost, filtered, failures reported by record\n",
  );
  const { Trigger } = JSON.parse(
    await world.run("trigger", "hello", "--kafka", "clicks", "--retries", "forever", "--on-failure", "none", "--json"),
  ) as { readonly Trigger: ListStreamTriggersResponse["StreamTriggers"][number] };
  assert.equal(Trigger.BatchSize, 500);
  assert.equal(Trigger.RecordAgeMsMax, 7_200_000);
  assert.ok(!("RetriesMax" in Trigger) && !("OnFailure" in Trigger));
  assert.match(
    await world.run("triggers", "hello"),
    /^hello +Kafka topic clicks +Enabled +Kafka's events in batches of up to 500 within 1 s,.* OK$/mu,
  );
  assert.match(await world.run("describe", "hello"), /^ {2}triggers {5}Kafka topic clicks$/mu);
});

test("what cannot be is refused, and makes no stream", async () => {
  const refused = (message: RegExp, ...options: readonly string[]) =>
    world.refused(EXIT_CODES.usage, "trigger", "hello", ...options).then((said) => assert.match(said, message));
  await Promise.all([
    refused(/ParallelizationFactor is 2; with a tumbling window it is 1/u, "--stream", "s", "--parallel", "2", "--tumble", "30s"),
    refused(/Bare values have no names/u, "--stream", "s", "--format", "json", "--report-failures"),
    refused(/called by clicks already, with Kafka's events\.\n.*untrigger hello --kafka clicks/u, "--kafka", "clicks", "--format", "json"),
    world
      .refused(EXIT_CODES.tryAgain, "trigger", "hello", "--kafka", "clicks", "--from", "start")
      .then((said) =>
        assert.match(said, /is there and began at latest; where it begins, which was to be start, is decided when it is made/u),
      ),
  ]);
  assert.match(
    await world.refused(EXIT_CODES.notFound, "send", "--stream", "s", "x"),
    /There is no stream s\.\n.*--stream s` creates it with its trigger/u,
  );
});

test("a stream's records come as Kinesis' event or as bare values, from where it was said; what is given up goes to the queue", async () => {
  const [, made] = await Promise.all([
    world.run("deploy", world.file("bare.mjs", SHOWS), "--no-url"),
    world.run("trigger", "hello", "--stream", "readings", "--retries", "0", "--on-failure", "queue:lost", "--parallel", "2"),
  ]);
  assert.equal(
    made,
    "  stream    readings   created: 1 partition, kept for 1 d\n" +
      "  trigger   readings → hello   created: Kinesis' events in batches of up to 100, 2 at once of a partition, 0 retries, failures to queue:lost, from latest\n",
  );
  assert.equal(
    await world.runWith('{"celsius":21}\n{"celsius":22}\n\n', "send", "--stream", "readings", "-"),
    "  2 records sent to readings\n",
  );
  await logged("hello", /\taws:kinesis \S+=\{"celsius":21\}/mu);
  // The whole of the stream, in one batch, to a function that came later.
  await world.run("trigger", "bare", "--stream", "readings", "--format", "json", "--from", "start");
  await logged("bare", /\tbare \[\{"celsius":21\},\{"celsius":22\}\]$/mu);
  await world.run("send", "--stream", "readings", "--key", "k", "poison");
  await logged("hello", /\taws:kinesis k=poison$/mu);
  const events = world.begin("events", "-f", "--function", "hello", "--source", "stream");
  await events.said(/stream readings: partition 0, 2 .*queue lost/u);
  await events.interrupt();
  assert.match(await world.run("triggers", "bare"), /^bare +stream readings +Enabled +bare values in batches of up to 100/mu);
});

test("what is taken away calls no more; streams and what lies in them stay", async () => {
  assert.match(
    await world.refused(EXIT_CODES.notFound, "untrigger", "hello", "--kafka", "readings"),
    /no trigger by Kafka topic readings/u,
  );
  assert.equal(await world.run("untrigger", "hello", "--stream", "readings"), "  stream readings → hello   removed\n");
  assert.equal(await world.run("untrigger", "hello"), "  Kafka topic clicks → hello   removed\n");
  await world.run("remove", "bare", "--yes");
  assert.equal(await world.run("untrigger", "bare"), "  stream readings → bare   removed\n", "of a function that is gone");
  assert.equal(await world.run("send", "--stream", "readings", "last"), "  partition 0, offset 3   sent to readings\n");
});

test("a lambent.yaml brings streams and triggers, shows what would change, and removes what it no longer names", async () => {
  const document = (streams: string, triggers: string): string =>
    world.file(
      "lambent.yaml",
      `app: sensors\nqueues: { gone: }\nstreams: { ${streams} }\nfunctions: { sums: { code: hello.mjs, url: false, triggers: [${triggers}] } }\n`,
    );
  const path = document(
    "raw: { partitions: 2, retention: 2d }",
    "{ kafka: visits, format: json }, { stream: raw, onFailure: queue:gone, from: start }",
  );
  assert.equal(
    await world.run("deploy", path, "--plan"),
    "  sums   would be created\n  gone   queue would be created\n  raw   stream would be created\n  visits   stream would be created\n" +
      "  visits → sums   trigger by a stream would be created\n  raw → sums   trigger by a stream would be created\n",
  );
  await world.run("deploy", path);
  assert.equal(await world.run("deploy", path, "--plan"), "  Nothing would change.\n");
  await world.run("send", "--kafka", "visits", "[1]");
  await logged("sums", /\tbare \[\[1\]\]$/mu);
  document("raw: { partitions: 3, retention: 2d }", "{ stream: raw, batch: 7, from: start }");
  assert.match(
    await world.run("deploy", path),
    / {2}visits → sums {3}trigger by a stream removed\n {2}raw {3}stream changed\n +partitions: 2 → 3\n {2}raw → sums {3}trigger by a stream changed\n +batchSize: 100 → 7\n +onFailure: queue:gone → none\n$/u,
  );
  document("raw: { partitions: 1 }", "");
  assert.match(await world.refused(EXIT_CODES.usage, "deploy", path), /Stream raw has 3 partitions, and 1 are wanted/u);
  document("raw:", "{ stream: raw, parallel: 2, tumble: 30s }");
  assert.match(await world.refused(EXIT_CODES.usage, "deploy", path), /with a tumbling window it is 1/u, "before anything is changed");
  assert.match(await world.run("triggers", "sums"), /batches of up to 7/u);
  document("raw:", "");
  assert.match(await world.run("deploy", path), / {2}raw → sums {3}trigger by a stream removed\n$/u);
});
