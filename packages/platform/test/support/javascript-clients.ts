/** The SDK for JavaScript as people use it: its own signing, its own classes for errors. */
import { createRequire } from "node:module";
import { after } from "node:test";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { IAM } from "@aws-sdk/client-iam";
import { Kinesis, type KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { type CreateFunctionRequest, Lambda, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2 } from "@aws-sdk/client-lambda";
import { S3 } from "@aws-sdk/client-s3";
import { Scheduler } from "@aws-sdk/client-scheduler";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { STS } from "@aws-sdk/client-sts";
import { type RealServer, startServer } from "./server.ts";
import { zipOf } from "./zips.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

export const ACCOUNT = "000000000000";
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/any-well-formed-name`;

export interface JavaScriptClients {
  readonly lambda: Lambda;
  readonly iam: IAM;
  readonly sts: STS;
  readonly logs: CloudWatchLogs;
  readonly sqs: SQS;
  readonly events: EventBridge;
  readonly sns: SNS;
  readonly scheduler: Scheduler;
  readonly kinesis: Kinesis;
  readonly s3: S3;
  close(): void;
}

export interface ClientChoices {
  /** The server's own address unless told otherwise. */
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

/** Clients that try once: a test wants to see the first answer. */
export function javascriptClients(server: RealServer, choices: ClientChoices = {}): JavaScriptClients {
  const settings = {
    endpoint: server.url,
    region: "us-east-1",
    credentials: server.key,
    maxAttempts: 1,
    disableHostPrefix: true,
    ...choices,
  };
  const clients = {
    lambda: new Lambda(settings),
    iam: new IAM(settings),
    sts: new STS(settings),
    logs: new CloudWatchLogs(settings),
    sqs: new SQS(settings),
    events: new EventBridge(settings),
    sns: new SNS(settings),
    scheduler: new Scheduler(settings),
    kinesis: new Kinesis(settings.endpoint === server.url ? settings : { ...settings, requestHandler: http1Handler() }),
    // Names before the address of a loopback interface lead nowhere.
    s3: new S3({ ...settings, forcePathStyle: true }),
  };
  return { ...clients, close: () => Object.values(clients).forEach((client) => client.destroy()) };
}

/** For Kinesis, whose client speaks HTTP/2 of itself: what stands between it and the server may not. */
function http1Handler(): NonNullable<KinesisClientConfig["requestHandler"]> {
  // Belongs to a package that the clients bring along.
  const require = createRequire(createRequire(import.meta.url).resolve("@aws-sdk/client-kinesis"));
  const { NodeHttpHandler } = require("@smithy/node-http-handler") as { readonly NodeHttpHandler: new () => never };
  return new NodeHttpHandler();
}

/** A server and its clients for a whole test file, gone behind its last test; `asked` are further options of `start`. */
export async function startServerWithClients(
  ...asked: readonly string[]
): Promise<{ readonly server: RealServer; readonly clients: JavaScriptClients }> {
  const server = await startServer(...asked);
  const clients = javascriptClients(server);
  after(async () => {
    clients.close();
    await server.stop();
  });
  return { server, clients };
}

/** `arn:aws:lambda:…:function:<name>` in the realm of tests. */
export function functionArnOf(name: string, region = "us-east-1"): string {
  return `arn:aws:lambda:${region}:${ACCOUNT}:function:${name}`;
}

/** Text of a handler that answers `body`'s value. */
export const answering = (body: string): Readonly<Record<string, string>> => ({
  "index.mjs": `export const handler = async (event, context) => { ${body} };`,
});

/** Waits as deploy tools do, by the SDK's own waiter; asks often, because here a function is ready in milliseconds. */
export async function untilActive(lambda: Lambda, FunctionName: string): Promise<void> {
  await waitUntilFunctionActiveV2({ client: lambda, minDelay: 0.01, maxDelay: 0.05, maxWaitTime: 30 }, { FunctionName });
}

/** The same after an update. */
export async function untilUpdated(lambda: Lambda, FunctionName: string): Promise<void> {
  await waitUntilFunctionUpdatedV2({ client: lambda, minDelay: 0.01, maxDelay: 0.05, maxWaitTime: 30 }, { FunctionName });
}

export type FunctionChoices = Partial<Omit<CreateFunctionRequest, "Code">> & { readonly files?: Readonly<Record<string, string>> };

/** A function that is ready to be called; says its own name unless told otherwise. */
export async function makeFunction(lambda: Lambda, name: string, { files, ...changed }: FunctionChoices = {}): Promise<string> {
  await lambda.createFunction({
    FunctionName: name,
    Runtime: "nodejs22.x",
    Handler: "index.handler",
    Role: ROLE,
    Code: { ZipFile: await zipOf(files ?? answering(`return ${JSON.stringify(name)};`)) },
    ...changed,
  });
  await untilActive(lambda, name);
  return name;
}

/** What a function answered, or how it failed. */
export interface Answered {
  readonly value: unknown;
  readonly functionError: string | undefined;
  readonly executedVersion: string | undefined;
  /** The last 4 KB of the call's log, where it was asked for. */
  readonly log: string;
}

/** Calls a function and reads its JSON. */
export async function call(
  lambda: Lambda,
  FunctionName: string,
  event: unknown = {},
  more: { readonly Qualifier?: string; readonly LogType?: "Tail"; readonly ClientContext?: string } = {},
): Promise<Answered> {
  const answer = await lambda.invoke({ FunctionName, Payload: Buffer.from(JSON.stringify(event)), ...more });
  const text = Buffer.from(answer.Payload ?? []).toString("utf8");
  return {
    value: text === "" ? undefined : JSON.parse(text),
    functionError: answer.FunctionError,
    executedVersion: answer.ExecutedVersion,
    log: Buffer.from(answer.LogResult ?? "", "base64").toString("utf8"),
  };
}
