import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { TestContext } from "node:test";
import { SQS } from "@aws-sdk/client-sqs";
import { sqsService } from "../../../src/api/sqs/service.ts";
import { systemClock, systemSecureRandom } from "../../../src/base/index.ts";
import { openQueues, type Queues } from "../../../src/queues/index.ts";
import type { SigningKey } from "../../../src/security/index.ts";
import { openMemoryStore } from "../../../src/storage/index.ts";
import { serveServices, TEST_KEY, testSecurity, type TestSecurity } from "../../support/api-client.ts";
import { type HttpReply, sendSigned } from "../../support/signed-http.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

const require = createRequire(import.meta.url);

export interface SqsWorld {
  readonly endpoint: string;
  readonly queues: Queues;
  readonly security: TestSecurity;
  /** The SDK in today's protocol. */
  readonly sqs: SQS;
  /** The SDK in the protocol of older ones. */
  readonly older: SQS;
  client(key: SigningKey): SQS;
  /** A form as older clients send it, by hand. */
  form(path: string, pairs: Readonly<Record<string, string>>): Promise<HttpReply>;
  /** Today's protocol, by hand. */
  json(operation: string, input: object): Promise<HttpReply>;
}

export async function openSqs(test: TestContext): Promise<SqsWorld> {
  const security = await testSecurity(test);
  const store = openMemoryStore();
  const queues = await openQueues({
    store,
    clock: systemClock,
    secureRandom: systemSecureRandom,
    onProblem: (error) => assert.fail(String(error)),
  });
  test.after(async () => {
    await queues.close();
    await store.close();
  });
  const endpoint = await serveServices(test, [sqsService({ queues, roles: security.roles })], security);
  const client = (settings: object): SQS => {
    const made = new SQS({ endpoint, region: "us-east-1", maxAttempts: 1, credentials: TEST_KEY, ...settings });
    test.after(() => made.destroy());
    return made;
  };
  const { AwsQueryProtocol } = createRequire(require.resolve("@aws-sdk/client-sqs"))("@aws-sdk/core/protocols") as Record<string, unknown>;
  return {
    endpoint,
    queues,
    security,
    sqs: client({}),
    older: client({ protocol: AwsQueryProtocol }),
    client: (key) => client({ credentials: key }),
    form: (path, pairs) =>
      sendSigned(
        endpoint,
        { path, headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams(pairs).toString() },
        TEST_KEY,
        "sqs",
      ),
    json: (operation, input) =>
      sendSigned(
        endpoint,
        {
          path: "/",
          headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${operation}` },
          body: JSON.stringify(input),
        },
        TEST_KEY,
        "sqs",
      ),
  };
}
