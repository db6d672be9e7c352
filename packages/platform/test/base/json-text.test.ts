import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { bareJson, compactJson, jsonDepth, JsonText } from "../../src/base/index.ts";

const SEED = Number(process.env["LAMBENT_TEST_SEED"] ?? 20_261_121);
const parse = (text: string): JsonText => JsonText.parse(text) ?? assert.fail(text);

/** JSON text with space at every place where there may be some. */
const spaced = fc.tuple(fc.jsonValue(), fc.constantFrom("", " ", "\n\t", "\r\n  ")).map(([value, space]) => {
  const write = (part: unknown): string => {
    if (Array.isArray(part)) return `[${part.map((entry) => space + write(entry) + space).join(",") || space}]`;
    if (typeof part !== "object" || part === null) return JSON.stringify(part);
    const members = Object.entries(part).map(([name, entry]) => `${space}${JSON.stringify(name)}${space}:${space}${write(entry)}${space}`);
    return `{${members.join(",") || space}}`;
  };
  return { value: JSON.parse(JSON.stringify(value)) as unknown, text: space + write(value) + space };
});

function walk(json: JsonText): unknown {
  if (json.kind === "array") return json.elements.map(walk);
  if (json.kind === "object") return Object.fromEntries([...json.members].map(([name, member]) => [name, walk(member)]));
  return json.value();
}

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

describe(`JSON text (seed ${SEED})`, () => {
  test("read part by part is what JSON.parse makes of it", () => {
    fc.assert(
      fc.property(spaced, ({ text, value }) => {
        assert.deepEqual(walk(parse(text)), value);
        assert.equal(parse(text).text, text.trim());
        assert.equal(jsonDepth(text), depthOf(value));
        assert.equal(compactJson(text), JSON.stringify(value));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("keeps numbers, escapes, order and doubled names as they were written", () => {
    const json = parse('{ "b" : 1.50e1 , "a\\"\\\\" : "\\u00e9\\\\" , "b" : [ 12345678901234567890 , -0 ] }');
    assert.deepEqual([...json.members.keys()], ["b", 'a"\\']);
    assert.equal(json.members.get('a"\\')?.text, '"\\u00e9\\\\"');
    assert.equal(json.members.get("b")?.text, "[ 12345678901234567890 , -0 ]");
    assert.deepEqual(
      json.members.get("b")?.elements.map(({ text }) => text),
      ["12345678901234567890", "-0"],
    );
  });

  test("without its quotes can stand within a string, however long it is", () => {
    assert.equal(bareJson('{ "a" : "x \\"y\\" " , "b" : [ 1 , null ] }'), '{a:x \\"y\\" ,b:[1,null]}');
    const long = `\\"${"ä".repeat(2_000_000)}`;
    assert.equal(bareJson(` "${long}" `), long);
  });

  test("that is none is refused, and what is no object or array has nothing inside", () => {
    for (const text of ["", "{", "[1,]", "nul", '"a', "{'a':1}", "1 2"]) assert.equal(JsonText.parse(text), undefined, text);
    assert.equal(parse('"{}"').members.size, 0);
    assert.equal(parse("{}").elements.length, 0);
    assert.equal(parse("[]").elements.length, 0);
  });

  test("nested deeper than any stack is read (P8)", () => {
    const text = "[".repeat(200_000) + "]".repeat(200_000);
    assert.equal(jsonDepth(text), 200_000);
    assert.equal(parse(text).elements[0]?.text.length, 399_998);
  });
});
