/** Where a window begins to read each partition of its stream. */
import type { Realm } from "../../model/index.ts";
import type { ShardRecord, StreamRecord, Streams } from "../../streams/index.ts";
import type { Start } from "../definition.ts";
import type { Step } from "../journal/step.ts";
import type { SourcePosition } from "./window-state.ts";

/** The first steps of a generation. A shard that came of others is begun when they are read, so it has none if they have any. */
export async function startSteps(
  streams: Pick<Streams, "find" | "partition">,
  realm: Realm,
  stream: string,
  start: Start,
  before: ReadonlyMap<number, SourcePosition> | undefined,
): Promise<Step[]> {
  const record = streams.find(realm, stream);
  if (!record) return [];
  const ended = new Set<number>();
  const steps: Step[] = [];
  for (const shard of record.shards) {
    const isDeferred = shard.parents.some((parent) => record.shards[parent] !== undefined && !ended.has(parent));
    if (isDeferred) continue;
    const known = before?.get(shard.number);
    // Of a stream that was made anew since, nothing was read.
    const next = await placeOf(streams, record, shard, start, known?.streamId === record.id ? known : undefined);
    if (next === "ended") ended.add(shard.number);
    else steps.push({ kind: "opened", source: shard.number, next, streamId: record.id });
  }
  for (const source of ended) steps.push({ kind: "opened", source, next: 0, streamId: record.id }, { kind: "ended", source });
  return steps;
}

async function placeOf(
  streams: Pick<Streams, "partition">,
  { realm, name }: StreamRecord,
  { number, closed }: ShardRecord,
  start: Start,
  before: SourcePosition | undefined,
): Promise<number | "ended"> {
  const partition = await streams.partition(realm, name, number);
  switch (start.kind) {
    case "earliest":
      return partition.first;
    case "latest":
      return closed ? "ended" : partition.end;
    case "time": {
      const found = await partition.offsetAt(start.at, "created");
      return found?.offset ?? (closed ? "ended" : partition.end);
    }
    case "here":
      return before?.ended ? "ended" : Math.max(before?.next ?? 0, partition.first);
  }
}

/** Shards that can be begun now that these are read to their ends, and were not begun. */
export function followers(
  record: StreamRecord,
  positions: ReadonlyMap<number, SourcePosition>,
  endedNow: number | undefined,
): ShardRecord[] {
  const isRead = (number: number): boolean =>
    number === endedNow || record.shards[number] === undefined || (positions.get(number)?.ended ?? false);
  return record.shards.filter(({ number, parents }) => !positions.has(number) && parents.every(isRead));
}
