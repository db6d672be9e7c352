import type { Step } from "../journal/step.ts";
import { Wake } from "./wake.ts";

/** Bytes of steps that wait for the window: beyond them nothing more is read (P7). @limit */
export const STEPS_BYTES_MAX = 4 * 1_048_576;
/** Bytes of the steps of one commit, beyond a first one that is larger. */
const COMMIT_STEPS_BYTES_MAX = 1_048_576;
/** Steps of one commit. */
const COMMIT_STEPS_MAX = 1_000;

/** What the window is to be told, in order. */
export class StepQueue {
  readonly #waiting: { readonly step: Step; readonly bytes: number }[] = [];
  readonly #filled = new Wake();
  readonly #emptied = new Wake();
  #bytes = 0;

  push(step: Step, bytes = 0): void {
    this.#waiting.push({ step, bytes });
    this.#bytes += bytes;
    this.#filled.wake();
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get hasRoom(): boolean {
    return this.#bytes < STEPS_BYTES_MAX;
  }

  /** Steps for one commit. */
  take(): Step[] {
    const steps: Step[] = [];
    let bytes = 0;
    while (this.#waiting.length > 0 && steps.length < COMMIT_STEPS_MAX) {
      const [next] = this.#waiting;
      if (!next || (steps.length > 0 && bytes + next.bytes > COMMIT_STEPS_BYTES_MAX)) break;
      this.#waiting.shift();
      steps.push(next.step);
      bytes += next.bytes;
    }
    this.#bytes -= bytes;
    if (steps.length > 0) this.#emptied.wake();
    return steps;
  }

  /** Resolves when something was pushed, or `wake` is called. */
  filled(): Promise<void> {
    return this.#filled.wait();
  }

  /** Resolves when something was taken, or `wake` is called. */
  emptied(): Promise<void> {
    return this.#emptied.wait();
  }

  /** For whoever waits and has to look at something else. */
  wake(): void {
    this.#filled.wake();
    this.#emptied.wake();
  }
}
