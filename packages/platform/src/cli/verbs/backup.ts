import { resolve } from "node:path";
import type { BackupDataResponse } from "../../api/index.ts";
import type { Run } from "../command.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { formatBytes } from "../output.ts";

/** `lambent backup <folder>`: the server writes it, so the folder is on its machine. */
export const run: Run<object> = async ({ output, client }, [folder = ""]) => {
  const made = await client().json<BackupDataResponse>({
    service: "lambent",
    method: "POST",
    path: LAMBENT_PATHS.backup,
    body: { Target: resolve(folder) },
  });
  if (output.json) return output.data(made);
  output.line(
    `  ${made.Target}   ${made.Rows} rows of ${made.Cells} cells, ${made.Bodies} bodies and ${made.ObjectFiles} files of objects, ${formatBytes(made.Bytes)}, read back and whole`,
  );
  output.note(`  It holds the server's keys: keep it as you keep them. Back with: lambent restore ${made.Target} --data <folder>`);
};
