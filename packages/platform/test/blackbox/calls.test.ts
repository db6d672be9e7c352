/** What callers see of their calls: values, failures in every form, limits, throttles, streams. By the SDK, over the wire. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  InvalidRequestContentException,
  RequestTooLargeException,
  type InvokeWithResponseStreamResponseEvent,
  TooManyRequestsException,
} from "@aws-sdk/client-lambda";
import { systemClock } from "../../src/base/index.ts";
import {
  answering,
  call,
  type FunctionChoices,
  makeFunction,
  startServerWithClients,
  untilUpdated,
} from "../support/javascript-clients.ts";
import { assertRefused, known } from "./javascript/cases.ts";
import { openUrl } from "./javascript/lambda-settings.ts";

const { server, clients } = await startServerWithClients();

interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
  readonly stackTrace?: readonly string[];
}

async function failureOf(name: string, event: unknown = {}): Promise<Failure> {
  const { value, functionError } = await call(clients.lambda, name, event);
  assert.equal(functionError, "Unhandled");
  return value as Failure;
}

let made = 0;
function make(choices: FunctionChoices): Promise<string> {
  made += 1;
  return makeFunction(clients.lambda, `calls-${made}`, choices);
}

const node = (body: string, changed: FunctionChoices = {}): Promise<string> => make({ files: answering(body), ...changed });
const python = (code: string, changed: FunctionChoices = {}): Promise<string> =>
  make({ Runtime: "python3.12", Handler: "app.handler", files: { "app.py": code }, ...changed });
const pythonHandler = (body: string): string => `import os, sys, time\ndef handler(event, context):\n    ${body}\n`;

describe("a function that fails says how", () => {
  for (const [what, failing, errorType, message] of [
    ["Node throws", () => node("throw new TypeError('no good');"), "TypeError", /^no good$/u],
    ["Node lacks a package", () => makeOf({ "index.mjs": "import 'nowhere';" }), "Runtime.ImportModuleError", /nowhere/u],
    ["Node lacks the file", () => node("", { Handler: "missing.handler" }), "Runtime.ImportModuleError", /Cannot find module 'missing'/u],
    [
      "Node lacks the export",
      () => node("", { Handler: "index.other" }),
      "Runtime.HandlerNotFound",
      /index\.other is undefined or not exported/u,
    ],
    [
      "Node exits",
      () => node("process.exit(3);"),
      "Runtime.ExitError",
      /^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 3$/u,
    ],
    ["Node answers a BigInt", () => node("return 1n;"), "Runtime.MarshalError", /BigInt/u],
    ["Node answers too much", () => node("return 'x'.repeat(6291455);"), "Function.ResponseSizeTooLarge", /6291456 bytes/u],
    ["Python raises", () => python(pythonHandler("raise ValueError('no good')")), "ValueError", /^no good$/u],
    [
      "Python lacks a module",
      () => python("import nowhere\ndef handler(event, context): pass\n"),
      "Runtime.ImportModuleError",
      /No module named 'nowhere'/u,
    ],
    ["Python lacks the handler", () => python("other = 1\n"), "Runtime.HandlerNotFound", /[Hh]andler/u],
    ["Python exits", () => python(pythonHandler("os._exit(4)")), "Runtime.ExitError", /exit status 4$/u],
    ["Python answers a set", () => python(pythonHandler("return {1}")), "Runtime.MarshalError", /set/u],
  ] as const) {
    test(`${what}: ${errorType}`, async () => {
      const name = await failing();
      const failure = await failureOf(name);
      assert.equal(failure.errorType, errorType, JSON.stringify(failure));
      assert.match(failure.errorMessage, message);
      assert.equal((await failureOf(name)).errorType, errorType, "and again at the next call");
    });
  }

  test("a stack names the user's own lines", async () => {
    const inNode = await failureOf(await node("throw new Error('deep');"));
    assert.match(inNode.trace?.join("\n") ?? "", /^Error: deep\n {4}at .*handler .*index\.mjs:1:\d+/u);
    const inPython = await failureOf(await python(pythonHandler("raise KeyError('deep')")));
    assert.match(inPython.stackTrace?.join("") ?? "", /app\.py", line 3, in handler\n {4}raise KeyError\('deep'\)/u);
  });
});

function makeOf(files: Readonly<Record<string, string>>): Promise<string> {
  return make({ files });
}

describe("a function that takes too much", () => {
  for (const [language, name] of [
    ["Node", () => node("if (event.hang) for (;;); return 'works';", { Timeout: 1 })],
    ["Python", () => python(pythonHandler("\n    while event.get('hang'): pass\n    return 'works'"), { Timeout: 1 })],
  ] as const) {
    test(`${language} over its time ends as Sandbox.Timedout, and works at its next call`, async () => {
      const FunctionName = await name();
      const failure = await failureOf(FunctionName, { hang: true });
      assert.equal(failure.errorType, "Sandbox.Timedout");
      assert.match(failure.errorMessage, /^RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.00 seconds$/u);
      assert.equal((await call(clients.lambda, FunctionName)).value, "works");
    });
  }

  for (const [language, name] of [
    ["Node", () => node("if (event.eat) { const all = []; for (;;) all.push(Buffer.alloc(4_000_000, 1)); } return 'works';")],
    ["Python", () => python(pythonHandler("\n    all = bytearray(400_000_000) if event.get('eat') else None\n    return 'works'"))],
  ] as const) {
    test(`${language} over its memory ends as Runtime.OutOfMemory where it is confined, and works at its next call`, async () => {
      const FunctionName = await name();
      // Plain processes have no memory bound of their own: there is nothing to show, only that the call works.
      if (server.confined) {
        const failure = await failureOf(FunctionName, { eat: true });
        assert.deepEqual(
          [failure.errorType, failure.errorMessage.replace(/[0-9a-f-]{36}/u, "<id>")],
          ["Runtime.OutOfMemory", "RequestId: <id> Error: Runtime exited with error: signal: killed"],
        );
      }
      assert.equal((await call(clients.lambda, FunctionName)).value, "works");
    });
  }
});

describe("limits of a call", () => {
  test("a payload of 6,291,456 bytes is taken, one byte more is refused as RequestTooLargeException", async () => {
    const FunctionName = await node("return event.length;");
    const exact = Buffer.alloc(6_291_456, "x").fill('"', 0, 1).fill('"', 6_291_455);
    const { Payload } = await clients.lambda.invoke({ FunctionName, Payload: exact });
    assert.equal(Payload?.transformToString(), "6291454");
    const over = Buffer.concat([exact, Buffer.from(" ")]);
    await assertRefused(clients.lambda.invoke({ FunctionName, Payload: over }), RequestTooLargeException, 413);
  });

  test("an answer of 6,291,456 bytes arrives whole", async () => {
    const { Payload } = await clients.lambda.invoke({ FunctionName: await node("return 'x'.repeat(6291454);") });
    assert.equal(Payload?.length, 6_291_456);
  });

  test("a payload that is no JSON is refused as InvalidRequestContentException", async () => {
    const FunctionName = await node("return 1;");
    await assertRefused(clients.lambda.invoke({ FunctionName, Payload: Buffer.from("{not json") }), InvalidRequestContentException, 400);
  });

  test("a call over the reserved concurrency is refused at once as TooManyRequestsException with its reason", async () => {
    const FunctionName = await node("await new Promise((resolve) => setTimeout(resolve, event.ms)); return 'done';");
    await call(clients.lambda, FunctionName, { ms: 0 });
    await clients.lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 1 });
    const endings = await Promise.allSettled([1, 2, 3].map(() => call(clients.lambda, FunctionName, { ms: 500 })));
    const refused = endings.flatMap((ending) => (ending.status === "rejected" ? [ending.reason as unknown] : []));
    assert.equal(refused.length, 2);
    for (const error of refused) {
      assert.ok(error instanceof TooManyRequestsException, String(error));
      assert.deepEqual([error.$metadata.httpStatusCode, error.Reason], [429, "ReservedFunctionConcurrentInvocationLimitExceeded"]);
    }
    assert.equal((await call(clients.lambda, FunctionName, { ms: 0 })).value, "done");
  });
});

test("an alias with weights spreads its calls over both versions", async () => {
  const FunctionName = await node("return context.functionVersion;", { Publish: true });
  await clients.lambda.updateFunctionConfiguration({ FunctionName, Timeout: 4 });
  await untilUpdated(clients.lambda, FunctionName);
  await clients.lambda.publishVersion({ FunctionName });
  await clients.lambda.createAlias({
    FunctionName,
    Name: "live",
    FunctionVersion: "1",
    RoutingConfig: { AdditionalVersionWeights: { "2": 0.5 } },
  });
  const counts = { "1": 0, "2": 0 };
  for (let index = 0; index < 60; index += 1) {
    const { value, executedVersion } = await call(clients.lambda, FunctionName, {}, { Qualifier: "live" });
    assert.equal(value, executedVersion);
    counts[executedVersion as "1" | "2"] += 1;
  }
  // At an even chance fewer than 10 of 60 happens once in hundreds of millions of runs.
  assert.ok(counts["1"] >= 10 && counts["2"] >= 10, JSON.stringify(counts));
});

describe("a streamed answer", () => {
  const STREAMED = {
    "index.mjs": `export const handler = awslambda.streamifyResponse(async (event, stream) => {
      stream.write("first ");
      await new Promise((resolve) => setTimeout(resolve, 400));
      stream.end("last");
    });
    export const fails = awslambda.streamifyResponse(async (event, stream) => {
      stream.write("begun ");
      throw new RangeError("broke off");
    });`,
  };

  test("InvokeWithResponseStream hands on the first chunk before the function has written the last", async () => {
    const FunctionName = await make({ files: STREAMED });
    const { EventStream } = await clients.lambda.invokeWithResponseStream({ FunctionName });
    const arrived: { readonly text: string; readonly at: number }[] = [];
    for await (const event of known(EventStream)) {
      if (event.PayloadChunk)
        arrived.push({ text: Buffer.from(event.PayloadChunk.Payload ?? []).toString(), at: systemClock.monotonicMs() });
    }
    const [first, last] = [arrived[0], arrived.at(-1)];
    assert.deepEqual(arrived.map(({ text }) => text).join(""), "first last");
    assert.ok(first && last && last.at - first.at > 200, "both came together");
  });

  test("an error after the first chunk is in the closing event", async () => {
    const FunctionName = await make({ files: STREAMED, Handler: "index.fails" });
    const { EventStream } = await clients.lambda.invokeWithResponseStream({ FunctionName });
    const events: InvokeWithResponseStreamResponseEvent[] = await Array.fromAsync(known(EventStream));
    const complete = events.at(-1)?.InvokeComplete;
    assert.equal(complete?.ErrorCode, "RangeError");
    assert.match(complete?.ErrorDetails ?? "", /broke off/u);
  });

  test("a function URL in RESPONSE_STREAM mode hands chunks on as they come", async () => {
    const FunctionName = await make({ files: STREAMED });
    const { FunctionUrl } = await clients.lambda.createFunctionUrlConfig({ FunctionName, AuthType: "NONE", InvokeMode: "RESPONSE_STREAM" });
    await openUrl({ stage: clients }, FunctionName);
    const answer = await fetch(known(FunctionUrl));
    const arrived: { readonly text: string; readonly at: number }[] = [];
    for await (const chunk of known(answer.body ?? undefined))
      arrived.push({ text: Buffer.from(chunk).toString(), at: systemClock.monotonicMs() });
    const [first, last] = [arrived[0], arrived.at(-1)];
    assert.deepEqual(arrived.map(({ text }) => text).join(""), "first last");
    assert.ok(first && last && last.at - first.at > 200, "both came together");
  });
});

test("LogType Tail brings at most the last 4 KB of the log", async () => {
  const { log } = await call(
    clients.lambda,
    await node("for (let n = 0; n < 200; n++) console.log('line ' + n + ' ' + 'x'.repeat(80)); return 1;"),
    {},
    { LogType: "Tail" },
  );
  assert.ok(Buffer.byteLength(log) <= 4_096, `${log.length} characters`);
  assert.match(
    log,
    /line 199 x+\nEND RequestId: \S+\nREPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n$/u,
  );
});
