/** Names and ARNs of EventBridge's things. @see EventBridge API reference */
import { LambentError } from "../base/index.ts";
import { realmKey, type Realm } from "../model/index.ts";

/** The bus that every realm has. */
export const DEFAULT_BUS = "default";
const BUS_NAME = /^[A-Za-z0-9._/-]{1,256}$/;
const ARN = /^arn:aws[a-z-]{0,20}:events:([a-z0-9-]{1,32}):(\d{12}):(event-bus|rule|archive|replay)\/(.{1,600})$/;

export type EventsResource = "event-bus" | "rule" | "archive" | "replay";

export interface EventsArn {
  readonly realm: Realm;
  readonly kind: EventsResource;
  /** A rule's of another bus than the default one begins with the bus: `orders/big-ones`. */
  readonly name: string;
}

/** ARN of a thing of EventBridge: `arn:aws:events:<region>:<account>:<kind>/<name>`. */
export function eventsArn({ account, region }: Realm, kind: EventsResource, name: string): string {
  return `arn:aws:events:${region}:${account}:${kind}/${name}`;
}

/** ARN of a bus. */
export function busArn(realm: Realm, bus: string): string {
  return eventsArn(realm, "event-bus", bus);
}

/** ARN of a rule; one on another bus than the default one has the bus before its name. */
export function ruleArn(realm: Realm, bus: string, rule: string): string {
  return eventsArn(realm, "rule", bus === DEFAULT_BUS ? rule : `${bus}/${rule}`);
}

/** What an ARN of EventBridge names; undefined for any other text. */
export function parseEventsArn(arn: string): EventsArn | undefined {
  const found = ARN.exec(arn);
  if (!found) return undefined;
  const [, region = "", account = "", kind, name = ""] = found;
  return { realm: { account, region }, kind: kind as EventsResource, name };
}

/** Bus and rule of a rule's ARN. */
export function parseRuleArn(arn: string): { readonly bus: string; readonly rule: string } | undefined {
  const found = parseEventsArn(arn);
  if (found?.kind !== "rule") return undefined;
  const at = found.name.lastIndexOf("/");
  return at < 0 ? { bus: DEFAULT_BUS, rule: found.name } : { bus: found.name.slice(0, at), rule: found.name.slice(at + 1) };
}

/** A bus of the realm by its name or its ARN; nothing said is the default one. The ARN of another realm's bus is the name of none. */
export function busNameOf(nameOrArn: string | undefined, realm: Realm): string {
  if (nameOrArn === undefined) return DEFAULT_BUS;
  const arn = parseEventsArn(nameOrArn);
  return arn?.kind === "event-bus" && realmKey(arn.realm) === realmKey(realm) ? arn.name : nameOrArn;
}

/** Throws `InvalidParameter` for a name that no custom bus may have. */
export function checkBusName(name: string): void {
  if (!BUS_NAME.test(name) || name.includes("/"))
    throw new LambentError(
      "InvalidParameter",
      `Event bus name ${JSON.stringify(name.slice(0, 256))} is not valid: letters, digits, ".", "-" and "_".`,
    );
}
