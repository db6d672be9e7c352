import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import {
  createAuditLog,
  createAuthorizer,
  openRoles,
  realmOf,
  type AuthorizationRequest,
  type Principal,
  type Roles,
} from "../../src/security/index.ts";
import { AUDIT_ENTRIES_MAX } from "../../src/security/audit.ts";
import { MemoryDisk, openMemoryStore } from "../../src/storage/index.ts";

const ACCOUNT = "000000000000";
const TRUST = JSON.stringify({ Statement: { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" } });
const policy = (action: string): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: action, Resource: "*" } });

async function opened(test: TestContext, disk = new MemoryDisk()): Promise<Roles> {
  const store = openMemoryStore({ disk });
  test.after(() => store.close());
  return openRoles({ store, accounts: [ACCOUNT, "111122223333"], clock: new ManualClock(), secureRandom: systemSecureRandom });
}

describe("roles", () => {
  it("are there again after a restart, with their policies", async (test) => {
    const disk = new MemoryDisk();
    const before = await opened(test, disk);
    await before.createRole(ACCOUNT, { name: "worker", trustPolicy: TRUST, tags: { __proto__x: "1" } });
    const { arn } = await before.createPolicy(ACCOUNT, { name: "queue", document: policy("sqs:*"), tags: {} });
    await before.changeRole(ACCOUNT, "worker", { kind: "attach", arn });
    await before.changeRole(ACCOUNT, "worker", { kind: "putInline", name: "__proto__", document: policy("s3:*") });
    await before.createRole(ACCOUNT, { name: "gone", trustPolicy: TRUST, tags: {} });
    await before.deleteRole(ACCOUNT, "gone");
    const after = await opened(test, disk);
    assert.equal(JSON.stringify(after.role(ACCOUNT, "worker")), JSON.stringify(before.role(ACCOUNT, "worker")));
    assert.deepEqual(
      after.policiesOfRole(ACCOUNT, "worker")?.identity.map((entry) => entry.name),
      ["__proto__", arn],
    );
    assert.equal(after.findRole(ACCOUNT, "gone"), undefined);
  });

  it("of one account are not seen in another", async (test) => {
    const roles = await opened(test);
    await roles.createRole(ACCOUNT, { name: "worker", trustPolicy: TRUST, tags: {} });
    assert.equal(roles.findRole("111122223333", "worker"), undefined);
    assert.equal(roles.findRole("999988887777", "worker"), undefined);
  });

  it("created twice at the same moment are created once", async (test) => {
    const roles = await opened(test);
    const draft = { name: "worker", trustPolicy: TRUST, tags: {} };
    const endings = await Promise.allSettled([roles.createRole(ACCOUNT, draft), roles.createRole(ACCOUNT, draft)]);
    assert.deepEqual(
      endings.map((ending) => ending.status),
      ["fulfilled", "rejected"],
    );
  });

  it("hold at most ten attached policies", async (test) => {
    const roles = await opened(test);
    await roles.createRole(ACCOUNT, { name: "worker", trustPolicy: TRUST, tags: {} });
    const attach = async (index: number): Promise<void> => {
      const { arn } = await roles.createPolicy(ACCOUNT, { name: `p${index}`, document: policy("sqs:*"), tags: {} });
      await roles.changeRole(ACCOUNT, "worker", { kind: "attach", arn });
    };
    for (let index = 0; index < 10; index += 1) await attach(index);
    await assert.rejects(attach(10), { code: "LimitExceeded" });
    assert.equal(roles.role(ACCOUNT, "worker").attachedPolicies.length, 10);
  });

  it("are not changed when the store refuses", async () => {
    const store = openMemoryStore({ disk: new MemoryDisk() });
    const roles = await openRoles({ store, accounts: [ACCOUNT], clock: new ManualClock(), secureRandom: systemSecureRandom });
    await store.close();
    await assert.rejects(roles.createRole(ACCOUNT, { name: "worker", trustPolicy: TRUST, tags: {} }), { code: "ShuttingDown" });
    assert.equal(roles.findRole(ACCOUNT, "worker"), undefined);
  });

  it("wait for their turn in a bounded queue", async (test) => {
    const roles = await opened(test);
    const endings = await Promise.allSettled(
      Array.from({ length: 300 }, (_, index) => roles.createRole(ACCOUNT, { name: `r${index}`, trustPolicy: TRUST, tags: {} })),
    );
    const refused = endings.flatMap((ending) => (ending.status === "rejected" ? [(ending.reason as { code: string }).code] : []));
    assert.equal(refused.length, 300 - 256);
    assert.deepEqual(new Set(refused), new Set(["StorageBusy"]));
  });
});

describe("the authorizer", () => {
  const RESOURCE = `arn:aws:sqs:us-east-1:${ACCOUNT}:orders`;
  const ofFunction = (roleArn: string): Principal => ({
    kind: "function",
    realm: { account: ACCOUNT, region: "us-east-1" },
    functionName: "hello",
    version: "1",
    revisionId: "r",
    roleArn,
    accessKeyId: "ASIA",
    expiresAt: 0,
  });
  const request = (principal: Principal, changed: Partial<AuthorizationRequest> = {}): AuthorizationRequest => ({
    principal,
    requestId: "one",
    region: "us-east-1",
    action: "sqs:SendMessage",
    resource: RESOURCE,
    ...changed,
  });
  const started = async (test: TestContext) => {
    const roles = await opened(test);
    const clock = new ManualClock();
    const audit = createAuditLog(clock);
    return { roles, audit, authorizer: createAuthorizer({ roles, audit, clock }) };
  };
  const denied = { code: "AccessDenied" };

  it("keeps a function from using a role of the same name in another account", async (test) => {
    const { roles, audit, authorizer } = await started(test);
    await roles.createRole(ACCOUNT, { name: "worker", trustPolicy: TRUST, tags: {} });
    assert.throws(() => authorizer.authorize(request(ofFunction(`arn:aws:iam::${ACCOUNT}:role/worker`))), denied);
    authorizer.authorize(request(ofFunction("arn:aws:iam::123456789012:role/worker")));
    assert.equal(audit.recent(1)[0]?.outcome.kind, "notEnforced");
  });

  it("refuses everything to a role that was deleted, also after a restart, until one of its name is made again", async (test) => {
    const disk = new MemoryDisk();
    const roles = await opened(test, disk);
    const worker = { name: "worker", trustPolicy: TRUST, tags: {} };
    const check = (of: Roles) => (): void =>
      createAuthorizer({ roles: of, audit: createAuditLog(new ManualClock()), clock: new ManualClock() }).authorize(
        request(ofFunction(`arn:aws:iam::${ACCOUNT}:role/Worker`)),
      );
    check(roles)();
    await roles.createRole(ACCOUNT, worker);
    await roles.changeRole(ACCOUNT, "worker", { kind: "putInline", name: "p", document: policy("sqs:*") });
    check(roles)();
    await roles.changeRole(ACCOUNT, "worker", { kind: "deleteInline", name: "p" });
    await roles.deleteRole(ACCOUNT, "worker");
    assert.throws(check(roles), denied);
    assert.equal(roles.findRole(ACCOUNT, "worker"), undefined);
    const after = await opened(test, disk);
    assert.throws(check(after), denied);
    await after.createRole(ACCOUNT, worker);
    await after.changeRole(ACCOUNT, "worker", { kind: "putInline", name: "p", document: policy("sqs:*") });
    check(after)();
    check(await opened(test, disk))();
  });

  it("enforces a resource's deny on a role that is not here", async (test) => {
    const { authorizer } = await started(test);
    const resourcePolicy = JSON.stringify({ Statement: { Sid: "Shut", Effect: "Deny", Principal: "*", Action: "sqs:*", Resource: "*" } });
    assert.throws(() => authorizer.authorize(request(ofFunction("arn:aws:iam::123456789012:role/worker"), { resourcePolicy })), {
      ...denied,
      message: /explicit deny in statement Shut/,
    });
  });

  it("lets a service or nobody in by the resource's policy only", async (test) => {
    const { authorizer } = await started(test);
    const service: Principal = { kind: "service", service: "events.amazonaws.com" };
    const resourcePolicy = JSON.stringify({
      Statement: {
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: RESOURCE,
        Condition: { ArnLike: { "aws:SourceArn": "arn:aws:events:*:*:rule/r" } },
      },
    });
    authorizer.authorize(request(service, { resourcePolicy, context: { "aws:SourceArn": "arn:aws:events:us-east-1:1:rule/r" } }));
    assert.throws(() => authorizer.authorize(request(service, { resourcePolicy })), denied);
    assert.throws(() => authorizer.authorize(request(service)), denied);
    assert.throws(() => authorizer.authorize(request({ kind: "anonymous" }, { resourcePolicy })), denied);
  });

  it("narrows a session by its session policies, and denies when a policy it names is gone", async (test) => {
    const { roles, authorizer } = await started(test);
    const { arn } = await roles.createPolicy(ACCOUNT, { name: "queue", document: policy("sqs:SendMessage"), tags: {} });
    const session = (documents: string[], arns: string[]): Principal => ({
      kind: "assumedRole", account: ACCOUNT, roleArn: "arn:aws:iam::123456789012:role/w", sessionName: "s", accessKeyId: "ASIA", expiresAt: 0, tags: {}, sessionPolicies: { documents, arns },
    }); // prettier-ignore
    authorizer.authorize(request(session([], [])));
    authorizer.authorize(request(session([policy("sqs:*")], [])));
    authorizer.authorize(request(session([], [arn])));
    assert.throws(() => authorizer.authorize(request(session([policy("s3:*")], []))), denied);
    await roles.deletePolicy(ACCOUNT, arn);
    assert.throws(() => authorizer.authorize(request(session([], [arn]))), denied);
  });

  describe("for a resource whose ARN names no account", () => {
    const OTHER = "111122223333";
    const root: Principal = { kind: "root", account: OTHER, accessKeyId: "AKIA" };
    const here: Principal = { kind: "root", account: ACCOUNT, accessKeyId: "AKIA" };
    const foreignRole = ofFunction("arn:aws:iam::123456789012:role/worker");
    const service: Principal = { kind: "service", service: "logging.s3.amazonaws.com" };
    const anonymous: Principal = { kind: "anonymous" };
    const bucket = (owner: string | undefined, statement?: object): Partial<AuthorizationRequest> => ({
      action: "s3:GetObject",
      resource: "arn:aws:s3:::photos/cat.jpg",
      ...(owner === undefined ? {} : { resourceAccount: owner }),
      ...(statement
        ? { resourcePolicy: JSON.stringify({ Statement: { Effect: "Allow", Action: "s3:*", Resource: "*", ...statement } }) }
        : {}),
    });
    const everybody = { Principal: "*" };
    const allowed: readonly (readonly [string, Principal, Partial<AuthorizationRequest>])[] = [
      ["the root key of its own account", here, bucket(ACCOUNT)],
      ["a root key where nobody said whose it is", root, bucket(undefined)],
      ["the root key of another account, by a policy for that account", root, bucket(ACCOUNT, { Principal: { AWS: OTHER } })],
      ["the root key of another account, by a policy for everybody", root, bucket(ACCOUNT, everybody)],
      ["a function of its own account", foreignRole, bucket(ACCOUNT)],
      ["a function of another account, by a policy for everybody", foreignRole, bucket(OTHER, everybody)],
      ["a function of another account, by a policy for that account", foreignRole, bucket(OTHER, { Principal: { AWS: ACCOUNT } })],
      ["nobody in particular, by a policy for everybody", anonymous, bucket(ACCOUNT, everybody)],
      ["nobody in particular, by a policy for everybody spelled otherwise", anonymous, bucket(ACCOUNT, { Principal: { AWS: "*" } })],
      ["a service, by a policy for it", service, bucket(ACCOUNT, { Principal: { Service: "logging.s3.amazonaws.com" } })],
    ];
    const refused: readonly (readonly [string, Principal, Partial<AuthorizationRequest>])[] = [
      ["the root key of another account", root, bucket(ACCOUNT)],
      ["the root key of another account, by a policy for a third one", root, bucket(ACCOUNT, { Principal: { AWS: "123456789012" } })],
      ["the root key of another account, by a deny", here, bucket(OTHER, { ...everybody, Effect: "Deny" })],
      ["a function of another account", foreignRole, bucket(OTHER)],
      ["a function of another account, by a policy for the owner's account", foreignRole, bucket(OTHER, { Principal: { AWS: OTHER } })],
      ["nobody in particular", anonymous, bucket(ACCOUNT)],
      ["nobody in particular where nobody said whose it is", anonymous, bucket(undefined)],
      ["nobody in particular, by a policy for accounts", anonymous, bucket(ACCOUNT, { Principal: { AWS: [ACCOUNT, OTHER] } })],
      ["nobody in particular, by a policy for other actions", anonymous, bucket(ACCOUNT, { ...everybody, Action: "s3:PutObject" })],
      ["a service", service, bucket(ACCOUNT)],
      ["a service, by a policy for another one", service, bucket(ACCOUNT, { Principal: { Service: "events.amazonaws.com" } })],
    ];
    for (const [who, principal, changed] of allowed)
      it(`allows ${who}`, async (test) => (await started(test)).authorizer.authorize(request(principal, changed)));
    for (const [who, principal, changed] of refused) {
      it(`refuses ${who}`, async (test) => {
        const { authorizer } = await started(test);
        assert.throws(() => authorizer.authorize(request(principal, changed)), denied);
      });
    }

    it("refuses a role that is here what its policies do not allow, whatever its bucket's account", async (test) => {
      const { roles, authorizer } = await started(test);
      await roles.createRole(ACCOUNT, { name: "worker", trustPolicy: TRUST, tags: {} });
      const own = ofFunction(`arn:aws:iam::${ACCOUNT}:role/worker`);
      assert.throws(() => authorizer.authorize(request(own, bucket(ACCOUNT))), denied);
      authorizer.authorize(request(own, bucket(ACCOUNT, everybody)));
      assert.throws(() => authorizer.authorize(request(own, bucket(OTHER, everybody))), denied);
      await roles.changeRole(ACCOUNT, "worker", { kind: "putInline", name: "p", document: policy("s3:GetObject") });
      authorizer.authorize(request(own, bucket(ACCOUNT)));
      authorizer.authorize(request(own, bucket(OTHER, everybody)));
      assert.throws(() => authorizer.authorize(request(own, bucket(OTHER))), denied);
    });

    it("goes by the ARN where it does name one", async (test) => {
      const { authorizer } = await started(test);
      assert.throws(() => authorizer.authorize(request(root, { resourceAccount: OTHER })), denied);
    });
  });

  it("allows nothing by a resource policy that cannot be read", async (test) => {
    const { authorizer } = await started(test);
    assert.throws(() => authorizer.authorize(request(ofFunction("arn:aws:iam::123456789012:role/w"), { resourcePolicy: "{" })), denied);
  });
});

describe("the realm of a request", () => {
  const principal: Principal = {
    kind: "function",
    realm: { account: ACCOUNT, region: "eu-west-1" },
    functionName: "f",
    version: "1",
    revisionId: "r",
    roleArn: "arn:aws:iam::123456789012:role/w",
    accessKeyId: "ASIA",
    expiresAt: 0,
  };

  it("of a function is the function's, whatever account its role names", () => {
    assert.deepEqual(realmOf(principal, { region: "eu-west-1", service: "sqs" }), { account: ACCOUNT, region: "eu-west-1" });
    assert.deepEqual(realmOf(principal, { region: "us-east-1", service: "iam" }), { account: ACCOUNT, region: "eu-west-1" });
    assert.throws(() => realmOf(principal, { region: "us-east-1", service: "sqs" }), { code: "AccessDenied" });
  });

  it("of a root key is its account and the region signed for", () => {
    assert.deepEqual(realmOf({ kind: "root", account: ACCOUNT, accessKeyId: "A" }, { region: "us-west-2", service: "sqs" }), {
      account: ACCOUNT,
      region: "us-west-2",
    });
  });
});

describe("the audit log", () => {
  it("is bounded, counts what it drops, and keeps denials although much was allowed", () => {
    const audit = createAuditLog(new ManualClock());
    const entry = { requestId: "r", principal: "p", action: "a:B", resource: "*" };
    audit.record({ ...entry, outcome: { kind: "denied", why: "x", by: undefined } });
    for (let index = 0; index < AUDIT_ENTRIES_MAX + 5; index += 1) audit.record({ ...entry, outcome: { kind: "allowed", by: undefined } });
    assert.equal(audit.recent(AUDIT_ENTRIES_MAX * 3).length, AUDIT_ENTRIES_MAX + 1);
    assert.equal(audit.recent(1)[0]?.sequence, AUDIT_ENTRIES_MAX + 6);
    assert.equal(audit.recent(1, "denied")[0]?.sequence, 1);
    assert.deepEqual(audit.counts().allowed, { recorded: AUDIT_ENTRIES_MAX + 5, dropped: 5 });
  });
});
