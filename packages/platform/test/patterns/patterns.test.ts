import assert from "node:assert/strict";
import { test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { compilePattern, parsePattern, PATTERN_ALTERNATIVES_MAX, PATTERN_DEPTH_MAX } from "../../src/patterns/index.ts";

const matches = (pattern: unknown, event: unknown): boolean => compilePattern(pattern).matches(event);

function refusedFor(pattern: unknown, reason: RegExp): void {
  assert.throws(
    () => compilePattern(pattern),
    (error) => isLambentError(error, "InvalidPattern") && reason.test(error.message),
    JSON.stringify(pattern),
  );
}

// The event of AWS's page "Comparison operators for use in event patterns".
const LAUNCH = {
  version: "0",
  "detail-type": "EC2 Instance State-change Notification",
  source: "aws.ec2",
  account: "123456789012",
  region: "us-west-1",
  resources: ["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
  detail: {
    "instance-id": "i-1234567890abcdef0",
    state: "terminated",
    "c-count": 5,
    "d-count": 3,
    "x-limit": 301.8,
    FileName: "image.PNG",
    "source-ip": "10.0.0.123",
    responseElements: null,
    eventVersion: "",
  },
};

test("AWS's documented examples match", () => {
  const documented: readonly unknown[] = [
    { source: ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"], detail: { state: ["terminated"] } },
    { region: [{ prefix: "us-" }] },
    { detail: { FileName: [{ suffix: { "equals-ignore-case": ".png" } }] } },
    { "detail-type": [{ "equals-ignore-case": "ec2 instance state-change notification" }] },
    { detail: { state: [{ "anything-but": "initializing" }] } },
    { detail: { state: [{ "anything-but": ["stopped", "overloaded"] }] } },
    { detail: { "x-limit": [{ "anything-but": [100, 200, 300] }] } },
    { detail: { state: [{ "anything-but": { prefix: "init" } }] } },
    { detail: { FileName: [{ "anything-but": { suffix: [".txt", ".rtf"] } }] } },
    { detail: { state: [{ "anything-but": { "equals-ignore-case": ["initializing", "stopped"] } }] } },
    { resources: [{ "anything-but": { wildcard: "*lambda*" } }] },
    {
      detail: { "c-count": [{ numeric: [">", 0, "<=", 5] }], "d-count": [{ numeric: ["<", 10] }], "x-limit": [{ numeric: ["=", 301.8] }] },
    },
    { detail: { "source-ip": [{ cidr: "10.0.0.0/24" }] } },
    { detail: { state: [{ exists: true }], "no-state": [{ exists: false }] } },
    { resources: [{ wildcard: "arn:*:instance/i-*" }] },
    { detail: { $or: [{ "c-count": [{ numeric: ["<", 1] }] }, { "d-count": [{ numeric: ["<", 10] }] }] } },
    { detail: { responseElements: [null], eventVersion: [""] } },
  ];
  for (const pattern of documented) assert.equal(matches(pattern, LAUNCH), true, JSON.stringify(pattern));
});

test("conditions below an array are met by one element together", () => {
  const event = {
    employees: [
      { firstName: "Anna", lastName: "Smith" },
      { firstName: "Peter", lastName: "Jones" },
    ],
  };
  assert.equal(matches({ employees: { firstName: ["Anna"], lastName: ["Smith"] } }, event), true);
  assert.equal(matches({ employees: { firstName: ["Anna"], lastName: ["Jones"] } }, event), false);
  assert.equal(matches({ employees: { firstName: ["Anna"] }, $or: [{ employees: { lastName: ["Jones"] } }, { id: [1] }] }, event), false);
});

test("a field is absent only when no element of an array has it", () => {
  assert.equal(matches({ a: { x: [{ exists: false }] } }, { a: [{ x: 1 }, { y: 2 }] }), false);
  assert.equal(matches({ a: { x: [{ exists: false }] } }, { a: [{ y: 1 }, { y: 2 }] }), true);
  assert.equal(matches({ a: { x: [{ exists: false }] } }, {}), true);
  assert.equal(matches({ a: [{ exists: true }] }, { a: { b: 1 } }), false, "an object is no value");
});

test("types are not mixed up", () => {
  assert.equal(matches({ a: ["1"] }, { a: 1 }), false);
  assert.equal(matches({ a: [1] }, { a: "1" }), false);
  assert.equal(matches({ a: ["null"] }, { a: null }), false);
  assert.equal(matches({ a: [false] }, { a: 0 }), false);
  assert.equal(matches({ a: [{ numeric: [">", 0] }] }, { a: "5" }), false);
});

test("$or beside a way to match is a field of that name", () => {
  assert.equal(matches({ $or: [{ prefix: "a" }, { prefix: "b" }] }, { $or: "bc" }), true);
  assert.equal(matches({ $or: ["x"] }, { $or: "x" }), true);
});

test("alternatives of several $or are met together", () => {
  const pattern = { $or: [{ a: [1] }, { b: [1] }], c: { $or: [{ d: [1] }, { e: [1] }] } };
  assert.equal(matches(pattern, { b: 1, c: { e: 1 } }), true);
  assert.equal(matches(pattern, { b: 1, c: { e: 2 } }), false);
});

test("stars and backslashes are escaped in wildcards", () => {
  const escaped = compilePattern({ a: [{ wildcard: "1\\*2\\\\*" }] });
  assert.equal(escaped.matches({ a: "1*2\\x" }), true);
  assert.equal(escaped.matches({ a: "1x2\\x" }), false);
  refusedFor({ a: [{ wildcard: "a**b" }] }, /Consecutive wildcard characters at pos 1$/u);
  refusedFor({ a: [{ wildcard: "a\\b" }] }, /Invalid escape character at pos 1$/u);
});

test("names that every object has are ordinary names", () => {
  assert.equal(matches({ constructor: ["x"] }, {}), false);
  assert.equal(matches(JSON.parse('{"__proto__":["x"]}'), JSON.parse('{"__proto__":"x"}')), true);
  refusedFor({ a: [{ constructor: 1 }] }, /Unrecognized match type constructor$/u);
});

test("a pattern that breaks a rule is refused with AWS's words for it", () => {
  refusedFor({}, /Empty objects are not allowed$/u);
  refusedFor({ a: {} }, /Empty objects are not allowed$/u);
  refusedFor({ a: "x" }, /"a" must be an object or an array$/u);
  refusedFor([], /Filter is not an object$/u);
  refusedFor({ a: [[1]] }, /Match value must be String, number, true, false, or null$/u);
  refusedFor({ a: [{ prefix: "a", suffix: "b" }] }, /Only one key allowed in match expression$/u);
  refusedFor({ a: [{ "anything-but": [true] }] }, /Inside anything-but list, start\|null\|boolean is not supported\.$/u);
  refusedFor({ a: [{ "anything-but": [1, "1"] }] }, /mixed type is not supported$/u);
  refusedFor({ a: [{ "anything-but": { numeric: ["=", 1] } }] }, /Unsupported anything-but pattern: numeric$/u);
  refusedFor({ a: [{ numeric: 5 }] }, /Value of numeric must be an array\.$/u);
  refusedFor({ a: [{ numeric: ["=", "5"] }] }, /Value of = must be numeric$/u);
  refusedFor({ a: [{ numeric: [">", 5, "<", 5] }] }, /Bottom must be less than top$/u);
  refusedFor({ a: [{ numeric: [">", 6e9] }] }, /between -5.0E9 and 5.0E9, inclusive$/u);
  refusedFor({ a: [{ numeric: ["<", 1, ">", 0] }] }, /Too many terms/u);
  refusedFor({ a: [{ exists: "yes" }] }, /exists match pattern must be either true or false\.$/u);
  refusedFor({ a: [{ cidr: "10.0.0.0" }] }, /one '\/' required$/u);
  refusedFor({ a: [{ cidr: "10.0.0.0/33" }] }, /mask bits must be <= 32$/u);
  assert.throws(
    () => parsePattern("{"),
    (error) => isLambentError(error, "InvalidPattern"),
  );
});

test("size is bounded: alternatives and depth", () => {
  const or = (key: string, count: number): unknown => ({ $or: Array.from({ length: count }, (_, at) => ({ [key]: [at] })) });
  assert.ok(compilePattern({ a: or("x", 40), b: or("x", PATTERN_ALTERNATIVES_MAX / 40) }));
  refusedFor({ a: or("x", 40), b: or("x", PATTERN_ALTERNATIVES_MAX / 40 + 1) }, /exceeded the limit of 1000/u);
  let deep: unknown = [1];
  for (let level = 0; level <= PATTERN_DEPTH_MAX; level += 1) deep = { a: deep };
  assert.ok(compilePattern(deep));
  refusedFor({ a: deep }, /nested deeper than 100/u);
});
