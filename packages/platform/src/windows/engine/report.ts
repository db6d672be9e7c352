import { isLambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { Streams } from "../../streams/index.ts";
import type { WindowRecord } from "../definition.ts";
import type { Lane, PerLane } from "./lane.ts";
import type { ToldRecord, WindowState } from "./window-state.ts";

export interface PartitionReport {
  readonly partition: number;
  /** The next record to be read. */
  readonly next: number;
  /** Records that are there and not read; undefined where its stream is gone. */
  readonly lag: number | undefined;
  readonly ended: boolean;
  /** Undefined before its first record. */
  readonly watermark: number | undefined;
}

export interface SinkReport {
  readonly id: string;
  readonly lane: Lane;
  /** Results that it has taken, and those that it is still to take. */
  readonly sunk: number;
  readonly waiting: number;
  /** Of those that it has taken: a function failed with them as often as it was to be called, or a target will never take them. */
  readonly givenUp: number;
  /** Why it takes none at the moment. */
  readonly problem: string | undefined;
}

/** How a window is that is open. */
export interface RunnerReport {
  /** Why it does nothing any more. */
  readonly failed: string | undefined;
  readonly streamIsThere: boolean;
  readonly partitions: readonly PartitionReport[];
  readonly watermark: number | undefined;
  readonly keys: number;
  readonly panes: number;
  readonly buffered: number;
  readonly bytes: number;
  /** Records that were read, in this generation. */
  readonly read: number;
  /** Records that the stream dropped before they were read. */
  readonly skipped: number;
  readonly late: number;
  readonly emitted: PerLane<number>;
  readonly sinks: readonly SinkReport[];
  /** By reason. */
  readonly setAside: Readonly<Record<string, number>>;
  readonly lastSetAside: readonly ToldRecord[];
  readonly journal: { readonly rows: number; readonly bytes: number };
}

export async function reportOf(of: {
  readonly streams: Streams;
  readonly realm: Realm;
  readonly record: WindowRecord;
  readonly state: WindowState;
  readonly failed: string | undefined;
  readonly sinks: readonly SinkReport[];
  readonly journal: RunnerReport["journal"];
}): Promise<RunnerReport> {
  const { streams, realm, record, state, failed, sinks, journal } = of;
  const { windows, head } = state;
  const { stream } = record.definition.source;
  const partitions = await Promise.all(
    [...state.positions].map(async ([partition, { next, ended }]): Promise<PartitionReport> => {
      const end = ended ? next : await endOf(streams, realm, stream, partition);
      const lag = end === undefined ? undefined : Math.max(0, end - next);
      return { partition, next, lag, ended, watermark: finite(windows.watermarkOf(partition)) };
    }),
  );
  return {
    ...{
      failed,
      partitions,
      sinks,
      journal,
      streamIsThere: streams.find(realm, stream) !== undefined,
      watermark: finite(windows.watermark),
    },
    ...windows.size,
    ...{ read: head.read, skipped: head.skipped, late: windows.counts.late, emitted: state.emitted },
    ...{ setAside: head.setAside, lastSetAside: head.told },
  };
}

async function endOf(streams: Streams, realm: Realm, stream: string, partition: number): Promise<number | undefined> {
  try {
    return (await streams.partition(realm, stream, partition)).end;
  } catch (error) {
    if (isLambentError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** What has not begun is minus infinity. */
function finite(time: number): number | undefined {
  return Number.isFinite(time) ? time : undefined;
}
