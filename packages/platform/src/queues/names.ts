import { LambentError } from "../base/index.ts";
import type { Realm } from "../model/index.ts";

/** Characters of a queue's name, `.fifo` included. @limit */
const QUEUE_NAME_LENGTH_MAX = 80;

const NAME = /^[A-Za-z0-9_-]{1,80}$/;
const FIFO_SUFFIX = ".fifo";
const ARN = /^arn:aws[a-z-]{0,20}:sqs:([a-z0-9-]{1,32}):(\d{12}):([A-Za-z0-9_.-]{1,80})$/;

/** Refuses a name that no queue can have. */
export function checkQueueName(name: string, fifo: boolean): void {
  const stem = fifo && name.endsWith(FIFO_SUFFIX) ? name.slice(0, -FIFO_SUFFIX.length) : name;
  if (name.length > QUEUE_NAME_LENGTH_MAX || !NAME.test(stem) || (fifo && stem === name))
    throw new LambentError(
      "InvalidParameter",
      fifo
        ? "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
        : "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    );
}

/** `arn:aws:sqs:<region>:<account>:<name>`. */
export function queueArn(realm: Realm, name: string): string {
  return `arn:aws:sqs:${realm.region}:${realm.account}:${name}`;
}

/** The queue an ARN names; undefined when it is no ARN of a queue. */
export function parseQueueArn(arn: string): { readonly realm: Realm; readonly name: string } | undefined {
  const parts = ARN.exec(arn);
  if (!parts) return undefined;
  const [, region = "", account = "", name = ""] = parts;
  return { realm: { account, region }, name };
}
