import { Lru } from "../base/index.ts";
import { type LogLine, logStreamName, type Signals } from "../model/index.ts";
import type { Logs } from "./logs/logs.ts";

/** Instances whose stream's name is remembered; a forgotten one's is made again. */
const INSTANCES_REMEMBERED_MAX = 10_000;

/** Writes every line of the signal `log` to its function's group, in the stream of its instance. */
export function keepFunctionLogs(signals: Signals, logs: Logs): void {
  const streams = new Lru<string, string>(INSTANCES_REMEMBERED_MAX);
  // Lines of one instance come in a row: most find its stream without asking.
  let last = { instanceId: "", stream: "" };
  signals.on("log", (line) => {
    const { version, instanceId, at, requestId, text } = line;
    if (instanceId !== last.instanceId) last = { instanceId, stream: streamOf(streams, line) };
    logs.write(version.realm, version.logging.group, last.stream, [{ timestamp: at, message: text, requestId }]);
  });
}

function streamOf(streams: Lru<string, string>, { version, instanceId }: LogLine): string {
  const known = streams.get(instanceId);
  if (known !== undefined) return known;
  const name = logStreamName(version.version, instanceId);
  streams.set(instanceId, name);
  return name;
}
