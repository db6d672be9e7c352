import { confirm } from "../ask.ts";
import type { Run } from "../command.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";

/** `lambent windows rm <name>`. */
export const run: Run<{ readonly yes?: boolean }> = async ({ output, client }, [name = ""], { yes }) => {
  await confirm(`Delete window ${name} with all it has reckoned?`, yes === true);
  await client().send({ service: "lambent", method: "DELETE", path: LAMBENT_PATHS.window(name) });
  if (output.json) output.data({ Removed: name });
  else output.line(`  ${name}   removed`);
};
