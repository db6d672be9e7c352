import type { Run } from "../command.ts";
import { requireEventId } from "../event-id.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";

/** `lambent cancel <id>`: ends an event that waits. */
export const run: Run<object> = async ({ output, client }, [id = ""]) => {
  requireEventId(id);
  await client().send({ service: "lambent", method: "POST", path: LAMBENT_PATHS.cancel(id) });
  if (output.json) output.data({ cancelled: id });
  else output.line(`  ${id}  cancelled`);
};
