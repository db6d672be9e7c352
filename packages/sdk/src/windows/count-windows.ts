/** Windows of so many records of a key, one after the other. */
import type { BlockReader, BlockWriter } from "./blocks.ts";
import type { WindowDefinition, WindowLimits } from "./definition.ts";
import type { WindowEngine } from "./engine.ts";
import type { Pane, SetAsideReason } from "./output.ts";
import { NONE, PaneStore } from "./pane-store.ts";
import type { Plan } from "./plan.ts";

type CountWindowSpec = Extract<WindowDefinition["window"], { readonly kind: "tumblingCount" }>;

export class CountWindows implements WindowEngine {
  readonly #spec: CountWindowSpec;
  /** One slot a key, used again for each window; it counts the panes. */
  readonly #store: PaneStore;
  readonly #tell: (pane: Pane) => void;

  constructor(spec: CountWindowSpec, plan: Plan, limits: WindowLimits, tell: (pane: Pane) => void) {
    this.#spec = spec;
    this.#store = new PaneStore(plan, limits);
    this.#tell = tell;
  }

  get size(): { readonly keys: number; readonly panes: number; readonly bytes: number } {
    return this.#store.size;
  }

  add(key: string, time: number, order: number): SetAsideReason | undefined {
    const store = this.#store;
    let slot = store.first(key);
    const noPlace = store.placeFor(key, slot === NONE ? 1 : 0);
    if (noPlace !== undefined) return noPlace;
    if (slot === NONE) slot = store.create(key, time, time + 1, NONE);
    const isFirst = store.counts[slot] === 0;
    store.starts[slot] = isFirst ? time : Math.min(time, store.starts[slot] as number);
    store.ends[slot] = isFirst ? time + 1 : Math.max(time + 1, store.ends[slot] as number);
    store.addRecord(slot, order, time);
    if (store.counts[slot] === this.#spec.size) this.#fire(slot);
    return undefined;
  }

  /** Only records complete a window. */
  advance(): boolean {
    return true;
  }

  forget(key: string): void {
    const slot = this.#store.first(key);
    if (slot !== NONE) this.#store.remove(slot);
  }

  write(to: BlockWriter): IterableIterator<void> {
    return this.#store.write(to);
  }

  read(from: BlockReader): IterableIterator<void> {
    return this.#store.read(from);
  }

  #fire(slot: number): void {
    const store = this.#store;
    const pane: Pane = {
      key: store.nameOf(slot),
      window: { start: store.starts[slot] as number, end: store.ends[slot] as number },
      timing: "onTime",
      index: store.panes[slot] as number,
      final: true,
      count: this.#spec.size,
      values: store.results(slot),
    };
    store.panes[slot] = (store.panes[slot] as number) + 1;
    store.fresh[slot] = 0;
    store.clear(slot);
    this.#tell(pane);
  }
}
