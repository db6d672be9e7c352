import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { destinationOperations, destinationPermission } from "../../../src/api/events/destinations.ts";
import { eventsWireError } from "../../../src/api/events/errors.ts";
import { ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import { ApiDestinations, Connections } from "../../../src/bus/index.ts";
import { createCipher } from "../../../src/security/index.ts";
import { openMemoryStore } from "../../../src/storage/index.ts";
import { loadService } from "../../../src/wire/index.ts";
import { serveServices, TEST_KEY, testSecurity } from "../../support/api-client.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

const REALM = { account: "000000000000", region: "us-east-1" };
const BASIC = { AuthorizationType: "BASIC", AuthParameters: { BasicAuthParameters: { Username: "ada", Password: "hunter2" } } } as const;

async function openEvents(context: TestContext) {
  const store = openMemoryStore();
  context.after(() => store.close());
  const clock = new ManualClock();
  const common = { store, clock, secureRandom: systemSecureRandom };
  const cipher = createCipher(Buffer.alloc(32, 1), systemSecureRandom);
  const connections = await Connections.open({ ...common, cipher, onAuthorizing: () => undefined });
  const apiDestinations = await ApiDestinations.open({ ...common, connections });
  const parts = { connections, apiDestinations };
  const permissions: string[] = [];
  const service = {
    model: loadService("events"),
    operations: destinationOperations(parts),
    wireError: eventsWireError,
    permission: (operation: string, input: Readonly<Record<string, unknown>>) => {
      const permission = destinationPermission(parts, operation, input, { realm: REALM });
      permissions.push(`${permission?.action} ${permission?.resource}`);
      return permission;
    },
  };
  const endpoint = await serveServices(context, [service], await testSecurity(context));
  const events = new EventBridge({ endpoint, region: "us-east-1", maxAttempts: 1, credentials: TEST_KEY });
  context.after(() => events.destroy());
  return { events, clock, connections, permissions };
}

describe("connections over the SDK", () => {
  test("are made, described without a secret, listed, changed, de-authorized and deleted", async (context) => {
    const { events, clock, connections } = await openEvents(context);
    const made = await events.createConnection({
      Name: "api",
      Description: "an API",
      AuthorizationType: "OAUTH_CLIENT_CREDENTIALS",
      AuthParameters: {
        OAuthParameters: {
          ClientParameters: { ClientID: "client", ClientSecret: "top-secret" },
          AuthorizationEndpoint: "https://auth.test/token",
          HttpMethod: "POST",
          OAuthHttpParameters: { BodyParameters: [{ Key: "scope", Value: "top-secret", IsValueSecret: true }] },
        },
        InvocationHttpParameters: {
          HeaderParameters: [
            { Key: "X-Shown", Value: "shown" },
            { Key: "X-Hidden", Value: "top-secret", IsValueSecret: true },
          ],
        },
      },
    });
    assert.match(made.ConnectionArn ?? "", /^arn:aws:events:us-east-1:000000000000:connection\/api\/[0-9a-f-]{36}$/);
    assert.equal(made.ConnectionState, "AUTHORIZING");
    await connections.settle(REALM, connections.get(REALM, "api"), { kind: "refused", reason: "no such client" });

    const { $metadata: _, ...described } = await events.describeConnection({ Name: "api" });
    const at = new Date(clock.now() - (clock.now() % 1_000));
    assert.deepEqual(described, {
      ConnectionArn: made.ConnectionArn,
      Name: "api",
      Description: "an API",
      ConnectionState: "DEAUTHORIZED",
      StateReason: "no such client",
      AuthorizationType: "OAUTH_CLIENT_CREDENTIALS",
      AuthParameters: {
        OAuthParameters: {
          ClientParameters: { ClientID: "client" },
          AuthorizationEndpoint: "https://auth.test/token",
          HttpMethod: "POST",
          OAuthHttpParameters: { BodyParameters: [{ Key: "scope", IsValueSecret: true }] },
        },
        InvocationHttpParameters: {
          HeaderParameters: [
            { Key: "X-Shown", Value: "shown", IsValueSecret: false },
            { Key: "X-Hidden", IsValueSecret: true },
          ],
        },
      },
      CreationTime: at,
      LastModifiedTime: at,
    });

    const updated = await events.updateConnection({ Name: "api", ...BASIC });
    assert.equal(updated.ConnectionState, "AUTHORIZED");
    assert.deepEqual(updated.LastAuthorizedTime, at);
    const { AuthParameters } = await events.describeConnection({ Name: "api" });
    assert.deepEqual(AuthParameters?.BasicAuthParameters, { Username: "ada" });
    assert.equal((await events.deauthorizeConnection({ Name: "api" })).ConnectionState, "DEAUTHORIZED");
    assert.equal((await events.describeConnection({ Name: "api" })).AuthParameters, undefined);
    const { ConnectionState } = await events.deleteConnection({ Name: "api" });
    assert.equal(ConnectionState, "DELETING");
    await assert.rejects(events.describeConnection({ Name: "api" }), { name: "ResourceNotFoundException" });
  });

  test("come in pages, by prefix and by state", async (context) => {
    const { events } = await openEvents(context);
    for (const Name of ["b1", "a2", "a1", "a3"]) await events.createConnection({ Name, ...BASIC });
    await events.deauthorizeConnection({ Name: "a2" });
    const first = await events.listConnections({ NamePrefix: "a", Limit: 2 });
    assert.deepEqual(
      first.Connections?.map(({ Name }) => Name),
      ["a1", "a2"],
    );
    const second = await events.listConnections({ NamePrefix: "a", Limit: 2, NextToken: first.NextToken });
    assert.deepEqual(
      second.Connections?.map(({ Name }) => Name),
      ["a3"],
    );
    assert.equal(second.NextToken, undefined);
    const { Connections: deauthorized } = await events.listConnections({ ConnectionState: "DEAUTHORIZED" });
    assert.deepEqual(
      deauthorized?.map(({ Name }) => Name),
      ["a2"],
    );
  });

  test("are refused with EventBridge's names for it", async (context) => {
    const { events } = await openEvents(context);
    await events.createConnection({ Name: "c", ...BASIC });
    await assert.rejects(events.createConnection({ Name: "c", ...BASIC }), {
      name: "ResourceAlreadyExistsException",
      message: "Connection c already exists.",
    });
    const wrong = { name: "ValidationException" };
    await assert.rejects(events.createConnection({ Name: "no name", ...BASIC }), wrong);
    await assert.rejects(events.createConnection({ ...BASIC, Name: "d", AuthorizationType: "API_KEY" }), wrong);
    await assert.rejects(events.createConnection({ Name: "d", AuthorizationType: "BASIC", AuthParameters: {} }), wrong);
    await assert.rejects(events.createConnection({ ...BASIC, Name: "d", KmsKeyIdentifier: "k" }), { name: "NotImplemented" });
    for (const Password of ["hunter2:colon", "hunter2\nline", "hunter2".repeat(100)])
      await assert.rejects(
        events.createConnection({
          Name: "d",
          AuthorizationType: "BASIC",
          AuthParameters: { BasicAuthParameters: { Username: "ada", Password } },
        }),
        ({ name, message }: Error) => name === "ValidationException" && !message.includes("hunter2"),
        "no message repeats a secret",
      );
    await assert.rejects(events.deauthorizeConnection({ Name: "d" }), { name: "ResourceNotFoundException" });
  });
});

describe("API destinations over the SDK", () => {
  test("are made, described, listed by connection, changed and deleted; they are active while their connection is", async (context) => {
    const { events, permissions } = await openEvents(context);
    const { ConnectionArn } = await events.createConnection({ Name: "c", ...BASIC });
    const made = await events.createApiDestination({
      ...{ Name: "d", Description: "a destination", ConnectionArn, HttpMethod: "PUT" },
      InvocationEndpoint: "https://api.test/users/*",
    });
    assert.equal(made.ApiDestinationState, "ACTIVE");
    assert.equal(permissions.at(-1), "events:CreateApiDestination arn:aws:events:us-east-1:000000000000:api-destination/d");
    await events.updateApiDestination({ Name: "d", InvocationRateLimitPerSecond: 5, HttpMethod: "POST" });
    assert.equal(permissions.at(-1), `events:UpdateApiDestination ${made.ApiDestinationArn}`);
    await events.deauthorizeConnection({ Name: "c" });
    const { $metadata: _, CreationTime, LastModifiedTime, ...described } = await events.describeApiDestination({ Name: "d" });
    assert.ok(CreationTime && LastModifiedTime);
    assert.deepEqual(described, {
      ...{ ApiDestinationArn: made.ApiDestinationArn, Name: "d", Description: "a destination", ConnectionArn },
      ...{
        ApiDestinationState: "INACTIVE",
        InvocationEndpoint: "https://api.test/users/*",
        HttpMethod: "POST",
        InvocationRateLimitPerSecond: 5,
      },
    });
    const { ApiDestinations: of } = await events.listApiDestinations({ ConnectionArn });
    assert.deepEqual(
      of?.map(({ Name }) => Name),
      ["d"],
    );
    const { ApiDestinations: none } = await events.listApiDestinations({ ConnectionArn: `${ConnectionArn}0` });
    assert.deepEqual(none, []);
    await events.deleteConnection({ Name: "c" });
    assert.equal((await events.describeApiDestination({ Name: "d" })).ApiDestinationState, "INACTIVE");
    await events.deleteApiDestination({ Name: "d" });
    await assert.rejects(events.describeApiDestination({ Name: "d" }), {
      name: "ResourceNotFoundException",
      message: "Failed to describe the api-destination(s). An api-destination 'd' does not exist.",
    });
  });
});
