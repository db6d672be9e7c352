import type { Roles } from "../../security/index.ts";
import { loadService } from "../../wire/index.ts";
import type { RequestContext } from "../operation.ts";
import type { Permission, Service } from "../service.ts";
import { iamWireError } from "./errors.ts";
import { managedPolicyOperations } from "./managed-policies.ts";
import { rolePolicyOperations } from "./role-policies.ts";
import { roleOperations } from "./roles.ts";

/** Roles and policies, as IAM speaks of them. Users and groups are not built: their operations answer 501 with their name. */
function iamOperations(roles: Roles) {
  return { ...roleOperations(roles), ...rolePolicyOperations(roles), ...managedPolicyOperations(roles) };
}

/** IAM as the gateway serves it. */
export function iamService(roles: Roles): Service {
  return {
    model: loadService("iam"),
    operations: iamOperations(roles),
    wireError: iamWireError,
    permission: (operation, input, context) => iamPermission(roles, operation, input, context),
  };
}

/** `iam:<operation>` on the role or policy the request names; on everything of the account for lists. */
function iamPermission(roles: Roles, operation: string, input: Readonly<Record<string, unknown>>, context: RequestContext): Permission {
  const { account } = context.realm;
  const action = `iam:${operation}`;
  const path = typeof input["Path"] === "string" ? input["Path"] : "/";
  if (typeof input["RoleName"] === "string") {
    const name = input["RoleName"];
    return { action, resource: roles.findRole(account, name)?.arn ?? `arn:aws:iam::${account}:role${path}${name}` };
  }
  if (typeof input["PolicyArn"] === "string") return { action, resource: input["PolicyArn"] };
  if (typeof input["PolicyName"] === "string") return { action, resource: `arn:aws:iam::${account}:policy${path}${input["PolicyName"]}` };
  return { action, resource: operation === "ListRoles" ? `arn:aws:iam::${account}:role/` : "*" };
}
