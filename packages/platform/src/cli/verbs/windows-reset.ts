import { confirm } from "../ask.ts";
import type { Run } from "../command.ts";
import { changeWindow } from "../window-api.ts";

/** `lambent windows reset <name>`. */
export const run: Run<{ readonly start?: string; readonly yes?: boolean }> = async (context, [name = ""], { start = "latest", yes }) => {
  await confirm(`Drop all that window ${name} has reckoned?`, yes === true);
  await changeWindow(context, name, "reset", { Start: start });
};
