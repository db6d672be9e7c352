/** Values that fit a schema, drawn from a seed: for round trips over whole services. */
import assert from "node:assert/strict";
import { type Random, randomBelow } from "../../src/base/index.ts";
import type { Member, Rule, StructureShape } from "../../src/wire/schema.ts";

export interface ValueChoices {
  /** Leave out what is not required. */
  readonly requiredOnly: boolean;
}

/** For members with a pattern: those of these that match it are the choices. A new pattern may need one more. */
const PATTERN_TEXTS = [
  ...[
    "a",
    "abc",
    "arn:aws:kinesis:us-east-1:123456789012:stream/a",
    "arn:aws:kinesis:us-east-1:123456789012:stream/a/consumer/b:1",
    "abcdefghij0123456789-abc",
    "hello-world",
    "Hello_1",
    "live",
    "1",
    "42",
    "123456",
    "1.0",
    "v1",
    "123456789012",
    "$LATEST",
    "us-east-1",
    "/mnt/data",
    "/division/team/",
    "name@example.org",
  ],
  ...[
    "key/with/slashes",
    "sg-0123456789abcdef0",
    "subnet-0123456789abcdef0",
    "o-0123456789",
    "o-0123456789/r-0123/",
    "p-01234567",
    "localhost:9092",
    "s3://bucket/key",
    "q".repeat(40),
  ],
  ...[
    "https://example.org/path",
    "AKIAIOSFODNN7EXAMPLE",
    "AKIAIOSFODNN7EXAMPLE77",
    "a b c d e f g h i j k",
    "* * * * ? *",
    "lambda:InvokeFunction",
    "lambda:GetLayerVersion",
  ],
  ...["2f4a8e9c-1b2d-4c3e-8f5a-6b7c8d9e0f1a", "2f4a8e9c1b2d4c3e8f5a6b7c8d9e0f1a2f4a8e9c1b2d4c3e8f5a6b7c8d9e0f1a"],
  "arn:aws:lambda:us-east-1:123456789012:function:hello",
  "arn:aws:lambda:us-east-1:123456789012:function:hello:live",
  "arn:aws:lambda:us-east-1:123456789012:function:hello:1/durable-execution/name/id",
  "arn:aws:lambda:us-east-1:123456789012:capacity-provider:pool",
  "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0",
  "arn:aws:lambda:us-east-1:123456789012:layer:tools:3",
  "arn:aws:lambda:us-east-1::runtime:0123456789",
  "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0",
  "arn:aws:kms:us-east-1:123456789012:key/0123",
  "arn:aws:iam::123456789012:role/worker",
  "aws.partner/example.org/orders",
  "events:PutEvents",
  "arn:aws:events:us-east-1:123456789012:event-bus/orders",
  "arn:aws:events:us-east-1:123456789012:connection/orders/2f4a8e9c",
  "arn:aws:route53:::healthcheck/2f4a8e9c",
  "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders",
  "arn:aws:vpc-lattice:us-east-1:123456789012:resourceconfiguration/rcfg-0123456789abcdef0",
  "arn:aws:sqs:us-east-1:123456789012:orders",
  "arn:aws:scheduler:us-east-1:123456789012:schedule-group/orders",
  "+4915112345678",
];

const DEPTH_MAX = 4;
const BODY_TEXT = ["a", "Z", "0", "-", "_", "/", ".", "ä", "水", "😀", "&", "<", ">", '"', "'", "%", "+", "=", "\\", "{", "b", "c"];
const HEADER_TEXT = ["a", "Z", "0", "-", "_", "/", ".", "b", "c", "d"];

/** What clients of S3 make themselves of other members. */
const MADE_BY_S3_CLIENT = /^(?:Checksum(?!Mode$|Type$)|ContentMD5$|SSECustomer|CopySourceSSECustomer)/;

/** The bucket of every generated input. */
export const GENERATED_BUCKET = "a-bucket";

/** Makes a generated input such as the client of S3 sends unchanged. */
export function fitS3Input(input: Record<string, unknown>): void {
  if ("Bucket" in input) input["Bucket"] = GENERATED_BUCKET;
  for (const name of Object.keys(input)) if (MADE_BY_S3_CLIENT.test(name)) delete input[name];
  const body = input["Body"];
  if (body instanceof Uint8Array) input["ContentLength"] = body.length;
}

export class ValueSource {
  readonly #random: Random;
  readonly #choices: ValueChoices;
  readonly #matching = new Map<string, readonly string[]>();

  constructor(random: Random, choices: ValueChoices) {
    this.#random = random;
    this.#choices = choices;
  }

  structure(shape: StructureShape, depth = 0): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    const members = shape.union ? [this.#pick(shape.members)] : shape.members;
    for (const member of members) {
      const streams = member.shape.kind === "structure" && member.shape.eventStream;
      // An answer always has a content type, even where the output gives none.
      const always = streams || member.locationName === "content-type";
      const wanted = member.required || shape.union || always || (!this.#choices.requiredOnly && depth < DEPTH_MAX);
      if (!wanted) continue;
      values[member.name] =
        member.location === "prefixHeaders"
          ? { one: this.#text(HEADER_TEXT, undefined), two: this.#text(HEADER_TEXT, undefined) }
          : this.#value(member, member.rule, depth);
    }
    // awsQuery has no way to write an empty structure inside another.
    const first = shape.members.find(({ shape: { kind } }) => kind !== "structure" && kind !== "list" && kind !== "map");
    if (depth > 0 && first && Object.keys(values).length === 0) values[first.name] = this.#value(first, first.rule, depth);
    return values;
  }

  #value(member: Member, rule: Rule | undefined, depth: number): unknown {
    const shape = member.shape;
    switch (shape.kind) {
      case "structure":
        return shape.eventStream ? this.#events(shape, depth) : this.structure(shape, depth + 1);
      case "list": {
        const count = this.#count(rule, depth);
        return Array.from({ length: count }, () => this.#value(shape.value, rule?.each, depth + 1));
      }
      case "map":
        return Object.fromEntries(
          Array.from({ length: this.#count(rule, depth) }, (_, index) => [
            this.#key(rule?.key, index),
            this.#value(shape.value, rule?.value, depth + 1),
          ]),
        );
      case "number":
        return this.#number(rule);
      case "boolean":
        return this.#random.next() < 0.5;
      case "timestamp":
        return new Date(randomBelow(this.#random, 2_000_000_000) * 1000);
      case "blob":
        return Uint8Array.from({ length: Math.max(rule?.min ?? 0, 1 + randomBelow(this.#random, 40)) }, () =>
          randomBelow(this.#random, 256),
        );
      case "document":
        return { list: [1, "two", null], deep: { truth: true } };
      default:
        return this.#string(member, rule);
    }
  }

  #events(shape: StructureShape, depth: number): Record<string, unknown>[] {
    return shape.members
      .filter(({ shape: event }) => event.kind !== "structure" || !event.error)
      .map((member) => ({ [member.name]: this.#value(member, undefined, depth) }));
  }

  #count(rule: Rule | undefined, depth: number): number {
    const least = rule?.min ?? 0;
    const wanted = depth >= DEPTH_MAX ? 1 : 1 + randomBelow(this.#random, 3);
    return Math.min(Math.max(least, wanted), rule?.max ?? Number.POSITIVE_INFINITY);
  }

  #key(rule: Rule | undefined, index: number): string {
    if (rule?.enum) return [...rule.enum][index % rule.enum.size] ?? "";
    return rule?.pattern ? this.#matchingText(rule) : `key${index}`;
  }

  #number(rule: Rule | undefined): number {
    const least = rule?.min ?? 0;
    const most = Math.min(rule?.max ?? least + 1_000_000, Number.MAX_SAFE_INTEGER);
    return least + randomBelow(this.#random, Math.floor(most - least) + 1);
  }

  #string(member: Member, rule: Rule | undefined): string {
    if (rule?.enum) return this.#pick([...rule.enum]);
    if (rule?.pattern) return this.#matchingText(rule);
    const outside = member.location === "header" || member.location === "label" || member.location === "query";
    return this.#text(outside ? HEADER_TEXT : BODY_TEXT, rule);
  }

  #text(alphabet: readonly string[], rule: Rule | undefined): string {
    const most = Math.min(rule?.max ?? 30, Math.max(30, rule?.min ?? 0));
    const length = Math.max(rule?.min ?? 1, 1 + randomBelow(this.#random, most));
    return Array.from({ length }, () => this.#pick(alphabet)).join("");
  }

  #matchingText(rule: Rule): string {
    assert.ok(rule.pattern);
    const key = `${rule.pattern.source} ${rule.min} ${rule.max}`;
    let found = this.#matching.get(key);
    if (!found) this.#matching.set(key, (found = this.#findMatching(rule, rule.pattern.whole)));
    assert.notEqual(found.length, 0, `PATTERN_TEXTS has no value for ${rule.pattern.source} of ${rule.min} to ${rule.max} characters`);
    return this.#pick(found);
  }

  #findMatching(rule: Rule, pattern: RegExp): readonly string[] {
    return PATTERN_TEXTS.filter((text) => text.length >= (rule.min ?? 0) && text.length <= (rule.max ?? text.length) && pattern.test(text));
  }

  #pick<T>(from: readonly T[]): T {
    return from[randomBelow(this.#random, from.length)] as T;
  }
}
