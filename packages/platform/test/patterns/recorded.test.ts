import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { isLambentError } from "../../src/base/index.ts";
import { compilePattern } from "../../src/patterns/index.ts";

const FOLDER = new URL("../fixtures/event-patterns/", import.meta.url);

interface Expected {
  readonly outcome: "match" | "no-match" | "invalid-pattern";
  readonly message?: string;
}

interface Case {
  readonly Event: unknown;
  readonly EventPattern: unknown;
}

/** The cases have comments and trailing commas; without whole-line comments they are YAML. */
function readCase(name: string): Case {
  const text = readFileSync(new URL(`localstack/${name}.json5`, FOLDER), "utf8");
  return parse(text.replaceAll(/^\s*\/\/.*$/gmu, "").replaceAll(/\s\/\/ .*$/gmu, ""), { strict: false }) as Case;
}

const expected = JSON.parse(readFileSync(new URL("expected.json", FOLDER), "utf8")) as Readonly<Record<string, Expected>>;

test("every recorded case has its file", () => {
  const files = readdirSync(new URL("localstack/", FOLDER)).map((file) => file.replace(/\.json5$/u, ""));
  assert.deepEqual(files.toSorted(), Object.keys(expected).toSorted());
  assert.equal(files.length, 78);
});

for (const [name, { outcome, message }] of Object.entries(expected)) {
  test(`EventBridge's own outcome of ${name}: ${outcome}`, () => {
    const { Event, EventPattern } = readCase(name);
    if (outcome === "invalid-pattern")
      assert.throws(
        () => compilePattern(EventPattern),
        (error) => isLambentError(error, "InvalidPattern") && error.message === message,
      );
    else assert.equal(compilePattern(EventPattern).matches(Event), outcome === "match");
  });
}
