import { once } from "node:events";
import { LambentError } from "../../base/index.ts";
import type { CommitLoop } from "./commit-loop.ts";
import type { CopierMessage, CopyRequest, WorkerSettings } from "./messages.ts";
import { asError, startThread } from "./thread.ts";
import { WAL_HELD_BYTES_MAX } from "./checkpoints.ts";

/**
 * Writes what the store holds at one moment to `target`, which must not exist, while commits go on. Throws
 * `StorageBusy` when so much is written meanwhile that the write-ahead log came to its bound.
 */
export async function copyStore(loop: CommitLoop, settings: WorkerSettings, target: string): Promise<void> {
  const copier = startThread("copier", settings);
  let tooLong = false;
  const letGo = loop.holdLog(() => {
    tooLong = true;
    void copier.terminate();
  });
  try {
    copier.postMessage({ target } satisfies CopyRequest);
    const ended = once(copier, "exit");
    const [answer] = (await Promise.race([once(copier, "message"), ended.then(() => [undefined])])) as [CopierMessage | undefined];
    await ended;
    if (tooLong) {
      throw new LambentError("StorageBusy", `More than ${WAL_HELD_BYTES_MAX} bytes were written while the copy was made; it was given up.`);
    }
    if (answer?.kind === "failed") throw asCopyError(asError(answer));
    if (answer === undefined) throw new LambentError("StorageStopped", "The thread that copies the store ended.");
  } finally {
    letGo();
  }
}

/** The store goes on: only the copy could not be written. */
function asCopyError(error: LambentError): LambentError {
  return error.code === "StorageStopped" ? new LambentError("BackupFailed", `The copy could not be written: ${error.message}`) : error;
}
