/**
 * Seasonal baseline: each phase of a period has the median of what it was in the last periods, without the level of then; the
 * level is the median of the last values without their seasons. A wild value moves none of them; a level that moves is taken
 * over after half of `level` values, a pattern that changes after half of `cycles` periods. Which phase a value belongs to
 * follows from its time, so that missing stretches shift nothing.
 */
import { compared, deviationsOf, learning, type Model, type Scored } from "./detector.ts";
import { RobustWindow } from "./robust-window.ts";
import type { SnapshotReader, SnapshotWriter } from "./snapshot.ts";
import type { SeasonalSpec } from "./spec.ts";

/** Values of one phase in one period that its mean is made of; later ones of that period count as much as the last of these. */
const CELL_VALUES_MAX = 65_535;
/** Differences without which the spread is not known. */
const DIFFERENCES_MIN = 32;

export class Seasonal implements Model {
  readonly #spec: SeasonalSpec;
  /** For each phase its means of the last periods, a ring. */
  readonly #means: Float64Array;
  /** For each phase: periods kept, where in the ring the last one stands, values in it, and its number. */
  readonly #kept: Uint8Array;
  readonly #last: Uint8Array;
  readonly #values: Uint16Array;
  readonly #cycle: Float64Array;
  readonly #scratch: Float64Array;
  readonly #level: RobustWindow;
  readonly #differences: RobustWindow;

  constructor(spec: SeasonalSpec) {
    this.#spec = spec;
    this.#means = new Float64Array(spec.phases * spec.cycles);
    this.#kept = new Uint8Array(spec.phases);
    this.#last = new Uint8Array(spec.phases);
    this.#values = new Uint16Array(spec.phases);
    this.#cycle = new Float64Array(spec.phases);
    this.#scratch = new Float64Array(spec.cycles);
    this.#level = new RobustWindow(spec.level);
    this.#differences = new RobustWindow(spec.window);
  }

  get bytes(): number {
    const { phases, cycles } = this.#spec;
    return phases * (cycles * 8 + 12) + cycles * 8 + this.#level.bytes + this.#differences.bytes;
  }

  judge(value: number, time: number): Scored {
    const { periodMs, phases } = this.#spec;
    const cycle = Math.floor(time / periodMs);
    const phase = Math.min(phases - 1, Math.floor(((time - cycle * periodMs) / periodMs) * phases));
    const isKnown = (this.#kept[phase] ?? 0) > 0;
    const season = isKnown ? this.#seasonOf(phase) : 0;
    const level = this.#level.median;
    const scored = this.#scoreOf(value, phase, season + level);
    if (isKnown) {
      this.#differences.add(value - season - level);
      this.#level.add(value - season);
    }
    this.#learn(phase, cycle, value - level);
    return scored;
  }

  write(writer: SnapshotWriter): void {
    const { phases, cycles } = this.#spec;
    for (let phase = 0; phase < phases; phase++) {
      const kept = this.#kept[phase] ?? 0;
      writer.byte(kept);
      if (kept === 0) continue;
      writer.byte(this.#last[phase] ?? 0);
      writer.short(this.#values[phase] ?? 0);
      writer.float(this.#cycle[phase] ?? 0);
      writer.floats(this.#means.subarray(phase * cycles, phase * cycles + kept));
    }
    this.#level.write(writer);
    this.#differences.write(writer);
  }

  read(reader: SnapshotReader): void {
    const { phases, cycles } = this.#spec;
    for (let phase = 0; phase < phases && reader.isSound; phase++) {
      const kept = reader.byte();
      if (!reader.check(kept <= cycles) || kept === 0) continue;
      this.#kept[phase] = kept;
      this.#last[phase] = reader.byte();
      reader.check((this.#last[phase] ?? 0) < kept);
      this.#values[phase] = reader.short();
      reader.check((this.#values[phase] ?? 0) > 0);
      this.#cycle[phase] = reader.finite();
      for (let i = 0; i < kept; i++) this.#means[phase * cycles + i] = reader.finite();
    }
    this.#level.read(reader);
    this.#differences.read(reader);
  }

  #scoreOf(value: number, phase: number, usual: number): Scored {
    const { phases, cyclesMin, threshold, spreadMin } = this.#spec;
    const kept = this.#kept[phase] ?? 0;
    if (kept < cyclesMin) return learning(kept, cyclesMin, `periods of phase ${phase + 1} of ${phases}`);
    const needed = Math.min(DIFFERENCES_MIN, this.#spec.window);
    if (this.#differences.size < needed) return learning(this.#differences.size, needed);
    // A level that keeps moving one way is always behind by as much: the middle of the last differences says by how much.
    const expected = usual + this.#differences.median;
    const score = deviationsOf(value - expected, this.#differences.spread, spreadMin, expected);
    return compared(value, expected, `expected in phase ${phase + 1} of ${phases}`, score, threshold);
  }

  #seasonOf(phase: number): number {
    const { cycles } = this.#spec;
    const kept = this.#kept[phase] ?? 0;
    const sorted = this.#scratch.subarray(0, kept);
    sorted.set(this.#means.subarray(phase * cycles, phase * cycles + kept));
    sorted.sort();
    const upper = kept >> 1;
    return (kept & 1) === 1 ? (sorted[upper] ?? 0) : ((sorted[upper - 1] ?? 0) + (sorted[upper] ?? 0)) / 2;
  }

  /**
   * A value of a period before the phase's last one came too late to be learnt from. Unless that one is further ahead than is
   * remembered: then it was a time from the future, and must not stop what comes after it from being learnt.
   */
  #learn(phase: number, cycle: number, value: number): void {
    const { cycles } = this.#spec;
    const kept = this.#kept[phase] ?? 0;
    const last = this.#last[phase] ?? 0;
    const behind = kept > 0 ? (this.#cycle[phase] ?? 0) - cycle : 0;
    if (behind > 0 && behind <= cycles) return;
    if (kept > 0 && cycle === this.#cycle[phase]) {
      const values = Math.min(CELL_VALUES_MAX, (this.#values[phase] ?? 0) + 1);
      const at = phase * cycles + last;
      const mean = this.#means[at] ?? 0;
      this.#means[at] = mean + (value - mean) / values;
      this.#values[phase] = values;
      return;
    }
    const next = kept === 0 ? 0 : (last + 1) % cycles;
    this.#means[phase * cycles + next] = value;
    this.#kept[phase] = Math.min(cycles, kept + 1);
    this.#last[phase] = next;
    this.#values[phase] = 1;
    this.#cycle[phase] = cycle;
  }
}
