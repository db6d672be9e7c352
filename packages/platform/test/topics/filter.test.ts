import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileFilter, FILTERED_BODY_DEPTH_MAX, type FilterScope } from "../../src/topics/filter.ts";
import { refusedAs } from "./world.ts";

type Attributes = Parameters<NonNullable<ReturnType<typeof compileFilter>>>[0]["attributes"];

const text = (value: string): Attributes => ({ a: { type: "String", value } });
const number = (value: string): Attributes => ({ a: { type: "Number", value } });
const list = (...values: readonly unknown[]): Attributes => ({ a: { type: "String.Array", value: JSON.stringify(values) } });

const takes = (policy: object, attributes: Attributes): boolean =>
  compileFilter(JSON.stringify(policy), "MessageAttributes")?.({ body: "", attributes }) ?? true;
const takesBody = (policy: object, body: unknown): boolean =>
  compileFilter(
    JSON.stringify(policy),
    "MessageBody",
  )?.({ body: typeof body === "string" ? body : JSON.stringify(body), attributes: {} }) ?? true;
const refuses = (policy: unknown, rule: RegExp, scope: FilterScope = "MessageAttributes"): void =>
  assert.throws(
    () => compileFilter(typeof policy === "string" ? policy : JSON.stringify(policy), scope),
    refusedAs("InvalidParameter", rule),
  );

describe("a filter policy on attributes", () => {
  it("compares texts as texts, numbers as numbers, and lists by each of their values", () => {
    assert.ok(takes({ a: ["x", "y"] }, text("y")));
    assert.ok(!takes({ a: ["x"] }, text("X")));
    assert.ok(takes({ a: [1.5] }, number("1.50")));
    assert.ok(!takes({ a: ["1"] }, number("1")));
    assert.ok(!takes({ a: [1] }, text("1")));
    assert.ok(takes({ a: ["x"] }, list("w", "x")));
    assert.ok(takes({ a: [null] }, list("w", null)));
    assert.ok(takes({ a: [true] }, list(true)));
    assert.ok(takes({ a: [7] }, list("w", 7)));
    assert.ok(!takes({ a: ["x"] }, list(["x"])));
    assert.ok(!takes({ a: ["x"] }, { a: { type: "String.Array", value: "no json" } }));
    assert.ok(!takes({ a: ["x"] }, { a: { type: "String.Array", value: '"x"' } }));
  });

  it("does not see attributes of other types", () => {
    assert.ok(!takes({ a: ["x"] }, { a: { type: "Binary", value: Buffer.from("x") } }));
    assert.ok(takes({ a: [{ exists: false }] }, { a: { type: "Binary", value: Buffer.from("x") } }));
    assert.ok(!takes({ a: ["x"] }, { a: { type: "String.custom", value: "x" } }));
  });

  it("has all of SNS's operators", () => {
    assert.ok(takes({ a: [{ prefix: "ab" }] }, text("abc")));
    assert.ok(takes({ a: [{ suffix: "bc" }] }, text("abc")));
    assert.ok(takes({ a: [{ "equals-ignore-case": "ABC" }] }, text("abc")));
    assert.ok(takes({ a: [{ "anything-but": "x" }] }, text("y")));
    assert.ok(!takes({ a: [{ "anything-but": ["x", "y"] }] }, text("y")));
    assert.ok(!takes({ a: [{ "anything-but": ["x"] }] }, {}));
    assert.ok(takes({ a: [{ "anything-but": ["x"] }] }, list("x", "y")));
    assert.ok(!takes({ a: [{ "anything-but": ["x"] }] }, list("x")));
    assert.ok(takes({ a: [{ "anything-but": { prefix: "x" } }] }, text("y")));
    assert.ok(takes({ a: [{ "anything-but": [1, 2] }] }, number("3")));
    assert.ok(takes({ a: [{ numeric: [">", 0, "<=", 150] }] }, number("150")));
    assert.ok(!takes({ a: [{ numeric: [">", 0, "<=", 150] }] }, number("0")));
    assert.ok(!takes({ a: [{ numeric: ["=", 3] }] }, text("3")));
    assert.ok(takes({ a: [{ cidr: "10.0.0.0/24" }] }, text("10.0.0.255")));
    assert.ok(!takes({ a: [{ cidr: "10.0.0.0/24" }] }, text("10.1.1.0")));
    assert.ok(takes({ a: [{ exists: true }] }, text("")));
    assert.ok(takes({ a: [{ exists: false }] }, {}));
    assert.ok(!takes({ a: [{ exists: false }] }, text("x")));
  });

  it("asks for all of its names, and for one of those in $or", () => {
    const both = { a: ["x"], b: ["y"] };
    const b: Attributes = { b: { type: "String", value: "y" } };
    assert.ok(takes(both, { ...text("x"), ...b }));
    assert.ok(!takes(both, text("x")));
    const either = { $or: [{ a: ["x"] }, { b: ["y"] }] };
    assert.ok(takes(either, text("x")) && takes(either, b) && !takes(either, text("z")));
  });

  it("does not see members that every object has", () => {
    assert.ok(!takes({ constructor: [{ exists: true }] }, {}));
    assert.ok(!takes({ ["__proto__x"]: [{ exists: true }] }, {}));
  });

  it("takes everything when it asks for nothing", () => {
    assert.equal(compileFilter("{}", "MessageAttributes"), undefined);
  });
});

describe("a filter policy on the body", () => {
  it("goes down into objects and lists", () => {
    const policy = { order: { items: { kind: ["book"] } } };
    assert.ok(takesBody(policy, { order: { items: { kind: "book" } } }));
    assert.ok(takesBody(policy, { order: { items: [{ kind: "pen" }, { kind: "book" }] } }));
    assert.ok(!takesBody(policy, { order: { items: [{ kind: "pen" }] } }));
    assert.ok(takesBody({ paid: [true], note: [null] }, { paid: true, note: null }));
    assert.ok(!takesBody({ price: [{ numeric: [">", 10] }] }, { price: "11" }));
    assert.ok(takesBody({ price: [{ numeric: [">", 10] }] }, { price: 11 }));
  });

  it("takes no body that is not a JSON object, however deep it is", () => {
    const policy = { a: [{ exists: false }] };
    assert.ok(takesBody(policy, {}));
    for (const body of ["", "text", "[{}]", "3", "null", '{"a":', `{"b":${"[".repeat(60_000)}${"]".repeat(60_000)}}`])
      assert.ok(!takesBody(policy, body), body.slice(0, 20));
    const deepest = "[".repeat(FILTERED_BODY_DEPTH_MAX - 1);
    assert.ok(takesBody(policy, `{"b":${deepest}${"]".repeat(deepest.length)},"c":"\\"${"[".repeat(500)}"}`));
  });
});

describe("a filter policy is refused", () => {
  it("for what is no policy", () => {
    refuses("no json", /FilterPolicy: failed to parse JSON/);
    refuses([], /must be a JSON object/);
    refuses({ a: "x" }, /"a" must be an object or an array/);
    refuses({ a: [] }, /Empty arrays are not allowed/);
    refuses({ a: { b: ["x"] } }, /does not support nested filter policy/);
    refuses({ a: [{ sounds: "x" }] }, /Unrecognized match type sounds/);
    refuses({ a: [{ wildcard: "x*" }] }, /Unrecognized match type wildcard/);
    refuses({ a: [{ "anything-but": { wildcard: "x*" } }] }, /Unrecognized match type wildcard/);
    refuses({ a: [{ prefix: 3 }] }, /prefix match pattern must be a string/);
    refuses({ a: [1e10] }, /between -1.0E9 and 1.0E9/);
    refuses({ a: [{ numeric: [">", 2e9] }] }, /between -1.0E9 and 1.0E9/);
  });

  it("with more than five names: of a body, at its top", () => {
    const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, ["x"]]));
    refuses(names(6), /can not have more than 5 keys/);
    assert.ok(compileFilter(JSON.stringify(names(5)), "MessageAttributes"));
    assert.ok(compileFilter(JSON.stringify({ top: names(6) }), "MessageBody"));
    refuses({ $or: [names(3), { x: ["x"], y: ["x"], z: ["x"] }] }, /can not have more than 5 keys/);
  });

  it("beyond 150 combinations, counted as AWS's own example is", () => {
    const values = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);
    refuses({ a: values(151) }, /too complex/);
    assert.ok(compileFilter(JSON.stringify({ a: values(50), b: values(3) }), "MessageAttributes"));
    refuses({ a: values(50), b: values(4) }, /too complex/);
    // 4 × 3 × 3 × 2 × 3 × 1 = 216
    const nested = { a: { b: { c: values(4) } }, d: { e: values(3) }, f: values(3) };
    refuses(nested, /too complex/, "MessageBody");
    assert.ok(compileFilter(JSON.stringify({ a: { b: { c: values(4) } }, d: { e: values(3) }, f: values(2) }), "MessageBody"));
    refuses({ $or: [{ a: values(100) }, { b: values(51) }] }, /too complex/);
    assert.ok(compileFilter(JSON.stringify({ $or: [{ a: values(100) }, { b: values(50) }] }), "MessageAttributes"));
  });

  it("above 256 KB", () => {
    refuses({ a: ["x".repeat(262_144)] }, /must not be larger than 262144 bytes/);
  });
});
