/**
 * Matching an event against all rules of a bus, beside each rule's pattern asked in turn (the naive way, which is the definition
 * of what matches). Events are parsed before; an answer is the list of the rules that match.
 *
 * What the rules are, for rule number i:
 *
 * - `everyday`: sources and detail types of 20 services, and below `detail` one or two of all operators, so that about one rule in
 *   a hundred matches.
 * - `alike`: all share source and detail type and differ only in leaves three objects down, a quarter each: a numeric range of
 *   its own; a wildcard with a literal of its own between two stars; anything but a state of its own and the state `paid`, which
 *   every second event has, or but a state of its own in a range of its own; all three at once.
 * - `wide`: all share source and detail type and ask for anything but a state of their own: every event matches all rules but
 *   one, and naming them is the work.
 *
 * Events are made for rules drawn evenly from all there are, so that as many match with 10 rules as with 10,000.
 */
import { systemClock } from "../../packages/platform/src/base/index.ts";
import { type CompiledPattern, compilePattern, PatternSet } from "../../packages/platform/src/patterns/index.ts";
import { measurePair, type PairResult, type Sample } from "../support/pair.ts";

export const MANY_RULES = 10_000;
export const FEW_RULES = 10;
export const EVERYDAY_RULES = 100;
/** Different events that are gone through again and again; no two are one object. */
const EVENTS = 4_096;
/** How much of a round the naive side gets. */
const NAIVE_SHARE = 0.25;
/** One event in so many is matched both ways before anything is measured. */
const CHECKED_EVERY = 256;

export interface BusMatchResult {
  /** Events a second with 100 everyday rules. */
  readonly everyday: readonly Sample[];
  /** The same of alike rules: 10,000 as ours, 10 as the bound. */
  readonly alike: PairResult;
  /** The same of rules that nearly all match. */
  readonly wide: PairResult;
}

export async function measureBusMatch({ rounds, roundMs }: { rounds: number; roundMs: number }): Promise<BusMatchResult> {
  const everyday = new Bus(EVERYDAY_RULES, everydayRule, everydayEvent);
  const alike = [new Bus(MANY_RULES, alikeRule, alikeEvent), new Bus(FEW_RULES, alikeRule, alikeEvent)] as const;
  const wide = [new Bus(MANY_RULES, wideRule, alikeEvent), new Bus(FEW_RULES, wideRule, alikeEvent)] as const;
  // What was measured first would otherwise have had code of its own, made for it alone.
  for (const bus of [everyday, ...alike, ...wide]) bus.measure(roundMs);
  const pairOf = async ([many, few]: readonly [Bus, Bus]): Promise<PairResult> =>
    measurePair(
      () => Promise.resolve(many.measure(roundMs)),
      () => Promise.resolve(few.measure(roundMs)),
      rounds,
    );
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) samples.push(everyday.measure(roundMs));
  return { everyday: samples, alike: await pairOf(alike), wide: await pairOf(wide) };
}

/** The rules of one bus, both ways, and the events that come. */
class Bus {
  readonly #set = new PatternSet<number>();
  readonly #patterns: CompiledPattern[] = [];
  readonly #events: readonly unknown[];
  readonly #addUs: number;
  #at = 0;
  #round = 0;

  constructor(rules: number, ruleOf: (i: number) => object, eventOf: (i: number, k: number) => object) {
    const began = systemClock.monotonicMs();
    for (let i = 0; i < rules; i++) this.#set.add(i, ruleOf(i));
    this.#addUs = ((systemClock.monotonicMs() - began) * 1_000) / rules;
    for (let i = 0; i < rules; i++) this.#patterns.push(compilePattern(ruleOf(i)));
    // A step that has no divisor in common with the number of rules reaches all of them.
    this.#events = Array.from({ length: EVENTS }, (_, k) => JSON.parse(JSON.stringify(eventOf((k * 7_919) % rules, k))) as unknown);
    for (let k = 0; k < EVENTS; k += CHECKED_EVERY) this.#check(this.#events[k]);
  }

  /** Ours and naive in turns, which goes first changing every round. */
  measure(durationMs: number): Sample {
    this.#round += 1;
    const naive = (): number => this.#perSecond((event) => this.#naive(event).length, durationMs * NAIVE_SHARE).perSecond;
    const naiveFirst = this.#round % 2 === 0 ? naive() : undefined;
    const { perSecond, matches } = this.#perSecond((event) => this.#set.matches(event).length, durationMs * (1 - NAIVE_SHARE));
    const details = {
      "naive events/s": naiveFirst ?? naive(),
      "rules an event matches": matches,
      "µs to add a rule": this.#addUs,
    };
    return { value: perSecond, details };
  }

  #naive(event: unknown): number[] {
    const keys: number[] = [];
    for (const [key, pattern] of this.#patterns.entries()) if (pattern.matches(event)) keys.push(key);
    return keys;
  }

  #perSecond(match: (event: unknown) => number, durationMs: number): { readonly perSecond: number; readonly matches: number } {
    const began = systemClock.monotonicMs();
    let events = 0;
    let matches = 0;
    let elapsedMs = 0;
    // The clock is read after ten times as many events each time until that is a millisecond's worth.
    for (let chunk = 1; elapsedMs < durationMs; elapsedMs = systemClock.monotonicMs() - began) {
      if (events > 0 && (elapsedMs * chunk) / events < 0.1) chunk *= 10;
      for (let count = 0; count < chunk; count++) matches += match(this.#events[this.#at++ % EVENTS]);
      events += chunk;
    }
    return { perSecond: (events * 1_000) / elapsedMs, matches: matches / events };
  }

  #check(event: unknown): void {
    const ours = this.#set.matches(event).join(" ");
    const naive = this.#naive(event).join(" ");
    if (ours !== naive) throw new TypeError(`rules ${ours} match, one by one ${naive}: ${JSON.stringify(event)}`);
  }
}

const SERVICES = 20;
const serviceOf = (i: number): number => i % SERVICES;

function everydayRule(i: number): object {
  const service = serviceOf(i);
  const shared = { source: [`app.service-${service}`], "detail-type": [`Changed ${service}`] };
  const details: readonly object[] = [
    { status: ["failed", "late"], customer: { tier: [`tier-${i}`] } },
    { amount: [{ numeric: [">=", i * 10, "<", i * 10 + 10] }] },
    { key: [{ prefix: `uploads/${i}/` }], size: [{ numeric: [">", 0] }] },
    { key: [{ wildcard: `*/images-${i}/*.png` }] },
    { customer: { tier: [{ "equals-ignore-case": `TIER-${i}` }] }, ended: [{ exists: false }] },
    { address: [{ cidr: `10.${i}.0.0/16` }], status: [{ "anything-but": ["done", "new"] }] },
    { $or: [{ amount: [i * 10 + 3] }, { key: [{ suffix: `/${i}.csv` }] }] },
  ];
  return { ...shared, detail: details[Math.floor(i / SERVICES) % details.length] };
}

function everydayEvent(i: number, k: number): object {
  const service = serviceOf(i);
  return envelope(k, `app.service-${service}`, `Changed ${service}`, {
    status: k % 2 === 0 ? "failed" : "done",
    customer: { id: `c-${k}`, tier: `tier-${i}` },
    amount: i * 10 + 3,
    key: `uploads/${i}/images-${i}/${k}.png`,
    size: 1_024 + k,
    address: `10.${i}.7.1`,
    tags: ["blue", "green"],
  });
}

function alikeRule(i: number): object {
  const own = { numeric: [">=", i * 10, "<", i * 10 + 10] };
  const orders: readonly object[] = [
    { total: [own] },
    { path: [{ wildcard: `/shops/*/item-${i}/*` }] },
    i % 8 < 4
      ? { state: [{ "anything-but": ["paid", `state-${i}`] }], total: [own] }
      : { state: [{ "anything-but": ["paid", "sent", `state-${i}`] }] },
    { total: [own], path: [{ wildcard: `*/item-${i}/*` }], state: [{ "anything-but": [`state-${i}`] }] },
  ];
  return { source: ["shop.orders"], "detail-type": ["Order changed"], detail: { order: orders[i % 4] } };
}

function wideRule(i: number): object {
  return { source: ["shop.orders"], "detail-type": ["Order changed"], detail: { order: { state: [{ "anything-but": [`state-${i}`] }] } } };
}

function alikeEvent(i: number, k: number): object {
  const order = { id: `o-${k}`, total: i * 10 + 3, path: `/shops/berlin/item-${i}/${k}`, state: k % 2 === 0 ? "paid" : "sent" };
  return envelope(k, "shop.orders", "Order changed", { order, customer: { id: `c-${k}` } });
}

function envelope(k: number, source: string, detailType: string, detail: object): object {
  return {
    version: "0",
    id: `00000000-0000-4000-8000-${String(k).padStart(12, "0")}`,
    "detail-type": detailType,
    source,
    account: "000000000000",
    time: "2026-01-01T00:00:00Z",
    region: "us-east-1",
    resources: [`arn:aws:lambda:us-east-1:000000000000:function:worker-${k}`],
    detail,
  };
}
