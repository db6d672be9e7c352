/** Well-formed requests of every protocol, and what hostile or broken clients make of them. */
import { connect } from "node:net";
import { type Random, randomBelow, systemClock } from "../../src/base/index.ts";
import { signRequest, type SigningKey } from "../../src/security/index.ts";
import { decode, encodeOutput, loadService, type Protocol, type ServiceName, type WireRequest } from "../../src/wire/index.ts";
import { testClient } from "../support/wire-client.ts";
import { zipOf } from "../support/zips.ts";

/** A request before it is signed, and the service it is signed for. */
export interface Unsigned {
  readonly what: string;
  readonly service: ServiceName;
  readonly request: WireRequest;
}

const FUNCTION = "echo";
/** Made by the first of the queue's calls that works. */
const HOSTILE_QUEUE = "http://127.0.0.1/000000000000/fuzzed";
/** Likewise of the bucket's. */
const HOSTILE_BUCKET = "fuzzed-bucket";

/** The calls that are mutated; each works as it stands once `echo` is deployed. */
async function calls(): Promise<readonly (readonly [ServiceName, Protocol, string, object])[]> {
  const zip = await zipOf({ "index.mjs": "export const handler = async (event) => event;" });
  const role = "arn:aws:iam::000000000000:role/hostile";
  const create = {
    FunctionName: "fuzzed",
    Runtime: "nodejs22.x",
    Handler: "index.handler",
    Role: role,
    Code: { ZipFile: zip },
    Environment: { Variables: { A: "b" } },
    Tags: { a: "b" },
  };
  const invoke = { FunctionName: FUNCTION, Payload: Buffer.from('{"key":"value","list":[1,2.5e3,null,true],"text":"€"}') };
  const trust =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}';
  const attributes = { n: { DataType: "Number", StringValue: "1" }, b: { DataType: "Binary", BinaryValue: Buffer.from([0, 255]) } };
  const object = { Bucket: HOSTILE_BUCKET, Key: "a key" };
  const lifecycle = [{ ID: "old", Status: "Enabled", Filter: { Prefix: "logs/" }, Expiration: { Days: 30 } }];
  const lines = { logGroupName: "/hostile", logStreamName: "one", logEvents: [{ timestamp: systemClock.now(), message: "line" }] };
  return [
    ["lambda", "restJson1", "Invoke", invoke],
    ["lambda", "restJson1", "CreateFunction", create],
    ["lambda", "restJson1", "UpdateFunctionConfiguration", { FunctionName: FUNCTION, Description: "d", Timeout: 3 }],
    ["lambda", "restJson1", "ListFunctions", { MaxItems: 5 }],
    ["lambda", "rpcv2Cbor", "Invoke", invoke],
    ["lambda", "rpcv2Cbor", "CreateFunction", create],
    ["logs", "awsJson1_1", "DescribeLogGroups", { logGroupNamePrefix: "/", limit: 3 }],
    ["logs", "awsJson1_1", "PutLogEvents", lines],
    ["logs", "rpcv2Cbor", "PutLogEvents", lines],
    ["iam", "awsQuery", "CreateRole", { RoleName: "fuzzed", AssumeRolePolicyDocument: trust, Tags: [{ Key: "k", Value: "v" }] }],
    ["iam", "awsQuery", "ListRoles", { MaxItems: 3 }],
    ["sts", "awsQuery", "GetCallerIdentity", {}],
    ["sqs", "awsJson1_0", "CreateQueue", { QueueName: "fuzzed", Attributes: { VisibilityTimeout: "5" }, tags: { a: "b" } }],
    [
      "sqs",
      "awsJson1_0",
      "SendMessageBatch",
      { QueueUrl: HOSTILE_QUEUE, Entries: [{ Id: "a", MessageBody: "text €", MessageAttributes: attributes }] },
    ],
    ["sqs", "awsJson1_0", "ReceiveMessage", { QueueUrl: HOSTILE_QUEUE, AttributeNames: ["All"], MaxNumberOfMessages: 10 }],
    ["sqs", "awsQuery", "SendMessage", { QueueUrl: HOSTILE_QUEUE, MessageBody: "text", MessageAttributes: attributes }],
    ["s3", "restXml", "CreateBucket", { Bucket: HOSTILE_BUCKET }],
    ["s3", "restXml", "PutObject", { ...object, Body: Buffer.from("text €"), Metadata: { a: "b" }, Tagging: "kind=text" }],
    ["s3", "restXml", "GetObject", { ...object, Range: "bytes=1-3", IfNoneMatch: '"other"' }],
    ["s3", "restXml", "ListObjectsV2", { Bucket: HOSTILE_BUCKET, Prefix: "a", Delimiter: "/", MaxKeys: 5, EncodingType: "url" }],
    ["s3", "restXml", "CopyObject", { ...object, CopySource: `${HOSTILE_BUCKET}/a%20key`, MetadataDirective: "REPLACE" }],
    ["s3", "restXml", "DeleteObjects", { Bucket: HOSTILE_BUCKET, Delete: { Objects: [{ Key: "never" }, { Key: "<&>" }] } }],
    ["s3", "restXml", "PutBucketLifecycleConfiguration", { Bucket: HOSTILE_BUCKET, LifecycleConfiguration: { Rules: lifecycle } }],
    ["s3", "restXml", "CreateMultipartUpload", object],
    ["sqs", "awsQuery", "SetQueueAttributes", { QueueUrl: HOSTILE_QUEUE, Attributes: { DelaySeconds: "1" } }],
  ];
}

export async function wellFormed(): Promise<readonly Unsigned[]> {
  const made: Unsigned[] = [];
  for (const [service, protocol, operation, input] of await calls()) {
    const client = testClient(service, protocol, (request) => {
      made.push({ what: `${service} ${protocol} ${operation}`, service, request });
      return encodeOutput(decode(request, loadService(service)), {}, "id-1");
    });
    await client.send(operation, input).catch(() => undefined); // an empty answer is not one to every client
  }
  return made;
}

const HOSTILE_TEXTS = [
  '{"__proto__":{"polluted":1}}', '"__proto__":1,', "constructor", '{"constructor":{"prototype":{"polluted":1}}}', "[".repeat(5_000), '{"a":'.repeat(3_000), "null", "1e999",
  "-0", "9".repeat(400), "\u0000", "\ud800", "%00", "%ZZ", "&&&===", "../../", "\r\n\r\n", "x".repeat(20_000), "\u00ff\u00fe",
]; // prettier-ignore
const HOSTILE_HEADERS: readonly (readonly [string, string])[] = [
  ["X-Amz-Target", "__proto__.constructor"],
  ["X-Amz-Target", "Logs_20140328.__proto__"],
  ["Content-Type", "application/cbor"],
  ["Content-Type", "application/x-www-form-urlencoded"],
  ["Smithy-Protocol", "rpc-v2-cbor"],
  ["X-Amz-Invocation-Type", "__proto__"],
  ["X-Amz-Log-Type", "x".repeat(5_000)],
  ["X-Amz-Client-Context", "!!!"],
  ["X-Amz-Date", "99999999T999999Z"],
  ["X-Amz-Security-Token", "a.b.c"],
  ["Authorization", "AWS4-HMAC-SHA256 Credential=///////, SignedHeaders=;;;, Signature=zz"],
  ["Transfer-Encoding", "chunked"],
  ["Content-Length", "7"],
  ["Content-Encoding", "gzip"],
  ["Expect", "100-continue"],
  ["Upgrade", "websocket"],
  ["Connection", "Upgrade"],
];
const METHODS = ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "BREW"];

/** Changed content, signed afterwards: what a signed caller can send. */
export function mutateContent(request: WireRequest, random: Random): WireRequest {
  const { body } = request;
  const at = randomBelow(random, body.length + 1);
  switch (randomBelow(random, 6)) {
    case 0:
      return { ...request, body: flipped(body, random) };
    case 1:
      return { ...request, body: body.subarray(0, at) };
    case 2:
      return { ...request, body: Buffer.concat([body.subarray(0, at), Buffer.from(pick(HOSTILE_TEXTS, random)), body.subarray(at)]) };
    case 3:
      return { ...request, body: Buffer.from(Array.from({ length: randomBelow(random, 300) }, () => randomBelow(random, 256))) };
    case 4: {
      const cut = randomBelow(random, request.rawUrl.length);
      return {
        ...request,
        rawUrl:
          request.rawUrl.slice(0, cut + 1) +
          encodeURI(pick(HOSTILE_TEXTS, random).toWellFormed().slice(0, 2_000)) +
          request.rawUrl.slice(cut + 1),
      };
    }
    default: {
      const [name, value] = pick(HOSTILE_HEADERS, random);
      return { ...request, rawHeaders: [...request.rawHeaders, name, value] };
    }
  }
}

/** The bytes of `request`, signed. */
export function signedBytes(url: string, { service, request }: Unsigned, key: SigningKey): Buffer {
  const rawHeaders = withoutNames(request.rawHeaders, ["host", "authorization", "x-amz-date", "connection", "content-length"]);
  rawHeaders.unshift("host", new URL(url).host);
  const added = signRequest({ ...request, rawHeaders }, key, { service, region: "us-east-1", now: systemClock.now() });
  const headers = [...rawHeaders, ...Object.entries(added).flat(), "connection", "close", "content-length", String(request.body.length)];
  let head = `${request.method} ${request.rawUrl} HTTP/1.1\r\n`;
  for (let index = 0; index < headers.length; index += 2) head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return Buffer.concat([Buffer.from(`${head}\r\n`, "latin1"), request.body]);
}

/** Changed bytes of a signed request: what arrives from a broken or hostile network client. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const headEnd = bytes.indexOf("\r\n\r\n");
  const inHead = randomBelow(random, headEnd + 4);
  switch (randomBelow(random, 7)) {
    case 0:
      return flipped(bytes, random);
    case 1:
      return bytes.subarray(0, randomBelow(random, bytes.length));
    case 2:
      return Buffer.concat([bytes.subarray(0, inHead), Buffer.from(pick(HOSTILE_TEXTS, random)), bytes.subarray(inHead)]);
    case 3: {
      const [name, value] = pick(HOSTILE_HEADERS, random);
      return Buffer.concat([bytes.subarray(0, headEnd), Buffer.from(`\r\n${name}: ${value}`), bytes.subarray(headEnd)]);
    }
    case 4:
      return Buffer.from(
        bytes
          .toString("latin1")
          .replace(/content-length: \d+/, `content-length: ${pick(["0", "1", "99999999999999999999", "-5", "0x10", "1,1"], random)}`),
        "latin1",
      );
    case 5:
      return Buffer.from(bytes.toString("latin1").replace(/^[A-Z]+/, pick(METHODS, random)), "latin1");
    default:
      return Buffer.concat([
        bytes.subarray(0, headEnd),
        Buffer.from(`\r\nX-Long: ${"x".repeat(1 + randomBelow(random, 100_000))}`),
        bytes.subarray(headEnd),
      ]);
  }
}

function flipped(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return bytes;
  const changed = Buffer.from(bytes);
  for (let flips = 1 + randomBelow(random, 4); flips > 0; flips--) {
    const at = randomBelow(random, changed.length);
    changed.writeUInt8(changed.readUInt8(at) ^ (1 << randomBelow(random, 8)), at);
  }
  return changed;
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[randomBelow(random, from.length)] as T;
}

function withoutNames(rawHeaders: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    if (!names.includes(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

/** Who gets no answer for this long says that no more bytes come: the request may be one that the server waits for the rest of. */
const SILENCE_MS = 150;

/** Sends bytes and gives back everything that was answered before the connection ended. */
export function exchange(url: string, bytes: Buffer, silenceMs = SILENCE_MS): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const silence = systemClock.schedule(silenceMs, () => socket.end());
    socket.setEncoding("latin1").on("data", (piece: string) => (text += piece));
    // The server may close before it read everything: what it said until then is its answer.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      silence.cancel();
      resolve(text);
    });
    socket.write(bytes);
  });
}

/** Statuses that a request may be answered with, whatever it contains: never a failure of the platform. */
const DOCUMENTED: ReadonlySet<number> = new Set([
  200, 201, 202, 204, 206, 304, 400, 403, 404, 405, 408, 409, 411, 412, 413, 416, 417, 429, 431, 501,
]);

/** What is wrong with an answer; undefined when it is a documented one, or none because the connection was closed. */
export function faultOf(answer: string): string | undefined {
  if (answer === "") return undefined;
  // An interim answer to `Expect: 100-continue` comes first.
  const final = answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, "");
  if (final === "") return undefined;
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(final)?.[1]);
  if (!DOCUMENTED.has(status)) return `status ${status}`;
  // Node's own refusal of a request without a host is an empty chunked body.
  const body = final.slice(final.indexOf("\r\n\r\n") + 4).replace(/^0\r\n\r\n$/, "");
  const unnamed =
    status >= 400 && body !== "" && !/"(__type|code)":|<Code>|x-amzn-errortype: /i.test(final) && !/smithy-protocol/i.test(final);
  return unnamed ? `an error without its name: ${final.slice(0, 300)}` : undefined;
}
