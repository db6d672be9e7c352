import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient, type STSClientConfig } from "@aws-sdk/client-sts";
import { stsService } from "../../src/api/sts/service.ts";
import { systemClock } from "../../src/base/index.ts";
import { functionVersion } from "../support/function-version.ts";
import { serveServices, TEST_KEY, testSecurity } from "../support/api-client.ts";

const ROLE = "arn:aws:iam::000000000000:role/team/worker";
const trust = (principal: object, condition?: object): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: principal, Action: "sts:AssumeRole", ...(condition ? { Condition: condition } : {}) }],
  });

async function started(test: TestContext) {
  const security = await testSecurity(test);
  const endpoint = await serveServices(test, [stsService(security)], security);
  const client = (credentials: STSClientConfig["credentials"] & object = TEST_KEY): STSClient => {
    const made = new STSClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
    test.after(() => made.destroy());
    return made;
  };
  return { ...security, client };
}

const assume = (changed: object = {}) => new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "session-1", ...changed });

function asCredentials(
  found: { AccessKeyId?: string | undefined; SecretAccessKey?: string | undefined; SessionToken?: string | undefined } | undefined,
) {
  assert.ok(found?.AccessKeyId && found.SecretAccessKey && found.SessionToken);
  return { accessKeyId: found.AccessKeyId, secretAccessKey: found.SecretAccessKey, sessionToken: found.SessionToken };
}

describe("STS", () => {
  it("tells a root key, a session of it and a function who they are", async (test) => {
    const { client, credentials } = await started(test);
    const who = async (made: STSClient) => {
      const { UserId, Account, Arn } = await made.send(new GetCallerIdentityCommand({}));
      return { UserId, Account, Arn };
    };
    const root = { UserId: "000000000000", Account: "000000000000", Arn: "arn:aws:iam::000000000000:root" };
    assert.deepEqual(await who(client()), root);
    const session = await client().send(new GetSessionTokenCommand({}));
    assert.deepEqual(await who(client(asCredentials(session.Credentials))), root);
    const ofFunction = await who(client(credentials.issue(functionVersion({ roleArn: "arn:aws:iam::123456789012:role/elsewhere" }))));
    assert.equal(ofFunction.Account, "000000000000");
    assert.equal(ofFunction.Arn, "arn:aws:sts::000000000000:assumed-role/elsewhere/hello");
    assert.match(ofFunction.UserId ?? "", /^AROA[A-Z2-7]{16}:hello$/);
  });

  it("gives a session of a role that does not exist here, and marks it in the audit only for callers with a role", async (test) => {
    const { client, credentials, audit } = await started(test);
    const answer = await client().send(assume());
    assert.equal(audit.recent(1)[0]?.outcome.kind, "allowed");
    await client(credentials.issue(functionVersion())).send(assume());
    assert.equal(audit.recent(1)[0]?.outcome.kind, "notEnforced");
    assert.equal(answer.AssumedRoleUser?.Arn, "arn:aws:sts::000000000000:assumed-role/worker/session-1");
    const identity = await client(asCredentials(answer.Credentials)).send(new GetCallerIdentityCommand({}));
    assert.equal(identity.Arn, answer.AssumedRoleUser?.Arn);
    assert.equal(identity.UserId, answer.AssumedRoleUser?.AssumedRoleId);
  });

  it("enforces the trust policy of a role that exists, with its external id", async (test) => {
    const { client, credentials, roles } = await started(test);
    const mine = "arn:aws:iam::000000000000:role/lambda";
    await roles.createRole(TEST_KEY.account, {
      name: "worker",
      path: "/team/",
      trustPolicy: trust({ AWS: mine }, { StringEquals: { "sts:ExternalId": "42" } }),
      tags: {},
    });
    const trusted = client(credentials.issue(functionVersion({ roleArn: mine })));
    const other = client(credentials.issue(functionVersion({ roleArn: "arn:aws:iam::000000000000:role/other" })));
    assert.ok((await trusted.send(assume({ ExternalId: "42" }))).Credentials);
    await assert.rejects(trusted.send(assume()), { name: "AccessDenied" });
    await assert.rejects(other.send(assume({ ExternalId: "42" })), { name: "AccessDenied" });
  });

  it("bounds how long a session lasts: by the role, and by an hour for callers that are sessions", async (test) => {
    const { client, credentials, roles } = await started(test);
    await roles.createRole(TEST_KEY.account, {
      name: "worker",
      path: "/team/",
      trustPolicy: trust({ AWS: "*" }),
      maxSessionSeconds: 7_200,
      tags: {},
    });
    const before = systemClock.now();
    const answer = await client().send(assume({ DurationSeconds: 7_200 }));
    const seconds = ((answer.Credentials?.Expiration?.getTime() ?? 0) - before) / 1_000;
    assert.ok(seconds >= 7_199 && seconds < 7_260, String(seconds));
    await assert.rejects(client().send(assume({ DurationSeconds: 7_201 })), { name: "ValidationError", message: /900 to 7200/ });
    await assert.rejects(client(credentials.issue(functionVersion())).send(assume({ DurationSeconds: 3_601 })), {
      name: "ValidationError",
      message: /900 to 3600/,
    });
  });

  it("refuses with AWS's names: bad ARN, bad policy, unbuilt member, a session asking for a session token, a wrong key", async (test) => {
    const { client, credentials } = await started(test);
    await assert.rejects(client().send(assume({ RoleArn: "arn:aws:iam::000000000000:user/not-a-role" })), { name: "ValidationError" });
    await assert.rejects(client().send(assume({ Policy: "{}" })), { name: "MalformedPolicyDocumentException" });
    await assert.rejects(client().send(assume({ SourceIdentity: "me" })), { name: "NotImplemented" });
    await assert.rejects(client(credentials.issue(functionVersion())).send(new GetSessionTokenCommand({})), { name: "AccessDenied" });
    await assert.rejects(client({ ...TEST_KEY, accessKeyId: "000000000000" }).send(new GetCallerIdentityCommand({})), {
      name: "InvalidClientTokenId",
    });
    await assert.rejects(client({ ...TEST_KEY, secretAccessKey: "wrong" }).send(new GetCallerIdentityCommand({})), {
      name: "SignatureDoesNotMatch",
    });
  });
});
