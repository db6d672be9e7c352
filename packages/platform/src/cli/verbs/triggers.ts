import { listAllTriggers, triggerData, triggerRow } from "../all-triggers.ts";
import type { Client } from "../client.ts";
import type { Run } from "../command.ts";
import { functionNameOf } from "../function-permission.ts";
import { getFunction } from "../lambda-api.ts";

/** `lambent triggers [<function>]`. */
export const run: Run<object> = async ({ output, client }, [functionName]) => {
  const all = await listAllTriggers(client(), functionName);
  // What calls a function that is gone is worth knowing; a name that nothing knows is a mistake.
  if (all.length === 0 && functionName !== undefined) await requireFunction(client(), functionName);
  if (output.json) return output.data(all.map(triggerData));
  if (all.length === 0) return output.note(`  No triggers yet. Add one: lambent trigger ${functionName ?? "hello"} --queue orders`);
  output.table(["FUNCTION", "BY", "STATE", "HOW", "LAST"], all.map(triggerRow));
};

async function requireFunction(client: Client, functionName: string): Promise<void> {
  const { name, qualifier } = functionNameOf(functionName);
  await getFunction(client, name, qualifier);
}
