import type { Run } from "../command.ts";
import { listFunctions } from "../lambda-api.ts";
import { formatBytes } from "../output.ts";

/** `lambent list`. */
export const run: Run<object> = async ({ output, client }) => {
  const all = (await listFunctions(client())).toSorted((a, b) => (a.FunctionName < b.FunctionName ? -1 : 1));
  if (output.json) return output.data(all);
  if (all.length === 0) return output.note("  No functions yet. Deploy one: lambent deploy hello.mjs");
  output.table(
    ["FUNCTION", "RUNTIME", "HANDLER", "MEMORY", "CODE", "CHANGED"],
    all.map((each) => [
      each.FunctionName,
      each.Runtime ?? "",
      each.Handler ?? "",
      `${each.MemorySize ?? 128} MB`,
      formatBytes(each.CodeSize ?? 0),
      (each.LastModified ?? "").slice(0, 19).replace("T", " "),
    ]),
  );
};
