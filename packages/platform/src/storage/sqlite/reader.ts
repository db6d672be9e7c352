/** The thread that reads while the writer writes. It starts when there is first something to read in the middle of writing. */
import { workerData } from "node:worker_threads";
import type { ReadQuestion, ReaderMessage, WorkerSettings } from "./messages.ts";
import { transferredWith } from "./packed-rows.ts";
import { Reading } from "./reading.ts";
import { asFailure, ownerPort } from "./thread.ts";

function main(): void {
  const port = ownerPort();
  const reading = new Reading(workerData as WorkerSettings);
  port.on("message", (request: readonly ReadQuestion[] | "close") => {
    let message: ReaderMessage;
    try {
      if (request === "close") {
        reading.close();
        message = { kind: "closed" };
      } else {
        message = { kind: "answers", answers: request.map((question) => reading.answer(question)) };
      }
    } catch (error) {
      message = asFailure(error);
    }
    port.postMessage(message, message.kind === "answers" ? transferredWith(message.answers) : []);
    if (message.kind !== "answers") port.close();
  });
}

main();
