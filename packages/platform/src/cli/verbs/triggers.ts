import type { Run } from "../command.ts";
import { functionOf, listTriggers, queueNameOf } from "../trigger-api.ts";
import { triggerText } from "../trigger-lines.ts";

/** `lambent triggers [<function>]`. */
export const run: Run<object> = async ({ output, client }, [functionName]) => {
  const all = (await listTriggers(client(), { functionName })).toSorted((left, right) =>
    `${functionOf(left.FunctionArn)} ${left.EventSourceArn}` < `${functionOf(right.FunctionArn)} ${right.EventSourceArn}` ? -1 : 1,
  );
  if (output.json) return output.data(all);
  if (all.length === 0) return output.note(`  No triggers yet. Add one: lambent trigger ${functionName ?? "hello"} --queue orders`);
  output.table(
    ["FUNCTION", "QUEUE", "STATE", "HOW", "LAST"],
    all.map((each) => [
      functionOf(each.FunctionArn),
      queueNameOf(each.EventSourceArn),
      each.State,
      triggerText(each),
      each.LastProcessingResult ?? "",
    ]),
  );
};
