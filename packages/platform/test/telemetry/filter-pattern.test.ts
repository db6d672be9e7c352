import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLambentError } from "../../src/base/index.ts";
import { compileFilterPattern } from "../../src/telemetry/index.ts";

const cases: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] = [
  ["", ["anything", ""], []],
  ["ERROR", ["[ERROR] x", "ERRORS"], ["error", "fine"]],
  ["ERROR timeout", ["timeout after ERROR"], ["ERROR", "timeout"]],
  ['"out of memory"', ["it is out of memory now"], ["memory out of"]],
  ['"say \\"hi\\""', ['I say "hi"'], ["say hi"]],
  ["?ERROR ?WARN", ["ERROR", "a WARN b"], ["INFO"]],
  ["ERROR -retry", ["ERROR fatal"], ["ERROR retry", "fatal"]],
  ['-"health check"', ["GET /"], ["the health check"]],
  ["ERROR ?WARN", ["ERROR"], ["WARN"]],
  ['{ $.level = "ERROR" }', ['{"level":"ERROR"}'], ['{"level":"error"}', '{"other":1}', "level ERROR", "{broken"]],
  ["{ $.level = ERROR }", ['{"level":"ERROR"}'], ['{"level":"WARN"}']],
  ["{ $.ms >= 100 }", ['{"ms":100}', '{"ms":1e3}'], ['{"ms":99.9}', '{"ms":"100"}', "{}"]],
  ["{ $.ms = -1.5e1 }", ['{"ms":-15}'], ['{"ms":15}']],
  ["{ $.ms != 1 }", ['{"ms":2}'], ['{"ms":1}', "{}"]],
  ['{ $.a.b[1].c = "x*z" }', ['{"a":{"b":[0,{"c":"xyyz"}]}}'], ['{"a":{"b":[0,{"c":"xy"}]}}', '{"a":{"b":[]}}']],
  ['{ $.["a b"] = "*mid*" }', ['{"a b":"a middle"}'], ['{"a b":"none"}']],
  ['{ $.x = "ab*ba" }', ['{"x":"abba"}'], ['{"x":"aba"}']],
  ["{ $.ok IS TRUE }", ['{"ok":true}'], ['{"ok":false}', '{"ok":"true"}']],
  ["{ $.ok IS FALSE }", ['{"ok":false}'], ["{}"]],
  ["{ $.who IS NULL }", ['{"who":null}'], ["{}"]],
  ["{ $.who NOT EXISTS }", ["{}"], ['{"who":null}']],
  ["{ $.a = 1 && $.b = 2 || $.c = 3 }", ['{"a":1,"b":2}', '{"c":3}'], ['{"a":1}', '{"b":2}']],
  ["{ $.a = 1 && ($.b = 2 || $.c = 3) }", ['{"a":1,"c":3}'], ['{"c":3}', '{"a":1}']],
  ['{ $.constructor = "*" }', [], ["{}"]],
];

for (const [pattern, matching, others] of cases) {
  void test(`the pattern ${pattern || "(empty)"} matches what CloudWatch Logs matches`, () => {
    const matches = compileFilterPattern(pattern);
    for (const message of matching) assert.equal(matches(message), true, `should match ${message}`);
    for (const message of others) assert.equal(matches(message), false, `should not match ${message}`);
  });
}

void test("P8: a pattern that is none is refused with what is wrong", () => {
  for (const [pattern, what] of [
    ['"open', /quote at character 1 that is not closed/],
    ["ERROR -", /"-" without a term/],
    ["%regex%", /regular expression/],
    ["[ip, user]", /brackets/],
    ["{ $.a = 1", /does not end with/],
    ["{ $.a > x }", /which is no number/],
    ["{ $.a }", /no comparison/],
    ["{ ($.a = 1 }", /not closed/],
    ["{ $.a = 1 $.b = 2 }", /goes on with/],
    ["{ $.a IS MAYBE }", /IS or NOT EXISTS/],
    ["{ }", /selector such as/],
    ["x".repeat(1_025), /1025 characters; 1024/],
  ] as const) {
    assert.throws(
      () => compileFilterPattern(pattern),
      (error) => isLambentError(error, "InvalidParameter") && what.test(error.message),
      pattern,
    );
  }
});

void test("P8: whatever the pattern and the message, the answer is yes, no, or a refusal", () => {
  const piece = fc.constantFrom(
    "{",
    "}",
    "(",
    ")",
    "$.a",
    "$",
    "&&",
    "||",
    "=",
    "!",
    '"',
    "*",
    "?",
    "-",
    " ",
    "[0]",
    "IS",
    "NULL",
    "1",
    "\\",
    "é",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.oneof(fc.string(), fc.json()), (pieces, message) => {
      try {
        assert.equal(typeof compileFilterPattern(pieces.join(""))(message), "boolean");
      } catch (error) {
        assert.ok(isLambentError(error, "InvalidParameter"), String(error));
      }
    }),
    { seed: 7, numRuns: 3_000 },
  );
});
