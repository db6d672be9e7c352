/** How far transfers are, on a terminal's standard error: one line that is drawn over again, at most ten times a second. */
import type { Clock, Timer } from "../../base/index.ts";
import { progressText, Rate } from "./progress-text.ts";

/** Where it is drawn. */
export interface ProgressScreen {
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressBar {
  readonly isShown: boolean;
  /** Bytes that were carried. */
  advance(bytes: number): void;
  /** All that is to be carried; until it is known, how far it is cannot be said. */
  expect(bytes: number): void;
  /** Takes the line away, until there is more to show. */
  end(): void;
}

const REDRAW_MS = 100;
const COLUMNS_DEFAULT = 80;
const START_OF_LINE = "\r\u001B[K";

const NO_BAR: ProgressBar = { isShown: false, advance: () => undefined, expect: () => undefined, end: () => undefined };

/** Without a screen nothing is drawn. */
export function openProgress(label: string, clock: Clock, screen: ProgressScreen | undefined): ProgressBar {
  if (!screen) return NO_BAR;
  const rate = new Rate();
  rate.note(clock.monotonicMs(), 0);
  let doneBytes = 0;
  let totalBytes: number | undefined;
  let redraw: Timer | undefined;
  let isDrawn = false;
  const draw = (): void => {
    redraw = undefined;
    isDrawn = true;
    rate.note(clock.monotonicMs(), doneBytes);
    const columns = (screen.columns || COLUMNS_DEFAULT) - 1;
    screen.write(START_OF_LINE + progressText({ label, doneBytes, totalBytes, bytesPerSecond: rate.perSecond() }, columns));
  };
  return {
    isShown: true,
    advance(bytes) {
      doneBytes += bytes;
      redraw ??= clock.schedule(REDRAW_MS, draw);
    },
    expect(bytes) {
      totalBytes = bytes;
    },
    end() {
      redraw?.cancel();
      redraw = undefined;
      if (isDrawn) screen.write(START_OF_LINE);
      isDrawn = false;
    },
  };
}
