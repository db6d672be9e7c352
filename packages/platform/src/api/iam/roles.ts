import type {
  CreateRoleRequest,
  CreateRoleResponse,
  DeleteRolePermissionsBoundaryRequest,
  DeleteRoleRequest,
  GetRoleRequest,
  GetRoleResponse,
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse,
  ListRolesRequest,
  ListRolesResponse,
  ListRoleTagsRequest,
  ListRoleTagsResponse,
  PutRolePermissionsBoundaryRequest,
  TagRoleRequest,
  UntagRoleRequest,
  UpdateAssumeRolePolicyRequest,
  UpdateRoleDescriptionRequest,
  UpdateRoleDescriptionResponse,
  UpdateRoleRequest,
  UpdateRoleResponse,
} from "@aws-sdk/client-iam";
import type { RoleChange, Roles } from "../../security/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { pageEnd, pageOf, paging, roleShape, tagShapes, tagsOf } from "./shapes.ts";

/** Roles themselves: create to delete, trust, settings, boundary, tags. @see IAM API reference */
export function roleOperations(roles: Roles) {
  const change = (name: string | undefined, what: RoleChange, context: RequestContext) =>
    roles.changeRole(context.realm.account, given(name, "RoleName"), what);
  return {
    async CreateRole(input: CreateRoleRequest, context: RequestContext): Promise<CreateRoleResponse> {
      const role = await roles.createRole(context.realm.account, {
        name: given(input.RoleName, "RoleName"),
        path: input.Path,
        trustPolicy: given(input.AssumeRolePolicyDocument, "AssumeRolePolicyDocument"),
        description: input.Description,
        maxSessionSeconds: input.MaxSessionDuration,
        boundaryArn: input.PermissionsBoundary,
        tags: tagsOf(input.Tags),
      });
      return { Role: roleShape(role, true) };
    },
    GetRole(input: GetRoleRequest, context: RequestContext): GetRoleResponse {
      return { Role: roleShape(roles.role(context.realm.account, given(input.RoleName, "RoleName")), true) };
    },
    ListRoles(input: ListRolesRequest, context: RequestContext): ListRolesResponse {
      const page = roles.listRoles(context.realm.account, { ...paging(input), pathPrefix: input.PathPrefix });
      return { Roles: page.items.map((role) => roleShape(role, false)), ...pageEnd(page) };
    },
    async UpdateRole(input: UpdateRoleRequest, context: RequestContext): Promise<UpdateRoleResponse> {
      await change(
        input.RoleName,
        { kind: "settings", description: input.Description, maxSessionSeconds: input.MaxSessionDuration },
        context,
      );
      return {};
    },
    async UpdateRoleDescription(input: UpdateRoleDescriptionRequest, context: RequestContext): Promise<UpdateRoleDescriptionResponse> {
      const role = await change(input.RoleName, { kind: "settings", description: given(input.Description, "Description") }, context);
      return { Role: roleShape(role, true) };
    },
    async UpdateAssumeRolePolicy(input: UpdateAssumeRolePolicyRequest, context: RequestContext): Promise<void> {
      await change(input.RoleName, { kind: "setTrust", document: given(input.PolicyDocument, "PolicyDocument") }, context);
    },
    async DeleteRole(input: DeleteRoleRequest, context: RequestContext): Promise<void> {
      await roles.deleteRole(context.realm.account, given(input.RoleName, "RoleName"));
    },
    async PutRolePermissionsBoundary(input: PutRolePermissionsBoundaryRequest, context: RequestContext): Promise<void> {
      await change(input.RoleName, { kind: "setBoundary", arn: given(input.PermissionsBoundary, "PermissionsBoundary") }, context);
    },
    async DeleteRolePermissionsBoundary(input: DeleteRolePermissionsBoundaryRequest, context: RequestContext): Promise<void> {
      await change(input.RoleName, { kind: "setBoundary", arn: undefined }, context);
    },
    async TagRole(input: TagRoleRequest, context: RequestContext): Promise<void> {
      await change(input.RoleName, { kind: "tag", tags: tagsOf(input.Tags) }, context);
    },
    async UntagRole(input: UntagRoleRequest, context: RequestContext): Promise<void> {
      await change(input.RoleName, { kind: "untag", keys: given(input.TagKeys, "TagKeys") }, context);
    },
    ListRoleTags(input: ListRoleTagsRequest, context: RequestContext): ListRoleTagsResponse {
      const role = roles.role(context.realm.account, given(input.RoleName, "RoleName"));
      const page = pageOf(tagShapes(role.tags), (tag) => tag.Key ?? "", paging(input));
      return { Tags: [...page.items], ...pageEnd(page) };
    },
    /** There are no instance profiles here, so no role is in one; Terraform asks before it deletes a role. */
    ListInstanceProfilesForRole(input: ListInstanceProfilesForRoleRequest, context: RequestContext): ListInstanceProfilesForRoleResponse {
      roles.role(context.realm.account, given(input.RoleName, "RoleName"));
      return { InstanceProfiles: [], IsTruncated: false };
    },
  };
}
