import type { Worker } from "node:worker_threads";
import { deferred, LambentError, type Deferred } from "../../base/index.ts";
import type { ReadAnswer, ReadQuestion, ReaderMessage, WriterAnswer } from "./messages.ts";
import { asError } from "./thread.ts";

/** Reads that wait for the reader; at the bound one is refused with `StorageBusy` (P7). */
export const STORAGE_PENDING_READS_MAX = 4_096;
/** Questions handed over in one message. */
const READS_PER_MESSAGE_MAX = 64;

interface Pending {
  readonly question: ReadQuestion;
  readonly answer: Deferred<ReadAnswer>;
}

/** Who answers. From the writer to the reader there is no way back. */
type Answerer = { readonly kind: "writer" } | { readonly kind: "reader"; readonly thread: Worker };

export interface ReadQueueParts {
  readonly writer: Worker;
  /** The writer has nothing to write now. */
  writerIsIdle(): boolean;
  /** Starts the reader's thread and watches it. */
  startReader(): Worker;
  onFailure(error: LambentError): void;
}

/**
 * Hands reads to a thread, as many in one message as wait. The writer answers them until one comes while it writes: a store that
 * only rests, as most do behind their opening, is spared a thread of 10 MB and the time to start it. From then on it is the reader.
 */
export class ReadQueue {
  readonly #parts: ReadQueueParts;
  #answerer: Answerer = { kind: "writer" };
  #waiting: Pending[] = [];
  #underWay: Pending[] = [];
  #failure: LambentError | undefined;

  constructor(parts: ReadQueueParts) {
    this.#parts = parts;
    parts.writer.on("message", (message: WriterAnswer) => {
      if (message.kind === "answers") this.#answered(message.answers);
      else if (message.kind === "failed") this.#leaveWriter();
    });
    parts.writer.on("exit", () => this.#leaveWriter());
  }

  /** The reader's thread, if there ever was a need for it. */
  get reader(): Worker | undefined {
    return this.#answerer.kind === "reader" ? this.#answerer.thread : undefined;
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

  /** Refuses what waits; what was handed to a thread is still answered. Nothing may be asked behind this. */
  close(error: LambentError): void {
    for (const pending of this.#waiting.splice(0)) pending.answer.reject(error);
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
    if (this.#underWay.length === 0) return;
    const questions = this.#underWay.map((pending) => pending.question);
    if (this.#answerer.kind === "writer" && questions.every(isShort) && this.#parts.writerIsIdle())
      this.#parts.writer.postMessage({ read: questions });
    else this.#readerThread().postMessage(questions);
  }

  #readerThread(): Worker {
    if (this.#answerer.kind === "reader") return this.#answerer.thread;
    const thread = this.#parts.startReader();
    thread.on("message", (message: ReaderMessage) => this.#onMessage(message));
    this.#answerer = { kind: "reader", thread };
    return thread;
  }

  /** A writer that failed says nothing more; what is written can be read all the same. */
  #leaveWriter(): void {
    if (this.#answerer.kind === "reader" || this.#failure || this.#underWay.length === 0) return;
    this.#readerThread().postMessage(this.#underWay.map((pending) => pending.question));
  }

  #onMessage(message: ReaderMessage): void {
    if (message.kind === "closed") return;
    if (message.kind === "answers") return this.#answered(message.answers);
    const error = asError(message);
    this.fail(error);
    this.#parts.onFailure(error);
  }

  #answered(answers: readonly ReadAnswer[]): void {
    const answered = this.#underWay;
    this.#send();
    for (const [index, pending] of answered.entries()) {
      const answer = answers[index];
      if (answer) pending.answer.resolve(answer);
    }
  }
}

/** What does not hold up a commit that comes meanwhile; the pages of a check would, one behind the other. */
function isShort(question: ReadQuestion): boolean {
  const { kind } = question;
  return kind === "get" || kind === "getAll" || (kind === "list" && question.range.delimiter === undefined) || kind === "read";
}
