import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

const folder = import.meta.dirname;
const lambent = await startLambent();
after(() => lambent.stop());

const averagesOf = async (data: readonly number[]): Promise<unknown> =>
  (await lambent.invoke("example-sliding-average", { data })).averages;

test("the temperatures of San Francisco give fifteen averages, each over its own ten hours", async () => {
  await lambent.run("deploy", folder);
  const event = JSON.parse(readFileSync(`${folder}/event.json`, "utf8")) as { readonly data: readonly number[] };
  const expected = Array.from(
    { length: event.data.length - 9 },
    (_, at) => Math.round(event.data.slice(at, at + 10).reduce((sum, value) => sum + value, 0) * 10) / 100,
  );
  assert.equal(expected.length, 15);
  assert.deepEqual(await averagesOf(event.data), expected);
});

test("ten values have one average; the version that is off by one prints [] for them", async () => {
  assert.deepEqual(await averagesOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), [5.5]);
  assert.deepEqual(await averagesOf([1, 2, 3, 4, 5, 6, 7, 8, 9]), []);
});

test("what is no list of numbers ends as a function error that says so", async () => {
  const failed = await lambent.run("invoke", "example-sliding-average", "--event", '{"data":"warm"}');
  assert.equal(failed.exit, 7);
  assert.match(failed.err, /TypeError: event\.data has to be a list of numbers\./u);
});
