/** The real JavaScript clients, talking to a function instead of a socket. */
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import type { WireRequest, WireResponse } from "../../src/wire/index.ts";
import type { Protocol } from "../../src/wire/service-data.ts";

const require = createRequire(import.meta.url);

export const CLIENTS = {
  lambda: { module: "@aws-sdk/client-lambda", client: "LambdaClient" },
  sts: { module: "@aws-sdk/client-sts", client: "STSClient" },
  iam: { module: "@aws-sdk/client-iam", client: "IAMClient" },
  logs: { module: "@aws-sdk/client-cloudwatch-logs", client: "CloudWatchLogsClient" },
  sqs: { module: "@aws-sdk/client-sqs", client: "SQSClient" },
  events: { module: "@aws-sdk/client-eventbridge", client: "EventBridgeClient" },
  scheduler: { module: "@aws-sdk/client-scheduler", client: "SchedulerClient" },
  s3: { module: "@aws-sdk/client-s3", client: "S3Client" },
  sns: { module: "@aws-sdk/client-sns", client: "SNSClient" },
  kinesis: { module: "@aws-sdk/client-kinesis", client: "KinesisClient" },
} as const;

const PROTOCOL_CLASSES: Readonly<Record<Protocol, string>> = {
  restJson1: "AwsRestJsonProtocol",
  awsJson1_0: "AwsJson1_0Protocol",
  awsJson1_1: "AwsJson1_1Protocol",
  awsQuery: "AwsQueryProtocol",
  rpcv2Cbor: "AwsSmithyRpcV2CborProtocol",
  restXml: "AwsRestXmlProtocol",
};

/** The bucket stands in the path, as requests arrive at the wire; checksums are the listener's matter. */
const S3_SETTINGS = { forcePathStyle: true, requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" };

interface ClientRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface TestClient {
  /** Sends the operation's command; resolves with its output. */
  send(operation: string, input: object): Promise<Record<string, unknown>>;
  readonly errorClass: (name: string) => unknown;
}

/** A client for `service` that speaks `protocol` and is answered by `answer`. */
export function testClient(
  service: keyof typeof CLIENTS,
  protocol: Protocol,
  answer: (request: WireRequest) => WireResponse | Promise<WireResponse>,
): TestClient {
  const names = CLIENTS[service];
  const exported = require(names.module) as Record<string, new (input: object) => unknown>;
  // The protocols belong to a package that the clients bring along.
  const protocols = createRequire(require.resolve(names.module))("@aws-sdk/core/protocols") as Record<string, unknown>;
  const Client = exported[names.client] as unknown as new (config: object) => { send(command: unknown): Promise<Record<string, unknown>> };
  const client = new Client({
    region: "us-east-1",
    endpoint: "http://127.0.0.1:4566",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    // Nobody checks the signature, and calls to a global endpoint would want SigV4a, which the clients do not bring along.
    signer: { sign: async (request: ClientRequest) => request },
    maxAttempts: 1,
    disableHostPrefix: true,
    // The digests in generated answers are not those of their messages.
    md5: false,
    ...(service === "s3" ? S3_SETTINGS : {}),
    protocol: protocols[PROTOCOL_CLASSES[protocol]],
    requestHandler: { handle: async (request: ClientRequest) => ({ response: clientResponse(await answer(await wireRequest(request))) }) },
  });
  return {
    send: (operation, input) => client.send(new (exported[`${operation}Command`] as new (input: object) => unknown)(input)),
    errorClass: (name) => exported[name],
  };
}

async function wireRequest(request: ClientRequest): Promise<WireRequest> {
  const query = Object.entries(request.query ?? {}).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((value: string | null) =>
      value === null ? escape(name) : `${escape(name)}=${escape(value)}`,
    ),
  );
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method: request.method,
    rawUrl: query.length === 0 ? request.path : `${request.path}?${query.join("&")}`,
    rawHeaders: Object.entries(request.headers).flat(),
    headers,
    body: await bytes(request.body),
  };
}

const escape = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

async function bytes(body: unknown): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === "string") return Buffer.from(body, "utf8");
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.concat(await Array.fromAsync(body as AsyncIterable<Uint8Array>));
}

function clientResponse(response: WireResponse): object {
  return {
    statusCode: response.status,
    headers: { ...response.headers },
    body: response.body instanceof Readable ? response.body : Readable.from([response.body]),
  };
}
