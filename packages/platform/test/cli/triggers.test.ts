/** `lambent trigger`, `triggers`, `untrigger` and `send` against real servers; minute 4:00 of the first five among them. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { CommandWorld } from "../support/command-world.ts";

const world = new CommandWorld();
await world.start();
after(() => world.stop());

test("what is missing is created and printed; what is there is changed only when asked to", async () => {
  const code = world.file(
    "hello.mjs",
    "export const handler = async (event) => console.log(event.Records.map(({ body }) => body).join());\n",
  );
  await world.run("deploy", code);
  assert.match(
    await world.refused(EXIT_CODES.notFound, "trigger", "hello", "--queue", "orders", "--no-create"),
    /^lambent: There is no queue orders\.\n/u,
  );
  assert.match(await world.refused(EXIT_CODES.notFound, "trigger", "nobody", "--queue", "orders"), /Function not found/u);
  assert.match(await world.refused(EXIT_CODES.usage, "trigger", "hello"), /--queue orders/u);
  assert.equal(
    await world.run("trigger", "hello", "--queue", "orders"),
    "  queue     orders   created: standard, visibility timeout 18 s\n  trigger   orders → hello   created: batches of up to 10\n",
  );
  assert.equal(
    await world.run("trigger", "hello", "--queue", "orders"),
    "  trigger   orders → hello   is there already: batches of up to 10\n",
  );
  const log = world.begin("logs", "hello", "-f");
  await world.run("send", "orders", "first");
  await log.said(/\tINFO\tfirst$/mu);
  await log.interrupt();
  assert.equal(
    await world.run(
      "trigger",
      "hello",
      "--queue",
      "orders",
      "--batch",
      "100",
      "--window",
      "1",
      "--filter",
      '{"body":["a"]}',
      "--report-failures",
    ),
    "  trigger   orders → hello   changed: batches of up to 100 within 1 s, filtered, failures reported by message\n",
  );
  assert.match(
    await world.run("triggers"),
    /^FUNCTION {2}BY .*\nhello {5}queue orders {2}(Updating|Enabled) +batches of up to 100 within 1 s, filtered.* OK\n$/u,
  );
  assert.match(
    await world.refused(EXIT_CODES.usage, "trigger", "hello", "--queue", "orders", "--batch", "0"),
    /whole number from 1 to 10000/u,
  );
  assert.equal(await world.run("untrigger", "hello"), "  orders → hello   removed\n");
  assert.match(await world.refused(EXIT_CODES.notFound, "untrigger", "other"), /other has no trigger/u);
  assert.match(await world.run("send", "orders", "stays"), /^ {2}[0-9a-f-]{36} {3}sent to orders\n$/u);
});

test("a FIFO queue is made for a name that ends in .fifo, and a message needs its group", async () => {
  await world.run("deploy", world.file("hello.mjs", "export const handler = async () => 1;\n"));
  assert.match(await world.run("trigger", "hello", "--queue", "line.fifo"), /created: FIFO, visibility timeout 18 s/u);
  assert.match(await world.refused(EXIT_CODES.usage, "send", "line.fifo", "x"), /MessageGroupId/u);
  await world.run("send", "line.fifo", "x", "--group", "a");
});

test("a lambent.yaml brings queues and triggers, shows what would change, and applies only that", async () => {
  world.file("packer.mjs", "export const handler = async () => 1;\n");
  const document = (queues: string, triggers: string): string =>
    world.file(
      "lambent.yaml",
      `app: shop\nqueues:\n${queues}functions:\n  packer:\n    code: packer.mjs\n    url: false\n    triggers: [${triggers}]\n`,
    );
  const parcels = "  parcels: { deadLetter: { queue: failed, after: 3 } }\n  failed: {}\n";
  const path = document(parcels, "{ queue: parcels }");
  assert.match(
    await world.run("deploy", path, "--plan"),
    /^ {2}packer {3}would be created\n {2}failed {3}queue would be created\n {2}parcels {3}queue would be created\n {2}parcels → packer {3}trigger would be created\n$/u,
  );
  assert.match(await world.run("deploy", path), /parcels {3}queue created\n {2}parcels → packer {3}trigger created\n$/u);
  assert.match(await world.run("deploy", path, "--plan"), /Nothing would change/u);
  document(`${parcels.replace("after: 3", "after: 5")}`, "{ queue: parcels, batch: 2 }");
  assert.match(
    await world.run("deploy", path),
    /parcels {3}queue changed\n +deadLetter: .*"after":3.* → .*"after":5.*\n {2}parcels → packer {3}trigger changed\n +batchSize: 10 → 2\n$/u,
  );
  document(parcels.replace("after: 3", "after: 5"), "");
  assert.match(await world.run("deploy", path), /parcels → packer {3}trigger removed\n$/u);
  assert.match(await world.run("send", "parcels", "the queue stays"), /sent to parcels/u);
});

test("minute 4:00: the server is killed with messages waiting, started again, and everything waiting is handled", async () => {
  // The first call ends only after the server has: what it did not finish is begun again.
  const slow = "export const handler = async () => new Promise((resolve) => setTimeout(resolve, 100));\n";
  await world.run("deploy", world.file("worker.mjs", slow), "--timeout", "1");
  await world.run("trigger", "worker", "--queue", "jobs", "--batch", "1");
  const numbers = Array.from({ length: 200 }, (_, at) => `job ${at}`);
  assert.equal(await world.runWith(`${numbers.join("\n")}\n`, "send", "jobs", "-"), "  200 messages sent to jobs\n");
  await world.kill();
  await world.start();
  for (let handled = 0; handled < 200;) {
    const events = JSON.parse(await world.run("events", "--function", "worker", "--state", "ended", "--limit", "1000", "--json")) as {
      readonly Outcome?: string;
      readonly AttemptCount: number;
    }[];
    handled = events.length;
    assert.ok(events.every(({ AttemptCount }) => AttemptCount >= 1));
  }
});
