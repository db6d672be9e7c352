import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import type { TestContext } from "node:test";
import { s3WireError } from "../../../src/api/s3/errors.ts";
import {
  corsAnswer,
  type CorsDocument,
  type OperationTable,
  type Permission,
  type RequestContext,
  type Service,
} from "../../../src/api/index.ts";
import { type Clock, LambentError, systemClock, systemSecureRandom } from "../../../src/base/index.ts";
import { ApiHandler, BodyBudget, type FunctionUrlHandler, Gateway, S3Door } from "../../../src/gateway/index.ts";
import type { IncomingBody } from "../../../src/objects/index.ts";
import { createAuthenticator, createCredentials, ephemeralSecrets, signRequest, type SigningKey } from "../../../src/security/index.ts";
import { loadService } from "../../../src/wire/index.ts";
import { readyService } from "../../support/ready-service.ts";
import { type HttpCall, type HttpReply, send } from "../../support/signed-http.ts";

export const ROOT = { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "a-secret-for-tests-only", account: "000000000000" };
export const REGION = "us-east-1";

/** What an operation was called with; of a body its bytes' digest. */
export interface Seen {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly context: RequestContext;
  readonly body?:
    | { readonly bytes: number; readonly md5: string; readonly trailing: string | undefined; readonly announced: IncomingBody }
    | undefined;
}

const { tokenKey } = ephemeralSecrets(systemSecureRandom);
export const credentials = createCredentials({ rootKeys: [ROOT], tokenKey, clock: systemClock, secureRandom: systemSecureRandom });

export interface Options {
  readonly operations?: OperationTable;
  readonly permission?: (operation: string, context: RequestContext) => Permission | undefined;
  readonly cors?: Readonly<Record<string, CorsDocument>>;
  readonly allowHosts?: readonly string[];
  readonly clock?: Clock;
}

/** Reads a body as a store does, and counts what it was. */
export async function read(body: unknown): Promise<Seen["body"]> {
  const announced = body as IncomingBody;
  const md5 = createHash("md5");
  let bytes = 0;
  const source = announced.source instanceof Uint8Array ? [announced.source] : announced.source;
  for await (const chunk of source) {
    bytes += chunk.length;
    md5.update(chunk);
  }
  return { bytes, md5: md5.digest("hex"), trailing: announced.trailingChecksum?.(), announced };
}

/** The S3 handler within a real gateway, before a service that records what it is called with. */
export async function open(context: TestContext, options: Options = {}) {
  const seen: Seen[] = [];
  const defects: unknown[] = [];
  const bodies = new BodyBudget();
  const recorded: OperationTable = {
    PutObject: async (input: Record<string, unknown>, given: RequestContext) => {
      if (input["Bucket"] === "absent") throw new LambentError("NotFound", "no such bucket", { what: "bucket", name: "absent" });
      const body = await read(input["Body"]);
      seen.push({ operation: "PutObject", input, context: given, body });
      return { ETag: `"${body?.md5}"` };
    },
    GetObject: (input: Record<string, unknown>, given: RequestContext) => {
      seen.push({ operation: "GetObject", input, context: given });
      const text = "the bytes of it";
      return { Body: Readable.from([Buffer.from(text)]), ContentLength: text.length, ContentType: "text/plain" };
    },
    HeadObject: (input: Record<string, unknown>) => {
      if (input["Key"] === "absent") throw new LambentError("NotFound", "no such key", { what: "key", name: "absent" });
      return { ContentLength: 12_345, ContentType: "text/plain", ETag: '"abc"' };
    },
    PutBucketPolicy: (input: Record<string, unknown>, given: RequestContext) =>
      void seen.push({ operation: "PutBucketPolicy", input, context: given }),
    DeleteObjects: (input: Record<string, unknown>, given: RequestContext) => {
      seen.push({ operation: "DeleteObjects", input, context: given });
      return {};
    },
    ...options.operations,
  } as OperationTable;
  const service = (name: "s3" | "lambda" | "scheduler", operations: OperationTable): Service => ({
    model: loadService(name),
    operations,
    wireError: name === "s3" ? s3WireError : (error) => ({ name: error.code, message: error.message, status: error.entry.status }),
    permission: (operation, _input, given) => (name === "s3" ? options.permission?.(operation, given) : undefined),
  });
  const authenticator = createAuthenticator({ credentials, clock: systemClock });
  const shared = {
    authenticator,
    authorize: ({ principal }: RequestContext, permission: Permission) => {
      if (principal.kind === "anonymous" && permission.resourcePolicy !== "public") throw new LambentError("AccessDenied", "Access Denied");
    },
    bodies,
    clock: options.clock ?? systemClock,
    secureRandom: systemSecureRandom,
    stopping: new AbortController().signal,
    reportDefect: (error: unknown) => defects.push(error),
  };
  const api = new ApiHandler({
    ...shared,
    services: [service("lambda", { GetAccountSettings: () => ({}) }), service("scheduler", {})].map(readyService),
  });
  const s3 = new S3Door({
    ...shared,
    service: readyService(service("s3", recorded)),
    credentials,
    cors: (bucket, asked) => corsAnswer(options.cors?.[bucket], asked),
    names: { suffixes: [], services: api.hostLabels },
    region: REGION,
  });
  const gateway = new Gateway({
    api,
    s3: { door: s3, clock: shared.clock },
    functionUrls: {
      handle: async (_match: unknown, _request: unknown, response: { end(text: string): void }) => response.end("function"),
    } as unknown as FunctionUrlHandler,
    findUrl: () => undefined,
    browserRules: { allowedHosts: options.allowHosts ?? [], allowedOrigins: [] },
    health: () => ({ status: "running" }),
    reportDefect: (error) => defects.push(error),
  });
  const { port } = await gateway.listen("127.0.0.1", 0);
  context.after(() => gateway.close(Promise.resolve()));
  return { url: `http://127.0.0.1:${port}`, port, seen, defects, bodies, api, s3 };
}

/** Headers that sign `call`; `sha256` says what of the body is signed, its own hash where nothing is said. */
export function signed(url: string, call: HttpCall, sha256?: string, key: SigningKey = ROOT): Record<string, string> {
  const headers = { host: new URL(url).host, ...call.headers };
  const request = {
    method: call.method ?? "PUT",
    rawUrl: call.path,
    rawHeaders: Object.entries(headers).flat(),
    body: Buffer.from(call.body ?? ""),
  };
  const signing = { service: "s3", region: REGION, now: systemClock.now(), ...(sha256 === undefined ? {} : { payloadHash: sha256 }) };
  return { ...headers, ...signRequest(request, key, signing) };
}

/** Signs and sends, a PUT where nothing else is said. */
export function put(url: string, call: HttpCall, sha256?: string, key?: SigningKey): Promise<HttpReply> {
  return send(url, { method: "PUT", ...call, headers: signed(url, { method: "PUT", ...call }, sha256, key) });
}

/** The head of a request as it goes over the wire. */
export function head(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

export async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** What arrives on a socket, up to the first time that it matches. */
export function until(socket: Socket, pattern: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    const onData = (piece: Buffer): void => {
      text += piece.toString("latin1");
      if (!pattern.test(text)) return;
      socket.off("data", onData);
      socket.off("close", onClose);
      resolve(text);
    };
    const onClose = (): void => reject(new TypeError(`closed after ${JSON.stringify(text)}`));
    socket.on("data", onData);
    socket.once("close", onClose);
  });
}

export const codeOf = (reply: HttpReply): string | undefined => /<Code>(.*?)<\/Code>/u.exec(reply.body.toString())?.[1];
