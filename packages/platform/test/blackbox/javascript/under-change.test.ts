import assert from "node:assert/strict";
import { test } from "node:test";
import { answering, call, makeFunction, startServerWithClients, untilUpdated } from "../../support/javascript-clients.ts";
import { zipOf } from "../../support/zips.ts";

/** What happens to calls and instances while functions change under them, on a real server. */

const { server, clients } = await startServerWithClients();

/** Handlers run long enough that a burst needs more instances than may start at once. */
const slowly = (answer: number): Readonly<Record<string, string>> =>
  answering(`await new Promise((resolve) => setTimeout(resolve, 200)); return ${answer};`);

test("a burst of calls to a sleeping function loses none to a deploy, nor to a deletion, in its middle", async () => {
  const { lambda } = clients;
  await makeFunction(lambda, "busy", { files: slowly(1), Timeout: 30 });
  const burst = (): Promise<unknown[]> => Promise.all(Array.from({ length: 24 }, async () => (await call(lambda, "busy")).value));
  const first = burst();
  // The first of the burst has its instance, most wait for theirs.
  await clients.lambda.getFunction({ FunctionName: "busy" });
  await lambda.updateFunctionCode({ FunctionName: "busy", ZipFile: await zipOf(slowly(2)) });
  assert.ok((await first).every((value) => value === 1 || value === 2));
  await untilUpdated(lambda, "busy");
  const second = burst();
  await clients.lambda.getFunction({ FunctionName: "busy" });
  await lambda.deleteFunction({ FunctionName: "busy" });
  assert.deepEqual(new Set(await second), new Set([2]));
});

test("provisioned instances are there again after a restart, without a call", async () => {
  const { lambda } = clients;
  await makeFunction(lambda, "kept");
  await lambda.publishVersion({ FunctionName: "kept" });
  const kept = { FunctionName: "kept", Qualifier: "1" };
  await lambda.putProvisionedConcurrencyConfig({ ...kept, ProvisionedConcurrentExecutions: 2 });
  const untilReady = async (): Promise<number | undefined> => {
    // The runner's time bound ends a wait that never does.
    for (;;) {
      const { Status, AvailableProvisionedConcurrentExecutions } = await lambda.getProvisionedConcurrencyConfig(kept);
      if (Status === "READY") return AvailableProvisionedConcurrentExecutions;
    }
  };
  assert.equal(await untilReady(), 2);
  await server.restart();
  assert.equal(await untilReady(), 2);
});
