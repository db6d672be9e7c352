import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WEBHOOK_OPERATIONS } from "../../../src/api/lambent/webhook-schema.ts";
import { webhookOperations } from "../../../src/api/lambent/webhooks.ts";
import type { RequestContext } from "../../../src/api/operation.ts";
import { LambentError, ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import { Webhooks } from "../../../src/bus/index.ts";
import { createCipher } from "../../../src/security/index.ts";
import { eachCell, eachRow, MemoryDisk, openMemoryStore, type Store } from "../../../src/storage/index.ts";
import { defineService, serviceData } from "../../../src/wire/index.ts";
import { serveServices, TEST_KEY, testSecurity } from "../../support/api-client.ts";
import { sendSigned } from "../../support/signed-http.ts";

const REALM = { account: "000000000000", region: "us-east-1" };
const SECRET = "a-secret-of-its-own";
const STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

function open(store: Store, unsignedAllowed = true): Promise<Webhooks> {
  const cipher = createCipher(Buffer.alloc(32, 1), systemSecureRandom);
  const requireBus = (_realm: object, bus: string): void => {
    if (bus === "none") throw new LambentError("NotFound", "Event bus none does not exist.");
  };
  return Webhooks.open({ store, cipher, clock: new ManualClock(), unsignedAllowed, requireBus });
}

describe("a webhook source", () => {
  test("keeps its secrets sealed, over a start, and until others are given", async () => {
    const disk = new MemoryDisk();
    const store = openMemoryStore({ disk });
    const first = await open(store);
    const draft = { style: "github", bus: "default", detailType: undefined, secrets: [SECRET, "another-secret-of-it"] } as const;
    await first.put(REALM, "gh", draft);
    let rows = "";
    for await (const cell of eachCell(store)) for await (const { value } of eachRow(store, cell)) rows += Buffer.from(value).toString();
    assert.ok(rows.includes("github") && !rows.includes(SECRET));
    await store.close();
    const again = openMemoryStore({ disk });
    const second = await open(again);
    assert.deepEqual(second.check(REALM, second.get(REALM, "gh")), { style: "github", secrets: draft.secrets });
    await second.put(REALM, "gh", { ...draft, detailType: "push", secrets: undefined });
    assert.deepEqual(second.check(REALM, second.get(REALM, "gh"))?.secrets, draft.secrets);
    await second.put(REALM, "gh", { ...draft, secrets: ["the-newest-secret-of-it"] });
    assert.deepEqual(second.check(REALM, second.get(REALM, "gh"))?.secrets, ["the-newest-secret-of-it"]);
    await again.close();
  });

  test("takes what is not signed on loopback only, also when the server moves off it later", async () => {
    const disk = new MemoryDisk();
    const store = openMemoryStore({ disk });
    const unsigned = { style: "none", bus: "default", detailType: undefined, secrets: undefined } as const;
    const onLoopback = await open(store);
    await onLoopback.put(REALM, "open", unsigned);
    assert.deepEqual(onLoopback.check(REALM, onLoopback.get(REALM, "open")), { style: "none", secrets: [] });
    await store.close();
    const again = openMemoryStore({ disk });
    const outside = await open(again, false);
    await assert.rejects(async () => outside.put(REALM, "more", unsigned), { code: "InvalidParameter", message: /loopback/ });
    assert.equal(outside.check(REALM, outside.get(REALM, "open")), undefined);
    await again.close();
  });

  test("of a bus that is not there is refused, and nothing of it is kept", async () => {
    const store = openMemoryStore();
    const webhooks = await open(store);
    const draft = { style: "github", detailType: undefined, secrets: [SECRET] } as const;
    await assert.rejects(webhooks.put(REALM, "gh", { ...draft, bus: "none" }), { code: "NotFound", message: /bus none/ });
    await webhooks.put(REALM, "gh", { ...draft, bus: "default" });
    await assert.rejects(webhooks.put(REALM, "gh", { ...draft, bus: "none" }), { code: "NotFound" });
    assert.equal(webhooks.get(REALM, "gh").bus, "default");
    await store.close();
  });

  test("is refused with secrets that are none, too few or too many, and no message repeats one", async (context) => {
    const store = openMemoryStore();
    context.after(() => store.close());
    const webhooks = await open(store);
    const put = async (style: "standard" | "github" | "none", secrets: readonly string[] | undefined) =>
      webhooks.put(REALM, "w", { style, bus: "default", detailType: undefined, secrets });
    for (const secrets of [undefined, [], ["short"], ["x".repeat(257)], Array.from({ length: 5 }, () => SECRET)])
      await assert.rejects(put("github", secrets), { code: "InvalidParameter" });
    for (const secret of ["not base64 at all!", "whsec_c2hvcnQ=" + " ".repeat(4), "whsec_AAAAAAAAAAAAAAAA"])
      await assert.rejects(put("standard", [secret]), (error: Error) => !error.message.includes(secret));
    await assert.rejects(put("none", [SECRET]), { code: "InvalidParameter" });
    await put("standard", [STANDARD]);
    for (const [name, bus] of [
      ["no name", "default"],
      ["w", "no bus"],
    ] as const)
      await assert.rejects(async () => webhooks.put(REALM, name, { style: "github", bus, detailType: undefined, secrets: [SECRET] }), {
        code: "InvalidParameter",
      });
  });
});

describe("webhook sources in our own API", () => {
  test("are put, read without a secret, listed in order, and deleted", async (context) => {
    const store = openMemoryStore();
    context.after(() => store.close());
    const webhooks = await open(store);
    const operations = webhookOperations(async () => webhooks);
    const caller = { realm: REALM, endpoint: "http://127.0.0.1:4566" } as RequestContext;
    await operations.PutWebhook({ Name: "stripe", Style: "stripe", Secrets: [SECRET] }, caller);
    const { Webhook } = await operations.PutWebhook(
      { Name: "gh", Style: "github", Secrets: [SECRET], EventBusName: "code", DetailType: "x" },
      caller,
    );
    const { CreatedAt, ModifiedAt, ...rest } = Webhook;
    assert.deepEqual(CreatedAt, ModifiedAt);
    assert.deepEqual(rest, {
      ...{ Name: "gh", Style: "github", EventBusName: "code", DetailType: "x", SecretCount: 1 },
      ...{ Url: "http://127.0.0.1:4566/webhooks/gh", Source: "webhook.gh" },
    });
    assert.deepEqual(await operations.GetWebhook({ Name: "gh" }, caller), { Webhook });
    const listed = await operations.ListWebhooks({}, caller);
    assert.deepEqual(
      listed.Webhooks.map(({ Name }) => Name),
      ["gh", "stripe"],
    );
    assert.ok(!JSON.stringify(listed).includes(SECRET));
    await operations.DeleteWebhook({ Name: "gh" }, caller);
    await assert.rejects(operations.GetWebhook({ Name: "gh" }, caller), { code: "NotFound" });
    await assert.rejects(operations.DeleteWebhook({ Name: "gh" }, caller), { code: "NotFound" });
  });

  test("are served by their schema, whose refusals repeat no secret", async (context) => {
    const store = openMemoryStore();
    context.after(() => store.close());
    const metadata = {
      name: "lambent",
      signingName: "lambent",
      endpointPrefix: "lambent",
      apiVersion: "v1",
      protocol: "restJson1",
      targetPrefix: "Lambent",
      namespace: "lambent",
    } as const;
    const webhooks = await open(store);
    const service = {
      model: defineService(serviceData(metadata, WEBHOOK_OPERATIONS)),
      operations: webhookOperations(async () => webhooks),
      wireError: ({ code, message, entry }: LambentError) => ({ name: code, message, status: entry.status, fault: entry.fault }),
      permission: () => undefined,
    };
    const endpoint = await serveServices(context, [service], await testSecurity(context));
    const call = async (method: string, name: string, body?: object) => {
      const path = `/_lambent/v1/webhooks${name}`;
      const headers = { "content-type": "application/json" };
      const reply = await sendSigned(endpoint, { method, path, headers, body: body ? JSON.stringify(body) : "" }, TEST_KEY, "lambent");
      return { status: reply.status, text: reply.body.toString() };
    };
    assert.equal((await call("PUT", "/gh", { Style: "github", Secrets: [SECRET] })).status, 200);
    const got = await call("GET", "/gh");
    assert.deepEqual((JSON.parse(got.text) as { Webhook: { Name: string; SecretCount: number } }).Webhook.SecretCount, 1);
    assert.equal((JSON.parse((await call("GET", "")).text) as { Webhooks: unknown[] }).Webhooks.length, 1);
    for (const wrong of [
      { Style: "other", Secrets: [SECRET] },
      { Style: "standard", Secrets: [SECRET] },
      { Style: "github", Secrets: [SECRET.repeat(20)] },
      { Secrets: [SECRET] },
    ]) {
      const { status, text } = await call("PUT", "/gh", wrong);
      assert.deepEqual([status, text.includes(SECRET)], [400, false], text);
    }
    assert.equal((await call("DELETE", "/gh")).status, 200);
    assert.equal((await call("GET", "/gh")).status, 404);
  });
});
