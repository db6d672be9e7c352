/** What an instance is told it was started for, in every way a process comes by its environment. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FunctionVersion } from "../../src/model/index.ts";
import type { Initialization } from "../../src/runtime/index.ts";
import { type Files, RuntimeWorld, valueOf } from "../support/runtime-world.ts";

const NAME = "AWS_LAMBDA_INITIALIZATION_TYPE";
const NODE: Files = { "index.mjs": `export const handler = async () => process.env.${NAME};` };
const PYTHON: Files = { "app.py": `import os\ndef handler(event, context):\n    return os.environ["${NAME}"]\n` };
const SHELL = `#!/bin/sh
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
ID=$(curl -sS -D - -o /dev/null "$API/invocation/next" | grep -i lambda-runtime-aws-request-id | tr -d '[:space:]' | cut -d: -f2)
curl -sS -X POST "$API/invocation/$ID/response" -d "\\"$${NAME}\\"" > /dev/null
sleep 60
`;
const PYTHON_SETTINGS = { runtime: "python3.11", handler: "app.handler" } as const;
const WAYS: Readonly<Record<string, readonly [Files, Partial<FunctionVersion>]>> = {
  "Node from the pool": [NODE, {}],
  "Node started with its environment": [NODE, { environment: { NODE_OPTIONS: "--no-warnings" } }],
  "Python forked from the zygote": [PYTHON, PYTHON_SETTINGS],
  "Python started with its environment": [PYTHON, { ...PYTHON_SETTINGS, environment: { PYTHONHASHSEED: "0" } }],
  "a custom runtime": [{ bootstrap: SHELL }, { runtime: "provided.al2023", handler: "any" }],
};

let world: RuntimeWorld;
before(async () => {
  world = await RuntimeWorld.open({ pythonZygote: true, poolReadyMax: 1 });
});
after(() => world.close());

for (const [way, [files, settings]] of Object.entries(WAYS)) {
  test(`${way} says whether the instance was provisioned`, async () => {
    for (const initialization of ["provisioned-concurrency", "on-demand"] satisfies Initialization[]) {
      const started = await world.host.start(world.version(files, settings), initialization);
      assert.ok(started.kind === "ready", JSON.stringify(started));
      assert.equal(valueOf(await started.instance.invoke(world.call())), initialization);
      started.instance.drain();
    }
  });
}
