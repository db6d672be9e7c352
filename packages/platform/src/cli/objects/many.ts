/** The same for many objects: several at once; one that fails keeps no other away, unless no other could do better. */
import type { CommandContext } from "../command.ts";
import { CommandFailure, describeFailure, type ExitName } from "../errors.ts";
import { inParallel } from "../in-parallel.ts";

/** Objects under way at once. */
const OBJECTS_AT_ONCE = 8;
/** Failures that are shown, each with a line; the rest is a number. */
const SHOWN_MAX = 10;

export interface Tally {
  objects: number;
  bytes: number;
  readonly failed: Failed[];
}

export interface Failed {
  readonly name: string;
  readonly why: string;
}

/** Failures that the next object would meet, too. */
const OF_ALL: ReadonlySet<ExitName> = new Set(["unreachable", "refused", "interrupted"]);

/** Carries each item; `carry` answers its bytes. */
export async function forMany<Item>(
  items: AsyncIterable<Item>,
  nameOf: (item: Item) => string,
  signal: AbortSignal,
  carry: (item: Item) => Promise<number>,
): Promise<Tally> {
  const tally: Tally = { objects: 0, bytes: 0, failed: [] };
  await inParallel(items, OBJECTS_AT_ONCE, async (item) => {
    signal.throwIfAborted();
    try {
      const bytes = await carry(item);
      tally.objects += 1;
      tally.bytes += bytes;
    } catch (error) {
      const failure = describeFailure(error);
      if (signal.aborted || OF_ALL.has(failure.exit)) throw error;
      tally.failed.push({ name: nameOf(item), why: failure.message });
    }
  });
  return tally;
}

/** Tells what failed, and ends the command so when anything did. */
export function reportFailed({ output }: CommandContext, { objects, failed }: Tally, what: string): void {
  if (failed.length === 0) return;
  for (const { name, why } of failed.slice(0, SHOWN_MAX)) output.note(`  ${output.foreign(name, "err")}   ${output.foreign(why, "err")}`);
  if (failed.length > SHOWN_MAX) output.note(`  … and ${failed.length - SHOWN_MAX} more.`);
  throw new CommandFailure("failed", `${failed.length} of ${objects + failed.length} ${what}.`, "Mend that and repeat the command.");
}
