/** One bus that is open: its rules ready to be asked, and the outbox of its cell. */
import { timeOrderedId, type Clock, type SecureRandom } from "../base/index.ts";
import type { LedgerRecord } from "../ledger/index.ts";
import type { Realm } from "../model/index.ts";
import type { NewDelivery, Outbox } from "../outbox/index.ts";
import { PatternSet } from "../patterns/index.ts";
import type { RuleRecord } from "./definitions.ts";
import { awsView } from "./envelope.ts";
import { ruleArn } from "./names.ts";
import { type PublishedEvent, route, type Routed, type ViewedEvent } from "./routing.ts";

/** What events lead to is made and taken piece by piece beyond this, and beyond these bytes of payloads: one event may go to thousands (P7). */
const MADE_AT_ONCE_MAX = 5_000;
const MADE_BYTES_MAX = 16 * 1024 * 1024;

export class BusLine {
  readonly realm: Realm;
  readonly bus: string;
  readonly outbox: Outbox;
  readonly #parts: { readonly clock: Clock; readonly secureRandom: SecureRandom };
  readonly #rules = new Map<string, RuleRecord>();
  readonly #patterns = new PatternSet<string>();

  constructor(realm: Realm, bus: string, outbox: Outbox, parts: { readonly clock: Clock; readonly secureRandom: SecureRandom }) {
    this.realm = realm;
    this.bus = bus;
    this.outbox = outbox;
    this.#parts = parts;
  }

  /** The rule as it is from now on. */
  putRule(rule: RuleRecord): void {
    const known = this.#rules.get(rule.name);
    this.#rules.set(rule.name, rule);
    if (known && askedPattern(known) === askedPattern(rule)) return;
    this.#patterns.remove(rule.name);
    const pattern = askedPattern(rule);
    if (pattern !== undefined) this.#patterns.add(rule.name, pattern);
  }

  removeRule(name: string): void {
    this.#rules.delete(name);
    this.#patterns.remove(name);
  }

  /** Takes events, and what they are to lead to, in one commit where they fit one (P1). */
  async publish(events: readonly PublishedEvent[]): Promise<void> {
    const { clock, secureRandom } = this.#parts;
    const made = { now: clock.now(), newId: () => timeOrderedId(clock, secureRandom) };
    let piece = new Piece();
    for (const published of events) {
      const viewed = { ...published, view: awsView(published.event) };
      for (const each of route(this, viewed, this.#matched(viewed), made)) {
        piece.add(each);
        if (!piece.full) continue;
        await this.outbox.accept(piece.deliveries, piece);
        piece = new Piece();
      }
    }
    await this.outbox.accept(piece.deliveries, piece);
  }

  #matched({ view, onlyRules }: ViewedEvent): RuleRecord[] {
    if (this.#patterns.size === 0) return [];
    const names = this.#patterns.matches(JSON.parse(view.toString("utf8")));
    const matched = names.flatMap((name) => this.#rules.get(name) ?? []);
    return onlyRules ? matched.filter(({ name }) => onlyRules.includes(ruleArn(this.realm, this.bus, name))) : matched;
  }
}

/** What events lead to, as far as it is made. */
class Piece {
  readonly deliveries: NewDelivery[] = [];
  readonly records: LedgerRecord[] = [];
  #bytes = 0;

  add(routed: Routed): void {
    if (routed.kind === "record") this.records.push(routed.record);
    else {
      this.deliveries.push(routed.delivery);
      this.#bytes += routed.delivery.parcel.payload.length;
    }
  }

  get full(): boolean {
    return this.deliveries.length + this.records.length >= MADE_AT_ONCE_MAX || this.#bytes >= MADE_BYTES_MAX;
  }
}

/** What an event is asked; undefined when no event can lead to the rule. */
function askedPattern({ enabled, pattern }: RuleRecord): string | undefined {
  return enabled ? pattern : undefined;
}
