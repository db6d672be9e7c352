/**
 * Exponentially weighted average: what is expected follows the values, and so does the spread of the differences from it. A
 * difference counts for at most three deviations when it is learnt from: one wild value moves little, a lasting change is
 * followed. Constant time, and four numbers once it is warm.
 */
import { compared, deviationsOf, learning, type Model, type Scored } from "./detector.ts";
import { RobustWindow } from "./robust-window.ts";
import type { SnapshotReader, SnapshotWriter } from "./snapshot.ts";
import type { EwmaSpec } from "./spec.ts";

/** Deviations for which a difference counts at most when it is learnt from. */
const LEARNT_DEVIATIONS_MAX = 3;

type State = { readonly kind: "learning"; readonly first: RobustWindow } | { readonly kind: "warm"; expected: number; variance: number };

export class Ewma implements Model {
  readonly #spec: EwmaSpec;
  #state: State;

  constructor(spec: EwmaSpec) {
    this.#spec = spec;
    this.#state = { kind: "learning", first: new RobustWindow(spec.warmUp) };
  }

  get bytes(): number {
    return this.#state.kind === "learning" ? this.#state.first.bytes : 16;
  }

  judge(value: number): Scored {
    const { warmUp, threshold, spreadMin } = this.#spec;
    const state = this.#state;
    if (state.kind === "learning") {
      const scored = learning(state.first.size, warmUp);
      state.first.add(value);
      if (state.first.size === warmUp) this.#state = { kind: "warm", expected: state.first.median, variance: state.first.spread ** 2 };
      return scored;
    }
    const { expected } = state;
    const score = deviationsOf(value - expected, Math.sqrt(state.variance), spreadMin, expected);
    this.#learn(state, value);
    return compared(value, expected, "what the average of the last values leads to expect", score, threshold);
  }

  write(writer: SnapshotWriter): void {
    const state = this.#state;
    writer.byte(state.kind === "learning" ? 0 : 1);
    if (state.kind === "learning") return state.first.write(writer);
    writer.float(state.expected);
    writer.float(state.variance);
  }

  read(reader: SnapshotReader): void {
    const phase = reader.byte();
    reader.check(phase <= 1);
    if (phase === 1) this.#state = { kind: "warm", expected: reader.finite(), variance: reader.finite() };
    else if (this.#state.kind === "learning") this.#state.first.read(reader);
  }

  #learn(state: Extract<State, { kind: "warm" }>, value: number): void {
    const { weight, spreadWeight } = this.#spec;
    const difference = value - state.expected;
    // After a perfectly flat start there is no deviation to cut at: the first difference is what there is to learn.
    const most = LEARNT_DEVIATIONS_MAX * Math.sqrt(state.variance);
    const learnt = most > 0 ? Math.max(-most, Math.min(most, difference)) : difference;
    state.expected += weight * learnt;
    state.variance += spreadWeight * (learnt * learnt - state.variance);
  }
}
