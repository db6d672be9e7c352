/**
 * Every operation that is built, by the SDK for JavaScript over the wire of a real server: what it does shows in another
 * operation or a call, and what it refuses arrives as the SDK's own error. What is not built answers 501 with its name.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { iamPolicyCases } from "./iam-policies.ts";
import { iamRoleCases } from "./iam-roles.ts";
import { stsCases } from "./sts.ts";
import { s3Cases } from "./s3.ts";
import { eventsCases } from "./events.ts";
import { schedulerCases } from "./scheduler.ts";
import { snsCases } from "./sns.ts";
import { sqsCases } from "./sqs.ts";
import { kinesisCases } from "./kinesis.ts";
import { logsCases } from "./logs.ts";
import { lambdaCases } from "./lambda-cases.ts";
import { assertRefused, type OperationCase, openStage } from "./cases.ts";
import { checkGolden } from "../../support/golden.ts";
import { SERVICES, startRecordedServer } from "../../support/recorder.ts";
import { loadService } from "../../../src/wire/index.ts";
import { GENERATED_BUCKET } from "../../support/wire-values.ts";
import { answerOf, clientVersion } from "./any-operation.ts";

const CASES = {
  lambda: lambdaCases,
  iam: { ...iamRoleCases, ...iamPolicyCases },
  sts: stsCases,
  logs: logsCases,
  sqs: sqsCases,
  events: eventsCases,
  sns: snsCases,
  scheduler: schedulerCases,
  kinesis: kinesisCases,
  s3: s3Cases,
} as const satisfies Record<(typeof SERVICES)[number], Readonly<Record<string, OperationCase>>>;

/** Answers of their own. */
const OTHERWISE: Readonly<Record<string, string>> = {
  // What clients send without a signature is refused for that, before anybody looks at what it asks for.
  AssumeRoleWithSAML: "AssumeRoleWithSAML: 403 MissingAuthenticationToken",
  AssumeRoleWithWebIdentity: "AssumeRoleWithWebIdentity: 403 MissingAuthenticationToken",
  // A bucket that never had such a document says so, as one of AWS without it does.
  GetBucketAnalyticsConfiguration: "GetBucketAnalyticsConfiguration: 404 NoSuchConfiguration",
  GetBucketIntelligentTieringConfiguration: "GetBucketIntelligentTieringConfiguration: 404 NoSuchConfiguration",
  GetBucketInventoryConfiguration: "GetBucketInventoryConfiguration: 404 NoSuchConfiguration",
  GetBucketMetricsConfiguration: "GetBucketMetricsConfiguration: 404 NoSuchConfiguration",
  GetBucketReplication: "GetBucketReplication: 404 ReplicationConfigurationNotFoundError",
  GetObjectLockConfiguration: "GetObjectLockConfiguration: 404 ObjectLockConfigurationNotFoundError",
  // What cannot be set is named in words.
  PutBucketReplication: "PutBucketReplication: 501 NotImplemented",
  PutObjectLockConfiguration: "PutObjectLockConfiguration: 501 NotImplemented",
  // Signed for services of their own, which answer in JSON that this client does not read.
  ListDirectoryBuckets: "ListDirectoryBuckets: 501 Error",
  WriteGetObjectResponse: "WriteGetObjectResponse: 501 Error",
};

const { server, recorder } = await startRecordedServer();
const stage = openStage(server, recorder.url);
await stage.stage.s3.createBucket({ Bucket: GENERATED_BUCKET });
after(() => stage.close());

for (const service of SERVICES) {
  describe(`${service} by the SDK for JavaScript`, () => {
    for (const [operation, { does, refuses }] of Object.entries<OperationCase>(CASES[service])) {
      const [refused, error, status] = refuses;
      test(`${operation} does what it says, and is refused as ${typeof error === "string" ? error : error.name}`, async () => {
        await does(stage);
        await assertRefused(refused(stage), error, status);
        const seen = recorder.exchanges.filter((exchange) => exchange.service === service && exchange.operation === operation);
        assert.ok(
          seen.some(({ response }) => response.status < 300),
          `no ${operation} succeeded over the wire`,
        );
        assert.ok(
          seen.some(({ response }) => response.status === status),
          `no ${operation} was refused over the wire`,
        );
      });
    }

    test("what was said and answered is as in the golden file", () => {
      checkGolden("javascript", `@aws-sdk ${clientVersion(service)}`, service, recorder.exchanges);
    });

    test("every operation without a case answers 501 with its name", async () => {
      const operations = [...loadService(service).operations.keys()];
      const others = operations.filter((operation) => !(operation in CASES[service]));
      assert.equal(operations.length - others.length, Object.keys(CASES[service]).length, "a case has a name that is no operation");
      const answers = await Promise.all(others.map((operation) => answerOf(service, operation, stage.server)));
      const wanted = others.map((operation) => OTHERWISE[operation] ?? `${operation}: 501 NotImplemented, named`);
      assert.deepEqual(answers, wanted);
    });
  });
}
