import type { Clock, MonotonicMs, Timer } from "../base/index.ts";

/** `/tmp` is counted at most this often: a count walks all that lies there. */
export const TMP_COUNT_PAUSE_MS = 1_000;

export interface TmpWatchParts {
  readonly clock: Clock;
  /** Bytes now in `/tmp`. */
  readonly count: () => Promise<number>;
  readonly bytesMax: number;
  /** Told once, with what was counted. */
  readonly over: (bytes: number) => void;
}

type State =
  | { readonly kind: "quiet"; readonly countedMs: MonotonicMs }
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "counting"; readonly again: boolean }
  | { readonly kind: "ended" };

/**
 * Counts an instance's `/tmp` behind its calls, where nothing bounds it exactly. Off the way of any call, and never
 * while none ends (P6): between two calls nothing should grow, and what a call left is seen after it.
 */
export class TmpWatch {
  readonly #parts: TmpWatchParts;
  #state: State = { kind: "quiet", countedMs: -Infinity };

  constructor(parts: TmpWatchParts) {
    this.#parts = parts;
  }

  callEnded(): void {
    if (this.#state.kind === "counting") this.#state = { kind: "counting", again: true };
    if (this.#state.kind !== "quiet") return;
    const { clock } = this.#parts;
    const waitMs = Math.max(0, this.#state.countedMs + TMP_COUNT_PAUSE_MS - clock.monotonicMs());
    this.#state = { kind: "waiting", timer: clock.schedule(waitMs, () => void this.#count()) };
  }

  close(): void {
    if (this.#state.kind === "waiting") this.#state.timer.cancel();
    this.#state = { kind: "ended" };
  }

  async #count(): Promise<void> {
    this.#state = { kind: "counting", again: false };
    const bytes = await this.#parts.count();
    const state = this.#state as State;
    if (state.kind !== "counting") return;
    if (bytes > this.#parts.bytesMax) {
      this.#state = { kind: "ended" };
      this.#parts.over(bytes);
      return;
    }
    this.#state = { kind: "quiet", countedMs: this.#parts.clock.monotonicMs() };
    if (state.again) this.callEnded();
  }
}
