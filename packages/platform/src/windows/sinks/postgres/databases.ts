/**
 * Connections to Postgres, for all windows of a server: a few for each database, opened with what needs them and let go when nothing does.
 *
 * Whom a connection goes to is for the egress rule to allow, at each connection anew. `pg` is loaded with the first one.
 */
import { type LookupFunction, Socket } from "node:net";
import type { Pool, PoolClient, PoolConfig } from "pg";
import { isLambentError, LambentError } from "../../../base/index.ts";
import type { EgressToAll, ResolvedAddress } from "../../../security/index.ts";
import { type Database, databaseOf } from "./database-url.ts";

/** Connections to one database. @limit */
export const POSTGRES_CONNECTIONS_MAX = 4;
/** Databases that windows of one server write to. @limit */
export const POSTGRES_DATABASES_MAX = 64;
const CONNECT_TIMEOUT_MS = 10_000;
/** A statement that takes longer is ended, here and there. @limit */
export const POSTGRES_STATEMENT_MS_MAX = 60_000;
const IDLE_MS = 30_000;

const IGNORED = (): void => undefined;

export class Databases {
  readonly #egress: Pick<EgressToAll, "resolveAll">;
  readonly #pools = new Map<string, Promise<Pool>>();
  readonly #sockets = new Set<Socket>();
  #closed = false;

  constructor(egress: Pick<EgressToAll, "resolveAll">) {
    this.#egress = egress;
  }

  /** One transaction: what `work` says is there, or nothing of it. Rejects with what Postgres or the network says. */
  async transaction<T>(url: string, work: (client: Pick<PoolClient, "query">) => Promise<T>): Promise<T> {
    const pool = await this.#pool(url);
    const client = await pool.connect();
    // What is said over it fails then, and says why.
    client.on("error", IGNORED);
    let broken: Error | undefined;
    try {
      await client.query("begin");
      const done = await work(client);
      await client.query("commit");
      return done;
    } catch (error) {
      broken = await rolledBack(client, error);
      throw error;
    } finally {
      client.off("error", IGNORED);
      client.release(broken);
    }
  }

  /** Ends all connections; what is said over one fails. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.allSettled(pools.map(async (pool) => (await pool).end()));
  }

  #pool(url: string): Promise<Pool> {
    if (this.#closed) return Promise.reject(new LambentError("ShuttingDown", "The server is stopping."));
    const known = this.#pools.get(url);
    if (known) return known;
    if (this.#pools.size >= POSTGRES_DATABASES_MAX)
      return Promise.reject(
        new LambentError("LimitExceeded", `Windows write to ${POSTGRES_DATABASES_MAX} databases already, which is the bound.`),
      );
    const opening = this.#open(databaseOf(url));
    this.#pools.set(url, opening);
    opening.catch(() => this.#pools.delete(url));
    return opening;
  }

  async #open({ host, port, user, password, database, tls }: Database): Promise<Pool> {
    const { default: pg } = await import("pg");
    const config: PoolConfig = {
      ...{ host, port, user, password, database, application_name: "lambent" },
      ...{ max: POSTGRES_CONNECTIONS_MAX, idleTimeoutMillis: IDLE_MS, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, allowExitOnIdle: true },
      ...{ query_timeout: POSTGRES_STATEMENT_MS_MAX, statement_timeout: POSTGRES_STATEMENT_MS_MAX, keepAlive: true },
      // Against which name the certificate is held, also where that is an address.
      ssl: tls === "off" ? false : { rejectUnauthorized: tls === "verified", host },
      stream: () => this.#socket(),
    };
    const pool = new pg.Pool(config);
    // An idle connection that ends is replaced by the next one.
    pool.on("error", IGNORED);
    return pool;
  }

  /** Resolves the name by the egress rule when it is told to connect. */
  #socket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const connect = socket.connect.bind(socket);
    const connectTo = (port: number, host: string): Socket => {
      this.#egress.resolveAll(host, port).then(
        (found) => {
          if (!socket.destroyed) connect({ host, port, lookup: answering(found), autoSelectFamily: true });
        },
        (error: unknown) => socket.destroy(error as Error),
      );
      return socket;
    };
    return Object.assign(socket, { connect: connectTo });
  }
}

/** Names are looked up by the egress rule alone. */
function answering(found: readonly ResolvedAddress[]): LookupFunction {
  return (_name, _options, done) => done(null, [...found]);
}

/** Undefined: the connection is as it was before. One over which no answer came is not used again. */
async function rolledBack(client: PoolClient, why: unknown): Promise<Error | undefined> {
  const isAnswer = why instanceof Error && ("severity" in why || isLambentError(why));
  if (!isAnswer) return why instanceof Error ? why : new LambentError("Throttled", "The connection is not used again.");
  try {
    await client.query("rollback");
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
