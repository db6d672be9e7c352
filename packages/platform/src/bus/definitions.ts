/** What a realm defines: buses, rules on them, and the rules' targets. */
import type { Instant } from "../base/index.ts";
import type { TargetInput } from "./input/target-input.ts";

export interface BusRecord {
  readonly name: string;
  /** Another one each time a bus of this name is created: names its cell. */
  readonly id: string;
  readonly description: string | undefined;
  /** Who else may put events on it; JSON text. */
  readonly policy: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
  readonly modifiedAt: Instant;
}

export interface RuleTarget {
  readonly id: string;
  readonly arn: string;
  readonly roleArn?: string | undefined;
  /** What the target gets instead of the event in AWS's form. */
  readonly input?: TargetInput | undefined;
  /** Group of the message in a FIFO queue. */
  readonly messageGroupId?: string | undefined;
  readonly http?: HttpParameters | undefined;
  /** Where in the event stands what chooses the shard of a stream. */
  readonly partitionKeyPath?: string | undefined;
  /** ARN of the queue that gets events the target did not take. */
  readonly deadLetter?: string | undefined;
  /** 0–185 */
  readonly retriesMax?: number | undefined;
  /** 60–86,400 s */
  readonly ageMsMax?: number | undefined;
}

export interface HttpParameters {
  readonly pathValues: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export interface RuleRecord {
  readonly bus: string;
  readonly name: string;
  /** Event pattern as it was given; at least one of it and `schedule` is there. */
  readonly pattern: string | undefined;
  readonly schedule: string | undefined;
  readonly enabled: boolean;
  readonly description: string | undefined;
  readonly roleArn: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly targets: readonly RuleTarget[];
  readonly createdAt: Instant;
  /** An archive's: only the archive changes it. */
  readonly managed?: true | undefined;
}
