import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { actsAtStart, functionEnvironment } from "../../src/runtime/environment.ts";
import { availableRuntimes, interpreterFor, languageOf } from "../../src/runtime/languages.ts";
import { backOffMs, decidePool, heapLimitMb, POOL_REFILL_DELAY_MS, type PoolObservation } from "../../src/runtime/pool-size.ts";
import { functionVersion } from "../support/function-version.ts";
import { RuntimeWorld, valueOf } from "../support/runtime-world.ts";

const QUIET: PoolObservation = { ready: 0, starting: 0, readyMax: 2, failures: 0, failedAt: -Infinity, takenAt: -Infinity };

test("the pool starts what is missing, and nothing while somebody was just served", () => {
  assert.deepEqual(decidePool(QUIET, 0), { count: 2, nextAt: undefined });
  assert.deepEqual(decidePool({ ...QUIET, ready: 1, starting: 1 }, 0), { count: 0, nextAt: undefined });
  assert.deepEqual(decidePool({ ...QUIET, ready: 1, takenAt: 1_000 }, 1_000), { count: 0, nextAt: 1_000 + POOL_REFILL_DELAY_MS });
  assert.deepEqual(decidePool({ ...QUIET, ready: 1, takenAt: 1_000 }, 1_000 + POOL_REFILL_DELAY_MS), { count: 1, nextAt: undefined });
});

test("failed starts are retried one at a time, ever more rarely", () => {
  assert.deepEqual(decidePool({ ...QUIET, failures: 1, failedAt: 0 }, 0), { count: 0, nextAt: 500 });
  assert.deepEqual(decidePool({ ...QUIET, failures: 3, failedAt: 0 }, 2_000), { count: 1, nextAt: undefined });
  assert.equal(backOffMs(100), 60_000);
});

test("the pool never holds or starts more than its bound, and always says when to look again", () => {
  const small = fc.nat(5);
  fc.assert(
    fc.property(
      small,
      small,
      small,
      fc.nat(10),
      fc.nat(10_000),
      fc.nat(10_000),
      fc.nat(20_000),
      (ready, starting, readyMax, failures, failedAt, takenAt, now) => {
        const { count, nextAt } = decidePool({ ready, starting, readyMax, failures, failedAt, takenAt }, now);
        assert.ok(count >= 0 && (count === 0 || ready + starting + count <= readyMax));
        if (count === 0 && ready + starting < readyMax) assert.ok(nextAt !== undefined && nextAt > now);
      },
    ),
    { seed: 7 },
  );
});

test("the heap's limit leaves room for what is beside it", () => {
  assert.equal(heapLimitMb(128), 76);
  assert.equal(heapLimitMb(1_024), 861);
  for (let memoryMb = 128; memoryMb <= 10_240; memoryMb += 64) assert.ok(memoryMb - heapLimitMb(memoryMb) >= 48);
});

test("runtime ids name their language, and other Pythons and Nodes carry a note", () => {
  assert.deepEqual(["nodejs22.x", "python3.12", "provided.al2023", "provided", "java21", "nodejs22"].map(languageOf), [
    "node",
    "python",
    "custom",
    "custom",
    undefined,
    undefined,
  ]);
  const eleven = { version: "3.11", path: "/p", prefix: "/usr", basePrefix: "/usr", isDefault: true };
  const nine = { version: "3.9", path: "/q", prefix: "/usr", basePrefix: "/usr", isDefault: false };
  assert.equal(interpreterFor("python3.9", [eleven, nine]), nine);
  assert.equal(interpreterFor("python3.13", [eleven, nine]), eleven);
  const available = availableRuntimes("26.10.0", [eleven, nine], true);
  assert.equal(available.get("python3.11")?.note, undefined);
  assert.equal(available.get("python3.13")?.note, "runs on Python 3.11");
  assert.equal(available.get("nodejs22.x")?.note, "runs on Node 26.10.0");
  assert.equal(availableRuntimes("26.10.0", [], false).has("python3.11"), false);
});

test("variables that act when a process starts are told from the others", () => {
  for (const name of ["NODE_OPTIONS", "AWS_LAMBDA_EXEC_WRAPPER", "LD_PRELOAD", "PYTHONHASHSEED", "UV_THREADPOOL_SIZE"])
    assert.ok(actsAtStart({ [name]: "1" }), name);
  for (const name of ["NODE_ENV", "TABLE", "PYTHONPATH", "NODE_PATH", "DEBUG"]) assert.ok(!actsAtStart({ [name]: "1" }), name);
});

test("a function cannot change what Lambda reserves", () => {
  const version = functionVersion({ environment: { AWS_LAMBDA_FUNCTION_NAME: "other", AWS_ACCESS_KEY_ID: "mine", TZ: "Europe/Rome" } });
  const paths = { task: "/var/task", opt: "/opt", tmp: "/tmp" };
  const environment = functionEnvironment({
    version,
    initialization: "on-demand",
    language: "node",
    credentials: { accessKeyId: "ASIA", secretAccessKey: "s", sessionToken: "t" },
    places: { listeners: undefined, paths },
    logStream: "stream",
    programFolders: [],
  });
  assert.deepEqual(
    [environment["AWS_LAMBDA_FUNCTION_NAME"], environment["AWS_ACCESS_KEY_ID"], environment["TZ"]],
    ["hello", "ASIA", "Europe/Rome"],
  );
  assert.equal(environment["AWS_ENDPOINT_URL"], undefined, "without listeners there is no endpoint to name");
});

test("a function takes a waiting process, and the pool fills up again", async () => {
  const world = await RuntimeWorld.open({ poolReadyMax: 2 });
  try {
    const code = { "index.mjs": "export const handler = async () => process.uptime();" };
    const uptimes: number[] = [];
    for (let round = 0; round < 4; round++) {
      const instance = await world.instance(code);
      uptimes.push(valueOf(await instance.invoke(world.call())) as number);
      instance.drain();
      await instance.gone;
    }
    assert.equal(uptimes.length, 4);
    const other = await world.instance(code, { memoryMb: 256 });
    assert.equal(typeof valueOf(await other.invoke(world.call())), "number", "other memory sizes start on demand");
  } finally {
    await world.close();
  }
});

test("a runtime Lambent does not run, and a start after close, are unavailable", async () => {
  const world = await RuntimeWorld.open();
  const java = await world.start({}, { runtime: "java21" });
  assert.ok(java.kind === "unavailable" && /java21/.test(java.what));
  await world.close();
  const late = await world.host.start(functionVersion(), "on-demand");
  assert.ok(late.kind === "unavailable" && /stopping/.test(late.what));
});
