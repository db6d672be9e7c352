/**
 * One robust random cut tree over the last points it was given (Guha, Mishra, Roy, Schrijvers: Robust Random Cut Forest Based
 * Anomaly Detection On Streams, ICML 2016). A node's cut is a dimension drawn in proportion to its box's side and a place drawn
 * evenly on that side. Putting a point in and taking one out change only what they must, and leave a tree of the same distribution as
 * one built anew of the points that are left.
 *
 * Nodes are numbers: inner ones from 0, leaves from `capacity - 1`; NONE is no node. Equal points share a leaf.
 */
import type { SnapshotReader, SnapshotWriter } from "../snapshot.ts";
import type { PointStore } from "./point-store.ts";
import type { SeededChance } from "./seeded.ts";

export const NONE = -1;
/** Marks a leaf where a snapshot has a dimension. */
const LEAF_MARK = 255;

/** The first node of a way down that the new point does not belong below, and the cut that keeps it apart. */
interface Parting {
  /** The node that becomes the new leaf's sibling; the leaf itself where it holds the same point. */
  at: number;
  isSame: boolean;
  dimension: number;
  cut: number;
  isLeft: boolean;
}

export class RandomCutTree {
  readonly capacity: number;
  readonly #points: PointStore;
  readonly #dimensions: number;
  readonly #leafBase: number;
  readonly #left: Int16Array;
  readonly #right: Int16Array;
  readonly #parent: Int16Array;
  /** Points below a node, equal ones counted each. */
  readonly #count: Uint16Array;
  readonly #cutDimension: Uint8Array;
  readonly #cut: Float64Array;
  /** For each inner node the least and the largest of each dimension. */
  readonly #box: Float64Array;
  readonly #pointOf: Uint32Array;
  /** Leaves in the order in which their points came, a ring: the oldest goes first. */
  readonly #order: Int16Array;
  readonly #freeInner: number[];
  readonly #freeLeaves: number[];
  readonly #parting: Parting = { at: NONE, isSame: false, dimension: 0, cut: 0, isLeft: false };
  #oldest = 0;
  #size = 0;
  #root = NONE;

  constructor(capacity: number, points: PointStore) {
    this.capacity = capacity;
    this.#points = points;
    this.#dimensions = points.dimensions;
    this.#leafBase = capacity - 1;
    this.#left = new Int16Array(capacity - 1);
    this.#right = new Int16Array(capacity - 1);
    this.#parent = new Int16Array(2 * capacity - 1);
    this.#count = new Uint16Array(2 * capacity - 1);
    this.#cutDimension = new Uint8Array(capacity - 1);
    this.#cut = new Float64Array(capacity - 1);
    this.#box = new Float64Array((capacity - 1) * 2 * this.#dimensions);
    this.#pointOf = new Uint32Array(capacity);
    this.#order = new Int16Array(capacity);
    this.#freeInner = Array.from({ length: capacity - 1 }, (_, i) => capacity - 2 - i);
    this.#freeLeaves = Array.from({ length: capacity }, (_, i) => 2 * capacity - 2 - i);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    const inner = this.capacity - 1;
    return inner * (2 + 2 + 1 + 8 + 16 * this.#dimensions) + (inner + this.capacity) * (4 + 8) + this.capacity * 6;
  }

  /**
   * The collusive displacement that `point` would have if it were put in now: over all groups of points around it, the most that
   * the others move by the group's absence, for each member of the group. 0 in an empty tree.
   */
  displacement(point: Float64Array, chance: SeededChance): number {
    return this.#root === NONE ? 0 : this.#descend(point, chance);
  }

  /** Puts the point with this number in; a full tree lets its oldest go first. */
  insert(number: number, point: Float64Array, chance: SeededChance): void {
    if (this.#size === this.capacity) this.#removeOldest();
    const leaf = this.#root === NONE ? this.#newLeaf(number) : this.#place(number, point, chance);
    if (this.#root === NONE) this.#setRoot(leaf);
    this.#order[(this.#oldest + this.#size) % this.capacity] = leaf;
    this.#size += 1;
  }

  /** Way down from the root; `#parting` is where it ends. Gives the displacement that a point put in there has. */
  #descend(point: Float64Array, chance: SeededChance): number {
    const leafBase = this.#leafBase;
    let node = this.#root;
    let most = 0;
    while (node < leafBase) {
      const excess = this.#excess(point, node);
      if (excess > 0) {
        const drawn = chance.next() * (excess + this.#boxSides(node));
        if (drawn < excess) return Math.max(most, this.#part(point, node, drawn));
      }
      const isLeft = (point[this.#cutDimension[node] ?? 0] ?? 0) <= (this.#cut[node] ?? 0);
      const next = (isLeft ? this.#left[node] : this.#right[node]) ?? NONE;
      const below = this.#count[next] ?? 0;
      const moved = ((this.#count[node] ?? 0) - below) / (below + 1);
      if (moved > most) most = moved;
      node = next;
    }
    const distance = this.#distance(point, node);
    if (distance > 0) return Math.max(most, this.#part(point, node, chance.next() * distance));
    this.#parting.at = node;
    this.#parting.isSame = true;
    return most;
  }

  /** By how much the inner node's box would have to grow for the point, all sides together. */
  #excess(point: Float64Array, node: number): number {
    const dimensions = this.#dimensions;
    const box = this.#box;
    const low = node * 2 * dimensions;
    const high = low + dimensions;
    let excess = 0;
    for (let d = 0; d < dimensions; d++) {
      const value = point[d] ?? 0;
      const least = box[low + d] ?? 0;
      const largest = box[high + d] ?? 0;
      if (value < least) excess += least - value;
      else if (value > largest) excess += value - largest;
    }
    return excess;
  }

  /** The same of a leaf: how far its point is, all dimensions together. */
  #distance(point: Float64Array, leaf: number): number {
    const at = (this.#pointOf[leaf - this.#leafBase] ?? 0) * this.#dimensions;
    let distance = 0;
    for (let d = 0; d < this.#dimensions; d++) distance += Math.abs((point[d] ?? 0) - (this.#points.coordinates[at + d] ?? 0));
    return distance;
  }

  #boxSides(node: number): number {
    const dimensions = this.#dimensions;
    const low = node * 2 * dimensions;
    let sides = 0;
    for (let d = 0; d < dimensions; d++) sides += (this.#box[low + dimensions + d] ?? 0) - (this.#box[low + d] ?? 0);
    return sides;
  }

  /** Where a node's least and largest coordinates stand; a leaf's are its point. */
  #boundsOf(node: number): readonly [Float64Array, number, number] {
    const dimensions = this.#dimensions;
    if (node < this.#leafBase) return [this.#box, node * 2 * dimensions, node * 2 * dimensions + dimensions];
    const at = (this.#pointOf[node - this.#leafBase] ?? 0) * dimensions;
    return [this.#points.coordinates, at, at];
  }

  /** The cut `drawn` along what the box would have to grow; gives how many points the new one moves there. */
  #part(point: Float64Array, node: number, drawn: number): number {
    const [box, low, high] = this.#boundsOf(node);
    const parting = this.#parting;
    parting.at = node;
    parting.isSame = false;
    let rest = drawn;
    for (let d = 0; d < this.#dimensions; d++) {
      const value = point[d] ?? 0;
      const least = box[low + d] ?? 0;
      const largest = box[high + d] ?? 0;
      if (value >= least && value <= largest) continue;
      const isLeft = value < least;
      const from = isLeft ? value : largest;
      const to = isLeft ? least : value;
      parting.dimension = d;
      parting.isLeft = isLeft;
      // Rounding may carry the cut to the far end, where it would part nothing.
      const cut = from + Math.max(0, rest);
      parting.cut = cut < to ? cut : from;
      if (rest < to - from) break;
      rest -= to - from;
    }
    return this.#count[node] ?? 0;
  }

  #place(number: number, point: Float64Array, chance: SeededChance): number {
    this.#descend(point, chance);
    const { at, isSame, dimension, cut, isLeft } = this.#parting;
    if (isSame) {
      this.#addAbove(at, 1);
      return at;
    }
    const leaf = this.#newLeaf(number);
    const inner = this.#freeInner.pop() ?? NONE;
    const parent = this.#parent[at] ?? NONE;
    this.#cutDimension[inner] = dimension;
    this.#cut[inner] = cut;
    this.#left[inner] = isLeft ? leaf : at;
    this.#right[inner] = isLeft ? at : leaf;
    this.#count[inner] = (this.#count[at] ?? 0) + 1;
    this.#replaceChild(parent, at, inner);
    this.#parent[at] = inner;
    this.#parent[leaf] = inner;
    this.#fitBox(inner);
    for (let node = parent; node !== NONE; node = this.#parent[node] ?? NONE) {
      this.#count[node] = (this.#count[node] ?? 0) + 1;
      this.#widenBox(node, point);
    }
    return leaf;
  }

  #removeOldest(): void {
    const leaf = this.#order[this.#oldest] ?? NONE;
    this.#oldest = (this.#oldest + 1) % this.capacity;
    this.#size -= 1;
    this.#addAbove(leaf, -1);
    if ((this.#count[leaf] ?? 0) > 0) return;
    this.#points.letGo(this.#pointOf[leaf - this.#leafBase] ?? 0);
    this.#freeLeaves.push(leaf);
    const parent = this.#parent[leaf] ?? NONE;
    if (parent === NONE) {
      this.#root = NONE;
      return;
    }
    const sibling = (this.#left[parent] === leaf ? this.#right[parent] : this.#left[parent]) ?? NONE;
    const above = this.#parent[parent] ?? NONE;
    this.#replaceChild(above, parent, sibling);
    this.#freeInner.push(parent);
    // Boxes above shrink as far as the point was at their edge, and no further up than one that stays.
    for (let node = above; node !== NONE && this.#fitBox(node); node = this.#parent[node] ?? NONE);
  }

  #newLeaf(number: number): number {
    const leaf = this.#freeLeaves.pop() ?? NONE;
    this.#pointOf[leaf - this.#leafBase] = number;
    this.#points.hold(number);
    this.#count[leaf] = 1;
    return leaf;
  }

  #setRoot(node: number): void {
    this.#root = node;
    this.#parent[node] = NONE;
  }

  #replaceChild(parent: number, old: number, child: number): void {
    if (parent === NONE) return this.#setRoot(child);
    if (this.#left[parent] === old) this.#left[parent] = child;
    else this.#right[parent] = child;
    this.#parent[child] = parent;
  }

  /** From the leaf to the root. */
  #addAbove(leaf: number, change: number): void {
    for (let node = leaf; node !== NONE; node = this.#parent[node] ?? NONE) this.#count[node] = (this.#count[node] ?? 0) + change;
  }

  #widenBox(node: number, point: Float64Array): void {
    const low = node * 2 * this.#dimensions;
    const high = low + this.#dimensions;
    for (let d = 0; d < this.#dimensions; d++) {
      const value = point[d] ?? 0;
      if (value < (this.#box[low + d] ?? 0)) this.#box[low + d] = value;
      if (value > (this.#box[high + d] ?? 0)) this.#box[high + d] = value;
    }
  }

  /** Makes the node's box that of its children; tells whether it changed. */
  #fitBox(node: number): boolean {
    const [leftBox, leftLow, leftHigh] = this.#boundsOf(this.#left[node] ?? NONE);
    const [rightBox, rightLow, rightHigh] = this.#boundsOf(this.#right[node] ?? NONE);
    const low = node * 2 * this.#dimensions;
    const high = low + this.#dimensions;
    let changed = false;
    for (let d = 0; d < this.#dimensions; d++) {
      const least = Math.min(leftBox[leftLow + d] ?? 0, rightBox[rightLow + d] ?? 0);
      const largest = Math.max(leftBox[leftHigh + d] ?? 0, rightBox[rightHigh + d] ?? 0);
      changed ||= least !== this.#box[low + d] || largest !== this.#box[high + d];
      this.#box[low + d] = least;
      this.#box[high + d] = largest;
    }
    return changed;
  }

  /** The tree from the root, children after their parents, left before right; then in which order its points came. */
  write(writer: SnapshotWriter, numberOf: (point: number) => number): void {
    writer.whole(this.#size);
    if (this.#root === NONE) return;
    const places = new Map<number, number>();
    const open = [this.#root];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node >= this.#leafBase) {
        places.set(node, places.size);
        writer.byte(LEAF_MARK);
        writer.whole(numberOf(this.#pointOf[node - this.#leafBase] ?? 0));
      } else {
        writer.byte(this.#cutDimension[node] ?? 0);
        writer.float(this.#cut[node] ?? 0);
        open.push(this.#right[node] ?? NONE, this.#left[node] ?? NONE);
      }
    }
    for (let i = 0; i < this.#size; i++) writer.short(places.get(this.#order[(this.#oldest + i) % this.capacity] ?? NONE) ?? 0);
  }

  /** Into an empty tree; `points` are those that `write` numbered. */
  read(reader: SnapshotReader, points: readonly number[]): void {
    const size = reader.count(this.capacity);
    if (size === 0) return;
    const leaves: number[] = [];
    const inner: number[] = [];
    const open: (readonly [parent: number, isLeft: boolean])[] = [[NONE, true]];
    for (let slot = open.pop(); slot !== undefined && reader.isSound; slot = open.pop()) {
      const [parent, isLeft] = slot;
      const mark = reader.byte();
      const node = mark === LEAF_MARK ? this.#readLeaf(reader, points) : this.#readInner(reader, mark);
      if (!reader.check(node !== NONE)) return;
      this.#parent[node] = parent;
      if (parent === NONE) this.#root = node;
      else if (isLeft) this.#left[parent] = node;
      else this.#right[parent] = node;
      if (mark === LEAF_MARK) {
        leaves.push(node);
        continue;
      }
      inner.push(node);
      open.push([node, false], [node, true]);
    }
    for (let i = 0; i < size && reader.isSound; i++) this.#readOrder(reader, i, leaves);
    // Children stand after their parents: backwards, both boxes of a node are known before its own.
    for (const node of inner.toReversed()) if (reader.isSound) this.#fitBox(node);
    for (const leaf of leaves) reader.check((this.#count[leaf] ?? 0) > 0);
  }

  #readLeaf(reader: SnapshotReader, points: readonly number[]): number {
    const number = points[reader.whole()];
    if (number === undefined || this.#freeLeaves.length === 0) return NONE;
    const leaf = this.#newLeaf(number);
    this.#count[leaf] = 0;
    return leaf;
  }

  #readInner(reader: SnapshotReader, dimension: number): number {
    const node = dimension < this.#dimensions ? (this.#freeInner.pop() ?? NONE) : NONE;
    if (node === NONE) return NONE;
    this.#cutDimension[node] = dimension;
    this.#cut[node] = reader.finite();
    this.#count[node] = 0;
    return node;
  }

  #readOrder(reader: SnapshotReader, at: number, leaves: readonly number[]): void {
    const leaf = leaves[reader.short()];
    if (!reader.check(leaf !== undefined) || leaf === undefined) return;
    this.#order[at] = leaf;
    this.#size = at + 1;
    this.#addAbove(leaf, 1);
  }
}
