import { endAsked } from "../end-asked.ts";
import { CommandFailure } from "../errors.ts";

/** Work that Ctrl-C ends in order: what was begun is put away before the command ends. `left` says what of it stays. */
export async function interruptible<T>(left: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  void endAsked().then(() => controller.abort());
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    throw new CommandFailure("interrupted", left, "Repeat the command to do the rest.");
  }
}
