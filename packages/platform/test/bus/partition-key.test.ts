import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { awsView } from "../../src/bus/envelope.ts";
import { checkPartitionKeyPath, partitionKeyOf } from "../../src/bus/input/partition-key.ts";
import { route } from "../../src/bus/routing.ts";
import { busEvent } from "./world.ts";

const ID = "7bf73129-1428-4cd3-a780-95db273d1602";
const DETAIL = '{"customer":"ada \\u20ac","number":1.50,"nothing":null,"empty":"","list":[{"n":1},{"n":2}],"literal":"null"}';

const keyOf = (path: string | undefined, id = ID): string | undefined => {
  const event = busEvent(DETAIL, { id });
  return partitionKeyOf(path, event, awsView(event));
};

describe("the partition key of an event", () => {
  test("is what its path leads to: a text as it reads, anything else as it is written", () => {
    const keys = {
      "$.detail.customer": "ada €",
      "$.detail.number": "1.50",
      "$.detail.empty": "",
      "$.detail.literal": "null",
      "$.detail.list[1]": '{"n":2}',
      "$.detail.list[*].n": "[1,2]",
      "$.source": "aws.ec2",
      "$.id": ID,
    };
    for (const [path, key] of Object.entries(keys)) assert.equal(keyOf(path), key, path);
  });

  test("is the event's id without a path, and where that leads to nothing, unless the id is too long for a key", () => {
    for (const path of [undefined, "$.detail.missing", "$.detail.nothing", "$.detail.customer.deeper"]) {
      assert.equal(keyOf(path), ID, String(path));
      assert.equal(keyOf(path, "i".repeat(257)), undefined, String(path));
    }
  });

  test("has a path that can lead to something", () => {
    checkPartitionKeyPath("$.detail.customer", "t");
    for (const path of ["", "detail", "$..a", "$['a']", `$.${"a".repeat(255)}`])
      assert.throws(() => checkPartitionKeyPath(path, "t"), { code: "InvalidParameter" }, path);
  });

  test("goes with the delivery to a stream, and with no other: of the event, whatever is made of it as input", () => {
    const event = busEvent(DETAIL);
    const published = { event, view: awsView(event), traceHeader: undefined, cause: undefined, correlation: undefined, origin: undefined };
    const stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    const targets = [
      { id: "a", arn: stream, partitionKeyPath: "$.detail.customer", input: { kind: "constant", json: "{}" } as const },
      { id: "b", arn: stream },
      { id: "c", arn: "arn:aws:sqs:us-east-1:000000000000:q" },
    ];
    const described = { pattern: "{}", schedule: undefined, enabled: true, description: undefined, roleArn: undefined };
    const rule = { bus: "default", name: "r", ...described, tags: {}, targets, createdAt: 0 };
    const place = { realm: { account: "000000000000", region: "us-east-1" }, bus: "default" };
    const routed = [...route(place, published, [rule], { now: 0, newId: () => "id" })];
    assert.deepEqual(
      routed.map((each) => each.kind === "delivery" && each.delivery.parcel.options.partitionKey),
      ["ada €", ID, undefined, false],
    );
  });
});
