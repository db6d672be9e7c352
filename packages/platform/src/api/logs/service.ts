/**
 * CloudWatch Logs as the gateway serves it: what functions and others logged, read and searched. Owns shapes, tokens
 * and AWS's rules for requests; `telemetry/` owns the logs.
 */
import { loadService } from "../../wire/index.ts";
import type { RequestContext } from "../operation.ts";
import type { Permission, Service } from "../service.ts";
import { logsWireError } from "./errors.ts";
import { eventOperations, type LogsDependencies } from "./events.ts";
import { groupOperations } from "./groups.ts";
import { groupArn, groupNameOf, groupOfArn } from "./names.ts";
import { streamOperations } from "./streams.ts";

/** The operations of CloudWatch Logs that are built. Metric filters, subscriptions, queries and live tail answer 501. */
export function logsOperations(dependencies: LogsDependencies) {
  return { ...groupOperations(dependencies.logs), ...streamOperations(dependencies.logs), ...eventOperations(dependencies) };
}

/** CloudWatch Logs as the gateway serves it. */
export function logsService(dependencies: LogsDependencies): Service {
  return { model: loadService("logs"), operations: logsOperations(dependencies), wireError: logsWireError, permission: logsPermission };
}

/** `logs:<operation>` on the group, or on the stream for the operations that name one. */
function logsPermission(operation: string, input: Readonly<Record<string, unknown>>, { realm }: RequestContext): Permission {
  const action = `logs:${operation}`;
  const text = (member: string): string | undefined => (typeof input[member] === "string" ? input[member] : undefined);
  const resourceArn = text("resourceArn");
  if (resourceArn !== undefined) return { action, resource: groupArn(realm, groupOfArn(realm, resourceArn)) };
  if (operation === "DescribeLogGroups") return { action, resource: `${groupArn(realm, "")}*` };
  const group = groupArn(realm, groupNameOf(realm, { logGroupName: text("logGroupName"), logGroupIdentifier: text("logGroupIdentifier") }));
  const stream = text("logStreamName");
  return { action, resource: stream === undefined ? `${group}:*` : `${group}:log-stream:${stream}` };
}
