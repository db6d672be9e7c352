/**
 * Flow control: which of the events that were taken up begin now. Pure; the same inputs, the same choice (P10).
 *
 * Looks at the events it is shown, `HELD_EVENTS_MAX` at most, so priority is among those, and a key at its limit keeps others from
 * their turn only when that many events of it wait in front. What a restart forgets is how many began lately.
 */
import { createHash } from "node:crypto";
import type { Instant } from "../../base/index.ts";
import type { FlowSettings, KeyPath } from "../../functions/index.ts";

/** Characters of a key that is compared as it is; longer ones by their digest. */
const KEY_LENGTH_MAX = 100;

/** An event as far as the choice looks at it. */
export interface Candidate {
  readonly id: string;
  /** Rises with the order of acceptance. */
  readonly order: number;
  readonly priority: number;
  /** What it is counted by where events of a key are limited; undefined: not limited. */
  readonly key: string | undefined;
}

/** What of an event flow control goes by. */
export interface Facets {
  readonly priority: number;
  readonly concurrencyKey: string | undefined;
  readonly debounceKey: string | undefined;
  readonly idempotencyKey: string | undefined;
}

export interface Choice {
  /** In the order in which they begin. */
  readonly start: readonly string[];
  /** The rate's state behind them: when the stretch would be used up evenly. */
  readonly rateAt: Instant;
  /** When more may begin without anything else happening. */
  readonly wakeAt: Instant | undefined;
}

export interface FlowNow {
  /** Running events by key. */
  readonly running: ReadonlyMap<string, number>;
  /** Events that capacity admits. */
  readonly room: number;
  readonly rateAt: Instant;
  readonly now: Instant;
}

/** True when events wait for more than capacity, so that more of them have to be seen than begin. */
export function choosesAmongMany({ concurrency, rate, priority }: FlowSettings): boolean {
  return (concurrency !== undefined && concurrency.key !== undefined) || rate !== undefined || priority !== undefined;
}

export function choose(flow: FlowSettings, candidates: readonly Candidate[], { running, room, rateAt, now }: FlowNow): Choice {
  const start: string[] = [];
  const ofKey = new Map(running);
  let at = rateAt;
  let wakeAt: Instant | undefined;
  for (const { id, key } of inTurn(flow, candidates)) {
    if (start.length >= room) break;
    if (flow.concurrency && key !== undefined && (ofKey.get(key) ?? 0) >= flow.concurrency.max) continue;
    if (flow.rate) {
      // With 100/s and nothing lately, 100 begin at once and then one every 10 ms.
      const stepMs = flow.rate.perMs / flow.rate.max;
      const next = Math.max(at, now) + stepMs;
      if (next > now + flow.rate.perMs) {
        wakeAt = Math.ceil(next - flow.rate.perMs);
        break;
      }
      at = next;
    }
    if (key !== undefined) ofKey.set(key, (ofKey.get(key) ?? 0) + 1);
    start.push(id);
  }
  return { start, rateAt: at, wakeAt };
}

function inTurn(flow: FlowSettings, candidates: readonly Candidate[]): readonly Candidate[] {
  if (!flow.priority) return candidates;
  return candidates.toSorted((left, right) => right.priority - left.priority || left.order - right.order);
}

/** What flow control goes by in an event; the event is read only when a setting looks into it. */
export function facetsOf(flow: FlowSettings, payload: Buffer): Facets {
  const { concurrency, debounce, priority, idempotency } = flow;
  const looked = concurrency?.key ?? debounce?.key ?? priority ?? idempotency?.key;
  const event = looked === undefined ? undefined : parsed(payload);
  const wanted = priority && valueAt(event, priority);
  return {
    priority: typeof wanted === "number" && Number.isFinite(wanted) ? wanted : 0,
    concurrencyKey: concurrency && keyOf(event, concurrency.key),
    debounceKey: debounce && keyOf(event, debounce.key),
    idempotencyKey: idempotency && keyOf(event, idempotency.key),
  };
}

/** An event that is no JSON has nothing at any place: whoever sent it is told by the function. */
function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}

/** All events share one key where no place is named; one that has nothing at the named place has no key and is not limited. */
function keyOf(event: unknown, path: KeyPath | undefined): string | undefined {
  if (path === undefined) return "all";
  const value = valueAt(event, path);
  if (value === undefined || value === null) return undefined;
  const text = JSON.stringify(value);
  return text.length <= KEY_LENGTH_MAX ? `=${text}` : createHash("sha256").update(text).digest("hex");
}

function valueAt(event: unknown, path: KeyPath): unknown {
  let value = event;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}
