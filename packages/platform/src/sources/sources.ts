/**
 * What calls functions without a caller: mappings from sources (queues, so far) to functions, and the pollers that serve them.
 *
 * Owns the mappings of every realm (one cell each, P11) and their pollers. Keeps P1 (a change is told after its commit; what it
 * sets off is taken up after a restart), P6. Deliberately does not: know shapes of an API, own queues or functions.
 */
import { delay, isLambentError, LambentError, type Clock, type SecureRandom } from "../base/index.ts";
import { functionArn, type Functions } from "../functions/index.ts";
import type { Invoker } from "../invoker/index.ts";
import { LedgerRows } from "../ledger/index.ts";
import type { FunctionVersion, Realm } from "../model/index.ts";
import { type DeadLetters, type Queue, queueArn, type Queues } from "../queues/index.ts";
import { type RealmTable, RealmTables, type Store, type WorkList } from "../storage/index.ts";
import type { Mapping, MappingSettings } from "./mappings/mapping.ts";
import { checkMappingSettings } from "./mappings/mapping-rules.ts";
import { type MappingEvent, nextState } from "./mappings/mapping-state.ts";
import { compileFilters } from "./queue/filter.ts";
import { CONCURRENT_BATCHES_MAX } from "./queue/poller-machine.ts";
import { HeldBytes } from "./queue/held-bytes.ts";
import { Holds } from "./queue/holds.ts";
import { type PollerSettings, type QueueDesk, QueuePoller } from "./queue/queue-poller.ts";
import type { Target } from "./queue/batch-run.ts";
import { noteDeadLettered } from "./queue/outcomes.ts";

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
}

export interface MappingInput {
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly queueName: string;
  readonly settings: MappingSettings;
  readonly enabled: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** What is left out stays. */
export interface MappingChange {
  readonly function?: { readonly name: string; readonly qualifier: string | undefined } | undefined;
  readonly settings: Partial<MappingSettings>;
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
  readonly #pollers = new Map<string, QueuePoller>();
  readonly #results = new Map<string, ProcessingResult>();
  /** One a queue, however many mappings read it: its cell has one owner. */
  readonly #desks = new WeakMap<WorkList, Promise<QueueDesk>>();
  readonly #heldBytes = new HeldBytes();
  /** What a change has set off, by the mapping. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(parts: SourcesParts, tables: RealmTables<Mapping>) {
    this.#parts = parts;
    this.#tables = tables;
    parts.queues.onDeadLettered((letters) => this.#noteDeadLettered(letters));
  }

  /** Serves what is enabled, and takes up what a stop left under way. */
  start(): void {
    for (const table of this.#tables)
      for (const mapping of table.items.values()) {
        if (mapping.state.kind === "enabled") this.#poller(table.realm, mapping).start();
        else if (mapping.state.kind !== "disabled") this.#carryOn(table, mapping.uuid);
      }
  }

  /** Begins nothing new; batches in flight have `graceMs` to end. */
  async close(graceMs: number): Promise<void> {
    const stopped = Promise.all([...this.#pollers.values()].map((poller) => poller.stop()));
    await Promise.race([stopped, delay(this.#parts.clock, graceMs)]);
  }

  /** Resolves once nothing that was changed is under way: of one mapping, or of all. */
  async settled(uuid?: string): Promise<void> {
    if (uuid !== undefined) return this.#underWay.get(uuid);
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  /** `NotFound` for the function; `InvalidParameter` for the queue and the settings; `AlreadyExists`. */
  create(realm: Realm, input: MappingInput): Promise<Mapping> {
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      const { functionName, qualifier, queueName, settings } = input;
      this.#check(realm, input, settings);
      refuseSecond(table, realm, input);
      if (table.items.size >= MAPPINGS_PER_REALM_MAX)
        throw new LambentError("LimitExceeded", `There are ${table.items.size} mappings; at most ${MAPPINGS_PER_REALM_MAX} are allowed.`);
      checkTags(input.tags);
      const queue = this.#parts.queues.record(realm, queueName);
      const mapping: Mapping = {
        uuid: this.#parts.secureRandom.uuid(),
        functionName,
        qualifier,
        source: { kind: "queue", name: queueName, ordering: queue.settings.kind },
        settings,
        state: { kind: "creating", next: input.enabled ? "enabled" : "disabled" },
        tags: input.tags,
        modifiedAt: this.#parts.clock.now(),
      };
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
      const settings = { ...known.settings, ...change.settings };
      this.#check(realm, { functionName, qualifier, queueName: known.source.name }, settings);
      if (change.function) refuseSecond(table, realm, { functionName, qualifier, queueName: known.source.name }, uuid);
      const mapping: Mapping = { ...known, functionName, qualifier, settings, state, modifiedAt: this.#parts.clock.now() };
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

  #check(realm: Realm, wanted: Pick<MappingInput, "functionName" | "qualifier" | "queueName">, settings: MappingSettings): void {
    const { functions, queues } = this.#parts;
    const { version } = functions.reading.get(realm, wanted.functionName, wanted.qualifier);
    const queue = queues.find(realm, wanted.queueName);
    if (!queue)
      throw new LambentError(
        "InvalidParameter",
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.",
      );
    checkMappingSettings(settings, queue, version.timeoutMs);
    if (!this.#parts.mayRead(version, { arn: queueArn(realm, queue.name), policy: queue.settings.policy }))
      throw new LambentError("InvalidParameter", "The function execution role does not have permissions to call ReceiveMessage on SQS");
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
    if (then === "removed" || then.kind === "disabled") await this.#pollers.get(uuid)?.stop();
    else this.#serve(table.realm, mapping);
    await table.changes.take(async () => {
      const now = table.items.get(uuid);
      if (!now || now.state.kind !== mapping.state.kind) return;
      if (then !== "removed") return table.put(uuid, { ...now, state: then });
      await table.remove(uuid);
      this.#pollers.delete(uuid);
      this.#results.delete(uuid);
    });
  }

  #serve(realm: Realm, mapping: Mapping): void {
    const poller = this.#poller(realm, mapping);
    poller.configure(pollerSettings(realm, mapping));
    poller.start();
  }

  #poller(realm: Realm, mapping: Mapping): QueuePoller {
    const known = this.#pollers.get(mapping.uuid);
    if (known) return known;
    const { clock, secureRandom, queues, invoker, onProblem } = this.#parts;
    const made = new QueuePoller(
      {
        clock,
        secureRandom,
        realm,
        invoke: (request) => invoker.invoke(request),
        free: (name) => invoker.free(realm, name),
        onceFree: (listener) => invoker.onceFree(listener),
        onProblem,
        queue: async () => queues.queue(realm, mapping.source.name),
        desk: (queue) => this.#desk(queue),
        heldBytes: this.#heldBytes,
        target: (name, qualifier) => this.#target(realm, name, qualifier),
        onResult: (problem) => this.#results.set(mapping.uuid, problem === undefined ? { kind: "ok" } : { kind: "problem", what: problem }),
      },
      pollerSettings(realm, mapping),
    );
    this.#pollers.set(mapping.uuid, made);
    return made;
  }

  #target(realm: Realm, name: string, qualifier: string | undefined): Target | undefined {
    try {
      const { version } = this.#parts.functions.reading.get(realm, name, qualifier);
      const { recursion } = this.#parts.functions.reading.details(realm, name);
      return { timeoutMs: version.timeoutMs, endsCircles: recursion === "Terminate" };
    } catch (error) {
      if (isLambentError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /** Messages of a queue that no mapping reads are for no function: they have no record. */
  async #noteDeadLettered(letters: DeadLetters): Promise<void> {
    const { realm, source } = letters;
    const mapping = this.#tables
      .of(realm)
      .items.values()
      .find((each) => each.source.name === source.record.name);
    if (!mapping) return;
    const parts = {
      queue: source,
      ledger: (await this.#desk(source)).ledger,
      queueArn: queueArn(realm, source.record.name),
      functionArn: functionArn(realm, mapping.functionName, mapping.qualifier),
    };
    await noteDeadLettered(parts, letters, this.#parts.clock.now());
  }

  /** One behind the other: giving back must not go on when the ledger could not be opened, and meet leases of the next try. */
  async #openDesk(list: WorkList): Promise<QueueDesk> {
    const ledger = await LedgerRows.open(list, this.#parts.clock);
    return { ledger, holds: await Holds.open(list, this.#parts) };
  }

  #desk({ list }: Queue): Promise<QueueDesk> {
    const known = this.#desks.get(list);
    if (known) return known;
    const opening = this.#openDesk(list);
    this.#desks.set(list, opening);
    opening.catch(() => this.#desks.delete(list));
    return opening;
  }
}

function pollerSettings(realm: Realm, { functionName, qualifier, settings, source }: Mapping): PollerSettings {
  const { batchSize, windowMs, concurrencyMax = CONCURRENT_BATCHES_MAX, filters, answers } = settings;
  return {
    rules: { ordering: source.ordering, batchSize, windowMs, concurrencyMax },
    filter: compileFilters(filters),
    answers,
    functionName,
    qualifier,
    functionArn: functionArn(realm, functionName, qualifier),
  };
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

type Pair = Pick<MappingInput, "functionName" | "qualifier" | "queueName">;

function refuseSecond(table: RealmTable<Mapping>, realm: Realm, { functionName, qualifier, queueName }: Pair, except?: string): void {
  const other = [...table.items.values()].find(
    (each) => each.uuid !== except && each.functionName === functionName && each.qualifier === qualifier && each.source.name === queueName,
  );
  if (!other) return;
  throw new LambentError(
    "AlreadyExists",
    `An event source mapping with SQS arn (" ${queueArn(realm, queueName)} ") and function (" ${functionName} ") already exists. Please update or delete the existing mapping with UUID ${other.uuid}`,
  );
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
