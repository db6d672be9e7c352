import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { given } from "../given.ts";

/** The group's ARN, without the `:*` that policies and DescribeLogGroups' `arn` carry. */
export function groupArn(realm: Realm, group: string): string {
  return `arn:aws:logs:${realm.region}:${realm.account}:log-group:${group}`;
}

/** The group a request names: by name, or by an identifier, which is a name or an ARN. */
export function groupNameOf(
  realm: Realm,
  input: { readonly logGroupName?: string | undefined; readonly logGroupIdentifier?: string | undefined },
): string {
  if (input.logGroupName !== undefined && input.logGroupIdentifier !== undefined) {
    throw new LambentError("InvalidParameter", "logGroupName and logGroupIdentifier are both given; one of them names the group.");
  }
  const identifier = given(input.logGroupIdentifier ?? input.logGroupName, "logGroupName or logGroupIdentifier");
  return identifier.startsWith("arn:") ? groupOfArn(realm, identifier) : identifier;
}

/** The group an ARN names, which must be of the caller's account and region. */
export function groupOfArn(realm: Realm, arn: string): string {
  const [, region, account, group] = /^arn:aws:logs:([^:]+):([^:]+):log-group:([^:]+)(?::\*)?$/.exec(arn) ?? [];
  if (group === undefined) throw new LambentError("InvalidParameter", `${arn} is no ARN of a log group.`);
  if (region !== realm.region || account !== realm.account) {
    throw new LambentError("NotFound", `The log group ${arn} is not in account ${realm.account}, region ${realm.region}.`);
  }
  return group;
}
