import type { Run } from "../command.ts";
import { changeWindow } from "../window-api.ts";

/** `lambent windows pause <name>`. */
export const run: Run<object> = (context, [name = ""]) => changeWindow(context, name, "pause");
