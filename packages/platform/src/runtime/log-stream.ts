import type { Instant } from "../base/index.ts";

/** The log stream of one instance, as `context.logStreamName` shows it: `2026/01/31/[$LATEST]<instance>`. */
export function logStreamName(functionVersion: string, instanceId: string, startedAt: Instant): string {
  const day = new Date(startedAt).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[${functionVersion}]${instanceId.replaceAll("-", "")}`;
}
