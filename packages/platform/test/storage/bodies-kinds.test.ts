import { join } from "node:path";
import { openBodyFiles } from "../../src/storage/index.ts";
import { MemoryBodyDisk, openMemoryBodies } from "../support/memory-bodies.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { bodiesContract } from "./bodies-contract.ts";

bodiesContract("files", (test) => {
  const folder = join(temporaryFolder(test), "objects");
  return { open: () => openBodyFiles(folder) };
});

bodiesContract("memory", () => {
  const disk = new MemoryBodyDisk();
  return { open: async () => openMemoryBodies({ disk }) };
});
