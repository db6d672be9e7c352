import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/index.ts";
import { errorOf, RuntimeWorld, valueOf } from "../support/runtime-world.ts";

let world: RuntimeWorld;
before(async () => {
  world = await RuntimeWorld.open();
});
after(() => world.close());

test("an async handler gets the event and its value is the answer", async () => {
  const instance = await world.instance({ "index.mjs": "export const handler = async (event) => ({ got: event.n + 1 });" });
  const report = await instance.invoke(world.call({ n: 41 }));
  assert.deepEqual(valueOf(report), { got: 42 });
  assert.ok(report.durationMs > 0 && report.durationMs < 1_000);
  assert.ok(report.memoryPeakMb > 10);
  assert.ok(instance.initMs > 0);
  assert.equal(valueOf(await instance.invoke(world.call({ n: 1 }))) && instance.running, 0);
});

for (const [form, files, handler] of [
  ["CommonJS in .js", { "index.js": "exports.handler = async () => 'ok';" }, "index.handler"],
  ["CommonJS in .cjs", { "index.cjs": "exports.handler = async () => 'ok';" }, "index.handler"],
  ["a module in .mjs", { "index.mjs": "export const handler = async () => 'ok';" }, "index.handler"],
  [
    "a module by package.json",
    { "index.js": "export const handler = async () => 'ok';", "package.json": '{"type":"module"}' },
    "index.handler",
  ],
  [
    "a module with top-level await in .js",
    { "index.js": "const v = await Promise.resolve('ok'); export const handler = async () => v;", "package.json": '{"type":"module"}' },
    "index.handler",
  ],
  ["a nested path", { "src/deep/app.mjs": "export const run = async () => 'ok';" }, "src/deep/app.run"],
  ["a nested export", { "index.js": "exports.a = { b: async () => 'ok' };" }, "index.a.b"],
  ["an export of the default", { "index.mjs": "export default { handler: async () => 'ok' };" }, "index.handler"],
  [
    "a package of its own",
    { "index.mjs": "import v from 'dep'; export const handler = async () => v;", "node_modules/dep/index.js": "module.exports = 'ok';" },
    "index.handler",
  ],
] as const) {
  test(`a handler is found in ${form}`, async () => {
    const instance = await world.instance(files, { handler });
    assert.equal(valueOf(await instance.invoke(world.call())), "ok");
  });
}

test("require finds packages of a layer's nodejs folder", async () => {
  const layer = { "nodejs/node_modules/dep/index.js": "module.exports = 'from the layer';" };
  const instance = await world.instance({ "index.js": "const v = require('dep'); exports.handler = async () => v;" }, {}, layer);
  assert.equal(valueOf(await instance.invoke(world.call())), "from the layer");
});

test("the environment is Lambda's, with the function's variables and nothing of the platform's", async () => {
  process.env["LAMBENT_TEST_SECRET"] = "of the platform";
  const instance = await world.instance(
    { "index.mjs": "export const handler = async () => process.env;" },
    { environment: { COLOUR: "blue", AWS_REGION: "eu-west-9" }, handler: "index.handler" },
  );
  delete process.env["LAMBENT_TEST_SECRET"];
  const environment = valueOf(await instance.invoke(world.call({}, { traceId: "Root=1-abc" }))) as Record<string, string>;
  assert.equal(environment["COLOUR"], "blue");
  assert.equal(environment["AWS_REGION"], "us-east-1", "reserved variables cannot be changed");
  assert.equal(environment["_HANDLER"], "index.handler");
  assert.equal(environment["AWS_LAMBDA_FUNCTION_NAME"], instance.version.name);
  assert.equal(environment["AWS_EXECUTION_ENV"], "AWS_Lambda_nodejs22.x");
  assert.equal(environment["AWS_ACCESS_KEY_ID"], `ASIA${instance.version.name}`);
  assert.equal(environment["_X_AMZN_TRACE_ID"], "Root=1-abc");
  assert.equal(environment["TZ"], ":UTC");
  assert.match(environment["AWS_ENDPOINT_URL"] ?? "", /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(environment["AWS_LAMBDA_LOG_STREAM_NAME"] ?? "", /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
  assert.equal(environment["LAMBENT_TEST_SECRET"], undefined);
  assert.equal(environment["NODE_CHANNEL_FD"], undefined);
});

test("an instance reaches Lambent's API at its endpoint and is known there", async () => {
  const code = "export const handler = async () => (await fetch(process.env.AWS_ENDPOINT_URL)).text();";
  const instance = await world.instance({ "index.mjs": code });
  assert.equal(valueOf(await instance.invoke(world.call())), instance.version.name);
});

test("the context has everything Lambda gives", async () => {
  const code = "export const handler = async (event, context) => ({ ...context, left: context.getRemainingTimeInMillis() });";
  const instance = await world.instance({ "index.mjs": code }, { memoryMb: 256 });
  const call = world.call({}, { clientContext: '{"custom":{"a":"b"}}' });
  const context = valueOf(await instance.invoke(call)) as Record<string, unknown>;
  assert.equal(context["awsRequestId"], call.requestId);
  assert.equal(context["functionName"], instance.version.name);
  assert.equal(context["functionVersion"], "$LATEST");
  assert.equal(context["memoryLimitInMB"], "256");
  assert.equal(context["invokedFunctionArn"], call.functionArn);
  assert.deepEqual(context["clientContext"], { custom: { a: "b" } });
  assert.equal(context["logGroupName"], `/aws/lambda/${instance.version.name}`);
  assert.ok((context["left"] as number) > 4_000 && (context["left"] as number) <= 5_000);
});

test("a callback handler of nodejs22.x answers once its event loop is empty", async () => {
  const code = `let late = false; exports.handler = (event, context, callback) => { setTimeout(() => { late = true; }, 20); callback(null, { get late() { return late; } }); };`;
  const instance = await world.instance({ "index.js": code });
  assert.deepEqual(valueOf(await instance.invoke(world.call())), { late: true });
});

test("a callback handler that does not wait for the event loop answers at once", async () => {
  const code = `exports.handler = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 1000); callback(null, 'now'); };`;
  const instance = await world.instance({ "index.js": code });
  assert.equal(valueOf(await instance.invoke(world.call())), "now");
  assert.equal(valueOf(await instance.invoke(world.call())), "now");
});

test("a handler of nodejs22.x that returns without promise or callback answers null", async () => {
  const instance = await world.instance({ "index.js": "exports.handler = () => 'ignored';" });
  assert.equal(valueOf(await instance.invoke(world.call())), null);
  assert.equal(valueOf(await instance.invoke(world.call())), null);
});

test("context.succeed and context.fail end a call of nodejs22.x", async () => {
  const instance = await world.instance({
    "index.js": "exports.handler = (event, context) => event.ok ? context.succeed('fine') : context.fail(new Error('not fine'));",
  });
  assert.equal(valueOf(await instance.invoke(world.call({ ok: true }))), "fine");
  assert.equal(errorOf(await instance.invoke(world.call({}))).errorMessage, "not fine");
});

test("nodejs24.x refuses callback handlers and takes plain values", async () => {
  const refused = await world.start(
    { "index.js": "exports.handler = (event, context, callback) => callback(null, 1);" },
    { runtime: "nodejs24.x" },
  );
  assert.equal(errorOf(refused).errorType, "Runtime.CallbackHandlerDeprecated");
  const instance = await world.instance({ "index.js": "exports.handler = () => 'plain';" }, { runtime: "nodejs24.x" });
  assert.equal(valueOf(await instance.invoke(world.call())), "plain");
});

test("one instance runs many calls at once and knows each line's call", async () => {
  const code = `let waiting = []; export const handler = async (event) => {
    const all = await new Promise((resolve) => { waiting.push(resolve); if (waiting.length === 8) for (const go of waiting) go(waiting.length); });
    console.log('line of', event.n); return { n: event.n, all }; };`;
  const instance = await world.instance({ "index.mjs": code }, { concurrencyPerInstance: 8 });
  const calls = Array.from({ length: 8 }, (_, n) => world.call({ n }));
  const reports = await Promise.all(calls.map((call) => instance.invoke(call)));
  assert.deepEqual(
    reports.map(valueOf),
    calls.map((_, n) => ({ n, all: 8 })),
  );
  for (const [n, call] of calls.entries()) {
    const line = world.lines.find((entry) => entry.text.endsWith(`line of ${n}`));
    assert.equal(line?.requestId, call.requestId);
  }
  assert.throws(() => {
    for (let more = 0; more <= 8; more++) void instance.invoke(world.call({ n: 0 }, { deadline: systemClock.now() + 50 }));
  }, /takes 8 calls at once/);
});

test("where calls run at once, the SDK is told each call's own trace", async () => {
  const code = `let waiting = []; export const handler = async () => {
    await new Promise((resolve) => { waiting.push(resolve); if (waiting.length === 3) for (const go of waiting) go(); });
    return globalThis.awslambda.InvokeStore.getXRayTraceId(); };`;
  const instance = await world.instance({ "index.mjs": code }, { concurrencyPerInstance: 3 });
  const calls = Array.from({ length: 3 }, () => world.call());
  const reports = await Promise.all(calls.map((call) => instance.invoke(call)));
  assert.deepEqual(
    reports.map(valueOf),
    calls.map(({ traceId }) => traceId),
  );
});

test("variables that act at start reach Node before it starts", async () => {
  const instance = await world.instance(
    {
      "index.js": "exports.handler = async () => [globalThis.early, process.env.NODE_OPTIONS !== undefined];",
      "early.cjs": "globalThis.early = 'required first';",
    },
    { environment: { NODE_OPTIONS: "--require ./task/early.cjs" } },
  );
  assert.deepEqual(valueOf(await instance.invoke(world.call())), ["required first", true]);
});

test("a wrapper script starts the runtime and what it sets is there", async () => {
  const instance = await world.instance(
    { "index.js": "exports.handler = async () => process.env.WRAPPED;", "wrap.sh": '#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n' },
    { environment: { AWS_LAMBDA_EXEC_WRAPPER: "task/wrap.sh" } },
  );
  assert.equal(valueOf(await instance.invoke(world.call())), "yes");
});

for (const [what, code] of [
  [
    "fetch",
    "export const handler = async () => [await (await fetch('http://far.example/x')).text(), await (await fetch(process.env.AWS_ENDPOINT_URL)).text()];",
  ],
  [
    "node:http",
    "import { get } from 'node:http'; const read = (url) => new Promise((resolve) => get(url, async (r) => resolve((await r.toArray()).join('')))); export const handler = async () => [await read('http://far.example/x'), await read(process.env.AWS_ENDPOINT_URL)];",
  ],
] as const) {
  for (const environment of [{}, { NODE_OPTIONS: "--no-deprecation" }]) {
    test(`${what} goes through the egress proxy, except to Lambent${"NODE_OPTIONS" in environment ? ", also in a process started with its variables" : ""}`, async () => {
      const instance = await world.instance({ "index.mjs": code }, { environment });
      const [far, near] = valueOf(await instance.invoke(world.call())) as string[];
      assert.equal(far, "proxied http://far.example/x");
      assert.equal(near, instance.version.name);
    });
  }
}
