import assert from "node:assert/strict";
import { EntityAlreadyExistsException, MalformedPolicyDocumentException, NoSuchEntityException } from "@aws-sdk/client-iam";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import { credentialsOf, known, type OperationCase, type Stage } from "./cases.ts";

export const TRUST = policyText({ Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" });
export const READ_ONLY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const TRUST_ACCOUNT = policyText({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" });
const NOBODY = { RoleName: "nobody" };

/** A policy document of one statement. */
export function policyText(statement: object): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
}

/** Credentials of a session that may do what `statement` allows, and nothing else: the root key may do everything. */
export async function sessionOf({ stage }: Pick<Stage, "stage">, RoleName: string, statement: object) {
  const { Role } = await stage.iam.createRole({ RoleName, AssumeRolePolicyDocument: TRUST_ACCOUNT });
  await stage.iam.putRolePolicy({ RoleName, PolicyName: "allowed", PolicyDocument: policyText(statement) });
  return credentialsOf((await stage.sts.assumeRole({ RoleArn: Role?.Arn, RoleSessionName: "session" })).Credentials);
}

/** A role that Lambda may take. */
export async function roleNamed({ stage }: Pick<Stage, "stage">, RoleName: string): Promise<string> {
  await stage.iam.createRole({ RoleName, AssumeRolePolicyDocument: TRUST });
  return RoleName;
}

const read = async ({ stage }: Stage, RoleName: string) => known((await stage.iam.getRole({ RoleName })).Role);

/** Roles themselves, and the policies they carry. */
export const iamRoleCases: Readonly<Record<string, OperationCase>> = {
  CreateRole: {
    async does(stage) {
      const { Role } = await stage.js.iam.createRole({
        RoleName: "create-role",
        Path: "/team/",
        Description: "made here",
        MaxSessionDuration: 7_200,
        AssumeRolePolicyDocument: TRUST,
        Tags: [{ Key: "team", Value: "blue" }],
      });
      assert.equal(Role?.Arn, `arn:aws:iam::${ACCOUNT}:role/team/create-role`);
      const role = await read(stage, "create-role");
      assert.deepEqual(
        [role.Description, role.MaxSessionDuration, role.Tags, role.RoleId],
        ["made here", 7_200, [{ Key: "team", Value: "blue" }], Role?.RoleId],
      );
    },
    refuses: [
      async (stage) => stage.js.iam.createRole({ RoleName: await roleNamed(stage, "role-taken"), AssumeRolePolicyDocument: TRUST }),
      EntityAlreadyExistsException,
      409,
    ],
  },
  GetRole: {
    async does(stage) {
      const { Role } = await stage.js.iam.getRole({ RoleName: await roleNamed(stage, "get-role") });
      assert.deepEqual(JSON.parse(decodeURIComponent(known(Role?.AssumeRolePolicyDocument))), JSON.parse(TRUST));
      assert.ok(Role?.CreateDate instanceof Date);
    },
    refuses: [({ js }) => js.iam.getRole(NOBODY), NoSuchEntityException, 404],
  },
  ListRoles: {
    async does({ js, stage }) {
      for (const RoleName of ["list-a", "list-b"])
        await stage.iam.createRole({ RoleName, Path: "/listed/", AssumeRolePolicyDocument: TRUST });
      const first = await js.iam.listRoles({ PathPrefix: "/listed/", MaxItems: 1 });
      assert.equal(first.IsTruncated, true);
      const rest = await js.iam.listRoles({ PathPrefix: "/listed/", Marker: known(first.Marker) });
      assert.deepEqual(
        [...known(first.Roles), ...known(rest.Roles)].map((role) => role.RoleName),
        ["list-a", "list-b"],
      );
    },
    refuses: [({ js }) => js.iam.listRoles({ MaxItems: 1_001 }), "ValidationError", 400],
  },
  UpdateRole: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "update-role");
      await stage.js.iam.updateRole({ RoleName, Description: "changed", MaxSessionDuration: 4_000 });
      const role = await read(stage, RoleName);
      assert.deepEqual([role.Description, role.MaxSessionDuration], ["changed", 4_000]);
    },
    refuses: [({ js }) => js.iam.updateRole(NOBODY), NoSuchEntityException, 404],
  },
  UpdateRoleDescription: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "describe-role");
      await stage.js.iam.updateRoleDescription({ RoleName, Description: "described" });
      assert.equal((await read(stage, RoleName)).Description, "described");
    },
    refuses: [({ js }) => js.iam.updateRoleDescription({ ...NOBODY, Description: "x" }), NoSuchEntityException, 404],
  },
  UpdateAssumeRolePolicy: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "trust-role");
      const RoleArn = (await read(stage, RoleName)).Arn;
      const { sts } = stage.direct({ credentials: await sessionOf(stage, "trusted", { Action: "sts:AssumeRole", Resource: "*" }) });
      const assume = () => sts.assumeRole({ RoleArn, RoleSessionName: "try" });
      await assert.rejects(assume(), { name: "AccessDenied" });
      await stage.js.iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: TRUST_ACCOUNT });
      await assume();
    },
    refuses: [
      async (stage) => stage.js.iam.updateAssumeRolePolicy({ RoleName: await roleNamed(stage, "trust-broken"), PolicyDocument: "{" }),
      MalformedPolicyDocumentException,
      400,
    ],
  },
  DeleteRole: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "delete-role");
      await stage.js.iam.deleteRole({ RoleName });
      await assert.rejects(stage.stage.iam.getRole({ RoleName }), NoSuchEntityException);
    },
    refuses: [({ js }) => js.iam.deleteRole(NOBODY), NoSuchEntityException, 404],
  },
  PutRolePermissionsBoundary: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "bound-role");
      await stage.js.iam.putRolePermissionsBoundary({ RoleName, PermissionsBoundary: READ_ONLY });
      assert.equal((await read(stage, RoleName)).PermissionsBoundary?.PermissionsBoundaryArn, READ_ONLY);
    },
    refuses: [({ js }) => js.iam.putRolePermissionsBoundary({ ...NOBODY, PermissionsBoundary: READ_ONLY }), NoSuchEntityException, 404],
  },
  DeleteRolePermissionsBoundary: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "unbound-role");
      await stage.stage.iam.putRolePermissionsBoundary({ RoleName, PermissionsBoundary: READ_ONLY });
      await stage.js.iam.deleteRolePermissionsBoundary({ RoleName });
      assert.equal((await read(stage, RoleName)).PermissionsBoundary, undefined);
    },
    refuses: [({ js }) => js.iam.deleteRolePermissionsBoundary(NOBODY), NoSuchEntityException, 404],
  },
  TagRole: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "tag-role");
      await stage.js.iam.tagRole({ RoleName, Tags: [{ Key: "a", Value: "b c" }] });
      assert.deepEqual((await read(stage, RoleName)).Tags, [{ Key: "a", Value: "b c" }]);
    },
    refuses: [({ js }) => js.iam.tagRole({ ...NOBODY, Tags: [{ Key: "a", Value: "b" }] }), NoSuchEntityException, 404],
  },
  UntagRole: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "untag-role");
      await stage.stage.iam.tagRole({
        RoleName,
        Tags: [
          { Key: "a", Value: "1" },
          { Key: "b", Value: "2" },
        ],
      });
      await stage.js.iam.untagRole({ RoleName, TagKeys: ["a"] });
      assert.deepEqual((await stage.stage.iam.listRoleTags({ RoleName })).Tags, [{ Key: "b", Value: "2" }]);
    },
    refuses: [({ js }) => js.iam.untagRole({ ...NOBODY, TagKeys: ["a"] }), NoSuchEntityException, 404],
  },
  ListRoleTags: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "role-tags");
      await stage.stage.iam.tagRole({ RoleName, Tags: [{ Key: "a", Value: "1" }] });
      assert.deepEqual((await stage.js.iam.listRoleTags({ RoleName })).Tags, [{ Key: "a", Value: "1" }]);
    },
    refuses: [({ js }) => js.iam.listRoleTags(NOBODY), NoSuchEntityException, 404],
  },
  ListInstanceProfilesForRole: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "no-profiles");
      assert.deepEqual((await stage.js.iam.listInstanceProfilesForRole({ RoleName })).InstanceProfiles, []);
    },
    refuses: [({ js }) => js.iam.listInstanceProfilesForRole(NOBODY), NoSuchEntityException, 404],
  },
  PutRolePolicy: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "put-policy");
      const PolicyDocument = policyText({ Action: "lambda:*", Resource: "*" });
      await stage.js.iam.putRolePolicy({ RoleName, PolicyName: "inline", PolicyDocument });
      const stored = await stage.stage.iam.getRolePolicy({ RoleName, PolicyName: "inline" });
      assert.equal(decodeURIComponent(known(stored.PolicyDocument)), PolicyDocument);
    },
    refuses: [
      async (stage) =>
        stage.js.iam.putRolePolicy({ RoleName: await roleNamed(stage, "put-broken"), PolicyName: "p", PolicyDocument: '{"Statement":1}' }),
      MalformedPolicyDocumentException,
      400,
    ],
  },
  GetRolePolicy: {
    async does(stage) {
      const RoleName = await withInline(stage, "get-inline");
      assert.equal((await stage.js.iam.getRolePolicy({ RoleName, PolicyName: "inline" })).PolicyName, "inline");
    },
    refuses: [({ js }) => js.iam.getRolePolicy({ ...NOBODY, PolicyName: "p" }), NoSuchEntityException, 404],
  },
  ListRolePolicies: {
    async does(stage) {
      assert.deepEqual((await stage.js.iam.listRolePolicies({ RoleName: await withInline(stage, "list-inline") })).PolicyNames, ["inline"]);
    },
    refuses: [({ js }) => js.iam.listRolePolicies(NOBODY), NoSuchEntityException, 404],
  },
  DeleteRolePolicy: {
    async does(stage) {
      const RoleName = await withInline(stage, "delete-inline");
      await stage.js.iam.deleteRolePolicy({ RoleName, PolicyName: "inline" });
      assert.deepEqual((await stage.stage.iam.listRolePolicies({ RoleName })).PolicyNames, []);
    },
    refuses: [({ js }) => js.iam.deleteRolePolicy({ ...NOBODY, PolicyName: "p" }), NoSuchEntityException, 404],
  },
  AttachRolePolicy: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "attach");
      await stage.js.iam.attachRolePolicy({ RoleName, PolicyArn: READ_ONLY });
      const { AttachedPolicies } = await stage.stage.iam.listAttachedRolePolicies({ RoleName });
      assert.deepEqual(
        AttachedPolicies?.map((policy) => policy.PolicyArn),
        [READ_ONLY],
      );
    },
    refuses: [({ js }) => js.iam.attachRolePolicy({ ...NOBODY, PolicyArn: READ_ONLY }), NoSuchEntityException, 404],
  },
  DetachRolePolicy: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "detach");
      await stage.stage.iam.attachRolePolicy({ RoleName, PolicyArn: READ_ONLY });
      await stage.js.iam.detachRolePolicy({ RoleName, PolicyArn: READ_ONLY });
      assert.deepEqual((await stage.stage.iam.listAttachedRolePolicies({ RoleName })).AttachedPolicies, []);
    },
    refuses: [
      async (stage) => stage.js.iam.detachRolePolicy({ RoleName: await roleNamed(stage, "not-attached"), PolicyArn: READ_ONLY }),
      NoSuchEntityException,
      404,
    ],
  },
  ListAttachedRolePolicies: {
    async does(stage) {
      const RoleName = await roleNamed(stage, "list-attached");
      await stage.stage.iam.attachRolePolicy({ RoleName, PolicyArn: READ_ONLY });
      const { AttachedPolicies } = await stage.js.iam.listAttachedRolePolicies({ RoleName });
      assert.deepEqual(AttachedPolicies, [{ PolicyName: "AWSLambdaBasicExecutionRole", PolicyArn: READ_ONLY }]);
    },
    refuses: [({ js }) => js.iam.listAttachedRolePolicies(NOBODY), NoSuchEntityException, 404],
  },
};

async function withInline(stage: Stage, name: string): Promise<string> {
  const RoleName = await roleNamed(stage, name);
  await stage.stage.iam.putRolePolicy({ RoleName, PolicyName: "inline", PolicyDocument: policyText({ Action: "logs:*", Resource: "*" }) });
  return RoleName;
}
