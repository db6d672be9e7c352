import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { deferred, LambentError, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import { BodyBudget, type FunctionUrl, FunctionUrlHandler, HTTP_BODY_BYTES_MAX, type UrlGuard } from "../../src/gateway/index.ts";
import type { InvokeOutcome, InvokeRequest, Invoker } from "../../src/invoker/index.ts";
import type { CallEnding } from "../../src/model/index.ts";
import { functionVersion } from "../support/function-version.ts";
import { type HttpCall, type HttpReply, send } from "../support/signed-http.ts";

const URL_OF_HELLO: FunctionUrl = {
  realm: { account: "000000000000", region: "us-east-1" },
  functionName: "hello",
  qualifier: "live",
  urlId: "abcdefghij",
  authType: "NONE",
  invokeMode: "BUFFERED",
  cors: undefined,
};

type Behaviour = (request: InvokeRequest) => Promise<InvokeOutcome> | InvokeOutcome;

interface Options {
  readonly url?: Partial<FunctionUrl>;
  readonly guard?: UrlGuard;
  readonly prefix?: string;
}

/** The handler behind a real listener; `behaviour` stands in for the invoker and the function. */
async function serve(context: TestContext, behaviour: Behaviour, options: Options = {}) {
  const bodies = new BodyBudget();
  const handler = new FunctionUrlHandler({
    invoker: { invoke: async (asked: InvokeRequest) => behaviour(asked) } as unknown as Invoker,
    guard: options.guard ?? (() => ({ kind: "anonymous" })),
    bodies,
    clock: systemClock,
    secureRandom: systemSecureRandom,
  });
  const defects: unknown[] = [];
  const server = createServer((incoming, outgoing) => {
    const match = { url: { ...URL_OF_HELLO, ...options.url }, target: incoming.url ?? "/", prefix: options.prefix, domain: "here" };
    handler.handle(match, incoming, outgoing).catch((error: unknown) => {
      defects.push(error);
      outgoing.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    bodies,
    defects,
    call: (call: Partial<HttpCall> = {}): Promise<HttpReply> => send(url, { path: "/", method: "GET", ...call }),
  };
}

function ended(ending: CallEnding): InvokeOutcome {
  return {
    kind: "ended",
    ending,
    version: functionVersion(),
    logTail: Buffer.alloc(0),
    durationMs: 1,
    initMs: 0,
    billedMs: 1,
    maxMemoryMb: 1,
    usage: {
      requestId: "request",
      account: "000000000000",
      region: "us-east-1",
      functionName: "hello",
      version: "$LATEST",
      memoryMb: 128,
      startedAt: 0,
      durationMs: 1,
      initMs: 0,
      billedMs: 1,
      maxMemoryMb: 1,
      ending: ending.kind,
    },
  };
}

const handled = (value: unknown): InvokeOutcome => ended({ kind: "handled", payload: Buffer.from(JSON.stringify(value)) });
const json = ({ body }: HttpReply): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;

describe("a buffered function URL", () => {
  test("hands the request on as an event and the answer back as a response", async (context) => {
    let asked: InvokeRequest | undefined;
    const { call, bodies } = await serve(context, (request) => {
      asked = request;
      return handled({ statusCode: 201, headers: { "X-Own": "1" }, cookies: ["a=b"], body: "made" });
    });
    const reply = await call({ method: "POST", path: "/things?x=1", headers: { "content-type": "text/plain" }, body: "hi" });
    assert.deepEqual(
      [reply.status, reply.headers["x-own"], reply.headers["set-cookie"], reply.body.toString()],
      [201, "1", ["a=b"], "made"],
    );
    assert.equal(reply.headers["x-amzn-requestid"], asked?.requestId);
    const event = JSON.parse(asked?.payload.toString() ?? "") as { rawPath: string; rawQueryString: string; body: string };
    assert.deepEqual(
      [event.rawPath, event.rawQueryString, event.body, asked?.functionName, asked?.qualifier],
      ["/things", "x=1", "hi", "hello", "live"],
    );
    assert.equal(bodies.held, 0);
  });

  test("whose function fails, times out or is lost answers 502 and tells the caller nothing of why", async (context) => {
    const endings: CallEnding[] = [
      { kind: "functionError", payload: Buffer.from('{"errorMessage":"secret"}'), phase: "invoke" },
      { kind: "timedOut" },
      { kind: "instanceLost", departure: { kind: "killed", signal: "SIGKILL" } },
    ];
    for (const ending of endings) {
      const { call } = await serve(context, () => ended(ending));
      const reply = await call();
      assert.deepEqual([reply.status, json(reply)], [502, { Message: "Internal Server Error" }], ending.kind);
    }
  });

  test("whose function answers what is no response is 502, and the connection goes on", async (context) => {
    const { call } = await serve(context, () => handled({ statusCode: "tuesday" }));
    assert.equal((await call()).status, 502);
    assert.equal((await call()).status, 502);
  });

  test("that is throttled answers 429 with the reason", async (context) => {
    const { call } = await serve(context, () => ({ kind: "throttled", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" }));
    const reply = await call();
    assert.deepEqual([reply.status, json(reply).Reason], [429, "ReservedFunctionConcurrentInvocationLimitExceeded"]);
  });

  test("for which no process can be started answers 502 and says what is missing", async (context) => {
    const { call } = await serve(context, () => ({ kind: "unavailable", what: "python3.9 is not on this machine" }));
    const reply = await call();
    assert.deepEqual([reply.status, json(reply).Message], [502, "python3.9 is not on this machine"]);
  });

  test("refuses a body over the limit before the function is asked", async (context) => {
    const { call } = await serve(context, () => assert.fail("it was invoked"));
    const reply = await call({ method: "POST", headers: { "content-length": String(HTTP_BODY_BYTES_MAX + 1) } }).catch(() => undefined);
    assert.equal(reply?.status ?? 413, 413);
    const chunked = await call({
      method: "POST",
      body: Buffer.alloc(HTTP_BODY_BYTES_MAX + 1),
      headers: { "transfer-encoding": "chunked" },
    }).catch(() => undefined);
    assert.equal(chunked?.status ?? 413, 413);
  });

  test("answers a status without a body without one, also when the function gave one", async (context) => {
    const { call } = await serve(context, () => handled({ statusCode: 204, body: "nothing to see" }));
    const reply = await call();
    assert.deepEqual([reply.status, reply.headers["content-length"], reply.body.length], [204, undefined, 0]);
  });

  test("answers HEAD with the length and without the body", async (context) => {
    const { call } = await serve(context, () => handled({ statusCode: 200, body: "12345" }));
    const reply = await call({ method: "HEAD" });
    assert.deepEqual([reply.status, reply.headers["content-length"], reply.body.length], [200, "5", 0]);
  });

  test("in the path form confines the answer's page and its cookies", async (context) => {
    const { call } = await serve(context, () => handled({ statusCode: 200, cookies: ["id=1; Path=/"], body: "" }), {
      prefix: "/function-url/hello",
    });
    const { headers } = await call();
    assert.match(String(headers["content-security-policy"]), /^sandbox /);
    assert.deepEqual(headers["set-cookie"], ["id=1; Path=/function-url/hello/"]);
  });
});

describe("who may call", () => {
  test("is decided before the function is asked, and answered as AWS does", async (context) => {
    for (const code of ["AccessDenied", "MissingCredentials"] as const) {
      const guard: UrlGuard = () => {
        throw new LambentError(code, "the policy of 000000000000 says no");
      };
      const { call } = await serve(context, () => assert.fail("it was invoked"), { guard, url: { authType: "AWS_IAM" } });
      const reply = await call();
      assert.deepEqual([reply.status, json(reply)], [403, { Message: "Forbidden" }]);
    }
  });

  test("sees the body that was signed, and the function sees who called", async (context) => {
    let event: { requestContext?: { authorizer?: { iam?: { userArn?: string } } } } = {};
    const guard: UrlGuard = (_url, _request, body) => {
      assert.equal(body.toString(), "signed");
      return { kind: "iam", accountId: "000000000000", accessKey: "AKIA", userArn: "arn:aws:iam::000000000000:root", userId: "AKIA" };
    };
    const behaviour: Behaviour = (asked) => {
      event = JSON.parse(asked.payload.toString()) as typeof event;
      return handled(1);
    };
    const { call } = await serve(context, behaviour, { guard, url: { authType: "AWS_IAM" } });
    assert.equal((await call({ method: "POST", body: "signed" })).status, 200);
    assert.equal(event.requestContext?.authorizer?.iam?.userArn, "arn:aws:iam::000000000000:root");
  });
});

describe("CORS", () => {
  const cors = {
    allowOrigins: ["https://app.example"],
    allowMethods: ["PUT"],
    allowHeaders: ["x-a"],
    allowCredentials: false,
    exposeHeaders: [],
    maxAgeSeconds: 60,
  };

  test("a preflight is answered without the function; without settings it is the function's", async (context) => {
    const headers = { origin: "https://app.example", "access-control-request-method": "PUT" };
    const set = await serve(context, () => assert.fail("it was invoked"), { url: { cors } });
    const reply = await set.call({ method: "OPTIONS", headers });
    assert.deepEqual(
      [reply.status, reply.headers["access-control-allow-origin"], reply.headers["access-control-allow-methods"]],
      [200, "https://app.example", "PUT"],
    );
    const unset = await serve(context, () => handled({ statusCode: 418 }));
    assert.equal((await unset.call({ method: "OPTIONS", headers })).status, 418);
  });

  test("its headers are on answers and on errors alike, and replace the function's own", async (context) => {
    const headers = { origin: "https://app.example" };
    const good = await serve(context, () => handled({ statusCode: 200, headers: { "access-control-allow-origin": "*" } }), {
      url: { cors },
    });
    assert.equal((await good.call({ headers })).headers["access-control-allow-origin"], "https://app.example");
    const bad = await serve(context, () => ended({ kind: "timedOut" }), { url: { cors } });
    assert.equal((await bad.call({ headers })).headers["access-control-allow-origin"], "https://app.example");
  });
});

describe("a streaming function URL", () => {
  const url = { invokeMode: "RESPONSE_STREAM" } as const;
  const prelude = (value: unknown) => ({ contentType: "text/plain", http: Buffer.from(JSON.stringify(value)) });
  const streamOf = ({ stream }: InvokeRequest) => stream ?? assert.fail("no stream was given");
  const empty = ended({ kind: "handled", payload: Buffer.alloc(0) });

  test("sends status and headers with the first byte, long before the function ends", async (context) => {
    const ending = deferred<void>();
    const { url: address } = await serve(
      context,
      async (asked) => {
        const stream = streamOf(asked);
        stream.begin(prelude({ statusCode: 202, headers: { "x-a": "b" }, cookies: ["c=d"] }));
        stream.write(Buffer.from("first "));
        await ending.promise;
        stream.write(Buffer.from("last"));
        return empty;
      },
      { url },
    );
    const answer = await fetch(address);
    assert.deepEqual([answer.status, answer.headers.get("x-a"), answer.headers.getSetCookie()], [202, "b", ["c=d"]]);
    const reader = answer.body?.getReader();
    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), "first ");
    ending.resolve();
    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), "last");
  });

  test("P8: whose content type cannot stand in a header is a bad answer, and nothing is thrown at the process that gave it", async (context) => {
    const behaviour: Behaviour = (asked) => {
      streamOf(asked).begin({ contentType: "text/plain\r\nx: y", http: undefined });
      return empty;
    };
    const { url: address, defects } = await serve(context, behaviour, { url });
    assert.equal((await fetch(address)).status, 502);
    assert.deepEqual(defects, []);
  });

  test("P8: that begins twice keeps its first head", async (context) => {
    const behaviour: Behaviour = (asked) => {
      const stream = streamOf(asked);
      stream.begin(prelude({ statusCode: 202 }));
      stream.begin(prelude({ statusCode: 500 }));
      stream.write(Buffer.from("body"));
      return empty;
    };
    const { url: address, defects } = await serve(context, behaviour, { url });
    const answer = await fetch(address);
    assert.deepEqual([answer.status, await answer.text(), defects], [202, "body", []]);
  });

  test("that fails half way cuts the connection: the answer never looks complete", async (context) => {
    const { call } = await serve(
      context,
      (asked) => {
        streamOf(asked).begin({ contentType: "text/plain", http: undefined });
        streamOf(asked).write(Buffer.from("half"));
        return ended({ kind: "functionError", payload: Buffer.from("{}"), phase: "invoke" });
      },
      { url },
    );
    await assert.rejects(call(), { code: "ECONNRESET" });
  });

  test("that fails before its first byte answers 502", async (context) => {
    const { call } = await serve(context, () => ended({ kind: "timedOut" }), { url });
    assert.equal((await call()).status, 502);
  });

  test("whose prelude is none answers 502, whatever came behind it", async (context) => {
    for (const broken of [{ statusCode: 7 }, { statusCode: 200, headers: { a: "b\r\nc" } }, [1]]) {
      const behaviour: Behaviour = (asked) => {
        streamOf(asked).begin(prelude(broken));
        assert.equal(streamOf(asked).write(Buffer.from("body")), true);
        return empty;
      };
      const { call } = await serve(context, behaviour, { url });
      const reply = await call();
      assert.deepEqual([reply.status, json(reply)], [502, { Message: "Internal Server Error" }], JSON.stringify(broken));
    }
  });

  test("of a handler that does not stream answers as a buffered one", async (context) => {
    const { call } = await serve(context, () => handled({ statusCode: 203, body: "plain" }), { url });
    const reply = await call();
    assert.deepEqual([reply.status, reply.body.toString()], [203, "plain"]);
  });

  test("P7: a slow reader holds the function back, and is served whole once it reads", async (context) => {
    const CHUNK = Buffer.alloc(64 * 1_024, "x");
    const CHUNKS = 400;
    const heldBack = deferred<void>();
    let most = 0;
    const behaviour: Behaviour = async (asked) => {
      const stream = streamOf(asked);
      stream.begin({ contentType: "text/plain", http: undefined });
      for (let sent = 0; sent < CHUNKS; sent++) {
        if (stream.write(CHUNK)) continue;
        most = Math.max(most, sent);
        heldBack.resolve();
        await stream.drained();
      }
      return empty;
    };
    const { url: address } = await serve(context, behaviour, { url });
    const answer = await new Promise<IncomingMessage>((resolve) => request(address, { agent: false }, resolve).end());
    await heldBack.promise;
    let bytes = 0;
    for await (const chunk of answer) bytes += (chunk as Buffer).length;
    assert.equal(bytes, CHUNK.length * CHUNKS);
    assert.ok(most > 0);
  });

  test("whose reader leaves lets the function end: nothing waits for a drain that never comes", async (context) => {
    const over = deferred<void>();
    const behaviour: Behaviour = async (asked) => {
      const stream = streamOf(asked);
      stream.begin({ contentType: "text/plain", http: undefined });
      while (stream.write(Buffer.alloc(64 * 1_024)));
      await stream.drained();
      assert.equal(stream.write(Buffer.from("more")), true, "writing to nobody does not hold back");
      over.resolve();
      return empty;
    };
    const { url: address, defects } = await serve(context, behaviour, { url });
    const socket = connect(Number(new URL(address).port), "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    await once(socket, "data");
    socket.resetAndDestroy();
    await over.promise;
    assert.deepEqual(defects, []);
  });
});
