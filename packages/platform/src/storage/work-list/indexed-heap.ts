/**
 * A binary heap whose entries can be removed from the middle: where an entry lies is kept on the entry itself, through
 * `slots`, so that one entry may be in two heaps.
 */
export interface HeapSlots<T> {
  get(entry: T): number;
  /** -1: not in the heap. */
  set(entry: T, slot: number): void;
}

export class IndexedHeap<T> {
  readonly #entries: T[] = [];
  readonly #before: (left: T, right: T) => boolean;
  readonly #slots: HeapSlots<T>;

  constructor(before: (left: T, right: T) => boolean, slots: HeapSlots<T>) {
    this.#before = before;
    this.#slots = slots;
  }

  get size(): number {
    return this.#entries.length;
  }

  peek(): T | undefined {
    return this.#entries[0];
  }

  push(entry: T): void {
    this.#entries.push(entry);
    this.#rise(entry, this.#entries.length - 1);
  }

  pop(): T | undefined {
    const first = this.#entries[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Nothing happens when `entry` is not in the heap. */
  remove(entry: T): void {
    const slot = this.#slots.get(entry);
    if (slot < 0) return;
    this.#slots.set(entry, -1);
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    this.#rise(last, slot);
    this.#sink(last, this.#slots.get(last));
  }

  clear(): void {
    for (const entry of this.#entries) this.#slots.set(entry, -1);
    this.#entries.length = 0;
  }

  #rise(entry: T, from: number): void {
    let slot = from;
    while (slot > 0) {
      const parentSlot = (slot - 1) >>> 1;
      const parent = this.#entries[parentSlot] as T;
      if (!this.#before(entry, parent)) break;
      this.#place(parent, slot);
      slot = parentSlot;
    }
    this.#place(entry, slot);
  }

  #sink(entry: T, from: number): void {
    let slot = from;
    for (;;) {
      let childSlot = slot * 2 + 1;
      if (childSlot >= this.#entries.length) break;
      const right = this.#entries[childSlot + 1];
      if (right !== undefined && this.#before(right, this.#entries[childSlot] as T)) childSlot += 1;
      const child = this.#entries[childSlot] as T;
      if (!this.#before(child, entry)) break;
      this.#place(child, slot);
      slot = childSlot;
    }
    this.#place(entry, slot);
  }

  #place(entry: T, slot: number): void {
    this.#entries[slot] = entry;
    this.#slots.set(entry, slot);
  }
}
