import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

const lambent = await startLambent();
after(() => lambent.stop());
await lambent.run("deploy", import.meta.dirname);

test("the shell answers calls, one after the other", async () => {
  assert.deepEqual(await lambent.invoke("example-custom-runtime", { text: "any language will do" }), { words: 4 });
  assert.deepEqual(await lambent.invoke("example-custom-runtime", { text: "again" }), { words: 1 });
});

test("a handler that fails is a function error, and the next call works", async () => {
  const failed = await lambent.run("invoke", "example-custom-runtime", "--event", "{}");
  assert.equal(failed.exit, 7);
  assert.match(failed.err, /Shell\.Failed: the handler ended with an error/u);
  assert.deepEqual(await lambent.invoke("example-custom-runtime", { text: "one two" }), { words: 2 });
});
