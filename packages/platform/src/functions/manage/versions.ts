import { isDeepStrictEqual } from "node:util";
import { LambentError } from "../../base/index.ts";
import { type FunctionVersion, type Realm } from "../../model/index.ts";
import type { VersionRecord, VersionState, Write } from "../records.ts";
import type { FunctionEntry, RealmState } from "../realm-state.ts";
import type { Registry } from "../registry.ts";
import { DESCRIPTION_LENGTH_MAX, VERSIONS_PER_FUNCTION_MAX } from "../rules/limits.ts";
import { settingsOf } from "../rules/settings.ts";
import { requireRevision, requireSettled, viewOfVersion, type FunctionView } from "./views.ts";

export interface PublishInput {
  /** Refuse unless `$LATEST` has this code. */
  readonly codeSha256?: string | undefined;
  /** The version's description in place of `$LATEST`'s. */
  readonly description?: string | undefined;
  readonly revisionId?: string | undefined;
}

/** Published versions: numbered, unchangeable copies of `$LATEST`. */
export class Versions {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Publishes `$LATEST`, or answers the newest version when nothing changed since. `Conflict`, `RevisionMismatch`, `InvalidParameter`. */
  async publish(realm: Realm, name: string, input: PublishInput): Promise<FunctionView> {
    return await this.#registry.change(realm, (state) => {
      const entry = this.#registry.entry(realm, name);
      requireSettled(realm, entry);
      const { latest } = entry.record;
      requireRevision(input.revisionId, latest.version.revisionId);
      requireSameCode(input.codeSha256, latest.version.code.sha256);
      if (input.description !== undefined && input.description.length > DESCRIPTION_LENGTH_MAX) {
        throw new LambentError(
          "InvalidParameter",
          `Description has ${input.description.length} characters; at most ${DESCRIPTION_LENGTH_MAX} are allowed.`,
        );
      }
      const newest = newestVersion(entry);
      if (newest && isSame(newest.version, latest.version)) return { writes: [], result: viewOfVersion(newest) };
      requireRoom(entry);
      const version: FunctionVersion = { ...latest.version, description: input.description ?? latest.version.description };
      const published = versionWrites(this.#registry, state, { functionId: entry.record.id, version, state: latest.state });
      return {
        writes: published.writes,
        result: viewOfVersion(published.record),
        announce: latest.state.kind === "active" ? [{ kind: "ready", version: published.record.version }] : [],
      };
    });
  }
}

/** What makes `version` the next numbered one. Numbers go on where the name left off, also for a function made anew. */
export function versionWrites(
  registry: Registry,
  state: RealmState,
  source: { readonly functionId: string; readonly version: FunctionVersion; readonly state: VersionState },
): { readonly writes: readonly Write[]; readonly record: VersionRecord } {
  const at = registry.clock.now();
  const { number, writes } = state.nextNumber("function", source.version.name, at);
  const entry = state.functions.get(source.version.name);
  if (entry) requireRoom(entry);
  const version: FunctionVersion = {
    ...source.version,
    version: String(number),
    revisionId: registry.secureRandom.uuid(),
    modifiedAt: at,
  };
  const record: VersionRecord = { version, state: source.state };
  return {
    writes: [{ kind: "version", functionId: source.functionId, qualifier: version.version, value: record }, ...writes],
    record,
  };
}

function requireRoom(entry: FunctionEntry): void {
  const count = entry.parts.version.size;
  if (count >= VERSIONS_PER_FUNCTION_MAX)
    throw new LambentError("LimitExceeded", `${entry.name} has ${count} versions; at most ${VERSIONS_PER_FUNCTION_MAX} are allowed.`);
}

function newestVersion(entry: FunctionEntry): VersionRecord | undefined {
  const numbers = [...entry.parts.version.keys()].map(Number);
  return numbers.length === 0 ? undefined : entry.parts.version.get(String(Math.max(...numbers)));
}

/** A description alone is no change: it is given anew with each version. */
function isSame(a: FunctionVersion, b: FunctionVersion): boolean {
  return a.code.sha256 === b.code.sha256 && isDeepStrictEqual({ ...settingsOf(a), description: "" }, { ...settingsOf(b), description: "" });
}

function requireSameCode(expected: string | undefined, current: string): void {
  if (expected !== undefined && expected !== current) {
    throw new LambentError(
      "InvalidParameter",
      `CodeSHA256 (${expected}) is different from current CodeSHA256 in $LATEST (${current}). Please try again with the CodeSHA256 in $LATEST.`,
    );
  }
}
