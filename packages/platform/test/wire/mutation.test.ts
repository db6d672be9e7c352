import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isLambentError, seededRandom } from "../../src/base/index.ts";
import {
  AWS_SERVICES,
  decode,
  encodeError,
  encodeOutput,
  errorTarget,
  findService,
  loadService,
  type Protocol,
  type ServiceName,
  type WireRequest,
} from "../../src/wire/index.ts";
import { testClient } from "../support/wire-client.ts";
import { fitS3Input, ValueSource } from "../support/wire-values.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

const SEED = Number(process.env["LAMBENT_TEST_SEED"] ?? 20_261_121);
const RUNS = 4_000;
const models = AWS_SERVICES.map(loadService);
const CORPUS: readonly (readonly [ServiceName, Protocol, readonly string[]])[] = [
  [
    "lambda",
    "restJson1",
    [
      "CreateFunction",
      "Invoke",
      "UpdateFunctionConfiguration",
      "CreateEventSourceMapping",
      "TagResource",
      "UntagResource",
      "ListFunctions",
    ],
  ],
  ["lambda", "rpcv2Cbor", ["CreateFunction", "Invoke"]],
  ["logs", "awsJson1_1", ["PutLogEvents", "PutTransformer", "FilterLogEvents", "StartLiveTail"]],
  ["logs", "rpcv2Cbor", ["PutLogEvents", "PutTransformer"]],
  ["iam", "awsQuery", ["CreateRole", "SimulateCustomPolicy", "TagRole"]],
  ["sts", "awsQuery", ["AssumeRole", "GetCallerIdentity"]],
  ["sqs", "awsJson1_0", ["CreateQueue", "SendMessageBatch", "ReceiveMessage"]],
  ["sqs", "awsQuery", ["CreateQueue", "SendMessageBatch", "ChangeMessageVisibilityBatch"]],
  ["events", "awsJson1_1", ["PutEvents", "PutRule", "PutTargets"]],
  ["scheduler", "restJson1", ["CreateSchedule", "DeleteSchedule", "ListSchedules", "TagResource"]],
  ["sns", "awsQuery", ["CreateTopic", "PublishBatch", "Subscribe"]],
  ["kinesis", "awsJson1_1", ["CreateStream", "PutRecord", "PutRecords", "GetRecords", "SubscribeToShard"]],
  ["kinesis", "rpcv2Cbor", ["PutRecords", "ListShards"]],
  [
    "s3",
    "restXml",
    [
      "PutObject",
      "GetObject",
      "CopyObject",
      "ListObjectsV2",
      "DeleteObjects",
      "CompleteMultipartUpload",
      "PutBucketLifecycleConfiguration",
      "PutBucketAcl",
      "CreateBucket",
    ],
  ],
];

/** No path of theirs tells the service: only their signature does. */
const requestsOfS3 = new Set<WireRequest>();

/** One well-formed request of each operation, as the client sends it. */
async function wellFormed(): Promise<WireRequest[]> {
  const requests: WireRequest[] = [];
  for (const [service, protocol, operations] of CORPUS) {
    for (const operation of operations) {
      const source = new ValueSource(seededRandom(SEED), { requiredOnly: false });
      const input = loadService(service).operations.get(operation)?.input;
      const client = testClient(service, protocol, (request) => {
        requests.push(request);
        if (service === "s3") requestsOfS3.add(request);
        return encodeOutput(decode(request, loadService(service)), {}, "id-1");
      });
      const values = input ? source.structure(input) : {};
      if (service === "s3") fitS3Input(values);
      await client.send(operation, values).catch(() => undefined); // an empty answer is not one to every client
    }
  }
  return requests;
}

const HOSTILE = [
  '{"__proto__":{"polluted":1}}',
  '"__proto__"',
  "constructor",
  "prototype",
  "[".repeat(200),
  "null",
  "1e999",
  "\u0000",
  "%00",
  "%",
  "&",
  "=",
  ".",
  "..",
  "{",
  "}",
  '"',
  "9".repeat(40),
  "-",
  "\ud800",
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  "<![CDATA[",
  "<!--",
  "</",
  "<a ",
  "&#x0;",
  "&b;",
];

const mutation = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({
    kind: fc.constant("insert" as const),
    at: fc.nat(),
    text: fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 8 })),
  }),
  fc.record({ kind: fc.constant("url" as const), at: fc.nat(), text: fc.constantFrom(...HOSTILE, "?", "/", "//", "?Action=x", "%2F") }),
  fc.record({
    kind: fc.constant("header" as const),
    name: fc.constantFrom("x-amz-target", "content-type", "smithy-protocol", "x-amz-invocation-type", "x-amz-client-context"),
    text: fc.constantFrom(
      ...HOSTILE,
      "",
      "application/cbor",
      "rpc-v2-cbor",
      "Logs_20140328.PutLogEvents",
      "application/x-www-form-urlencoded",
    ),
  }),
  fc.record({ kind: fc.constant("method" as const), text: fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "__proto__") }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never;

function mutate(request: WireRequest, change: Mutation): WireRequest {
  const place = (length: number, at: number): number => (length === 0 ? 0 : at % (length + 1));
  switch (change.kind) {
    case "flip": {
      if (request.body.length === 0) return request;
      const body = Buffer.from(request.body);
      const at = change.at % body.length;
      body.writeUInt8(body.readUInt8(at) ^ (1 << change.bit), at);
      return { ...request, body };
    }
    case "cut":
      return { ...request, body: request.body.subarray(0, place(request.body.length, change.at)) };
    case "insert": {
      const at = place(request.body.length, change.at);
      return { ...request, body: Buffer.concat([request.body.subarray(0, at), Buffer.from(change.text), request.body.subarray(at)]) };
    }
    case "url": {
      const at = place(request.rawUrl.length, change.at);
      return { ...request, rawUrl: request.rawUrl.slice(0, at) + change.text + request.rawUrl.slice(at) };
    }
    case "header":
      return { ...request, headers: { ...request.headers, [change.name]: change.text } };
    case "method":
      return { ...request, method: change.text };
  }
}

function requireNullPrototypes(value: unknown): void {
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value) || value instanceof Date) return;
  if (!Array.isArray(value)) assert.equal(Object.getPrototypeOf(value), null);
  for (const entry of Object.values(value)) requireNullPrototypes(entry);
}

describe(`requests changed at random (seed ${SEED})`, () => {
  test("are decoded or refused with a catalogued error, and can always be answered (P8)", async () => {
    const corpus = await wellFormed();
    assert.equal(
      corpus.length,
      CORPUS.reduce((sum, [, , operations]) => sum + operations.length, 0),
    );
    const endings = { decoded: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...corpus),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.option(fc.constantFrom("lambda", "logs", "iam", "sts", "sqs", "events", "scheduler", "sns", "kinesis", "s3")),
        (request, changes, scope) => {
          const changed = changes.reduce(mutate, request);
          let model: ReturnType<typeof findService>;
          try {
            model = findService({ ...changed, scopeService: scope ?? (requestsOfS3.has(request) ? "s3" : undefined) }, models);
            if (!model) return;
            const { input, operation } = decode(changed, model);
            assert.ok(model.operations.has(operation));
            requireNullPrototypes(input);
            endings.decoded += 1;
          } catch (error) {
            assert.ok(
              isLambentError(error, "MalformedRequest", "InvalidParameter", "UnknownOperation", "RequestTooLarge"),
              String(error instanceof Error ? error.stack : error),
            );
            assert.ok(error.message.length < 60_000);
            const answer = encodeError(
              errorTarget(changed, model),
              { name: error.code, message: error.message, status: error.entry.status },
              "id-1",
            );
            assert.equal(answer.status, error.entry.status);
            endings.refused += 1;
          }
        },
      ),
      { seed: SEED, numRuns: RUNS },
    );
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
    assert.ok(endings.decoded > RUNS / 20 && endings.refused > RUNS / 20, JSON.stringify(endings));
  });
});
