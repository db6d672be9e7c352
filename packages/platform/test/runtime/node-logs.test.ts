import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { LoggingSettings } from "../../src/model/index.ts";
import { errorOf, type Files, RuntimeWorld, valueOf } from "../support/runtime-world.ts";

let world: RuntimeWorld;
before(async () => {
  world = await RuntimeWorld.open();
});
after(() => world.close());

const handler = (body: string, before = ""): Files => ({
  "index.mjs": `${before}; export const handler = async (event, context) => { ${body} };`,
});
const JSON_LOGGING: LoggingSettings = { format: "JSON", applicationLevel: "INFO", systemLevel: "INFO", group: "/aws/lambda/hello" };

test("console lines have Lambda's form, and stand before the call's end in order with raw output", async () => {
  const body =
    "console.log('one', { two: 2 }); process.stdout.write('raw\\nhalf'); console.warn('three\\nfour'); console.error('five'); console.debug('six');";
  const instance = await world.instance(handler(body));
  const call = world.call();
  const report = await instance.invoke(call);
  const lines = world.lines.filter((line) => line.requestId === call.requestId).map((line) => line.text);
  const stamp = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
  assert.equal(lines.length, 6);
  assert.match(lines[0] ?? "", new RegExp(`^${stamp}\\t${call.requestId}\\tINFO\\tone \\{ two: 2 \\}$`));
  assert.equal(lines[1], "raw");
  assert.match(lines[2] ?? "", /\tWARN\tthree\nfour$/);
  assert.match(lines[3] ?? "", /\tERROR\tfive$/);
  assert.match(lines[4] ?? "", /\tDEBUG\tsix$/);
  assert.equal(lines[5], "half");
  assert.equal(report.logTail.toString(), `${lines.join("\n")}\n`);
});

test("lines of init belong to no call", async () => {
  const instance = await world.instance(handler("", "console.log('loading')"));
  const line = world.lines.find((entry) => entry.instanceId === instance.id);
  assert.match(line?.text ?? "", /\tundefined\tINFO\tloading$/);
  assert.equal(line?.requestId, undefined);
});

test("output of child processes is taken too", async () => {
  const instance = await world.instance(
    handler(
      "const { spawnSync } = await import('node:child_process'); spawnSync('sh', ['-c', 'echo from a child; echo to stderr >&2'], { stdio: 'inherit' });",
    ),
  );
  await instance.invoke(world.call());
  instance.drain();
  await instance.gone;
  assert.deepEqual(world.texts(instance).toSorted(), ["from a child", "to stderr"]);
});

test("the JSON format has a record a line, with errors taken apart and the level filter applied", async () => {
  const body =
    "console.debug('hidden'); console.info('plain'); console.warn({ a: 1 }); console.error('failed', new TypeError('bad')); throw new RangeError('out');";
  const instance = await world.instance(handler(body), { logging: JSON_LOGGING });
  const call = world.call();
  const report = await instance.invoke(call);
  assert.equal(errorOf(report).errorType, "RangeError");
  const records = world.texts(instance).map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual(
    records.map(({ level, message, requestId, errorType }) => [
      level,
      typeof message === "string" ? message.split("\n")[0] : message,
      requestId,
      errorType,
    ]),
    [
      ["INFO", "plain", call.requestId, undefined],
      ["WARN", { a: 1 }, call.requestId, undefined],
      ["ERROR", "failed TypeError: bad", call.requestId, "TypeError"],
      ["ERROR", "out", call.requestId, "RangeError"],
    ],
  );
});

test("the tail of a call's log is its last 4 KB", async () => {
  const instance = await world.instance(
    handler("for (let n = 0; n < 100; n++) process.stdout.write(String(n).padStart(100, '.') + '\\n');"),
  );
  const { logTail } = await instance.invoke(world.call());
  assert.equal(logTail.length, 4_096);
  assert.ok(logTail.toString().endsWith(".99\n"));
});

test("a line longer than its bound goes on in the next line", async () => {
  const instance = await world.instance(handler("process.stdout.write('y'.repeat(600000) + '\\n');"));
  await instance.invoke(world.call());
  assert.equal(world.texts(instance).join("").length, 600_000);
  assert.ok(world.texts(instance).length >= 3);
});

test("answers and lines of a thousand calls stay in order", async () => {
  const instance = await world.instance(handler("console.log('n', event.n); return event.n;"), { concurrencyPerInstance: 64 });
  const before = world.lines.length;
  for (let round = 0; round < 16; round++) {
    const reports = await Promise.all(Array.from({ length: 64 }, (_, n) => instance.invoke(world.call({ n: round * 64 + n }))));
    for (const [n, report] of reports.entries()) {
      assert.equal(valueOf(report), round * 64 + n);
      assert.ok(report.logTail.toString().endsWith(`\tn ${round * 64 + n}\n`), "a call's line is there when the call ends");
    }
  }
  assert.equal(world.lines.length - before, 1_024);
});
