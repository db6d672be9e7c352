import { listAllTriggers, sourceText, triggerData } from "../all-triggers.ts";
import type { Run } from "../command.ts";
import { functionUrl, getFunction } from "../lambda-api.ts";
import { formatBytes } from "../output.ts";

/** `lambent describe <function>`. Values of environment entries are shown only with `--json`. */
export const run: Run<object> = async ({ output, client }, [name = ""]) => {
  const [found, url] = await Promise.all([getFunction(client(), name), functionUrl(client(), name)]);
  const triggers = await listAllTriggers(client(), name);
  const { Configuration: configuration } = found;
  if (output.json)
    return output.data({
      ...configuration,
      ...(found.Tags ? { Tags: found.Tags } : {}),
      ...(url ? { Url: url } : {}),
      Triggers: triggers.map(triggerData),
    });
  const failed = configuration.LastUpdateStatus === "Failed" ? ` · last update failed: ${configuration.LastUpdateStatusReason ?? ""}` : "";
  const rows: readonly (readonly [string, string])[] = [
    ["state", `${configuration.State ?? "Active"}${configuration.StateReason ? ` (${configuration.StateReason})` : ""}${failed}`],
    ["runtime", configuration.Runtime ?? ""],
    ["handler", configuration.Handler ?? ""],
    ["memory", `${configuration.MemorySize ?? 128} MB`],
    ["timeout", `${configuration.Timeout ?? 3} s`],
    ["/tmp", `${configuration.EphemeralStorage?.Size ?? 512} MB`],
    ["environment", Object.keys(configuration.Environment?.Variables ?? {}).join(", ") || "none"],
    ["code", `${formatBytes(configuration.CodeSize ?? 0)}, sha256 ${configuration.CodeSha256 ?? ""}`],
    ["async", flowText(found.Tags)],
    ["address", url ? `${url.FunctionUrl} (${url.AuthType === "NONE" ? "public" : "signed requests"})` : "none"],
    ["triggers", triggers.map(sourceText).join(", ") || "none"],
    ["role", configuration.Role ?? ""],
    ["changed", configuration.LastModified ?? ""],
    ["arn", configuration.FunctionArn],
  ];
  output.line(output.paint("bold", `  ${configuration.FunctionName}`));
  for (const [label, value] of rows) if (value !== "") output.line(`  ${label.padEnd(12)} ${value}`);
};

/** Flow control of asynchronous calls, which is tags. */
function flowText(tags: Readonly<Record<string, string>> | undefined): string {
  const prefix = "lambent:async-";
  const flow = Object.entries(tags ?? {}).filter(([tag]) => tag.startsWith(prefix));
  return flow.map(([tag, value]) => `${tag.slice(prefix.length)} ${value}`).join(", ");
}
