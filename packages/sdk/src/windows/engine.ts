import type { BlockReader, BlockWriter } from "./blocks.ts";
import type { SetAsideReason } from "./output.ts";

/** What one kind of window does with the records of all keys. Fed in a fixed order it does the same again; it has no clock. */
export interface WindowEngine {
  /** Takes what the plan read last, or says why not; then nothing is changed. */
  add(key: string, time: number, order: number, value: unknown): SetAsideReason | undefined;
  /**
   * Tells what is complete now that every record with a smaller time has been seen, in at most `most` steps. Answers whether that was all; if not, it
   * goes on when it is called with the same watermark again, which has to be before anything else.
   */
  advance(watermark: number, most: number): boolean;
  /** Drops the key's state without a pane. */
  forget(key: string): void;
  readonly size: { readonly keys: number; readonly panes: number; readonly bytes: number };
  /** Yields now and then, so that full blocks can be taken. */
  write(to: BlockWriter): IterableIterator<void>;
  /** Takes the state that `write` wrote, at the watermark it was written at. Yields now and then, so that others get their turn. */
  read(from: BlockReader, watermark: number): IterableIterator<void>;
}
