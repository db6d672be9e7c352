import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkEntry, DETAIL_DEPTH_MAX, entryBytes, ENTRY_BYTES_MAX, type GivenEntry } from "../../src/bus/put-entry.ts";
import { AT } from "./world.ts";

const GOOD: GivenEntry = { source: "shop", detailType: "placed", detail: "{}" };
const nested = (depth: number): string => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;

describe("an entry of PutEvents", () => {
  for (const [what, changes, code, message] of [
    ["without a source", { source: undefined }, "InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."],
    ["with an empty source", { source: "" }, "InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."],
    [
      "without a type",
      { detailType: undefined },
      "InvalidArgument",
      "Parameter DetailType is not valid. Reason: DetailType is a required argument.",
    ],
    ["without a detail", { detail: undefined }, "InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."],
    [
      "with nothing at all",
      { source: undefined, detailType: undefined, detail: undefined },
      "InvalidArgument",
      "Parameter Source is not valid. Reason: Source is a required argument.",
    ],
    [
      "of a time that is none",
      { time: Number.NaN },
      "InvalidArgument",
      "Parameter Time is not valid. Reason: Time has to be within the years 0 to 9999.",
    ],
    [
      "of a year with five digits",
      { time: 253_402_300_800_000 },
      "InvalidArgument",
      "Parameter Time is not valid. Reason: Time has to be within the years 0 to 9999.",
    ],
    ["of a service's source", { source: "aws.ec2" }, "NotAuthorizedForSourceException", "Not authorized for the source."],
    ["whose detail is no JSON", { detail: "{" }, "MalformedDetail", "Detail is malformed."],
    ["whose detail is a list", { detail: "[1]" }, "MalformedDetail", "Detail is malformed."],
    ["whose detail is a string", { detail: '"{}"' }, "MalformedDetail", "Detail is malformed."],
    [
      "nested too deep",
      { detail: nested(DETAIL_DEPTH_MAX + 1) },
      "MalformedDetail",
      "Detail is malformed. Objects and arrays are nested more than 1100 deep.",
    ],
    [
      "that is too large",
      { detail: `{"a":"${"ä".repeat(ENTRY_BYTES_MAX / 2)}"}` },
      "InvalidArgument",
      "Parameter Entry is not valid. Reason: Size is 1048594 bytes; an entry has at most 1048576.",
    ],
  ] as const)
    test(`${what} is refused in EventBridge's words`, () => {
      assert.deepEqual(checkEntry({ ...GOOD, ...changes }), { kind: "refused", code, message });
    });

  for (const [what, changes] of [
    ["whose source only looks like a service's", { source: "awsome" }],
    ["nested as deep as may be", { detail: nested(DETAIL_DEPTH_MAX) }],
    ["as large as may be", { detail: `{"a":"${"x".repeat(ENTRY_BYTES_MAX - 18)}"}` }],
  ] as const)
    test(`${what} is accepted`, () => assert.equal(checkEntry({ ...GOOD, ...changes }).kind, "accepted"));

  test("weighs what AWS reckons: 14 bytes a time, and the UTF-8 of all its texts", () => {
    assert.equal(entryBytes(GOOD), 12);
    assert.equal(entryBytes({ ...GOOD, time: AT, resources: ["ä", "arn"], detail: '{"ä":1}' }), 14 + 4 + 6 + 8 + 5);
    assert.equal(entryBytes({}), 0);
  });

  test("keeps its detail as it was sent", () => {
    const detail = '{ "n":1.0 }';
    assert.deepEqual(checkEntry({ ...GOOD, detail, resources: ["arn:a b"], time: AT }), {
      kind: "accepted",
      entry: { source: "shop", detailType: "placed", detail: Buffer.from(detail), resources: ["arn:a b"], time: AT },
    });
  });
});
