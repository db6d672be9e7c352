import type {
  AttachRolePolicyRequest,
  DeleteRolePolicyRequest,
  DetachRolePolicyRequest,
  GetRolePolicyRequest,
  GetRolePolicyResponse,
  ListAttachedRolePoliciesRequest,
  ListAttachedRolePoliciesResponse,
  ListRolePoliciesRequest,
  ListRolePoliciesResponse,
  PutRolePolicyRequest,
} from "@aws-sdk/client-iam";
import { LambentError } from "../../base/index.ts";
import type { RoleChange, Roles } from "../../security/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { attachedShape, encodeDocument, pageEnd, pageOf, paging } from "./shapes.ts";

/** Policies of a role: inline ones and attached ones. @see IAM API reference */
export function rolePolicyOperations(roles: Roles) {
  const change = async (name: string | undefined, what: RoleChange, context: RequestContext): Promise<void> => {
    await roles.changeRole(context.realm.account, given(name, "RoleName"), what);
  };
  return {
    PutRolePolicy(input: PutRolePolicyRequest, context: RequestContext): Promise<void> {
      const name = given(input.PolicyName, "PolicyName");
      return change(input.RoleName, { kind: "putInline", name, document: given(input.PolicyDocument, "PolicyDocument") }, context);
    },
    GetRolePolicy(input: GetRolePolicyRequest, context: RequestContext): GetRolePolicyResponse {
      const role = roles.role(context.realm.account, given(input.RoleName, "RoleName"));
      const name = given(input.PolicyName, "PolicyName");
      const document = new Map(Object.entries(role.inlinePolicies)).get(name);
      if (document === undefined) throw new LambentError("NotFound", `The role policy with name ${name} cannot be found.`);
      return { RoleName: role.name, PolicyName: name, PolicyDocument: encodeDocument(document) };
    },
    ListRolePolicies(input: ListRolePoliciesRequest, context: RequestContext): ListRolePoliciesResponse {
      const role = roles.role(context.realm.account, given(input.RoleName, "RoleName"));
      const page = pageOf(Object.keys(role.inlinePolicies).toSorted(), (name) => name, paging(input));
      return { PolicyNames: [...page.items], ...pageEnd(page) };
    },
    DeleteRolePolicy(input: DeleteRolePolicyRequest, context: RequestContext): Promise<void> {
      return change(input.RoleName, { kind: "deleteInline", name: given(input.PolicyName, "PolicyName") }, context);
    },
    AttachRolePolicy(input: AttachRolePolicyRequest, context: RequestContext): Promise<void> {
      return change(input.RoleName, { kind: "attach", arn: given(input.PolicyArn, "PolicyArn") }, context);
    },
    DetachRolePolicy(input: DetachRolePolicyRequest, context: RequestContext): Promise<void> {
      return change(input.RoleName, { kind: "detach", arn: given(input.PolicyArn, "PolicyArn") }, context);
    },
    ListAttachedRolePolicies(input: ListAttachedRolePoliciesRequest, context: RequestContext): ListAttachedRolePoliciesResponse {
      const { account } = context.realm;
      const role = roles.role(account, given(input.RoleName, "RoleName"));
      const policies = role.attachedPolicies
        .map((arn) => roles.policy(account, arn))
        .filter((policy) => policy.path.startsWith(input.PathPrefix ?? "/"));
      const page = pageOf(policies, (policy) => policy.arn, paging(input));
      return { AttachedPolicies: page.items.map(attachedShape), ...pageEnd(page) };
    },
  };
}
