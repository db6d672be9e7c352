import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { oneOf } from "../choices.ts";
import type { Run } from "../command.ts";
import { functionNameOf } from "../deployment.ts";
import { CommandFailure } from "../errors.ts";
import { TEMPLATES, TEST_COMMANDS } from "../templates.ts";
import { commandWord } from "../version.ts";

/** `lambent init [folder]`: a function with a test; never over a file that is there. */
export const run: Run<{ readonly template?: string }> = ({ output }, [folder = "."], options) => {
  const template = oneOf(options.template ?? "node", "--template", ["node", "typescript", "python"]);
  const files: Readonly<Record<string, string>> = TEMPLATES[template](
    functionNameOf(basename(resolve(folder)), "Name another folder: lambent init shop"),
  );
  const taken = Object.keys(files).filter((name) => existsSync(join(folder, name)));
  if (taken.length > 0)
    throw new CommandFailure(
      "usage",
      `${folder} has ${taken.join(", ")} already; nothing was written.`,
      "Name another folder: lambent init shop",
    );
  for (const [name, text] of Object.entries(files)) {
    makeFolder(dirname(resolve(folder, name)));
    writeFileSync(join(folder, name), text);
  }
  if (output.json) return output.data({ Folder: resolve(folder), Files: Object.keys(files) });
  for (const name of Object.keys(files)) output.line(`  ${join(folder, name)}`);
  output.line(
    `\n  Test     ${folder === "." ? "" : `cd ${folder} && `}${TEST_COMMANDS[template]}\n  Deploy   ${commandWord()} deploy ${folder}`,
  );
};

/** With what is missing above it. Node's `recursive` never ends below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}
