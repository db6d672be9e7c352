import { systemClock } from "../../base/index.ts";
import type { Client } from "../client.ts";
import type { CommandContext, Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import {
  entryJson,
  followedJson,
  formatEntry,
  formatFollowed,
  type LogEntry,
  parseFollowed,
  storedEntry,
  type StoredLine,
} from "../log-lines.ts";
import { wholeNumber } from "../settings.ts";
import { spanMs } from "../span.ts";

interface LogsOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly limit?: string;
}

const SINCE_DEFAULT_MS = 600_000;
const LIMIT_DEFAULT = 200;
/** Pages read to find the newest lines (P7). */
const PAGES_MAX = 50;

/** `lambent logs <function> [-f]`: the newest lines, then, with -f, lines as they are written. */
export const run: Run<LogsOptions> = async (context, [name = ""], options) => {
  const limit = wholeNumber(options.limit, "--limit", 1, 10_000) ?? LIMIT_DEFAULT;
  const sinceMs = options.since === undefined ? SINCE_DEFAULT_MS : spanMs(options.since, "--since");
  if (!options.follow) {
    const stored = await newestLines(context.client(), name, sinceMs, limit);
    for (const entry of stored) show(context, entry);
    if (stored.length === 0)
      context.output.note(`  ${name} logged nothing in that time. --since 24h looks further back; -f waits for more.`);
    return;
  }
  await follow(context, name, { sinceMs, limit });
};

/** Begins to listen before the stored lines are read, so that none falls between; what is in both is shown once. */
async function follow(context: CommandContext, name: string, past: { readonly sinceMs: number; readonly limit: number }): Promise<void> {
  const { output } = context;
  const live = context.client().lines({ service: "lambent", method: "GET", path: LAMBENT_PATHS.followLogs(name) });
  const begun = await live.next();
  if (begun.done) return;
  const seen = new Set<string>();
  for (const entry of await newestLines(context.client(), name, past.sinceMs, past.limit)) {
    seen.add(`${entry.at} ${entry.text}`);
    show(context, entry);
  }
  for await (const text of live) {
    const line = parseFollowed(text);
    if (!line || (line.kind === "line" && seen.delete(`${line.entry.at} ${line.entry.text}`))) continue;
    output.line(output.json ? followedJson(line) : output.foreign(formatFollowed(line)));
  }
}

function show({ output }: CommandContext, entry: LogEntry): void {
  output.line(output.json ? entryJson(entry) : output.foreign(formatEntry(entry)));
}

async function newestLines(client: Client, name: string, sinceMs: number, limit: number): Promise<LogEntry[]> {
  const startTime = systemClock.now() - sinceMs;
  let newest: StoredLine[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await client
      .json<{ readonly events?: readonly StoredLine[]; readonly nextToken?: string }>({
        service: "logs",
        method: "POST",
        path: "/",
        headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.FilterLogEvents" },
        body: { logGroupName: `/aws/lambda/${name}`, startTime, ...(nextToken === undefined ? {} : { nextToken }) },
      })
      .catch((error: unknown) => noGroup(client, name, error));
    newest = [...newest, ...(answer.events ?? [])].slice(-limit);
    nextToken = answer.nextToken;
    if (!nextToken) break;
  }
  return newest.map(storedEntry);
}

/** A function that never ran has no log group; a function that is not there is another thing, and Lambda says so. */
async function noGroup(
  client: Client,
  name: string,
  error: unknown,
): Promise<{ readonly events: readonly StoredLine[]; readonly nextToken?: string }> {
  if (!(error instanceof CommandFailure) || error.exit !== "notFound") throw error;
  await client.json({ service: "lambda", method: "GET", path: `/2015-03-31/functions/${encodeURIComponent(name)}` });
  return { events: [] };
}
