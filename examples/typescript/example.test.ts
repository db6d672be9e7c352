import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

const lambent = await startLambent();
after(() => lambent.stop());
await lambent.run("deploy", import.meta.dirname);

test("enum, path alias and dependency are in the bundle", async () => {
  assert.deepEqual(await lambent.invoke("example-typescript", { yaml: "item: lamp\ncount: 2\nurgency: soon" }), {
    order: { item: "lamp", count: 2, urgency: "soon" },
    text: "2 × lamp, soon",
  });
});

test("an error shows the line of the TypeScript file", async () => {
  const failed = await lambent.run("invoke", "example-typescript", "--event", '{"yaml":"item: lamp"}');
  assert.equal(failed.exit, 7);
  assert.match(failed.err, /RangeError: count has to be a whole number from 1\./u);
  assert.match(failed.err, /order\.ts:17/u);
});
