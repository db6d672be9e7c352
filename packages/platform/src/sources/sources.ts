/**
 * What calls functions without a caller: mappings from sources (queues, streams) to functions, and the readers that serve them.
 *
 * Owns the mappings of every realm (one cell each, P11) and their readers. Keeps P1 (a change is told after its commit; what it
 * sets off is taken up after a restart), P6. Deliberately does not: know shapes of an API, own queues, streams or functions, or know
 * what a kind of source is like (`mappings/source-kind.ts`).
 */
import { delay, isLambentError, LambentError, type Clock, type SecureRandom } from "../base/index.ts";
import type { Functions } from "../functions/index.ts";
import type { Invoker } from "../invoker/index.ts";
import type { FunctionVersion, Realm } from "../model/index.ts";
import type { Queues } from "../queues/index.ts";
import { type RealmTable, RealmTables, type Store } from "../storage/index.ts";
import type { Mapping, MappingSettings, MappingSource, StreamMappingSettings } from "./mappings/mapping.ts";
import { type MappingEvent, nextState } from "./mappings/mapping-state.ts";
import type { Reader, SourceKind, WantedSource, WantedStream } from "./mappings/source-kind.ts";
import { QueueKind } from "./queue/queue-kind.ts";
import { StreamKind, type StreamSourceParts } from "./stream/stream-kind.ts";

/** Mappings of one account in one region (P7). @limit */
const MAPPINGS_PER_REALM_MAX = 10_000;
/** Tags of one mapping. @limit */
const MAPPING_TAGS_MAX = 50;
/** Changes of mappings that wait for their turn in one realm (P7). @limit */
const MAPPING_CHANGES_WAITING_MAX = 10_000;

/** Before what a change has set off is written once more, after a refusal by the storage. */
const SETTLE_RETRY_MS = 1_000;

export interface SourcesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly queues: Queues;
  readonly functions: Pick<Functions, "reading">;
  readonly invoker: Pick<Invoker, "invoke" | "free" | "onceFree">;
  /** Told of failures in work that no caller waits for. */
  readonly onProblem: (error: unknown) => void;
  /** Whether the version's role may take messages out of the queue; asked when a mapping is made or changed. */
  readonly mayRead: (version: FunctionVersion, queue: { readonly arn: string; readonly policy: string | undefined }) => boolean;
  /** What mappings of streams take; without it there are none. */
  readonly streams?: StreamSourceParts | undefined;
}

interface InputBase {
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly enabled: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export type MappingInput = QueueMappingInput | StreamMappingInput;

export interface QueueMappingInput extends InputBase {
  readonly queueName: string;
  readonly settings: MappingSettings;
}

export interface StreamMappingInput extends InputBase {
  readonly stream: WantedStream;
  readonly settings: StreamMappingSettings;
}

/** What is left out stays. */
export interface MappingChange {
  readonly function?: { readonly name: string; readonly qualifier: string | undefined } | undefined;
  /** Of the mapping's own kind. */
  readonly settings: Partial<MappingSettings> | Partial<StreamMappingSettings>;
  readonly enabled: boolean | undefined;
}

/** How the last batch of a mapping went; undefined before there was one since the start. */
export type ProcessingResult = { readonly kind: "ok" } | { readonly kind: "problem"; readonly what: string } | undefined;

/** Loads the mappings of all realms; `start` begins to serve them. */
export async function openSources(parts: SourcesParts): Promise<Sources> {
  const { store } = parts;
  const tables = await RealmTables.load<Mapping>({
    store,
    kind: "mappings",
    prefix: "mapping/",
    changesWaitingMax: MAPPING_CHANGES_WAITING_MAX,
  });
  return new Sources(parts, tables);
}

export class Sources {
  readonly #parts: SourcesParts;
  readonly #tables: RealmTables<Mapping>;
  readonly #kinds: Readonly<Record<MappingSource["kind"], SourceKind>>;
  readonly #readers = new Map<string, Reader>();
  readonly #results = new Map<string, ProcessingResult>();
  /** What a change has set off, by the mapping. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(parts: SourcesParts, tables: RealmTables<Mapping>) {
    this.#parts = parts;
    this.#tables = tables;
    const common = {
      ...parts,
      onResult: (uuid: string, problem: string | undefined) =>
        void this.#results.set(uuid, problem === undefined ? { kind: "ok" } : { kind: "problem", what: problem }),
    };
    this.#kinds = {
      queue: new QueueKind({ ...common, mappings: (realm) => tables.items(realm).values() }),
      stream: new StreamKind({ ...common, source: parts.streams }),
    };
  }

  /** Serves what is enabled, and takes up what a stop left under way. */
  start(): void {
    for (const kind of Object.values(this.#kinds)) kind.start((realm, uuid) => this.#tables.items(realm).has(uuid));
    for (const table of this.#tables)
      for (const mapping of table.items.values()) {
        if (mapping.state.kind === "enabled") this.#reader(table.realm, mapping).start();
        else if (mapping.state.kind !== "disabled") this.#carryOn(table, mapping.uuid);
      }
  }

  /** Begins nothing new; batches in flight have `graceMs` to end. */
  async close(graceMs: number): Promise<void> {
    const stopped = Promise.all([...this.#readers.values()].map((reader) => reader.stop()));
    await Promise.race([stopped, delay(this.#parts.clock, graceMs)]);
    await Promise.all(Object.values(this.#kinds).map((kind) => kind.close()));
  }

  /** Resolves once nothing that was changed is under way: of one mapping, or of all. */
  async settled(uuid?: string): Promise<void> {
    if (uuid !== undefined) return this.#underWay.get(uuid);
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  /** `NotFound` for the function; `InvalidParameter` for the source and the settings; `AlreadyExists`. */
  create(realm: Realm, input: MappingInput): Promise<Mapping> {
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      const { functionName, qualifier, settings } = input;
      const wanted = wantedSource(input);
      const source = await this.#kinds[wanted.kind].admit(realm, { functionName, qualifier, source: wanted, settings });
      this.#refuseSecond(table, { functionName, qualifier, source });
      if (table.items.size >= MAPPINGS_PER_REALM_MAX)
        throw new LambentError("LimitExceeded", `There are ${table.items.size} mappings; at most ${MAPPINGS_PER_REALM_MAX} are allowed.`);
      checkTags(input.tags);
      const state = { kind: "creating", next: input.enabled ? "enabled" : "disabled" } as const;
      const uuid = this.#parts.secureRandom.uuid();
      const modifiedAt = this.#parts.clock.now();
      // The kind has found source and settings to belong together.
      const mapping = { uuid, functionName, qualifier, source, settings, state, tags: input.tags, modifiedAt } as Mapping;
      await table.put(mapping.uuid, mapping);
      this.#carryOn(table, mapping.uuid);
      return mapping;
    });
  }

  /** `NotFound`; `MappingInUse` while another change is under way. */
  update(realm: Realm, uuid: string, change: MappingChange): Promise<Mapping> {
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      const known = this.get(realm, uuid);
      const isEnabled = known.state.kind === "enabled";
      const event = change.enabled === undefined || change.enabled === isEnabled ? "update" : change.enabled ? "enable" : "disable";
      const state = requireNext(known, event);
      const functionName = change.function?.name ?? known.functionName;
      const qualifier = change.function ? change.function.qualifier : known.qualifier;
      const settings = { ...known.settings, ...change.settings } as Mapping["settings"];
      const source = await this.#kindOf(known).admit(realm, { functionName, qualifier, source: known.source, settings });
      if (change.function) this.#refuseSecond(table, { functionName, qualifier, source }, uuid);
      const modifiedAt = this.#parts.clock.now();
      const mapping = { ...known, functionName, qualifier, source, settings, state, modifiedAt } as Mapping;
      await table.put(mapping.uuid, mapping);
      this.#carryOn(table, uuid);
      return mapping;
    });
  }

  /** The mapping as it is while it is being deleted. `NotFound`, `MappingInUse`. */
  remove(realm: Realm, uuid: string): Promise<Mapping> {
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      const known = this.get(realm, uuid);
      const mapping: Mapping = { ...known, state: requireNext(known, "delete"), modifiedAt: this.#parts.clock.now() };
      await table.put(mapping.uuid, mapping);
      this.#carryOn(table, uuid);
      return mapping;
    });
  }

  /** Sets and removes tags. `NotFound`, `InvalidParameter`. */
  changeTags(realm: Realm, uuid: string, added: Readonly<Record<string, string>>, removed: readonly string[]): Promise<void> {
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      const known = this.get(realm, uuid);
      const kept = Object.entries(known.tags).filter(([key]) => !removed.includes(key));
      const tags = Object.fromEntries([...kept, ...Object.entries(added)]);
      checkTags(tags);
      await table.put(uuid, { ...known, tags });
    });
  }

  /** Throws `NotFound`. */
  get(realm: Realm, uuid: string): Mapping {
    const mapping = this.#tables.of(realm).items.get(uuid);
    if (!mapping) throw new LambentError("NotFound", "The resource you requested does not exist.");
    return mapping;
  }

  /** All mappings of a realm, in the order of their ids. */
  list(realm: Realm): Mapping[] {
    return [...this.#tables.of(realm).items.values()].toSorted((left, right) => (left.uuid < right.uuid ? -1 : 1));
  }

  result(uuid: string): ProcessingResult {
    return this.#results.get(uuid);
  }

  #kindOf({ source }: Pick<Mapping, "source">): SourceKind {
    return this.#kinds[source.kind];
  }

  #refuseSecond(table: RealmTable<Mapping>, wanted: Pair, except?: string): void {
    const { functionName, qualifier, source } = wanted;
    const kind = this.#kindOf(wanted);
    const other = [...table.items.values()].find(
      (each) =>
        each.uuid !== except &&
        each.functionName === functionName &&
        each.qualifier === qualifier &&
        each.source.kind === source.kind &&
        kind.isSame(each.source, source),
    );
    if (other) throw new LambentError("AlreadyExists", kind.alreadyThere(table.realm, other));
  }

  /** Does what the mapping's state says is under way, and writes that it is done. */
  #carryOn(table: RealmTable<Mapping>, uuid: string): void {
    const work = this.#settleInTime(table, uuid).catch((error: unknown) => {
      if (!isLambentError(error, "ShuttingDown", "StorageStopped")) this.#parts.onProblem(error);
    });
    this.#underWay.set(uuid, work);
    void work.finally(() => this.#underWay.get(uuid) === work && this.#underWay.delete(uuid));
  }

  async #settleInTime(table: RealmTable<Mapping>, uuid: string): Promise<void> {
    for (;;) {
      try {
        return await this.#settle(table, uuid);
      } catch (error) {
        if (!isLambentError(error, "StorageBusy")) throw error;
        await delay(this.#parts.clock, SETTLE_RETRY_MS);
      }
    }
  }

  async #settle(table: RealmTable<Mapping>, uuid: string): Promise<void> {
    const mapping = table.items.get(uuid);
    if (!mapping) return;
    const then = nextState(mapping.state, "done");
    if (then === "inUse") return;
    if (then === "removed" || then.kind === "disabled") await this.#readers.get(uuid)?.stop();
    else await this.#serve(table.realm, mapping);
    await table.changes.take(async () => {
      const now = table.items.get(uuid);
      if (!now || now.state.kind !== mapping.state.kind) return;
      if (then !== "removed") return table.put(uuid, { ...now, state: then });
      await table.remove(uuid);
      const reader = this.#reader(table.realm, mapping);
      this.#readers.delete(uuid);
      this.#results.delete(uuid);
      await reader.forget();
    });
  }

  async #serve(realm: Realm, mapping: Mapping): Promise<void> {
    const reader = this.#reader(realm, mapping);
    await reader.configure(mapping);
    reader.start();
  }

  #reader(realm: Realm, mapping: Mapping): Reader {
    const known = this.#readers.get(mapping.uuid);
    if (known) return known;
    const made = this.#kindOf(mapping).reader(realm, mapping);
    this.#readers.set(mapping.uuid, made);
    return made;
  }
}

type Pair = Pick<Mapping, "functionName" | "qualifier" | "source">;

function wantedSource(input: MappingInput): WantedSource {
  return "queueName" in input ? { kind: "queue", name: input.queueName } : input.stream;
}

function requireNext(mapping: Mapping, event: Exclude<MappingEvent, "done">): Mapping["state"] {
  const next = nextState(mapping.state, event);
  if (next === "inUse" || next === "removed")
    throw new LambentError(
      "MappingInUse",
      `Cannot ${event === "delete" ? "delete" : "update"} the event source mapping because it is in use.`,
      { Type: "User" },
    );
  return next;
}

function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length > MAPPING_TAGS_MAX)
    throw new LambentError("InvalidParameter", `There would be ${entries.length} tags; at most ${MAPPING_TAGS_MAX} are allowed.`);
  for (const [key, value] of entries) {
    if (key.length < 1 || key.length > 128 || value.length > 256)
      throw new LambentError(
        "InvalidParameter",
        `The tag ${JSON.stringify(key.slice(0, 128))} has a key of 1 to 128 characters and a value of at most 256.`,
      );
    if (/^aws:/iu.test(key)) throw new LambentError("InvalidParameter", `The tag ${key} begins with aws:, which is reserved.`);
  }
}
