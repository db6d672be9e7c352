import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyedWindows, type Pane, type SetAside, SNAPSHOT_BLOCK_BYTES_MAX, SnapshotFault } from "../../../../sdk/src/windows/index.ts";
import { EVERY_AGGREGATE } from "./by-definition.ts";
import { definition, windowsOf } from "./given.ts";

type Input =
  | { readonly kind: "record"; readonly source: number; readonly key: string; readonly step: number; readonly value: number }
  | { readonly kind: "idle"; readonly source: number }
  | { readonly kind: "close"; readonly source: number }
  | { readonly kind: "open"; readonly source: number }
  | { readonly kind: "forget"; readonly key: string };

const source = fc.nat(2);
const key = fc.constantFrom("a", "b", "ü");
const input: fc.Arbitrary<Input> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant("record" as const),
      source,
      key,
      step: fc.integer({ min: -20, max: 30 }),
      value: fc.double({ noNaN: false, min: -1e6, max: 1e6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("idle" as const, "close" as const, "open" as const), source }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const), key }) },
);

const window = fc.constantFrom(
  ...[
    { kind: "tumbling", sizeMs: 20 },
    { kind: "hopping", sizeMs: 30, everyMs: 10, offsetMs: 3 },
    { kind: "sliding", sizeMs: 25 },
  ],
  ...[
    { kind: "session", gapMs: 9 },
    { kind: "session", gapMs: 9, sizeMsMax: 30 },
    { kind: "tumblingCount", size: 4 },
  ],
  ...[
    { kind: "slidingCount", size: 5 },
    { kind: "rolling", size: 3, order: "time" },
    { kind: "rolling", size: 3 },
  ],
);
const waiting = fc.record({
  allowedLatenessMs: fc.constantFrom(0, 15, 60),
  trigger: fc.record({
    early: fc.constantFrom({ count: 2 }, { everyMs: 7 }, { count: 3, everyMs: 5 }),
    late: fc.record({ count: fc.integer({ min: 1, max: 3 }) }),
    panes: fc.constantFrom("accumulating", "discarding"),
  }),
});
const given = fc
  .record({ window, waiting, outOfOrdernessMs: fc.constantFrom(0, 10, 40), jumpMsMax: fc.constantFrom(60, 1_000) })
  .map((all) => ({
    ...{ window: all.window, outOfOrdernessMs: all.outOfOrdernessMs, jumpMsMax: all.jumpMsMax, late: "output" },
    ...(/^(tumbling|hopping|session)$/u.test(all.window.kind) ? all.waiting : {}),
    aggregates: { ...EVERY_AGGREGATE, variance: "variance" },
  }));

function feed(windows: KeyedWindows, inputs: readonly Input[], from: number): number {
  let now = from;
  for (const each of inputs) {
    if (each.kind === "record") windows.add(each.source, each.key, (now += each.step), each.value);
    else if (each.kind === "idle") windows.idle(each.source);
    else if (each.kind === "close") windows.closeSource(each.source);
    else if (each.kind === "open") windows.openSource(each.source);
    else windows.forget(each.key);
  }
  return now;
}

test("windows restored from a snapshot tell exactly what those tell that were never stopped", () => {
  const limits = { keysMax: 3, panesMax: 12, bufferedMax: 20, bytesMax: 60_000 };
  const property = fc.property(given, fc.array(input, { maxLength: 60 }), fc.array(input, { maxLength: 60 }), (asked, before, after) => {
    const { windows, panes, aside } = windowsOf(asked, limits);
    const now = feed(windows, before, 0);
    const restored: { readonly panes: Pane[]; readonly aside: SetAside[] } = { panes: [], aside: [] };
    const output = {
      pane: (pane: Pane) => void restored.panes.push(pane),
      setAside: (record: SetAside) => void restored.aside.push(record),
    };
    const again = KeyedWindows.restore(definition(asked), output, windows.snapshot(), limits);
    assert.deepEqual([again.size, again.counts, again.watermark], [windows.size, windows.counts, windows.watermark]);
    panes.length = 0;
    aside.length = 0;
    for (const each of [windows, again]) {
      feed(each, after, now);
      each.finish();
    }
    // As JSON says it, which knows no -0.
    assert.equal(JSON.stringify(restored), JSON.stringify({ panes, aside }));
    assert.deepEqual(again.counts, windows.counts);
  });
  fc.assert(property, { numRuns: 400, seed: 20_261_122 });
});

test("windows that are let go on piece by piece tell what those tell that do all at once", () => {
  const inputs = fc.array(input, { maxLength: 60 });
  const property = fc.property(given, inputs, inputs, fc.integer({ min: 1, max: 3 }), (asked, before, after, stepsMax) => {
    const { windows, panes, aside } = windowsOf(asked);
    const told: { readonly panes: Pane[]; readonly aside: SetAside[] } = { panes: [], aside: [] };
    const output = {
      pane: (pane: Pane) => void told.panes.push(pane),
      setAside: (record: SetAside) => void told.aside.push(record),
    };
    let pieces = new KeyedWindows(definition(asked), output, {}, stepsMax);
    const now = feed(windows, before, 0);
    feed(pieces, before, 0);
    const restoring = KeyedWindows.restoring(definition(asked), output, pieces.snapshot(), {}, stepsMax);
    for (let next = restoring.next(); ; next = restoring.next()) {
      if (next.done !== true) continue;
      pieces = next.value;
      break;
    }
    // Whoever does not go on by himself is gone on for.
    let at = now;
    for (const [turn, each] of after.entries()) {
      at = feed(pieces, [each], at);
      for (; turn % 2 === 0 && pieces.isBehind; pieces.goOn());
    }
    feed(windows, after, now);
    for (const each of [windows, pieces]) each.finish();
    for (; pieces.isBehind; pieces.goOn());
    assert.equal(JSON.stringify(told), JSON.stringify({ panes, aside }));
    assert.deepEqual([pieces.size, pieces.counts], [windows.size, windows.counts]);
  });
  fc.assert(property, { numRuns: 400, seed: 20_261_122 });
});

test("a record that ends many windows ends as many at once as it may, and the others when it is let go on", () => {
  const panes: Pane[] = [];
  const asked = { window: { kind: "tumbling", sizeMs: 10 }, aggregates: { count: "count" } };
  const windows = new KeyedWindows(definition(asked), { pane: (pane) => void panes.push(pane) }, {}, 100);
  for (let key = 0; key < 1_000; key++) windows.add(0, `key-${key}`, 1, 1);
  windows.add(0, "last", 20, 1);
  assert.deepEqual([panes.length, windows.isBehind], [100, true]);
  for (let told = 200; told <= 1_000; told += 100) {
    windows.goOn();
    assert.equal(panes.length, told);
  }
  windows.goOn();
  assert.deepEqual([panes.length, windows.isBehind], [1_000, false]);
});

test("sketches that have grown are taken up as they were", () => {
  const asked = {
    window: { kind: "session", gapMs: 10 },
    aggregates: { distinct: "distinct", top: { topK: 3 }, quantiles: { quantiles: [0.1, 0.9] }, collect: { collect: 100 } },
  };
  const { windows, panes } = windowsOf(asked);
  for (let at = 0; at < 5_000; at++) windows.add(0, "a", Math.floor(at / 10), (at * 7_919) % 4_001);
  const restored: Pane[] = [];
  const again = KeyedWindows.restore(definition(asked), { pane: (pane) => restored.push(pane) }, windows.snapshot());
  for (const each of [windows, again]) {
    for (let at = 0; at < 3_000; at++) each.add(0, "a", 500, at % 3_001);
    each.finish();
  }
  assert.equal(panes.length, 1);
  assert.deepEqual(restored, panes);
});

test(`blocks are at most ${SNAPSHOT_BLOCK_BYTES_MAX} bytes, also with values that are longer than one`, () => {
  const asked = { window: { kind: "rolling", size: 3 }, aggregates: {} };
  const { windows } = windowsOf(asked);
  const long = "ü".repeat(700_000);
  for (let at = 0; at < 4; at++) windows.add(0, "a", at, { at, long });
  const blocks = [...windows.snapshot()];
  assert.equal(blocks.length, 5);
  assert.ok(blocks.every(({ length }) => length > 0 && length <= SNAPSHOT_BLOCK_BYTES_MAX));
  const panes: Pane[] = [];
  const cut = blocks.flatMap((block) => [block.subarray(0, 333), block.subarray(333)]);
  KeyedWindows.restore(definition(asked), { pane: (pane) => panes.push(pane) }, cut).add(0, "a", 4, "end");
  assert.deepEqual(panes[0]?.data, [{ at: 2, long }, { at: 3, long }, "end"]);
});

test("a snapshot that is cut, longer, of nothing, or of another definition is refused", () => {
  const asked = { window: { kind: "sliding", sizeMs: 10 }, aggregates: { mean: "mean", first: "first" }, outOfOrdernessMs: 2 };
  const { windows } = windowsOf(asked);
  for (let at = 0; at < 9; at++) windows.add(0, "a", at, at);
  const whole = Buffer.concat([...windows.snapshot()]);
  const restore = (bytes: Uint8Array, to: object = asked): KeyedWindows =>
    KeyedWindows.restore(definition(to), { pane: () => undefined }, [bytes]);
  assert.equal(restore(whole).size.panes, 7);
  for (let length = 0; length < whole.length; length++) assert.throws(() => restore(whole.subarray(0, length)), SnapshotFault);
  assert.throws(() => restore(Buffer.concat([whole, Buffer.of(0)])), SnapshotFault);
  assert.throws(() => restore(Buffer.from("no snapshot")), SnapshotFault);
  assert.throws(() => restore(whole, { ...asked, aggregates: { mean: "mean", first: "last" } }), /first was "first" and is "last"/u);
  assert.equal(restore(whole, { ...asked, outOfOrdernessMs: 5 }).size.buffered, 2);
});
