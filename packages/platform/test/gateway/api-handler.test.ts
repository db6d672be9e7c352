import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { describe, test, type TestContext } from "node:test";
import { lambdaWireError } from "../../src/api/lambda/errors.ts";
import type { OperationTable, RequestContext, Service, ServiceEntry } from "../../src/api/index.ts";
import { deferred, Later, LambentError, systemSecureRandom } from "../../src/base/index.ts";
import { ApiHandler, API_BODY_BYTES_MAX, BodyBudget } from "../../src/gateway/index.ts";
import type { InstanceCaller } from "../../src/model/index.ts";
import { createAuthenticator, createCredentials, ephemeralSecrets } from "../../src/security/index.ts";
import { systemClock } from "../../src/base/index.ts";
import { decodeEventFrames, loadService } from "../../src/wire/index.ts";
import { functionVersion } from "../support/function-version.ts";
import { readyService } from "../support/ready-service.ts";
import { send, sendSigned, signedHeaders } from "../support/signed-http.ts";

const ROOT = { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "a-secret-for-tests-only", account: "000000000000" };
const INVOKE = { path: "/2015-03-31/functions/hello/invocations", body: "{}" };

interface Options {
  readonly operations?: OperationTable;
  readonly caller?: InstanceCaller;
  readonly authorize?: () => void;
  readonly stopping?: AbortSignal;
  /** How the services are loaded; they are there from the beginning when nothing is said. */
  readonly entry?: (service: Service) => ServiceEntry;
}

const { tokenKey } = ephemeralSecrets(systemSecureRandom);
const credentials = createCredentials({ rootKeys: [ROOT], tokenKey, clock: systemClock, secureRandom: systemSecureRandom });

/** Three services of different protocols, whose operations the test gives, behind a real listener. */
async function serve(context: TestContext, options: Options = {}) {
  const defects: unknown[] = [];
  const bodies = new BodyBudget();
  const service = (name: "lambda" | "logs" | "iam"): Service => ({
    model: loadService(name),
    operations: options.operations ?? {},
    wireError: (error) =>
      name === "lambda" ? lambdaWireError(error) : { name: error.code, message: error.message, status: error.entry.status },
    permission: (operation) => ({ action: `${name}:${operation}`, resource: "*" }),
  });
  const api = new ApiHandler({
    services: [service("lambda"), service("logs"), service("iam")].map(options.entry ?? readyService),
    authenticator: createAuthenticator({ credentials, clock: systemClock }),
    authorize: options.authorize ?? (() => undefined),
    bodies,
    clock: systemClock,
    secureRandom: systemSecureRandom,
    stopping: options.stopping ?? new AbortController().signal,
    reportDefect: (error) => defects.push(error),
  });
  const server = createServer((incoming, outgoing) => void api.handle(incoming, outgoing, "http://here", options.caller));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, defects, bodies };
}

const json = (body: Buffer): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;

describe("a service that is loaded when it is first called", () => {
  /** One whose loading waits for the test, and how often it was begun. */
  async function serveLater(context: TestContext, load: (service: Service) => Promise<Service>) {
    const loads: string[] = [];
    const entry = (service: Service): ServiceEntry => {
      const later = new Later(() => {
        loads.push(service.model.name);
        return load(service);
      });
      return { ...readyService(service), get: () => later.get(), opened: () => later.opened() };
    };
    const operations = { GetAccountSettings: () => ({}), ListRoles: () => ({ Roles: [] }) };
    return { ...(await serve(context, { operations, entry })), loads };
  }
  const settings = { method: "GET", path: "/2016-08-19/account-settings/" };

  test("is loaded once for calls that come together, and the others are not", async (context) => {
    const gate = deferred<undefined>();
    const { url, loads } = await serveLater(context, async (service) => {
      await gate.promise;
      return service;
    });
    const calls = [1, 2, 3].map(() => sendSigned(url, settings, ROOT, "lambda"));
    gate.resolve(undefined);
    for (const reply of await Promise.all(calls)) assert.equal(reply.status, 200);
    assert.equal((await sendSigned(url, settings, ROOT, "lambda")).status, 200);
    assert.deepEqual(loads, ["lambda"]);
  });

  test("is told by the path of an unsigned call, without loading another one", async (context) => {
    const { url, loads } = await serveLater(context, (service) => Promise.resolve(service));
    const nothing = await send(url, { method: "GET", path: "/favicon.ico" });
    assert.deepEqual([nothing.status, loads], [404, []]);
    const reply = await send(url, settings);
    assert.deepEqual([reply.status, reply.headers["x-amzn-errortype"], loads], [403, "MissingAuthenticationTokenException", ["lambda"]]);
  });

  test("that cannot be loaded answers a failure in its protocol, which is reported, and is tried again by the next call", async (context) => {
    const failures = [new TypeError("a module is broken")];
    const { url, defects, loads, bodies } = await serveLater(context, (service) => {
      const failure = failures.pop();
      return failure ? Promise.reject(failure) : Promise.resolve(service);
    });
    const listRoles = {
      path: "/",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Action=ListRoles&Version=2010-05-08",
    };
    const failed = await sendSigned(url, listRoles, ROOT, "iam");
    assert.equal(failed.status, 500);
    assert.match(failed.body.toString(), /^<ErrorResponse.*<Code>InternalError<\/Code>/su);
    assert.deepEqual(defects.map(String), ["TypeError: a module is broken"]);
    assert.equal((await sendSigned(url, listRoles, ROOT, "iam")).status, 200);
    assert.deepEqual([loads, bodies.held], [["iam", "iam"], 0]);
  });
});

describe("a signed call", () => {
  test("reaches its operation with realm, principal and endpoint, and its answer is encoded", async (context) => {
    let seen: RequestContext | undefined;
    const operations = {
      GetAccountSettings: (_input: never, given: RequestContext) => {
        seen = given;
        return { AccountUsage: { FunctionCount: 3 } };
      },
    };
    const { url, bodies } = await serve(context, { operations });
    const reply = await sendSigned(url, { method: "GET", path: "/2016-08-19/account-settings/" }, ROOT, "lambda");
    assert.equal(reply.status, 200);
    assert.deepEqual(json(reply.body), { AccountUsage: { FunctionCount: 3 } });
    assert.deepEqual(seen?.realm, { account: "000000000000", region: "us-east-1" });
    assert.deepEqual([seen?.principal.kind, seen?.endpoint], ["root", "http://here"]);
    assert.equal(reply.headers["x-amzn-requestid"], seen?.requestId);
    assert.equal(bodies.held, 0);
  });

  test("that names no service is told that nobody answers, and one that is not built with 501 and its name", async (context) => {
    const { url } = await serve(context);
    const nowhere = await sendSigned(url, { method: "GET", path: "/nowhere" }, ROOT, "lambda");
    assert.equal(nowhere.status, 404);
    const unsigned = await send(url, { method: "GET", path: "/" });
    assert.equal(unsigned.status, 404);
    assert.match(unsigned.body.toString(), /no service here answers GET \//);

    const getItem = {
      path: "/",
      headers: { "x-amz-target": "DynamoDB_20120810.GetItem", "content-type": "application/x-amz-json-1.0" },
      body: "{}",
    };
    const publish = { path: "/", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "Version=1&Action=Publish" };
    for (const [reply, name] of [
      [await sendSigned(url, getItem, ROOT, "dynamodb"), "dynamodb:GetItem"],
      [await send(url, getItem), "DynamoDB:GetItem"],
      [await sendSigned(url, publish, ROOT, "sns"), "sns:Publish"],
      [await sendSigned(url, { method: "GET", path: "/" }, ROOT, "s3"), "s3"],
    ] as const) {
      assert.equal(reply.status, 501, name);
      assert.ok(reply.body.toString().includes(`${name} is not built in Lambent`), reply.body.toString());
    }
  });

  test("of a real operation that is not built answers 501 with its name, never 200", async (context) => {
    const { url } = await serve(context);
    const reply = await sendSigned(url, INVOKE, ROOT, "lambda");
    assert.equal(reply.status, 501);
    assert.match(reply.body.toString(), /lambda:Invoke is not built/);
  });

  test("is refused by the policy before its operation runs", async (context) => {
    const operations = { Invoke: () => assert.fail("it ran") };
    const authorize = (): void => {
      throw new LambentError("AccessDenied", "no statement allows it");
    };
    const { url, defects } = await serve(context, { operations, authorize });
    const reply = await sendSigned(url, INVOKE, ROOT, "lambda");
    assert.deepEqual([reply.status, reply.headers["x-amzn-errortype"]], [403, "AccessDeniedException"]);
    assert.deepEqual(defects, []);
  });

  test("with a body over the bound is refused by its length alone", async (context) => {
    const { url, bodies } = await serve(context);
    const headers = { "content-length": String(API_BODY_BYTES_MAX + 1) };
    const status = await new Promise((resolve, reject) => {
      const outgoing = request(`${url}${INVOKE.path}`, { method: "POST", headers }, (answer) => {
        resolve(answer.statusCode);
        outgoing.destroy();
      });
      outgoing.on("error", reject);
      outgoing.write("{");
    });
    assert.equal(status, 413);
    assert.equal(bodies.held, 0);
  });
});

describe("an unsigned or wrongly signed call", () => {
  test("is told so in the protocol it was made in", async (context) => {
    const { url } = await serve(context);
    const rest = await send(url, { ...INVOKE, headers: { "content-type": "application/json" } });
    assert.deepEqual([rest.status, rest.headers["x-amzn-errortype"]], [403, "MissingAuthenticationTokenException"]);
    const target = { "x-amz-target": "Logs_20140328.DescribeLogGroups", "content-type": "application/x-amz-json-1.1" };
    const rpc = await send(url, { path: "/", headers: target, body: "{}" });
    assert.deepEqual([rpc.status, json(rpc.body).__type], [403, "MissingCredentials"]);
    const query = await send(url, {
      path: "/",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Action=ListRoles&Version=2010-05-08",
    });
    assert.equal(query.status, 403);
    assert.match(query.body.toString(), /<ErrorResponse[^>]*>.*<Code>MissingCredentials<\/Code>/su);
  });

  test("with another key, another secret, another service or a changed body is refused", async (context) => {
    const { url } = await serve(context);
    const errorOf = async (key: typeof ROOT, service: string): Promise<unknown> =>
      (await sendSigned(url, INVOKE, key, service)).headers["x-amzn-errortype"];
    assert.equal(await errorOf({ ...ROOT, accessKeyId: "AKIANOBODY0NOBODY000" }, "lambda"), "UnrecognizedClientException");
    assert.equal(await errorOf({ ...ROOT, secretAccessKey: "another" }, "lambda"), "InvalidSignatureException");
    assert.notEqual((await sendSigned(url, INVOKE, ROOT, "sqs")).status, 200);
  });
});

describe("what an operation throws", () => {
  test("is answered under the service's own name when it is an expected ending", async (context) => {
    const operations = {
      Invoke: () => {
        throw new LambentError("Throttled", "Rate Exceeded.", { Reason: "ReservedFunctionConcurrentInvocationLimitExceeded" });
      },
    };
    const { url, defects } = await serve(context, { operations });
    const reply = await sendSigned(url, INVOKE, ROOT, "lambda");
    assert.deepEqual([reply.status, reply.headers["x-amzn-errortype"]], [429, "TooManyRequestsException"]);
    assert.equal(json(reply.body).Reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert.deepEqual(defects, []);
  });

  test("P8: is a 500 without its details, and told as a defect, when it is a bug", async (context) => {
    const operations = {
      Invoke: () => {
        throw new TypeError("the secret is 42");
      },
    };
    const { url, defects } = await serve(context, { operations });
    const reply = await sendSigned(url, INVOKE, ROOT, "lambda");
    assert.deepEqual([reply.status, reply.headers["x-amzn-errortype"]], [500, "ServiceException"]);
    assert.doesNotMatch(reply.body.toString(), /42/);
    assert.equal(defects.length, 1);
  });

  test("P8: an answer that HTTP has no form for is a defect and costs one connection", async (context) => {
    const operations = { Invoke: () => ({ StatusCode: 9_999, Payload: Buffer.from("{}") }) };
    const { url, defects } = await serve(context, { operations });
    const reply = await sendSigned(url, INVOKE, ROOT, "lambda");
    assert.equal(reply.status, 500);
    assert.equal(defects.length, 1);
  });
});

describe("an answer that is a stream", () => {
  async function* events(fails: boolean) {
    yield { PayloadChunk: { Payload: Buffer.from("one") } };
    if (fails) throw new TypeError("half way");
    yield { InvokeComplete: {} };
  }
  const streaming = (fails: boolean) => ({ InvokeWithResponseStream: () => ({ StatusCode: 200, EventStream: events(fails) }) });
  const call = { path: "/2021-11-15/functions/hello/response-streaming-invocations", body: "{}" };

  test("is passed on as event frames", async (context) => {
    const { url } = await serve(context, { operations: streaming(false) });
    const reply = await sendSigned(url, call, ROOT, "lambda");
    assert.equal(reply.headers["content-type"], "application/vnd.amazon.eventstream");
    assert.equal(decodeEventFrames(reply.body).frames.length, 2);
  });

  test("that breaks half way ends with an error event, which no client takes for completion", async (context) => {
    const { url, defects } = await serve(context, { operations: streaming(true) });
    const { frames } = decodeEventFrames((await sendSigned(url, call, ROOT, "lambda")).body);
    assert.deepEqual(
      frames.map(({ headers }) => headers[":event-type"] ?? headers[":error-code"]),
      ["PayloadChunk", "InternalError"],
    );
    assert.deepEqual(defects.map(String), ["TypeError: half way"]);
  });

  test("of bytes that breaks half way is cut, and what broke it is told; a reader who leaves is no defect", async (context) => {
    const left = Promise.withResolvers<void>();
    let source = new Readable();
    const operations = {
      Invoke: () => {
        source = new Readable({ read: () => undefined, destroy: (error, done) => (left.resolve(), done(error)) });
        source.push("one");
        return { StatusCode: 200, Payload: source };
      },
    };
    const { url, defects } = await serve(context, { operations });
    const ask = async (signal: AbortSignal) =>
      fetch(url + INVOKE.path, { method: "POST", body: INVOKE.body, headers: signedHeaders(url, INVOKE, ROOT, "lambda"), signal });
    const leaving = new AbortController();
    assert.equal((await ask(leaving.signal)).status, 200);
    leaving.abort();
    await left.promise;
    const answer = await ask(new AbortController().signal);
    source.destroy(new TypeError("half way"));
    await assert.rejects(answer.arrayBuffer());
    assert.deepEqual(defects.map(String), ["TypeError: half way"]);
  });

  test("ends when the server stops: nobody waits for an endless stream", async (context) => {
    const stopping = new AbortController();
    async function* endless(signal: AbortSignal) {
      yield { PayloadChunk: { Payload: Buffer.from("one") } };
      stopping.abort();
      if (!signal.aborted) await once(signal, "abort");
    }
    const operations = {
      InvokeWithResponseStream: (_input: never, { signal }: RequestContext) => ({ StatusCode: 200, EventStream: endless(signal) }),
    };
    const { url } = await serve(context, { operations, stopping: stopping.signal });
    assert.equal(decodeEventFrames((await sendSigned(url, call, ROOT, "lambda")).body).frames.length, 1);
  });

  test("whose reader leaves ends the operation's wait", async (context) => {
    const left = Promise.withResolvers<void>();
    async function* endless(signal: AbortSignal) {
      signal.addEventListener("abort", () => left.resolve());
      yield { PayloadChunk: { Payload: Buffer.from("one") } };
      await left.promise;
    }
    const operations = {
      InvokeWithResponseStream: (_input: never, { signal }: RequestContext) => ({ StatusCode: 200, EventStream: endless(signal) }),
    };
    const { url } = await serve(context, { operations });
    const controller = new AbortController();
    const answer = await fetch(url + call.path, {
      method: "POST",
      body: call.body,
      headers: signedHeaders(url, call, ROOT, "lambda"),
      signal: controller.signal,
    });
    assert.equal(answer.status, 200);
    controller.abort();
    await left.promise;
  });
});

test("an operation hears that its caller is gone, also when it asks afterwards", async (context) => {
  const gone = deferred<void>();
  const entered = deferred<void>();
  const operations = {
    GetAccountSettings: async (_input: never, given: RequestContext) => {
      entered.resolve();
      await new Promise<void>((resolve) => given.onCallerGone(resolve));
      given.onCallerGone(() => gone.resolve());
      return {};
    },
  };
  const { url } = await serve(context, { operations });
  const call = { method: "GET", path: "/2016-08-19/account-settings/" };
  const leaving = request(`${url}${call.path}`, { method: "GET", headers: signedHeaders(url, call, ROOT, "lambda") });
  leaving.on("error", () => undefined);
  leaving.end();
  await entered.promise;
  leaving.destroy();
  await gone.promise;
});

describe("P3: the listener of an instance", () => {
  const own = functionVersion({ name: "own" });
  const caller = { instanceId: "i-1", version: own };
  const operations = { Invoke: () => ({ StatusCode: 200, Payload: Buffer.from("1") }) };
  const statusWith = async (url: string, key: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
    (await sendSigned(url, INVOKE, key, "lambda")).status;

  test("takes the credentials issued to its own function, and nobody else's", async (context) => {
    const { url } = await serve(context, { operations, caller });
    assert.equal(await statusWith(url, credentials.issue(own)), 200);
    assert.equal(await statusWith(url, ROOT), 403, "the root key");
    assert.equal(await statusWith(url, credentials.issue(functionVersion({ name: "other" }))), 403, "another function's");
    assert.equal(await statusWith(url, credentials.issue(functionVersion({ name: "own", version: "2" }))), 403, "another version's");
    assert.equal(
      await statusWith(url, credentials.issue(functionVersion({ name: "own", revisionId: "22222222-2222-4222-8222-222222222222" }))),
      403,
      "those of before an update",
    );
  });

  test("takes sessions that its own function asked for, and nobody else's", async (context) => {
    const { url } = await serve(context, { operations, caller });
    const session = { kind: "assumedRole", account: ROOT.account, roleArn: own.roleArn, sessionName: "s", tags: {} } as const;
    const sessionPolicies = { documents: [], arns: [] };
    const held = ({ realm, name, version, revisionId }: typeof own) => ({ realm, functionName: name, version, revisionId });
    const issued = (within: object) => credentials.issueSession({ ...session, sessionPolicies, ...within }, 60_000);
    assert.equal(await statusWith(url, issued({ within: held(own) })), 200);
    assert.equal(await statusWith(url, issued({ within: held(functionVersion({ name: "other" })) })), 403, "another function's");
    assert.equal(await statusWith(url, issued({})), 403, "one of the main listener");
  });

  test("tells an unsigned request as the main one does", async (context) => {
    const { url } = await serve(context, { operations, caller });
    assert.equal((await send(url, INVOKE)).headers["x-amzn-errortype"], "MissingAuthenticationTokenException");
  });
});
