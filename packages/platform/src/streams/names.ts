/** How streams, their shards and their consumers are named. */
import { LambentError } from "../base/index.ts";
import type { Realm } from "../model/index.ts";

const NAME = /^[a-zA-Z0-9._-]{1,249}$/;

/** Refuses a name that no stream can have: what both Kinesis and Kafka allow, as far as the longer of them goes. */
export function checkStreamName(name: string): void {
  if (NAME.test(name) && name !== "." && name !== "..") return;
  throw new LambentError(
    "InvalidParameter",
    `The stream name ${JSON.stringify(name.slice(0, 300))} is not allowed: 1 to 249 letters, digits, dots, underscores and hyphens, and neither . nor .. alone.`,
  );
}

/** `shardId-000000000007`. */
export function shardIdOf(number: number): string {
  return `shardId-${String(number).padStart(12, "0")}`;
}

/** `arn:aws:kinesis:<region>:<account>:stream/<name>`. */
export function streamArn({ region, account }: Realm, name: string): string {
  return `arn:aws:kinesis:${region}:${account}:stream/${name}`;
}

/** A stream as an ARN names it; consumers have a part of their own behind it. */
export interface StreamReference {
  readonly realm: Realm;
  readonly name: string;
  /** With the second it was made at, which tells it from another one of its name. */
  readonly consumer?: { readonly name: string; readonly createdSeconds: number };
}

/** Characters of an ARN that is looked at. */
const ARN_CHARS_MAX = 2_048;
const STREAM_ARN =
  /^arn:aws[a-z-]{0,20}:kinesis:([a-z0-9-]{1,32}):(\d{12}):stream\/([a-zA-Z0-9._-]{1,249})(?:\/consumer\/([a-zA-Z0-9._-]{1,128}):(\d{1,12}))?$/;

/** The stream, and maybe its consumer, that an ARN names; undefined when it is none of a stream. */
export function parseStreamReference(arn: string): StreamReference | undefined {
  const parts = arn.length <= ARN_CHARS_MAX ? STREAM_ARN.exec(arn) : null;
  if (!parts) return undefined;
  const [, region = "", account = "", name = "", consumer, seconds] = parts;
  const stream = { realm: { account, region }, name };
  return consumer === undefined ? stream : { ...stream, consumer: { name: consumer, createdSeconds: Number(seconds) } };
}

/** What a stream's ARN names; undefined for any other text, also for the ARN of one of its consumers. */
export function parseStreamArn(arn: string): Omit<StreamReference, "consumer"> | undefined {
  const found = parseStreamReference(arn);
  return found?.consumer ? undefined : found;
}
