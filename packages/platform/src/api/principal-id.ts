import { accountOf, type Principal, principalArn, type Roles } from "../security/index.ts";

/** A caller as records name it: an account for its root, role id and session name for everybody else. */
export function principalId(principal: Principal, roles: Pick<Roles, "roleIdOf">): string {
  switch (principal.kind) {
    case "root":
      return principal.account;
    case "function":
      return `${roles.roleIdOf(principal.realm.account, principal.roleArn)}:${principal.functionName}`;
    case "assumedRole":
      return `${roles.roleIdOf(principal.account, principal.roleArn)}:${principal.sessionName}`;
    case "service":
    case "anonymous":
      return accountOf(principal) ?? principalArn(principal);
  }
}
