/**
 * How schedules lie in the cell of their group, beside its deliveries: `schedule/<name>` says what a schedule is, `progress/<name>` what was and
 * what will be, and `due/<time>/<name>` sorts what will be by time. A schedule that is not due costs these rows and nothing else.
 */
import { LambentError, type Instant } from "../base/index.ts";
import type { OwnRow } from "../storage/index.ts";
import type { Due, Progress, ScheduleRecord } from "./schedule.ts";

export const SCHEDULE_PREFIX = "schedule/";
export const PROGRESS_PREFIX = "progress/";
export const DUE_PREFIX = "due/";
const FORMAT = 1;
const TIME_DIGITS = 15;

export interface DueRow extends Due {
  readonly name: string;
}

export function scheduleRow(record: ScheduleRecord): OwnRow {
  return { key: SCHEDULE_PREFIX + record.name, value: encode(record) };
}

/** The rows that follow when what will be changes from `before` to `after`; undefined: the schedule is no more. */
export function progressRows(name: string, before: Due | undefined, after: Progress | undefined): OwnRow[] {
  const key = PROGRESS_PREFIX + name;
  const next = after?.next;
  return [
    ...(before && before.fireAt !== next?.fireAt ? [{ key: dueKey(before.fireAt, name), value: undefined }] : []),
    ...(next ? [{ key: dueKey(next.fireAt, name), value: encode(next.dueAt) }] : []),
    { key, value: after && encode(after) },
  ];
}

export function decodeSchedule(value: Uint8Array): ScheduleRecord {
  return decode(value) as ScheduleRecord;
}

export function decodeProgress(value: Uint8Array): Progress {
  return decode(value) as Progress;
}

export function decodeDue(key: string, value: Uint8Array): DueRow {
  const timeEnd = DUE_PREFIX.length + TIME_DIGITS;
  return { name: key.slice(timeEnd + 1), fireAt: fireAtOf(key), dueAt: decode(value) as Instant };
}

/** When the occurrence of a due row is done. */
export function fireAtOf(key: string): Instant {
  return Number(key.slice(DUE_PREFIX.length, DUE_PREFIX.length + TIME_DIGITS));
}

function dueKey(fireAt: Instant, name: string): string {
  return `${DUE_PREFIX}${String(fireAt).padStart(TIME_DIGITS, "0")}/${name}`;
}

function encode(content: unknown): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, content]));
}

function decode(value: Uint8Array): unknown {
  const [format, content] = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8")) as [number, unknown];
  if (format !== FORMAT)
    throw new LambentError("StorageCorrupt", `A row of a schedule has format ${format}; this Lambent reads ${FORMAT}.`);
  return content;
}
