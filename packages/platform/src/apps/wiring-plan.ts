import { difference, type FieldChange } from "./difference.ts";
import { triggerKey, type CurrentQueue, type QueueOptions, type Trigger, type TriggerOptions, type WantedQueue } from "./wiring-form.ts";

/** One difference between the queues and triggers that are wanted and those that are there. */
export type WiringChange =
  | { readonly kind: "createQueue"; readonly queueName: string; readonly options: Partial<QueueOptions> }
  | {
      readonly kind: "updateQueue";
      readonly queueName: string;
      readonly options: Partial<QueueOptions>;
      readonly fields: readonly FieldChange[];
    }
  | { readonly kind: "createTrigger"; readonly functionName: string; readonly queueName: string; readonly options: TriggerOptions }
  | {
      readonly kind: "updateTrigger";
      readonly functionName: string;
      readonly queueName: string;
      readonly options: TriggerOptions;
      readonly fields: readonly FieldChange[];
    }
  | { readonly kind: "removeTrigger"; readonly functionName: string; readonly queueName: string };

export interface Wiring {
  readonly queues: readonly WantedQueue[];
  readonly triggers: readonly Trigger[];
}

export interface CurrentWiring {
  readonly queues: ReadonlyMap<string, CurrentQueue>;
  /** By `triggerKey`. */
  readonly triggers: ReadonlyMap<string, Trigger>;
}

export interface WiringRules {
  /** Triggers that this application brought and may therefore remove, by `triggerKey`. */
  readonly owned: ReadonlySet<string>;
  /** The time limit of a function once the document is applied. */
  readonly timeoutMs: (functionName: string) => number;
  /** Leaves what is there as it is, and what a person took away, away. */
  readonly onlyUntouched: boolean;
}

/** A queue of its own visibility timeout hides a message this many times as long as its function may take: AWS's advice. */
const VISIBILITY_OF_TIMEOUTS = 6;
const VISIBILITY_MS_DEFAULT = 30_000;
const VISIBILITY_MS_MAX = 43_200_000;

/** What has to happen with queues, in an order that can be applied from first to last: a dead-letter queue comes before those that name it. */
export function planQueues(current: CurrentWiring, wanted: Wiring, rules: WiringRules): WiringChange[] {
  return deadLettersFirst(wanted.queues).flatMap((queue): WiringChange[] => {
    const known = current.queues.get(queue.name);
    if (!known) {
      const visibilityMs = queue.options.visibilityMs ?? fittingVisibilityMs(queue.name, wanted.triggers, rules);
      return [{ kind: "createQueue", queueName: queue.name, options: { ...queue.options, visibilityMs } }];
    }
    const fields = queueDifference(known.options, queue.options);
    return fields.length === 0 || rules.onlyUntouched
      ? []
      : [{ kind: "updateQueue", queueName: queue.name, options: queue.options, fields }];
  });
}

/** What has to happen with triggers once queues and functions are there. */
export function planTriggers(current: CurrentWiring, wanted: Wiring, rules: WiringRules): WiringChange[] {
  return wanted.triggers.flatMap((trigger): WiringChange[] => {
    const { functionName, queueName, options } = trigger;
    const known = current.triggers.get(triggerKey(trigger));
    if (!known)
      return rules.onlyUntouched && rules.owned.has(triggerKey(trigger))
        ? []
        : [{ kind: "createTrigger", functionName, queueName, options }];
    const fields = triggerDifference(known.options, options);
    return fields.length === 0 || rules.onlyUntouched ? [] : [{ kind: "updateTrigger", functionName, queueName, options, fields }];
  });
}

/** Triggers this application brought and no longer names. Queues are never removed: they may hold messages. */
export function planTriggerRemovals(current: CurrentWiring, wanted: Wiring, rules: WiringRules): WiringChange[] {
  const named = new Set(wanted.triggers.map(triggerKey));
  return [...rules.owned]
    .filter((key) => !named.has(key) && current.triggers.has(key))
    .toSorted()
    .map((key): WiringChange => {
      const [functionName = "", queueName = ""] = key.split(" ");
      return { kind: "removeTrigger", functionName, queueName };
    });
}

function fittingVisibilityMs(queueName: string, triggers: readonly Trigger[], { timeoutMs }: WiringRules): number {
  const needed = triggers
    .filter((each) => each.queueName === queueName)
    .map((each) => timeoutMs(each.functionName) * VISIBILITY_OF_TIMEOUTS);
  return Math.min(Math.max(VISIBILITY_MS_DEFAULT, ...needed), VISIBILITY_MS_MAX);
}

function deadLettersFirst(queues: readonly WantedQueue[]): WantedQueue[] {
  const byName = new Map(queues.map((queue) => [queue.name, queue]));
  const ordered = new Set<WantedQueue>();
  const visiting = new Set<WantedQueue>();
  const visit = (queue: WantedQueue): void => {
    // A circle is refused by the queues themselves.
    if (ordered.has(queue) || visiting.has(queue)) return;
    visiting.add(queue);
    const before = byName.get(queue.options.deadLetter?.queue ?? "");
    if (before) visit(before);
    ordered.add(queue);
  };
  for (const queue of queues) visit(queue);
  return [...ordered];
}

const QUEUE_FIELDS = ["visibilityMs", "retentionMs", "delayMs", "deadLetter", "contentDeduplication"] as const;

function queueDifference(from: QueueOptions, to: Partial<QueueOptions>): FieldChange[] {
  return QUEUE_FIELDS.flatMap((field) => (Object.hasOwn(to, field) ? difference(field, from[field], to[field]) : []));
}

const TRIGGER_FIELDS = ["batchSize", "windowMs", "concurrencyMax", "filters", "reportsFailures", "enabled"] as const;

function triggerDifference(from: TriggerOptions, to: TriggerOptions): FieldChange[] {
  return TRIGGER_FIELDS.flatMap((field) => difference(field, from[field], to[field]));
}
