/** Rules with schedule expressions: each is a schedule in a group of its own, and whoever keeps the rules says what an occurrence sends. */
import { type Clock, LambentError } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import { asRule } from "./editing.ts";
import { parseExpression } from "./expression/expression.ts";
import { RULES_GROUP } from "./names.ts";
import type { ScheduleSettings } from "./schedule.ts";
import type { Schedules } from "./schedules.ts";

/** Timers compared with what is wanted at once. */
const COMPARED_AT_ONCE = 500;

export interface RuleTimer {
  readonly arn: string;
  /** `rate(…)` or `cron(…)`, in UTC. */
  readonly expression: string;
  readonly enabled: boolean;
}

export class RuleTimers {
  readonly #schedules: Pick<Schedules, "change" | "list">;
  readonly #clock: Clock;

  constructor(schedules: Pick<Schedules, "change" | "list">, clock: Clock) {
    this.#schedules = schedules;
    this.#clock = clock;
  }

  /** Whether a rule may have this expression: throws `InvalidParameter` in EventBridge's words. */
  check(expression: string): void {
    const parsed = parseExpression(expression);
    if (!parsed || parsed.kind === "at") throw new LambentError("InvalidParameter", "Parameter ScheduleExpression is not valid.");
  }

  /** Makes or changes the timer of a rule. `name` is whatever names the rule in its realm, without a slash at its end. */
  put(realm: Realm, name: string, timer: RuleTimer): Promise<void> {
    this.check(timer.expression);
    return this.#schedules.change(realm, RULES_GROUP, name, (known) => ({
      kept: asRule(known, name, settingsOf(timer), { now: this.#clock.now(), chance: 0 }),
      answer: undefined,
    }));
  }

  remove(realm: Realm, name: string): Promise<void> {
    return this.#schedules.change(realm, RULES_GROUP, name, () => ({ kept: undefined, answer: undefined }));
  }

  /** Makes timers what the rules of a realm say: a crash between a rule's commit and its timer's leaves them apart. For after the start. */
  async sync(realm: Realm, wanted: ReadonlyMap<string, RuleTimer>): Promise<void> {
    const known = new Set<string>();
    for (let after: string | undefined; ;) {
      const page = await this.#schedules.list(realm, RULES_GROUP, { prefix: "", after, limit: COMPARED_AT_ONCE });
      after = page.at(-1)?.name;
      if (after === undefined) break;
      for (const { name } of page) known.add(name);
    }
    for (const name of known) if (!wanted.has(name)) await this.remove(realm, name);
    // One that is as it is wanted is left alone: `put` sees that.
    for (const [name, timer] of wanted) await this.put(realm, name, timer);
  }
}

function settingsOf({ arn, expression, enabled }: RuleTimer): ScheduleSettings {
  return {
    expression,
    zone: "UTC",
    startAt: undefined,
    endAt: undefined,
    windowMs: 0,
    state: enabled ? "ENABLED" : "DISABLED",
    afterCompletion: "NONE",
    description: undefined,
    kmsKeyArn: undefined,
    action: { kind: "rule", arn },
  };
}
