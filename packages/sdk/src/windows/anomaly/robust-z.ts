/** Robust z-score: how many robust deviations a value is from the median of the last ones. Wild values move neither. */
import { compared, deviationsOf, learning, type Model, type Scored } from "./detector.ts";
import { RobustWindow } from "./robust-window.ts";
import type { SnapshotReader, SnapshotWriter } from "./snapshot.ts";
import type { RobustZSpec } from "./spec.ts";

export class RobustZ implements Model {
  readonly #spec: RobustZSpec;
  readonly #window: RobustWindow;
  #seen = 0;

  constructor(spec: RobustZSpec) {
    this.#spec = spec;
    this.#window = new RobustWindow(spec.window);
  }

  get bytes(): number {
    return this.#window.bytes;
  }

  judge(value: number): Scored {
    const scored = this.#scoreOf(value);
    this.#window.add(value);
    this.#seen = Math.min(this.#seen + 1, this.#spec.warmUp);
    return scored;
  }

  write(writer: SnapshotWriter): void {
    writer.whole(this.#seen);
    this.#window.write(writer);
  }

  read(reader: SnapshotReader): void {
    this.#seen = reader.count(this.#spec.warmUp);
    this.#window.read(reader);
  }

  #scoreOf(value: number): Scored {
    const { warmUp, threshold, spreadMin } = this.#spec;
    if (this.#seen < warmUp) return learning(this.#seen, warmUp);
    const { median, size } = this.#window;
    const score = deviationsOf(value - median, this.#window.spread, spreadMin, median);
    return compared(value, median, `the median of the last ${size} values`, score, threshold);
  }
}
