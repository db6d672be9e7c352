/** A server that has just said it is ready: much of it is loaded and opened behind that, or at its first use, and nobody notices. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { openEndpoint } from "../support/http-endpoint.ts";
import { javascriptClients, type JavaScriptClients } from "../support/javascript-clients.ts";
import { startServer } from "../support/server.ts";
import { send, sendSigned } from "../support/signed-http.ts";
import { known } from "./javascript/cases.ts";

const server = await startServer("--pool", "0");
after(() => server.stop());

const clients = (): JavaScriptClients => javascriptClients(server);

describe("right after a start", () => {
  const firstCalls: Readonly<Record<string, (asked: JavaScriptClients) => Promise<unknown>>> = {
    lambda: ({ lambda }) => lambda.listFunctions({}),
    iam: ({ iam }) => iam.listRoles({}),
    sts: ({ sts }) => sts.getCallerIdentity({}),
    logs: ({ logs }) => logs.describeLogGroups({}),
    sqs: ({ sqs }) => sqs.listQueues({}),
    events: ({ events }) => events.putEvents({ Entries: [{ Source: "tests", DetailType: "asked", Detail: "{}" }] }),
    scheduler: ({ scheduler }) => scheduler.listSchedules({}),
    sns: ({ sns }) => sns.listTopics({}),
    kinesis: ({ kinesis }) => kinesis.listStreams({}),
    s3: ({ s3 }) => s3.listBuckets({}),
    lambent: () => status(),
  };

  async function status(): Promise<void> {
    const reply = await sendSigned(server.url, { method: "GET", path: "/_lambent/v1/status" }, server.key, "lambent");
    assert.equal(reply.status, 200, reply.body.toString());
  }

  test("every service answers its first call, all of them at once", async () => {
    await server.restart();
    const asked = clients();
    await Promise.all(Object.values(firstCalls).map((first) => first(asked)));
  });

  test("health, certificates, webhooks and CloudEvents are answered as ever", async () => {
    await server.restart();
    const certificate = `/SimpleNotificationService-${"0".repeat(32)}.pem`;
    const health = await send(server.url, { method: "GET", path: "/_lambent/health" });
    const { services } = JSON.parse(health.body.toString()) as { readonly services: Readonly<Record<string, string>> };
    assert.deepEqual(Object.keys(services).toSorted(), Object.keys(firstCalls).toSorted());
    const statuses = await Promise.all(
      [
        { method: "GET", path: certificate },
        { path: "/webhooks/none", body: "{}" },
        { path: "/cloud-events/default", headers: { "content-type": "application/cloudevents+json" }, body: "{}" },
      ].map(async (call) => (await send(server.url, call)).status),
    );
    assert.deepEqual(statuses, [404, 404, 403]);
  });

  test("a stop at once ends it cleanly, whatever was being opened", async () => {
    await server.restart();
    await server.restart();
    const asked = clients();
    const calls = Promise.allSettled(Object.values(firstCalls).map((first) => first(asked)));
    await server.restart();
    await calls;
    await asked.events.listEventBuses({});
  });
});

test("P1: what waited before a kill is taken up behind the next start, though nobody asks for anything", async () => {
  // The first one is never answered: nothing comes after it until the server is another one.
  const endpoint = await openEndpoint((_request, response, index) => (index === 0 ? undefined : void response.end()));
  const { sns } = clients();
  const TopicArn = known((await sns.createTopic({ Name: "waiting" })).TopicArn);
  await sns.subscribe({ TopicArn, Protocol: "http", Endpoint: `${endpoint.url}/topic` });
  const [first] = await endpoint.count(1);
  await server.restartAfterKill();
  const [, again] = await endpoint.count(2);
  assert.equal(known(again).headers["x-amz-sns-message-id"], known(first).headers["x-amz-sns-message-id"]);
});
