import { join } from "node:path";
import { MemoryDisk, openMemoryStore, openSqliteStore } from "../../src/storage/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { storageContract } from "./contract.ts";

storageContract("sqlite", (test) => {
  const file = join(temporaryFolder(test), "store.db");
  return { open: () => openSqliteStore({ file }) };
});

storageContract("memory", () => {
  const disk = new MemoryDisk();
  return { open: async () => openMemoryStore({ disk }) };
});
