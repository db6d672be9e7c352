/**
 * Everything a server puts into its data folder: what `reset` deletes, and nothing else. What is not here would be left
 * behind, and the folder then be somebody's own and no place for a new start; a test starts after a reset.
 */
export const DATA_FOLDER_NAMES = {
  lock: "lock",
  rootKey: "root-key",
  cipherKey: "cipher-key",
  config: "config",
  store: "store.db",
  storeLog: "store.db-wal",
  storeIndex: "store.db-shm",
  storeLock: "store.db.lock",
  blobs: "blobs",
  objects: "objects",
  code: "code",
  trees: "trees",
  slots: "slots",
  tmp: "tmp",
  logs: "logs",
  pythons: "pythons.json",
  /** Where a restore collects what it copies. */
  restoring: "restoring",
  formatDraft: "format.new",
  /** Last: a reset that was killed finds the folder again by it. */
  format: "format",
} as const;
