import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  checkDetectorSpec,
  type Detector,
  type DetectorSpec,
  detectorOf,
  PARAMETERS,
  restoreDetector,
  type Scored,
} from "../../../../sdk/src/windows/anomaly/index.ts";
import { seededRandom } from "../../../src/base/index.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function specOf(given: object): DetectorSpec {
  const checked = checkDetectorSpec(given);
  return checked.kind === "valid" ? checked.spec : assert.fail(checked.why);
}

/** One of each kind, small enough that what they keep is full after some hundred values. */
const SMALL = [
  { kind: "robustZ", window: 40, warmUp: 10 },
  { kind: "ewma", warmUp: 12 },
  { kind: "seasonal", periodMs: DAY_MS, phases: 12, cycles: 4, window: 40, level: 6 },
  { kind: "rrcf", trees: 12, points: 24, shingle: 3, window: 40, warmUp: 60, share: 0.3 },
].map(specOf);
const DEFAULTS = [{ kind: "robustZ" }, { kind: "ewma" }, { kind: "seasonal", periodMs: DAY_MS }, { kind: "rrcf" }].map(specOf);

/** A daily pattern with noise, a wild value now and then, flat stretches, and a gap. */
function series(seed: number, length: number): readonly { readonly value: number; readonly time: number }[] {
  const random = seededRandom(seed);
  return Array.from({ length }, (_, i) => {
    const wild = random.next() < 0.02 ? 60 * random.next() : 0;
    const noise = random.next() + random.next() + random.next();
    const value = i % 97 < 9 ? 25 : 20 + 10 * Math.sin((2 * Math.PI * i) / 24) + noise + wild;
    return { value, time: (i + (i > length / 2 ? 31 : 0)) * HOUR_MS };
  });
}

const run = (detector: Detector, seed: number, length: number): readonly Scored[] =>
  series(seed, length).map(({ value, time }) => detector.score(value, time));

function restored(bytes: Uint8Array): Detector {
  const outcome = restoreDetector(bytes);
  return outcome.kind === "restored" ? outcome.detector : assert.fail(outcome.why);
}

test("whoever is restored from a snapshot goes on exactly as the one it was taken of, and has the same snapshot", () => {
  for (const spec of [...SMALL, specOf({ kind: "rrcf", trees: 3, points: 9, shingle: 1, warmUp: 9, share: 1 })]) {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer(), (cut, seed) => {
        const first = detectorOf(spec);
        const all = series(seed, 440);
        for (const { value, time } of all.slice(0, cut)) first.score(value, time);
        const second = restored(first.snapshot());
        assert.deepEqual(second.spec, spec);
        assert.deepEqual(second.snapshot(), first.snapshot());
        for (const { value, time } of all.slice(cut)) assert.deepEqual(second.score(value, time), first.score(value, time));
        assert.deepEqual(second.snapshot(), first.snapshot());
      }),
      { seed: 21, numRuns: 12 },
    );
  }
});

test("the same values give the same scores, and another seed another forest", () => {
  for (const spec of SMALL) assert.deepEqual(run(detectorOf(spec), 3, 400), run(detectorOf(spec), 3, 400));
  const forest = specOf({ ...SMALL[3], seed: 2 });
  assert.notDeepEqual(run(detectorOf(forest), 3, 400), run(detectorOf(SMALL[3] ?? forest), 3, 400));
});

const NOT_VALUES: readonly (readonly [unknown, RegExp])[] = [
  [Number.NaN, /^The value is NaN; it has to be/u],
  [Infinity, /^The value is Infinity/u],
  [-Infinity, /^The value is -Infinity/u],
  [1.1e100, /^The value is 1\.1e\+100/u],
  ["31", /^The value is a string/u],
  [null, /^The value is null/u],
  [undefined, /^The value is missing/u],
  [[1], /^The value is a list/u],
  [{ value: 1 }, /^The value is an object/u],
  [3n, /^The value is a bigint/u],
];

test("what is no finite number is refused in words and changes nothing", () => {
  for (const spec of SMALL) {
    const detector = detectorOf(spec);
    run(detector, 5, 150);
    const before = detector.snapshot();
    for (const [value, why] of NOT_VALUES) {
      const scored = detector.score(value, 0);
      assert.deepEqual({ ...scored, why: "" }, { kind: "refused", score: 0, isAnomaly: false, why: "" });
      assert.match(scored.why, why);
    }
    for (const time of [Number.NaN, Infinity, 8.64e15 + 1024]) assert.match(detector.score(1, time).why, /^The time is /u);
    assert.deepEqual(detector.snapshot(), before);
  }
});

test("extreme values and times are judged without ever giving a score that is no number", () => {
  const value = fc.oneof(
    fc.constantFrom(0, -0, 1e100, -1e100, 5e-324, 1e-100, 20),
    fc.double({ min: -1e100, max: 1e100, noNaN: true }),
    fc.integer({ min: 0, max: 2 }),
  );
  const time = fc.oneof(fc.constantFrom(0, -1, 8.64e15, -8.64e15), fc.integer({ min: 0, max: 100 * DAY_MS }));
  for (const spec of [...SMALL, specOf({ kind: "seasonal", periodMs: 2, phases: 2, cycles: 1, cyclesMin: 1, window: 8 })]) {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, time), { maxLength: 150 }), (all) => {
        const detector = detectorOf(spec);
        for (const [each, at] of all) {
          const scored = detector.score(each, at);
          assert.ok(Number.isFinite(scored.score) && scored.score >= 0, `${each} scores ${scored.score}`);
          assert.doesNotMatch(scored.why, /NaN|Infinity|undefined/u);
        }
        assert.equal(restoreDetector(detector.snapshot()).kind, "restored");
      }),
      { seed: 31, numRuns: 40 },
    );
  }
});

test("what a detector holds stops growing, and its snapshot too", () => {
  for (const spec of SMALL) {
    const detector = detectorOf(spec);
    run(detector, 6, 3_000);
    const { bytes } = detector;
    const { length } = detector.snapshot();
    run(detector, 7, 12_000);
    assert.ok(detector.bytes <= bytes * 1.1, `${spec.kind}: ${bytes} bytes, then ${detector.bytes}`);
    assert.ok(detector.snapshot().length <= length * 1.2);
  }
  const sizes = DEFAULTS.map((spec) => {
    const detector = detectorOf(spec);
    run(detector, 8, 1_000);
    return detector.bytes;
  });
  for (const [i, most] of [2_048, 512, 4_096, 3_000_000].entries()) assert.ok((sizes[i] ?? Infinity) <= most, `${sizes.join(" ")} bytes`);
});

test("the robust score is the distance from the median in median deviations, by sorting", () => {
  const detector = detectorOf(specOf({ kind: "robustZ", window: 25, warmUp: 5 }));
  const middle = (values: readonly number[]): number => {
    const sorted = values.toSorted((a, b) => a - b);
    return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
  };
  const all = series(9, 300);
  for (const [i, { value, time }] of all.entries()) {
    const { kind, score } = detector.score(value, time);
    if (i < 5) {
      assert.equal(kind, "learning");
      continue;
    }
    const last = all.slice(Math.max(0, i - 25), i).map((point) => point.value);
    const median = middle(last);
    const spread = middle(last.map((each) => Math.abs(each - median))) * 1.4826;
    if (spread > 0) assert.ok(Math.abs(score - Math.min(1e6, Math.abs(value - median) / spread)) < 1e-9 * (1 + score));
  }
});

test("a first value after a flat series is as unusual as can be said, and a least spread says what does not matter", () => {
  for (const kind of ["robustZ", "ewma"]) {
    const strict = detectorOf(specOf({ kind }));
    const lenient = detectorOf(specOf({ kind, spreadMin: 0.5 }));
    for (let i = 0; i < 200; i++) for (const detector of [strict, lenient]) assert.equal(detector.score(20, i).score, 0);
    assert.equal(strict.score(20.1, 200).score, 1e6);
    const calm = lenient.score(20.1, 200);
    assert.ok(!calm.isAnomaly && Math.abs(calm.score - 0.2) < 1e-9);
    assert.ok(lenient.score(40, 201).isAnomaly);
  }
});

test("an average is used to a lasting change after some values, and one wild value does not hide the next", () => {
  const random = seededRandom(40);
  const noise = (): number => random.next() + random.next() + random.next() - 1.5;
  const detector = detectorOf(specOf({ kind: "ewma" }));
  for (let i = 0; i < 300; i++) detector.score(20 + noise(), i);
  assert.ok(detector.score(1e9, 300).isAnomaly);
  assert.ok(!detector.score(20, 301).isAnomaly);
  assert.ok(detector.score(32, 302).isAnomaly);
  const after = Array.from({ length: 100 }, (_, i) => detector.score(32 + noise(), 303 + i).isAnomaly);
  assert.ok(after.slice(40).every((isAnomaly) => !isAnomaly));
});

test("a season is known by time: gaps shift nothing, the level may move, and a value of another hour is unusual", () => {
  const detector = detectorOf(specOf({ kind: "seasonal", periodMs: DAY_MS }));
  const random = seededRandom(41);
  const at = (hour: number, level: number): Scored =>
    detector.score(level + 10 * Math.sin((2 * Math.PI * hour) / 24) + random.next(), hour * HOUR_MS);
  for (let hour = 0; hour < 240; hour++) at(hour, 50);
  for (let hour = 277; hour < 500; hour++) assert.ok(!at(hour, 50).isAnomaly, `hour ${hour}`);
  assert.ok(detector.score(40, 510 * HOUR_MS).isAnomaly, "the value of 6 pm at 6 am");
  for (let hour = 511; hour < 540; hour++) at(hour, 90);
  for (let hour = 540; hour < 700; hour++) assert.ok(!at(hour, 90).isAnomaly, `hour ${hour} on the new level`);
  // A climb of five a day: the level is always behind by as much, and that is known.
  for (let hour = 700; hour < 1_000; hour++) {
    const { isAnomaly, why } = at(hour, 90 + ((hour - 700) * 5) / 24);
    if (hour > 800) assert.ok(!isAnomaly, `hour ${hour}: ${why}`);
  }
});

test("a value from the far future does not stop a season from being learnt", () => {
  const detector = detectorOf(specOf({ kind: "seasonal", periodMs: DAY_MS }));
  for (let hour = 0; hour < 24; hour++) detector.score(50, 8e15 + hour * HOUR_MS);
  // From the tenth day on six o'clock is another one.
  const all = Array.from({ length: 480 }, (_, hour) =>
    detector.score(hour % 24 === 6 && hour > 240 ? 80 : 50 + (hour % 3), hour * HOUR_MS),
  );
  for (const { kind, isAnomaly, why } of all.slice(400)) assert.ok(kind === "scored" && !isAnomaly, why);
});

function withChecksum(body: Uint8Array): Uint8Array {
  const whole = new Uint8Array(body.length + 4);
  whole.set(body);
  const sum = body.reduce((each, byte) => Math.imul(each ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
  new DataView(whole.buffer).setUint32(body.length, sum, true);
  return whole;
}

test("snapshots that are damaged, of another layout or of no detector are refused in words", () => {
  for (const spec of SMALL) {
    const detector = detectorOf(spec);
    run(detector, 10, 200);
    const bytes = detector.snapshot();
    for (let cut = 0; cut < bytes.length; cut += 1 + (bytes.length >> 6))
      assert.equal(restoreDetector(bytes.subarray(0, cut)).kind, "refused");
    for (const length of [bytes.length - 5, bytes.length - 3]) {
      const outcome = restoreDetector(withChecksum(bytes.slice(0, length)));
      assert.ok(
        outcome.kind === "refused" && /not one that a detector made|no detector there is/u.test(outcome.why),
        JSON.stringify(outcome),
      );
    }
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        const outcome = restoreDetector(damaged);
        assert.ok(outcome.kind === "refused" && /damaged/u.test(outcome.why));
        // With a checksum that fits, whatever it is then: refused, or a detector that scores.
        const made = restoreDetector(withChecksum(damaged.slice(0, -4)));
        if (made.kind === "restored") assert.ok(Number.isFinite(made.detector.score(20, 0).score));
      }),
      { seed: 51, numRuns: 60 },
    );
  }
  assert.equal(restoreDetector(new Uint8Array(3)).kind, "refused");
});

test("a snapshot of a forest in which a leaf without a point stands is refused: such a leaf would never go", () => {
  const detector = detectorOf(specOf({ kind: "rrcf", trees: 2, points: 8, shingle: 2, warmUp: 10 }));
  for (let i = 0; i < 50; i++) detector.score(i * 1.37, i);
  const body = detector.snapshot().slice(0, -4);
  assert.equal(restoreDetector(withChecksum(body)).kind, "restored");
  // The last numbers are the leaves of the last tree in the order of their points: the newest becomes that of the one before.
  body.copyWithin(body.length - 2, body.length - 4, body.length - 2);
  assert.equal(restoreDetector(withChecksum(body)).kind, "refused");
});

test("a spec is read with its defaults, and what is wrong with it is said", () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [null, /an object with a kind/u],
    [[], /an object with a kind/u],
    [{}, /^kind is missing; it has to be one of robustZ, ewma, seasonal, rrcf\.$/u],
    [{ kind: "constructor" }, /^kind is "constructor"/u],
    [{ kind: "robustZ", windw: 3 }, /^windw is unknown; robustZ has window, /u],
    [{ kind: "robustZ", window: 4.5 }, /^window is 4\.5; it has to be a whole number from 4 to 4096: /u],
    [{ kind: "ewma", weight: Number.NaN }, /^weight is NaN/u],
    [{ kind: "ewma", weight: "0.1" }, /^weight is "0\.1"; it has to be a number from 0\.001 to 1/u],
    [{ kind: "seasonal" }, /^periodMs is missing; /u],
    [{ kind: "seasonal", periodMs: DAY_MS, cycles: 2 }, /^cyclesMin is 3, more than the 2 cycles/u],
    [{ kind: "seasonal", periodMs: 10 }, /^phases is 24/u],
    [{ kind: "rrcf", shingle: 20, warmUp: 10 }, /^warmUp is 10/u],
    [{ kind: "rrcf", trees: 256, points: 1_024, shingle: 8 }, /^trees × points × shingle is 2097152/u],
    [{ kind: "rrcf", seed: -1 }, /^seed is -1/u],
  ];
  for (const [given, why] of wrong) {
    const checked = checkDetectorSpec(given);
    assert.ok(checked.kind === "invalid" && why.test(checked.why), `${JSON.stringify(given)}: ${JSON.stringify(checked)}`);
  }
  for (const spec of DEFAULTS) {
    const own = Object.entries(PARAMETERS[spec.kind]).map(([name, { otherwise }]) => [name, otherwise ?? DAY_MS]);
    assert.deepEqual(spec, { kind: spec.kind, ...Object.fromEntries(own) });
    assert.deepEqual(checkDetectorSpec(JSON.parse(JSON.stringify(spec))), { kind: "valid", spec });
  }
});
