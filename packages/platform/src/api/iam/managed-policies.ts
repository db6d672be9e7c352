import type {
  CreatePolicyRequest,
  CreatePolicyResponse,
  CreatePolicyVersionRequest,
  CreatePolicyVersionResponse,
  DeletePolicyRequest,
  DeletePolicyVersionRequest,
  GetPolicyRequest,
  GetPolicyResponse,
  GetPolicyVersionRequest,
  GetPolicyVersionResponse,
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse,
  ListPoliciesRequest,
  ListPoliciesResponse,
  ListPolicyTagsRequest,
  ListPolicyTagsResponse,
  ListPolicyVersionsRequest,
  ListPolicyVersionsResponse,
  SetDefaultPolicyVersionRequest,
  TagPolicyRequest,
  UntagPolicyRequest,
} from "@aws-sdk/client-iam";
import { LambentError } from "../../base/index.ts";
import type { ManagedPolicy, PolicyChange, Roles } from "../../security/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { pageEnd, pageOf, paging, policyShape, tagShapes, tagsOf, versionShape } from "./shapes.ts";

/** Managed policies, their versions and tags. @see IAM API reference */
export function managedPolicyOperations(roles: Roles) {
  return { ...policyOperations(roles), ...versionOperations(roles), ...tagOperations(roles) };
}

function policyOperations(roles: Roles) {
  const { find } = access(roles);
  const shape = (policy: ManagedPolicy, context: RequestContext, full: boolean) =>
    policyShape(policy, roles.usesOf(context.realm.account, policy.arn), full);
  return {
    async CreatePolicy(input: CreatePolicyRequest, context: RequestContext): Promise<CreatePolicyResponse> {
      const policy = await roles.createPolicy(context.realm.account, {
        name: given(input.PolicyName, "PolicyName"),
        path: input.Path,
        document: given(input.PolicyDocument, "PolicyDocument"),
        description: input.Description,
        tags: tagsOf(input.Tags),
      });
      return { Policy: shape(policy, context, true) };
    },
    GetPolicy(input: GetPolicyRequest, context: RequestContext): GetPolicyResponse {
      return { Policy: shape(find(input.PolicyArn, context), context, true) };
    },
    ListPolicies(input: ListPoliciesRequest, context: RequestContext): ListPoliciesResponse {
      refuseUnbuilt(input, ["PolicyUsageFilter"]);
      const page = roles.listPolicies(context.realm.account, {
        ...paging(input),
        pathPrefix: input.PathPrefix,
        scope: input.Scope ?? "All",
        onlyAttached: input.OnlyAttached ?? false,
      });
      return { Policies: page.items.map((policy) => shape(policy, context, false)), ...pageEnd(page) };
    },
    async DeletePolicy(input: DeletePolicyRequest, context: RequestContext): Promise<void> {
      await roles.deletePolicy(context.realm.account, given(input.PolicyArn, "PolicyArn"));
    },
    ListEntitiesForPolicy(input: ListEntitiesForPolicyRequest, context: RequestContext): ListEntitiesForPolicyResponse {
      refuseUnbuilt(input, ["PolicyUsageFilter"]);
      const uses = roles.usesOf(context.realm.account, find(input.PolicyArn, context).arn);
      const wanted = input.EntityFilter === undefined || input.EntityFilter === "Role" ? uses.attachedTo : [];
      const matching = wanted.filter((role) => role.path.startsWith(input.PathPrefix ?? "/"));
      const page = pageOf(
        matching.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        (role) => role.name,
        paging(input),
      );
      return {
        PolicyRoles: page.items.map((role) => ({ RoleName: role.name, RoleId: role.roleId })),
        PolicyUsers: [],
        PolicyGroups: [],
        ...pageEnd(page),
      };
    },
  };
}

function versionOperations(roles: Roles) {
  const { find, change } = access(roles);
  return {
    async CreatePolicyVersion(input: CreatePolicyVersionRequest, context: RequestContext): Promise<CreatePolicyVersionResponse> {
      const document = given(input.PolicyDocument, "PolicyDocument");
      const policy = await change(input.PolicyArn, { kind: "addVersion", document, setAsDefault: input.SetAsDefault ?? false }, context);
      const version = policy.versions.at(-1);
      return version ? { PolicyVersion: versionShape(policy, version, false) } : {};
    },
    GetPolicyVersion(input: GetPolicyVersionRequest, context: RequestContext): GetPolicyVersionResponse {
      const policy = find(input.PolicyArn, context);
      const version = policy.versions.find((candidate) => candidate.id === input.VersionId);
      if (!version) throw new LambentError("NotFound", `The policy ${policy.name} has no version ${input.VersionId}.`);
      return { PolicyVersion: versionShape(policy, version, true) };
    },
    ListPolicyVersions(input: ListPolicyVersionsRequest, context: RequestContext): ListPolicyVersionsResponse {
      const policy = find(input.PolicyArn, context);
      const page = pageOf(policy.versions.toReversed(), (version) => version.id, paging(input));
      return { Versions: page.items.map((version) => versionShape(policy, version, false)), ...pageEnd(page) };
    },
    async DeletePolicyVersion(input: DeletePolicyVersionRequest, context: RequestContext): Promise<void> {
      await change(input.PolicyArn, { kind: "deleteVersion", id: given(input.VersionId, "VersionId") }, context);
    },
    async SetDefaultPolicyVersion(input: SetDefaultPolicyVersionRequest, context: RequestContext): Promise<void> {
      await change(input.PolicyArn, { kind: "setDefault", id: given(input.VersionId, "VersionId") }, context);
    },
  };
}

function tagOperations(roles: Roles) {
  const { find, change } = access(roles);
  return {
    async TagPolicy(input: TagPolicyRequest, context: RequestContext): Promise<void> {
      await change(input.PolicyArn, { kind: "tag", tags: tagsOf(input.Tags) }, context);
    },
    async UntagPolicy(input: UntagPolicyRequest, context: RequestContext): Promise<void> {
      await change(input.PolicyArn, { kind: "untag", keys: given(input.TagKeys, "TagKeys") }, context);
    },
    ListPolicyTags(input: ListPolicyTagsRequest, context: RequestContext): ListPolicyTagsResponse {
      const page = pageOf(tagShapes(find(input.PolicyArn, context).tags), (tag) => tag.Key ?? "", paging(input));
      return { Tags: [...page.items], ...pageEnd(page) };
    },
  };
}

/** A policy by the ARN a request names, and a change of it. */
function access(roles: Roles) {
  return {
    find: (arn: string | undefined, context: RequestContext): ManagedPolicy => roles.policy(context.realm.account, given(arn, "PolicyArn")),
    change: (arn: string | undefined, what: PolicyChange, context: RequestContext): Promise<ManagedPolicy> =>
      roles.changePolicy(context.realm.account, given(arn, "PolicyArn"), what),
  };
}
