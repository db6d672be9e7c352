/**
 * Managed windows: which there are, and each at work on its stream.
 *
 * Owns the definitions of a realm in its registry, and a cell a window (P11). Keeps P5 (`engine/runner.ts`), P6 (a window waits for records, it never
 * looks for them). What a window computes is `@lambent/sdk/windows`; who receives results is a stream, a function, or a target of `delivery/`.
 * Deliberately absent: joins of streams, and any state that a function could write.
 */
import { type Clock, delay, isLambentError, LambentError, Later, type Random, type SecureRandom } from "../base/index.ts";
import type { Targets } from "../delivery/index.ts";
import type { InvokeOutcome } from "../invoker/index.ts";
import type { Realm } from "../model/index.ts";
import { untilTaken } from "../outbox/index.ts";
import type { EgressToAll } from "../security/index.ts";
import { eachCell, eachRealm, type RealmTable, RealmTables, type Store } from "../storage/index.ts";
import { realmKey } from "../model/index.ts";
import type { Streams } from "../streams/index.ts";
import { type WindowChange, whatChanges } from "./changes.ts";
import type { ManagedWindow, Start, WindowRecord } from "./definition.ts";
import type { RunnerReport } from "./engine/report.ts";
import { Runner } from "./engine/runner.ts";
import { emptyCell, type JournalBounds } from "./engine/window-cell.ts";
import { checkWindowName, WINDOW_CELL_KIND, windowCell } from "./names.ts";
import { sinksOf } from "./sinks/make-sinks.ts";
import type { Databases } from "./sinks/postgres/databases.ts";
import { Secrets, type SecretsParts } from "./sinks/secrets.ts";
import type { WindowCall } from "./sinks/function-sink.ts";

/** Managed windows of one realm. @limit */
export const WINDOWS_MAX = 200;
/** Changes of windows that wait for their turn in one realm (P7). */
const CHANGES_WAITING_MAX = 1_000;
/** After a refusal by the storage. */
const BUSY_RETRY_MS = 200;

export interface OutsideParts extends SecretsParts {
  /** Who may be reached. */
  readonly egress: Pick<EgressToAll, "resolveAll">;
}

export interface WindowsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  readonly streams: Streams;
  /** A synchronous call; throws `NotFound` for a function that is gone. */
  readonly invoke: (call: WindowCall) => Promise<InvokeOutcome>;
  /** Everything else that can receive an event. */
  readonly targets: () => Promise<Pick<Targets, "handOver">>;
  /** What waits between attempts are multiplied with. */
  readonly retryTimeFactor: number;
  /** What sinks outside of this server need; undefined: there are none. */
  readonly outside?: OutsideParts;
  /** For tests, which have no time for long journals. */
  readonly journalBounds?: JournalBounds;
  readonly onProblem: (error: unknown) => void;
}

export interface WindowReport {
  readonly record: WindowRecord;
  /** Undefined while it is paused, or cannot be opened; then `failed` says why. */
  readonly running: RunnerReport | undefined;
  readonly failed: string | undefined;
}

export interface UpdateOptions {
  /** From where it begins anew, should what it has reckoned mean nothing under the new definition. Without it, such a change is refused. */
  readonly restart?: Start | undefined;
}

/** Loads the definitions of all realms; the windows begin to work with `resume`. */
export async function openWindows(parts: WindowsParts): Promise<Windows> {
  const tables = await RealmTables.load<WindowRecord>({
    ...{ store: parts.store, kind: "windows", prefix: "window/", changesWaitingMax: CHANGES_WAITING_MAX },
  });
  return new Windows(parts, tables);
}

type Opened = { readonly kind: "open"; readonly runner: Runner } | { readonly kind: "failed"; readonly why: string };

export class Windows {
  readonly #parts: WindowsParts;
  readonly #tables: RealmTables<WindowRecord>;
  readonly #databases: Later<Databases>;
  /** By the windows' ids. */
  readonly #opened = new Map<string, Opened>();
  readonly #stopListening: () => void;
  #closed = false;

  constructor(parts: WindowsParts, tables: RealmTables<WindowRecord>) {
    this.#parts = parts;
    this.#tables = tables;
    this.#databases = new Later(() => openDatabases(parts.outside));
    this.#stopListening = parts.streams.onChanged((realm) => this.#streamChanged(realm));
  }

  find(realm: Realm, name: string): WindowRecord | undefined {
    return this.#tables.items(realm).get(name);
  }

  /** Throws `NotFound`. */
  get(realm: Realm, name: string): WindowRecord {
    const record = this.find(realm, name);
    if (!record) throw new LambentError("NotFound", `Window ${name} does not exist.`);
    return record;
  }

  /** By name. */
  list(realm: Realm): WindowRecord[] {
    return [...this.#tables.items(realm).values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /**
   * Makes a window and resolves once it reads: with `latest`, every record that is put from then on counts. Streams that results go to are made
   * when they are missing, with as many shards as the source has. Throws `AlreadyExists`, `NotFound` for the source, `InvalidParameter`.
   */
  create(realm: Realm, name: string, given: ManagedWindow, state: WindowRecord["state"] = "running"): Promise<WindowRecord> {
    checkWindowName(name);
    return this.#change(realm, async (table) => {
      if (table.items.has(name)) throw new LambentError("AlreadyExists", `Window ${name} already exists.`);
      if (table.items.size >= WINDOWS_MAX)
        throw new LambentError("LimitExceeded", `There are ${WINDOWS_MAX} windows already, which is the bound.`);
      await this.#requireStreams(realm, given);
      const definition = this.#secrets(realm, name).sealed(given, undefined);
      const now = this.#parts.clock.now();
      const { start } = definition.source;
      const id = this.#parts.secureRandom.uuid();
      const record: WindowRecord = { name, id, definition, generation: 1, start, state, createdAt: now, modifiedAt: now };
      await table.put(name, record);
      await this.#begin(realm, record);
      return record;
    });
  }

  /** What a definition would do to the window: what `deploy` says. Undefined: there is none of this name. */
  plan(realm: Realm, name: string, definition: ManagedWindow): WindowChange | undefined {
    const record = this.find(realm, name);
    return record && whatChanges(record.definition, this.#secrets(realm, name).sealed(definition, record.definition));
  }

  /**
   * Gives a window another definition. What it has reckoned is kept where that means something under the new one; else `restart` has to say from where
   * it begins anew. Throws `NotFound`, `RestartNeeded`.
   */
  update(realm: Realm, name: string, given: ManagedWindow, { restart }: UpdateOptions = {}): Promise<WindowChange> {
    return this.#change(realm, async (table) => {
      const known = this.get(realm, name);
      const definition = this.#secrets(realm, name).sealed(given, known.definition);
      const change = whatChanges(known.definition, definition);
      if (change.kind === "restarted" && restart === undefined) throw needsRestart(name, change);
      await this.#requireStreams(realm, definition);
      const generation = change.kind === "restarted" ? { generation: known.generation + 1, start: restart ?? known.start } : {};
      await this.#replace(realm, table, { ...known, ...generation, definition });
      return change;
    });
  }

  /** Stops reading; what was read is kept. */
  pause(realm: Realm, name: string): Promise<WindowRecord> {
    return this.#change(realm, (table) => this.#replace(realm, table, { ...this.get(realm, name), state: "paused" }));
  }

  resumeWindow(realm: Realm, name: string): Promise<WindowRecord> {
    return this.#change(realm, (table) => this.#replace(realm, table, { ...this.get(realm, name), state: "running" }));
  }

  /** Drops what was reckoned, and begins anew at `start`. Streams that results go to keep those of before. */
  reset(realm: Realm, name: string, start: Start): Promise<WindowRecord> {
    return this.#change(realm, (table) => {
      const known = this.get(realm, name);
      return this.#replace(realm, table, { ...known, generation: known.generation + 1, start });
    });
  }

  remove(realm: Realm, name: string): Promise<void> {
    return this.#change(realm, async (table) => {
      const { id } = this.get(realm, name);
      await this.#end(id);
      await table.remove(name);
      await this.#takeUp(() => emptyCell(this.#parts.store, windowCell(realm, id)));
    });
  }

  /** Throws `NotFound`. */
  async describe(realm: Realm, name: string): Promise<WindowReport> {
    const record = this.get(realm, name);
    const opened = this.#opened.get(record.id);
    if (opened?.kind !== "open") return { record, running: undefined, failed: opened?.why };
    const running = await opened.runner.report();
    return { record, running, failed: running.failed };
  }

  /** Begins all windows, and empties what removed ones left. For after the start. */
  async resume(): Promise<void> {
    for (const { realm, items } of [...this.#tables])
      for (const { name } of [...items.values()])
        await this.#change(realm, async () => {
          const record = this.find(realm, name);
          if (record && !this.#opened.has(record.id)) await this.#beginOrTell(realm, record);
        });
    for await (const realm of eachRealm(this.#parts.store)) await this.#takeUp(() => this.#sweep(realm));
  }

  /** What sinks are being handed has until `grace` to be taken. */
  async close(grace: Promise<void> = Promise.resolve()): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.all(opened.flatMap((each) => (each.kind === "open" ? [quietly(each.runner.close(grace))] : [])));
    await this.#databases.close((open) => open.close());
  }

  async #change<T>(realm: Realm, change: (table: RealmTable<WindowRecord>) => Promise<T>): Promise<T> {
    if (this.#closed) throw new LambentError("ShuttingDown", "The server is stopping.");
    const table = this.#tables.of(realm);
    return table.changes.take(() => change(table));
  }

  /** The record first: what it says is made so by the opening, also by that behind a crash. */
  async #replace(realm: Realm, table: RealmTable<WindowRecord>, changed: WindowRecord): Promise<WindowRecord> {
    const record = { ...changed, modifiedAt: this.#parts.clock.now() };
    await this.#end(record.id);
    try {
      await table.put(record.name, record);
    } catch (error) {
      await this.#beginOrTell(realm, this.get(realm, record.name));
      throw error;
    }
    await this.#beginOrTell(realm, record);
    return record;
  }

  async #begin(realm: Realm, record: WindowRecord): Promise<void> {
    if (record.state === "paused" || this.#closed) return;
    const { id, name, definition } = record;
    const sinksParts = { ...this.#parts, secrets: this.#secrets(realm, name), databases: () => this.#databases.get() };
    const sinks = sinksOf(sinksParts, realm, record, definition);
    const runner = await this.#untilRead(() => Runner.open({ ...this.#parts, realm, record, sinks }));
    this.#opened.set(id, { kind: "open", runner });
    runner.start();
  }

  /** Does again what a busy storage refused to read: nobody else would, and the window would stand still until the next start. */
  async #untilRead<T>(open: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await open();
      } catch (error) {
        if (!isLambentError(error, "StorageBusy") || this.#closed) throw error;
        await delay(this.#parts.clock, BUSY_RETRY_MS);
      }
    }
  }

  /** One window that cannot be opened keeps no other from being. */
  async #beginOrTell(realm: Realm, record: WindowRecord): Promise<void> {
    try {
      await this.#begin(realm, record);
    } catch (error) {
      if (isLambentError(error, "ShuttingDown", "StorageStopped")) throw error;
      this.#opened.set(record.id, { kind: "failed", why: error instanceof Error ? error.message : String(error) });
      this.#parts.onProblem(error);
    }
  }

  #secrets(realm: Realm, name: string): Secrets {
    return new Secrets(this.#parts.outside, realm, name);
  }

  async #end(id: string): Promise<void> {
    const opened = this.#opened.get(id);
    this.#opened.delete(id);
    if (opened?.kind === "open") await opened.runner.close(Promise.resolve());
  }

  /** Throws `NotFound` for the source; makes what is missing of the others. */
  async #requireStreams(realm: Realm, { source, sinks, lateSinks, anomaly, setAside }: ManagedWindow): Promise<void> {
    const { streams } = this.#parts;
    const shards = streams.get(realm, source.stream).shards.filter(({ closed }) => closed === undefined).length;
    const named = [...sinks, ...lateSinks, ...(anomaly?.sinks ?? [])].flatMap((sink) => (sink.kind === "stream" ? [sink.stream] : []));
    for (const stream of new Set([...named, ...(setAside === undefined ? [] : [setAside])]))
      if (!streams.find(realm, stream)) await streams.create(realm, stream, { shards, madeBy: "lambent" });
  }

  #streamChanged(realm: Realm): void {
    for (const { id } of this.#tables.items(realm).values()) {
      const opened = this.#opened.get(id);
      if (opened?.kind === "open") opened.runner.streamChanged();
    }
  }

  /** Cells of windows that are no more. */
  async #sweep(realm: Realm): Promise<void> {
    const { store } = this.#parts;
    const kept = new Set(this.list(realm).map(({ id }) => windowCell(realm, id)));
    for await (const cell of eachCell(store, `${realmKey(realm)}/${WINDOW_CELL_KIND}/`)) {
      const isLeft = !kept.has(cell) && (await store.get(cell, "head")) !== undefined;
      if (isLeft) await emptyCell(store, cell);
    }
  }

  #takeUp(work: () => Promise<unknown>): Promise<void> {
    const { clock, onProblem } = this.#parts;
    return untilTaken(work, { clock, onProblem, isClosed: () => this.#closed });
  }
}

async function openDatabases(outside: OutsideParts | undefined): Promise<Databases> {
  if (!outside) throw new LambentError("NotImplemented", "Windows of this server reach nothing outside of it.");
  const { Databases: Open } = await import("./sinks/postgres/databases.ts");
  return new Open(outside.egress);
}

/** What a stop does not find done, the next opening does again. */
async function quietly(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isLambentError(error, "ShuttingDown", "StorageStopped")) throw error;
  }
}

function needsRestart(name: string, { why }: Extract<WindowChange, { readonly kind: "restarted" }>): LambentError {
  return new LambentError("RestartNeeded", `What window ${name} has reckoned means nothing under the new definition: ${why.join("; ")}.`);
}
