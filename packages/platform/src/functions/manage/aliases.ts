import { LambentError } from "../../base/index.ts";
import { LATEST, type Realm } from "../../model/index.ts";
import type { AliasRecord, Write } from "../records.ts";
import { removalsOf, type FunctionEntry } from "../realm-state.ts";
import type { Registry } from "../registry.ts";
import { routing } from "../rules/aliases.ts";
import { ALIASES_PER_FUNCTION_MAX } from "../rules/limits.ts";
import { functionArn, requireAliasName } from "../rules/names.ts";
import { page, type Page, type PageRequest } from "../rules/paging.ts";
import { requireRevision, requireVersion } from "./views.ts";

export interface AliasInput {
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  /** Shares of additional versions; an empty one takes them away. */
  readonly weights?: Readonly<Record<string, number>> | undefined;
  readonly revisionId?: string | undefined;
}

export interface AliasView extends AliasRecord {
  readonly name: string;
}

/** Aliases: names that point to a version, or to two with shares. */
export class Aliases {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** `NotFound` for function or version, `AlreadyExists`, `InvalidParameter`, `LimitExceeded`. */
  async create(realm: Realm, functionName: string, name: string, input: AliasInput & { readonly version: string }): Promise<AliasView> {
    requireAliasName(name);
    return await this.#registry.change(realm, () => {
      const entry = this.#registry.entry(realm, functionName);
      if (entry.parts.alias.has(name))
        throw new LambentError("AlreadyExists", `Alias already exists: ${functionArn(realm, functionName, name)}`);
      if (entry.parts.alias.size >= ALIASES_PER_FUNCTION_MAX) {
        throw new LambentError(
          "LimitExceeded",
          `${functionName} has ${entry.parts.alias.size} aliases; at most ${ALIASES_PER_FUNCTION_MAX} are allowed.`,
        );
      }
      const record = this.#record(realm, entry, {
        version: input.version,
        description: input.description ?? "",
        additional: routing(input.version, input.weights ?? {}),
      });
      return { writes: [aliasWrite(entry, name, record)], result: { name, ...record } };
    });
  }

  /** What is left out keeps its value. `NotFound`, `RevisionMismatch`, `InvalidParameter`. */
  async update(realm: Realm, functionName: string, name: string, input: AliasInput): Promise<AliasView> {
    return await this.#registry.change(realm, () => {
      const entry = this.#registry.entry(realm, functionName);
      const before = requireAlias(realm, entry, name);
      requireRevision(input.revisionId, before.revisionId);
      const version = input.version ?? before.version;
      const kept = before.additional ? { [before.additional.version]: before.additional.weight } : {};
      const record = this.#record(realm, entry, {
        version,
        description: input.description ?? before.description,
        additional: routing(version, input.weights ?? kept),
      });
      if (record.additional && entry.parts.provisioned.has(name)) {
        throw new LambentError("InvalidParameter", `${name} has provisioned concurrency; such an alias points to one version.`);
      }
      return {
        writes: [aliasWrite(entry, name, record)],
        result: { name, ...record },
        announce: [{ kind: "limits", realm, name: functionName }],
      };
    });
  }

  /** `NotFound` for function or alias. */
  get(realm: Realm, functionName: string, name: string): AliasView {
    return { name, ...requireAlias(realm, this.#registry.entry(realm, functionName), name) };
  }

  /** Aliases by name; with `version`, those that point to it. */
  list(realm: Realm, functionName: string, version: string | undefined, request: PageRequest): Page<AliasView> {
    const aliases = [...this.#registry.entry(realm, functionName).parts.alias].map(([name, record]) => ({ name, ...record }));
    const shown =
      version === undefined ? aliases : aliases.filter((alias) => alias.version === version || alias.additional?.version === version);
    return page(shown, (alias) => alias.name, request);
  }

  /** Deletes an alias and what belongs to it; nothing happens when there is none of that name. `NotFound` for the function. */
  async remove(realm: Realm, functionName: string, name: string): Promise<void> {
    await this.#registry.change(realm, () => {
      const entry = this.#registry.entry(realm, functionName);
      if (!entry.parts.alias.has(name)) return { writes: [], result: undefined };
      return { writes: removalsOf(entry, new Set([name])), result: undefined, announce: [{ kind: "limits", realm, name: functionName }] };
    });
  }

  #record(realm: Realm, entry: FunctionEntry, alias: Omit<AliasRecord, "revisionId">): AliasRecord {
    if (alias.version !== LATEST) requireVersion(realm, entry, alias.version);
    if (alias.additional) requireVersion(realm, entry, alias.additional.version);
    return { ...alias, revisionId: this.#registry.secureRandom.uuid() };
  }
}

function requireAlias(realm: Realm, entry: FunctionEntry, name: string): AliasRecord {
  const alias = entry.parts.alias.get(name);
  if (!alias) throw new LambentError("NotFound", `Cannot find alias arn: ${functionArn(realm, entry.name, name)}`);
  return alias;
}

function aliasWrite(entry: FunctionEntry, name: string, value: AliasRecord): Write {
  return { kind: "alias", functionId: entry.record.id, qualifier: name, value };
}
