import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { listTriggers, queueNameOf, removeTrigger } from "../trigger-api.ts";
import { triggerName } from "../trigger-lines.ts";

/** `lambent untrigger <function>`: the queue and its messages stay. */
export const run: Run<{ readonly queue?: string }> = async ({ output, client }, [functionName = ""], { queue }) => {
  const found = (await listTriggers(client(), { functionName })).filter(
    (each) => queue === undefined || queueNameOf(each.EventSourceArn) === queue,
  );
  if (found.length === 0)
    throw new CommandFailure(
      "notFound",
      `${functionName} has no trigger${queue === undefined ? "" : ` of queue ${queue}`}.`,
      `\`lambent triggers ${functionName}\` shows what there is.`,
    );
  for (const { UUID } of found) await removeTrigger(client(), UUID);
  if (output.json) return output.data({ Removed: found.map(({ UUID }) => UUID) });
  for (const each of found) output.line(`  ${triggerName(each)}   removed`);
};
