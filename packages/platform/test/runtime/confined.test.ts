import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isLambentError, systemClock } from "../../src/base/index.ts";
import { errorOf, RuntimeWorld, valueOf } from "../support/runtime-world.ts";

/**
 * The ways of all three languages under bubblewrap. Where confinement does not work the same is shown over plain
 * processes, and the line of output says so; in CI it must work.
 */
let world: RuntimeWorld;
before(async () => {
  const options = { poolReadyMax: 2, pythonZygote: true } as const;
  try {
    world = await RuntimeWorld.open({ ...options, sandbox: "bubblewrap" });
  } catch (error) {
    if (!isLambentError(error, "SandboxUnavailable") || process.env["CI"] === "true") throw error;
    process.stderr.write(`shown over plain processes: ${error.message}\n`);
    world = await RuntimeWorld.open(options);
  }
});
after(() => world.close());

const SHELL = `#!/bin/sh
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  EVENT=$(curl -sS -D /tmp/headers "$API/invocation/next")
  ID=$(grep -i lambda-runtime-aws-request-id /tmp/headers | tr -d '[:space:]' | cut -d: -f2)
  case "$EVENT" in *exit*) exit 3 ;; *wait*) sleep 60 ;; esac
  curl -sS -X POST "$API/invocation/$ID/response" -d "{\\"got\\":$EVENT,\\"api\\":\\"$(curl -sS "$AWS_ENDPOINT_URL")\\"}" > /tmp/answer
done
`;

const NODE = `export const handler = async (event) => {
  if (event === 'exit') process.exit(3);
  if (event === 'wait') for (;;);
  return { got: event, api: await (await fetch(process.env.AWS_ENDPOINT_URL)).text() };
};`;

const PYTHON = `import os, sys, urllib.request
def handler(event, context):
    if event == "exit": sys.exit(3)
    while event == "wait": pass
    return {"got": event, "api": urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"]).read().decode()}
`;

const KAFKA_CLIENT = `import { connect } from "node:net";
export const handler = async () => {
  const [host, port] = process.env.KAFKA_BOOTSTRAP_SERVERS.split(":");
  return { address: host + ":" + port, who: (await connect(Number(port), host).toArray()).join("") };
};`;

test("a function reaches Kafka's listener at the address that every client expects, and is known there", async () => {
  const instance = await world.instance({ "index.mjs": KAFKA_CLIENT });
  assert.deepEqual(valueOf(await instance.invoke(world.call())), { address: "127.0.0.1:9092", who: instance.version.name });
});

for (const [language, files, settings] of [
  ["Node from the pool", { "index.mjs": NODE }, {}],
  ["Node of another size", { "index.mjs": NODE }, { memoryMb: 256 }],
  ["Node started with its variables", { "index.mjs": NODE }, { environment: { NODE_OPTIONS: "--no-deprecation" } }],
  ["Python from the zygote", { "index.py": PYTHON }, { runtime: "python3.11" }],
  ["Python started with its variables", { "index.py": PYTHON }, { runtime: "python3.11", environment: { PYTHONHASHSEED: "1" } }],
  ["a custom runtime", { bootstrap: SHELL }, { runtime: "provided.al2023" }],
] as const) {
  test(`${language} answers, reaches its own API, is lost at exit and cut at its deadline`, async () => {
    const instance = await world.instance(files, settings);
    assert.deepEqual(valueOf(await instance.invoke(world.call("hi"))), { got: "hi", api: instance.version.name });
    assert.deepEqual((await instance.invoke(world.call("exit"))).ending, { kind: "instanceLost", departure: { kind: "exited", code: 3 } });
    const second = await world.instance(files, settings);
    assert.equal((await second.invoke(world.call("wait", { deadline: systemClock.now() + 150 }))).ending.kind, "timedOut");
    assert.deepEqual(await second.gone, { kind: "killed", signal: "SIGKILL" });
  });
}

test("a handler that is not there fails init in each language", async () => {
  for (const runtime of ["nodejs22.x", "python3.11"])
    assert.equal(errorOf(await world.start({}, { runtime })).errorType, "Runtime.ImportModuleError");
  assert.equal(errorOf(await world.start({}, { runtime: "provided" })).errorType, "Runtime.InvalidEntrypoint");
});

test("a function that takes more memory than it has is ended, and says so", async () => {
  if (!world.limitsMemory) return assert.equal(world.confined, false, "confined processes have a memory limit");
  const eat = "def handler(event, context):\n    kept = []\n    while True: kept.append(bytearray(8_000_000))";
  const instance = await world.instance({ "index.py": eat }, { runtime: "python3.11" });
  const report = await instance.invoke(world.call());
  assert.deepEqual(report.ending, { kind: "instanceLost", departure: { kind: "outOfMemory" } });
  assert.ok(report.memoryPeakMb >= 120 && report.memoryPeakMb <= 128);
  const heap = await world.instance({
    "index.mjs": "export const handler = async () => { const kept = []; for (;;) kept.push(new Array(100000).fill(kept.length)); };",
  });
  const { ending } = await heap.invoke(world.call());
  assert.ok(
    ending.kind === "instanceLost" && (ending.departure.kind === "outOfMemory" || ending.departure.kind === "killed"),
    JSON.stringify(ending),
  );
});

test("many starts at once all become ready, more than the pool holds", async () => {
  const instances = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      world.instance(n % 2 ? { "index.mjs": NODE } : { "index.py": PYTHON }, n % 2 ? {} : { runtime: "python3.11" }),
    ),
  );
  const reports = await Promise.all(instances.map((instance, n) => instance.invoke(world.call(n))));
  assert.deepEqual(
    reports.map((report) => (valueOf(report) as { got: number }).got),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
});
