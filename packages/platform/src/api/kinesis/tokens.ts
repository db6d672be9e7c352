/**
 * Shard iterators and tokens of pages: what a caller carries from one call to the next. Nothing is kept here for them; each is signed, so that
 * one that this server did not give is known, and ends after five minutes, as on AWS.
 */
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { type Clock, type Instant, LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { invalidArgument } from "./errors.ts";

/** How long a shard iterator, or the token of a page, is good for. @limit */
export const KINESIS_TOKEN_LIFE_MS = 300_000;
const SIGNATURE_BYTES = 16;

/** Where a reader of a shard stands. */
export interface ShardPosition {
  readonly realm: Realm;
  readonly stream: string;
  /** Tells a stream from a later one of its name. */
  readonly streamId: string;
  readonly shard: number;
  /** Of the next record. */
  readonly offset: number;
}

/** Where a list goes on: behind what, of which list. */
export interface PagePosition {
  readonly list: string;
  readonly last: string;
}

export class Tokens {
  readonly #key: Buffer;
  readonly #clock: Clock;

  /** `secret` stays the same over restarts, so that readers do not notice them. */
  constructor(secret: string, clock: Clock) {
    this.#key = Buffer.from(hkdfSync("sha256", secret, "", "lambent kinesis tokens 1", 32));
    this.#clock = clock;
  }

  /** A shard iterator for `position`. */
  iterator({ realm, stream, streamId, shard, offset }: ShardPosition): string {
    return this.#sign(["i", this.#clock.now(), realm.account, realm.region, stream, streamId, shard, offset]);
  }

  /** Where an iterator stands, whether or not it is still good. Throws `InvalidParameter` for one that was not given here. */
  positionOf(iterator: string): ShardPosition & { readonly givenAt: Instant } {
    const [kind, givenAt, account, region, stream, streamId, shard, offset] = this.#read(iterator) ?? [];
    if (kind !== "i") throw invalidArgument("Invalid ShardIterator.");
    return {
      realm: { account: String(account), region: String(region) },
      ...{ stream: String(stream), streamId: String(streamId), shard: Number(shard), offset: Number(offset), givenAt: Number(givenAt) },
    };
  }

  /** Throws `ExpiredIterator` in Kinesis' words. */
  requireFresh(givenAt: Instant): void {
    const now = this.#clock.now();
    if (now - givenAt <= KINESIS_TOKEN_LIFE_MS) return;
    throw new LambentError(
      "ExpiredIterator",
      `Iterator expired. The iterator was created at time ${new Date(givenAt).toUTCString()} while right now it is ${new Date(now).toUTCString()} which is further in the future than the tolerated delay of ${KINESIS_TOKEN_LIFE_MS} milliseconds.`,
    );
  }

  /** The token of a page that begins behind `last`. */
  page({ list, last }: PagePosition): string {
    return this.#sign(["p", this.#clock.now(), list, last]);
  }

  /** What a page begins behind. Throws `InvalidParameter`, or `ExpiredPageToken`. */
  pageOf(token: string): PagePosition {
    const [kind, givenAt, list, last] = this.#read(token) ?? [];
    if (kind !== "p") throw invalidArgument("Invalid NextToken.");
    if (this.#clock.now() - Number(givenAt) > KINESIS_TOKEN_LIFE_MS)
      throw new LambentError("ExpiredPageToken", `The NextToken is older than ${KINESIS_TOKEN_LIFE_MS / 1_000} seconds.`);
    return { list: String(list), last: String(last) };
  }

  #sign(values: readonly (string | number)[]): string {
    const text = Buffer.from(JSON.stringify(values));
    return Buffer.concat([this.#signature(text), text]).toString("base64");
  }

  #read(token: string): readonly unknown[] | undefined {
    const bytes = Buffer.from(token, "base64");
    const text = bytes.subarray(SIGNATURE_BYTES);
    const isOurs = text.length > 0 && timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), this.#signature(text));
    // What is signed is what was written here.
    return isOurs ? (JSON.parse(text.toString("utf8")) as readonly unknown[]) : undefined;
  }

  #signature(text: Buffer): Buffer {
    return createHmac("sha256", this.#key).update(text).digest().subarray(0, SIGNATURE_BYTES);
  }
}
