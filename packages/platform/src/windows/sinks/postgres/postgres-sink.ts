/**
 * Results into a table of Postgres, exactly once: a row of them is one transaction, which also notes that the table has had it. One that comes
 * again, behind a crash on either side, changes nothing.
 */
import { createHash } from "node:crypto";
import type { PoolClient } from "pg";
import { isLambentError, LambentError } from "../../../base/index.ts";
import type { ManagedWindow, SinkForm } from "../../definition.ts";
import type { Lane } from "../../engine/lane.ts";
import { endOf, type ResultRow } from "../../engine/result-row.ts";
import { type Sink, sinkId, type SinkOrigin } from "../sink.ts";
import type { Databases } from "./databases.ts";
import { isRowEachPane, type NetEffect, netEffect } from "./net-effect.ts";
import {
  ALONE_MAKING_TABLES,
  createResults,
  createTurns,
  otherTurn,
  putRows,
  removeReplaced,
  type Statement,
  type TableNames,
  tableNames,
  takeTurn,
  type Turn,
  whichAreMissing,
} from "./statements.ts";

export interface PostgresSinkParts {
  readonly origin: SinkOrigin;
  readonly window: ManagedWindow["window"];
  readonly databases: () => Promise<Databases>;
  /** The address of the database, as it is now: asked for each time. Throws where there is none. */
  readonly url: () => string;
}

type Client = Pick<PoolClient, "query">;
type PostgresForm = Extract<SinkForm, { readonly kind: "postgres" }>;

export function postgresSink(lane: Lane, form: PostgresForm, parts: PostgresSinkParts): Sink {
  const { origin, window, databases, url } = parts;
  const id = sinkId(lane, form);
  const names = tableNames(form.table);
  const eachPane = isRowEachPane(window);
  return {
    id,
    lane,
    async send(row, _sunk, progress) {
      const effect = netEffect(row, eachPane);
      const turn = { sink: `${origin.windowId} ${id}`, generation: origin.generation, turn: row.number, digest: digestOf(row) };
      const open = await databases();
      const put = (write: Write): Promise<number> =>
        open.transaction(url(), async (client) => {
          await makeMissing(client, names);
          const isNew = await takeNext(client, names, turn, form.table);
          return isNew ? write(client, names, origin.windowName, effect) : 0;
        });
      progress(endOf(row), await untilStored(put, form.table, row));
    },
  };
}

/** Writes in a transaction that is open; answers how many results cannot be stored. */
type Write = (client: Client, names: TableNames, windowName: string, effect: NetEffect) => Promise<number>;

/** Results that Postgres has no place for, such as a key too long for an index, keep no others from being stored. */
async function untilStored(put: (write: Write) => Promise<number>, table: string, { texts }: ResultRow): Promise<number> {
  try {
    return await put(together).catch((error: unknown) => {
      if (!isUnstorable(error)) throw error;
      return put(oneByOne);
    });
  } catch (error) {
    if (isLambentError(error)) throw error;
    throw new LambentError("Throttled", `${texts.length} results were not taken by table ${table}: ${reasonOf(error)}.`);
  }
}

const together: Write = async (client, names, windowName, effect) => {
  await removed(client, names, windowName, effect);
  await said(client, putRows(names, windowName, effect.rows));
  return 0;
};

const oneByOne: Write = async (client, names, windowName, effect) => {
  await removed(client, names, windowName, effect);
  let unstorable = 0;
  for (const row of effect.rows) {
    await client.query("savepoint result");
    try {
      await said(client, putRows(names, windowName, [row]));
    } catch (error) {
      if (!isUnstorable(error)) throw error;
      await client.query("rollback to savepoint result");
      unstorable += 1;
    }
  }
  return unstorable;
};

/** False: the table has what this turn writes. */
async function takeNext(client: Client, names: TableNames, turn: Turn, table: string): Promise<boolean> {
  const { rowCount } = await said(client, takeTurn(names, turn));
  if (rowCount !== 0) return true;
  const { rowCount: others } = await said(client, otherTurn(names, turn));
  if (others === 0) return false;
  throw new LambentError(
    "Conflict",
    `Table ${table} has had other results than these in their place, as when a backup was restored that is older than it. Resetting the window writes them anew.`,
  );
}

function digestOf({ keys, texts }: ResultRow): string {
  return createHash("sha256")
    .update(JSON.stringify([keys, texts]))
    .digest("base64");
}

async function removed(client: Client, names: TableNames, windowName: string, effect: NetEffect): Promise<void> {
  if (effect.replaced.length > 0) await said(client, removeReplaced(names, windowName, effect));
}

/** They may be removed at any time. */
async function makeMissing(client: Client, names: TableNames): Promise<void> {
  const { rows } = await said(client, whichAreMissing(names));
  const [missing] = rows as readonly { readonly results: boolean; readonly turns: boolean }[];
  if (!missing?.results && !missing?.turns) return;
  await client.query(ALONE_MAKING_TABLES);
  if (missing.results) await client.query(createResults(names));
  if (missing.turns) await client.query(createTurns(names));
}

function said(client: Client, { text, values }: Statement) {
  return client.query(text, [...values]);
}

/** Of the value, not of the table, the database or the moment: data exceptions, and limits of the program. */
function isUnstorable(error: unknown): boolean {
  return /^(?:22|54)/u.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  return `${text.slice(0, 400)}${code === "" || text.includes(code) ? "" : ` (${code})`}`;
}
