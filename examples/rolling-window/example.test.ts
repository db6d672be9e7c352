import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type CommandEnding, runProgram, startLambent } from "../../packages/platform/test/support/lambent-process.ts";
import { brokerOf, readTopic } from "../../packages/platform/test/support/topics.ts";

const folder = import.meta.dirname;
const lambent = await startLambent();
after(() => lambent.stop());
const broker = brokerOf(lambent);
const deployed = await lambent.run("deploy", folder);
const { data } = JSON.parse(readFileSync(join(folder, "..", "sliding-average", "event.json"), "utf8")) as {
  readonly data: readonly number[];
};

/** The environments that `scripts/setup` makes for the tests: kafka-python as it was years ago, and as it is. */
const PYTHONS = ["oldest", "newest"].map((age) =>
  join(folder, "..", "..", "node_modules", ".cache", `lambent-test-kafka-${age}`, "bin", "python3"),
);

function produce(python: string, ...args: readonly string[]): Promise<CommandEnding> {
  return runProgram(python, [join(folder, "produce.py"), ...args], process.env);
}

/** Of the last ten at each step, once there are ten. */
function averagesOf(numbers: readonly number[]): number[] {
  return Array.from({ length: Math.max(0, numbers.length - 9) }, (_, at) => {
    const tenths = numbers.slice(at, at + 10).reduce((sum, value) => sum + Math.round(value * 10), 0);
    return Math.round(tenths) / 100;
  });
}

interface Result {
  readonly key: string;
  readonly at: number;
  readonly data: readonly number[];
  readonly average: number;
}

test("one document brings the topic, the window over it, the function and the stream of results", () => {
  assert.equal(deployed.exit, 0, deployed.err);
  assert.match(deployed.out, /example_averages {3}stream created\n {2}example-last-ten {3}window created/u);
});

test("a day of numbers from Python: each ten of them are averaged by the handler as it is, and a second producer goes on from there", async () => {
  const pythons = PYTHONS.filter((python) => existsSync(python));
  assert.ok(pythons.length > 0, "`node scripts/setup.mjs --for test` makes kafka-python's environments");
  const sent = [...data];
  // Set aside: the handler never sees it.
  const wrong = await lambent.run("send", "--kafka", "example_numbers", "--key", "sfo", '"warm"');
  assert.equal(wrong.exit, 0, wrong.err);
  const [first = "", ...others] = pythons;
  const ended = await produce(first, "--broker", broker);
  assert.deepEqual([ended.exit, ended.out], [0, "24 numbers in example_numbers\n"], ended.err);
  for (const [at, python] of others.entries()) {
    const more = await produce(python, "--broker", broker, String(100 + at), "-7.5");
    assert.deepEqual([more.exit, more.out], [0, "2 numbers in example_numbers\n"], more.err);
    sent.push(100 + at, -7.5);
  }
  const expected = averagesOf(sent);
  const results = (await readTopic(broker, "example_averages", expected.length)).map(({ value }) => value as Result);
  assert.deepEqual(
    results.map(({ average }) => average),
    expected,
  );
  assert.deepEqual(
    results.slice(0, 15).map(({ average }) => average),
    [46.84, 47.17, 47.64, 48.23, 48.93, 49.67, 50.38, 50.98, 51.45, 51.7, 51.74, 51.62, 51.35, 50.95, 50.4],
  );
  assert.deepEqual(results[0], { key: "sfo", at: Date.UTC(2010, 0, 1, 10), data: data.slice(0, 10), average: 46.84 });
  const shown = JSON.parse((await lambent.run("windows", "show", "example-last-ten", "--json")).out) as {
    readonly Progress: { readonly SetAside: object };
  };
  assert.deepEqual(shown.Progress.SetAside, { notANumber: 1 });
});

test("without kafka-python the producer says what to do, and ends with 1", async () => {
  const { exit, err } = await runProgram("python3", ["-I", "-S", join(folder, "produce.py")], process.env);
  assert.equal(exit, 1);
  assert.match(err, /pip install kafka-python/u);
  assert.doesNotMatch(err, /Traceback/u);
});
