import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

const lambent = await startLambent();
after(() => lambent.stop());
const deployed = await lambent.run("deploy", import.meta.dirname);

/** Long enough for a loaded machine; nothing waits for it but a failure. */
const PATIENCE_MS = 30_000;

test("one document brings the queue, the schedule and who reads the report", async () => {
  assert.equal(deployed.exit, 0, deployed.err);
  const { out } = await lambent.run("triggers", "example-nightly-report");
  assert.match(out, /schedule example-nightly-report +Enabled +cron\(0 2 \* \* \? \*\) in Europe\/Berlin/u);
});

test("the report adds up what was sold, and whoever listens gets it", async () => {
  for (const sale of ['{"item":"tea","price":3}', '{"item":"tea","price":4}', '{"item":"bread","price":2}'])
    assert.equal((await lambent.run("send", "example-sales", sale)).exit, 0);
  const { sales, totals } = await lambent.invoke("example-nightly-report", { queue: "example-sales" });
  assert.deepEqual([sales, totals], [3, { tea: 7, bread: 2 }]);
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const { out } = await lambent.run("logs", "example-report-reader");
    if (/3 sales[^]*tea: 7[^]*bread: 2/u.test(out)) break;
    assert.ok(performance.now() < giveUpAt, `nobody read the report: ${out}`);
  }
});
