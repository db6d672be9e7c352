import { Lru } from "../base/index.ts";
import type { LogLine, Signals } from "../model/index.ts";
import type { Logs } from "./logs/logs.ts";
import { logStreamName } from "./logs/names.ts";

/** Instances whose stream's name is remembered; one that is forgotten gets its name anew, with that day's date. */
const INSTANCES_REMEMBERED_MAX = 10_000;

/** Writes every line of the signal `log` to its function's group, in the stream of its instance. */
export function keepFunctionLogs(signals: Signals, logs: Logs): void {
  const streams = new Lru<string, string>(INSTANCES_REMEMBERED_MAX);
  signals.on("log", (line) => {
    const { version, at, requestId, text } = line;
    logs.write(version.realm, version.logging.group, streamOf(streams, line), [{ timestamp: at, message: text, requestId }]);
  });
}

/** The day in a stream's name is that of the instance's first line. */
function streamOf(streams: Lru<string, string>, { version, instanceId, at }: LogLine): string {
  const key = `${version.version} ${instanceId}`;
  const known = streams.get(key);
  if (known !== undefined) return known;
  const name = logStreamName(version.version, instanceId, at);
  streams.set(key, name);
  return name;
}
