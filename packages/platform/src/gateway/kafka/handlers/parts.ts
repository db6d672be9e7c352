import type { Clock } from "../../../base/index.ts";
import type { ConsumerGroups, Streams } from "../../../streams/index.ts";
import type { ByteBudget } from "../byte-budget.ts";
import type { Topics } from "../topics.ts";

/** What handlers work with. */
export interface HandlerParts {
  readonly streams: Streams;
  readonly groups: ConsumerGroups;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly clusterId: string;
  /** Bytes of records on their way to readers, of all connections. */
  readonly fetched: ByteBudget;
  readonly reportDefect: (error: unknown) => void;
}
