import type { DescribeWindowResponse, WindowProgressShape } from "../../api/index.ts";
import type { Run } from "../command.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { formatBytes, type Output } from "../output.ts";
import { windowLine } from "../window-api.ts";

/** `lambent windows show <name>`. */
export const run: Run<object> = async ({ output, client }, [name = ""]) => {
  const { Window, Progress } = await client().json<DescribeWindowResponse>({
    service: "lambent",
    method: "GET",
    path: LAMBENT_PATHS.window(name),
  });
  if (output.json) return output.data({ Window, ...(Progress ? { Progress } : {}) });
  output.line(windowLine(Window));
  if (Window.Failure !== undefined) output.line(`  ${output.paint("red", Window.Failure)}`);
  if (Progress) showProgress(output, Progress);
};

function showProgress(output: Output, progress: WindowProgressShape): void {
  const { Read, Skipped, Late, Keys, Panes, Buffered, StateBytes, Watermark, Partitions, Sinks, SetAside, LastSetAside } = progress;
  const refused = Object.entries(SetAside).filter(([reason]) => reason !== "late");
  const lines: readonly (readonly [string, string])[] = [
    ["read", `${Read} records${Skipped > 0 ? `; ${Skipped} were dropped by the stream before` : ""}; late ${Late}`],
    ["state", `${Keys} keys, ${Panes} panes, ${Buffered} records wait; ${formatBytes(StateBytes)}`],
    ["watermark", timeText(Watermark)],
    ...(progress.StreamIsThere ? [] : [["stream", "is not there"] as const]),
    ...refused.map(([reason, count]): readonly [string, string] => ["set aside", `${count} ${reason}`]),
  ];
  for (const [label, value] of lines) output.line(`  ${label.padEnd(10)} ${value}`);
  for (const { Reason, Partition, Offset, Key } of LastSetAside.slice(-3))
    output.line(
      `    ${Reason}: partition ${Partition}${Offset === undefined ? "" : ` offset ${Offset}`}${Key === undefined ? "" : ` key ${output.foreign(Key)}`}`,
    );
  output.table(
    ["PARTITION", "NEXT", "LAG", "WATERMARK"],
    Partitions.map((each) => [
      String(each.Partition),
      String(each.Next),
      each.Ended ? "ended" : String(each.Lag ?? "?"),
      timeText(each.Watermark),
    ]),
  );
  output.table(
    ["SINK", "OF", "TAKEN", "WAITING", "GIVEN UP", "PROBLEM"],
    Sinks.map((each) => [
      each.Sink,
      each.Lane,
      ...[each.Taken, each.Waiting, each.GivenUp].map(String),
      output.foreign(each.Problem ?? ""),
    ]),
  );
}

/** Times come as seconds, as restJson has them. */
function timeText(time: Date | number | string | undefined): string {
  if (time === undefined) return "none yet";
  return new Date(typeof time === "number" ? time * 1_000 : time).toISOString();
}
