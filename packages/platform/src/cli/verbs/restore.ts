import { restoreDataFolder } from "../../server/index.ts";
import type { Run } from "../command.ts";
import { formatBytes } from "../output.ts";

/** `lambent restore <backup>`: a data folder that was not there, from a backup. */
export const run: Run<{ readonly data?: string }> = async ({ output }, [backup = ""], options) => {
  const folder = options.data ?? ".lambent";
  const restored = await restoreDataFolder(backup, folder);
  if (output.json) return output.data(restored);
  output.line(`  ${folder}   as it was at ${restored.takenAt}: ${restored.files} files, ${formatBytes(restored.bytes)}`);
  output.note(`  Start a server on it: lambent start --data ${folder}`);
};
