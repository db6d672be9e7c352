import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListInstanceProfilesForRoleCommand,
  ListPoliciesCommand,
  ListPolicyTagsCommand,
  ListPolicyVersionsCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  paginateListRoles,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  SetDefaultPolicyVersionCommand,
  TagPolicyCommand,
  TagRoleCommand,
  UntagPolicyCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
  UpdateRoleDescriptionCommand,
} from "@aws-sdk/client-iam";
import { iamService } from "../../src/api/iam/service.ts";
import { functionVersion } from "../support/function-version.ts";
import { serveServices, TEST_KEY, testSecurity } from "../support/api-client.ts";

const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const policy = (action: string, resource = "*"): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: resource }] });
const BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

async function started(test: TestContext) {
  const security = await testSecurity(test);
  const endpoint = await serveServices(test, [iamService(security.roles)], security);
  const client = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } = TEST_KEY): IAMClient => {
    const made = new IAMClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
    test.after(() => made.destroy());
    return made;
  };
  return { ...security, client, iam: client() };
}

const createRole = (RoleName: string, more: object = {}) => new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST, ...more });

describe("IAM roles", () => {
  it("are created, read back, changed and deleted", async (test) => {
    const { iam } = await started(test);
    const { Role } = await iam.send(createRole("worker", { Path: "/team/", Description: "first", Tags: [{ Key: "team", Value: "a/b" }] }));
    assert.equal(Role?.Arn, "arn:aws:iam::000000000000:role/team/worker");
    assert.match(Role.RoleId ?? "", /^AROA[A-Z2-7]{16}$/);
    await iam.send(new UpdateRoleCommand({ RoleName: "worker", MaxSessionDuration: 7_200 }));
    await iam.send(new UpdateRoleDescriptionCommand({ RoleName: "worker", Description: "second" }));
    const changed = TRUST.replace("lambda", "events");
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: "worker", PolicyDocument: changed }));
    const read = (await iam.send(new GetRoleCommand({ RoleName: "worker" }))).Role;
    assert.equal(read?.Description, "second");
    assert.equal(read.MaxSessionDuration, 7_200);
    assert.equal(decodeURIComponent(read.AssumeRolePolicyDocument ?? ""), changed);
    assert.deepEqual(read.Tags, [{ Key: "team", Value: "a/b" }]);
    assert.deepEqual(
      await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: "worker" })).then((answer) => answer.InstanceProfiles ?? []),
      [],
    );
    await iam.send(new DeleteRoleCommand({ RoleName: "worker" }));
    await assert.rejects(iam.send(new GetRoleCommand({ RoleName: "worker" })), { name: "NoSuchEntityException" });
  });

  it("are listed by path, in pages, each once", async (test) => {
    const { iam } = await started(test);
    for (let index = 0; index < 7; index += 1) await iam.send(createRole(`role-${index}`, { Path: index % 2 === 0 ? "/even/" : "/odd/" }));
    const names: (string | undefined)[] = [];
    for await (const page of paginateListRoles({ client: iam, pageSize: 2 }, {}))
      names.push(...(page.Roles ?? []).map((role) => role.RoleName));
    assert.deepEqual(names, ["role-0", "role-1", "role-2", "role-3", "role-4", "role-5", "role-6"]);
    const odd = await iam.send(new ListRolesCommand({ PathPrefix: "/odd/" }));
    assert.deepEqual(
      odd.Roles?.map((role) => role.RoleName),
      ["role-1", "role-3", "role-5"],
    );
    await assert.rejects(iam.send(new ListRolesCommand({ Marker: "bm90LWEtbWFya2Vy" })), { name: "ValidationError" });
  });

  it("keep tags and a boundary", async (test) => {
    const { iam } = await started(test);
    await iam.send(createRole("worker"));
    await iam.send(
      new TagRoleCommand({
        RoleName: "worker",
        Tags: [
          { Key: "a", Value: "1" },
          { Key: "b", Value: "2" },
        ],
      }),
    );
    await iam.send(new UntagRoleCommand({ RoleName: "worker", TagKeys: ["a"] }));
    assert.deepEqual((await iam.send(new ListRoleTagsCommand({ RoleName: "worker" }))).Tags, [{ Key: "b", Value: "2" }]);
    await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: "worker", PermissionsBoundary: BASIC }));
    assert.equal((await iam.send(new GetRoleCommand({ RoleName: "worker" }))).Role?.PermissionsBoundary?.PermissionsBoundaryArn, BASIC);
    await iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: "worker" }));
    assert.equal((await iam.send(new GetRoleCommand({ RoleName: "worker" }))).Role?.PermissionsBoundary, undefined);
  });

  it("keep inline policies, and are not deleted while they have some", async (test) => {
    const { iam } = await started(test);
    await iam.send(createRole("worker"));
    await iam.send(new PutRolePolicyCommand({ RoleName: "worker", PolicyName: "queue", PolicyDocument: policy("sqs:*") }));
    assert.deepEqual((await iam.send(new ListRolePoliciesCommand({ RoleName: "worker" }))).PolicyNames, ["queue"]);
    const read = await iam.send(new GetRolePolicyCommand({ RoleName: "worker", PolicyName: "queue" }));
    assert.equal(decodeURIComponent(read.PolicyDocument ?? ""), policy("sqs:*"));
    await assert.rejects(iam.send(new DeleteRoleCommand({ RoleName: "worker" })), { name: "DeleteConflictException" });
    await iam.send(new DeleteRolePolicyCommand({ RoleName: "worker", PolicyName: "queue" }));
    await assert.rejects(iam.send(new GetRolePolicyCommand({ RoleName: "worker", PolicyName: "constructor" })), {
      name: "NoSuchEntityException",
    });
    await iam.send(new DeleteRoleCommand({ RoleName: "worker" }));
  });

  it("refuse with IAM's names", async (test) => {
    const { iam } = await started(test);
    await iam.send(createRole("worker"));
    await assert.rejects(iam.send(createRole("Worker")), { name: "EntityAlreadyExistsException" });
    await assert.rejects(iam.send(createRole("other", { AssumeRolePolicyDocument: policy("sts:AssumeRole") })), {
      name: "MalformedPolicyDocumentException",
    });
    await assert.rejects(iam.send(createRole("other", { MaxSessionDuration: 60 })), { name: "ValidationError" });
    await assert.rejects(iam.send(createRole("other", { Path: "no-slash" })), { name: "ValidationError" });
    await assert.rejects(iam.send(new AttachRolePolicyCommand({ RoleName: "worker", PolicyArn: "arn:aws:iam::aws:policy/NoSuchPolicy" })), {
      name: "NoSuchEntityException",
    });
    await assert.rejects(iam.send(new CreateUserCommand({ UserName: "somebody" })), { name: "NotImplemented" });
    await assert.rejects(
      iam.send(
        new PutRolePolicyCommand({
          RoleName: "worker",
          PolicyName: "big",
          PolicyDocument: policy(`sqs:${"a".repeat(1_900)}`, "*").replace(
            '"*"',
            JSON.stringify(Array.from({ length: 5 }, (_, index) => `arn:${index}${"b".repeat(1_900)}`)),
          ),
        }),
      ),
      { name: "LimitExceededException" },
    );
  });
});

describe("IAM managed policies", () => {
  it("keep versions, of which one is the default", async (test) => {
    const { iam } = await started(test);
    const arn = "arn:aws:iam::000000000000:policy/queue-reader";
    const created = await iam.send(
      new CreatePolicyCommand({ PolicyName: "queue-reader", PolicyDocument: policy("sqs:Get*"), Description: "reads" }),
    );
    assert.equal(created.Policy?.Arn, arn);
    for (let index = 2; index <= 5; index += 1)
      await iam.send(
        new CreatePolicyVersionCommand({ PolicyArn: arn, PolicyDocument: policy(`sqs:V${index}`), SetAsDefault: index === 5 }),
      );
    await assert.rejects(iam.send(new CreatePolicyVersionCommand({ PolicyArn: arn, PolicyDocument: policy("sqs:*") })), {
      name: "LimitExceededException",
    });
    assert.equal((await iam.send(new GetPolicyCommand({ PolicyArn: arn }))).Policy?.DefaultVersionId, "v5");
    await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn: arn, VersionId: "v2" }));
    await assert.rejects(iam.send(new DeletePolicyVersionCommand({ PolicyArn: arn, VersionId: "v2" })), {
      name: "DeleteConflictException",
    });
    await iam.send(new DeletePolicyVersionCommand({ PolicyArn: arn, VersionId: "v5" }));
    const versions = (await iam.send(new ListPolicyVersionsCommand({ PolicyArn: arn }))).Versions;
    assert.deepEqual(
      versions?.map((version) => [version.VersionId, version.IsDefaultVersion]),
      [
        ["v4", false],
        ["v3", false],
        ["v2", true],
        ["v1", false],
      ],
    );
    const two = await iam.send(new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: "v2" }));
    assert.equal(decodeURIComponent(two.PolicyVersion?.Document ?? ""), policy("sqs:V2"));
    await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn: arn })), { name: "DeleteConflictException" });
    for (const VersionId of ["v1", "v3", "v4"]) await iam.send(new DeletePolicyVersionCommand({ PolicyArn: arn, VersionId }));
    await iam.send(new DeletePolicyCommand({ PolicyArn: arn }));
    await assert.rejects(iam.send(new GetPolicyCommand({ PolicyArn: arn })), { name: "NoSuchEntityException" });
  });

  it("are attached, counted, listed and detached; AWS's own among them", async (test) => {
    const { iam } = await started(test);
    const arn = "arn:aws:iam::000000000000:policy/mine";
    await iam.send(createRole("worker"));
    await iam.send(new CreatePolicyCommand({ PolicyName: "mine", PolicyDocument: policy("sqs:*") }));
    for (const PolicyArn of [arn, BASIC, arn]) await iam.send(new AttachRolePolicyCommand({ RoleName: "worker", PolicyArn }));
    const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: "worker" }));
    assert.deepEqual(
      attached.AttachedPolicies?.map((entry) => entry.PolicyArn),
      [arn, BASIC],
    );
    assert.equal((await iam.send(new GetPolicyCommand({ PolicyArn: arn }))).Policy?.AttachmentCount, 1);
    assert.deepEqual(
      (await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn: BASIC }))).PolicyRoles?.map((role) => role.RoleName),
      ["worker"],
    );
    assert.deepEqual(
      (await iam.send(new ListPoliciesCommand({ Scope: "Local" }))).Policies?.map((entry) => entry.Arn),
      [arn],
    );
    assert.deepEqual(
      (await iam.send(new ListPoliciesCommand({ OnlyAttached: true }))).Policies?.map((entry) => entry.Arn),
      [BASIC, arn],
    );
    await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn: arn })), { name: "DeleteConflictException" });
    await iam.send(new DetachRolePolicyCommand({ RoleName: "worker", PolicyArn: arn }));
    await assert.rejects(iam.send(new DetachRolePolicyCommand({ RoleName: "worker", PolicyArn: arn })), { name: "NoSuchEntityException" });
    await iam.send(
      new TagPolicyCommand({
        PolicyArn: arn,
        Tags: [
          { Key: "a", Value: "1" },
          { Key: "b", Value: "" },
        ],
      }),
    );
    await iam.send(new UntagPolicyCommand({ PolicyArn: arn, TagKeys: ["a"] }));
    assert.deepEqual((await iam.send(new ListPolicyTagsCommand({ PolicyArn: arn }))).Tags, [{ Key: "b", Value: "" }]);
    await assert.rejects(iam.send(new TagPolicyCommand({ PolicyArn: BASIC, Tags: [{ Key: "a", Value: "1" }] })), {
      name: "ValidationError",
    });
  });
});

describe("IAM's rule for functions", () => {
  it("enforces the policies of a role that exists here, and marks calls of one that does not", async (test) => {
    const { client, credentials, iam, audit } = await started(test);
    const asFunction = client(credentials.issue(functionVersion({ roleArn: "arn:aws:iam::000000000000:role/worker" })));
    const read = () => asFunction.send(new GetRoleCommand({ RoleName: "target" }));
    await iam.send(createRole("target"));

    await read();
    assert.equal(audit.recent(1)[0]?.outcome.kind, "notEnforced");
    await iam.send(createRole("worker"));
    await assert.rejects(read(), { name: "AccessDenied", message: /iam:GetRole on arn:aws:iam::000000000000:role\/target/ });
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: "worker",
        PolicyName: "read",
        PolicyDocument: policy("iam:Get*", "arn:aws:iam::*:role/target"),
      }),
    );
    await read();
    assert.deepEqual(audit.recent(1)[0]?.outcome, { kind: "allowed", by: { policy: "read", statement: "#1" } });
    await assert.rejects(asFunction.send(new GetRoleCommand({ RoleName: "worker" })), { name: "AccessDenied" });
  });
});
