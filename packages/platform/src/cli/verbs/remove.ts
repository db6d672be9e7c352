import { confirm } from "../ask.ts";
import type { Run } from "../command.ts";
import { functionPath } from "../lambda-api.ts";

/** `lambent remove <function>`. */
export const run: Run<{ readonly yes?: boolean }> = async ({ output, client }, [name = ""], options) => {
  await confirm(`Delete ${name} with all its versions?`, options.yes === true);
  await client().send({ service: "lambda", method: "DELETE", path: functionPath(name) });
  if (output.json) output.data({ Removed: name });
  else output.line(`  ${name}   removed`);
};
