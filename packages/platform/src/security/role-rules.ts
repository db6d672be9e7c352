import { LambentError, type Instant } from "../base/index.ts";
import { parsePolicy, type PolicyKind } from "./policy/document.ts";
import type { ManagedPolicy, Role, Tags } from "./role-model.ts";

/** The rules of roles and managed policies: pure changes and their limits. No store, no clock. */

/** Roles of one account. @limit */
export const ROLES_MAX = 1_000;
/** Managed policies of one account. @limit */
export const MANAGED_POLICIES_MAX = 1_500;
/** Managed policies attached to one role. @limit */
const ATTACHED_POLICIES_MAX = 10;
/** Versions one managed policy keeps. @limit */
const POLICY_VERSIONS_MAX = 5;
/** Tags of one role or policy. @limit */
const TAGS_MAX = 50;
/** Characters, blanks not counted, of a trust policy. @limit */
export const TRUST_POLICY_CHARACTERS_MAX = 4_096;
/** Characters, blanks not counted, of a managed policy. @limit */
export const MANAGED_POLICY_CHARACTERS_MAX = 6_144;
/** Characters, blanks not counted, of all inline policies of one role. @limit */
const INLINE_POLICIES_CHARACTERS_MAX = 10_240;

/** Shortest value of a role's longest session. */
const SESSION_SECONDS_MIN = 3_600;
/** Longest session of a role. */
const SESSION_SECONDS_MAX = 43_200;

/** One change of a role. */
export type RoleChange =
  | { readonly kind: "setTrust"; readonly document: string }
  | { readonly kind: "settings"; readonly description?: string | undefined; readonly maxSessionSeconds?: number | undefined }
  | { readonly kind: "putInline"; readonly name: string; readonly document: string }
  | { readonly kind: "deleteInline"; readonly name: string }
  | { readonly kind: "attach"; readonly arn: string }
  | { readonly kind: "detach"; readonly arn: string }
  | { readonly kind: "setBoundary"; readonly arn: string | undefined }
  | { readonly kind: "tag"; readonly tags: Tags }
  | { readonly kind: "untag"; readonly keys: readonly string[] };

/** The role after `change`; throws what is wrong with it. That attached policies exist is the caller's to know. */
export function changeRole(role: Role, change: RoleChange): Role {
  switch (change.kind) {
    case "setTrust":
      checkDocument(change.document, "trust", TRUST_POLICY_CHARACTERS_MAX);
      return { ...role, trustPolicy: change.document };
    case "settings":
      checkSettings(change.description, change.maxSessionSeconds);
      return {
        ...role,
        description: change.description ?? role.description,
        maxSessionSeconds: change.maxSessionSeconds ?? role.maxSessionSeconds,
      };
    case "putInline":
      return putInline(role, change.name, change.document);
    case "deleteInline": {
      if (!Object.hasOwn(role.inlinePolicies, change.name))
        throw new LambentError("NotFound", `The role ${role.name} has no policy named ${change.name}.`);
      return { ...role, inlinePolicies: without(role.inlinePolicies, [change.name]) };
    }
    case "attach": {
      if (role.attachedPolicies.includes(change.arn)) return role;
      const attachedPolicies = [...role.attachedPolicies, change.arn];
      if (attachedPolicies.length > ATTACHED_POLICIES_MAX)
        limit(`The role ${role.name} has ${ATTACHED_POLICIES_MAX} attached policies, which is the most.`);
      return { ...role, attachedPolicies };
    }
    case "detach":
      if (!role.attachedPolicies.includes(change.arn))
        throw new LambentError("NotFound", `The policy ${change.arn} is not attached to the role ${role.name}.`);
      return { ...role, attachedPolicies: role.attachedPolicies.filter((arn) => arn !== change.arn) };
    case "setBoundary":
      if (change.arn === undefined && role.boundaryArn === undefined)
        throw new LambentError("NotFound", `The role ${role.name} has no permissions boundary.`);
      return { ...role, boundaryArn: change.arn };
    case "tag":
      return { ...role, tags: mergeTags(role.tags, change.tags) };
    case "untag":
      return { ...role, tags: without(role.tags, change.keys) };
  }
}

function putInline(role: Role, name: string, document: string): Role {
  checkName(name, "PolicyName", 128);
  checkDocument(document, "identity", INLINE_POLICIES_CHARACTERS_MAX);
  const inlinePolicies = { ...role.inlinePolicies, [name]: document };
  const characters = Object.values(inlinePolicies).reduce((sum, text) => sum + charactersOf(text), 0);
  if (characters > INLINE_POLICIES_CHARACTERS_MAX) {
    limit(
      `The inline policies of the role ${role.name} would have ${characters} characters; at most ${INLINE_POLICIES_CHARACTERS_MAX} are allowed.`,
    );
  }
  return { ...role, inlinePolicies };
}

/** One change of a managed policy. */
export type PolicyChange =
  | { readonly kind: "addVersion"; readonly document: string; readonly setAsDefault: boolean }
  | { readonly kind: "deleteVersion"; readonly id: string }
  | { readonly kind: "setDefault"; readonly id: string }
  | { readonly kind: "tag"; readonly tags: Tags }
  | { readonly kind: "untag"; readonly keys: readonly string[] };

/** The policy after `change` at `now`; throws what is wrong with it. */
export function changePolicy(policy: ManagedPolicy, change: PolicyChange, now: Instant): ManagedPolicy {
  switch (change.kind) {
    case "addVersion": {
      checkDocument(change.document, "identity", MANAGED_POLICY_CHARACTERS_MAX);
      if (policy.versions.length >= POLICY_VERSIONS_MAX)
        limit(`The policy ${policy.name} has ${POLICY_VERSIONS_MAX} versions, which is the most; delete one first.`);
      const version = { id: `v${policy.nextVersion}`, document: change.document, createdAt: now };
      return {
        ...policy,
        versions: [...policy.versions, version],
        nextVersion: policy.nextVersion + 1,
        defaultVersionId: change.setAsDefault ? version.id : policy.defaultVersionId,
        updatedAt: now,
      };
    }
    case "deleteVersion":
      requireVersion(policy, change.id);
      if (change.id === policy.defaultVersionId)
        throw new LambentError(
          "Conflict",
          `${change.id} is the default version of the policy ${policy.name}; make another one the default first.`,
        );
      return { ...policy, versions: policy.versions.filter((version) => version.id !== change.id), updatedAt: now };
    case "setDefault":
      requireVersion(policy, change.id);
      return { ...policy, defaultVersionId: change.id, updatedAt: now };
    case "tag":
      return { ...policy, tags: mergeTags(policy.tags, change.tags) };
    case "untag":
      return { ...policy, tags: without(policy.tags, change.keys) };
  }
}

function requireVersion(policy: ManagedPolicy, id: string): void {
  if (!policy.versions.some((version) => version.id === id))
    throw new LambentError("NotFound", `The policy ${policy.name} has no version ${id}.`);
}

/** Checks description and longest session. */
export function checkSettings(description: string | undefined, maxSessionSeconds: number | undefined): void {
  if (description !== undefined && description.length > 1_000)
    invalid(`Description has ${description.length} characters; at most 1000 are allowed.`);
  if (maxSessionSeconds === undefined) return;
  if (!Number.isInteger(maxSessionSeconds) || maxSessionSeconds < SESSION_SECONDS_MIN || maxSessionSeconds > SESSION_SECONDS_MAX) {
    invalid(`MaxSessionDuration is ${maxSessionSeconds}; it is ${SESSION_SECONDS_MIN} to ${SESSION_SECONDS_MAX} seconds.`);
  }
}

/** Checks the name of a role (64) or policy (128). */
export function checkName(name: string, member: string, charactersMax: number): void {
  if (!/^[\w+=,.@-]+$/.test(name) || name.length > charactersMax) {
    invalid(`${member} is ${JSON.stringify(name.slice(0, 140))}; it has 1 to ${charactersMax} letters, digits and characters of _+=,.@-.`);
  }
}

/** Checks a path: `/`, or text between slashes. */
export function checkPath(path: string): void {
  if (path.length > 512 || !/^(\/|\/[\x21-\x7e]+\/)$/.test(path))
    invalid(`Path is ${JSON.stringify(path.slice(0, 140))}; it begins and ends with a slash and has at most 512 characters.`);
}

/** Checks text and size of a policy document. */
export function checkDocument(document: string, kind: PolicyKind, charactersMax: number): void {
  const characters = charactersOf(document);
  if (characters > charactersMax) limit(`The policy has ${characters} characters without blanks; at most ${charactersMax} are allowed.`);
  parsePolicy(document, kind);
}

function charactersOf(document: string): number {
  return document.replaceAll(/\s/g, "").length;
}

/** `present` with `added` over it, within the bound. */
export function mergeTags(present: Tags, added: Tags): Tags {
  const merged = { ...present, ...added };
  const count = Object.keys(merged).length;
  if (count > TAGS_MAX) limit(`There would be ${count} tags; at most ${TAGS_MAX} are allowed.`);
  for (const [key, value] of Object.entries(added)) {
    if (key === "" || key.length > 128 || value.length > 256)
      invalid(`The tag ${JSON.stringify(key.slice(0, 140))} breaks a rule: keys have 1 to 128 characters, values at most 256.`);
    if (key.toLowerCase().startsWith("aws:"))
      invalid(`The tag ${JSON.stringify(key.slice(0, 140))} breaks a rule: keys do not begin with aws:.`);
  }
  return merged;
}

function without<T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

function limit(message: string): never {
  throw new LambentError("LimitExceeded", message);
}

function invalid(message: string): never {
  throw new LambentError("InvalidParameter", message);
}
