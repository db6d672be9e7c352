import { rowChecksum } from "./checksum.ts";

/** Where a cell stands: its revision, the first position its log keeps, and the next one it gives. */
export interface Head {
  readonly revision: number;
  readonly first: number;
  readonly next: number;
}

/** Cells whose heads share a row: a transaction over 64 neighbouring cells writes one or two rows, not 64. */
const CELLS_PER_BLOCK = 64;
/** Three numbers and their checksum. */
const HEAD_BYTES = 28;
const NOTHING = new Uint8Array(0);

/** The number of the block a cell's head is in. */
export function blockOf(cell: number): number {
  return Math.floor(cell / CELLS_PER_BLOCK);
}

/** All heads as they are stored, 28 bytes a cell, kept by the owner so that a block can be written without reading it. */
export class HeadBlocks {
  readonly #blocks = new Map<number, Buffer>();

  /** Sets a cell's head and returns the number of the block that is to be written. */
  set(cell: number, head: Head): number {
    const number = blockOf(cell);
    const known = this.#blocks.get(number);
    const block = known ?? Buffer.alloc(CELLS_PER_BLOCK * HEAD_BYTES);
    if (!known) this.#blocks.set(number, block);
    const at = (cell % CELLS_PER_BLOCK) * HEAD_BYTES;
    block.writeDoubleLE(head.revision, at);
    block.writeDoubleLE(head.first, at + 8);
    block.writeDoubleLE(head.next, at + 16);
    block.writeUInt32LE(rowChecksum(cell, NOTHING, block.subarray(at, at + 24)), at + 24);
    return number;
  }

  /** The cell's head; `undefined` when it is not there or does not have its checksum. */
  get(cell: number): Head | undefined {
    const block = this.#blocks.get(blockOf(cell));
    const at = (cell % CELLS_PER_BLOCK) * HEAD_BYTES;
    if (!block || rowChecksum(cell, NOTHING, block.subarray(at, at + 24)) !== block.readUInt32LE(at + 24)) return undefined;
    return { revision: block.readDoubleLE(at), first: block.readDoubleLE(at + 8), next: block.readDoubleLE(at + 16) };
  }

  block(number: number): Uint8Array {
    return this.#blocks.get(number) ?? NOTHING;
  }

  /** Takes over a block as it was read; one of another length is as good as none. */
  load(number: number, data: Uint8Array): void {
    if (data.byteLength === CELLS_PER_BLOCK * HEAD_BYTES) this.#blocks.set(number, Buffer.from(data));
  }
}
