import { type Clock, systemSecureRandom } from "../../src/base/index.ts";
import { openWorkList, type Store, type WorkList } from "../../src/storage/index.ts";
import { cellOf, CROSSING_PRODUCER, LIST_NAMES, type ListName } from "./journal.ts";

/** What a producer goes on with: items whose answer was lost are sent again first. */
export interface ProducerPlan {
  readonly list: ListName;
  readonly name: string;
  readonly again: readonly string[];
  readonly next: number;
}

export interface DriverPlan {
  readonly folder: string;
  readonly seed: number;
  readonly producers: readonly ProducerPlan[];
  /** A file for the journal; the standard output without it. */
  readonly journal?: string;
  /** Ends by SIGKILL, or in order, behind so many lines. */
  readonly end?: { readonly lines: number; readonly how: "kill" | "close" };
}

/** Rules of the lists, the same in every life. */
export const RULES = { leasesMax: 120_000, retentionMs: 4 * 86_400_000, deduplicationMs: 300_000 };

/** Opens the rig's lists on a store. */
export async function openLists(store: Store, clock: Clock, onOutgoing: () => void): Promise<Record<ListName, WorkList>> {
  const open = (list: ListName): Promise<WorkList> =>
    openWorkList({
      store,
      cell: cellOf(list),
      clock,
      secureRandom: systemSecureRandom,
      rules: { ...RULES, ordering: list === "fifo" ? "fifo" : "fair" },
      holders: "elsewhere",
      ...(list === "fair" ? { onOutgoing } : {}),
    });
  const [fifo, fair, crossed] = await Promise.all(LIST_NAMES.map(open));
  return { fifo, fair, crossed } as Record<ListName, WorkList>;
}

/** The producers of a first life. */
export function firstProducers(): ProducerPlan[] {
  const fifo = ["red", "green", "blue"].map((name): ProducerPlan => ({ list: "fifo", name, again: [], next: 0 }));
  const fair = ["one", "two", CROSSING_PRODUCER].map((name): ProducerPlan => ({ list: "fair", name, again: [], next: 0 }));
  return [...fifo, ...fair];
}
