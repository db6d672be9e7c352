import { listAllTriggers, triggerData, triggerRow } from "../all-triggers.ts";
import type { Run } from "../command.ts";

/** `lambent triggers [<function>]`. */
export const run: Run<object> = async ({ output, client }, [functionName]) => {
  const all = await listAllTriggers(client(), functionName);
  if (output.json) return output.data(all.map(triggerData));
  if (all.length === 0) return output.note(`  No triggers yet. Add one: lambent trigger ${functionName ?? "hello"} --queue orders`);
  output.table(["FUNCTION", "BY", "STATE", "HOW", "LAST"], all.map(triggerRow));
};
