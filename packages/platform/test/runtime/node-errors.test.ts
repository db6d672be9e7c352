import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/index.ts";
import { exitErrorPayload } from "../../src/runtime/index.ts";
import { errorOf, type Files, RuntimeWorld, valueOf } from "../support/runtime-world.ts";

let world: RuntimeWorld;
before(async () => {
  world = await RuntimeWorld.open();
});
after(() => world.close());

const handler = (body: string): Files => ({ "index.mjs": `export const handler = async (event, context) => { ${body} };` });

for (const [what, files, name, errorType, message] of [
  ["a file that is not there", {}, "index.handler", "Runtime.ImportModuleError", /Cannot find module 'index'/],
  ["a missing package", { "index.mjs": "import 'nowhere';" }, "index.handler", "Runtime.ImportModuleError", /nowhere/],
  ["a missing required package", { "index.js": "require('nowhere');" }, "index.handler", "Runtime.ImportModuleError", /nowhere/],
  [
    "an export that is not there",
    { "index.mjs": "export const other = 1;" },
    "index.handler",
    "Runtime.HandlerNotFound",
    /undefined or not exported/,
  ],
  [
    "an export that is no function",
    { "index.mjs": "export const handler = 1;" },
    "index.handler",
    "Runtime.HandlerNotFound",
    /not a function/,
  ],
  ["a name without export", {}, "index", "Runtime.MalformedHandlerName", /Bad handler/],
  ["a name that leaves the folder", {}, "../index.handler", "Runtime.MalformedHandlerName", /not a valid handler name/],
  ["a syntax error in a module", { "index.mjs": "export const = ;" }, "index.handler", "Runtime.UserCodeSyntaxError", /SyntaxError/],
  ["a syntax error in CommonJS", { "index.js": "const = ;" }, "index.handler", "Runtime.UserCodeSyntaxError", /SyntaxError/],
  ["a module that throws", { "index.mjs": "throw new RangeError('too far');" }, "index.handler", "RangeError", /^too far$/],
] as const) {
  test(`init fails as ${errorType} for ${what}`, async () => {
    const started = await world.start(files, { handler: name });
    const error = errorOf(started);
    assert.equal(error.errorType, errorType);
    assert.match(error.errorMessage, message);
    assert.ok(started.kind === "initFailed" && started.logTail.toString().includes(errorType));
  });
}

test("a thrown error carries type, message and the user's stack, and is logged before the answer", async () => {
  const instance = await world.instance(handler("throw Object.assign(new TypeError('no good'), { code: 'E1' });"));
  const call = world.call();
  const report = await instance.invoke(call);
  const error = errorOf(report);
  assert.equal(error.errorType, "TypeError");
  assert.equal(error.errorMessage, "no good");
  assert.match(error.trace?.join("\n") ?? "", /TypeError: no good\n.*index\.mjs:1/);
  const tail = report.logTail.toString();
  assert.match(
    tail,
    new RegExp(
      `^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\t${call.requestId}\\tERROR\\tInvoke Error \\t\\{"errorType":"TypeError","errorMessage":"no good","code":"E1","stack":\\[`,
    ),
  );
  assert.equal(instance.admitting, true, "an error does not end the instance");
});

for (const [what, body, errorType, message] of [
  ["a BigInt", "return 1n;", "Runtime.MarshalError", /BigInt/],
  ["a cycle", "const a = {}; a.a = a; return a;", "Runtime.MarshalError", /circular/],
  ["an answer over 6,291,456 bytes", "return 'x'.repeat(6291455);", "Function.ResponseSizeTooLarge", /6291456 bytes/],
  ["a thrown string", "throw 'just text';", "string", /just text/],
  ["a thrown undefined", "throw undefined;", "undefined", /undefined/],
  [
    "an error whose members throw",
    "throw Object.defineProperty(new Error('x'), 'message', { get() { throw 1; } });",
    "handled",
    /cannot be read/,
  ],
] as const) {
  test(`a call ends as ${errorType} for ${what}`, async () => {
    const instance = await world.instance(handler(body));
    const error = errorOf(await instance.invoke(world.call()));
    assert.equal(error.errorType, errorType);
    assert.match(error.errorMessage, message);
    assert.equal(errorOf(await instance.invoke(world.call())).errorType, errorType, "the instance goes on");
  });
}

test("an answer of exactly 6,291,456 bytes is passed on", async () => {
  const instance = await world.instance(handler("return 'x'.repeat(6291454);"));
  const report = await instance.invoke(world.call());
  assert.ok(report.ending.kind === "handled" && report.ending.payload.length === 6_291_456);
});

test("an unhandled rejection fails the call as Runtime.UnhandledPromiseRejection and ends the process with 128", async () => {
  const instance = await world.instance(handler("Promise.reject(new Error('forgotten')); await new Promise(() => {});"));
  const error = errorOf(await instance.invoke(world.call()));
  assert.equal(error.errorType, "Runtime.UnhandledPromiseRejection");
  assert.equal(error.errorMessage, "Error: forgotten");
  assert.equal(instance.admitting, false, "nothing is admitted to a process that said it ends");
  assert.deepEqual(await instance.gone, { kind: "exited", code: 128 });
});

test("an uncaught exception fails every running call and ends the process with 129", async () => {
  const instance = await world.instance(
    handler("if (event.bad) setTimeout(() => { throw new RangeError('later'); }, 1); await new Promise(() => {});"),
    { concurrencyPerInstance: 2 },
  );
  const [first, second] = await Promise.all([instance.invoke(world.call()), instance.invoke(world.call({ bad: true }))]);
  assert.equal(errorOf(first).errorType, "RangeError");
  assert.equal(errorOf(second).errorMessage, "later");
  assert.deepEqual(await instance.gone, { kind: "exited", code: 129 });
});

for (const [what, body, departure, message] of [
  [
    "process.exit(3)",
    "console.log('last words'); process.stdout.write('half'); process.exit(3);",
    { kind: "exited", code: 3 },
    /Runtime exited with error: exit status 3/,
  ],
  ["process.exit(0)", "process.exit(0);", { kind: "exited", code: 0 }, /Runtime exited without providing a reason/],
  [
    "a signal to itself",
    "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});",
    { kind: "killed", signal: "SIGKILL" },
    /signal: killed/,
  ],
] as const) {
  test(`${what} loses the call and says how the process ended`, async () => {
    const instance = await world.instance(handler(body));
    const report = await instance.invoke(world.call());
    assert.deepEqual(report.ending, { kind: "instanceLost", departure });
    assert.deepEqual(await instance.gone, departure);
    const payload = JSON.parse(exitErrorPayload("r1", departure).toString()) as { errorType: string; errorMessage: string };
    assert.equal(payload.errorType, "Runtime.ExitError");
    assert.match(payload.errorMessage, /^RequestId: r1 Error: /);
    assert.match(payload.errorMessage, message);
  });
}

test("an exit during init is Runtime.ExitError", async () => {
  const error = errorOf(await world.start({ "index.mjs": "process.exit(7);" }));
  assert.deepEqual([error.errorType, error.errorMessage], ["Runtime.ExitError", "Error: Runtime exited with error: exit status 7"]);
});

test("a call at its deadline ends as timedOut and its instance is killed, also when its loop is blocked", async () => {
  for (const body of ["await new Promise(() => {});", "for (;;);", "process.on('SIGTERM', () => {}); for (;;);"]) {
    const instance = await world.instance(handler(body));
    const started = systemClock.monotonicMs();
    const report = await instance.invoke(world.call({}, { deadline: systemClock.now() + 150 }));
    assert.equal(report.ending.kind, "timedOut");
    assert.ok(report.durationMs >= 149 && systemClock.monotonicMs() - started < 1_000);
    assert.equal(instance.admitting, false);
    assert.deepEqual(await instance.gone, { kind: "killed", signal: "SIGKILL" });
  }
});

test("a timeout in an instance with several calls answers that one and lets the others end", async () => {
  const instance = await world.instance(
    handler("await new Promise((resolve) => event.ms && setTimeout(resolve, event.ms)); return 'done';"),
    { concurrencyPerInstance: 2 },
  );
  const other = instance.invoke(world.call({ ms: 300 }));
  const late = await instance.invoke(world.call({}, { deadline: systemClock.now() + 100 }));
  assert.equal(late.ending.kind, "timedOut");
  assert.equal(instance.admitting, false);
  assert.equal(instance.running, 1);
  assert.equal(valueOf(await other), "done");
  await instance.gone;
});

test("draining lets the running call end and takes no other", async () => {
  const instance = await world.instance(handler("await new Promise((resolve) => setTimeout(resolve, 50)); return 'done';"));
  const running = instance.invoke(world.call());
  instance.drain();
  assert.equal(valueOf(await running), "done");
  assert.deepEqual(await instance.gone, { kind: "drained" });
  assert.equal((await instance.invoke(world.call())).ending.kind, "instanceLost");
});

test("an instance that ignores SIGTERM is killed after its grace", async () => {
  const instance = await world.instance(handler("process.on('SIGTERM', () => console.log('not me')); return process.pid;"));
  const pid = valueOf(await instance.invoke(world.call())) as number;
  instance.drain();
  assert.deepEqual(await instance.gone, { kind: "drained" });
  assert.throws(() => process.kill(pid, 0), /ESRCH/);
});

test("a process that closes its channel ends, and its call with it", async () => {
  const instance = await world.instance(
    handler("(await import('node:fs')).closeSync(3); await new Promise((resolve) => setTimeout(resolve, 2000));"),
  );
  const report = await instance.invoke(world.call({}, { deadline: systemClock.now() + 900 }));
  assert.ok(report.ending.kind === "instanceLost" || report.ending.kind === "timedOut");
  await instance.gone;
});

test("bytes that are no frame break the protocol and end the instance", async () => {
  const instance = await world.instance(
    handler("(await import('node:fs')).writeSync(3, Buffer.alloc(64, 255)); await new Promise(() => {});"),
  );
  const report = await instance.invoke(world.call());
  const departure = await instance.gone;
  assert.equal(departure.kind, "protocolBroken");
  assert.deepEqual(report.ending, { kind: "instanceLost", departure });
});

test("gigabytes on standard output become a bounded number of lines and the call still ends", async () => {
  const body = `const line = 'x'.repeat(65535) + '\\n'; const fs = await import('node:fs'); const end = Date.now() + 400;
    while (Date.now() < end) { console.log(line); process.stdout.write(line); } return 'survived';`;
  const instance = await world.instance(handler(body));
  assert.equal(valueOf(await instance.invoke(world.call())), "survived");
  const texts = world.texts(instance);
  const bytes = texts.reduce((sum, text) => sum + text.length, 0);
  assert.ok(bytes < 20 * 1_024 * 1_024, `${bytes} bytes`);
  assert.ok(
    texts.some((text) => /log lines dropped/.test(text)),
    "what is dropped is counted",
  );
});

test("closing ends what still runs: a stop does not wait for the deadline of a call nobody waits for", async () => {
  const closing = await RuntimeWorld.open();
  const instance = await closing.instance({ "index.mjs": "export const handler = () => new Promise(() => setInterval(() => {}, 1000));" });
  const call = instance.invoke(closing.call({}, { deadline: systemClock.now() + 900_000 }));
  await closing.close();
  assert.equal((await call).ending.kind, "instanceLost");
});
