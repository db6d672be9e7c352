import { timeOfId } from "../base/index.ts";

/**
 * The log stream of one instance, as `context.logStreamName` shows it: `2026/01/31/[$LATEST]<instance>`.
 * The day is that of the instance's start, which its time-ordered id tells, so that everyone names the same stream.
 */
export function logStreamName(version: string, instanceId: string): string {
  const day = new Date(timeOfId(instanceId)).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[${version}]${instanceId.replaceAll("-", "")}`;
}
