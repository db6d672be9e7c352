/**
 * The embedded engine: a commit is part of one transaction of SQLite's write-ahead log, acknowledged after its fsync
 * (P1). Owns up to three threads (writer; reader and checkpointer once they are needed) and the memory of where each cell stands (P11).
 *
 * State rows are written in the same transaction as the log rows; docs/decisions says why and what would change it.
 * It does not know what a cell's rows mean, and has no timer: a transaction starts when the one before it is answered.
 */
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { invariant, LambentError } from "../../base/index.ts";
import { checkCellKey, checkCommit, checkKeyCount, checkLimit } from "../check.ts";
import type { CellKey, CommitClass, CommitResult, LogRow, Op, Revision, StateRange, StateRow, Store } from "../store.ts";
import { checkStore, type StoreCheck } from "./check-store.ts";
import { CommitLoop } from "./commit-loop.ts";
import { copyStore } from "./copy-store.ts";
import type { ReadAnswer, WorkerSettings, WriterAnswer } from "./messages.ts";
import type { OwnedCell } from "./owned-cell.ts";
import { unpackRows } from "./packed-rows.ts";
import { ReadQueue } from "./read-queue.ts";
import { asError, startThread } from "./thread.ts";

export interface SqliteStoreOptions {
  /** The database's path; it is made when absent. Its folder is locked by the caller (`lockDataFolder`). */
  readonly file: string;
  /** Bytes the database may take; at the bound the store stops as on a full disk. Without it the disk is the bound. */
  readonly bytesMax?: number;
}

/** What a store in one file of this machine does beside what every engine does. */
export interface EmbeddedStore extends Store {
  /** Reads everything; see `checkStore`. `structure` only while nobody commits. */
  check(options: { readonly structure: boolean }): Promise<StoreCheck>;
  /** Writes what it holds at one moment to a new file; see `copyStore`. One copy is made at a time. */
  copyTo(target: string): Promise<void>;
}

const PAGE_BYTES = 4_096;

/**
 * Opens the embedded store. Throws `StorageCorrupt` for a damaged file, `DataFolderUnusable` for one of a newer
 * Lambent, `DataFolderLocked` for one that another process has open. Its threads keep the process alive until `close`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<EmbeddedStore> {
  const settings: WorkerSettings = { file: options.file, pagesMax: Math.floor((options.bytesMax ?? 0) / PAGE_BYTES) };
  const writer = startThread("writer", settings);
  const [opened] = (await once(writer, "message")) as [WriterAnswer];
  if (opened.kind === "failed") {
    await writer.terminate();
    throw asError(opened);
  }
  invariant(opened.kind === "opened", "the writer's first message is what it opened");
  const loop = new CommitLoop(
    { writer, startCheckpointer: () => watched("checkpointer", settings, (why) => loop.stop(why)) },
    opened.contents,
    opened.logFrames,
  );
  watch("writer", writer, (why) => loop.stop(why));
  const stopReading = (why: LambentError): void => {
    reads.fail(why);
    loop.stop(why);
  };
  const reads: ReadQueue = new ReadQueue({
    writer,
    writerIsIdle: () => loop.isIdle,
    startReader: () => watched("reader", settings, stopReading),
    onFailure: (why) => loop.stop(why),
  });
  return new SqliteStore(loop, reads, writer, settings);
}

class SqliteStore implements EmbeddedStore {
  readonly durability = "fsync";
  readonly #loop: CommitLoop;
  readonly #reads: ReadQueue;
  readonly #writer: Worker;
  readonly #settings: WorkerSettings;
  readonly #copying = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(loop: CommitLoop, reads: ReadQueue, writer: Worker, settings: WorkerSettings) {
    this.#settings = settings;
    this.#loop = loop;
    this.#reads = reads;
    this.#writer = writer;
  }

  async commit(
    key: CellKey,
    expected: Revision | "any",
    ops: readonly Op[],
    commitClass: CommitClass = "interactive",
  ): Promise<CommitResult> {
    const weight = checkCommit(key, ops);
    this.#loop.refuseUnlessRunning();
    const cell = this.#loop.cells.findOrMake(key);
    refuseDamaged(cell);
    return this.#loop.commit(cell, expected, ops, weight, commitClass);
  }

  async revision(key: CellKey): Promise<Revision> {
    return this.#cellForReading(key)?.revision ?? 0;
  }

  async get(key: CellKey, stateKey: string): Promise<Uint8Array | undefined> {
    const cell = this.#cellForReading(key);
    if (!cell) return undefined;
    const answer = await this.#reads.ask({ kind: "get", cell: cell.id, key: stateKey });
    return rowsOf(cell, answer)[0]?.value;
  }

  async getAll(key: CellKey, stateKeys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    checkKeyCount(stateKeys);
    const cell = this.#cellForReading(key);
    if (!cell || stateKeys.length === 0) return stateKeys.map(() => undefined);
    const answer = await this.#reads.ask({ kind: "getAll", cell: cell.id, keys: stateKeys });
    const found = new Map(rowsOf(cell, answer).map((row) => [row.key, row.value]));
    return stateKeys.map((stateKey) => found.get(stateKey));
  }

  async list(key: CellKey, range: StateRange): Promise<StateRow[]> {
    checkLimit(range.limit);
    const cell = this.#cellForReading(key);
    if (!cell) return [];
    const answer = await this.#reads.ask({ kind: "list", cell: cell.id, range });
    return rowsOf(cell, answer);
  }

  async read(key: CellKey, from: number, limit: number): Promise<LogRow[]> {
    checkLimit(limit);
    const cell = this.#cellForReading(key);
    if (!cell) return [];
    for (;;) {
      const position = Math.max(from, cell.log.first);
      const sequences = cell.log.slice(position, limit);
      if (sequences.length === 0) return [];
      const answer = await this.#reads.ask({ kind: "read", cell: cell.id, position, sequences });
      // Rows that were trimmed while the question waited are not missing; what is kept is read again.
      if (answer.kind === "damaged" && cell.log.first > position) continue;
      return valuesOf(cell, answer).map((value, index) => ({ position: position + index, value }));
    }
  }

  async cells(range: { readonly prefix: string; readonly after?: string; readonly limit: number }): Promise<CellKey[]> {
    checkLimit(range.limit);
    this.#refuseWhenClosing();
    return this.#loop.cells.keys(range.prefix, range.after, range.limit);
  }

  async check(options: { readonly structure: boolean }): Promise<StoreCheck> {
    this.#refuseWhenClosing();
    return checkStore(
      this.#loop.cells,
      async (question) => {
        const answer = await this.#reads.ask(question);
        invariant(answer.kind === "checked", "a question of a check is answered with what it found");
        return answer;
      },
      options,
    );
  }

  async copyTo(target: string): Promise<void> {
    this.#refuseWhenClosing();
    if (this.#copying.size > 0) throw new LambentError("Conflict", "A copy of the store is being made; one is made at a time.");
    const copying = copyStore(this.#loop, this.#settings, target);
    this.#copying.add(copying);
    await copying.finally(() => this.#copying.delete(copying));
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** The writer goes last: the connection that closes last checkpoints and removes the write-ahead log. */
  async #close(): Promise<void> {
    await this.#loop.drain();
    this.#reads.close(closed());
    const others = [this.#reads.reader, this.#loop.checkpointer].filter((thread) => thread !== undefined);
    await Promise.all(others.map((thread) => ended(thread, "close")));
    await ended(this.#writer, { close: true });
    this.#reads.fail(closed());
  }

  #cellForReading(key: CellKey): OwnedCell | undefined {
    checkCellKey(key);
    this.#refuseWhenClosing();
    const cell = this.#loop.cells.find(key);
    if (cell) refuseDamaged(cell);
    return cell;
  }

  #refuseWhenClosing(): void {
    if (this.#closing) throw closed();
  }
}

function closed(): LambentError {
  return new LambentError("ShuttingDown", "The storage is closed.");
}

function rowsOf(cell: OwnedCell, answer: ReadAnswer): StateRow[] {
  if (answer.kind === "damaged") throw damaged(cell, answer.what);
  if (answer.kind === "packed") return unpackRows(answer);
  invariant(answer.kind === "rows", "a question about state is answered with rows");
  return [...answer.rows];
}

function valuesOf(cell: OwnedCell, answer: ReadAnswer): readonly Uint8Array[] {
  if (answer.kind === "damaged") throw damaged(cell, answer.what);
  invariant(answer.kind === "values", "a question about a log is answered with values");
  return answer.values;
}

function damaged(cell: OwnedCell, what: string): LambentError {
  cell.damage = what;
  return corrupt(cell.key, what);
}

function refuseDamaged(cell: OwnedCell): void {
  if (cell.damage !== undefined) throw corrupt(cell.key, cell.damage);
}

function corrupt(key: CellKey, what: string): LambentError {
  return new LambentError("StorageCorrupt", `Cell ${key} is damaged: ${what}. It takes no more commits; restore a backup.`, { cell: key });
}

function watched(name: "reader" | "checkpointer", settings: WorkerSettings, stop: (why: LambentError) => void): Worker {
  const thread = startThread(name, settings);
  watch(name, thread, stop);
  return thread;
}

/** A thread that ends by itself stops the store like a disk that refuses a write. */
function watch(name: string, thread: Worker, stop: (why: LambentError) => void): void {
  thread.on("error", (error: Error) => stop(new LambentError("StorageStopped", `The storage's ${name} failed: ${error.message}.`)));
  thread.on("exit", () => stop(new LambentError("StorageStopped", `The storage's ${name} ended.`)));
}

/** Asks a thread to end and waits until it has. */
async function ended(thread: Worker, request: unknown): Promise<void> {
  if (thread.threadId === -1) return;
  const exit = new Promise((resolve) => thread.once("exit", resolve));
  thread.postMessage(request);
  await exit;
}
