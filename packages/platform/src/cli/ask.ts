import { createInterface } from "node:readline/promises";
import { CommandFailure } from "./errors.ts";

/** Asks before something is deleted; off a terminal nobody can answer, so `--yes` is demanded. */
export async function confirm(question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new CommandFailure("usage", `${question} Nobody is there to answer.`, "Repeat with --yes.");
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`${question} [y/N] `);
  asking.close();
  if (!/^y(es)?$/iu.test(answer.trim())) throw new CommandFailure("interrupted", "Nothing was deleted.", "Answer y, or give --yes.");
}
