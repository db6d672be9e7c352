import { LambentError } from "../../base/index.ts";
import { LATEST, type Realm } from "../../model/index.ts";
import type { ProvisionedRecord } from "../records.ts";
import type { FunctionEntry, RealmState } from "../realm-state.ts";
import type { ChangeDecision, Registry } from "../registry.ts";
import { requireConcurrencyLeft, requireReservation, unreservedConcurrency, type ConcurrencyClaim } from "../rules/concurrency.ts";
import { page, type Page, type PageRequest } from "../rules/paging.ts";
import { requireQualifier } from "./views.ts";

export interface ProvisionedView extends ProvisionedRecord {
  readonly qualifier: string;
}

/** Reserved and provisioned concurrency: what functions take out of their account's. */
export class Concurrency {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Reserves `reserved` calls at once, or gives the reservation back. `NotFound`, `InvalidParameter` when too little would be left. */
  async reserve(realm: Realm, name: string, reserved: number | undefined): Promise<void> {
    if (reserved !== undefined) requireReservation(reserved);
    await this.#registry.change(realm, (state) => {
      const entry = this.#registry.entry(realm, name);
      requireConcurrencyLeft(claimsOf(state), { ...claimOf(entry), reserved });
      return {
        writes: [{ kind: "function", name, value: { ...entry.record, reservedConcurrency: reserved } }],
        result: undefined,
        announce: [{ kind: "limits", realm, name }],
      };
    });
  }

  /** What was reserved, undefined when nothing. `NotFound`. */
  reserved(realm: Realm, name: string): number | undefined {
    return this.#registry.entry(realm, name).record.reservedConcurrency;
  }

  /** Keeps `instances` of a version, or of what an alias points to, initialised. `NotFound`, `InvalidParameter`. */
  async provision(realm: Realm, name: string, qualifier: string, instances: number): Promise<ProvisionedView> {
    return await this.#registry.change(realm, (state): ChangeDecision<ProvisionedView> => {
      const entry = this.#registry.entry(realm, name);
      requireProvisionable(realm, entry, qualifier);
      if (!Number.isInteger(instances) || instances < 1)
        throw new LambentError("InvalidParameter", `ProvisionedConcurrentExecutions is ${instances}; it is a whole number from 1.`);
      const claim = claimOf(entry);
      const before = entry.parts.provisioned.get(qualifier)?.instances ?? 0;
      requireConcurrencyLeft(claimsOf(state), { ...claim, provisioned: claim.provisioned - before + instances });
      const record: ProvisionedRecord = { instances, modifiedAt: this.#registry.clock.now() };
      return {
        writes: [{ kind: "provisioned", functionId: entry.record.id, qualifier, value: record }],
        result: { qualifier, ...record },
        announce: [{ kind: "limits", realm, name }],
      };
    });
  }

  /** `NotFound`, `ProvisionedConcurrencyNotFound`. */
  provisioned(realm: Realm, name: string, qualifier: string): ProvisionedView {
    const entry = this.#registry.entry(realm, name);
    requireQualifier(realm, entry, qualifier);
    const record = entry.parts.provisioned.get(qualifier);
    if (!record) throw new LambentError("ProvisionedConcurrencyNotFound", `No Provisioned Concurrency Config found for this function`);
    return { qualifier, ...record };
  }

  listProvisioned(realm: Realm, name: string, request: PageRequest): Page<ProvisionedView> {
    const all = [...this.#registry.entry(realm, name).parts.provisioned].map(([qualifier, record]) => ({ qualifier, ...record }));
    return page(all, (view) => view.qualifier, request);
  }

  /** `NotFound`, `ProvisionedConcurrencyNotFound`. */
  async removeProvisioned(realm: Realm, name: string, qualifier: string): Promise<void> {
    await this.#registry.change(realm, () => {
      this.provisioned(realm, name, qualifier);
      const entry = this.#registry.entry(realm, name);
      return {
        writes: [{ kind: "provisioned", functionId: entry.record.id, qualifier, value: undefined }],
        result: undefined,
        announce: [{ kind: "limits", realm, name }],
      };
    });
  }

  /** What reservations and provisioned instances leave of the account's concurrency. */
  unreserved(realm: Realm): number {
    return unreservedConcurrency(claimsOf(this.#registry.state(realm)));
  }
}

function requireProvisionable(realm: Realm, entry: FunctionEntry, qualifier: string): void {
  if (qualifier === LATEST)
    throw new LambentError("InvalidParameter", "Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
  requireQualifier(realm, entry, qualifier);
  const alias = entry.parts.alias.get(qualifier);
  if (alias?.version === LATEST)
    throw new LambentError("InvalidParameter", "Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
  if (alias?.additional)
    throw new LambentError("InvalidParameter", `The alias ${qualifier} points to two versions; provisioned concurrency needs one.`);
  const other = alias
    ? entry.parts.provisioned.has(alias.version)
    : [...entry.parts.provisioned.keys()].some((name) => entry.parts.alias.get(name)?.version === qualifier);
  if (other)
    throw new LambentError(
      "InvalidParameter",
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version.",
    );
}

function claimsOf(state: RealmState): ConcurrencyClaim[] {
  return [...state.functions.values()].map(claimOf);
}

function claimOf(entry: FunctionEntry): ConcurrencyClaim {
  let provisioned = 0;
  for (const record of entry.parts.provisioned.values()) provisioned += record.instances;
  return { name: entry.name, reserved: entry.record.reservedConcurrency, provisioned };
}
