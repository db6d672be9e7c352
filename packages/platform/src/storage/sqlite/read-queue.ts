import type { Worker } from "node:worker_threads";
import { deferred, LambentError, type Deferred } from "../../base/index.ts";
import type { ReadAnswer, ReadQuestion, ReaderMessage } from "./messages.ts";
import { asError } from "./thread.ts";

/** Reads that wait for the reader; at the bound one is refused with `StorageBusy` (P7). */
export const STORAGE_PENDING_READS_MAX = 4_096;
/** Questions handed over in one message. */
const READS_PER_MESSAGE_MAX = 64;

interface Pending {
  readonly question: ReadQuestion;
  readonly answer: Deferred<ReadAnswer>;
}

/** Hands reads to the reader's thread, as many in one message as wait. */
export class ReadQueue {
  readonly #reader: Worker;
  readonly #onFailure: (error: LambentError) => void;
  #waiting: Pending[] = [];
  #underWay: Pending[] = [];
  #failure: LambentError | undefined;

  constructor(reader: Worker, onFailure: (error: LambentError) => void) {
    this.#reader = reader;
    this.#onFailure = onFailure;
    reader.on("message", (message: ReaderMessage) => this.#onMessage(message));
  }

  ask(question: ReadQuestion): Promise<ReadAnswer> {
    if (this.#failure) throw this.#failure;
    if (this.#waiting.length >= STORAGE_PENDING_READS_MAX) {
      throw new LambentError("StorageBusy", `${this.#waiting.length} reads wait, which is the bound.`);
    }
    const answer = deferred<ReadAnswer>();
    this.#waiting.push({ question, answer });
    if (this.#underWay.length === 0) this.#send();
    return answer.promise;
  }

  /** Ends what waits: the thread is gone. */
  fail(error: LambentError): void {
    if (this.#failure) return;
    this.#failure = error;
    for (const pending of [...this.#underWay, ...this.#waiting]) pending.answer.reject(error);
    this.#underWay = [];
    this.#waiting = [];
  }

  #send(): void {
    this.#underWay = this.#waiting.splice(0, READS_PER_MESSAGE_MAX);
    if (this.#underWay.length > 0) this.#reader.postMessage(this.#underWay.map((pending) => pending.question));
  }

  #onMessage(message: ReaderMessage): void {
    if (message.kind === "closed") return;
    if (message.kind === "failed") {
      const error = asError(message);
      this.fail(error);
      return this.#onFailure(error);
    }
    const answered = this.#underWay;
    this.#send();
    for (const [index, pending] of answered.entries()) {
      const answer = message.answers[index];
      if (answer) pending.answer.resolve(answer);
    }
  }
}
