import type { Instant } from "../base/index.ts";
import type { CodeReference, FunctionVersion, Realm } from "../model/index.ts";
import { Numbering, type NumberedName } from "./numbering.ts";
import { PART_KINDS, type FunctionParts, type FunctionRecord, type LayerVersionRecord, type PartKind, type Write } from "./records.ts";

/** One function and all that belongs to it. */
export interface FunctionEntry {
  readonly name: string;
  record: FunctionRecord;
  readonly parts: { readonly [K in PartKind]: Map<string, FunctionParts[K]> };
}

/**
 * What is committed of one realm's functions and layers, in memory. `apply` is its only way to change, the same at open and after
 * a commit, so memory is always what the rows say.
 */
export class RealmState {
  readonly realm: Realm;
  readonly functions = new Map<string, FunctionEntry>();
  readonly #byId = new Map<string, FunctionEntry>();
  readonly layers = new Map<string, Map<number, LayerVersionRecord>>();
  readonly #numbering = new Numbering();
  readonly #byUrlId = new Map<string, { readonly entry: FunctionEntry; readonly qualifier: string }>();
  readonly #codeUses = new Map<string, { readonly code: CodeReference; uses: number }>();

  #reserved = 0;

  constructor(realm: Realm) {
    this.realm = realm;
  }

  /** The number after the highest this name ever had, and what must be written when it is given at `at`. */
  nextNumber(of: NumberedName["of"], name: string, at: Instant): { readonly number: number; readonly writes: readonly Write[] } {
    const number = this.#numbering.highest({ of, name }) + 1;
    const isAlive = (each: NumberedName): boolean => (each.of === "function" ? this.functions : this.layers).has(each.name);
    const forgotten = this.#numbering.toForget({ of, name }, isAlive);
    const given: Write = { kind: "numbering", of, name, value: { highest: number, at } };
    return {
      number,
      writes: forgotten ? [given, { kind: "numbering", of: forgotten.of, name: forgotten.name, value: undefined }] : [given],
    };
  }

  /** Concurrency reserved by all functions together. */
  get reservedConcurrency(): number {
    return this.#reserved;
  }

  entryById(functionId: string): FunctionEntry | undefined {
    return this.#byId.get(functionId);
  }

  /** Whose URL it is: looked up for every HTTP call. */
  urlOwner(urlId: string): { readonly entry: FunctionEntry; readonly qualifier: string } | undefined {
    return this.#byUrlId.get(urlId);
  }

  usesCode(code: Pick<CodeReference, "sha256">): boolean {
    return this.#codeUses.has(code.sha256);
  }

  codeBySha256(sha256: string): CodeReference | undefined {
    return this.#codeUses.get(sha256)?.code;
  }

  /** Bytes of all zips, each counted once. */
  codeBytes(): number {
    let bytes = 0;
    for (const { code } of this.#codeUses.values()) bytes += code.zipBytes;
    return bytes;
  }

  /** Takes over one write. Returns false for a part whose function is gone: a left-over row. */
  apply(write: Write): boolean {
    switch (write.kind) {
      case "function":
        this.#applyFunction(write.name, write.value);
        return true;
      case "layerVersion":
        this.#applyLayerVersion(write.name, write.version, write.value);
        return true;
      case "numbering":
        this.#numbering.set(write, write.value);
        return true;
      default: {
        const entry = this.#byId.get(write.functionId);
        if (!entry) return false;
        if (write.kind === "version")
          this.#countCodes(codesOfVersion(entry.parts.version.get(write.qualifier)?.version), codesOfVersion(write.value?.version));
        if (write.kind === "url") this.#indexUrl(entry, write.qualifier, write.value);
        const parts: Map<string, unknown> = entry.parts[write.kind];
        if (write.value === undefined) parts.delete(write.qualifier);
        else parts.set(write.qualifier, write.value);
        return true;
      }
    }
  }

  #applyFunction(name: string, record: FunctionRecord | undefined): void {
    const entry = this.functions.get(name);
    this.#countCodes(codesOfRecord(entry?.record), codesOfRecord(record));
    this.#reserved += (record?.reservedConcurrency ?? 0) - (entry?.record.reservedConcurrency ?? 0);
    if (record === undefined) {
      if (!entry) return;
      for (const version of entry.parts.version.values()) this.#countCodes(codesOfVersion(version.version), []);
      for (const url of entry.parts.url.values()) this.#byUrlId.delete(url.urlId);
      this.functions.delete(name);
      this.#byId.delete(entry.record.id);
    } else if (entry) {
      entry.record = record;
    } else {
      const fresh: FunctionEntry = {
        name,
        record,
        parts: { version: new Map(), alias: new Map(), policy: new Map(), url: new Map(), eventInvoke: new Map(), provisioned: new Map() },
      };
      this.functions.set(name, fresh);
      this.#byId.set(record.id, fresh);
    }
  }

  #indexUrl(entry: FunctionEntry, qualifier: string, value: FunctionParts["url"] | undefined): void {
    const before = entry.parts.url.get(qualifier);
    if (before) this.#byUrlId.delete(before.urlId);
    if (value) this.#byUrlId.set(value.urlId, { entry, qualifier });
  }

  #applyLayerVersion(name: string, version: number, record: LayerVersionRecord | undefined): void {
    const versions = this.layers.get(name) ?? new Map<number, LayerVersionRecord>();
    const before = versions.get(version);
    this.#countCodes(before ? [before.code] : [], record ? [record.code] : []);
    if (record === undefined) versions.delete(version);
    else versions.set(version, record);
    if (versions.size === 0) this.layers.delete(name);
    else this.layers.set(name, versions);
  }

  #countCodes(before: readonly CodeReference[], after: readonly CodeReference[]): void {
    for (const code of after) {
      const known = this.#codeUses.get(code.sha256);
      if (known) known.uses += 1;
      else this.#codeUses.set(code.sha256, { code, uses: 1 });
    }
    for (const code of before) {
      const known = this.#codeUses.get(code.sha256);
      if (known && --known.uses === 0) this.#codeUses.delete(code.sha256);
    }
  }
}

/** All writes that make a function's parts go, in no order that matters. */
export function removalsOf(entry: FunctionEntry, qualifiers?: ReadonlySet<string>): Write[] {
  return PART_KINDS.flatMap((kind) =>
    [...entry.parts[kind].keys()]
      .filter((qualifier) => qualifiers === undefined || qualifiers.has(qualifier))
      .map((qualifier): Write => ({ kind, functionId: entry.record.id, qualifier, value: undefined })),
  );
}

/** Code a write replaces or removes, and so may be the last to use. */
export function codesReplacedBy(state: RealmState, write: Write): readonly CodeReference[] {
  switch (write.kind) {
    case "function": {
      const entry = state.functions.get(write.name);
      const versions = write.value === undefined && entry ? [...entry.parts.version.values()] : [];
      return [...codesOfRecord(entry?.record), ...versions.flatMap((version) => codesOfVersion(version.version))];
    }
    case "layerVersion": {
      const before = state.layers.get(write.name)?.get(write.version);
      return before ? [before.code] : [];
    }
    case "version":
      return codesOfVersion(state.entryById(write.functionId)?.parts.version.get(write.qualifier)?.version);
    default:
      return [];
  }
}

function codesOfRecord(record: FunctionRecord | undefined): CodeReference[] {
  if (!record) return [];
  return [...codesOfVersion(record.latest.version), ...(record.update.kind === "inProgress" ? codesOfVersion(record.update.next) : [])];
}

function codesOfVersion(version: FunctionVersion | undefined): CodeReference[] {
  return version ? [version.code, ...version.layers.map((layer) => layer.code)] : [];
}
