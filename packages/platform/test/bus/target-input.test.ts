import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isLambentError } from "../../src/base/index.ts";
import { awsView, type BusEvent, cloudEventView } from "../../src/bus/envelope.ts";
import { type GivenInput, TARGET_INPUT_BYTES_MAX, targetInput, targetPayload } from "../../src/bus/input/target-input.ts";
import { busEvent, EC2_EVENT } from "./world.ts";

const RULE = { ruleArn: "arn:aws:events:us-east-2:123456789012:rule/example", ruleName: "example" };

function payload(given: GivenInput, event: BusEvent = EC2_EVENT): string {
  return targetPayload(targetInput(given, "t1"), event, awsView(event), RULE).toString();
}
const fromTemplate = (template: string, paths: Record<string, string> = {}, event?: BusEvent): string =>
  payload({ inputTransformer: { template, paths } }, event);

function refusal(given: GivenInput): string {
  let message = "";
  assert.throws(
    () => targetInput(given, "t1"),
    (error) => {
      if (isLambentError(error)) message = error.message;
      return isLambentError(error, "InvalidParameter");
    },
  );
  return message;
}

describe("a target", () => {
  test("gets the event in AWS's form when nothing else is said", () => {
    assert.equal(payload({}), awsView(EC2_EVENT).toString());
    assert.equal(payload({ inputPath: "$" }), awsView(EC2_EVENT).toString());
  });

  test("that chose CloudEvents gets one", () => {
    const got = targetPayload({ kind: "event", form: "cloudevent" }, EC2_EVENT, awsView(EC2_EVENT), RULE);
    assert.deepEqual(got, cloudEventView(EC2_EVENT));
    assert.deepEqual(targetPayload({ kind: "event", form: "aws" }, EC2_EVENT, awsView(EC2_EVENT), RULE), awsView(EC2_EVENT));
  });

  test("gets a constant as it was written, whatever the event", () => {
    assert.equal(payload({ input: '{ "a": 1.0 }' }), '{ "a": 1.0 }');
    assert.equal(payload({ input: '"hello"' }), '"hello"');
  });

  for (const [what, given, message] of [
    ["a constant that is no JSON", { input: "hello" }, "JSON syntax error in input for target t1."],
    ["a path without its root", { inputPath: "detail.a" }, "InputPath for target t1 is invalid."],
    ["a path with quotes", { inputPath: "$.detail['a']" }, "InputPath for target t1 is invalid."],
    [
      "a path of a variable that is none",
      { inputTransformer: { template: "<a>", paths: { a: "detail" } } },
      "InputPath for target t1 is invalid.",
    ],
    [
      "two ways at once",
      { input: "1", inputPath: "$.detail" },
      "Only one of Input, InputPath, or InputTransformer must be provided for target t1.",
    ],
    [
      "a variable that is not known",
      { inputTransformer: { template: '"a <b>"', paths: { a: "$.detail" } } },
      "InputTemplate for target t1 contains invalid placeholder b.",
    ],
    [
      "the whole event in a string",
      { inputTransformer: { template: '"<aws.events.event.json>"', paths: {} } },
      "InputTemplate for target t1 contains placeholder aws.events.event.json valid only for JSON template.",
    ],
    [
      "the whole event in a list",
      { inputTransformer: { template: "[<aws.events.event.json>]", paths: {} } },
      "InputTemplate for target t1 contains placeholder aws.events.event.json valid only for JSON template.",
    ],
    [
      "a text without quotes",
      { inputTransformer: { template: "it is <a>", paths: { a: "$.detail" } } },
      "Invalid InputTemplate for target t1 : it is not JSON. A text has to stand in quotes.",
    ],
    [
      "a variable for a name",
      { inputTransformer: { template: '{"<a>": 1}', paths: { a: "$.detail" } } },
      "Invalid InputTemplate for target t1 : a placeholder stands in an object's key.",
    ],
    [
      "too many variables",
      { inputTransformer: { template: '""', paths: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`a${at}`, "$.a"])) } },
      "InputPathsMap for target t1 has 101 entries; at most 100 are allowed.",
    ],
    [
      "a template too long",
      { inputTransformer: { template: `"${"x".repeat(8_192)}"`, paths: {} } },
      "Invalid InputTemplate for target t1 : it has 8194 characters; at most 8192 are allowed.",
    ],
  ] as const satisfies readonly (readonly [string, GivenInput, string])[])
    test(`is refused ${what}`, () => assert.equal(refusal(given), message));
});

describe("a path", () => {
  const event = busEvent('{ "items":[ {"n":1.50}, {"n":12345678901234567890} ], "a-b_c/d": {"e":"\\u00e9"}, "none":null, "list":[] }');
  for (const [path, expected] of [
    ["$.detail-type", '"EC2 Instance State-change Notification"'],
    ["$.resources[0]", '"arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"'],
    ["$.detail.items[1].n", "12345678901234567890"],
    ["$.detail.items[0]", '{"n":1.50}'],
    ["$.detail.items[*].n", "[1.50,12345678901234567890]"],
    ["$.detail.items.*.n", "[1.50,12345678901234567890]"],
    ["$.detail.list[*]", "[]"],
    ["$.detail.a-b_c/d.e", '"\\u00e9"'],
    ["$.detail.none", "null"],
    ["$.detail.items[2]", "null"],
    ["$.detail.nothing.here", "null"],
    ["$.detail.items.n", "null"],
    ["$.detail.a-b_c/d[0]", "null"],
    ["$.detail.__proto__", "null"],
  ] as const)
    test(`${path} gives ${expected}`, () => assert.equal(payload({ inputPath: path }, event), expected));

  for (const path of [
    "",
    "detail",
    "$detail",
    "$..detail",
    "$.",
    "$.a[",
    "$.a[-1]",
    "$.a[0:1]",
    "$.a[?(@.b)]",
    "$.a b",
    "$.a.length()",
    `$.${"a".repeat(260)}`,
  ])
    test(`cannot be ${path.slice(0, 20)}`, () => void refusal({ inputPath: path }));

  test("finds what a walk over the parsed event finds (property)", () => {
    const name = fc.constantFrom("a", "b", "c-d");
    const detail = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.integer(),
        fc.string(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(name, tie("value")),
      ),
    })).value;
    const steps = fc.array(fc.oneof(name, fc.nat(3)), { maxLength: 4 });
    fc.assert(
      fc.property(detail, steps, (value, path) => {
        const text = `$.detail${path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("")}`;
        let expected: unknown = value;
        for (const step of path) {
          const isStep =
            typeof step === "number"
              ? Array.isArray(expected)
              : typeof expected === "object" && expected !== null && !Array.isArray(expected);
          expected = isStep ? (expected as Record<string | number, unknown>)[step] : undefined;
        }
        assert.deepEqual(
          JSON.parse(payload({ inputPath: text }, busEvent(JSON.stringify(value)))),
          JSON.parse(JSON.stringify(expected ?? null)),
        );
      }),
      { seed: 20_261_121, numRuns: 500 },
    );
  });
});

/** Of the User Guide's page on input transformation. */
describe("a template of AWS's examples", () => {
  const paths = { timestamp: "$.time", instance: "$.detail.instance-id", state: "$.detail.state" };
  for (const [what, template, expected] of [
    ["simple string", '"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'],
    ["string with escaped quotes", '"instance \\"<instance>\\" is in <state>"', '"instance \\"i-0123456789\\" is in RUNNING"'],
    ["simple JSON", '{\n  "instance" : <instance>,\n  "state": <state>\n}', '{"instance":"i-0123456789","state":"RUNNING"}'],
    [
      "JSON with strings and variables",
      '{\n "instance" : <instance>,\n "state": "<state>",\n "instanceStatus": "instance \\"<instance>\\" is in <state>"\n}',
      '{"instance":"i-0123456789","state":"RUNNING","instanceStatus":"instance \\"i-0123456789\\" is in RUNNING"}',
    ],
    [
      "JSON with a mix of variables and static information",
      '{\n  "instance" : <instance>,\n  "state": [ 9, <state>, true ],\n  "Transformed" : "Yes"\n}',
      '{"instance":"i-0123456789","state":[9,"RUNNING",true],"Transformed":"Yes"}',
    ],
    [
      "including reserved variables in JSON",
      '{"instance" : <instance>, "ruleArn" : <aws.events.rule-arn>, "ruleName" : <aws.events.rule-name>, "originalEvent" : <aws.events.event.json>}',
      `{"instance":"i-0123456789","ruleArn":"${RULE.ruleArn}","ruleName":"example","originalEvent":${awsView(EC2_EVENT).toString()}}`,
    ],
    ["including reserved variables in a string", '"<aws.events.rule-name> triggered"', '"example triggered"'],
    [
      "log group",
      '{ "timestamp" : <timestamp>, "message": "is in <state>" }',
      '{"timestamp":"2015-11-11T21:29:54Z","message":"is in RUNNING"}',
    ],
  ] as const)
    test(`${what} gives the documented output`, () => assert.equal(fromTemplate(template, paths), expected));
});

/** As recorded against EventBridge by other projects. */
describe("a template", () => {
  const paths = { type: "$.detail-type", missing: "$.detail.notinmessage" };

  test("has an empty string for what the event does not have, in a string and as a value", () => {
    assert.equal(fromTemplate('"type <type>, info <missing>"', paths), '"type EC2 Instance State-change Notification, info "');
    assert.equal(
      fromTemplate('{"type": <type>,  "command": <missing>}', paths),
      '{"type":"EC2 Instance State-change Notification","command":""}',
    );
  });

  test("may begin its string with what looks like an object", () => {
    assert.equal(fromTemplate('"{[/Check <type>"', paths), '"{[/Check EC2 Instance State-change Notification"');
  });

  test("may name the event without its detail, which has a form of its own", () => {
    assert.deepEqual(JSON.parse(fromTemplate('{"e": <aws.events.event>, "at": <aws.events.event.ingestion-time>}')), {
      e: {
        id: EC2_EVENT.id,
        account: "123456789012",
        detailType: "EC2 Instance State-change Notification",
        time: "2026-11-21T19:00:00Z",
        source: "aws.ec2",
        region: "us-east-1",
        resources: ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
        version: "0",
      },
      at: "2026-11-21T19:00:00Z",
    });
  });

  test("may be several strings below each other, and one variable alone", () => {
    assert.equal(fromTemplate('"one <type>"\n"two"\n', paths), '"one EC2 Instance State-change Notification"\n"two"');
    assert.equal(fromTemplate("<detail>", { detail: "$.detail" }), '{"instance-id":"i-0123456789","state":"RUNNING"}');
  });

  test("keeps escapes and numbers as they were in the event", () => {
    const event = busEvent('{"text":"a \\"b\\"\\n\\u00e9","n":1.50,"flag":true,"none":null}');
    const values = { text: "$.detail.text", n: "$.detail.n", flag: "$.detail.flag", none: "$.detail.none" };
    assert.equal(fromTemplate('{"a":<text>,"b":"<text>","c":<n>,"d":"<n> <flag> <none>","e":<none>}', values, event),
      '{"a":"a \\"b\\"\\n\\u00e9","b":"a \\"b\\"\\n\\u00e9","c":1.50,"d":"1.50 true null","e":null}'); // prettier-ignore
  });

  test("takes the quotes out of an object within a string, so that it stays one", () => {
    const event = busEvent('{"body": {"a": "x \\"y\\"",\n "b": [1, "two"]}}');
    assert.equal(fromTemplate('{"m": "Body is <body>"}', { body: "$.detail.body" }, event), '{"m":"Body is {a:x \\"y\\",b:[1,two]}"}');
  });

  test("leaves alone what only looks like a variable, and values that look like one", () => {
    assert.equal(fromTemplate('"1 < 2 > </b> < a>"'), '"1 < 2 > </b> < a>"');
    assert.equal(fromTemplate('"<a>"', { a: "$.detail.a" }, busEvent('{"a":"<aws.events.rule-name>"}')), '"<aws.events.rule-name>"');
  });

  test("gives JSON, whatever the event says (property)", () => {
    const paths = { a: "$.detail.a", b: "$.detail.b" };
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("a", "b"), fc.jsonValue()), (detail) => {
        const made = JSON.parse(
          fromTemplate(
            '{ "value" : <a>, "text" : "it is <a> \\" <b>" , "list" : [ <b> , "<b>" ] }',
            paths,
            busEvent(JSON.stringify(detail)),
          ),
        );
        assert.deepEqual(made.value, JSON.parse(JSON.stringify(detail["a"] ?? ("a" in detail ? null : ""))));
        assert.equal(typeof made.text, "string");
        if (typeof detail["b"] === "string") assert.deepEqual(made.list, [detail["b"], detail["b"]]);
      }),
      { seed: 20_261_121, numRuns: 500 },
    );
  });

  test("may not make more of an event than its bound (P7)", () => {
    const event = busEvent(`{"a":"${"ä".repeat(100_000)}"}`);
    const times = (count: number): string => fromTemplate(`"${"<a>".repeat(count)}"`, { a: "$.detail.a" }, event);
    assert.ok(Buffer.byteLength(times(5)) <= TARGET_INPUT_BYTES_MAX);
    for (const count of [6, 2_000])
      assert.throws(
        () => times(count),
        (error) => isLambentError(error, "RequestTooLarge") && error.message.includes("rule example"),
      );
  });
});
