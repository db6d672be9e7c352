import type { AttachedPolicy, Policy, PolicyVersion as WirePolicyVersion, Role as WireRole, Tag } from "@aws-sdk/client-iam";
import {
  defaultVersion,
  type ManagedPolicy,
  type Page,
  type PageRequest,
  type PolicyVersion,
  type Role,
  type Roles,
  type Tags,
} from "../../security/index.ts";
import { given } from "../given.ts";

/** IAM's shapes of roles and policies. */

/** Policy documents travel percent-encoded inside the XML, as IAM sends them. */
export function encodeDocument(document: string): string {
  return encodeURIComponent(document);
}

/** A role; lists leave out tags and boundary, as IAM's do. */
export function roleShape(role: Role, full: boolean): WireRole {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.roleId,
    Arn: role.arn,
    CreateDate: new Date(role.createdAt),
    AssumeRolePolicyDocument: encodeDocument(role.trustPolicy),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
    ...(full && role.boundaryArn !== undefined
      ? { PermissionsBoundary: { PermissionsBoundaryType: "PermissionsBoundaryPolicy", PermissionsBoundaryArn: role.boundaryArn } }
      : {}),
    ...(full && Object.keys(role.tags).length > 0 ? { Tags: tagShapes(role.tags) } : {}),
  };
}

/** A managed policy; lists leave out description and tags. */
export function policyShape(policy: ManagedPolicy, uses: ReturnType<Roles["usesOf"]>, full: boolean): Policy {
  return {
    PolicyName: policy.name,
    PolicyId: policy.policyId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: uses.attachedTo.length,
    PermissionsBoundaryUsageCount: uses.boundaryOf.length,
    IsAttachable: true,
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.updatedAt),
    ...(full && policy.description !== undefined ? { Description: policy.description } : {}),
    ...(full && Object.keys(policy.tags).length > 0 ? { Tags: tagShapes(policy.tags) } : {}),
  };
}

/** A version; its document only where one version is asked for. */
export function versionShape(policy: ManagedPolicy, version: PolicyVersion, withDocument: boolean): WirePolicyVersion {
  return {
    VersionId: version.id,
    IsDefaultVersion: version.id === defaultVersion(policy)?.id,
    CreateDate: new Date(version.createdAt),
    ...(withDocument ? { Document: encodeDocument(version.document) } : {}),
  };
}

export function attachedShape(policy: ManagedPolicy): AttachedPolicy {
  return { PolicyName: policy.name, PolicyArn: policy.arn };
}

export function tagShapes(tags: Tags): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

export function tagsOf(tags: readonly Tag[] | undefined): Tags {
  return Object.fromEntries((tags ?? []).map((tag) => [given(tag.Key, "Tags.Key"), given(tag.Value, "Tags.Value")]));
}

/** `IsTruncated` and, on all pages but the last, `Marker`. */
export function pageEnd(page: Page<unknown>): { IsTruncated: boolean; Marker?: string } {
  return page.next === undefined ? { IsTruncated: false } : { IsTruncated: true, Marker: page.next };
}

/** A page of a list that is short by its limits and kept in order: the marker is the last item before. */
export function pageOf<T>(all: readonly T[], keyOf: (item: T) => string, request: Omit<PageRequest, "pathPrefix">): Page<T> {
  const after = request.marker;
  const start = after === undefined ? 0 : all.findIndex((item) => keyOf(item) === after) + 1;
  const end = start + (request.limit ?? 100);
  const last = all[end - 1];
  return { items: all.slice(start, end), next: end < all.length && last !== undefined ? keyOf(last) : undefined };
}

/** Paging members of a request. */
export function paging(input: {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}): Omit<PageRequest, "pathPrefix"> {
  return { marker: input.Marker, limit: input.MaxItems };
}
