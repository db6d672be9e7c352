import { parentPort, Worker } from "node:worker_threads";
import { invariant, isLambentError, LambentError } from "../../base/index.ts";
import type { ThreadFailure, WorkerSettings } from "./messages.ts";

/** Starts the thread in the file beside this one: `.ts` in a checkout, `.js` once built. */
export function startThread(name: "writer" | "reader" | "checkpointer" | "copier", settings: WorkerSettings): Worker {
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));
  return new Worker(new URL(`./${name}${ending}`, import.meta.url), { workerData: settings, name: `storage ${name}` });
}

/** The port to the owner, inside a thread. */
export function ownerPort(): NonNullable<typeof parentPort> {
  invariant(parentPort, "this file runs as a thread of the storage");
  return parentPort;
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, with their extended codes: a page of the database is not what it should be. */
export function isDamage(error: unknown): error is Error {
  const result = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  return result === 11 || result === 26;
}

/** Makes an error fit to cross threads; SQLite's carry their result code and what it means. */
export function asFailure(error: unknown): ThreadFailure {
  if (isLambentError(error)) return { kind: "failed", code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  const result = error instanceof Error && "errcode" in error ? ` (SQLite result ${String(error.errcode)})` : "";
  return { kind: "failed", code: undefined, message: message + result };
}

/** A thread that failed, as the owner tells it. */
export function asError(failure: ThreadFailure): LambentError {
  return failure.code === "StorageCorrupt" || failure.code === "DataFolderUnusable" || failure.code === "DataFolderLocked"
    ? new LambentError(failure.code, failure.message)
    : new LambentError("StorageStopped", `The storage stopped: ${failure.message}.`);
}
