/**
 * The in-memory engine: `lambent start --memory`, the model that the contract suite and the property tests use as
 * their oracle, and the faulty store of the simulation. Durable for as long as its `MemoryDisk` is held.
 *
 * It does not group, schedule or bound: what it accepts is applied in the order of the calls.
 */
import { LambentError } from "../../base/index.ts";
import { checkCellKey, checkCommit, checkKeyCount, checkLimit } from "../check.ts";
import type { CellKey, CommitResult, LogRow, Op, Revision, StateRange, StateRow, Store } from "../store.ts";
import { compareUtf8 } from "../utf8-order.ts";
import type { FaultPlan } from "./faults.ts";
import { MemoryCell } from "./memory-cell.ts";

/** What survives closing, or crashing, a memory store: open another one on it. */
export class MemoryDisk {
  readonly cells = new Map<CellKey, MemoryCell>();
}

export interface MemoryStoreOptions {
  /** Asked before every commit and read; without it nothing goes wrong. */
  readonly faults?: FaultPlan;
  /** By default a new, empty one. */
  readonly disk?: MemoryDisk;
}

type Condition = { readonly kind: "running" } | { readonly kind: "stopped"; readonly why: string } | { readonly kind: "closed" };

/** Opens a store that keeps everything in memory and, when asked, fails as `faults` says. */
export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options.disk ?? new MemoryDisk(), options.faults ?? (() => undefined));
}

class MemoryStore implements Store {
  readonly durability = "memory";
  readonly #disk: MemoryDisk;
  readonly #faults: FaultPlan;
  readonly #damaged = new Set<CellKey>();
  #condition: Condition = { kind: "running" };

  constructor(disk: MemoryDisk, faults: FaultPlan) {
    this.#disk = disk;
    this.#faults = faults;
  }

  async commit(cell: CellKey, expected: Revision | "any", ops: readonly Op[]): Promise<CommitResult> {
    checkCommit(cell, ops);
    this.#admitWrite(cell);
    const fault = this.#faults({ kind: "commit", cell });
    if (fault?.kind === "busy") throw new LambentError("StorageBusy", `More writes wait than the storage takes; ${cell} was not changed.`);
    if (fault?.kind === "stopBefore") throw this.#stop();
    const result = this.#apply(cell, expected, ops);
    if (fault?.kind === "stopAfter") throw this.#stop();
    if (fault?.kind === "acknowledgeLate") await fault.until;
    return result;
  }

  async revision(cell: CellKey): Promise<Revision> {
    await this.#admitRead(cell);
    return this.#disk.cells.get(cell)?.revision ?? 0;
  }

  async get(cell: CellKey, key: string): Promise<Uint8Array | undefined> {
    await this.#admitRead(cell);
    return this.#disk.cells.get(cell)?.get(key);
  }

  async getAll(cell: CellKey, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    checkKeyCount(keys);
    await this.#admitRead(cell);
    const found = this.#disk.cells.get(cell);
    return keys.map((key) => found?.get(key));
  }

  async list(cell: CellKey, range: StateRange): Promise<StateRow[]> {
    checkLimit(range.limit);
    await this.#admitRead(cell);
    return this.#disk.cells.get(cell)?.list(range) ?? [];
  }

  async read(cell: CellKey, from: number, limit: number): Promise<LogRow[]> {
    checkLimit(limit);
    await this.#admitRead(cell);
    return this.#disk.cells.get(cell)?.read(from, limit) ?? [];
  }

  async cells(range: { readonly prefix: string; readonly after?: string; readonly limit: number }): Promise<CellKey[]> {
    checkLimit(range.limit);
    this.#refuseWhenClosed();
    const keys = [...this.#disk.cells.keys()].filter(
      (key) => key.startsWith(range.prefix) && (range.after === undefined || compareUtf8(key, range.after) > 0),
    );
    return keys.sort(compareUtf8).slice(0, range.limit);
  }

  async close(): Promise<void> {
    this.#condition = { kind: "closed" };
  }

  #apply(key: CellKey, expected: Revision | "any", ops: readonly Op[]): CommitResult {
    const known = this.#disk.cells.get(key);
    const revision = known?.revision ?? 0;
    if (expected !== "any" && expected !== revision) return { kind: "conflict", revision };
    const cell = known ?? new MemoryCell();
    this.#disk.cells.set(key, cell);
    return { kind: "committed", revision: cell.apply(ops) };
  }

  #admitWrite(cell: CellKey): void {
    this.#refuseWhenClosed();
    if (this.#condition.kind === "stopped") throw new LambentError("StorageStopped", this.#condition.why);
    if (this.#damaged.has(cell)) throw corrupt(cell);
  }

  async #admitRead(cell: CellKey): Promise<void> {
    checkCellKey(cell);
    this.#refuseWhenClosed();
    const fault = this.#faults({ kind: "read", cell });
    if (fault === undefined) return;
    if (fault.kind === "damaged") {
      this.#damaged.add(cell);
      throw corrupt(cell);
    }
    if (fault.kind === "busy") throw new LambentError("StorageBusy", `More reads wait than the storage takes; ${cell} was not read.`);
    if (fault.kind === "acknowledgeLate") await fault.until;
  }

  #refuseWhenClosed(): void {
    if (this.#condition.kind === "closed") throw new LambentError("ShuttingDown", "The storage is closed.");
  }

  #stop(): LambentError {
    const why = "An injected fault stopped the storage; nothing more is acknowledged.";
    this.#condition = { kind: "stopped", why };
    return new LambentError("StorageStopped", why);
  }
}

function corrupt(cell: CellKey): LambentError {
  return new LambentError("StorageCorrupt", `Cell ${cell} is damaged: an injected fault.`, { cell });
}
