/**
 * Writes what the store holds at one moment to a new file, beside commits. One read transaction is held over the whole
 * copy: without it every commit of another connection would start the copy from its beginning again.
 */
import { backup } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { openConnection } from "./connection.ts";
import type { CopierMessage, CopyRequest, WorkerSettings } from "./messages.ts";
import { asFailure, ownerPort } from "./thread.ts";

/** Pages copied between two looks at whether the copy is still wanted: 16 MiB. */
const PAGES_PER_STEP = 4_096;

async function copy({ target }: CopyRequest): Promise<CopierMessage> {
  const database = openConnection((workerData as WorkerSettings).file);
  try {
    database.exec("begin");
    database.prepare("select version from header").get();
    const pages = await backup(database, target, { rate: PAGES_PER_STEP });
    database.exec("rollback");
    return { kind: "copied", pages };
  } catch (error) {
    return asFailure(error);
  } finally {
    database.close();
  }
}

function main(): void {
  const port = ownerPort();
  port.once("message", (request: CopyRequest) => {
    void copy(request).then((message) => {
      port.postMessage(message);
      port.close();
    });
  });
}

main();
