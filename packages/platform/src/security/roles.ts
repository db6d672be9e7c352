import { invariant, LambentError, Turns, type Clock, type Instant, type SecureRandom } from "../base/index.ts";
import { realmKey } from "../model/index.ts";
import { eachRow, type CellKey, type Op, type Store } from "../storage/index.ts";
import { AWS_MANAGED_POLICIES } from "./aws-managed-policies.ts";
import { parsePolicyCached } from "./policy/cache.ts";
import type { NamedPolicy } from "./policy/evaluate.ts";
import { roleAccountOf, roleIdOfArn, roleNameOf, uniqueId } from "./principal.ts";
import { defaultVersion, type ManagedPolicy, type Page, type PageRequest, type Role, type Tags } from "./role-model.ts";
import {
  changePolicy,
  changeRole,
  checkDocument,
  checkName,
  checkPath,
  checkSettings,
  MANAGED_POLICIES_MAX,
  MANAGED_POLICY_CHARACTERS_MAX,
  mergeTags,
  ROLES_MAX,
  TRUST_POLICY_CHARACTERS_MAX,
  type PolicyChange,
  type RoleChange,
} from "./role-rules.ts";

/**
 * Roles and managed policies: one cell per account (they have no region), held in memory, each change one commit (P1, P11).
 * The rules stand in `role-rules.ts`; here are what exists, its order, and that a change is seen only once it is durable.
 * Deliberately absent: users and groups; who may do what is the authorizer's.
 */
export interface Roles {
  createRole(account: string, draft: RoleDraft): Promise<Role>;
  /** Throws `NotFound`. */
  role(account: string, name: string): Role;
  findRole(account: string, name: string): Role | undefined;
  /** In the order of names. Throws `InvalidParameter` for a marker or limit that is none. */
  listRoles(account: string, request: PageRequest): Page<Role>;
  changeRole(account: string, name: string, change: RoleChange): Promise<Role>;
  /** Throws `Conflict` while policies are attached to it or inside it. */
  deleteRole(account: string, name: string): Promise<void>;

  createPolicy(account: string, draft: PolicyDraft): Promise<ManagedPolicy>;
  /** By ARN, AWS's own included. Throws `NotFound`. */
  policy(account: string, arn: string): ManagedPolicy;
  listPolicies(
    account: string,
    request: PageRequest & { readonly scope: "All" | "AWS" | "Local"; readonly onlyAttached: boolean },
  ): Page<ManagedPolicy>;
  changePolicy(account: string, arn: string, change: PolicyChange): Promise<ManagedPolicy>;
  /** Throws `Conflict` while it is attached or has more than its default version. */
  deletePolicy(account: string, arn: string): Promise<void>;
  /** Roles a policy is attached to, and roles it bounds. */
  usesOf(account: string, arn: string): { readonly attachedTo: readonly Role[]; readonly boundaryOf: readonly Role[] };

  /** What is enforced for a role, parsed: nothing allowed for one that was deleted; undefined when there never was one of that name here. */
  policiesOfRole(
    account: string,
    name: string,
  ): { readonly identity: readonly NamedPolicy[]; readonly boundary: NamedPolicy | undefined } | undefined;
  /** A managed policy's default version, parsed. */
  namedPolicy(account: string, arn: string): NamedPolicy | undefined;
  /** The role's id, or one that follows from its ARN when it does not exist in `account`. */
  roleIdOf(account: string, roleArn: string): string;
}

export interface RoleDraft {
  readonly name: string;
  readonly path?: string | undefined;
  readonly trustPolicy: string;
  readonly description?: string | undefined;
  readonly maxSessionSeconds?: number | undefined;
  readonly boundaryArn?: string | undefined;
  readonly tags: Tags;
}

export interface PolicyDraft {
  readonly name: string;
  readonly path?: string | undefined;
  readonly document: string;
  readonly description?: string | undefined;
  readonly tags: Tags;
}

export interface RolesOptions {
  readonly store: Store;
  /** Accounts of the root keys: nobody acts in another one. */
  readonly accounts: readonly string[];
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
}

/** Changes of one account that may wait for their turn (P7). */
const CHANGES_PENDING_MAX = 256;
/** Deleted roles remembered, so that their functions' calls are refused; beyond it the one deleted first is forgotten (P7). */
const DELETED_ROLES_MAX = 10_000;
const DELETED_PREFIX = "deleted-role/";
const PAGE_LIMIT_DEFAULT = 100;
/** Items of one page of a list. */
const PAGE_LIMIT_MAX = 1_000;

/** Loads roles and policies of `accounts`. */
export async function openRoles(options: RolesOptions): Promise<Roles> {
  const accounts = new Map<string, AccountRoles>();
  for (const account of new Set(options.accounts)) accounts.set(account, await AccountRoles.load(options, account));
  const of = (account: string): AccountRoles => {
    const found = accounts.get(account);
    invariant(found, `account ${account} has a root key`);
    return found;
  };
  return {
    createRole: (account, draft) => of(account).createRole(draft),
    role: (account, name) => of(account).role(name),
    findRole: (account, name) => accounts.get(account)?.findRole(name),
    listRoles: (account, request) => page(of(account).roles(), request),
    changeRole: (account, name, change) => of(account).changeRole(name, change),
    deleteRole: (account, name) => of(account).deleteRole(name),
    createPolicy: (account, draft) => of(account).createPolicy(draft),
    policy: (account, arn) => of(account).policy(arn),
    listPolicies: (account, request) => {
      const own = request.scope === "AWS" ? [] : of(account).policies();
      const aws = request.scope === "Local" ? [] : [...AWS_MANAGED_POLICIES.values()];
      const all = [...own, ...aws].filter((policy) => !request.onlyAttached || of(account).usesOf(policy.arn).attachedTo.length > 0);
      return page(all, request);
    },
    changePolicy: (account, arn, change) => of(account).changePolicy(arn, change),
    deletePolicy: (account, arn) => of(account).deletePolicy(arn),
    usesOf: (account, arn) => of(account).usesOf(arn),
    policiesOfRole: (account, name) => accounts.get(account)?.policiesOfRole(name),
    namedPolicy: (account, arn) => accounts.get(account)?.namedPolicy(arn),
    roleIdOf: (account, roleArn) => {
      const role = roleAccountOf(roleArn) === account ? accounts.get(account)?.findRole(roleNameOf(roleArn)) : undefined;
      return role?.roleId ?? roleIdOfArn(roleArn);
    },
  };
}

/** Roles and policies of one account. */
class AccountRoles {
  readonly #options: RolesOptions;
  readonly #account: string;
  readonly #cell: CellKey;
  // By lower-case name: names that differ in case only exclude each other.
  readonly #roles = new Map<string, Role>();
  readonly #policies = new Map<string, ManagedPolicy>();
  /** By lower-case name, when it was deleted. */
  readonly #deletedRoles = new Map<string, Instant>();
  readonly #changes = new Turns("roles", CHANGES_PENDING_MAX);

  constructor(options: RolesOptions, account: string) {
    this.#options = options;
    this.#account = account;
    this.#cell = `${realmKey({ account, region: "global" })}/registry/roles/0`;
  }

  static async load(options: RolesOptions, account: string): Promise<AccountRoles> {
    const loaded = new AccountRoles(options, account);
    for await (const { key, value } of eachRow(options.store, loaded.#cell)) loaded.#take(key, value);
    return loaded;
  }

  #take(key: string, value: Uint8Array): void {
    const record: unknown = JSON.parse(Buffer.from(value).toString("utf8"));
    if (key.startsWith("role/")) this.#roles.set(key.slice("role/".length), record as Role);
    else if (key.startsWith(DELETED_PREFIX)) this.#deletedRoles.set(key.slice(DELETED_PREFIX.length), record as Instant);
    else this.#policies.set(key.slice("policy/".length), record as ManagedPolicy);
  }

  roles(): Role[] {
    return [...this.#roles.values()];
  }

  policies(): ManagedPolicy[] {
    return [...this.#policies.values()];
  }

  findRole(name: string): Role | undefined {
    return this.#roles.get(name.toLowerCase());
  }

  role(name: string): Role {
    const role = this.findRole(name);
    if (!role) throw new LambentError("NotFound", `The role with name ${name} cannot be found.`);
    return role;
  }

  policy(arn: string): ManagedPolicy {
    const policy = this.#findPolicy(arn);
    if (!policy)
      throw new LambentError(
        "NotFound",
        `Policy ${arn} does not exist${arn.startsWith("arn:aws:iam::aws:") ? " in Lambent, which has only some of AWS's own" : ""}.`,
      );
    return policy;
  }

  #findPolicy(arn: string): ManagedPolicy | undefined {
    const own = this.#policies.get(roleNameOf(arn).toLowerCase());
    return own?.arn === arn ? own : AWS_MANAGED_POLICIES.get(arn);
  }

  #ownPolicy(arn: string): ManagedPolicy {
    const policy = this.policy(arn);
    if (policy.account !== this.#account)
      throw new LambentError("InvalidParameter", `The policy ${arn} is AWS's own and cannot be changed.`);
    return policy;
  }

  createRole(draft: RoleDraft): Promise<Role> {
    return this.#changes.take(async () => {
      const { clock, secureRandom } = this.#options;
      const path = draft.path ?? "/";
      checkName(draft.name, "RoleName", 64);
      checkPath(path);
      checkSettings(draft.description, draft.maxSessionSeconds);
      checkDocument(draft.trustPolicy, "trust", TRUST_POLICY_CHARACTERS_MAX);
      if (draft.boundaryArn !== undefined) this.policy(draft.boundaryArn);
      if (this.findRole(draft.name)) throw new LambentError("AlreadyExists", `Role with name ${draft.name} already exists.`);
      if (this.#roles.size >= ROLES_MAX) throw new LambentError("LimitExceeded", `The account has ${ROLES_MAX} roles, which is the most.`);
      const role: Role = {
        account: this.#account,
        name: draft.name,
        path,
        arn: `arn:aws:iam::${this.#account}:role${path}${draft.name}`,
        roleId: uniqueId("AROA", secureRandom.bytes(10)),
        createdAt: clock.now(),
        description: draft.description,
        maxSessionSeconds: draft.maxSessionSeconds ?? 3_600,
        trustPolicy: draft.trustPolicy,
        inlinePolicies: {},
        attachedPolicies: [],
        boundaryArn: draft.boundaryArn,
        tags: mergeTags({}, draft.tags),
      };
      await this.#saveRole(role);
      return role;
    });
  }

  changeRole(name: string, change: RoleChange): Promise<Role> {
    return this.#changes.take(async () => {
      const before = this.role(name);
      if ((change.kind === "attach" || change.kind === "setBoundary") && change.arn !== undefined) this.policy(change.arn);
      const after = changeRole(before, change);
      if (after !== before) await this.#saveRole(after);
      return after;
    });
  }

  deleteRole(name: string): Promise<void> {
    return this.#changes.take(async () => {
      const role = this.role(name);
      if (role.attachedPolicies.length > 0)
        throw new LambentError("Conflict", `Cannot delete the role ${role.name}: policies are attached to it, detach them first.`);
      if (Object.keys(role.inlinePolicies).length > 0)
        throw new LambentError("Conflict", `Cannot delete the role ${role.name}: it has inline policies, delete them first.`);
      const key = role.name.toLowerCase();
      const deletedAt = this.#options.clock.now();
      const forgotten = this.#oldestDeleted();
      await this.#commit(
        { kind: "delete", cell: this.#cell, key: `role/${key}` },
        { kind: "put", cell: this.#cell, key: DELETED_PREFIX + key, value: Buffer.from(JSON.stringify(deletedAt), "utf8") },
        ...(forgotten === undefined ? [] : [{ kind: "delete", cell: this.#cell, key: DELETED_PREFIX + forgotten } as const]),
      );
      this.#roles.delete(key);
      this.#deletedRoles.set(key, deletedAt);
      if (forgotten !== undefined) this.#deletedRoles.delete(forgotten);
    });
  }

  /** Which deleted role makes room for the next, when there is none left. */
  #oldestDeleted(): string | undefined {
    if (this.#deletedRoles.size < DELETED_ROLES_MAX) return undefined;
    return [...this.#deletedRoles].reduce((oldest, next) => (next[1] < oldest[1] ? next : oldest))[0];
  }

  createPolicy(draft: PolicyDraft): Promise<ManagedPolicy> {
    return this.#changes.take(async () => {
      const path = draft.path ?? "/";
      checkName(draft.name, "PolicyName", 128);
      checkPath(path);
      checkSettings(draft.description, undefined);
      checkDocument(draft.document, "identity", MANAGED_POLICY_CHARACTERS_MAX);
      if (this.#policies.has(draft.name.toLowerCase()))
        throw new LambentError("AlreadyExists", `A policy called ${draft.name} already exists. Duplicate names are not allowed.`);
      if (this.#policies.size >= MANAGED_POLICIES_MAX)
        throw new LambentError("LimitExceeded", `The account has ${MANAGED_POLICIES_MAX} policies, which is the most.`);
      const now = this.#options.clock.now();
      const policy: ManagedPolicy = {
        account: this.#account,
        name: draft.name,
        path,
        arn: `arn:aws:iam::${this.#account}:policy${path}${draft.name}`,
        policyId: uniqueId("ANPA", this.#options.secureRandom.bytes(10)),
        description: draft.description,
        createdAt: now,
        updatedAt: now,
        versions: [{ id: "v1", document: draft.document, createdAt: now }],
        defaultVersionId: "v1",
        nextVersion: 2,
        tags: mergeTags({}, draft.tags),
      };
      await this.#savePolicy(policy);
      return policy;
    });
  }

  changePolicy(arn: string, change: PolicyChange): Promise<ManagedPolicy> {
    return this.#changes.take(async () => {
      const policy = changePolicy(this.#ownPolicy(arn), change, this.#options.clock.now());
      await this.#savePolicy(policy);
      return policy;
    });
  }

  deletePolicy(arn: string): Promise<void> {
    return this.#changes.take(async () => {
      const policy = this.#ownPolicy(arn);
      const uses = this.usesOf(arn);
      if (uses.attachedTo.length + uses.boundaryOf.length > 0)
        throw new LambentError("Conflict", `Cannot delete the policy ${policy.name}: roles use it.`);
      if (policy.versions.length > 1)
        throw new LambentError(
          "Conflict",
          `Cannot delete the policy ${policy.name}: it has versions beside its default one, delete them first.`,
        );
      const key = policy.name.toLowerCase();
      await this.#commit({ kind: "delete", cell: this.#cell, key: `policy/${key}` });
      this.#policies.delete(key);
    });
  }

  usesOf(arn: string): { readonly attachedTo: readonly Role[]; readonly boundaryOf: readonly Role[] } {
    const roles = this.roles();
    return {
      attachedTo: roles.filter((role) => role.attachedPolicies.includes(arn)),
      boundaryOf: roles.filter((role) => role.boundaryArn === arn),
    };
  }

  policiesOfRole(name: string): { readonly identity: readonly NamedPolicy[]; readonly boundary: NamedPolicy | undefined } | undefined {
    const role = this.findRole(name);
    // A role that was deleted allows nothing: taking it away must not give its functions more than they had.
    if (!role) return this.#deletedRoles.has(name.toLowerCase()) ? { identity: [], boundary: undefined } : undefined;
    const inline = Object.entries(role.inlinePolicies).map(([policyName, text]) => ({
      name: policyName,
      document: parsePolicyCached(text, "identity"),
    }));
    const attached = role.attachedPolicies.flatMap((arn) => this.namedPolicy(arn) ?? []);
    return { identity: [...inline, ...attached], boundary: role.boundaryArn === undefined ? undefined : this.#boundary(role.boundaryArn) };
  }

  namedPolicy(arn: string): NamedPolicy | undefined {
    const policy = this.#findPolicy(arn);
    const version = policy && defaultVersion(policy);
    return version && { name: arn, document: parsePolicyCached(version.document, "identity") };
  }

  /** A boundary that is gone (it cannot be deleted while in use) bounds to nothing rather than not at all. */
  #boundary(arn: string): NamedPolicy {
    return this.namedPolicy(arn) ?? { name: arn, document: { variables: true, statements: [] } };
  }

  async #saveRole(role: Role): Promise<void> {
    const key = role.name.toLowerCase();
    const revived = this.#deletedRoles.has(key) ? [{ kind: "delete", cell: this.#cell, key: DELETED_PREFIX + key } as const] : [];
    await this.#commit({ kind: "put", cell: this.#cell, key: `role/${key}`, value: Buffer.from(JSON.stringify(role), "utf8") }, ...revived);
    this.#roles.set(key, role);
    this.#deletedRoles.delete(key);
  }

  async #savePolicy(policy: ManagedPolicy): Promise<void> {
    const key = policy.name.toLowerCase();
    await this.#commit({ kind: "put", cell: this.#cell, key: `policy/${key}`, value: Buffer.from(JSON.stringify(policy), "utf8") });
    this.#policies.set(key, policy);
  }

  async #commit(...ops: readonly Op[]): Promise<void> {
    const result = await this.#options.store.commit(this.#cell, "any", ops);
    invariant(result.kind === "committed", "a commit on any revision has no conflict");
  }
}

/** One page of `all` in the order of names. The marker is the key of the last item before it. */
function page<T extends { readonly name: string; readonly path: string; readonly arn: string }>(
  all: readonly T[],
  request: PageRequest,
): Page<T> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT_MAX) {
    throw new LambentError("InvalidParameter", `MaxItems is ${limit}; it is 1 to ${PAGE_LIMIT_MAX}.`);
  }
  const prefix = request.pathPrefix ?? "/";
  const after = request.marker === undefined ? "" : decodeMarker(request.marker);
  const keyOf = (item: T): string => `${item.name.toLowerCase()}\n${item.arn}`;
  const rest = all.filter((item) => item.path.startsWith(prefix) && keyOf(item) > after).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rest.length > limit && last ? Buffer.from(keyOf(last), "utf8").toString("base64url") : undefined };
}

function decodeMarker(marker: string): string {
  const key = Buffer.from(marker, "base64url").toString("utf8");
  if (marker.length > 1_024 || !key.includes("\n")) throw new LambentError("InvalidParameter", "Marker is not one that a list returned.");
  return key;
}
