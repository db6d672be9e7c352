/** What the coordinator is asked and what it answers, beside what the membership's events say already. */
import type { Instant } from "../../base/index.ts";
import type { GroupError, JoinEvent, MemberClaim, Refused, SyncEvent } from "./machine/events.ts";
import type { GroupKind } from "./machine/group.ts";

export interface JoinRequest extends Omit<JoinEvent, "kind" | "call" | "newMember"> {
  readonly group: string;
}

export interface SyncRequest extends Omit<SyncEvent, "kind" | "call"> {
  readonly group: string;
}

export interface HeartbeatRequest extends MemberClaim {
  readonly group: string;
}

export interface LeaveRequest {
  readonly group: string;
  readonly members: readonly { readonly member: string; readonly instance?: string }[];
}

/** Partitions of topics. */
export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface OffsetToCommit {
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch?: number;
  readonly metadata: string;
}

/** Generation -1 and no member: from one who takes part in no group. */
export interface CommitRequest extends MemberClaim {
  readonly group: string;
  /** How long they are kept, where the client says. */
  readonly retentionMs?: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly OffsetToCommit[] }[];
}

/** What became of each partition; refused as a whole, none was changed. */
export type CommitOutcome =
  | {
      readonly kind: "settled";
      readonly topics: readonly {
        readonly topic: string;
        readonly partitions: readonly { readonly partition: number; readonly error?: GroupError }[];
      }[];
    }
  | Refused;

export interface FetchRequest {
  readonly group: string;
  /** All there are, when absent. */
  readonly topics?: readonly TopicPartitions[];
}

export interface FetchedOffset {
  readonly partition: number;
  /** -1 where none was committed. */
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
}

export type FetchOutcome =
  | { readonly kind: "offsets"; readonly topics: readonly { readonly topic: string; readonly partitions: readonly FetchedOffset[] }[] }
  | Refused;

export interface GroupListing {
  readonly group: string;
  /** Empty for a group that has only offsets. */
  readonly protocolType: string;
  readonly state: GroupKind;
}

export interface GroupMember {
  readonly member: string;
  readonly instance?: string;
  readonly clientId: string;
  readonly clientHost: string;
  /** Empty, as its part is, while the group is not stable. */
  readonly metadata: Buffer;
  readonly assignment: Buffer;
}

export interface GroupDescription extends GroupListing {
  readonly protocol: string;
  readonly members: readonly GroupMember[];
}

/** When a committed offset is past at the earliest. */
export function expiryOf(now: Instant, retentionMs: number | undefined): { readonly expiresAt?: Instant } {
  return retentionMs === undefined ? {} : { expiresAt: now + retentionMs };
}
