import { DatabaseSync } from "node:sqlite";

/** A connection waits this long for another one's lock. */
export const BUSY_MS_MAX = 5_000;

const PRAGMAS = [
  // First: what follows may meet a lock.
  `busy_timeout=${BUSY_MS_MAX}`,
  "page_size=4096",
  "journal_mode=wal",
  "synchronous=FULL",
  // On macOS fsync alone leaves data in the drive's cache.
  "fullfsync=1",
  "checkpoint_fullfsync=1",
  // Checkpoints are taken on a connection of their own, as `checkpoints.ts` decides.
  "wal_autocheckpoint=0",
  "journal_size_limit=67108864",
  "cache_size=-16384",
  "temp_store=memory",
  "mmap_size=0",
  "trusted_schema=off",
];

/** Opens the store's file as every connection of it must be opened. The second one only after the first has committed. */
export function openConnection(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  for (const pragma of PRAGMAS) database.exec(`pragma ${pragma}`);
  return database;
}
