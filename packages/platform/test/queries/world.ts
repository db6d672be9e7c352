import type { TestContext } from "node:test";
import { Queries, type QueryRequest } from "../../src/queries/index.ts";
import type { NewRecord } from "../../src/streams/index.ts";
import { REALM, StreamWorld } from "../streams/world.ts";

/** Queries over streams in memory, on a manual clock: a query's time limit passes when the test says. */
export class QueryWorld {
  readonly streams: StreamWorld;
  readonly queries: Queries;
  /** Window → the stream of its results. */
  readonly results = new Map<string, string>();

  private constructor(streams: StreamWorld) {
    this.streams = streams;
    this.queries = new Queries({
      streams: streams.streams,
      clock: streams.clock,
      resultsOf: async (_realm, window) => this.results.get(window),
    });
  }

  static async open(t: TestContext): Promise<QueryWorld> {
    const world = new QueryWorld(await StreamWorld.open());
    t.after(async () => {
      await world.queries.close();
      await world.streams.close();
    });
    return world;
  }

  /** Puts records onto a stream's partition; the stream is made when it is missing. */
  async put(stream: string, records: readonly NewRecord[], partition = 0, shards = 1): Promise<void> {
    const { streams } = this.streams;
    if (!streams.find(REALM, stream)) await streams.create(REALM, stream, { shards, madeBy: "lambent" });
    await (await streams.partition(REALM, stream, partition)).append(records);
  }

  run(sql: string, more: Partial<QueryRequest> = {}, signal?: AbortSignal) {
    return this.queries.run(REALM, { sql, mayRead: () => undefined, ...more }, signal);
  }

  /** The rows alone. */
  async rows(sql: string, more: Partial<QueryRequest> = {}): Promise<unknown[][]> {
    const lines = (await this.run(sql, more)).lines.toString().split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as unknown[]);
  }
}

/** A record with a JSON value. */
export function json(value: unknown, more: Partial<NewRecord> = {}): NewRecord {
  return { key: undefined, value: Buffer.from(JSON.stringify(value)), ...more };
}
