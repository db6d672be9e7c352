import assert from "node:assert/strict";
import { DeleteConflictException, EntityAlreadyExistsException, LimitExceededException, NoSuchEntityException } from "@aws-sdk/client-iam";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import { known, type OperationCase, type Stage } from "./cases.ts";
import { policyText, roleNamed } from "./iam-roles.ts";

const NOWHERE = { PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/nowhere` };
const ANY = policyText({ Action: "lambda:GetFunction", Resource: "*" });
const OTHER = policyText({ Action: "lambda:ListFunctions", Resource: "*" });

async function policyNamed({ stage }: Stage, PolicyName: string, Path = "/"): Promise<string> {
  const { Policy } = await stage.iam.createPolicy({ PolicyName, Path, PolicyDocument: ANY });
  return known(Policy?.Arn);
}

async function twoVersions(stage: Stage, name: string): Promise<string> {
  const PolicyArn = await policyNamed(stage, name);
  await stage.stage.iam.createPolicyVersion({ PolicyArn, PolicyDocument: OTHER });
  return PolicyArn;
}

const defaultOf = async ({ stage }: Stage, PolicyArn: string) => (await stage.iam.getPolicy({ PolicyArn })).Policy?.DefaultVersionId;

/** Managed policies, their versions and tags. */
export const iamPolicyCases: Readonly<Record<string, OperationCase>> = {
  CreatePolicy: {
    async does({ js, stage }) {
      const { Policy } = await js.iam.createPolicy({ PolicyName: "create-policy", Description: "reads", PolicyDocument: ANY });
      const stored = (await stage.iam.getPolicy({ PolicyArn: known(Policy?.Arn) })).Policy;
      assert.deepEqual([stored?.Description, stored?.DefaultVersionId, stored?.PolicyId], ["reads", "v1", Policy?.PolicyId]);
    },
    refuses: [
      async (stage) => {
        await policyNamed(stage, "policy-taken");
        await stage.js.iam.createPolicy({ PolicyName: "policy-taken", PolicyDocument: ANY });
      },
      EntityAlreadyExistsException,
      409,
    ],
  },
  GetPolicy: {
    async does(stage) {
      const PolicyArn = await policyNamed(stage, "get-policy");
      assert.equal((await stage.js.iam.getPolicy({ PolicyArn })).Policy?.PolicyName, "get-policy");
    },
    refuses: [({ js }) => js.iam.getPolicy(NOWHERE), NoSuchEntityException, 404],
  },
  ListPolicies: {
    async does(stage) {
      for (const name of ["listed-a", "listed-b"]) await policyNamed(stage, name, "/listed/");
      const first = await stage.js.iam.listPolicies({ Scope: "Local", PathPrefix: "/listed/", MaxItems: 1 });
      const rest = await stage.js.iam.listPolicies({ Scope: "Local", PathPrefix: "/listed/", Marker: known(first.Marker) });
      assert.deepEqual(
        [...known(first.Policies), ...known(rest.Policies)].map((policy) => policy.PolicyName),
        ["listed-a", "listed-b"],
      );
    },
    refuses: [({ js }) => js.iam.listPolicies({ MaxItems: 0 }), "ValidationError", 400],
  },
  DeletePolicy: {
    async does(stage) {
      const PolicyArn = await policyNamed(stage, "delete-policy");
      await stage.js.iam.deletePolicy({ PolicyArn });
      await assert.rejects(stage.stage.iam.getPolicy({ PolicyArn }), NoSuchEntityException);
    },
    refuses: [
      async (stage) => {
        const PolicyArn = await policyNamed(stage, "policy-in-use");
        await stage.stage.iam.attachRolePolicy({ RoleName: await roleNamed(stage, "uses-policy"), PolicyArn });
        await stage.js.iam.deletePolicy({ PolicyArn });
      },
      DeleteConflictException,
      409,
    ],
  },
  ListEntitiesForPolicy: {
    async does(stage) {
      const PolicyArn = await policyNamed(stage, "entities");
      await stage.stage.iam.attachRolePolicy({ RoleName: await roleNamed(stage, "entity"), PolicyArn });
      assert.deepEqual(
        (await stage.js.iam.listEntitiesForPolicy({ PolicyArn })).PolicyRoles?.map((role) => role.RoleName),
        ["entity"],
      );
    },
    refuses: [({ js }) => js.iam.listEntitiesForPolicy(NOWHERE), NoSuchEntityException, 404],
  },
  CreatePolicyVersion: {
    async does(stage) {
      const PolicyArn = await policyNamed(stage, "create-version");
      const { PolicyVersion } = await stage.js.iam.createPolicyVersion({ PolicyArn, PolicyDocument: OTHER, SetAsDefault: true });
      assert.equal(PolicyVersion?.VersionId, "v2");
      assert.equal(await defaultOf(stage, PolicyArn), "v2");
    },
    refuses: [
      async (stage) => {
        const PolicyArn = await policyNamed(stage, "six-versions");
        for (let version = 2; version <= 5; version += 1) await stage.stage.iam.createPolicyVersion({ PolicyArn, PolicyDocument: OTHER });
        await stage.js.iam.createPolicyVersion({ PolicyArn, PolicyDocument: OTHER });
      },
      LimitExceededException,
      409,
    ],
  },
  GetPolicyVersion: {
    async does(stage) {
      const PolicyArn = await twoVersions(stage, "get-version");
      const { PolicyVersion } = await stage.js.iam.getPolicyVersion({ PolicyArn, VersionId: "v2" });
      assert.equal(decodeURIComponent(known(PolicyVersion?.Document)), OTHER);
    },
    refuses: [({ js }) => js.iam.getPolicyVersion({ ...NOWHERE, VersionId: "v1" }), NoSuchEntityException, 404],
  },
  ListPolicyVersions: {
    async does(stage) {
      const { Versions } = await stage.js.iam.listPolicyVersions({ PolicyArn: await twoVersions(stage, "list-versions") });
      assert.deepEqual(
        Versions?.map((version) => [version.VersionId, version.IsDefaultVersion]),
        [
          ["v2", false],
          ["v1", true],
        ],
      );
    },
    refuses: [({ js }) => js.iam.listPolicyVersions(NOWHERE), NoSuchEntityException, 404],
  },
  DeletePolicyVersion: {
    async does(stage) {
      const PolicyArn = await twoVersions(stage, "delete-version");
      await stage.js.iam.deletePolicyVersion({ PolicyArn, VersionId: "v2" });
      await assert.rejects(stage.stage.iam.getPolicyVersion({ PolicyArn, VersionId: "v2" }), NoSuchEntityException);
    },
    refuses: [
      async (stage) => stage.js.iam.deletePolicyVersion({ PolicyArn: await policyNamed(stage, "delete-default"), VersionId: "v1" }),
      DeleteConflictException,
      409,
    ],
  },
  SetDefaultPolicyVersion: {
    async does(stage) {
      const PolicyArn = await twoVersions(stage, "set-default");
      await stage.js.iam.setDefaultPolicyVersion({ PolicyArn, VersionId: "v2" });
      assert.equal(await defaultOf(stage, PolicyArn), "v2");
    },
    refuses: [({ js }) => js.iam.setDefaultPolicyVersion({ ...NOWHERE, VersionId: "v1" }), NoSuchEntityException, 404],
  },
  TagPolicy: {
    async does(stage) {
      const PolicyArn = await policyNamed(stage, "tag-policy");
      await stage.js.iam.tagPolicy({ PolicyArn, Tags: [{ Key: "a", Value: "b" }] });
      assert.deepEqual((await stage.stage.iam.getPolicy({ PolicyArn })).Policy?.Tags, [{ Key: "a", Value: "b" }]);
    },
    refuses: [({ js }) => js.iam.tagPolicy({ ...NOWHERE, Tags: [{ Key: "a", Value: "b" }] }), NoSuchEntityException, 404],
  },
  UntagPolicy: {
    async does(stage) {
      const PolicyArn = await policyNamed(stage, "untag-policy");
      await stage.stage.iam.tagPolicy({ PolicyArn, Tags: [{ Key: "a", Value: "b" }] });
      await stage.js.iam.untagPolicy({ PolicyArn, TagKeys: ["a"] });
      assert.deepEqual((await stage.stage.iam.listPolicyTags({ PolicyArn })).Tags, []);
    },
    refuses: [({ js }) => js.iam.untagPolicy({ ...NOWHERE, TagKeys: ["a"] }), NoSuchEntityException, 404],
  },
  ListPolicyTags: {
    async does(stage) {
      const PolicyArn = await policyNamed(stage, "policy-tags");
      await stage.stage.iam.tagPolicy({ PolicyArn, Tags: [{ Key: "a", Value: "b" }] });
      assert.deepEqual((await stage.js.iam.listPolicyTags({ PolicyArn })).Tags, [{ Key: "a", Value: "b" }]);
    },
    refuses: [({ js }) => js.iam.listPolicyTags(NOWHERE), NoSuchEntityException, 404],
  },
};
