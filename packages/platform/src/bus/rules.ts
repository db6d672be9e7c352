/** Rules of buses and their targets: one table a realm, held in memory, written before anybody is told. */
import { LambentError, type Clock } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import type { RealmTables } from "../storage/index.ts";
import type { RuleRecord, RuleTarget } from "./definitions.ts";
import { ruleArn } from "./names.ts";
import { checkRule, targetFault, TARGETS_PER_RULE_MAX } from "./rule-checks.ts";

/** Rules of one bus. @limit */
export const RULES_PER_BUS_MAX = 10_000;

export interface RulesParts {
  readonly clock: Clock;
  readonly tables: RealmTables<RuleRecord>;
  /** Throws `NotFound` for a bus that is not there. */
  readonly requireBus: (realm: Realm, bus: string) => void;
  readonly timers: () => RuleTimerPort;
}

/** What keeps the times of rules with schedule expressions. */
export interface RuleTimerPort {
  /** Throws `InvalidParameter` for an expression no rule may have. */
  check(expression: string): void;
  put(realm: Realm, rule: string, timer: RuleTimer): Promise<void>;
  remove(realm: Realm, rule: string): Promise<void>;
  /** Makes the timers of a realm what its rules say. */
  sync(realm: Realm, wanted: ReadonlyMap<string, RuleTimer>): Promise<void>;
}

export interface RuleTimer {
  readonly arn: string;
  readonly expression: string;
  readonly enabled: boolean;
}

export type RuleDraft = Omit<RuleRecord, "targets" | "createdAt" | "tags"> & { readonly tags: RuleRecord["tags"] | undefined };

/** Why one entry of a call that changes targets was refused. */
export interface TargetFault {
  readonly targetId: string;
  readonly message: string;
}

type RuleListener = (realm: Realm, bus: string, name: string) => void;

export class Rules {
  readonly #parts: RulesParts;
  readonly #listeners: RuleListener[] = [];

  constructor(parts: RulesParts) {
    this.#parts = parts;
  }

  /** Calls `listener` behind every change of a rule, its targets included. */
  onChange(listener: RuleListener): void {
    this.#listeners.push(listener);
  }

  find(realm: Realm, bus: string, name: string): RuleRecord | undefined {
    return this.#parts.tables.items(realm).get(keyOf(bus, name));
  }

  /** Throws `NotFound`. */
  get(realm: Realm, bus: string, name: string): RuleRecord {
    const rule = this.find(realm, bus, name);
    if (!rule) throw new LambentError("NotFound", `Rule ${name} does not exist on EventBus ${bus}.`);
    return rule;
  }

  /** Rules of a bus by name. */
  list(realm: Realm, bus: string, prefix: string): RuleRecord[] {
    return [...this.#parts.tables.items(realm).values()]
      .filter((rule) => rule.bus === bus && rule.name.startsWith(prefix))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /**
   * Makes the timers of a realm what its rules say: a crash between a rule's commit and its timer's leaves them apart. No rule changes meanwhile.
   * For after the start, also of a realm without rules: the last one may have left its timer behind.
   */
  syncTimers(realm: Realm): Promise<void> {
    return this.whileUnchanged(realm, async () => {
      const timers = [...this.#parts.tables.items(realm).values()].flatMap((rule) => {
        const timer = timerOf(realm, rule);
        return timer ? [[rule.name, timer] as const] : [];
      });
      await this.#parts.timers().sync(realm, new Map(timers));
    });
  }

  /** How many rules a bus has. */
  count(realm: Realm, bus: string): number {
    let count = 0;
    for (const rule of this.#parts.tables.items(realm).values()) if (rule.bus === bus) count += 1;
    return count;
  }

  /** Runs `change` while no rule of the realm changes. */
  whileUnchanged<T>(realm: Realm, change: () => Promise<T>): Promise<T> {
    return this.#parts.tables.of(realm).changes.take(change);
  }

  /** Makes a rule, or changes what it says; its targets stay, and its tags where none are given. Throws `InvalidParameter`, `InvalidPattern`, `NotFound`. */
  put(realm: Realm, draft: RuleDraft): Promise<RuleRecord> {
    return this.#change(realm, draft.bus, draft.name, async () => {
      this.#parts.requireBus(realm, draft.bus);
      const known = this.find(realm, draft.bus, draft.name);
      refuseManaged(known);
      const tags = draft.tags ?? known?.tags ?? {};
      const rule: RuleRecord = { ...draft, tags, targets: known?.targets ?? [], createdAt: known?.createdAt ?? this.#parts.clock.now() };
      checkRule(rule);
      if (rule.schedule !== undefined) this.#parts.timers().check(rule.schedule);
      if (!known && this.count(realm, draft.bus) >= RULES_PER_BUS_MAX)
        throw new LambentError("LimitExceeded", `The requested resource exceeds the maximum number allowed: ${RULES_PER_BUS_MAX} rules.`);
      return rule;
    }) as Promise<RuleRecord>;
  }

  /** Makes or changes a rule of the platform's own. Throws `AlreadyExists` where somebody has a rule of that name, `NotFound` for the bus. */
  async putManaged(
    realm: Realm,
    { bus, name, pattern, target }: Pick<RuleRecord, "bus" | "name"> & { readonly pattern: string; readonly target: RuleTarget },
  ): Promise<void> {
    const said = { bus, name, pattern, schedule: undefined, enabled: true, description: undefined, roleArn: undefined, tags: {} };
    await this.#change(realm, bus, name, async () => {
      this.#parts.requireBus(realm, bus);
      const known = this.find(realm, bus, name);
      if (known && !known.managed) throw new LambentError("AlreadyExists", `Rule ${name} already exists on EventBus ${bus}.`);
      return { ...said, targets: [target], createdAt: known?.createdAt ?? this.#parts.clock.now(), managed: true };
    });
  }

  /** Removes a rule of the platform's own; somebody's rule of that name stays. */
  async removeManaged(realm: Realm, bus: string, name: string): Promise<void> {
    if (this.find(realm, bus, name)?.managed) await this.#change(realm, bus, name, async () => undefined);
  }

  /** Rules of the platform's own in a realm. */
  managed(realm: Realm): RuleRecord[] {
    return [...this.#parts.tables.items(realm).values()].filter(({ managed }) => managed);
  }

  setEnabled(realm: Realm, bus: string, name: string, enabled: boolean): Promise<void> {
    return this.#update(realm, bus, name, (rule) => ({ ...rule, enabled }));
  }

  setTags(realm: Realm, bus: string, name: string, change: (tags: RuleRecord["tags"]) => RuleRecord["tags"]): Promise<void> {
    return this.#update(realm, bus, name, (rule) => {
      const changed = { ...rule, tags: change(rule.tags) };
      checkRule(changed);
      return changed;
    });
  }

  /** Removes a rule that has no targets; one that is not there is no error, as on AWS. */
  async remove(realm: Realm, bus: string, name: string): Promise<void> {
    this.#parts.requireBus(realm, bus);
    await this.#change(realm, bus, name, async () => {
      const known = this.find(realm, bus, name);
      refuseManaged(known);
      if ((known?.targets.length ?? 0) > 0) throw new LambentError("InvalidParameter", "Rule can't be deleted since it has targets.");
      return undefined;
    });
  }

  /** Adds targets, or replaces those of the same ids; resolves with the entries that were refused. Throws `NotFound`, `LimitExceeded`. */
  async putTargets(realm: Realm, bus: string, name: string, targets: readonly RuleTarget[]): Promise<TargetFault[]> {
    const faults = targets.flatMap((target) => {
      const message = targetFault(target);
      return message === undefined ? [] : [{ targetId: target.id, message }];
    });
    const good = targets.filter(({ id }) => !faults.some(({ targetId }) => targetId === id));
    await this.#update(realm, bus, name, (rule) => {
      const byId = new Map([...rule.targets, ...good].map((target) => [target.id, target]));
      if (byId.size > TARGETS_PER_RULE_MAX)
        throw new LambentError(
          "LimitExceeded",
          `The requested resource exceeds the maximum number allowed: ${TARGETS_PER_RULE_MAX} targets.`,
        );
      return { ...rule, targets: [...byId.values()] };
    });
    return faults;
  }

  /** Removes targets; resolves with those that are not there. Throws `NotFound`. */
  async removeTargets(realm: Realm, bus: string, name: string, ids: readonly string[]): Promise<TargetFault[]> {
    const known = new Set<string>();
    await this.#update(realm, bus, name, (rule) => {
      for (const { id } of rule.targets) known.add(id);
      return { ...rule, targets: rule.targets.filter(({ id }) => !ids.includes(id)) };
    });
    return ids.filter((id) => !known.has(id)).map((targetId) => ({ targetId, message: `Rule ${name} has no target ${targetId}.` }));
  }

  async #setTimer(realm: Realm, name: string, before: RuleRecord | undefined, after: RuleRecord | undefined): Promise<void> {
    const timer = after && timerOf(realm, after);
    if (timer) await this.#parts.timers().put(realm, name, timer);
    else if (before?.schedule !== undefined) await this.#parts.timers().remove(realm, name);
  }

  async #update(realm: Realm, bus: string, name: string, change: (rule: RuleRecord) => RuleRecord): Promise<void> {
    this.#parts.requireBus(realm, bus);
    await this.#change(realm, bus, name, async () => {
      const known = this.get(realm, bus, name);
      refuseManaged(known);
      return change(known);
    });
  }

  async #change(realm: Realm, bus: string, name: string, decide: () => Promise<RuleRecord | undefined>): Promise<RuleRecord | undefined> {
    const table = this.#parts.tables.of(realm);
    return table.changes.take(async () => {
      const decided = await decide();
      const known = table.items.get(keyOf(bus, name));
      if (decided || known) await table.write(new Map([[keyOf(bus, name), decided]]));
      // The rule is as it is written, whatever comes of its timer.
      for (const listener of this.#listeners) listener(realm, bus, name);
      await this.#setTimer(realm, name, known, decided);
      return decided;
    });
  }
}

function refuseManaged(rule: RuleRecord | undefined): void {
  if (rule?.managed) throw new LambentError("ManagedRule", `Rule ${rule.name} belongs to an archive, which alone changes it.`);
}

/** The timer of a rule that has one: rules with schedules are on the default bus only. */
function timerOf(realm: Realm, { bus, name, schedule, enabled }: RuleRecord): RuleTimer | undefined {
  return schedule === undefined ? undefined : { arn: ruleArn(realm, bus, name), expression: schedule, enabled };
}

const keyOf = (bus: string, rule: string): string => `${bus}/${rule}`;
