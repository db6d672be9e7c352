/** Where a mapping begins with a shard that it has not read. */
import type { StartingPosition } from "../mappings/mapping.ts";
import type { RecordLog } from "./record-log.ts";

export interface Start {
  readonly offset: number;
  /** There is nothing to be read of it: it was closed before. */
  readonly ended: boolean;
}

/** Shards that came behind the mapping are read from their beginning, whatever it began with. */
export async function startOf(
  start: StartingPosition,
  partition: Pick<RecordLog, "stream" | "number" | "first" | "end" | "offsetAt">,
): Promise<Start> {
  const { stream, number, first, end } = partition;
  const closed = stream.shards[number]?.closed !== undefined;
  switch (start.kind) {
    case "trimHorizon":
      return { offset: first, ended: closed && first >= end };
    case "latest": {
      const offset = start.streamId === stream.id ? Math.max(first, start.ends[number] ?? first) : first;
      return { offset, ended: closed && offset >= end };
    }
    case "at": {
      const found = await partition.offsetAt(start.time, "appended");
      const offset = found?.offset ?? end;
      return { offset, ended: closed && offset >= end };
    }
  }
}
