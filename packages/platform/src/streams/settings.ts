import { LambentError } from "../base/index.ts";
import type { StreamSettings } from "./stream-record.ts";

/** How long a stream keeps its records unless told otherwise. @limit */
const DEFAULT_RETENTION_MS = 7 * 86_400_000;
/** Bytes of one record's key and value unless the stream says otherwise. @limit */
export const RECORD_BYTES_DEFAULT = 1024 * 1024;
/** The most a stream can allow. @limit */
export const RECORD_BYTES_MAX = 10 * 1024 * 1024;
/** Kafka configurations of one stream, and characters of one. */
const CONFIG_ENTRIES_MAX = 100;
const CONFIG_CHARS_MAX = 2_048;

export const DEFAULT_STREAM_SETTINGS: StreamSettings = {
  retentionMs: DEFAULT_RETENTION_MS,
  retentionBytes: undefined,
  recordBytesMax: RECORD_BYTES_DEFAULT,
  timestamps: "create",
  config: {},
};

/** Refuses settings that no stream can have. */
export function checkStreamSettings({ retentionMs, retentionBytes, recordBytesMax, config }: StreamSettings): void {
  const refuse = (message: string): never => {
    throw new LambentError("InvalidParameter", message);
  };
  if (!Number.isSafeInteger(retentionMs) || (retentionMs < 1 && retentionMs !== -1))
    refuse(`The retention is ${retentionMs} ms; 1 or more are allowed, or -1 to keep for ever.`);
  if (retentionBytes !== undefined && (!Number.isSafeInteger(retentionBytes) || retentionBytes < 1))
    refuse(`The retention of a partition is ${retentionBytes} bytes; 1 or more are allowed.`);
  if (!Number.isSafeInteger(recordBytesMax) || recordBytesMax < 1 || recordBytesMax > RECORD_BYTES_MAX)
    refuse(`The limit of a record is ${recordBytesMax} bytes; 1 to ${RECORD_BYTES_MAX} are allowed.`);
  const entries = Object.entries(config);
  if (entries.length > CONFIG_ENTRIES_MAX || entries.some(([name, value]) => name.length + value.length > CONFIG_CHARS_MAX))
    refuse(`A stream has at most ${CONFIG_ENTRIES_MAX} configurations of ${CONFIG_CHARS_MAX} characters.`);
}
