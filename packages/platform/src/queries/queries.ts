/**
 * Queries: read-only SQL over streams, each stream a table of its name.
 *
 * Keeps P7 (records, bytes, rows, time, memory and queries at once are bounded) and P8 (a hostile statement costs its own process). Keeps nothing: the
 * tables of a query are made for it and gone with it. Deliberately absent: indices, statements that change something, and queries that go on.
 * Why SQLite in a process of its own: docs/decisions/0038.
 */
import { type Clock, LambentError } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import type { StreamRecord, Streams } from "../streams/index.ts";
import type { Answer } from "./engine/messages.ts";
import { oneStatement } from "./engine/one-statement.ts";
import { QueryChild } from "./engine/query-child.ts";
import type { Range } from "./reading-plan.ts";
import { readStream, type StreamRead } from "./read-stream.ts";

/** Queries that run at once; one more is refused. @limit */
export const QUERIES_AT_ONCE_MAX = 3;
/** Rows one query answers, when nothing else is said. @limit */
const QUERY_ROWS_DEFAULT = 10_000;
/** The same, whatever is said. @limit */
const QUERY_ROWS_MAX = 100_000;
/** Bytes of the rows of an answer. @limit */
const QUERY_ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** What one query may take, with reading, when nothing else is said. @limit */
const QUERY_MS_DEFAULT = 10_000;
/** The same, whatever is said. @limit */
const QUERY_MS_MAX = 60_000;

export interface QueriesParts {
  readonly streams: Streams;
  readonly clock: Clock;
  /** The stream that the results of a managed window go to, so that a window can be asked by its name. */
  readonly resultsOf: (realm: Realm, window: string) => Promise<string | undefined>;
}

export interface QueryRequest {
  readonly sql: string;
  readonly range?: Range;
  readonly rowsMax?: number;
  readonly timeoutMs?: number;
  /** Throws `AccessDenied` for a stream that the caller may not read. */
  readonly mayRead: (stream: StreamRecord) => void;
}

export interface QueryAnswer extends Answer {
  readonly tables: readonly StreamRead[];
  readonly durationMs: number;
}

export class Queries {
  readonly #parts: QueriesParts;
  readonly #running = new Set<QueryChild>();
  #closed = false;

  constructor(parts: QueriesParts) {
    this.#parts = parts;
  }

  /**
   * Runs one query. Throws `InvalidParameter` for what SQLite refuses, `NotFound` for a name that is no stream, `LimitExceeded` at the bound of time or
   * memory, `Throttled` when as many run already. Ends with whoever asked.
   */
  async run(realm: Realm, request: QueryRequest, signal?: AbortSignal): Promise<QueryAnswer> {
    if (this.#closed) throw new LambentError("ShuttingDown", "The server is stopping.");
    const checked = oneStatement(request.sql);
    if (checked.kind === "refused") throw new LambentError("InvalidParameter", checked.message);
    if (this.#running.size >= QUERIES_AT_ONCE_MAX)
      throw new LambentError("Throttled", `${QUERIES_AT_ONCE_MAX} queries run already, which is the bound; ask again when one has ended.`);
    const { clock } = this.#parts;
    const timeoutMs = Math.min(request.timeoutMs ?? QUERY_MS_DEFAULT, QUERY_MS_MAX);
    const rowsMax = Math.min(request.rowsMax ?? QUERY_ROWS_DEFAULT, QUERY_ROWS_MAX);
    const begunMs = clock.monotonicMs();
    const child = new QueryChild(timeoutMs);
    this.#running.add(child);
    const late = new LambentError(
      "LimitExceeded",
      `The query took longer than ${timeoutMs} ms and was ended; let it read less, or allow it more time.`,
    );
    const timer = clock.schedule(timeoutMs, () => void child.end(late));
    const leave = (): void => void child.end(new LambentError("LimitExceeded", "Nobody waits for the query any more."));
    signal?.addEventListener("abort", leave, { once: true });
    if (signal?.aborted) leave();
    const tables: StreamRead[] = [];
    try {
      const statement = { sql: checked.sql, rowsMax, bytesMax: QUERY_ANSWER_BYTES_MAX };
      const answer = await child.run(statement, (name) => this.#table(realm, name, request, tables));
      return { ...answer, tables, durationMs: clock.monotonicMs() - begunMs };
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", leave);
      await child.end(new LambentError("ShuttingDown", "The query is over."));
      this.#running.delete(child);
    }
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((child) => child.end(new LambentError("ShuttingDown", "The server is stopping."))));
  }

  async #table(realm: Realm, name: string, { range, mayRead }: QueryRequest, tables: StreamRead[]) {
    const { streams } = this.#parts;
    const record = streams.find(realm, name) ?? (await this.#resultsOf(realm, name)) ?? this.#missing(realm, name);
    mayRead(record);
    const read: StreamRead = { table: name, stream: record.name, records: 0, bytes: 0, kept: 0, isCut: false };
    tables.push(read);
    return { name, pieces: readStream(streams, record, range ?? { kind: "newest" }, read) };
  }

  async #resultsOf(realm: Realm, window: string): Promise<StreamRecord | undefined> {
    const stream = await this.#parts.resultsOf(realm, window);
    return stream === undefined ? undefined : this.#parts.streams.find(realm, stream);
  }

  #missing(realm: Realm, name: string): never {
    const { streams } = this.#parts;
    const alike = streams
      .list(realm)
      .find((each) => each.name.toLowerCase() === name.toLowerCase() || each.name === name.replace(/^main\./u, ""));
    const hint = alike ? `; there is one named ${alike.name}` : " in this account and region, and no window with results in a stream";
    throw new LambentError("NotFound", `There is no stream ${name}${hint}.`);
  }
}
