import type { Run } from "../command.ts";
import { functionPath, listVersions, type FunctionConfiguration } from "../lambda-api.ts";
import { formatBytes } from "../output.ts";

/** `lambent versions <function>`. */
export const run: Run<{ readonly publish?: boolean }> = async ({ output, client }, [name = ""], options) => {
  if (options.publish) {
    const made = await client().json<FunctionConfiguration>({
      service: "lambda",
      method: "POST",
      path: functionPath(name, "/versions"),
      body: {},
    });
    return output.json ? output.data(made) : output.line(`  ${name}   version ${made.Version ?? ""} published`);
  }
  const all = await listVersions(client(), name);
  if (output.json) return output.data(all);
  output.table(
    ["VERSION", "CHANGED", "CODE", "SHA256", "DESCRIPTION"],
    all.map((each) => [
      each.Version ?? "",
      (each.LastModified ?? "").slice(0, 19).replace("T", " "),
      formatBytes(each.CodeSize ?? 0),
      (each.CodeSha256 ?? "").slice(0, 12),
      each.Description ?? "",
    ]),
  );
};
