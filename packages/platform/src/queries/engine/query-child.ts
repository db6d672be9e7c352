/** The server's side of a query's process: starts it within its bounds, speaks with it, ends it. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { deferred, LambentError } from "../../base/index.ts";
import type { Answer, FromProcess, PackedRecords, ToProcess } from "./messages.ts";

/**
 * Writable memory of a query's process, as the kernel bounds it; Node itself takes about a third of it. @limit
 */
const QUERY_MEMORY_BYTES_MAX = 1024 * 1024 * 1024;
/** Megabytes of JavaScript's own heap, which holds one message and one row at a time. */
const HEAP_MB = 192;
/** Processor seconds beyond the time limit: the kernel's bound acts where the server cannot any more, because it is gone. */
const PROCESSOR_SECONDS_BEYOND = 5;
const PROGRAM = fileURLToPath(new URL(`./query-process${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url));
/** `$1` kilobytes of memory, `$2` seconds of processor time, then the command; what a system does not know, it lets be. */
const BOUNDED = 'ulimit -d "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; ulimit -c 0 2>/dev/null; shift 2; exec "$@"';

/** Gives the table that a statement wants, piece by piece. Throws when there is none that may be read. */
export type ReadTable = (name: string) => Promise<{ readonly name: string; readonly pieces: AsyncIterable<PackedRecords> }>;

export interface Statement {
  readonly sql: string;
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/**
 * A process because nothing else ends a statement that does not end by itself: a thread is only ended between two instructions of JavaScript, and
 * while SQLite runs there are none. It gets no environment, may write no file and start nothing.
 */
export class QueryChild {
  readonly #process: ChildProcess;
  readonly #ended = deferred<void>();
  readonly #messages: FromProcess[] = [];
  #wake = deferred<void>();
  #failure: LambentError | undefined;

  constructor(timeoutMs: number) {
    const bounds = [String(QUERY_MEMORY_BYTES_MAX / 1024), String(Math.ceil(timeoutMs / 1_000) + PROCESSOR_SECONDS_BEYOND)];
    const node = [
      process.execPath,
      `--max-old-space-size=${HEAP_MB}`,
      "--permission",
      "--allow-fs-read=*",
      "--disable-warning=ExperimentalWarning",
      "--",
      PROGRAM,
    ];
    this.#process = spawn("/bin/sh", ["-c", BOUNDED, "sh", ...bounds, ...node], {
      env: {},
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      serialization: "advanced",
    });
    this.#process.on("message", (message) => {
      this.#messages.push(message as FromProcess);
      this.#wake.resolve();
    });
    this.#process.once("error", (error) =>
      this.#over(new LambentError("InternalError", `No process for a query could be started: ${error.message}.`)),
    );
    this.#process.once("exit", () =>
      this.#over(
        new LambentError(
          "LimitExceeded",
          "The query's process ended: it needed more memory or processor time than one may have. Let it read or sort less.",
        ),
      ),
    );
  }

  /** Runs one statement. Throws `InvalidParameter` for one that SQLite refuses, and why the process was ended when it was. */
  async run(statement: Statement, readTable: ReadTable): Promise<Answer> {
    await this.#send({ kind: "query", ...statement });
    for (;;) {
      const message = await this.#next();
      switch (message.kind) {
        case "wants":
          await this.#fill(message.table, readTable);
          break;
        case "answer":
          return message;
        case "refused":
          throw new LambentError("InvalidParameter", message.message);
      }
    }
  }

  /** Ends the process whatever it does; `run` throws `why`. Resolves once it is gone. */
  async end(why: LambentError): Promise<void> {
    this.#failure ??= why;
    this.#process.kill("SIGKILL");
    await this.#ended.promise;
  }

  async #fill(wanted: string, readTable: ReadTable): Promise<void> {
    const { name, pieces } = await readTable(wanted);
    await this.#send({ kind: "table", name });
    for await (const packed of pieces) await this.#send({ kind: "records", packed });
    await this.#send({ kind: "tableEnd" });
  }

  async #next(): Promise<FromProcess> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const message = this.#messages.shift();
      if (message) return message;
      this.#wake = deferred();
      await this.#wake.promise;
    }
  }

  /** Resolves once the pipe took it: a process that is behind keeps its reader waiting (P7). */
  async #send(message: ToProcess): Promise<void> {
    if (this.#failure) throw this.#failure;
    const sent = deferred<void>();
    this.#process.send(message, (error) => sent.resolve(void error));
    await Promise.race([sent.promise, this.#ended.promise]);
    if (this.#failure) throw this.#failure;
  }

  #over(why: LambentError): void {
    this.#failure ??= why;
    this.#ended.resolve();
    this.#wake.resolve();
  }
}
