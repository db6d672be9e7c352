import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { SNS, type SNSClientConfig } from "@aws-sdk/client-sns";
import { snsService } from "../../../src/api/sns/service.ts";
import { seededRandom, systemClock, systemSecureRandom } from "../../../src/base/index.ts";
import { ApiHandler, BodyBudget } from "../../../src/gateway/index.ts";
import type { Outbox } from "../../../src/outbox/index.ts";
import { createCipher, type SigningKey } from "../../../src/security/index.ts";
import { openMemoryStore } from "../../../src/storage/index.ts";
import { openTopics, type Topics } from "../../../src/topics/index.ts";
import { TEST_KEY, testSecurity, type TestSecurity } from "../../support/api-client.ts";
import { type HttpReply, send, sendSigned } from "../../support/signed-http.ts";
import { readyService } from "../../support/ready-service.ts";
import { testKey } from "../../topics/world.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

export const ACCOUNT = TEST_KEY.account;
export const arnOf = (name: string, account = ACCOUNT): string => `arn:aws:sns:us-east-1:${account}:${name}`;
export const queueArnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;

export interface SnsWorld {
  readonly endpoint: string;
  readonly topics: Topics;
  readonly security: TestSecurity;
  readonly sns: SNS;
  client(key: SigningKey): SNS;
  /** A form by hand. */
  form(pairs: Readonly<Record<string, string>>): Promise<HttpReply>;
  /** What somebody does who follows a link. */
  follow(url: string): Promise<HttpReply>;
  /** Creates a topic; its ARN. */
  make(Name: string, Attributes?: Record<string, string>): Promise<string>;
  /** The payloads that wait, of all topics; taken. */
  waiting(count: number): Promise<string[]>;
}

/** SNS behind the gateway's own handler, which knows who may come without a signature. */
export async function openSns(test: TestContext): Promise<SnsWorld> {
  const security = await testSecurity(test);
  const store = openMemoryStore();
  const outboxes = new Set<Outbox>();
  let endpoint = "";
  const topics = await openTopics({
    store,
    clock: systemClock,
    random: seededRandom(1),
    secureRandom: systemSecureRandom,
    cipher: createCipher(Buffer.alloc(32, 7), systemSecureRandom),
    endpoint: () => endpoint,
    onOpened: (_cell, _realm, outbox) => void outboxes.add(outbox),
    onProblem: (error) => assert.fail(String(error)),
    retryTimeFactor: 1,
    makeKey: testKey,
  });
  test.after(async () => {
    await topics.close();
    await store.close();
  });
  endpoint = await serve(test, topics, security);
  const client = (key: SigningKey): SNS => {
    const made = new SNS({
      endpoint,
      region: "us-east-1",
      maxAttempts: 1,
      credentials: { ...key } as NonNullable<SNSClientConfig["credentials"]>,
    });
    test.after(() => made.destroy());
    return made;
  };
  const sns = client(TEST_KEY);
  return {
    endpoint,
    topics,
    security,
    sns,
    client,
    form: (pairs) =>
      sendSigned(
        endpoint,
        { path: "/", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams(pairs).toString() },
        TEST_KEY,
        "sns",
      ),
    follow(url) {
      const { origin, pathname, search } = new URL(url);
      return send(origin, { method: "GET", path: pathname + search });
    },
    async make(Name, Attributes = {}) {
      return (await sns.createTopic({ Name, Attributes })).TopicArn ?? assert.fail("no ARN");
    },
    async waiting(count) {
      const found: string[] = [];
      for (const outbox of outboxes) {
        while (found.length < count && outbox.open > 0)
          for (const taken of (await outbox.take(100)) ?? []) {
            found.push(taken.parcel.payload.toString());
            await outbox.settle(taken, { kind: "taken", recorded: false, durationMs: 0 }, 0);
          }
      }
      return found;
    },
  };
}

async function serve(test: TestContext, topics: Topics, security: TestSecurity): Promise<string> {
  const api = new ApiHandler({
    services: [readyService(snsService(topics))],
    authenticator: security.authenticator,
    authorize: ({ principal, requestId, realm }, permission) =>
      security.authorizer.authorize({ principal, requestId, region: realm.region, ...permission }),
    bodies: new BodyBudget(),
    clock: systemClock,
    secureRandom: systemSecureRandom,
    stopping: new AbortController().signal,
    reportDefect: (error) => assert.fail(`a defect: ${error instanceof Error ? String(error.stack) : String(error)}`),
  });
  const server = createServer((incoming, outgoing) => void api.handle(incoming, outgoing, "http://here"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
