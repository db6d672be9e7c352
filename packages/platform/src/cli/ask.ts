import { createInterface } from "node:readline";
import { CommandFailure } from "./errors.ts";

/** Where a question is asked. */
interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

/** Asks before something is deleted; off a terminal nobody can answer, so `--yes` is demanded. Ctrl-C and Ctrl-D are a no. */
export async function confirm(
  question: string,
  yes: boolean,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (yes) return;
  if (!input.isTTY) throw new CommandFailure("usage", `${question} Nobody is there to answer.`, "Repeat with --yes.");
  const asking = createInterface({ input, output, terminal: true });
  const answer = await new Promise<string>((resolve) => {
    asking.once("close", () => resolve("\n"));
    asking.question(`${question} [y/N] `, resolve);
  });
  if (answer === "\n") output.write("\n");
  asking.close();
  if (!/^y(es)?$/iu.test(answer.trim())) throw new CommandFailure("interrupted", "Nothing was deleted.", "Answer y, or give --yes.");
}
