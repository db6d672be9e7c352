import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { failpoint, LambentError } from "../../base/index.ts";
import { BUSY_MS_MAX, openConnection } from "./connection.ts";

/**
 * Steps from nothing to today's tables, forward only; a store's version is the number of steps it has taken.
 *
 * `log` is in the order of writing, over all cells, and has no other index: appends of 64 cells then dirty a few
 * neighbouring pages, not 64. Where a cell's rows are is in the owner's memory. Names and heads are apart because names
 * never change and heads do at every commit; heads lie in blocks (`head-blocks.ts`).
 */
const MIGRATIONS: readonly string[] = [
  `create table cell(id integer primary key, key blob not null, crc integer not null);
   create table head(block integer primary key, data blob not null);
   create table state(cell integer not null, key blob not null, crc integer not null, value blob not null, primary key(cell, key)) without rowid;
   create table log(seq integer primary key, cell integer not null, position integer not null, crc integer not null, value blob not null)`,
];

/** A start waits this long for another program that reads the store. */
const OTHERS_MS_MAX = 500;

/** The newest version this Lambent reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Opens the writer's connection: makes the store when there is none, brings an older one up to date, refuses a newer
 * one and what is no store.
 */
export function openWriterConnection(file: string): DatabaseSync {
  if (!existsSync(file)) {
    if (hasLog(file)) throw damaged(file, "it is missing, and its write-ahead log is there");
    createStore(file);
  }
  if (statSync(file).size === 0) throw damaged(file, "it is empty");
  const endedByClose = !hasLog(file);
  const database = openConnection(file);
  try {
    if (endedByClose) refuseTruncated(database, file);
    const version = readVersion(database, file);
    if (!endedByClose) copyLog(database, file);
    migrate(database, file, version);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * A new store gets its name only once it is whole and on the disk. So a store that is empty or without tables was
 * damaged, whatever moment the first start was killed at.
 */
function createStore(file: string): void {
  const draft = `${file}.new`;
  for (const suffix of ["", "-wal", "-shm"]) rmSync(draft + suffix, { force: true });
  const database = openConnection(draft);
  database.exec("begin immediate");
  database.exec("create table header(format text not null, version integer not null)");
  database.exec("insert into header values('lambent store', 0)");
  for (let version = 0; version < SCHEMA_VERSION; version++) takeStep(database, version);
  database.exec("commit");
  // Closing would do it too, and keep quiet about a write that fails.
  database.prepare("pragma wal_checkpoint(truncate)").get();
  database.close();
  failpoint("store.made");
  renameSync(draft, file);
  syncPath(dirname(file));
}

/**
 * Begins the write-ahead log that a killed or stopped process left anew, its contents copied into the database and synced there. A
 * log whose fsync failed once must not be written on: what failed to get to the disk may count as written in the page cache ever
 * since, and a later fsync of it succeeds; behind that hole nothing would be found after a power cut.
 */
function copyLog(database: DatabaseSync, file: string): void {
  database.prepare("pragma wal_checkpoint(passive)").get();
  failpoint("open.copied");
  database.exec(`pragma busy_timeout=${OTHERS_MS_MAX}`);
  const { busy } = database.prepare("pragma wal_checkpoint(truncate)").get() ?? {};
  database.exec(`pragma busy_timeout=${BUSY_MS_MAX}`);
  if (busy !== 0) throw new LambentError("DataFolderLocked", `The store ${file} is open in another program; close it there.`);
}

/** Brings an older store up to date, and keeps what it was beside it: `store.db.version-<n>`, whole under that name. */
function migrate(database: DatabaseSync, file: string, version: number): void {
  if (version > SCHEMA_VERSION) {
    throw new LambentError(
      "DataFolderUnusable",
      `The store ${file} has schema version ${version}; this Lambent reads up to ${SCHEMA_VERSION}. Use the newer Lambent, or another --data.`,
    );
  }
  if (version === SCHEMA_VERSION) return;
  keepCopy(database, file, version);
  database.exec("begin immediate");
  for (let step = version; step < SCHEMA_VERSION; step++) takeStep(database, step);
  database.exec("commit");
}

function takeStep(database: DatabaseSync, step: number): void {
  database.exec(MIGRATIONS[step] as string);
  database.prepare("update header set version = ?").run(step + 1);
}

function readVersion(database: DatabaseSync, file: string): number {
  let row: Record<string, unknown> | undefined;
  try {
    row = database.prepare("select format, version from header").get();
  } catch (error) {
    throw damaged(file, error instanceof Error ? error.message : "it cannot be read");
  }
  if (row?.["format"] !== "lambent store" || typeof row["version"] !== "number") throw damaged(file, "it is no Lambent store");
  return row["version"];
}

function keepCopy(database: DatabaseSync, file: string, version: number): void {
  const draft = `${file}.copying`;
  rmSync(draft, { force: true });
  database.prepare("vacuum into ?").run(draft);
  syncPath(draft);
  renameSync(draft, `${file}.version-${version}`);
  syncPath(dirname(file));
}

function hasLog(file: string): boolean {
  return existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0;
}

/** Without a write-ahead log every page must be in the file; with one, missing pages are found when read. */
function refuseTruncated(database: DatabaseSync, file: string): void {
  const pages = Number(database.prepare("pragma page_count").get()?.["page_count"]);
  const bytes = statSync(file).size;
  if (bytes < pages * 4096) throw damaged(file, `it has ${bytes} bytes of ${pages * 4096}`);
}

/** The error of a store that cannot be opened, with the remedy. */
export function damaged(file: string, what: string): LambentError {
  return new LambentError(
    "StorageCorrupt",
    `The store ${file} is damaged: ${what}. Restore a backup (lambent restore <backup> --data <folder>), or choose another --data.`,
    { file },
  );
}

function syncPath(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
