import { ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import {
  type FaultPlan,
  type LeasedItem,
  type ListRules,
  MemoryDisk,
  type NewItem,
  openMemoryStore,
  openWorkList,
  type Store,
  type WorkList,
} from "../../../src/storage/index.ts";

export const CELL = "000000000000.us-east-1/queue/test/0";

export const RULES: ListRules = { ordering: "fair", leasesMax: 120_000, retentionMs: 4 * 86_400_000, deduplicationMs: 300_000 };

/** A list on a disk that outlives it: `restart` opens another one as after a crash. */
export interface ListWorld {
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  list: WorkList;
  store: Store;
  restart(): Promise<void>;
}

export async function openListWorld(
  rules: Partial<ListRules> = {},
  options: { faults?: FaultPlan; holders?: "here" | "elsewhere" } = {},
): Promise<ListWorld> {
  const clock = new ManualClock();
  const disk = new MemoryDisk();
  const open = async () => {
    const store = openMemoryStore({ disk, ...(options.faults ? { faults: options.faults } : {}) });
    const list = await openWorkList({
      store,
      cell: CELL,
      clock,
      secureRandom: systemSecureRandom,
      rules: { ...RULES, ...rules },
      holders: options.holders ?? "elsewhere",
    });
    return { store, list };
  };
  const world: ListWorld = {
    clock,
    disk,
    ...(await open()),
    async restart() {
      Object.assign(world, await open());
    },
  };
  return world;
}

export function item(id: string, more: Partial<NewItem> = {}): NewItem {
  return { id, body: Buffer.from(`body of ${id}`), ...more };
}

export async function leaseNow(list: WorkList, max = 10, leaseMs = 30_000): Promise<readonly LeasedItem[]> {
  const outcome = await list.lease({ max, leaseMs, waitMs: 0 });
  if (outcome.kind !== "leased") throw new TypeError(`the lease ended as ${outcome.kind}`);
  return outcome.items;
}

export const idsOf = (items: readonly { readonly id: string }[]): string[] => items.map(({ id }) => id);
