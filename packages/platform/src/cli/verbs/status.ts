import type { Run } from "../command.ts";
import type { GetStatusResponse } from "../../api/index.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { formatSpan } from "../output.ts";

/** `lambent status`. */
export const run: Run<object> = async ({ output, client }) => {
  const status = await client().json<GetStatusResponse>({ service: "lambent", method: "GET", path: LAMBENT_PATHS.status });
  if (output.json) return output.data(status);
  const store = status.DataFolder ? `${status.DataFolder} (durable: ${status.Durability})` : "in memory: gone when the server ends";
  const rows: readonly (readonly [string, string])[] = [
    ["server", `Lambent ${status.Version} at ${client().connection.endpoint}, pid ${status.Pid}, up ${formatSpan(status.UptimeMs)}`],
    ["store", store],
    ...(status.KafkaAddress === undefined ? [] : ([["kafka", status.KafkaAddress]] as const)),
    ["realm", `account ${status.Account}, region ${status.Region}`],
    [
      "sandbox",
      `${status.Sandbox.Kind}${status.Sandbox.Confined ? "" : ", functions are not confined"}, network ${status.Sandbox.Network}`,
    ],
    ["runtimes", runtimesText(status.Runtimes)],
    ["functions", `${status.FunctionCount}; instances running: ${status.InstanceCount}; processes waiting ready: ${status.PoolReady}`],
    ...status.Sandbox.Remarks.map((remark): readonly [string, string] => ["missing", remark]),
  ];
  for (const [label, value] of rows) output.line(`  ${label.padEnd(10)} ${value}`);
};

/** Those that are exactly themselves first, then the others by what they run on. */
function runtimesText(runtimes: GetStatusResponse["Runtimes"]): string {
  const groups = Map.groupBy(runtimes, ({ Note }) => Note ?? "");
  const texts = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([note, all]) => `${all.map(({ Runtime }) => Runtime).join(", ")}${note ? ` (${note})` : ""}`);
  return texts.join("; ") || "none";
}
