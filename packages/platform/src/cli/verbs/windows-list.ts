import type { ListWindowsResponse } from "../../api/index.ts";
import type { Run } from "../command.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { windowText } from "../window-api.ts";

/** `lambent windows list`. */
export const run: Run<object> = async ({ output, client }) => {
  const { Windows } = await client().json<ListWindowsResponse>({ service: "lambent", method: "GET", path: LAMBENT_PATHS.windows });
  if (output.json) return output.data({ Windows });
  if (Windows.length === 0) return output.note("  No windows yet. `lambent windows create --help` shows how one is made.");
  output.table(
    ["WINDOW", "STATE", "WHAT"],
    Windows.map((window) => [window.Name, window.State, windowText(window)]),
  );
};
