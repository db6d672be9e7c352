import assert from "node:assert/strict";
import { test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { NO_URL, parseAppDocument, PUBLIC_URL } from "../../src/apps/index.ts";

function complaint(text: string): string {
  try {
    parseAppDocument(text, "lambent.yaml");
  } catch (error) {
    assert.ok(isLambentError(error, "InvalidParameter"), String(error));
    return error.message;
  }
  return assert.fail("the document was accepted");
}

test("a document becomes one form, with units of the engine", () => {
  const read = parseAppDocument(
    `app: shop
functions:
  orders:
    code: src/orders
    runtime: nodejs24.x
    handler: index.handler
    memory: 256
    timeout: 2m
    environment: { LEVEL: 3, DEBUG: true, NAME: shop }
    url: false
  hello:
`,
    "lambent.yaml",
  );
  assert.equal(read.app, "shop");
  const [orders, hello] = read.functions;
  assert.deepEqual(orders?.options, { memoryMb: 256, timeoutMs: 120_000, environment: { LEVEL: "3", DEBUG: "true", NAME: "shop" } });
  assert.deepEqual(orders?.url, NO_URL);
  assert.deepEqual(hello, {
    name: "hello",
    code: ".",
    runtime: undefined,
    handler: undefined,
    options: {},
    url: PUBLIC_URL,
    include: [],
    exclude: [],
  });
});

test("each mistake is named with place, value and rule", () => {
  assert.equal(complaint("functions: { a: { memory: 64 } }"), "lambent.yaml: functions.a.memory is 64; it has to be 128 to 10240.");
  assert.equal(complaint("functions: { a: { memory: 128.5 } }"), "lambent.yaml: functions.a.memory is 128.5; it has to be an integer.");
  assert.match(complaint("functions: { a: { memroy: 128 } }"), /functions\.a has an unknown entry "memroy"; known are code, runtime/u);
  assert.match(complaint("functions: { 'a b': {} }"), /functions has an entry "a b" whose name is not allowed here/u);
  assert.match(complaint("functions: { a: { timeout: 901 } }"), /functions\.a\.timeout is 901; it has to be 1 to 900/u);
  assert.match(complaint("functions: { a: { timeout: 20m } }"), /functions\.a\.timeout is "20m"/u);
  assert.match(complaint("functions: { a: { runtime: ruby } }"), /functions\.a\.runtime is "ruby"; it has to be a runtime id such as/u);
  assert.match(complaint("functions: {}"), /functions has no entry/u);
  assert.match(complaint("app: x"), /The document lacks "functions"/u);
  assert.match(complaint("- a\n- b"), /The document is \["a","b"\]; it has to be an object/u);
  assert.match(complaint("functions:\n  a: {\n"), /lambent\.yaml is not YAML: .* line 3/u);
});

test("a document that unfolds into millions of nodes is refused", () => {
  const bomb = [
    "a: &a [x,x,x,x,x,x,x,x,x]",
    ...[..."bcdefgh"].map((name, at) => `${name}: &${name} [${Array(9).fill(`*${"abcdefg"[at]}`).join(",")}]`),
  ];
  assert.match(complaint(bomb.join("\n")), /cannot be read|unknown entry/u);
});

test("names of the prototype are names like any other", () => {
  assert.match(complaint("functions: { a: { __proto__: 1 } }"), /unknown entry "__proto__"/u);
  assert.equal(parseAppDocument("functions: { constructor: {} }", "lambent.yaml").functions[0]?.name, "constructor");
});

test("windows are read as they are declared, but for what becomes of them when they change", () => {
  const { windows } = parseAppDocument(
    [
      "functions: { a: {} }",
      "windows:",
      "  means:",
      "    source: readings",
      "    key: $.device",
      "    window: { kind: sliding, size: 1m }",
      "    aggregates: { mean: mean }",
      "    sinks: [{ stream: means }]",
      "    onChange: latest",
    ].join("\n"),
    "lambent.yaml",
  );
  const [window] = windows;
  assert.deepEqual([windows.length, window?.name, window?.restart], [1, "means", "latest"]);
  assert.deepEqual(JSON.parse(window?.declaration ?? ""), {
    ...{ source: "readings", key: "$.device", window: { kind: "sliding", size: "1m" } },
    ...{ aggregates: { mean: "mean" }, sinks: [{ stream: "means" }] },
  });
  assert.throws(() => parseAppDocument("functions: { a: {} }\nwindows: { means: { source: s } }", "lambent.yaml"), /windows\.means/u);
  assert.throws(
    () => parseAppDocument("functions: { a: {} }\nwindows: { m: { source: s, window: {}, onChange: now } }", "lambent.yaml"),
    /onChange/u,
  );
});
