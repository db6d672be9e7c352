import { LambentError } from "../../base/index.ts";
import { LATEST, type Realm } from "../../model/index.ts";
import type { ResourcePolicy, ResourceStatement } from "../records.ts";
import type { Registry } from "../registry.ts";
import { withoutStatement, withStatement } from "../rules/policies.ts";
import { requireQualifier } from "./views.ts";

/** Resource policies of functions, versions and aliases, as documents; what they allow is `security`'s to say. */
export class Policies {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** `NotFound`, `AlreadyExists` for the statement's id, `RevisionMismatch`, `PolicyTooLong`, `InvalidParameter`. */
  async add(
    realm: Realm,
    name: string,
    qualifier: string | undefined,
    statement: ResourceStatement,
    revisionId: string | undefined,
  ): Promise<ResourcePolicy> {
    if (qualifier === LATEST) throw new LambentError("InvalidParameter", "We currently do not support adding policies for $LATEST.");
    return await this.#registry.change(realm, () => {
      const entry = this.#registry.entry(realm, name);
      if (qualifier !== undefined) requireQualifier(realm, entry, qualifier);
      const at = qualifier ?? LATEST;
      const value = withStatement(entry.parts.policy.get(at), statement, revisionId, this.#registry.secureRandom.uuid());
      return { writes: [{ kind: "policy", functionId: entry.record.id, qualifier: at, value }], result: value };
    });
  }

  /** The policy; undefined when there is none, or no such function. In memory, for every call. */
  find(realm: Realm, name: string, qualifier: string | undefined): ResourcePolicy | undefined {
    return this.#registry
      .state(realm)
      .functions.get(name)
      ?.parts.policy.get(qualifier ?? LATEST);
  }

  /** The policy, undefined when there is none. `NotFound` for function or qualifier. */
  get(realm: Realm, name: string, qualifier: string | undefined): ResourcePolicy | undefined {
    const entry = this.#registry.entry(realm, name);
    if (qualifier !== undefined) requireQualifier(realm, entry, qualifier);
    return entry.parts.policy.get(qualifier ?? LATEST);
  }

  /** `NotFound` for function, qualifier or statement; `RevisionMismatch`. */
  async remove(realm: Realm, name: string, qualifier: string | undefined, sid: string, revisionId: string | undefined): Promise<void> {
    await this.#registry.change(realm, () => {
      const before = this.get(realm, name, qualifier);
      const functionId = this.#registry.entry(realm, name).record.id;
      const value = withoutStatement(before, sid, revisionId, this.#registry.secureRandom.uuid());
      return { writes: [{ kind: "policy", functionId, qualifier: qualifier ?? LATEST, value }], result: undefined };
    });
  }
}
