import type { Run } from "../command.ts";
import { changeWindow } from "../window-api.ts";

/** `lambent windows resume <name>`. */
export const run: Run<object> = (context, [name = ""]) => changeWindow(context, name, "resume");
