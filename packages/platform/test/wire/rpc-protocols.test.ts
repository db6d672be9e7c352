import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { decodeCbor, encodeCbor } from "../../src/wire/codec/cbor.ts";
import {
  decode,
  decodeEventFrames,
  defineService,
  encodeError,
  encodeOutput,
  errorTarget,
  loadService,
  type ServiceData,
  type WireResponse,
} from "../../src/wire/index.ts";
import { formRequest, targetRequest, wireRequest } from "../support/wire-request.ts";

const logs = loadService("logs");
const iam = loadService("iam");
const sts = loadService("sts");
const text = (response: WireResponse): string => {
  assert.ok(Buffer.isBuffer(response.body));
  return response.body.toString("utf8");
};

describe("awsJson", () => {
  const list = decode(targetRequest("Logs_20140328.DescribeLogGroups", '{"limit":5}', "1.0"), logs);

  test("takes the operation from X-Amz-Target and answers in the version it was asked in", () => {
    assert.equal(list.operation, "DescribeLogGroups");
    assert.deepEqual({ ...list.input }, { limit: 5 });
    const response = encodeOutput(list, { logGroups: [{ logGroupName: "g", arn: undefined }] }, "id-1");
    assert.equal(response.headers["content-type"], "application/x-amz-json-1.0");
    assert.equal(text(response), '{"logGroups":[{"logGroupName":"g"}]}');
  });

  test("answers an operation without output with an empty body", () => {
    const create = decode(targetRequest("Logs_20140328.CreateLogGroup", '{"logGroupName":"g"}'), logs);
    assert.equal(text(encodeOutput(create, {}, "id-1")), "");
  });

  test("writes errors with a namespaced type", () => {
    const response = encodeError(list, { name: "ResourceNotFoundException", message: "The specified log group does not exist." }, "id-1");
    assert.equal(response.status, 400);
    assert.deepEqual(JSON.parse(text(response)), {
      __type: "com.amazonaws.cloudwatchlogs#ResourceNotFoundException",
      message: "The specified log group does not exist.",
    });
  });

  test("refuses another service's target and an operation that is none", () => {
    for (const target of [
      "DynamoDB_20120810.ListTables",
      "Logs_20140328.Nothing",
      "Logs_20140328",
      "",
      "Logs_20140328.__proto__",
      "Logs_20140328.LogGroup",
    ]) {
      assert.throws(
        () => decode(targetRequest(target, "{}"), logs),
        (error) => isLambentError(error, "UnknownOperation"),
      );
    }
  });

  test("opens an event stream with the output's other members", async () => {
    const tail = decode(
      targetRequest("Logs_20140328.StartLiveTail", '{"logGroupIdentifiers":["arn:aws:logs:us-east-1:123456789012:log-group:g"]}'),
      logs,
    );
    const response = encodeOutput(tail, { responseStream: [{ sessionStart: { sessionId: "s" } }] }, "id-1");
    assert.equal(response.headers["content-type"], "application/vnd.amazon.eventstream");
    const bytes = Buffer.concat(await Array.fromAsync(response.body as AsyncIterable<Buffer>));
    const { frames } = decodeEventFrames(bytes);
    assert.deepEqual(
      frames.map(({ headers, payload }) => [headers[":event-type"], payload.toString("utf8")]),
      [
        ["initial-response", "{}"],
        ["sessionStart", '{"sessionId":"s"}'],
      ],
    );
  });
});

describe("query-compatible services", () => {
  const data: ServiceData = {
    service: {
      name: "queues",
      signingName: "queues",
      endpointPrefix: "queues",
      apiVersion: "1",
      protocol: "awsJson1_0",
      targetPrefix: "Queues",
      namespace: "com.example",
      queryCompatible: true,
    },
    shapes: {
      Get: [9, 0, "unit", "unit"],
      QueueGone: [-3, { error: "client", httpError: 400, awsQueryError: ["Old.QueueGone", 404] }, ["message"], [0]],
    },
    rules: {},
    memberRules: {},
  };

  test("repeat an error's older code in a header", () => {
    const response = encodeError(
      decode(targetRequest("Queues.Get", "{}", "1.0"), defineService(data)),
      { name: "QueueGone", message: "m" },
      "id-1",
    );
    assert.equal(response.status, 400);
    assert.equal(response.headers["x-amzn-query-error"], "Old.QueueGone;Sender");
  });
});

describe("awsQuery", () => {
  test("builds lists, maps and structures from numbered names, in the order of their numbers", () => {
    const pairs = [
      "Tags.member.10.Key=c",
      "Tags.member.10.Value=3",
      "Tags.member.2.Key=b+b",
      "Tags.member.2.Value=%2B",
      "Tags.member.1.Key=a",
      "Tags.member.1.Value=",
    ];
    const { operation, input } = decode(formRequest(`Action=TagRole&Version=2010-05-08&RoleName=r&${pairs.join("&")}`), iam);
    assert.equal(operation, "TagRole");
    assert.deepEqual(
      (input["Tags"] as object[]).map((tag) => ({ ...tag })),
      [
        { Key: "a", Value: "" },
        { Key: "b b", Value: "+" },
        { Key: "c", Value: "3" },
      ],
    );
  });

  test("reads an empty text as an empty list", () => {
    assert.deepEqual(decode(formRequest("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags="), iam).input["Tags"], []);
  });

  test("may carry its pairs in the URL", () => {
    assert.equal(decode(wireRequest("GET", "/?Action=GetCallerIdentity&Version=2011-06-15"), sts).operation, "GetCallerIdentity");
  });

  test("answers in XML with the service's namespace, escaped", () => {
    const decoded = decode(formRequest("Action=GetCallerIdentity&Version=2011-06-15"), sts);
    assert.equal(
      text(encodeOutput(decoded, { Account: "000000000000", Arn: `<&>"\n\u0000\u{1f600}`, UserId: undefined }, "id-1")),
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>000000000000</Account>' +
        "<Arn>&lt;&amp;&gt;&quot;&#xa;\ufffd\u{1f600}</Arn></GetCallerIdentityResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>\n",
    );
  });

  test("has no result element for an operation without output", () => {
    const decoded = decode(formRequest("Action=DeleteRole&RoleName=r"), iam);
    assert.equal(
      text(encodeOutput(decoded, undefined, "id-1")),
      '<DeleteRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DeleteRoleResponse>\n',
    );
  });

  test("names an error by its query code and status", () => {
    const response = encodeError(
      decode(formRequest("Action=GetRole&RoleName=r"), iam),
      { name: "NoSuchEntityException", message: "no role r" },
      "id-1",
    );
    assert.equal(response.status, 404);
    assert.equal(
      text(response),
      '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no role r</Message></Error><RequestId>id-1</RequestId></ErrorResponse>\n',
    );
  });

  for (const [what, body, code] of [
    ["no action", "RoleName=r", "UnknownOperation"],
    ["an action that is no operation", "Action=constructor", "UnknownOperation"],
    ["another version", "Action=GetRole&Version=2001-01-01&RoleName=r", "UnknownOperation"],
    ["an index that is no number", "Action=TagRole&RoleName=r&Tags.member.__proto__.Key=a", "MalformedRequest"],
    ["an index without end", `Action=TagRole&RoleName=r&Tags.member.${"9".repeat(400)}.Key=a`, "MalformedRequest"],
    ["names nested without end", `Action=TagRole&RoleName=r&Tags${".a".repeat(100)}=1`, "MalformedRequest"],
    ["an object where text belongs", "Action=GetRole&RoleName.a=1", "MalformedRequest"],
    ["too many pairs", `Action=GetRole${"&a=1".repeat(20_001)}`, "RequestTooLarge"],
  ] as const) {
    test(`with ${what} is refused as ${code}`, () => {
      assert.throws(
        () => decode(formRequest(body), iam),
        (error) => isLambentError(error, code),
      );
    });
  }
});

describe("rpcv2Cbor", () => {
  const request = (operation: string, body: Buffer, method = "POST") =>
    wireRequest(
      method,
      `/service/Logs_20140328/operation/${operation}`,
      { "smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor" },
      body,
    );

  test("takes the operation from the path and answers in CBOR with its protocol named", () => {
    const decoded = decode(request("DescribeLogGroups", encodeCbor({ limit: 5, logGroupNamePrefix: "/a" })), logs);
    assert.equal(decoded.operation, "DescribeLogGroups");
    assert.deepEqual({ ...decoded.input }, { limit: 5, logGroupNamePrefix: "/a" });
    const response = encodeOutput(decoded, { logGroups: [{ creationTime: 1.5 }] }, "id-1");
    assert.equal(response.headers["smithy-protocol"], "rpc-v2-cbor");
    const tree = decodeCbor(response.body as Buffer) as { logGroups: object[] };
    assert.deepEqual({ ...tree.logGroups[0] }, { creationTime: 1.5 });
  });

  test("answers an error with its type in the body", () => {
    const target = errorTarget(request("DescribeLogGroups", Buffer.alloc(0)), logs);
    const response = encodeError(target, { name: "InvalidParameterException", message: "m" }, "id-1");
    assert.equal(response.status, 400);
    assert.deepEqual(
      { ...(decodeCbor(response.body as Buffer) as object) },
      { __type: "com.amazonaws.cloudwatchlogs#InvalidParameterException", message: "m" },
    );
  });

  test("refuses another service, another method and an unknown operation", () => {
    for (const wrong of [
      request("Nothing", Buffer.alloc(0)),
      request("DescribeLogGroups", Buffer.alloc(0), "GET"),
      wireRequest("POST", "/service/Other/operation/DescribeLogGroups", { "smithy-protocol": "rpc-v2-cbor" }),
    ]) {
      assert.throws(
        () => decode(wrong, logs),
        (error) => isLambentError(error, "UnknownOperation"),
      );
    }
  });
});
