import { compareUtf8 } from "../utf8-order.ts";
import type { CellKey, Revision } from "../store.ts";
import type { StoreContents } from "./messages.ts";
import { HeadBlocks, type Head } from "./head-blocks.ts";
import { PositionIndex } from "./position-index.ts";

/** What the owner knows of a cell. Everything here is durable: it changes when a transaction is acknowledged. */
export interface OwnedCell {
  readonly id: number;
  readonly key: CellKey;
  revision: Revision;
  readonly log: PositionIndex;
  /** Set once damage is found: the cell takes no commit any more, and says why (P1). */
  damage: string | undefined;
}

/** All cells of a store, by key and in order. */
export class CellDirectory {
  readonly heads = new HeadBlocks();
  readonly #byKey = new Map<CellKey, OwnedCell>();
  #lastId = 0;
  /** Keys of committed cells in order; made when asked for, dropped when a cell joins. */
  #sorted: CellKey[] | undefined;

  find(key: CellKey): OwnedCell | undefined {
    return this.#byKey.get(key);
  }

  /** The cell of `key`; a new one is not listed before its first commit is durable. */
  findOrMake(key: CellKey): OwnedCell {
    const known = this.#byKey.get(key);
    if (known) return known;
    const cell: OwnedCell = { id: ++this.#lastId, key, revision: 0, log: new PositionIndex(1), damage: undefined };
    this.#byKey.set(key, cell);
    return cell;
  }

  /** Every cell that was committed, by its number. */
  committed(): Map<number, OwnedCell> {
    return new Map(
      [...this.#byKey.values()].filter((cell) => cell.revision > 0 || cell.damage !== undefined).map((cell) => [cell.id, cell]),
    );
  }

  /** Forgets a cell that came to nothing: its only command was refused. */
  dropIfNeverCommitted(cell: OwnedCell): void {
    if (cell.revision === 0 && cell.damage === undefined) this.#byKey.delete(cell.key);
  }

  /** A cell was committed for the first time. */
  joined(): void {
    this.#sorted = undefined;
  }

  keys(prefix: string, after: CellKey | undefined, limit: number): CellKey[] {
    this.#sorted ??= [...this.#byKey.values()]
      .filter((cell) => cell.revision > 0 || cell.damage !== undefined)
      .map((cell) => cell.key)
      .sort(compareUtf8);
    const found: CellKey[] = [];
    const behind = after !== undefined && compareUtf8(after, prefix) >= 0;
    for (let at = lowerBound(this.#sorted, behind ? after : prefix); at < this.#sorted.length && found.length < limit; at++) {
      const key = this.#sorted[at] as CellKey;
      if (!key.startsWith(prefix)) break;
      if (!(behind && key === after)) found.push(key);
    }
    return found;
  }

  /**
   * Takes over what was read at open. Returns the rows trimmed before and not removed yet. A cell whose log has a gap
   * is damaged.
   */
  load(contents: StoreContents): number[] {
    for (const { block, data } of contents.heads) this.heads.load(block, data);
    const heads = new Map<number, Head>();
    const byId = new Map<number, OwnedCell>();
    for (const { id, key } of contents.cells) {
      const head = this.heads.get(id);
      if (head) heads.set(id, head);
      const damage = head ? undefined : "where it stands does not have its checksum";
      byId.set(id, { id, key, revision: head?.revision ?? 0, log: new PositionIndex(head?.first ?? 1), damage });
    }
    for (const { id, key, what } of contents.damaged) byId.set(id, { id, key, revision: 0, log: new PositionIndex(1), damage: what });
    for (const cell of byId.values()) this.#byKey.set(cell.key, cell);
    this.#lastId = contents.lastCell;
    const trimmed = indexRows(byId, contents);
    for (const [id, { next }] of heads) {
      const cell = byId.get(id) as OwnedCell;
      if (cell.damage === undefined && cell.log.next !== next)
        cell.damage = `its log ends at position ${cell.log.next - 1} and should end at ${next - 1}`;
    }
    return trimmed;
  }
}

function indexRows(cells: ReadonlyMap<number, OwnedCell>, contents: StoreContents): number[] {
  const trimmed: number[] = [];
  for (let row = 0; row < contents.logSequences.length; row++) {
    const sequence = contents.logSequences[row] as number;
    const position = contents.logPositions[row] as number;
    const cell = cells.get(contents.logCells[row] as number);
    if (!cell || cell.damage !== undefined) continue;
    if (position < cell.log.first) trimmed.push(sequence);
    else if (position === cell.log.next) cell.log.push(sequence);
    else cell.damage = `its log has position ${position} where ${cell.log.next} should be`;
  }
  return trimmed;
}

/** Index of the first key that is not before `key`. */
function lowerBound(sorted: readonly CellKey[], key: CellKey): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(sorted[middle] as CellKey, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
