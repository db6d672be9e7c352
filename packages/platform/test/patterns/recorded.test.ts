import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { compilePattern, PatternSet } from "../../src/patterns/index.ts";

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

const valid = Object.keys(expected).filter((name) => expected[name]?.outcome !== "invalid-pattern");
const all = new PatternSet<string>();
for (const name of valid) all.add(name, readCase(name).EventPattern as object);

test("every recorded case has its file", () => {
  const files = readdirSync(new URL("localstack/", FOLDER)).map((file) => file.replace(/\.json5$/u, ""));
  assert.deepEqual(files.toSorted(), Object.keys(expected).toSorted());
  assert.equal(files.length, 78);
});

/** What EventBridge itself answered; each test has the name of its file. */
describe("EventBridge's own outcome", () => {
  for (const [name, { outcome, message }] of Object.entries(expected)) {
    test(`${name}.json5`, () => {
      const { Event, EventPattern } = readCase(name);
      if (outcome === "invalid-pattern") {
        const refusal = { code: "InvalidPattern", message };
        assert.throws(() => compilePattern(EventPattern), refusal);
        assert.throws(() => new PatternSet().add(name, EventPattern as object), refusal);
      } else {
        assert.equal(compilePattern(EventPattern).matches(Event), outcome === "match");
        assert.equal(all.matches(Event).includes(name), outcome === "match");
      }
    });
  }
});

test("each recorded event matches the same patterns in a set of all of them as one by one", () => {
  let matched = 0;
  for (const name of valid) {
    const { Event } = readCase(name);
    const expectedKeys = valid.filter((each) => compilePattern(readCase(each).EventPattern).matches(Event));
    matched += expectedKeys.length;
    assert.deepEqual(all.matches(Event), expectedKeys, name);
  }
  assert.ok(matched > valid.length, `only ${matched} pairs match`);
});
