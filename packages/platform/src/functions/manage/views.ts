import { LambentError } from "../../base/index.ts";
import { LATEST, type FunctionVersion, type Realm } from "../../model/index.ts";
import type { UpdateState, VersionRecord, VersionState } from "../records.ts";
import type { FunctionEntry } from "../realm-state.ts";
import { functionArn, isVersionNumber } from "../rules/names.ts";

/** One version of a function as its owner sees it: with a change that is being made ready already in it. */
export interface FunctionView {
  readonly version: FunctionVersion;
  readonly state: VersionState;
  readonly update: { readonly kind: "successful" | "inProgress" } | { readonly kind: "failed"; readonly reason: string };
}

/** `$LATEST`, as it will be once the change under way is done. */
export function viewOfLatest(entry: FunctionEntry): FunctionView {
  const { latest, update } = entry.record;
  return { version: update.kind === "inProgress" ? update.next : latest.version, state: latest.state, update: updateView(update) };
}

export function viewOfVersion(record: VersionRecord): FunctionView {
  return { version: record.version, state: record.state, update: { kind: "successful" } };
}

/** What a qualifier names; through an alias, the version it points to first. Throws `NotFound`. */
export function viewOf(realm: Realm, entry: FunctionEntry, qualifier: string | undefined): FunctionView {
  if (qualifier === undefined || qualifier === LATEST) return viewOfLatest(entry);
  if (isVersionNumber(qualifier)) return viewOfVersion(requireVersion(realm, entry, qualifier));
  const alias = entry.parts.alias.get(qualifier);
  if (!alias) return missing(realm, entry.name, qualifier);
  return alias.version === LATEST ? viewOfLatest(entry) : viewOfVersion(requireVersion(realm, entry, alias.version));
}

/** A published version. Throws `NotFound`. */
export function requireVersion(realm: Realm, entry: FunctionEntry, version: string): VersionRecord {
  return entry.parts.version.get(version) ?? missing(realm, entry.name, version);
}

/** Throws `NotFound` unless `qualifier` is `$LATEST`, a version or an alias of the function. */
export function requireQualifier(realm: Realm, entry: FunctionEntry, qualifier: string): void {
  if (qualifier !== LATEST && !entry.parts.version.has(qualifier) && !entry.parts.alias.has(qualifier))
    missing(realm, entry.name, qualifier);
}

/** Throws `Conflict` while the function is being created or changed: changes of one function come one after the other. */
export function requireSettled(realm: Realm, entry: FunctionEntry): void {
  const { latest, update } = entry.record;
  if (latest.state.kind === "pending") {
    throw new LambentError(
      "Conflict",
      `The operation cannot be performed at this time. The function is currently in the following state: Pending`,
    );
  }
  if (update.kind === "inProgress") {
    throw new LambentError(
      "Conflict",
      `The operation cannot be performed at this time. An update is in progress for resource: ${functionArn(realm, entry.name)}`,
    );
  }
}

/** Throws `RevisionMismatch` when another revision is expected than the current one. */
export function requireRevision(expected: string | undefined, current: string): void {
  if (expected !== undefined && expected !== current) {
    throw new LambentError(
      "RevisionMismatch",
      "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    );
  }
}

function missing(realm: Realm, name: string, qualifier: string): never {
  throw new LambentError("NotFound", `Function not found: ${functionArn(realm, name, qualifier)}`);
}

function updateView(update: UpdateState): FunctionView["update"] {
  return update.kind === "failed" ? update : { kind: update.kind };
}
