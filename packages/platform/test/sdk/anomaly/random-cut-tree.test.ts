import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PointStore } from "../../../../sdk/src/windows/anomaly/forest/point-store.ts";
import { RandomCutTree } from "../../../../sdk/src/windows/anomaly/forest/random-cut-tree.ts";
import { SeededChance } from "../../../../sdk/src/windows/anomaly/forest/seeded.ts";
import { SnapshotReader, SnapshotWriter } from "../../../../sdk/src/windows/anomaly/snapshot.ts";

type Point = readonly number[];
/** The tree as its snapshot tells it; a leaf has as many `copies` as points were put in that are its own. */
type Node =
  | { readonly kind: "leaf"; readonly point: Point; copies: number }
  | { readonly kind: "inner"; readonly dimension: number; readonly cut: number; readonly left: Node; readonly right: Node };

class Grown {
  readonly points: PointStore;
  readonly tree: RandomCutTree;
  readonly chance: SeededChance;

  constructor(capacity: number, dimensions: number, seed: number) {
    this.points = new PointStore(dimensions);
    this.tree = new RandomCutTree(capacity, this.points);
    this.chance = new SeededChance(seed);
  }

  insert(point: Point): void {
    const coordinates = Float64Array.from(point);
    const number = this.points.add(coordinates);
    this.points.hold(number);
    this.tree.insert(number, coordinates, this.chance);
    this.points.letGo(number);
  }

  displacementOf(point: Point, chance: SeededChance): number {
    return this.tree.displacement(Float64Array.from(point), chance);
  }

  /** The root, and the leaves in the order in which their points came. */
  read(): { readonly root: Node; readonly order: readonly Extract<Node, { kind: "leaf" }>[] } {
    const writer = new SnapshotWriter();
    this.tree.write(writer, (point) => point);
    const reader = new SnapshotReader(writer.bytes());
    const size = reader.whole();
    const leaves: Extract<Node, { kind: "leaf" }>[] = [];
    const node = (): Node => {
      const mark = reader.byte();
      if (mark !== 255) return { kind: "inner", dimension: mark, cut: reader.float(), left: node(), right: node() };
      const at = reader.whole() * this.points.dimensions;
      const leaf = { kind: "leaf" as const, point: [...this.points.coordinates.slice(at, at + this.points.dimensions)], copies: 0 };
      leaves.push(leaf);
      return leaf;
    };
    const root = node();
    const order = Array.from({ length: size }, () => leaves[reader.short()] ?? assert.fail("a place without a leaf"));
    for (const leaf of order) leaf.copies += 1;
    assert.ok(reader.isDone);
    return { root, order };
  }
}

const leavesOf = (node: Node): readonly Extract<Node, { kind: "leaf" }>[] =>
  node.kind === "leaf" ? [node] : [...leavesOf(node.left), ...leavesOf(node.right)];
const countOf = (node: Node): number => leavesOf(node).reduce((sum, { copies }) => sum + copies, 0);
const isSame = (a: Point, b: Point): boolean => a.every((value, d) => value === b[d]);

/** Sum of the depths of all points that are left when those of `without` are taken out. */
function depths(node: Node, without: ReadonlySet<Node>, depth = 0): number {
  if (node.kind === "leaf") return without.has(node) ? 0 : depth * node.copies;
  const isLeft = (child: Node): boolean => leavesOf(child).some((leaf) => !without.has(leaf));
  const below = isLeft(node.left) && isLeft(node.right) ? depth + 1 : depth;
  return depths(node.left, without, below) + depths(node.right, without, below);
}

/**
 * The definition: over all groups of points around the leaf that hang together in the tree, the most that the depths of all others
 * shrink by taking the group out, for each of its members.
 */
function displacementByDefinition(root: Node, leaf: Node): number {
  const groups: Node[] = [];
  for (let node = root; node !== leaf;) {
    if (node.kind === "leaf") return assert.fail("the leaf is not where its cuts lead");
    node = leavesOf(node.left).some((each) => each === leaf) ? node.left : node.right;
    groups.push(node);
  }
  return groups.reduce((most, group) => {
    const taken = new Set<Node>(leavesOf(group));
    const before = depths(root, new Set()) - depthsOf(root, taken);
    return Math.max(most, (before - depths(root, taken)) / countOf(group));
  }, 0);
}

/** Sum of the depths that the points of `those` have. */
function depthsOf(node: Node, those: ReadonlySet<Node>, depth = 0): number {
  if (node.kind === "leaf") return those.has(node) ? depth * node.copies : 0;
  return depthsOf(node.left, those, depth + 1) + depthsOf(node.right, those, depth + 1);
}

/** Each cut parts the points below it, and goes through the box of them. */
function assertCutsPart(node: Node): void {
  if (node.kind === "leaf") return;
  const at = (side: Node): readonly number[] => leavesOf(side).map(({ point }) => point[node.dimension] ?? Number.NaN);
  assert.ok(Math.max(...at(node.left)) <= node.cut && node.cut < Math.min(...at(node.right)));
  assertCutsPart(node.left);
  assertCutsPart(node.right);
}

const coordinate = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.double({ min: -1e3, max: 1e3, noNaN: true }).map((value) => value + 0),
);
const points = fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 40 });

test("the displacement of a point that is not in the tree is that of the definition once it is put in", () => {
  fc.assert(
    fc.property(points, fc.integer(), (all, seed) => {
      const grown = new Grown(64, 2, seed);
      for (const [i, point] of all.entries()) {
        const foreseen = grown.displacementOf(point, new SeededChance(grown.chance.state));
        grown.insert(point);
        const { root, order } = grown.read();
        const leaf = order.at(-1) ?? assert.fail("no leaf");
        assert.ok(isSame(leaf.point, point));
        assert.equal(foreseen, i === 0 ? 0 : displacementByDefinition(root, leaf));
      }
    }),
    { seed: 11, numRuns: 150 },
  );
});

test("a tree holds the last points it was given, and all cuts stay true, whatever came and went", () => {
  fc.assert(
    fc.property(points, fc.integer({ min: 2, max: 12 }), fc.integer(), (all, capacity, seed) => {
      const grown = new Grown(capacity, 2, seed);
      for (const [i, point] of all.entries()) {
        grown.insert(point);
        const { root, order } = grown.read();
        assert.deepEqual(
          order.map((leaf) => leaf.point),
          all.slice(Math.max(0, i + 1 - capacity), i + 1),
        );
        assertCutsPart(root);
        assert.equal(grown.points.size, leavesOf(root).length);
      }
    }),
    { seed: 12, numRuns: 150 },
  );
});

/** How often the root of many trees has exactly these points on one side. */
function shareOfRoots(trees: number, capacity: number, all: readonly Point[], side: readonly Point[]): number {
  let found = 0;
  for (let seed = 0; seed < trees; seed++) {
    const grown = new Grown(capacity, all[0]?.length ?? 0, seed * 7_919 + 1);
    for (const point of all) grown.insert(point);
    const { root } = grown.read();
    if (root.kind === "leaf") continue;
    found += [root.left, root.right].some((half) => {
      const leaves = leavesOf(half);
      return leaves.length === side.length && side.every((point) => leaves.some((leaf) => isSame(leaf.point, point)));
    })
      ? 1
      : 0;
  }
  return found / trees;
}

test("trees are distributed as if built at once, in whatever order points came, also after others were taken out", () => {
  const trees = 4_000;
  // Four deviations of a share of so many trees.
  const assertShare = (found: number, expected: number): void =>
    assert.ok(Math.abs(found - expected) < 4 * Math.sqrt((expected * (1 - expected)) / trees), `${found}, expected ${expected}`);
  const line = [[0], [1], [10]];
  for (const order of [line, line.toReversed(), [[1], [10], [0]]]) assertShare(shareOfRoots(trees, 8, order, [[10]]), 9 / 10);
  const plane = [
    [0, 0],
    [2, 1],
    [2, 6],
  ];
  assertShare(shareOfRoots(trees, 8, plane, [[0, 0]]), 3 / 8);
  assertShare(shareOfRoots(trees, 8, plane.toReversed(), [[2, 6]]), 5 / 8);
  assertShare(shareOfRoots(trees, 3, [[9, 9], [1, 3], [2, 2], ...plane], [[0, 0]]), 3 / 8);
  assertShare(shareOfRoots(trees, 3, [[0, 3], [-50, 1], ...plane.toReversed()], [[2, 6]]), 5 / 8);
});
