import type { Run } from "../command.ts";
import { requireEventId } from "../event-id.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";

/** `lambent replay <id>…`: hands events that failed over again, each as a new one. */
export const run: Run<object> = async ({ output, client }, ids) => {
  ids.forEach(requireEventId);
  const replayed: { readonly id: string; readonly replayedAs: string }[] = [];
  for (const id of ids) {
    const { Id } = await client().json<{ readonly Id: string }>({ service: "lambent", method: "POST", path: LAMBENT_PATHS.replay(id) });
    replayed.push({ id, replayedAs: Id });
    if (!output.json) output.line(`  ${id}  handed over again as ${Id}`);
  }
  if (output.json) output.data(replayed);
  else output.note(`  \`lambent events ${replayed.at(-1)?.replayedAs ?? ""} -f\` shows what becomes of it.`);
};
