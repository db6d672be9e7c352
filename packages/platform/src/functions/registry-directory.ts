import { LambentError } from "../base/index.ts";
import { LATEST, realmKey, versionKey, type FunctionVersion, type Realm } from "../model/index.ts";
import type { FunctionChange, FunctionDirectory, InvocationTarget } from "./directory.ts";
import type { VersionRecord } from "./records.ts";
import type { FunctionEntry } from "./realm-state.ts";
import type { Registry } from "./registry.ts";
import { ACCOUNT_CONCURRENCY } from "./rules/limits.ts";
import { functionArn, isVersionNumber } from "./rules/names.ts";
import { requireVersion } from "./manage/views.ts";

/** The directory over the registry's memory: what the way of every call asks, so no step of it walks over all functions. */
export class RegistryDirectory implements Omit<FunctionDirectory, "keepCode"> {
  readonly #registry: Registry;
  /** What a call without a qualifier finds, made once for each record of `$LATEST`. */
  readonly #latest = new WeakMap<VersionRecord, InvocationTarget>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  find(realm: Realm, name: string, qualifier: string | undefined): InvocationTarget {
    const entry = this.#registry.entry(realm, name);
    if (qualifier === undefined) return this.#unqualified(entry.record.latest, realm, name);
    const arn = functionArn(realm, name, qualifier);
    if (qualifier === LATEST) return whole(entry.record.latest, arn);
    if (isVersionNumber(qualifier)) return whole(requireVersion(realm, entry, qualifier), arn);
    return aliasTarget(realm, entry, qualifier, arn);
  }

  #unqualified(latest: VersionRecord, realm: Realm, name: string): InvocationTarget {
    const known = this.#latest.get(latest);
    if (known) return known;
    const made = whole(latest, functionArn(realm, name));
    this.#latest.set(latest, made);
    return made;
  }

  reservedConcurrency(realm: Realm, name: string): number | undefined {
    return this.#registry.state(realm).functions.get(name)?.record.reservedConcurrency;
  }

  accountConcurrency(realm: Realm): { readonly total: number; readonly unreserved: number } {
    return { total: ACCOUNT_CONCURRENCY, unreserved: ACCOUNT_CONCURRENCY - this.#registry.state(realm).reservedConcurrency };
  }

  provisionedConcurrency(key: string): number {
    const [realmWord = "", name = "", version = ""] = key.split("/");
    const state = this.#registry.states().find((candidate) => realmKey(candidate.realm) === realmWord);
    const entry = state?.functions.get(name);
    const record = entry?.parts.version.get(version);
    if (!entry || !record || versionKey(record.version) !== key) return 0;
    let instances = 0;
    for (const [qualifier, provisioned] of entry.parts.provisioned) {
      if (qualifier === version || entry.parts.alias.get(qualifier)?.version === version) instances += provisioned.instances;
    }
    return instances;
  }

  /** Versions for which instances are kept, of every realm. */
  provisionedVersions(): FunctionVersion[] {
    return this.#registry.states().flatMap((state) => [...state.functions.values()].flatMap(provisionedOf));
  }

  onChange(listener: (change: FunctionChange) => void): void {
    this.#registry.onChange(listener);
  }
}

function provisionedOf({ parts }: FunctionEntry): FunctionVersion[] {
  const numbers = new Set([...parts.provisioned.keys()].map((qualifier) => parts.alias.get(qualifier)?.version ?? qualifier));
  return [...numbers].flatMap((number) => {
    const record = parts.version.get(number);
    return record?.state.kind === "active" ? [record.version] : [];
  });
}

function aliasTarget(realm: Realm, entry: FunctionEntry, name: string, arn: string): InvocationTarget {
  const alias = entry.parts.alias.get(name);
  if (!alias) throw new LambentError("NotFound", `Function not found: ${arn}`);
  const first = alias.version === LATEST ? entry.record.latest : requireVersion(realm, entry, alias.version);
  if (!alias.additional) return whole(first, arn);
  const { version, weight } = alias.additional;
  const second = requireVersion(realm, entry, version);
  return {
    versions: [
      { version: requireActive(first), weight: 1 - weight },
      { version: requireActive(second), weight },
    ],
    functionArn: arn,
  };
}

function whole(record: VersionRecord, arn: string): InvocationTarget {
  return { versions: [{ version: requireActive(record), weight: 1 }], functionArn: arn };
}

function requireActive({ version, state }: VersionRecord): FunctionVersion {
  if (state.kind === "active") return version;
  const named = state.kind === "pending" ? "Pending" : "Failed";
  throw new LambentError(
    "FunctionNotReady",
    `The operation cannot be performed at this time. The function is currently in the following state: ${named}`,
  );
}
