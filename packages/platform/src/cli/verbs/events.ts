import { delay, systemClock } from "../../base/index.ts";
import type { Client } from "../client.ts";
import { oneOf } from "../choices.ts";
import type { CommandContext, Run } from "../command.ts";
import { CHAIN_COLUMNS, chainRows } from "../event-chain.ts";
import { CommandFailure } from "../errors.ts";
import { requireEventId } from "../event-id.ts";
import { EVENT_COLUMNS, eventLines, type EventJson, eventRow, isHandedOn, outcomeText } from "../event-lines.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { layOut } from "../output.ts";
import { wholeNumber } from "../settings.ts";
import { spanMs } from "../span.ts";

interface EventsOptions {
  readonly chain?: boolean;
  readonly source?: string;
  readonly follow?: boolean;
  readonly function?: string;
  readonly state?: string;
  readonly since?: string;
  readonly limit?: string;
}

const LIMIT_DEFAULT = 50;
/** Events of one chain that are shown: as many as one answer lists. */
const CHAIN_EVENTS_MAX = 1_000;
const SOURCES = ["invoke", "queue", "bus", "schedule", "topic", "objects", "stream"] as const;
/** Options that leave events out. */
const FILTERS: ReadonlySet<string> = new Set(["function", "source", "state", "since"]);
/** Between two looks while following. */
const FOLLOW_MS = 1_000;
/** Events that are looked at again while following: what changes later is shown by `lambent events <id>`. */
const FOLLOWED_MAX = 1_000;

/** `lambent events [<id>] [-f]`: what became of events, the newest first; of one, all that is known. */
export const run: Run<EventsOptions> = async (context, [id], options) => {
  const limit = wholeNumber(options.limit, "--limit", 1, 1_000) ?? LIMIT_DEFAULT;
  if (options.chain) return showChain(context, id, options);
  if (options.follow) return follow(context, id, options, limit);
  if (id !== undefined) return showOne(context, id);
  const events = await list(context.client(), options, limit);
  const { output } = context;
  if (output.json) return output.data(events);
  const now = systemClock.now();
  if (events.length > 0)
    output.table(
      [...EVENT_COLUMNS],
      events.map((event) => eventRow(event, now)),
    );
  else if (Object.keys(options).some((name) => FILTERS.has(name))) output.note("  No such events. Without options the newest are listed.");
  else output.note("  No events. Hand one over: lambent invoke hello --async");
};

async function showOne({ output, client }: CommandContext, id: string): Promise<void> {
  const event = await get(client(), id);
  if (output.json) return output.data(event);
  for (const line of eventLines(event, systemClock.now())) output.line(line);
  if (isHandedOn(event)) output.note(`  \`lambent events ${id} --chain\` shows what became of its deliveries.`);
}

/** All that the first event of its chain led to. */
async function showChain({ output, client }: CommandContext, id: string | undefined, { follow: goesOn }: EventsOptions): Promise<void> {
  if (id === undefined || goesOn)
    throw new CommandFailure(
      "usage",
      `--chain is for one event${goesOn ? ", as it is now" : ""}.`,
      "For example lambent events <id> --chain",
    );
  const { Correlation } = await get(client(), id);
  const events = await listBy(client(), { correlation: Correlation, limit: String(CHAIN_EVENTS_MAX) });
  if (output.json) return output.data(events);
  output.table([...CHAIN_COLUMNS], chainRows(events, systemClock.now()));
  if (events.length === CHAIN_EVENTS_MAX) output.note(`  Only the newest ${CHAIN_EVENTS_MAX} events of the chain are shown.`);
}

/** Shows each event when it comes and whenever it changes; one that was named, until it has ended. */
async function follow(context: CommandContext, id: string | undefined, options: EventsOptions, limit: number): Promise<void> {
  const { output } = context;
  const shown = new Map<string, string>();
  for (let isFirstLook = true; ; isFirstLook = false) {
    const events = id === undefined ? await list(context.client(), options, FOLLOWED_MAX) : [await get(context.client(), id)];
    // Of what was there before, the older is known and not shown.
    const known = new Set(isFirstLook ? events.slice(limit) : []);
    for (const event of events.toReversed()) {
      const state = outcomeText(event, 0);
      if (shown.get(event.Id) === `${event.AttemptCount} ${state}`) continue;
      shown.set(event.Id, `${event.AttemptCount} ${state}`);
      if (known.has(event)) continue;
      output.line(output.json ? JSON.stringify(event) : (layOut(eventRow(event, systemClock.now()), [])[0] ?? ""));
    }
    for (const old of [...shown.keys()].slice(0, Math.max(0, shown.size - FOLLOWED_MAX))) shown.delete(old);
    if (id !== undefined && events.every(({ State }) => State === "ended")) return;
    await delayAlive(FOLLOW_MS);
  }
}

/** A clock's task does not keep the process alive: somebody who follows does. */
async function delayAlive(ms: number): Promise<void> {
  const alive = new MessageChannel();
  alive.port1.ref();
  await delay(systemClock, ms);
  alive.port1.close();
}

async function list(client: Client, options: EventsOptions, limit: number): Promise<readonly EventJson[]> {
  const { function: functionName, state, source, since } = options;
  return listBy(client, {
    limit: String(limit),
    ...(functionName === undefined ? {} : { function: functionName }),
    ...(state === undefined ? {} : { state: oneOf(state, "--state", ["waiting", "running", "ended"]) }),
    ...(source === undefined ? {} : { source: oneOf(source, "--source", SOURCES) }),
    ...(since === undefined ? {} : { since: new Date(systemClock.now() - spanMs(since, "--since")).toISOString() }),
  });
}

async function listBy(client: Client, asked: Readonly<Record<string, string>>): Promise<readonly EventJson[]> {
  const query = new URLSearchParams(asked);
  const path = `${LAMBENT_PATHS.events}?${query.toString()}`;
  return (await client.json<{ readonly Events: readonly EventJson[] }>({ service: "lambent", method: "GET", path })).Events;
}

async function get(client: Client, id: string): Promise<EventJson> {
  requireEventId(id);
  return (await client.json<{ readonly Event: EventJson }>({ service: "lambent", method: "GET", path: LAMBENT_PATHS.event(id) })).Event;
}
