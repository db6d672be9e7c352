/** One bus that is open: its rules ready to be asked, and the outbox of its cell. */
import { timeOrderedId, type Clock, type SecureRandom } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import type { Outbox } from "../outbox/index.ts";
import { PatternSet } from "../patterns/index.ts";
import type { RuleRecord } from "./definitions.ts";
import { awsView } from "./envelope.ts";
import { ruleArn } from "./names.ts";
import { type PublishedEvent, route } from "./routing.ts";

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
    const now = clock.now();
    const newId = (): string => timeOrderedId(clock, secureRandom);
    const routed = events.map((published) => route(this, published, this.#matched(published), { now, newId }));
    await this.outbox.accept(
      routed.flatMap(({ deliveries }) => deliveries),
      { records: routed.flatMap(({ records }) => records) },
    );
  }

  #matched({ event, onlyRules }: PublishedEvent): RuleRecord[] {
    const names = this.#patterns.matches(JSON.parse(awsView(event).toString("utf8")));
    const matched = names.flatMap((name) => this.#rules.get(name) ?? []);
    return onlyRules ? matched.filter(({ name }) => onlyRules.includes(ruleArn(this.realm, this.bus, name))) : matched;
  }
}

/** What an event is asked; undefined when no event can lead to the rule. */
function askedPattern({ enabled, pattern }: RuleRecord): string | undefined {
  return enabled ? pattern : undefined;
}
