/** Copies the write-ahead log into the database on a connection of its own, so that commits go on meanwhile. */
import { workerData } from "node:worker_threads";
import { openConnection } from "./connection.ts";
import type { CheckpointerMessage, WorkerSettings } from "./messages.ts";
import { asFailure, ownerPort } from "./thread.ts";

function main(): void {
  const port = ownerPort();
  const database = openConnection((workerData as WorkerSettings).file);
  const checkpoint = database.prepare("pragma wal_checkpoint(passive)");
  port.on("message", (request: "checkpoint" | "close") => {
    let message: CheckpointerMessage;
    try {
      if (request === "close") {
        database.close();
        message = { kind: "closed" };
      } else {
        message = { kind: "copied", frames: Number(checkpoint.get()?.["checkpointed"] ?? 0) };
      }
    } catch (error) {
      message = asFailure(error);
    }
    port.postMessage(message);
    if (message.kind !== "copied") port.close();
  });
}

main();
