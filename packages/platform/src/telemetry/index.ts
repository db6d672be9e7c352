/** What happened, for people: logs of functions, and the platform's own. */
export { keepFunctionLogs } from "./function-logs.ts";
export { openLogs } from "./logs/logs.ts";
export type { GroupSearch, LogListener, Logs, LogsOptions, StreamRead } from "./logs/logs.ts";
export { eventId, LOG_MESSAGE_BYTES_MAX } from "./logs/event.ts";
export type { EventKey, LogEvent, NewLogEvent, Place } from "./logs/event.ts";
export { LOG_KEEP_DAYS } from "./logs/log-group.ts";
export type { GroupSettings, LogGroup } from "./logs/log-group.ts";
export type { LogStream } from "./logs/log-stream.ts";
export { compileFilterPattern } from "./filter/filter-pattern.ts";
export { openPlatformLog } from "./platform-log.ts";
export type { PlatformLog, PlatformLogOptions } from "./platform-log.ts";
