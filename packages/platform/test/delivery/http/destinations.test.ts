import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { deferred } from "../../../src/base/index.ts";
import { type AuthorizationDraft, NO_PARAMETERS, type OAuthMethod } from "../../../src/bus/index.ts";
import type { Answer } from "../../../src/delivery/handing.ts";
import { openDestinations, REALM } from "./destination-world.ts";
import { type Endpoint, listen, listenRaw, type Received, testEgress } from "./world.ts";

const KEY: AuthorizationDraft = { kind: "apiKey", name: "x-api-key", value: "secret-value" };

const shown = (answer: Answer): string =>
  answer.kind === "later" || answer.kind === "never" ? `${answer.kind} ${answer.refusal.code}` : answer.kind;

describe("an API destination", () => {
  test("gets the parcel with its connection's key, once the sender is allowed", async (context) => {
    const endpoint = await listen(context);
    const { make, hand, allowed } = await openDestinations(context);
    const arn = await make(`${endpoint.url}/hook/*`, KEY);
    assert.deepEqual(await hand(arn, '{"a":1}', { pathValues: ["x"], headers: { "x-more": "y" } }), { kind: "taken", recorded: false });
    const [received] = endpoint.received;
    assert.deepEqual(
      [received?.method, received?.path, received?.body, received?.headers["x-api-key"], received?.headers["x-more"]],
      ["POST", "/hook/x", '{"a":1}', "secret-value", "y"],
    );
    assert.deepEqual(allowed, [`events:InvokeApiDestination ${arn}`]);
  });

  test("is told apart by what its endpoint does", async (context) => {
    const status = (code: number) =>
      listen(context, (_received, response) => void response.writeHead(code, { "retry-after": "9" }).end("secret-value"));
    const raw = (bytes: string) => listenRaw(context, (socket) => socket.once("data", () => socket.end(bytes)));
    const cases: readonly (readonly [{ readonly url: string }, string])[] = [
      [await status(503), "later HTTP_503"],
      [await status(429), "later THROTTLING"],
      [await status(401), "later HTTP_401"],
      [await status(404), "never SDK_CLIENT_ERROR"],
      [await status(302), "never SDK_CLIENT_ERROR"],
      [await raw("garbage\r\n\r\n"), "later INVALID_RESPONSE"],
      [await raw(""), "later CONNECTION_FAILURE"],
      [await raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"), "later CONNECTION_FAILURE"],
      [{ url: "http://10.0.0.1/" }, "never EGRESS_REFUSED"],
      [{ url: "http://metadata.test/" }, "never EGRESS_REFUSED"],
      [{ url: "http://unknown.test/" }, "later CONNECTION_FAILURE"],
      [{ url: "http://127.0.0.1/*" }, "never INVALID_PARAMETER"],
    ];
    for (const [{ url }, expected] of cases) {
      const { make, hand } = await openDestinations(context, testEgress({ "metadata.test": [["169.254.169.254"]] }));
      const answer = await hand(await make(url, KEY));
      assert.equal(shown(answer), expected, url);
      assert.ok(!JSON.stringify(answer).includes("secret-value"), "neither a secret nor the endpoint's answer is told on");
      if (answer.kind === "later" && expected === "later HTTP_503") assert.equal(answer.refusal.retryAfterMs, 9_000);
    }
  });

  test("that hangs is given up after five seconds", async (context) => {
    const asked = deferred<void>();
    const { url } = await listenRaw(context, (socket) => socket.once("data", () => asked.resolve()));
    const { make, hand, clock } = await openDestinations(context);
    const handing = hand(await make(url, KEY));
    await asked.promise;
    await clock.advance(5_000);
    assert.equal(shown(await handing), "later TIMEOUT");
  });

  test("that is gone, or was made anew under its name, or lies in another realm, is never reached", async (context) => {
    const endpoint = await listen(context);
    const { make, hand, destinations } = await openDestinations(context);
    const arn = await make(endpoint.url, KEY);
    assert.equal(shown(await hand(arn.replace("us-east-1", "eu-west-1"))), "never RESOURCE_NOT_FOUND");
    const { connectionArn } = destinations.get(REALM, "d");
    await destinations.remove(REALM, "d");
    assert.equal(shown(await hand(arn)), "never RESOURCE_NOT_FOUND");
    const draft = {
      description: undefined,
      connectionArn,
      endpoint: endpoint.url,
      method: "POST",
      invocationsPerSecond: undefined,
    } as const;
    await destinations.create(REALM, "d", draft);
    assert.equal(shown(await hand(arn)), "never RESOURCE_NOT_FOUND");
    assert.deepEqual(endpoint.received, []);
  });

  test("whose connection was de-authorized waits for new secrets; one whose connection is gone is not reached", async (context) => {
    const endpoint = await listen(context);
    const { make, hand, connections } = await openDestinations(context);
    const arn = await make(endpoint.url, KEY);
    await connections.deauthorize(REALM, "c");
    assert.equal(shown(await hand(arn)), "later CONNECTION_NOT_AUTHORIZED");
    await connections.update(REALM, "c", { description: undefined, authorization: { ...KEY, value: "second" }, invocation: undefined });
    assert.equal(shown(await hand(arn)), "taken");
    assert.equal(endpoint.received[0]?.headers["x-api-key"], "second");
    await connections.remove(REALM, "c");
    assert.equal(shown(await hand(arn)), "never RESOURCE_NOT_FOUND");
  });

  test("is not called more often than it allows; who has to wait was not tried", async (context) => {
    const endpoint = await listen(context);
    const { make, hand, clock } = await openDestinations(context);
    const arn = await make(endpoint.url, KEY, { perSecond: 10 });
    const answers = [await hand(arn), await hand(arn), await hand(arn)];
    assert.deepEqual(answers.map(shown), ["taken", "taken", "wait"]);
    const wait = answers[2];
    assert.ok(wait?.kind === "wait" && wait.ms === 100);
    await clock.advance(wait.ms);
    assert.deepEqual([shown(await hand(arn)), shown(await hand(arn))], ["taken", "wait"]);
    assert.equal(endpoint.received.length, 3);
  });
});

/** A token server that gives out numbered tokens, and an endpoint that takes those that are good. */
async function openOAuth(context: TestContext, options: { expiresIn?: unknown; status?: number; method?: OAuthMethod } = {}) {
  let given = 0;
  const state = { status: options.status ?? 200, refused: new Set<string>() };
  const tokenServer = await listen(context, (_received, response) => {
    given += 1;
    const body = JSON.stringify({ access_token: `token-${given}`, token_type: "bearer", expires_in: options.expiresIn });
    response.writeHead(state.status, { "content-type": "application/json" }).end(body);
  });
  const endpoint = await listen(context, ({ headers }, response) => {
    const token = (headers.authorization ?? "").replace("Bearer ", "");
    response.writeHead(state.refused.has(token) ? 401 : 200).end();
  });
  const world = await openDestinations(context);
  const authorization: AuthorizationDraft = {
    ...{ kind: "oauth", clientId: "the-client", clientSecret: "the-secret", method: options.method ?? "POST" },
    endpoint: `${tokenServer.url}/token`,
    parameters: {
      headers: [{ key: "X-Tenant", value: "t", secret: false }],
      query: [{ key: "audience", value: "a b", secret: false }],
      body: [{ key: "scope", value: "all", secret: true }],
    },
  };
  const tokensUsed = () => endpoint.received.map(({ headers }) => headers.authorization);
  return { ...world, tokenServer, endpoint, state, authorization, tokensUsed };
}

const formOf = ({ body }: Received): Record<string, string> => Object.fromEntries(new URLSearchParams(body));
const CREDENTIALS = { grant_type: "client_credentials", client_id: "the-client", client_secret: "the-secret", scope: "all" };

describe("an OAuth connection", () => {
  test("gets a token by its client's credentials and uses it until shortly before its end", async (context) => {
    const { make, hand, authorization, endpoint, tokenServer, tokensUsed, clock } = await openOAuth(context, { expiresIn: 3_600 });
    const arn = await make(endpoint.url, authorization);
    assert.equal(shown(await hand(arn)), "taken");
    const [asked] = tokenServer.received;
    assert.ok(asked);
    assert.deepEqual([asked.method, asked.path, asked.headers["x-tenant"]], ["POST", "/token?audience=a+b", "t"]);
    assert.deepEqual(formOf(asked), CREDENTIALS);
    await clock.advance(3_539_000);
    await hand(arn);
    assert.equal(tokenServer.received.length, 1);
    await clock.advance(1_000);
    await hand(arn);
    assert.deepEqual(tokensUsed(), ["Bearer token-1", "Bearer token-1", "Bearer token-2"]);
  });

  test("by GET asks in the query, by PUT with a JSON content-type in JSON", async (context) => {
    const byGet = await openOAuth(context, { method: "GET" });
    await byGet.hand(await byGet.make(byGet.endpoint.url, byGet.authorization));
    const [asked] = byGet.tokenServer.received;
    const query = Object.fromEntries(new URL(asked?.path ?? "", "http://x").searchParams);
    assert.deepEqual([asked?.method, asked?.body, query], ["GET", "", { audience: "a b", ...CREDENTIALS }]);
    const byPut = await openOAuth(context, { method: "PUT" });
    const headers = [{ key: "Content-Type", value: "application/json", secret: false }];
    assert.ok(byPut.authorization.kind === "oauth");
    await byPut.hand(await byPut.make(byPut.endpoint.url, { ...byPut.authorization, parameters: { ...NO_PARAMETERS, headers } }));
    const put = byPut.tokenServer.received[0];
    const { scope: _, ...rest } = CREDENTIALS;
    assert.deepEqual([put?.method, JSON.parse(put?.body ?? "")], ["PUT", rest]);
  });

  test("fetches one token for all who need it at once", async (context) => {
    const { make, hand, authorization, endpoint, tokenServer } = await openOAuth(context);
    const arn = await make(endpoint.url, authorization);
    const answers = await Promise.all(Array.from({ length: 20 }, () => hand(arn)));
    assert.deepEqual(new Set(answers.map(shown)), new Set(["taken"]));
    assert.equal(tokenServer.received.length, 1);
  });

  test("has a new token for the next attempt when the endpoint refused the one it had", async (context) => {
    const { make, hand, authorization, endpoint, state, tokensUsed } = await openOAuth(context, { expiresIn: "3600" });
    const arn = await make(endpoint.url, authorization);
    state.refused.add("token-1");
    assert.equal(shown(await hand(arn)), "later HTTP_401");
    assert.equal(shown(await hand(arn)), "taken");
    assert.deepEqual(tokensUsed(), ["Bearer token-1", "Bearer token-2"]);
  });

  test("whose secrets were changed asks with the new ones", async (context) => {
    const { make, hand, authorization, connections, endpoint, tokenServer } = await openOAuth(context);
    const arn = await make(endpoint.url, authorization);
    await hand(arn);
    await connections.update(REALM, "c", {
      description: undefined,
      authorization: { kind: "oauth", clientSecret: "another" },
      invocation: undefined,
    });
    await hand(arn);
    const [, second] = tokenServer.received;
    assert.ok(second);
    assert.deepEqual(formOf(second), { ...CREDENTIALS, client_secret: "another" });
  });

  test("is authorizing until its first token came, then authorized", async (context) => {
    const { make, authorization, connections, tokens, announced, endpoint } = await openOAuth(context);
    await make(endpoint.url, authorization);
    assert.deepEqual(announced, ["c"]);
    const before = connections.get(REALM, "c");
    assert.equal(before.state.kind, "authorizing");
    tokens.authorize(REALM, "c");
    while (connections.get(REALM, "c").state.kind === "authorizing") await new Promise((resolve) => setImmediate(resolve));
    assert.equal(connections.get(REALM, "c").state.kind, "authorized");
    assert.ok(connections.get(REALM, "c").authorizedAt !== undefined);
  });

  test("that is refused is de-authorized with the reason, asks no sooner than is good, and recovers by itself", async (context) => {
    const { make, hand, authorization, connections, state, clock, endpoint, tokenServer } = await openOAuth(context, { status: 403 });
    const arn = await make(endpoint.url, authorization);
    const first = await hand(arn);
    assert.equal(shown(first), "later CONNECTION_NOT_AUTHORIZED");
    assert.ok(first.kind === "later" && first.refusal.retryAfterMs === 30_000);
    const refused = connections.get(REALM, "c").state;
    assert.ok(refused.kind === "refused" && refused.reason.includes("403"));
    await hand(arn);
    assert.equal(tokenServer.received.length, 1);
    state.status = 200;
    await clock.advance(30_000);
    assert.equal(shown(await hand(arn)), "taken");
    assert.equal(connections.get(REALM, "c").state.kind, "authorized");
  });

  test("whose token server is busy, or answers nonsense, gives no token; what was authorized before stays so while it is only busy", async (context) => {
    const { make, hand, authorization, connections, state, clock, endpoint, tokens } = await openOAuth(context);
    const arn = await make(endpoint.url, authorization);
    await hand(arn);
    tokens.forget(REALM, connections.get(REALM, "c"), "token-1");
    state.status = 503;
    assert.equal(shown(await hand(arn)), "later CONNECTION_NOT_AUTHORIZED");
    assert.equal(connections.get(REALM, "c").state.kind, "authorized");
    await clock.advance(1_000);
    state.status = 200;
    assert.equal(shown(await hand(arn)), "taken");
    for (const body of [
      "",
      "{}",
      "no json",
      '{"access_token":7}',
      '{"access_token":"a\\nb"}',
      `{"access_token":"${"x".repeat(100_000)}"}`,
    ]) {
      const nonsense = await listen(context, (_received, response) => void response.end(body));
      const world = await openDestinations(context);
      assert.ok(authorization.kind === "oauth");
      const answer = await world.hand(await world.make(endpoint.url, { ...authorization, endpoint: nonsense.url }));
      assert.equal(shown(answer), "later CONNECTION_NOT_AUTHORIZED", body.slice(0, 40));
      assert.equal(world.connections.get(REALM, "c").state.kind, "refused");
    }
  });

  test("never shows its secret in what it answers", async (context) => {
    const echo: Endpoint = await listen(context, ({ body, path }, response) => void response.writeHead(400).end(body + path));
    const { authorization } = await openOAuth(context);
    const world = await openDestinations(context);
    assert.ok(authorization.kind === "oauth");
    const answer = await world.hand(await world.make(echo.url, { ...authorization, endpoint: echo.url }));
    assert.ok(
      !JSON.stringify([answer, world.connections.get(REALM, "c").state.kind === "refused" && world.connections.get(REALM, "c")]).includes(
        "the-secret",
      ),
    );
  });
});
