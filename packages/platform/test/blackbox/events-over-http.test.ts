/** Events that leave and come in by HTTP, between a real server and real endpoints: API destinations, webhooks, CloudEvents. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import type { CreateApiDestinationRequest, CreateConnectionRequest } from "@aws-sdk/client-eventbridge";
import { answering, startServerWithClients } from "../support/javascript-clients.ts";
import { functionTarget, openEventStage, until } from "../support/event-stage.ts";
import { openEndpoint } from "../support/http-endpoint.ts";
import { type HttpCall, send, sendSigned } from "../support/signed-http.ts";
import { known } from "./javascript/cases.ts";

// A second between attempts becomes 10 ms.
const { server, clients } = await startServerWithClients("--retry-time-factor", "0.01");
const stage = openEventStage(server, clients);
const { events } = stage;

type Authorization = Pick<CreateConnectionRequest, "AuthorizationType" | "AuthParameters">;
const API_KEY: Authorization = {
  AuthorizationType: "API_KEY",
  AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: "X-Api-Key", ApiKeyValue: "open sesame" } },
};

/** An API destination and its connection, both of the same name. */
async function destination(
  Name: string,
  endpoint: string,
  authorization = API_KEY,
  more: Partial<CreateApiDestinationRequest> = {},
): Promise<string> {
  const { ConnectionArn } = await events.createConnection({ Name, ...authorization });
  const made = await events.createApiDestination({ Name, ConnectionArn, InvocationEndpoint: endpoint, HttpMethod: "POST", ...more });
  return known(made.ApiDestinationArn);
}

interface AwsEvent {
  readonly id: string;
  readonly source: string;
  readonly "detail-type": string;
  readonly detail: unknown;
}

describe("an API destination", () => {
  test("gets the event with its connection's key, and path, headers and query of target and connection", async () => {
    const endpoint = await openEndpoint();
    const authorization = {
      ...API_KEY,
      AuthParameters: {
        ...API_KEY.AuthParameters,
        InvocationHttpParameters: {
          HeaderParameters: [{ Key: "X-Shop", Value: "berlin" }],
          QueryStringParameters: [{ Key: "version", Value: "2", IsValueSecret: true }],
          BodyParameters: [{ Key: "tenant", Value: "blue" }],
        },
      },
    };
    const Arn = await destination("keyed", `${endpoint.url}/orders/*/items/*`, authorization, { HttpMethod: "PUT" });
    const HttpParameters = {
      PathParameterValues: ["a/b", "7"],
      HeaderParameters: { "X-Shop": "paris", "X-Trace": "on" },
      QueryStringParameters: { q: "x y" },
    };
    await stage.rule("keyed", { source: ["keyed"] }, [{ Arn, HttpParameters }]);
    const id = await stage.put("keyed", { total: 300 });
    const [request] = await endpoint.count(1);
    const { method, path, headers, body } = known(request);
    assert.deepEqual([method, path], ["PUT", "/orders/a%2Fb/items/7?q=x+y&version=2"]);
    assert.deepEqual(
      [headers["x-api-key"], headers["x-shop"], headers["x-trace"], headers["content-type"], headers["user-agent"]],
      ["open sesame", "berlin", "on", "application/json; charset=utf-8", "Amazon/EventBridge/ApiDestinations"],
    );
    assert.partialDeepStrictEqual(JSON.parse(body), { id, source: "keyed", detail: { total: 300 }, tenant: "blue" });
  });

  test("gets user name and password of a BASIC connection", async () => {
    const endpoint = await openEndpoint();
    const Arn = await destination("basic", endpoint.url, {
      AuthorizationType: "BASIC",
      AuthParameters: { BasicAuthParameters: { Username: "anna", Password: "pass word" } },
    });
    await stage.rule("basic", { source: ["basic"] }, [{ Arn, Input: '{"fixed":true}' }]);
    await stage.put("basic", {});
    const [request] = await endpoint.count(1);
    assert.equal(request?.headers.authorization, `Basic ${Buffer.from("anna:pass word").toString("base64")}`);
    assert.equal(request?.body, '{"fixed":true}');
  });

  test("gets a token of an OAuth connection: asked for once, and again when the endpoint refuses it", async () => {
    const tokens = await openEndpoint((_request, response, index) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ access_token: `token-${index + 1}`, expires_in: 3_600 }));
    });
    const endpoint = await openEndpoint((_request, response, index) => {
      response.statusCode = index === 1 ? 401 : 200;
      response.end();
    });
    const Arn = await destination("oauth", endpoint.url, {
      AuthorizationType: "OAUTH_CLIENT_CREDENTIALS",
      AuthParameters: {
        OAuthParameters: {
          AuthorizationEndpoint: `${tokens.url}/token`,
          HttpMethod: "POST",
          ClientParameters: { ClientID: "shop", ClientSecret: "secret of the shop" },
          OAuthHttpParameters: { BodyParameters: [{ Key: "scope", Value: "orders" }] },
        },
      },
    });
    await until(
      () => events.describeConnection({ Name: "oauth" }),
      ({ ConnectionState }) => ConnectionState === "AUTHORIZED",
    );
    await stage.rule("oauth", { source: ["oauth"] }, [{ Arn }]);
    await stage.put("oauth", { n: 1 });
    await endpoint.count(1);
    await stage.put("oauth", { n: 2 });
    const requests = await endpoint.count(3);
    assert.deepEqual(
      requests.map(({ headers }) => headers.authorization),
      ["Bearer token-1", "Bearer token-1", "Bearer token-2"],
    );
    assert.equal(tokens.heard.length, 2);
    const asked = new URLSearchParams(tokens.heard[0]?.body);
    assert.deepEqual(Object.fromEntries(asked), {
      grant_type: "client_credentials",
      client_id: "shop",
      client_secret: "secret of the shop",
      scope: "orders",
    });
  });

  test("is called no more often than its rate", async () => {
    const endpoint = await openEndpoint();
    const Arn = await destination("slow", endpoint.url, API_KEY, { InvocationRateLimitPerSecond: 10 });
    await stage.rule("slow", { source: ["slow"] }, [{ Arn }]);
    const Entries = Array.from({ length: 10 }, (_, n) => ({ Source: "slow", DetailType: "test", Detail: JSON.stringify({ n }) }));
    await events.putEvents({ Entries });
    const requests = await endpoint.count(10);
    const times = requests.map(({ atMs }) => atMs);
    // Two go at once, eight follow at ten a second; a loaded machine may hold up the first.
    assert.ok(known(times.at(-1)) - known(times[0]) > 600, `ten requests within ${known(times.at(-1)) - known(times[0])} ms`);
    assert.equal(new Set(requests.map(({ body }) => (JSON.parse(body) as { detail: { n: number } }).detail.n)).size, 10);
  });

  test("that fails is tried again until it takes the event, and its record says how often", async () => {
    const endpoint = await openEndpoint((_request, response, index) => {
      response.statusCode = index < 2 ? 500 : 200;
      response.end();
    });
    const Arn = await destination("shaky", endpoint.url);
    await stage.rule("shaky", { source: ["shaky"] }, [{ Arn }]);
    const id = await stage.put("shaky", {});
    await endpoint.count(3);
    const delivery = await until(
      async () => (await stage.chain(id)).find(({ Target }) => Target === Arn),
      (record) => record?.State === "ended",
    );
    assert.deepEqual([delivery?.Outcome, delivery?.AttemptCount, delivery?.Cause], ["handled", 3, id]);
    assert.match(delivery?.Attempts[0]?.Error ?? "", /^HTTP_500: /);
  });

  test("that fails for good, or whose retries are used up, sends the event to the dead-letter queue and says why", async () => {
    const dead = await stage.queue("dead-letters");
    const endpoint = await openEndpoint(({ path }, response) => {
      response.statusCode = path === "/never" ? 404 : 503;
      response.end();
    });
    const DeadLetterConfig = { Arn: dead.arn };
    const never = await destination("never", `${endpoint.url}/never`);
    const later = await destination("later", `${endpoint.url}/later`);
    const neverRule = await stage.rule("never", { source: ["never"] }, [{ Arn: never, DeadLetterConfig }]);
    await stage.rule("later", { source: ["later"] }, [{ Arn: later, DeadLetterConfig, RetryPolicy: { MaximumRetryAttempts: 2 } }]);
    const id = await stage.put("never", { n: 1 });
    const first = await dead.next();
    assert.equal((JSON.parse(known(first.Body)) as AwsEvent).id, id);
    const attributes = (message: typeof first) =>
      Object.fromEntries(Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]));
    assert.partialDeepStrictEqual(attributes(first), {
      ERROR_CODE: "SDK_CLIENT_ERROR",
      RULE_ARN: neverRule,
      TARGET_ARN: never,
      RETRY_ATTEMPTS: "0",
    });
    await stage.put("later", { n: 2 });
    assert.partialDeepStrictEqual(attributes(await dead.next()), {
      ERROR_CODE: "HTTP_503",
      RETRY_ATTEMPTS: "2",
      EXHAUSTED_RETRY_CONDITION: "MaximumRetryAttempts",
    });
    assert.equal(endpoint.heard.length, 4);
  });

  test("that hangs holds up no other target of the same rule", async () => {
    const hanging = await openEndpoint(() => undefined);
    const heard = await stage.queue("beside-a-hanging-one");
    const Arn = await destination("hanging", hanging.url);
    await stage.rule("hanging", { source: ["hanging"] }, [{ Arn, RetryPolicy: { MaximumRetryAttempts: 0 } }, { Arn: heard.arn }]);
    const ids = [await stage.put("hanging", { n: 1 }), await stage.put("hanging", { n: 2 }), await stage.put("hanging", { n: 3 })];
    const putAt = performance.now();
    await heard.all(ids, (text) => (JSON.parse(text) as AwsEvent).id);
    // It is given up after five seconds; the others were there long before.
    assert.ok(performance.now() - putAt < 4_000, `the others waited for ${performance.now() - putAt} ms`);
    assert.ok((await hanging.count(1)).length > 0);
    hanging.close();
  });

  test("in a private network is never called: the event is a dead letter", async () => {
    const dead = await stage.queue("refused-letters");
    const Arn = await destination("private", "http://10.1.2.3/orders");
    await stage.rule("private", { source: ["private"] }, [{ Arn, DeadLetterConfig: { Arn: dead.arn } }]);
    await stage.put("private", {});
    const { MessageAttributes } = await dead.next();
    assert.equal(MessageAttributes?.["ERROR_CODE"]?.StringValue, "EGRESS_REFUSED");
  });
});

const sha256 = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text);
const nowSeconds = () => String(Math.floor(Date.now() / 1_000));

/** A webhook source whose events a queue hears. */
async function webhook(name: string, Style: string, ...Secrets: readonly string[]) {
  const heard = await stage.queue(`webhook-${name}`);
  await stage.rule(`webhook-${name}`, { source: [`webhook.${name}`] }, [{ Arn: heard.arn }]);
  const body = JSON.stringify({ Style, Secrets });
  const headers = { "content-type": "application/json" };
  const made = await sendSigned(server.url, { method: "PUT", path: `/_lambent/v1/webhooks/${name}`, headers, body }, server.key, "lambent");
  assert.equal(made.status, 200, made.body.toString());
  const { Webhook } = JSON.parse(made.body.toString()) as { readonly Webhook: { readonly Url: string; readonly SecretCount: number } };
  assert.deepEqual([Webhook.Url, Webhook.SecretCount], [`${server.url}/webhooks/${name}`, Secrets.length]);
  assert.doesNotMatch(made.body.toString(), /secret of/);
  const post = async (text: string, signature: Readonly<Record<string, string>>) => {
    const answer = await fetch(Webhook.Url, { method: "POST", body: text, headers: { "content-type": "application/json", ...signature } });
    return {
      status: answer.status,
      json: (await answer.json()) as { readonly id?: string; readonly code?: string; readonly duplicate?: boolean },
    };
  };
  return { heard, post };
}

describe("a webhook", () => {
  test("signed as GitHub does is an event; with another signature it is refused and nothing is on the bus", async () => {
    const { heard, post } = await webhook("repository", "github", "secret of the repository");
    const text = '{"action": "opened", "number": 7.0}';
    const signature = (secret: string) => ({ "x-hub-signature-256": `sha256=${sha256(secret, text).digest("hex")}` });
    const delivery = { "x-github-event": "pull_request", "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958" };
    for (const wrong of [signature("another secret!!"), {}, { "x-hub-signature-256": "sha256=" }])
      assert.deepEqual((await post(text, { ...delivery, ...wrong })).status, 401);
    const taken = await post(text, { ...delivery, ...signature("secret of the repository") });
    assert.equal(taken.status, 202);
    const event = await heard.told<AwsEvent>();
    assert.deepEqual(
      [event.id, event.source, event["detail-type"], event.detail],
      [taken.json.id, "webhook.repository", "pull_request", { action: "opened", number: 7 }],
    );
    const again = await post(text, { ...delivery, ...signature("secret of the repository") });
    assert.deepEqual([again.status, again.json], [200, { id: taken.json.id, duplicate: true }]);
    await heard.assertSilent();
    assert.equal((await stage.record(known(taken.json.id))).Outcome, "handled");
  });

  test("signed as Standard Webhooks say is an event, by the new secret and the old one; what is too old is refused", async () => {
    const [newer, older] = ["new", "old"].map((name) => `whsec_${Buffer.from(`${name} secret of the shop`).toString("base64")}`);
    const { heard, post } = await webhook("standard", "standard", known(newer), known(older));
    const text = JSON.stringify({ type: "invoice.paid", data: { id: 1 } });
    const signed = (id: string, secret: string, time = nowSeconds()) => {
      const key = Buffer.from(secret.slice("whsec_".length), "base64");
      const signature = `v1,${sha256(key, `${id}.${time}.${text}`).digest("base64")}`;
      return { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": `v1,nonsense ${signature}` };
    };
    for (const [index, secret] of [newer, older].entries()) {
      const { status } = await post(text, signed(`msg_${index}`, known(secret)));
      assert.equal(status, 202);
      const event = await heard.told<AwsEvent>();
      assert.deepEqual([event["detail-type"], event.detail], ["invoice.paid", { type: "invoice.paid", data: { id: 1 } }]);
    }
    const old = await post(text, signed("msg_3", known(newer), String(Number(nowSeconds()) - 600)));
    assert.equal(old.status, 401);
    await heard.assertSilent();
  });

  test("signed as Stripe does is an event, once for each id of Stripe's", async () => {
    const { heard, post } = await webhook("stripe", "stripe", "whsec_secret of the till");
    const text = JSON.stringify({ id: "evt_1", object: "event", type: "charge.succeeded", data: {} });
    const signed = () => {
      const time = nowSeconds();
      return { "stripe-signature": `t=${time},v0=old,v1=${sha256("whsec_secret of the till", `${time}.${text}`).digest("hex")}` };
    };
    assert.equal((await post(text, signed())).status, 202);
    assert.equal((await heard.told<AwsEvent>())["detail-type"], "charge.succeeded");
    assert.deepEqual((await post(text, signed())).json.duplicate, true);
    assert.equal((await post(text, { "stripe-signature": `t=${nowSeconds()},v1=00` })).status, 401);
    await heard.assertSilent();
  });

  test("is refused where it cannot be taken: unknown, too large, no JSON, no POST", async () => {
    const { heard, post } = await webhook("strict", "none");
    assert.equal((await post("{", {})).status, 400);
    assert.equal((await post("[1]", {})).status, 400);
    assert.equal((await post(JSON.stringify({ text: "x".repeat(1_048_576) }), {})).status, 413);
    assert.equal((await fetch(`${server.url}/webhooks/nobody`, { method: "POST", body: "{}" })).status, 404);
    const got = await fetch(`${server.url}/webhooks/strict`);
    assert.deepEqual([got.status, got.headers.get("allow")], [405, "POST"]);
    assert.equal((await post("{}", {})).status, 202);
    await heard.next();
    const largest = await post(JSON.stringify({ text: "x".repeat(1_048_576 - '{"text":""}'.length) }), {});
    assert.equal(largest.status, 202);
    // With its envelope it is more than a queue takes: it was on the bus, and its record says what became of it.
    const delivery = await until(
      async () => (await stage.chain(known(largest.json.id))).find(({ Target }) => Target === heard.arn),
      (record) => record?.State === "ended",
    );
    assert.match(delivery?.Attempts[0]?.Error ?? "", /^SDK_CLIENT_ERROR: /);
    await heard.assertSilent();
    const gone = await sendSigned(server.url, { method: "DELETE", path: "/_lambent/v1/webhooks/strict" }, server.key, "lambent");
    assert.equal(gone.status, 200);
    assert.equal((await post("{}", {})).status, 404);
  });
});

test("after a restart the secrets of webhooks and connections are as they were, and still told to nobody", async () => {
  const { heard, post } = await webhook("kept", "github", "secret of the kept one");
  const endpoint = await openEndpoint();
  const Arn = await destination("kept", endpoint.url);
  await stage.rule("kept", { source: ["webhook.kept"] }, [{ Arn }]);
  await server.restart();
  const signature = { "x-hub-signature-256": `sha256=${sha256("secret of the kept one", "{}").digest("hex")}` };
  assert.equal((await post("{}", { "x-hub-signature-256": `sha256=${sha256("another secret!!", "{}").digest("hex")}` })).status, 401);
  const { json } = await post("{}", signature);
  assert.equal((await heard.told<AwsEvent>()).id, json.id);
  const [request] = await endpoint.count(1);
  assert.equal(request?.headers["x-api-key"], "open sesame");
  assert.doesNotMatch(JSON.stringify(await events.describeConnection({ Name: "kept" })), /open sesame/);
  const shown = await sendSigned(server.url, { method: "GET", path: "/_lambent/v1/webhooks/kept" }, server.key, "lambent");
  assert.doesNotMatch(shown.body.toString(), /secret of/);
});

interface CloudEventJson {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly data?: unknown;
  readonly [extension: string]: unknown;
}

describe("CloudEvents", () => {
  const path = "/cloud-events/default";
  const post = (call: Partial<HttpCall>) => sendSigned(server.url, { path, ...call }, server.key, "events");
  const entriesOf = (body: Buffer) => (JSON.parse(body.toString()) as { entries: readonly { id?: string; code?: string }[] }).entries;

  test("come in by binary, structured and batched mode, and a function gets them as CloudEvents", async () => {
    const files = answering("return { type: event.type, data: event.data, shop: event.shop };");
    const heard = await stage.hearing("cloud-reader", { files });
    const target = { ...functionTarget("cloud-reader"), InputTransformer: { InputTemplate: "<lambent.cloudevent>" } };
    await stage.rule("clouds", { source: [{ prefix: "/clouds" }], "detail-type": ["com.example.order"] }, [target]);
    const shown = async () => await heard.told<{ requestPayload: CloudEventJson; responsePayload: object }>();

    const attributes = {
      "ce-specversion": "1.0",
      "ce-id": "A-1",
      "ce-source": "/clouds/1",
      "ce-type": "com.example.order",
      "ce-shop": "K%C3%B6ln",
    };
    const binary = await post({ headers: { ...attributes, "content-type": "application/json; charset=utf-8" }, body: '{"total":1}' });
    assert.equal(binary.status, 200, binary.body.toString());
    const first = await shown();
    assert.deepEqual(first.responsePayload, { type: "com.example.order", data: { total: 1 }, shop: "Köln" });
    assert.deepEqual(
      [first.requestPayload.id, first.requestPayload.source, first.requestPayload["specversion"]],
      ["A-1", "/clouds/1", "1.0"],
    );

    const event = { specversion: "1.0", id: "A-2", source: "/clouds/2", type: "com.example.order", data: { total: 2 } };
    const structured = await post({
      headers: { "content-type": "application/cloudevents+json; charset=utf-8" },
      body: JSON.stringify(event),
    });
    assert.equal(structured.status, 200, structured.body.toString());
    assert.deepEqual((await shown()).requestPayload.data, { total: 2 });

    const batch = [3, 4].map((total) => ({ ...event, id: `A-${total}`, data: { total } }));
    const batched = await post({
      headers: { "content-type": "application/cloudevents-batch+json; charset=utf-8" },
      body: JSON.stringify(batch),
    });
    const entries = entriesOf(batched.body);
    assert.deepEqual([batched.status, entries.length], [200, 2]);
    const totals = [await shown(), await shown()].map(({ requestPayload }) => (requestPayload.data as { total: number }).total);
    assert.deepEqual(new Set(totals), new Set([3, 4]));
    assert.equal((await stage.record(known(entries[0]?.id))).Outcome, "handled");
  });

  test("are refused unsigned, wrongly signed, malformed, and for a bus that is not there; nothing of them is on the bus", async () => {
    const heard = await stage.queue("refused-clouds");
    await stage.rule("refused-clouds", { source: ["/refused"] }, [{ Arn: heard.arn }]);
    const headers = { "content-type": "application/cloudevents+json" };
    const body = JSON.stringify({ specversion: "1.0", id: "1", source: "/refused", type: "t" });
    assert.equal((await send(server.url, { path, headers, body })).status, 403);
    assert.equal(
      (await sendSigned(server.url, { path, headers, body }, { ...server.key, secretAccessKey: "guessed" }, "events")).status,
      403,
    );
    assert.equal((await sendSigned(server.url, { path, headers, body }, server.key, "lambda")).status, 403);
    assert.equal((await post({ headers, body: body.replace('"1.0"', '"0.3"') })).status, 400);
    const batch = { headers: { "content-type": "application/cloudevents-batch+json" }, body: `[${body},{"specversion":"1.0"}]` };
    assert.equal((await post(batch)).status, 400);
    assert.equal((await post({ path: "/cloud-events/nobodys", headers, body })).status, 404);
    await heard.assertSilent();
    assert.equal((await post({ headers, body })).status, 200);
    assert.equal((await heard.told<AwsEvent>())["detail-type"], "t");
  });
});
