import { LambentError } from "../base/index.ts";
import type { Decoded } from "../wire/index.ts";
import type { OperationTable, RequestContext } from "./operation.ts";
import type { Permission, Service } from "./service.ts";

/** Throws `AccessDenied` when no policy allows the permission. */
export type Authorize = (context: RequestContext, permission: Permission) => void;

/** Performs a decoded call, once it is allowed. */
export async function perform(
  service: Service,
  { operation: name, input }: Pick<Decoded, "operation" | "input">,
  context: RequestContext,
  authorize: Authorize,
): Promise<Record<string, unknown> | undefined> {
  const operation = (service.operations as Record<string, OperationTable[string] | undefined>)[name];
  if (!operation) throw new LambentError("NotImplemented", `${service.model.name}:${name} is not built in Lambent`);
  const permission = service.permission(name, input, context);
  if (permission) for (const each of [permission, ...(permission.others ?? [])]) authorize(context, each);
  const output = await operation(input as never, context);
  return output as Record<string, unknown> | undefined;
}
