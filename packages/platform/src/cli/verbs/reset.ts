import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { emptyDataFolder } from "../../server/index.ts";
import { confirm } from "../ask.ts";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { isAlive, listRunRecords, runFolderPath } from "../run-folder.ts";

/** `lambent reset`: deletes what a stopped server kept. A folder that is not a data folder is left alone, and so is what is not ours in one. */
export const run: Run<{ readonly data?: string; readonly yes?: boolean }> = async ({ output, environment }, _args, options) => {
  const folder = resolve(options.data ?? ".lambent");
  const shown = options.data ?? ".lambent";
  if (!existsSync(folder)) throw new CommandFailure("notFound", `There is no data folder ${shown}.`, "Name it with --data.");
  if (!existsSync(join(folder, "format")))
    throw new CommandFailure(
      "usage",
      `${shown} is not a data folder of Lambent: it has no file named format.`,
      "Name the right one with --data.",
    );
  const user = listRunRecords(runFolderPath(environment)).find(
    (each) => each.dataFolder !== undefined && resolve(each.dataFolder) === folder && isAlive(each.pid),
  );
  if (user)
    throw new CommandFailure("tryAgain", `Process ${user.pid} uses ${shown}.`, `Stop it first: lambent stop --endpoint ${user.endpoint}`);
  await confirm(`Delete all functions, logs and keys in ${shown}?`, options.yes === true);
  emptyDataFolder(folder);
  if (output.json) output.data({ Reset: folder });
  else output.line(`  ${shown} is empty`);
};
