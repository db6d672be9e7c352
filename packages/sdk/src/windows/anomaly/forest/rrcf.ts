/**
 * Robust random cut forest over shingles: the last values in a row are one point, and what is unusual is a point that moves many
 * others wherever the trees are cut. Each tree holds a sample that slides: it takes a share of the points and lets its oldest go. How
 * much a point moves depends on the series, so the score says how far that is above what the last points moved.
 */
import { figure, learning, type Model, type Scored } from "../detector.ts";
import { RobustWindow } from "../robust-window.ts";
import { type SnapshotReader, SnapshotWriter } from "../snapshot.ts";
import type { RrcfSpec } from "../spec.ts";
import { PointStore } from "./point-store.ts";
import { RandomCutTree } from "./random-cut-tree.ts";
import { SeededChance } from "./seeded.ts";

/**
 * The share of the last displacements that a new one need not be compared with. Their median says little, because how long their tail
 * is differs from series to series; their largest are anomalies themselves.
 */
const UNUSUAL_SHARE = 0.05;

export class Rrcf implements Model {
  readonly #spec: RrcfSpec;
  readonly #chance: SeededChance;
  readonly #points: PointStore;
  readonly #trees: readonly RandomCutTree[];
  /** The last values, oldest first. */
  readonly #shingle: Float64Array;
  /** The last displacements. */
  readonly #usual: RobustWindow;
  #seen = 0;

  constructor(spec: RrcfSpec) {
    this.#spec = spec;
    this.#chance = new SeededChance(spec.seed);
    const points = new PointStore(spec.shingle);
    this.#points = points;
    this.#trees = Array.from({ length: spec.trees }, () => new RandomCutTree(spec.points, points));
    this.#shingle = new Float64Array(spec.shingle);
    this.#usual = new RobustWindow(spec.window);
  }

  get bytes(): number {
    const trees = this.#trees.reduce((sum, tree) => sum + tree.bytes, 0);
    return trees + this.#points.bytes + this.#shingle.byteLength + this.#usual.bytes;
  }

  judge(value: number): Scored {
    const { shingle, warmUp } = this.#spec;
    this.#shingle.copyWithin(0, 1);
    this.#shingle[shingle - 1] = value;
    const seen = this.#seen;
    this.#seen = Math.min(seen + 1, warmUp);
    if (seen + 1 < shingle) return learning(seen, warmUp);
    const moved = this.#displace();
    const scored = seen < warmUp ? learning(seen, warmUp) : this.#scoreOf(moved);
    // The first points move all there is; that says nothing about later ones.
    if (2 * seen >= warmUp) this.#usual.add(moved);
    return scored;
  }

  write(writer: SnapshotWriter): void {
    writer.whole(this.#seen);
    writer.whole(this.#chance.state);
    writer.floats(this.#shingle);
    this.#usual.write(writer);
    // A point that many trees hold is written once: the points come before the trees, numbered as the trees name them.
    const trees = new SnapshotWriter();
    const numbers = new Map<number, number>();
    const numberOf = (point: number): number => {
      const known = numbers.get(point);
      if (known !== undefined) return known;
      numbers.set(point, numbers.size);
      return numbers.size - 1;
    };
    for (const tree of this.#trees) tree.write(trees, numberOf);
    const { coordinates, dimensions } = this.#points;
    writer.whole(numbers.size);
    for (const point of numbers.keys()) writer.floats(coordinates.subarray(point * dimensions, (point + 1) * dimensions));
    writer.append(trees);
  }

  read(reader: SnapshotReader): void {
    this.#seen = reader.count(this.#spec.warmUp);
    this.#chance.state = reader.whole();
    for (let i = 0; i < this.#shingle.length; i++) this.#shingle[i] = reader.finite();
    this.#usual.read(reader);
    const point = new Float64Array(this.#spec.shingle);
    const numbers: number[] = [];
    const count = reader.count(this.#spec.trees * this.#spec.points);
    for (let i = 0; i < count && reader.isSound; i++) {
      for (let d = 0; d < point.length; d++) point[d] = reader.finite();
      numbers.push(this.#points.add(point));
    }
    for (const tree of this.#trees) if (reader.isSound) tree.read(reader, numbers);
  }

  /** How many points the newest moves, the mean of all trees; then those trees take it whose turn it is. */
  #displace(): number {
    const { share } = this.#spec;
    const point = this.#shingle;
    const number = this.#points.add(point);
    this.#points.hold(number);
    let moved = 0;
    for (const tree of this.#trees) {
      moved += tree.displacement(point, this.#chance);
      if (tree.size < tree.capacity || this.#chance.next() < share) tree.insert(number, point, this.#chance);
    }
    this.#points.letGo(number);
    return moved / this.#trees.length;
  }

  #scoreOf(moved: number): Scored {
    const { threshold, points, shingle } = this.#spec;
    // Equal points in a row move nothing: then one point is what there is to compare with.
    const usual = Math.max(1, this.#usual.above(UNUSUAL_SHARE));
    const score = moved / usual;
    const beside = `${figure(score)} times the ${figure(usual)} that 95 % of the last ${this.#usual.size} stay within (limit ${threshold})`;
    const why = `The last ${shingle} values move ${figure(moved)} of ${points} points, ${beside}.`;
    return { kind: "scored", score, isAnomaly: score > threshold, why };
  }
}
