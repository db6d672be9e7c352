import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFunctionError, parseReport, summarise } from "../../src/cli/invocation-report.ts";
import { formatMs, formatSpan, layOut } from "../../src/cli/output.ts";

test("the summary is read from the REPORT line, with and without a cold start, in both log formats", () => {
  const cold =
    "END RequestId: a\nREPORT RequestId: a\tDuration: 2.13 ms\tBilled Duration: 7 ms\tMemory Size: 128 MB\tMax Memory Used: 43 MB\tInit Duration: 4.61 ms\t\n";
  const warm = "REPORT RequestId: a\tDuration: 0.10 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 43 MB\n";
  const json =
    '{"time":"t","type":"platform.report","record":{"requestId":"a","metrics":{"durationMs":2.13,"billedDurationMs":7,"memorySizeMB":128,"maxMemoryUsedMB":43,"initDurationMs":4.61}}}';
  const [first, second, third] = [parseReport(cold), parseReport(warm), parseReport(json)];
  assert.ok(first && second && third);
  assert.equal(summarise(first, formatMs), "2.1 ms + 4.6 ms cold start · billed 7 ms · 43 MB");
  assert.equal(summarise(second, formatMs), "0.1 ms · billed 1 ms · 43 MB");
  assert.deepEqual(third, first);
  assert.equal(parseReport("nothing of the kind"), undefined);
  assert.equal(parseReport('{"type":"platform.report","record":'), undefined);
});

test("an error shows the author's own lines and none of the runtime's", () => {
  const trace = [
    "TypeError: no name",
    "    at broken (file:///var/task/hello.mjs:3:32)",
    "    at handler (file:///var/task/hello.mjs:2:10)",
    "    at #run (file:///lambent/runtime/invocation.mjs:36:90)",
    "    at Socket.emit (node:events:514:20)",
  ];
  assert.deepEqual(parseFunctionError(JSON.stringify({ errorType: "TypeError", errorMessage: "no name", trace })), {
    type: "TypeError",
    message: "no name",
    stack: ["    at broken (file:///var/task/hello.mjs:3:32)", "    at handler (file:///var/task/hello.mjs:2:10)"],
  });
  assert.deepEqual(parseFunctionError("not JSON"), { type: "Error", message: "not JSON", stack: [] });
});

test("a message of several lines is shown once", () => {
  const errorMessage = "no name\n\n  given by the caller";
  const trace = ["TypeError: no name", "", "  given by the caller", "    at handler (file:///var/task/hello.mjs:2:10)"];
  assert.deepEqual(parseFunctionError(JSON.stringify({ errorType: "TypeError", errorMessage, trace })).stack, [trace[3]]);
  // A stack that begins otherwise is shown from its first line.
  const stackTrace = ['  File "/var/task/app.py", line 2, in handler\n    raise ValueError("no name")'];
  assert.equal(parseFunctionError(JSON.stringify({ errorMessage, stackTrace })).stack.length, 2);
});

test("times and tables are what people read", () => {
  assert.deepEqual([0.104, 4.61, 9.96, 38.4, 999.4, 1_250].map(formatMs), ["0.1 ms", "4.6 ms", "10 ms", "38 ms", "999 ms", "1.3 s"]);
  assert.deepEqual([41_000, 192_000, 11_520_000, 180_000_000].map(formatSpan), ["41 s", "3 min 12 s", "3 h 12 min", "2 d 2 h"]);
  assert.deepEqual(
    layOut(
      ["NAME", "SIZE"],
      [
        ["a", "1 MB"],
        ["longer", ""],
      ],
    ),
    ["NAME    SIZE", "a       1 MB", "longer"],
  );
});
