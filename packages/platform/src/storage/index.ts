/** What is kept: cells and commits, blobs, and the data folder they live in. */
export { openSqliteStore } from "./sqlite/sqlite-store.ts";
export type { EmbeddedStore, SqliteStoreOptions } from "./sqlite/sqlite-store.ts";
export { MemoryDisk, openMemoryStore } from "./memory/memory-store.ts";
export type { MemoryStoreOptions } from "./memory/memory-store.ts";
export type { Fault, FaultPlan, FaultStep } from "./memory/faults.ts";
export { openBlobs } from "./blobs/blobs.ts";
export type { BlobFolder } from "./blobs/blobs.ts";
export type { BlobReferences } from "./blobs/references.ts";
export { openBodyFiles } from "./bodies/bodies.ts";
export type { BodyFiles, BodyName, ByteRange, SystemCalls } from "./bodies/bodies.ts";
export type { BodyReference, BodyReferences } from "./bodies/references.ts";
export { restoreBackup, sweepBlobs, takeBackup, verifyDataFolder, verifyKept } from "./care.ts";
export { startSweeping } from "./sweeping.ts";
export type { SweepParts } from "./blobs/sweep.ts";
export type { BackupParts, BackupReport } from "./backup/backup.ts";
export type { RestoreReport } from "./backup/restore.ts";
export type { VerifyFault } from "./verify/faults.ts";
export type { KeptObjects } from "./verify/verify-objects.ts";
export type { VerifyParts, VerifyReport } from "./verify/verify.ts";
export { lockDataFolder } from "./data-folder/data-folder.ts";
export { DATA_FOLDER_NAMES } from "./data-folder/names.ts";
export type { DataFolder } from "./data-folder/data-folder.ts";
export { COMMIT_BYTES_MAX, OPS_PER_COMMIT_MAX, READ_BYTES_MAX, READ_KEYS_MAX, READ_ROWS_MAX } from "./store.ts";
export type { Blobs, CellKey, CommitClass, CommitResult, LogRow, Op, Revision, StateRange, StateRow, Store } from "./store.ts";
export { eachCell, eachRealm, eachRow } from "./scan.ts";
export { RealmTable, RealmTables } from "./realm-table.ts";
export type { RealmTableOptions } from "./realm-table.ts";
export { openWorkList } from "./work-list/owner.ts";
export type { WorkListOptions } from "./work-list/owner.ts";
export { isList, openItems, outgoingItems, readOwnRows, removeList } from "./work-list/own-rows.ts";
export { BodyCache } from "./work-list/body-cache.ts";
export { ITEM_BYTES_MAX } from "./work-list/work-list.ts";
export type {
  EnqueueOutcome,
  ExtendOutcome,
  LeasedItem,
  LeaseOutcome,
  LeaseRequest,
  ListCounts,
  ListRules,
  ListTotals,
  NewItem,
  OutgoingItem,
  OwnRow,
  SettleOutcome,
  WorkList,
} from "./work-list/work-list.ts";
export { compareUtf8 } from "./utf8-order.ts";
