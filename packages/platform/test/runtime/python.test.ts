import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../../src/base/index.ts";
import { errorOf, type Files, RuntimeWorld, valueOf } from "../support/runtime-world.ts";

const handler = (body: string, before = ""): Files => ({
  "app.py": `${before}\ndef handler(event, context):\n${body.replaceAll(/^/gm, "    ")}\n`,
});
const SETTINGS = { runtime: "python3.11", handler: "app.handler" } as const;

/** The same must hold for an interpreter of its own and for a fork of the zygote. */
for (const pythonZygote of [false, true]) {
  describe(pythonZygote ? "a Python forked from the zygote" : "a Python started by itself", () => {
    let world: RuntimeWorld;
    before(async () => {
      world = await RuntimeWorld.open({ pythonZygote });
    });
    after(() => world.close());

    test("gets the event, the context and Lambda's environment", async () => {
      const body = `import os
return {"n": event["n"] + 1, "id": context.aws_request_id, "memory": context.memory_limit_in_mb, "name": context.function_name,
        "arn": context.invoked_function_arn, "left": context.get_remaining_time_in_millis(), "custom": context.client_context.custom,
        "environment": dict(os.environ), "cwd": os.getcwd()}`;
      const instance = await world.instance(handler(body), { ...SETTINGS, environment: { COLOUR: "blue" } });
      const call = world.call({ n: 1 }, { clientContext: '{"custom":{"a":1}}' });
      const value = valueOf(await instance.invoke(call)) as Record<string, unknown>;
      assert.equal(value["n"], 2);
      assert.equal(value["id"], call.requestId);
      assert.deepEqual([value["memory"], value["name"], value["arn"]], ["128", instance.version.name, call.functionArn]);
      assert.deepEqual(value["custom"], { a: 1 });
      assert.ok((value["left"] as number) > 4_000);
      const environment = value["environment"] as Record<string, string>;
      assert.equal(environment["COLOUR"], "blue");
      assert.equal(environment["AWS_EXECUTION_ENV"], "AWS_Lambda_python3.11");
      assert.equal(environment["_X_AMZN_TRACE_ID"], call.traceId);
      assert.equal(environment["LAMBDA_TASK_ROOT"], value["cwd"]);
      assert.equal(environment["VIRTUAL_ENV"] ?? environment["PYENV_ROOT"], undefined);
    });

    test("print, logging and raw output are lines of the call, before its end", async () => {
      const body = `import os, sys
print("one")
logging.getLogger().warning("two %s", 2)
logging.getLogger("x").info("hidden")
sys.stdout.write("half")
return 1`;
      const instance = await world.instance(handler(body, "import logging\nprint('loading')"), SETTINGS);
      const call = world.call();
      const report = await instance.invoke(call);
      const lines = world.lines.filter((line) => line.requestId === call.requestId).map((line) => line.text);
      assert.equal(lines.length, 3);
      assert.deepEqual([lines[0], lines[2]], ["one", "half"]);
      assert.match(
        lines[1] ?? "",
        new RegExp(`^\\[WARNING\\]\\t\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\\t${call.requestId}\\ttwo 2$`),
      );
      assert.equal(report.logTail.toString(), `${lines.join("\n")}\n`);
      assert.ok(world.lines.some((line) => line.instanceId === instance.id && line.requestId === undefined && line.text === "loading"));
    });

    test("the JSON log format has a record a line", async () => {
      const body = `log = logging.getLogger("mine")
log.debug("hidden")
log.info("plain")
try: raise ValueError("inner")
except ValueError: log.exception("caught")
raise KeyError("out")`;
      const logging = { format: "JSON", applicationLevel: "INFO", systemLevel: "INFO", group: "/aws/lambda/x" } as const;
      const instance = await world.instance(handler(body, "import logging"), { ...SETTINGS, logging });
      const call = world.call();
      assert.equal(errorOf(await instance.invoke(call)).errorType, "KeyError");
      const records = world.texts(instance).map((text) => JSON.parse(text) as Record<string, unknown>);
      assert.deepEqual(
        records.map((record) => [record["level"], record["message"] ?? record["errorMessage"], record["requestId"], record["errorType"]]),
        [
          ["INFO", "plain", call.requestId, undefined],
          ["ERROR", "caught", call.requestId, "ValueError"],
          ["ERROR", "'out'", call.requestId, "KeyError"],
        ],
      );
    });

    test("an exception carries type, message and the user's stack", async () => {
      const instance = await world.instance(handler("return 1 / event['by']"), SETTINGS);
      const report = await instance.invoke(world.call({ by: 0 }));
      const error = errorOf(report);
      assert.deepEqual([error.errorType, error.errorMessage], ["ZeroDivisionError", "division by zero"]);
      assert.equal(error.stackTrace?.length, 1);
      assert.match(error.stackTrace?.[0] ?? "", /^ {2}File ".*app\.py", line 3, in handler\n {4}return 1/);
      assert.match(
        report.logTail.toString(),
        /^\[ERROR\] ZeroDivisionError: division by zero\nTraceback \(most recent call last\):\n {2}File/,
      );
      assert.equal(valueOf(await instance.invoke(world.call({ by: 2 }))), 0.5, "the instance goes on");
    });

    for (const [what, files, name, errorType, message] of [
      ["a missing module", {}, "app.handler", "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'app'"],
      [
        "a missing package",
        { "app.py": "import nowhere" },
        "app.handler",
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'nowhere'",
      ],
      ["a missing function", { "app.py": "" }, "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"],
      [
        "a syntax error",
        { "app.py": "def (" },
        "app.handler",
        "Runtime.UserCodeSyntaxError",
        "Syntax error in module 'app': invalid syntax (app.py, line 1)",
      ],
      [
        "a name without function",
        {},
        "app",
        "Runtime.MalformedHandlerName",
        "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
      ],
      ["a module that raises", { "app.py": "raise RuntimeError('on import')" }, "app.handler", "RuntimeError", "on import"],
      [
        "a module that exits",
        { "app.py": "import sys; sys.exit(4)" },
        "app.handler",
        "Runtime.ExitError",
        "Error: Runtime exited with error: exit status 4",
      ],
    ] as const) {
      test(`init fails as ${errorType} for ${what}`, async () => {
        const error = errorOf(await world.start(files, { ...SETTINGS, handler: name }));
        assert.deepEqual([error.errorType, error.errorMessage], [errorType, message]);
      });
    }

    test("what JSON cannot say is Runtime.MarshalError, and Decimal is a number", async () => {
      const instance = await world.instance(
        handler("return {1, 2} if event.get('bad') else decimal.Decimal('1.5')", "import decimal"),
        SETTINGS,
      );
      const error = errorOf(await instance.invoke(world.call({ bad: true })));
      assert.deepEqual(
        [error.errorType, error.errorMessage],
        ["Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable"],
      );
      assert.equal(valueOf(await instance.invoke(world.call())), 1.5);
    });

    test("an answer over 6,291,456 bytes is Function.ResponseSizeTooLarge", async () => {
      const instance = await world.instance(handler("return 'x' * event['n']"), SETTINGS);
      assert.equal(errorOf(await instance.invoke(world.call({ n: 6_291_455 }))).errorType, "Function.ResponseSizeTooLarge");
      assert.equal((valueOf(await instance.invoke(world.call({ n: 6_291_454 }))) as string).length, 6_291_454);
    });

    for (const [body, departure] of [
      ["import sys; print('last'); sys.exit(3)", { kind: "exited", code: 3 }],
      ["import os; os._exit(0)", { kind: "exited", code: 0 }],
      ["import os; os.kill(os.getpid(), 11)", { kind: "killed", signal: "SIGSEGV" }],
    ] as const) {
      test(`${body} loses the call and says how the process ended`, async () => {
        const instance = await world.instance(handler(body), SETTINGS);
        const report = await instance.invoke(world.call());
        assert.deepEqual(report.ending, { kind: "instanceLost", departure });
      });
    }

    test("a call at its deadline ends as timedOut and its process is killed", async () => {
      const instance = await world.instance(
        handler("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass"),
        SETTINGS,
      );
      const report = await instance.invoke(world.call({}, { deadline: systemClock.now() + 150 }));
      assert.equal(report.ending.kind, "timedOut");
      assert.equal((await instance.gone).kind, "killed");
    });

    test("one instance runs several calls at once and knows each line's call", async () => {
      const body = "print('line of', event['n'])\nbarrier.wait(5)\nreturn event['n']";
      const instance = await world.instance(handler(body, "import threading\nbarrier = threading.Barrier(4)"), {
        ...SETTINGS,
        concurrencyPerInstance: 4,
      });
      const calls = Array.from({ length: 4 }, (_, n) => world.call({ n }));
      const reports = await Promise.all(calls.map((call) => instance.invoke(call)));
      assert.deepEqual(reports.map(valueOf), [0, 1, 2, 3]);
      for (const [n, report] of reports.entries()) assert.equal(report.logTail.toString(), `line of ${n}\n`);
    });

    test("packages of the code and of a layer are found", async () => {
      const instance = await world.instance(
        {
          "app.py": "from pack.inner import value\nimport of_layer\ndef handler(event, context): return [value, of_layer.value]",
          "pack/inner.py": "value = 'code'",
        },
        SETTINGS,
        { "python/of_layer.py": "value = 'layer'" },
      );
      assert.deepEqual(valueOf(await instance.invoke(world.call())), ["code", "layer"]);
    });

    test("a handler style of Node is refused by name", async () => {
      assert.equal(
        errorOf(await world.start(handler("return 1"), { ...SETTINGS, handlerStyle: "web" })).errorType,
        "Runtime.HandlerStyleUnsupported",
      );
    });
  });
}
