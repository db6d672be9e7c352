/** What comes to functions and from where, as one form: queues, and triggers from a queue to a function. */

/** Settings a document may leave out; then an existing queue keeps its own, a new one gets the default. */
export interface QueueOptions {
  readonly visibilityMs: number;
  readonly retentionMs: number;
  readonly delayMs: number;
  /** Where messages go that were received `after` times; undefined: nowhere. */
  readonly deadLetter: DeadLetter | undefined;
  /** FIFO queues: messages with the same body within five minutes are one. */
  readonly contentDeduplication: boolean;
}

export interface DeadLetter {
  readonly queue: string;
  readonly after: number;
}

export interface WantedQueue {
  readonly name: string;
  readonly options: Partial<QueueOptions>;
}

export interface CurrentQueue {
  readonly name: string;
  readonly options: QueueOptions;
}

export interface TriggerOptions {
  readonly batchSize: number;
  readonly windowMs: number;
  /** Undefined: as many calls at once as the messages need. */
  readonly concurrencyMax: number | undefined;
  /** Event patterns, JSON texts; none: every message. */
  readonly filters: readonly string[];
  /** The function answers which messages of a batch failed. */
  readonly reportsFailures: boolean;
  readonly enabled: boolean;
}

/** A trigger is declared whole: what a document leaves out is the default. */
export interface Trigger {
  readonly functionName: string;
  readonly queueName: string;
  readonly options: TriggerOptions;
}

export const TRIGGER_DEFAULTS: TriggerOptions = {
  batchSize: 10,
  windowMs: 0,
  concurrencyMax: undefined,
  filters: [],
  reportsFailures: false,
  enabled: true,
};

/** By which an application remembers a trigger: names of functions and queues have no space. */
export function triggerKey({ functionName, queueName }: Pick<Trigger, "functionName" | "queueName">): string {
  return `${functionName} ${queueName}`;
}
