import { LambentError } from "../../base/index.ts";
import {
  LATEST,
  realmKey,
  versionKey,
  type CodeReference,
  type FunctionSettings,
  type FunctionVersion,
  type Realm,
} from "../../model/index.ts";
import type { FunctionChange } from "../directory.ts";
import type { FunctionRecord, RecursionMode, VersionRecord, Write } from "../records.ts";
import { removalsOf, type FunctionEntry, type RealmState } from "../realm-state.ts";
import type { ChangeDecision, Registry } from "../registry.ts";
import { CODE_STORAGE_BYTES_MAX, FUNCTIONS_PER_REALM_MAX } from "../rules/limits.ts";
import { changedSettings, newSettings, requireFits, requireFunctionName, type SettingsInput } from "../rules/settings.ts";
import { changedTags, settingsFromTags, type Tags } from "../rules/tags.ts";
import type { Background, CodeKeeper } from "./code-keeper.ts";
import { resolveLayers } from "./layer-lookup.ts";
import { requireRevision, requireSettled, requireVersion, viewOfLatest, viewOfVersion, type FunctionView } from "./views.ts";
import { versionWrites } from "./versions.ts";

export interface CreateInput extends SettingsInput {
  readonly name: string;
  readonly zip: Uint8Array;
  readonly layerArns?: readonly string[] | undefined;
  readonly tags?: Tags | undefined;
  /** Publish version 1 along with it; the answer is about that version then. */
  readonly publish?: boolean | undefined;
}

export interface UpdateCodeInput {
  readonly zip: Uint8Array;
  readonly architecture?: FunctionSettings["architecture"] | undefined;
  readonly publish?: boolean | undefined;
  /** Check everything, change nothing. */
  readonly dryRun?: boolean | undefined;
  readonly revisionId?: string | undefined;
}

export interface UpdateConfigurationInput extends SettingsInput {
  readonly layerArns?: readonly string[] | undefined;
  readonly revisionId?: string | undefined;
}

/**
 * Creation, change and deletion of functions. A change is two commits: one says what shall be, one that it is, when
 * the trees instances need lie ready. Between the two, calls go to what was before; a stop between them is made good at the next open.
 */
export class Lifecycle {
  readonly #registry: Registry;
  readonly #keeper: CodeKeeper;
  readonly #background: Background;
  /** By realm and name: what is being made ready. */
  readonly #activating = new Map<string, Promise<void>>();

  constructor(registry: Registry, keeper: CodeKeeper, background: Background) {
    this.#registry = registry;
    this.#keeper = keeper;
    this.#background = background;
  }

  /** Creates a function in state pending; `AlreadyExists`, `InvalidParameter`, `InvalidCode`, `LimitExceeded`. */
  async create(realm: Realm, input: CreateInput): Promise<FunctionView> {
    requireFunctionName(input.name);
    requireNew(this.#registry.state(realm), input.name);
    const tags = changedTags({}, input.tags ?? {}, []);
    const settings = newSettings(input.name, input, {
      layers: resolveLayers(this.#registry, realm, input.layerArns ?? []),
      ...settingsFromTags(tags),
    });
    const view = await this.#keeper.hold(input.zip, (code) =>
      this.#registry.change(realm, (state) => this.#decideCreate(state, input, { settings, tags, code })),
    );
    this.#activate(realm, input.name);
    return view;
  }

  /** Gives `$LATEST` other code. `NotFound`, `Conflict`, `RevisionMismatch`, `InvalidCode`. */
  async updateCode(realm: Realm, name: string, input: UpdateCodeInput): Promise<FunctionView> {
    this.#requireChangeable(realm, name, input.revisionId);
    const view = await this.#keeper.hold(input.zip, async (code) => {
      if (input.dryRun === true) return this.#dryUpdate(realm, name, code, input);
      return await this.#registry.change(realm, () => {
        const entry = this.#requireChangeable(realm, name, input.revisionId);
        requireCodeRoom(this.#registry.state(realm), code);
        return this.#decideUpdate(realm, entry, this.#nextVersion(entry, code, input), input.publish === true);
      });
    });
    if (input.dryRun !== true) this.#activate(realm, name);
    return view;
  }

  /** Changes settings of `$LATEST`. `NotFound`, `Conflict`, `RevisionMismatch`, `InvalidParameter`. */
  async updateConfiguration(realm: Realm, name: string, input: UpdateConfigurationInput): Promise<FunctionView> {
    const view = await this.#registry.change(realm, () => {
      const entry = this.#requireChangeable(realm, name, input.revisionId);
      const before = entry.record.latest.version;
      const layers = input.layerArns === undefined ? before.layers : resolveLayers(this.#registry, realm, input.layerArns, before.layers);
      const settings = changedSettings(before, input, {
        layers,
        concurrencyPerInstance: before.concurrencyPerInstance,
        handlerStyle: before.handlerStyle,
      });
      requireFits(before.code.unpackedBytes, layers);
      return this.#decideUpdate(realm, entry, this.#version({ ...before, ...settings }), false);
    });
    this.#activate(realm, name);
    return view;
  }

  /** Sets and removes tags; those that are settings take effect with a new revision of `$LATEST`. */
  async changeTags(realm: Realm, name: string, added: Tags, removed: readonly string[]): Promise<void> {
    await this.#registry.change(realm, () => {
      const entry = this.#registry.entry(realm, name);
      const tags = changedTags(entry.record.tags, added, removed);
      const before = entry.record.latest;
      const { concurrencyPerInstance, handlerStyle } = settingsFromTags(tags);
      if (concurrencyPerInstance === before.version.concurrencyPerInstance && handlerStyle === before.version.handlerStyle) {
        // Flow control of asynchronous invocations is tags, too: who waits by it looks again.
        const announce: FunctionChange[] = [{ kind: "limits", realm, name }];
        return { writes: [{ kind: "function", name, value: { ...entry.record, tags } }], result: undefined, announce };
      }
      requireSettled(realm, entry);
      const latest: VersionRecord = {
        version: this.#version({ ...before.version, concurrencyPerInstance, handlerStyle }),
        state: before.state,
      };
      return {
        writes: [{ kind: "function", name, value: { ...entry.record, tags, latest } }],
        result: undefined,
        announce: replaced(before, latest.version),
      };
    });
  }

  /** Whether calls that come back to the function in a circle are let through or ended. `NotFound`. */
  async setRecursion(realm: Realm, name: string, recursion: RecursionMode): Promise<void> {
    await this.#registry.change(realm, () => {
      const { record } = this.#registry.entry(realm, name);
      return { writes: [{ kind: "function", name, value: { ...record, recursion } }], result: undefined };
    });
  }

  /** Deletes a function with all that belongs to it, or one published version. `NotFound`, `Conflict`, `InvalidParameter`. */
  async remove(realm: Realm, name: string, qualifier: string | undefined): Promise<void> {
    await this.#registry.change(realm, () => {
      const entry = this.#registry.entry(realm, name);
      return qualifier === undefined ? decideRemove(entry) : decideRemoveVersion(realm, entry, qualifier);
    });
  }

  /** Resolves once no change of the function is being made ready: then it can be called, or its state says why not. */
  async ready(realm: Realm, name: string): Promise<void> {
    await this.#activating.get(`${realmKey(realm)}/${name}`);
  }

  /** Takes up what a stop left between the two commits of a change. */
  resume(): void {
    for (const state of this.#registry.states()) {
      for (const entry of state.functions.values()) if (isUnderWay(entry.record)) this.#activate(state.realm, entry.name);
    }
  }

  #decideCreate(
    state: RealmState,
    input: CreateInput,
    made: { readonly settings: FunctionSettings; readonly tags: Tags; readonly code: CodeReference },
  ): ChangeDecision<FunctionView> {
    requireNew(state, input.name);
    if (state.functions.size >= FUNCTIONS_PER_REALM_MAX)
      throw new LambentError(
        "LimitExceeded",
        `There are ${state.functions.size} functions; at most ${FUNCTIONS_PER_REALM_MAX} are allowed.`,
      );
    requireCodeRoom(state, made.code);
    requireFits(made.code.unpackedBytes, made.settings.layers);
    const version = this.#version({ ...made.settings, realm: state.realm, name: input.name, version: LATEST, code: made.code });
    const pending: VersionRecord = { version, state: { kind: "pending" } };
    const record: FunctionRecord = {
      id: this.#registry.secureRandom.uuid(),
      createdAt: this.#registry.clock.now(),
      latest: pending,
      update: { kind: "successful" },
      tags: made.tags,
      reservedConcurrency: undefined,
      recursion: "Terminate",
    };
    const write: Write = { kind: "function", name: input.name, value: record };
    if (input.publish !== true) return { writes: [write], result: viewOfVersion(pending) };
    const published = versionWrites(this.#registry, state, { functionId: record.id, version, state: { kind: "pending" } });
    return { writes: [write, ...published.writes], result: viewOfVersion(published.record) };
  }

  #decideUpdate(realm: Realm, entry: FunctionEntry, next: FunctionVersion, publish: boolean): ChangeDecision<FunctionView> {
    const record: FunctionRecord = { ...entry.record, update: { kind: "inProgress", next } };
    const write: Write = { kind: "function", name: entry.name, value: record };
    if (!publish) return { writes: [write], result: { version: next, state: record.latest.state, update: { kind: "inProgress" } } };
    const published = versionWrites(this.#registry, this.#registry.state(realm), {
      functionId: record.id,
      version: next,
      state: { kind: "pending" },
    });
    return { writes: [write, ...published.writes], result: viewOfVersion(published.record) };
  }

  #dryUpdate(realm: Realm, name: string, code: CodeReference, input: UpdateCodeInput): FunctionView {
    const entry = this.#requireChangeable(realm, name, input.revisionId);
    requireCodeRoom(this.#registry.state(realm), code);
    return {
      ...viewOfLatest(entry),
      version: { ...this.#nextVersion(entry, code, input), revisionId: entry.record.latest.version.revisionId },
    };
  }

  #nextVersion(entry: FunctionEntry, code: CodeReference, input: UpdateCodeInput): FunctionVersion {
    const before = entry.record.latest.version;
    requireFits(code.unpackedBytes, before.layers);
    return this.#version({ ...before, code, architecture: input.architecture ?? before.architecture });
  }

  /** The same with a revision and a time of its own. */
  #version(version: Omit<FunctionVersion, "revisionId" | "modifiedAt">): FunctionVersion {
    return { ...version, revisionId: this.#registry.secureRandom.uuid(), modifiedAt: this.#registry.clock.now() };
  }

  #requireChangeable(realm: Realm, name: string, revisionId: string | undefined): FunctionEntry {
    const entry = this.#registry.entry(realm, name);
    requireSettled(realm, entry);
    requireRevision(revisionId, entry.record.latest.version.revisionId);
    return entry;
  }

  #activate(realm: Realm, name: string): void {
    const key = `${realmKey(realm)}/${name}`;
    const running: Promise<void> = this.#background.run(() => this.#makeReady(realm, name));
    this.#activating.set(key, running);
    void running.then(() => this.#activating.get(key) === running && this.#activating.delete(key));
  }

  async #makeReady(realm: Realm, name: string): Promise<void> {
    const entry = this.#registry.state(realm).functions.get(name);
    if (!entry) return;
    const { id, latest, update } = entry.record;
    const coming = update.kind === "inProgress" ? update.next : latest.version;
    const failure = await this.#keeper.prepare(coming).then(
      () => undefined,
      (error: unknown) => `The code could not be made ready: ${error instanceof Error ? error.message : String(error)}`,
    );
    await this.#registry.change(realm, (state) => {
      const now = state.functions.get(name);
      if (now?.record.id !== id || !isUnderWay(now.record)) return { writes: [], result: undefined };
      return decideActivation(now, failure);
    });
  }
}

function requireNew(state: RealmState, name: string): void {
  if (state.functions.has(name)) throw new LambentError("AlreadyExists", `Function already exist: ${name}`);
}

function requireCodeRoom(state: RealmState, code: CodeReference): void {
  const bytes = state.codeBytes() + (state.usesCode(code) ? 0 : code.zipBytes);
  if (bytes > CODE_STORAGE_BYTES_MAX)
    throw new LambentError("CodeStorageExceeded", `Code storage limit exceeded: ${bytes} of ${CODE_STORAGE_BYTES_MAX} bytes.`);
}

function isUnderWay(record: FunctionRecord): boolean {
  return record.latest.state.kind === "pending" || record.update.kind === "inProgress";
}

/** The second commit of a change: what was being made ready is ready, or could not be. */
function decideActivation(entry: FunctionEntry, failure: string | undefined): ChangeDecision<undefined> {
  const { record } = entry;
  const ended: VersionRecord["state"] = failure === undefined ? { kind: "active" } : { kind: "failed", reason: failure };
  const versions = [...entry.parts.version].filter(([, version]) => version.state.kind === "pending");
  const versionWritesEnded: Write[] = versions.map(([qualifier, version]) => ({
    kind: "version",
    functionId: record.id,
    qualifier,
    value: { version: version.version, state: ended },
  }));
  const ready: FunctionChange[] = failure === undefined ? versions.map(([, { version }]) => ({ kind: "ready", version })) : [];
  if (record.update.kind !== "inProgress") {
    const latest: VersionRecord = { version: record.latest.version, state: ended };
    if (failure === undefined) ready.unshift({ kind: "ready", version: latest.version });
    return {
      writes: [{ kind: "function", name: entry.name, value: { ...record, latest } }, ...versionWritesEnded],
      result: undefined,
      announce: ready,
    };
  }
  // A change that failed leaves the function as it was: it goes on taking calls.
  const value: FunctionRecord =
    failure === undefined
      ? { ...record, latest: { version: record.update.next, state: ended }, update: { kind: "successful" } }
      : { ...record, update: { kind: "failed", reason: failure } };
  const announce = failure === undefined ? [...replaced(record.latest, record.update.next), ...ready] : [];
  return { writes: [{ kind: "function", name: entry.name, value }, ...versionWritesEnded], result: undefined, announce };
}

function replaced(before: VersionRecord, after: FunctionVersion): FunctionChange[] {
  return [
    { kind: "ready", version: after },
    { kind: "retired", versionKey: versionKey(before.version) },
  ];
}

function decideRemove(entry: FunctionEntry): ChangeDecision<undefined> {
  const versions = [entry.record.latest, ...entry.parts.version.values()];
  return {
    // The function's own row first: what a stop leaves of the rest belongs to nobody then.
    writes: [{ kind: "function", name: entry.name, value: undefined }, ...removalsOf(entry)],
    result: undefined,
    announce: versions.map(({ version }) => ({ kind: "retired", versionKey: versionKey(version) })),
  };
}

function decideRemoveVersion(realm: Realm, entry: FunctionEntry, qualifier: string): ChangeDecision<undefined> {
  if (qualifier === LATEST) throw new LambentError("InvalidParameter", "$LATEST version cannot be deleted without deleting the function.");
  if (entry.parts.alias.has(qualifier)) throw new LambentError("InvalidParameter", `${qualifier} is an alias; DeleteAlias deletes it.`);
  const removed = requireVersion(realm, entry, qualifier);
  const users = [...entry.parts.alias]
    .filter(([, alias]) => alias.version === qualifier || alias.additional?.version === qualifier)
    .map(([name]) => name);
  if (users.length > 0)
    throw new LambentError("Conflict", `Unable to delete version because the following aliases reference it: [${users.join(", ")}]`);
  return {
    writes: removalsOf(entry, new Set([qualifier])),
    result: undefined,
    announce: [{ kind: "retired", versionKey: versionKey(removed.version) }],
  };
}
