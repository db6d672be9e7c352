import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/index.ts";
import type { ResponsePrelude } from "../../src/model/index.ts";
import { errorOf, type Files, RuntimeWorld, valueOf } from "../support/runtime-world.ts";

let world: RuntimeWorld;
before(async () => {
  world = await RuntimeWorld.open();
});
after(() => world.close());

const SETTINGS = { runtime: "provided.al2023", handler: "any.name" } as const;

/** A runtime in Node over the public Runtime API; `body` handles one event `text` with `headers`, and has `post`. */
const runtime = (body: string, first = ""): Files => ({
  bootstrap: `#!${process.execPath}
const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime';
const post = (path, body, headers = {}, more = {}) => fetch(base + path, { method: 'POST', body, headers, ...more });
(async () => { ${first};
  for (;;) {
    const next = await fetch(base + '/invocation/next');
    const headers = Object.fromEntries(next.headers), id = headers['lambda-runtime-aws-request-id'], text = await next.text();
    ${body};
  }
})();
`,
});

test("a shell script is a runtime", async () => {
  const script = `#!/bin/sh
set -eu
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  HEADERS=$(mktemp)
  EVENT=$(curl -sS -D "$HEADERS" "$API/invocation/next")
  ID=$(grep -i lambda-runtime-aws-request-id "$HEADERS" | tr -d '[:space:]' | cut -d: -f2)
  echo "handling $_HANDLER"
  curl -sS -X POST "$API/invocation/$ID/response" -d "{\\"echo\\": $EVENT}" > /dev/null
done
`;
  const instance = await world.instance({ bootstrap: script }, SETTINGS);
  const report = await instance.invoke(world.call({ n: 1 }));
  assert.deepEqual(valueOf(report), { echo: { n: 1 } });
  assert.deepEqual(valueOf(await instance.invoke(world.call([2]))), { echo: [2] });
  assert.ok(report.durationMs > 0);
});

test("next carries Lambda's headers, and the answer's bytes are passed on as they are", async () => {
  const instance = await world.instance(runtime("await post(`/invocation/${id}/response`, JSON.stringify(headers))"), SETTINGS);
  const call = world.call({}, { clientContext: '{"a":1}' });
  const headers = valueOf(await instance.invoke(call)) as Record<string, string>;
  assert.equal(headers["lambda-runtime-aws-request-id"], call.requestId);
  assert.equal(headers["lambda-runtime-deadline-ms"], String(call.deadline));
  assert.equal(headers["lambda-runtime-invoked-function-arn"], call.functionArn);
  assert.equal(headers["lambda-runtime-trace-id"], call.traceId);
  assert.equal(headers["lambda-runtime-client-context"], '{"a":1}');
});

test("an error is the function's, with the type of the header when the body has none", async () => {
  const instance = await world.instance(
    runtime("await post(`/invocation/${id}/error`, text, { 'Lambda-Runtime-Function-Error-Type': 'My.Type' })"),
    SETTINGS,
  );
  assert.equal(errorOf(await instance.invoke(world.call({ errorType: "Own", errorMessage: "m" }))).errorType, "Own");
  assert.deepEqual(errorOf(await instance.invoke(world.call("text"))), { errorType: "My.Type", errorMessage: '"text"' });
});

test("init/error fails the start", async () => {
  const started = await world.start(
    runtime("", "await post('/init/error', JSON.stringify({ errorType: 'Bad.Start', errorMessage: 'no' })); return"),
    SETTINGS,
  );
  assert.deepEqual(errorOf(started), { errorType: "Bad.Start", errorMessage: "no" });
});

test("code without bootstrap is Runtime.InvalidEntrypoint, a bootstrap of a layer is found", async () => {
  const error = errorOf(await world.start({ "other.sh": "" }, SETTINGS));
  assert.equal(error.errorType, "Runtime.InvalidEntrypoint");
  assert.match(error.errorMessage, /Couldn't find valid bootstrap\(s\): \[.*task\/bootstrap .*opt\/bootstrap\]/);
  const instance = await world.instance(
    { "data.txt": "" },
    SETTINGS,
    runtime("await post(`/invocation/${id}/response`, JSON.stringify(process.cwd()))"),
  );
  assert.match(valueOf(await instance.invoke(world.call())) as string, /task$/);
});

test("a bootstrap that exits is Runtime.ExitError, before and during a call", async () => {
  assert.equal(
    errorOf(await world.start({ bootstrap: "#!/bin/sh\nexit 9\n" }, SETTINGS)).errorMessage,
    "Error: Runtime exited with error: exit status 9",
  );
  const instance = await world.instance(runtime("process.exit(5)"), SETTINGS);
  assert.deepEqual((await instance.invoke(world.call())).ending, { kind: "instanceLost", departure: { kind: "exited", code: 5 } });
});

test("an answer over 6,291,456 bytes is refused with 413 and Function.ResponseSizeTooLarge", async () => {
  const instance = await world.instance(
    runtime("const answered = await post(`/invocation/${id}/response`, Buffer.alloc(6291457)); console.log('status', answered.status)"),
    SETTINGS,
  );
  assert.equal(errorOf(await instance.invoke(world.call())).errorType, "Function.ResponseSizeTooLarge");
  assert.equal(instance.admitting, true);
});

test("a second answer, an unknown id and an unknown path are refused", async () => {
  const body = `if (text === '"again"') { await post(\`/invocation/\${id}/response\`, JSON.stringify(seen)); continue; }
    var seen = []; const first = await post(\`/invocation/\${id}/response\`, '1'); seen.push(first.status);
    for (const path of [\`/invocation/\${id}/response\`, '/invocation/none/response', '/nowhere', '/init/error']) { const r = await post(path, '{}'); seen.push(r.status); await r.text(); }`;
  const instance = await world.instance(runtime(body), SETTINGS);
  assert.equal(valueOf(await instance.invoke(world.call())), 1);
  assert.deepEqual(valueOf(await instance.invoke(world.call("again"))), [202, 400, 400, 404, 403]);
});

test("a streamed answer arrives in pieces, with its HTTP prelude taken apart", async () => {
  const body = `async function* parts() { yield Buffer.from('{"statusCode":207}\\0\\0\\0\\0\\0\\0\\0\\0one '); await new Promise((r) => setTimeout(r, 20)); yield Buffer.from('two'); }
    await post(\`/invocation/\${id}/response\`, parts(), { 'Lambda-Runtime-Function-Response-Mode': 'streaming', 'content-type': 'application/vnd.awslambda.http-integration-response' }, { duplex: 'half' })`;
  const instance = await world.instance(runtime(body), SETTINGS);
  const chunks: Buffer[] = [];
  let prelude: ResponsePrelude | undefined;
  const stream = {
    begin: (given: ResponsePrelude) => {
      prelude = given;
    },
    write: (chunk: Buffer) => chunks.push(chunk) > 0,
    drained: () => Promise.resolve(),
  };
  const report = await instance.invoke(world.call({}, { stream }));
  assert.equal(report.ending.kind, "handled");
  assert.equal(prelude?.http?.toString(), '{"statusCode":207}');
  assert.equal(Buffer.concat(chunks).toString(), "one two");
  assert.ok(chunks.length >= 2);
});

test("a call at its deadline ends as timedOut and the process is killed", async () => {
  const instance = await world.instance(runtime("await new Promise((r) => setTimeout(r, 60000))"), SETTINGS);
  assert.equal((await instance.invoke(world.call({}, { deadline: systemClock.now() + 150 }))).ending.kind, "timedOut");
  assert.deepEqual(await instance.gone, { kind: "killed", signal: "SIGKILL" });
});

test("P7: a process may hold 32 connections to the Runtime API; more are closed", async () => {
  const many = `const net = require('node:net'); const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
    const open = await Promise.all(Array.from({ length: 60 }, () => new Promise((r) => {
      const s = net.connect(port, host, () => setTimeout(() => r(s), 200)); s.on('error', () => {}); s.on('close', () => s.gone = true); s.resume(); })));
    const held = open.filter((s) => !s.gone).length; for (const s of open) s.destroy();
    await post(\`/invocation/\${id}/response\`, JSON.stringify(held))`;
  const instance = await world.instance(runtime(many), SETTINGS);
  const held = valueOf(await instance.invoke(world.call())) as number;
  assert.ok(held > 0 && held < 32, `${held} of 60, beside the one that fetched the event`);
});

test("P8: a second answer to a call whose streamed answer is on its way is refused", async () => {
  const twice = `const stream = () => new ReadableStream({ async start(c) { const say = (t) => c.enqueue(new TextEncoder().encode(t));
      say('{"statusCode":207}' + '\\0'.repeat(8) + 'one'); await new Promise((r) => setTimeout(r, 100)); c.close(); } });
    const send = () => post(\`/invocation/\${id}/response\`, stream(), { 'lambda-runtime-function-response-mode': 'streaming',
      'content-type': 'application/vnd.awslambda.http-integration-response' }, { duplex: 'half' }).then((r) => r.status, () => 0);
    console.log('statuses', JSON.stringify((await Promise.all([send(), send()])).sort()))`;
  const instance = await world.instance(runtime(twice), SETTINGS);
  const begun: ResponsePrelude[] = [];
  const stream = { begin: (given: ResponsePrelude) => void begun.push(given), write: () => true, drained: () => Promise.resolve() };
  assert.equal((await instance.invoke(world.call({}, { stream }))).ending.kind, "handled");
  assert.equal(begun.length, 1);
});
