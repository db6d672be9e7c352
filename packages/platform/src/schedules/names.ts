import type { Realm } from "../model/index.ts";

/** The group every realm has. */
export const DEFAULT_GROUP = "default";
/** Where timers of rules lie: no group of a user's can have this name. */
export const RULES_GROUP = "~rules";

/** Second word of the cells of groups. */
export const SCHEDULES_CELL_KIND = "schedules";

/** `arn:aws:scheduler:<region>:<account>:schedule/<group>/<name>`. */
export function scheduleArn(realm: Realm, group: string, name: string): string {
  return `arn:aws:scheduler:${realm.region}:${realm.account}:schedule/${group}/${name}`;
}

/** `arn:aws:scheduler:<region>:<account>:schedule-group/<name>`. */
export function groupArn(realm: Realm, name: string): string {
  return `arn:aws:scheduler:${realm.region}:${realm.account}:schedule-group/${name}`;
}

const GROUP_ARN = /^arn:aws[a-z-]{0,20}:scheduler:([a-z0-9-]{1,32}):(\d{12}):schedule-group\/([0-9a-zA-Z-_.]{1,64})$/;
/** The group an ARN names; undefined when it is no ARN of a group. */
export function parseGroupArn(arn: string): { readonly realm: Realm; readonly name: string } | undefined {
  const parts = GROUP_ARN.exec(arn);
  if (!parts) return undefined;
  const [, region = "", account = "", name = ""] = parts;
  return { realm: { account, region }, name };
}
