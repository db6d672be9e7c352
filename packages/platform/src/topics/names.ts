import type { Realm } from "../model/index.ts";
import { invalid } from "./refused.ts";

/** Characters of a topic's name, `.fifo` included. @limit */
export const TOPIC_NAME_LENGTH_MAX = 256;

const NAME = /^[A-Za-z0-9_-]+$/;
const FIFO_SUFFIX = ".fifo";
const ARN = /^arn:aws[a-z-]{0,20}:sns:([a-z0-9-]{1,32}):(\d{12}):([A-Za-z0-9_-]{1,256}(?:\.fifo)?)(?::([0-9a-f-]{36}))?$/;

/** A topic, or with `subscription` one of its subscriptions, as an ARN names it. */
export interface TopicReference {
  readonly realm: Realm;
  readonly name: string;
}
export interface SubscriptionReference extends TopicReference {
  readonly id: string;
}

/** Refuses a name that no topic of that kind can have. */
export function checkTopicName(name: string, fifo: boolean): void {
  const stem = name.endsWith(FIFO_SUFFIX) ? name.slice(0, -FIFO_SUFFIX.length) : name;
  if (name.length > TOPIC_NAME_LENGTH_MAX || !NAME.test(stem)) throw invalid("Topic Name");
  if (fifo && stem === name)
    throw invalid(
      "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.",
    );
  if (!fifo && stem !== name) throw invalid("Topic Name");
}

/** `arn:aws:sns:<region>:<account>:<name>`. */
export function topicArn(realm: Realm, name: string): string {
  return `arn:aws:sns:${realm.region}:${realm.account}:${name}`;
}

/** The topic's ARN with the subscription's id behind it. */
export function subscriptionArn({ realm, name, id }: SubscriptionReference): string {
  return `${topicArn(realm, name)}:${id}`;
}

/** The topic an ARN names; undefined when it is none of a topic. */
export function parseTopicArn(arn: string): TopicReference | undefined {
  const found = parsed(arn);
  return found && found.id === undefined ? { realm: found.realm, name: found.name } : undefined;
}

/** The subscription an ARN names; undefined when it is none of a subscription. */
export function parseSubscriptionArn(arn: string): SubscriptionReference | undefined {
  const found = parsed(arn);
  return found?.id === undefined ? undefined : { realm: found.realm, name: found.name, id: found.id };
}

function parsed(arn: string): (TopicReference & { readonly id: string | undefined }) | undefined {
  const parts = ARN.exec(arn);
  if (!parts) return undefined;
  const [, region = "", account = "", name = "", id] = parts;
  return { realm: { account, region }, name, id };
}
