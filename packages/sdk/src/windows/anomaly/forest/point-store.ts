/** The points of all trees of a forest, each kept once and as long as a tree holds it. */

/** Points there is room for at first. */
const ROOM_AT_FIRST = 64;

export class PointStore {
  readonly dimensions: number;
  /** A point's coordinates begin at its number times `dimensions`. */
  coordinates: Float64Array;
  #holders: Uint16Array;
  /** Numbers that were given back. */
  readonly #free: number[] = [];
  #used = 0;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.coordinates = new Float64Array(ROOM_AT_FIRST * dimensions);
    this.#holders = new Uint16Array(ROOM_AT_FIRST);
  }

  get bytes(): number {
    return this.coordinates.byteLength + this.#holders.byteLength + this.#free.length * 8;
  }

  /** Points that some tree holds. */
  get size(): number {
    return this.#used - this.#free.length;
  }

  /** Puts a point in, held by nobody yet: `hold` it, or `letGo` of it at once. */
  add(point: Float64Array): number {
    const at = this.#free.pop() ?? this.#used++;
    if (at >= this.#holders.length) this.#grow();
    this.coordinates.set(point, at * this.dimensions);
    this.#holders[at] = 0;
    return at;
  }

  hold(at: number): void {
    this.#holders[at] = (this.#holders[at] ?? 0) + 1;
  }

  /** One holder less; without any the point's place is free. */
  letGo(at: number): void {
    const left = (this.#holders[at] ?? 0) - 1;
    if (left > 0) this.#holders[at] = left;
    else this.#free.push(at);
  }

  #grow(): void {
    const coordinates = new Float64Array(this.coordinates.length * 2);
    coordinates.set(this.coordinates);
    this.coordinates = coordinates;
    const holders = new Uint16Array(this.#holders.length * 2);
    holders.set(this.#holders);
    this.#holders = holders;
  }
}
