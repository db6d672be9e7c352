import { type EventJson, outcomeText, sourceText } from "./event-lines.ts";
import { formatMs } from "./output.ts";
import { resourceText } from "./resource-names.ts";

/** All that one event led to, as a tree: each event below the one whose handling, or delivery, made it. */

export const CHAIN_COLUMNS = ["AT", "WHAT", "OUTCOME", "TOOK", "EVENT"] as const;

/** The events of a chain as rows of a table, each below its cause; times count from the first one. */
export function chainRows(events: readonly EventJson[], nowMs: number): string[][] {
  const byTime = events.toSorted((left, right) => left.AcceptedAt - right.AcceptedAt || (left.Id < right.Id ? -1 : 1));
  const ids = new Set(byTime.map(({ Id }) => Id));
  const isRoot = ({ Cause }: EventJson): boolean => Cause === undefined || !ids.has(Cause);
  const effects = Map.groupBy(
    byTime.filter((event) => !isRoot(event)),
    ({ Cause }) => Cause,
  );
  const first = byTime[0]?.AcceptedAt ?? 0;
  const rows: string[][] = [];
  // Chains may be longer than a call stack is deep.
  const open = byTime.filter(isRoot).map((event) => ({ event, indent: "", branch: "" }));
  for (let next = open.shift(); next; next = open.shift()) {
    const { event, indent, branch } = next;
    rows.push([offsetText(event.AcceptedAt - first), branch + whatText(event), endText(event, nowMs), tookText(event), event.Id]);
    const below = effects.get(event.Id) ?? [];
    open.unshift(
      ...below.map((effect, at) => {
        const isLast = at === below.length - 1;
        return { event: effect, indent: `${indent}${isLast ? "  " : "│ "}`, branch: `${indent}${isLast ? "└ " : "├ "}` };
      }),
    );
  }
  return rows;
}

/** `order.placed on bus shop`, `rule r1 → hello`, `schedule nightly → hello`. */
function whatText(event: EventJson): string {
  const target = resourceText(event.Target);
  if (event.Source === "bus" && target.startsWith("bus ") && event.Origin?.includes(":rule/") !== true)
    return `${event.Subject ?? "event"} on ${target}`;
  if (event.Source === "topic" && target.startsWith("topic ")) return `message to ${target}`;
  const source = event.Source === "bus" && event.Origin !== undefined ? resourceText(event.Origin) : sourceText(event);
  return `${source} → ${target}`;
}

/** `handled`, and at which attempt when it was not the first one; what waits says that an attempt failed. */
function endText(event: EventJson, nowMs: number): string {
  const outcome = outcomeText(event, nowMs);
  if (event.State === "waiting" && event.AttemptCount === 1) return `${outcome}, 1 attempt`;
  if (event.AttemptCount < 2) return outcome;
  return event.Outcome === "handled" ? `${outcome} at attempt ${event.AttemptCount}` : `${outcome}, ${event.AttemptCount} attempts`;
}

/** From when it was accepted until it ended. */
function tookText({ AcceptedAt, EndedAt }: EventJson): string {
  return EndedAt === undefined ? "" : formatMs(Math.max(0, (EndedAt - AcceptedAt) * 1_000));
}

function offsetText(seconds: number): string {
  return `+${formatMs(Math.max(0, Math.round(seconds * 1_000)))}`;
}
