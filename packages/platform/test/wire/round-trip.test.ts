import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededRandom } from "../../src/base/index.ts";
import {
  AWS_SERVICES,
  decode,
  type Decoded,
  encodeError,
  encodeOutput,
  findService,
  loadService,
  type OperationModel,
  type Protocol,
  type ServiceName,
} from "../../src/wire/index.ts";
import { testClient } from "../support/wire-client.ts";
import { fitS3Input, ValueSource } from "../support/wire-values.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

const SEED = Number(process.env["LAMBENT_TEST_SEED"] ?? 20_261_121);
const RPC: readonly Protocol[] = ["awsJson1_0", "awsJson1_1", "awsQuery", "rpcv2Cbor"];
const REST: readonly Protocol[] = ["restJson1", "awsJson1_0", "awsJson1_1", "rpcv2Cbor"];
// Lambda has no awsQuery form: its errors' Type and its payloads have no place there. Nor has EventBridge: PutPermission
// has a member Action, and there empty structures are members that must be there.
const PROTOCOLS: Readonly<Record<ServiceName, readonly Protocol[]>> = {
  lambda: REST,
  sts: RPC,
  iam: RPC,
  logs: RPC,
  sqs: RPC,
  events: ["awsJson1_0", "awsJson1_1", "rpcv2Cbor"],
  scheduler: REST,
  sns: RPC,
  // awsQuery has no event streams, which readers of shards wait for.
  kinesis: ["awsJson1_0", "awsJson1_1", "rpcv2Cbor"],
  s3: ["restXml"],
};

const EMPTY_PAYLOAD = "the client sends {} for a payload that is left out, which is an empty structure to any reader";
const EMPTY_RESULT = "the client takes a result that is left out for a copy that was aborted";
const NO_EVENTS = "restXml writes no events: S3's only ones are SelectObjectContent's, which is not built";
const EMPTY_ENTRIES = "a list of empty structures has no pairs at all in awsQuery";
/** What cannot pass, and why; an entry that would pass fails the test. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "restJson1 SendDurableExecutionCallbackFailure, required members": EMPTY_PAYLOAD,
  "restJson1 StopDurableExecution, required members": EMPTY_PAYLOAD,
  "restXml CopyObject, required members": EMPTY_RESULT,
  "restXml UploadPartCopy, required members": EMPTY_RESULT,
  "restXml SelectObjectContent, all members": NO_EVENTS,
  "restXml SelectObjectContent, required members": NO_EVENTS,
  "awsQuery PutTransformer, required members": EMPTY_ENTRIES,
  "awsQuery TestTransformer, required members": EMPTY_ENTRIES,
  "awsQuery ReceiveMessage, all members": "the older and the newer list of attributes have one name in awsQuery",
  ...Object.fromEntries(
    ["GetLogObject", "StartLiveTail"].flatMap((name) =>
      ["all members", "required members"].map((members) => [`awsQuery ${name}, ${members}`, "awsQuery has no event streams"]),
    ),
  ),
};

const models = AWS_SERVICES.map(loadService);

/** Prototypes and kinds of byte arrays are not what a round trip compares. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("base64") };
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined && entry !== null)
      .map(([key, entry]) => [key, plain(entry)]),
  );
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The client fills idempotency tokens in by itself. */
function withoutTokens(decoded: object, sent: object): object {
  return Object.fromEntries(
    Object.entries(decoded).filter(([name, value]) => name in sent || typeof value !== "string" || !UUID.test(value)),
  );
}

async function collectStreams(output: Record<string, unknown>): Promise<Record<string, unknown>> {
  const entries = Object.entries(output).filter(([name]) => name !== "$metadata");
  const collected = entries.map(async ([name, value]): Promise<[string, unknown]> => {
    const streams = typeof value === "object" && value !== null && Symbol.asyncIterator in value;
    if (!streams) return [name, value];
    const chunks = await Array.fromAsync(value as AsyncIterable<unknown>);
    const isBody = chunks.every((chunk) => chunk instanceof Uint8Array);
    return [name, isBody ? Buffer.concat(chunks) : chunks];
  });
  return Object.fromEntries(await Promise.all(collected));
}

function streamed(output: Record<string, unknown>, member: string | undefined): Record<string, unknown> {
  if (member === undefined) return output;
  const events = output[member] as readonly unknown[];
  return {
    ...output,
    [member]: (async function* () {
      yield* events;
    })(),
  };
}

/** Makes generated values such as the client of S3 sends and receives unchanged. */
function fitS3(shapes: OperationModel, input: Record<string, unknown>, output: Record<string, unknown>): void {
  fitS3Input(input);
  // The client makes this one of Expires.
  if ("Expires" in output) output["ExpiresString"] = (output["Expires"] as Date).toUTCString();
  const bindings = shapes.output?.bindings;
  if (bindings?.prefixHeaders) output[bindings.prefixHeaders.name] ??= {};
  const payload = bindings?.payload;
  if (payload?.shape.kind === "blob") output[payload.name] ??= Buffer.alloc(0);
}

async function roundTrip(service: ServiceName, protocol: Protocol, operation: string, requiredOnly: boolean): Promise<void> {
  const model = loadService(service);
  const shapes = model.operations.get(operation);
  assert.ok(shapes);
  const source = new ValueSource(seededRandom(SEED), { requiredOnly });
  const input = shapes.input ? source.structure(shapes.input) : {};
  const output = shapes.output ? source.structure(shapes.output) : {};
  if (service === "s3") fitS3(shapes, input, output);
  const events = shapes.output?.members.find(({ shape }) => shape.kind === "structure" && shape.eventStream)?.name;
  const status = shapes.output?.bindings.status;
  // A random status would be an error or a redirect to the client, and one is always there.
  if (status) output[status.name] = 200;

  let decoded: Decoded | undefined;
  const client = testClient(service, protocol, (request) => {
    // Nothing in a path of S3's tells the service, so it is the signature alone.
    const scopeService = protocol === "restXml" ? model.signingName : undefined;
    assert.equal(findService({ ...request, scopeService }, models), model);
    decoded = decode(request, model);
    return encodeOutput(decoded, streamed(output, events), "request-1");
  });
  const received = await client.send(operation, input);
  assert.ok(decoded);
  assert.equal(decoded.operation, operation);
  assert.equal(decoded.protocol, protocol);
  assert.deepEqual(plain(withoutTokens(decoded.input, input)), plain(input));
  assert.deepEqual(plain(await collectStreams(received)), plain(output));
}

for (const service of AWS_SERVICES) {
  for (const protocol of PROTOCOLS[service]) {
    describe(`the JavaScript client of ${service} over ${protocol} (seed ${SEED})`, () => {
      test("every operation's input and output arrive as they were sent", async () => {
        const failures: string[] = [];
        for (const operation of loadService(service).operations.keys()) {
          for (const members of ["all members", "required members"] as const) {
            const failed = await roundTrip(service, protocol, operation, members === "required members").then(
              () => undefined,
              (error: unknown) => String(error instanceof Error ? (error.stack ?? error.message) : error),
            );
            const name = `${protocol} ${operation}, ${members}`;
            const excepted = EXCEPTIONS[name] !== undefined;
            if (failed !== undefined && !excepted) failures.push(`${name}: ${failed.slice(0, 900)}`);
            if (failed === undefined && excepted) failures.push(`${name} passes; remove its exception`);
          }
        }
        assert.deepEqual(failures.slice(0, 5), [], `${failures.length} operations fail`);
      });

      test("every modelled error arrives as its own class, with message and members", async () => {
        const failures: string[] = [];
        for (const name of loadService(service).errorNames) {
          const failed = await errorRoundTrip(service, protocol, name).then(
            () => undefined,
            (error: unknown) => String(error),
          );
          if (failed !== undefined) failures.push(`${name}: ${failed.slice(0, 600)}`);
        }
        assert.deepEqual(failures, []);
      });
    });
  }
}

const HARMLESS: Readonly<Record<ServiceName, string>> = {
  lambda: "ListFunctions",
  sts: "GetCallerIdentity",
  iam: "ListRoles",
  logs: "DescribeLogGroups",
  sqs: "ListQueues",
  events: "ListRules",
  scheduler: "ListSchedules",
  sns: "ListTopics",
  kinesis: "ListStreams",
  s3: "ListBuckets",
};

async function errorRoundTrip(service: ServiceName, protocol: Protocol, name: string): Promise<void> {
  const model = loadService(service);
  const shape = model.error(name);
  assert.ok(shape);
  const {
    message: _message,
    Message: _Message,
    ...members
  } = new ValueSource(seededRandom(SEED), { requiredOnly: false }).structure(shape);
  const client = testClient(service, protocol, (request) =>
    encodeError(decode(request, model), { name, message: `it is <${name}> & "so"`, members }, "request-1"),
  );
  const error: unknown = await client.send(HARMLESS[service], {}).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error);
  assert.equal(error.constructor, client.errorClass(name), `it is a ${error.name}: ${error.message}`);
  assert.equal(error.message, `it is <${name}> & "so"`);
  const received = error as unknown as Record<string, unknown>;
  assert.deepEqual(plain(Object.fromEntries(Object.keys(members).map((member) => [member, received[member]]))), plain(members));
}
