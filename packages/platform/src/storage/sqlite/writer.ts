/**
 * The one thread that writes. It applies one frame per message in one transaction and answers when that is durable.
 * It reads as well, when it is asked: at the start, and in a store where little happens, there is nobody else.
 * After a failed transaction nothing that it says can be trusted, so it says nothing more: the owner stops.
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { failpoint, unreachable } from "../../base/index.ts";
import { claimStore } from "./claim.ts";
import { readContents } from "./contents.ts";
import { decodeFrame, type DecodedEntry } from "./frame.ts";
import type { ReadQuestion, WorkerSettings, WriterAnswer, WriterRequest } from "./messages.ts";
import { transferredWith } from "./packed-rows.ts";
import { Reading } from "./reading.ts";
import { damaged, openWriterConnection } from "./schema.ts";
import { asFailure, isDamage, ownerPort } from "./thread.ts";

/** Where the shared index of the write-ahead log keeps the number of its frames (`mxFrame`). */
const LOG_FRAMES_OFFSET = 16;

class Writer {
  readonly #settings: WorkerSettings;
  readonly #letGo: () => void;
  readonly #database: DatabaseSync;
  readonly #sharedIndex: number;
  readonly #statements: Record<"begin" | "commit" | "restart" | "cell" | "heads" | "put" | "delete" | "append" | "forget", StatementSync>;

  #reading: Reading | undefined;

  constructor(settings: WorkerSettings, letGo: () => void) {
    this.#settings = settings;
    this.#letGo = letGo;
    this.#database = openWriterConnection(settings.file);
    if (settings.pagesMax > 0) this.#database.exec(`pragma max_page_count=${settings.pagesMax}`);
    // Creates the shared index, if it is not there.
    this.#database.prepare("select count(*) from header").get();
    // Opened once and kept: closing any descriptor of a database's file drops all of this process's locks on it.
    this.#sharedIndex = openSync(`${settings.file}-shm`, "r");
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    this.#statements = {
      begin: prepare("begin immediate"),
      commit: prepare("commit"),
      restart: prepare("pragma wal_checkpoint(restart)"),
      cell: prepare("insert into cell values(?, ?, ?)"),
      heads: prepare("insert or replace into head values(?, ?)"),
      // An empty body is bound as null.
      put: prepare("insert or replace into state values(?, ?, ?, coalesce(?, x''))"),
      delete: prepare("delete from state where cell = ? and key = ?"),
      append: prepare("insert into log values(?, ?, ?, ?, coalesce(?, x''))"),
      forget: prepare("delete from log where seq = ?"),
    };
  }

  opened(): WriterAnswer {
    return { kind: "opened", contents: readContents(this.#database), logFrames: this.#logFrames() };
  }

  write(frame: Buffer, restartLog: boolean): WriterAnswer {
    if (restartLog) this.#statements.restart.get();
    this.#statements.begin.run();
    try {
      failpoint("commit.begun");
      for (const entry of decodeFrame(frame)) {
        this.#apply(entry);
        failpoint("commit.half");
      }
      failpoint("commit.before");
      this.#statements.commit.run();
      failpoint("commit.after");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("rollback");
      throw error;
    }
    return { kind: "written", logFrames: this.#logFrames() };
  }

  /** On a connection of its own, as the reader has it: the statements are the same, and a transaction is never in the middle of it. */
  read(questions: readonly ReadQuestion[]): WriterAnswer {
    const reading = (this.#reading ??= new Reading(this.#settings));
    return { kind: "answers", answers: questions.map((question) => reading.answer(question)) };
  }

  close(): WriterAnswer {
    this.#reading?.close();
    this.#database.close();
    closeSync(this.#sharedIndex);
    this.#letGo();
    return { kind: "closed" };
  }

  #apply(entry: DecodedEntry): void {
    const { cell, key, value, checksum, sequence } = entry;
    switch (entry.kind) {
      case "cell":
        this.#statements.cell.run(cell, key, checksum);
        return;
      case "heads":
        this.#statements.heads.run(cell, value);
        return;
      case "put":
        this.#statements.put.run(cell, key, checksum, value);
        return;
      case "delete":
        this.#statements.delete.run(cell, key);
        return;
      case "append":
        this.#statements.append.run(sequence, cell, key.readDoubleLE(0), checksum, value);
        return;
      case "forget":
        this.#statements.forget.run(sequence);
        return;
      default:
        unreachable(entry.kind);
    }
  }

  #logFrames(): number {
    const bytes = Buffer.allocUnsafe(4);
    readSync(this.#sharedIndex, bytes, 0, 4, LOG_FRAMES_OFFSET);
    return bytes.readUInt32LE(0);
  }
}

function main(): void {
  const port = ownerPort();
  const answer = (work: () => WriterAnswer): void => {
    try {
      const done = work();
      port.postMessage(done, done.kind === "answers" ? transferredWith(done.answers) : []);
    } catch (error) {
      port.postMessage(asFailure(error));
      port.close();
    }
  };
  answer(() => {
    const settings = workerData as WorkerSettings;
    const { writer, answer: opened } = open(settings);
    port.on("message", (request: WriterRequest) => {
      answer(() => {
        if ("close" in request) return writer.close();
        return "read" in request ? writer.read(request.read) : writer.write(Buffer.from(request.frame.buffer), request.restartLog);
      });
      if ("close" in request) port.close();
    });
    return opened;
  });
}

function open(settings: WorkerSettings): { readonly writer: Writer; readonly answer: WriterAnswer } {
  const letGo = claimStore(settings.file);
  try {
    const writer = new Writer(settings, letGo);
    return { writer, answer: writer.opened() };
  } catch (error) {
    letGo();
    throw isDamage(error) ? damaged(settings.file, error.message) : error;
  }
}

main();
