/** Every client with everything it has to do: run, and told as a table. */
import { systemClock } from "../../src/base/index.ts";
import { type AbsentClient, allClients, type Client, CODECS, isAbsent } from "./clients.ts";
import { compresses, consumes, consumesInGroup, produces, survivesKill } from "./scenarios.ts";
import type { ClientsServer } from "./server.ts";

export const COLUMNS = ["produce", "consume", "group", "rebalance", "cooperative", ...CODECS] as const;
export type Column = (typeof COLUMNS)[number];

/** What became of one client and one column. */
export type Cell =
  | { readonly kind: "holds"; readonly ms: number }
  /** The client itself cannot. */
  | { readonly kind: "lacks" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "notReached" };

export interface Row {
  readonly client: Client | AbsentClient;
  readonly cells: ReadonlyMap<Column, Cell>;
}

/** Clients that work at once; the machines this is meant for have two cores. */
const CLIENTS_AT_ONCE = 2;

/** Runs the columns for all clients; what `hasTime` does not allow any more is told as not reached. */
export async function runMatrix(
  server: ClientsServer,
  columns: readonly Column[],
  {
    hasTime = () => true,
    onCell = () => undefined,
  }: { readonly hasTime?: () => boolean; readonly onCell?: (client: Client, column: Column, cell: Cell) => void } = {},
): Promise<readonly Row[]> {
  const clients = allClients();
  const rows = new Map<Client | AbsentClient, Row>();
  const open = [...clients];
  const work = async (): Promise<void> => {
    for (let client = open.shift(); client; client = open.shift()) {
      const cells = new Map<Column, Cell>();
      rows.set(client, { client, cells });
      if (isAbsent(client)) continue;
      for (const column of columns) {
        const cell = hasTime() ? await runCell(server, client, column) : ({ kind: "notReached" } as const);
        cells.set(column, cell);
        onCell(client, column, cell);
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS_AT_ONCE }, work));
  return clients.flatMap((client) => rows.get(client) ?? []);
}

/** Runs one cell. `group` and `consume` read what `produce` put before. */
async function runCell(server: ClientsServer, client: Client, column: Column): Promise<Cell> {
  const began = systemClock.monotonicMs();
  try {
    const isThere = await run(server, client, column);
    return isThere ? { kind: "holds", ms: Math.round(systemClock.monotonicMs() - began) } : { kind: "lacks" };
  } catch (error) {
    return { kind: "failed", why: error instanceof Error ? error.message : String(error) };
  }
}

async function run(server: ClientsServer, client: Client, column: Column): Promise<boolean> {
  const { slug } = client;
  switch (column) {
    case "produce":
      await produces(client, server, slug);
      return true;
    case "consume":
      await consumes(client, server, slug);
      return true;
    case "group":
      await consumesInGroup(client, server, slug);
      return true;
    case "rebalance":
      await survivesKill([{ client, sharing: "eager" }], server, `${slug}-eager`);
      return true;
    case "cooperative":
      if (client.isCooperative) await survivesKill([{ client, sharing: "cooperative" }], server, `${slug}-cooperative`);
      return client.isCooperative;
    case "gzip":
    case "snappy":
    case "lz4":
    case "zstd":
      if (client.codecs.includes(column)) await compresses(client, server, `${slug}-${column}`, column);
      return client.codecs.includes(column);
  }
}

/** Those that failed, with why. */
export function failuresOf(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ client, cells }) =>
    [...cells].flatMap(([column, cell]) => (cell.kind === "failed" ? [`${client.name} ${client.version}, ${column}: ${cell.why}`] : [])),
  );
}

/** The document of the whole matrix. */
export function documentOf(rows: readonly Row[]): string {
  return `# Kafka clients

Made by the run that it tells of (\`node packages/platform/test/long/kafka-matrix.rig.ts --write\`); the long rigs compare it with every run. Each cell is unmodified clients in
processes of their own against Lambent's listener.

| client | version | ${COLUMNS.join(" | ")} |
|---|---|${COLUMNS.map(() => "---|").join("")}
${rows.map(lineOf).join("\n")}

*produce*: 300 records with keys and headers, each acknowledged. *consume*: all of them, in order within each partition, in no group (kafkajs: in one of its own). *group*: all of them as a member that commits;
the next member gets only what came since. *rebalance*: two members share four partitions while records come; one is killed (\`kill -9\`); the other takes over within its session's time, no record is missed, and none that was committed is
read again. *cooperative*: the same where only partitions that move are given up. *gzip* to *zstd*: what the client compresses lies compressed, and it reads it back.

\`–\`: the client cannot do this by itself.
`;
}

/** One line of the table. */
export function lineOf({ client, cells }: Row): string {
  if (isAbsent(client)) return `| ${client.name} | ${client.version} | not run: ${client.why} |${" |".repeat(COLUMNS.length - 1)}`;
  const told = COLUMNS.map((column) => tell(cells.get(column)));
  return `| ${client.name} | ${client.version} | ${told.join(" | ")} |`;
}

function tell(cell: Cell | undefined): string {
  switch (cell?.kind) {
    case "holds":
      return "yes";
    case "lacks":
      return "–";
    case "failed":
      return "no";
    case "notReached":
    case undefined:
      return "not run";
  }
}
