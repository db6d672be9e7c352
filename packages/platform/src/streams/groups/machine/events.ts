/** What can happen to a group, and how callers are answered. Errors have Kafka's own names. */
import type { MonotonicMs } from "../../../base/index.ts";
import type { Call, Group, Protocol } from "./group.ts";

export type GroupError =
  | "COORDINATOR_NOT_AVAILABLE"
  | "INVALID_GROUP_ID"
  | "GROUP_ID_NOT_FOUND"
  | "NON_EMPTY_GROUP"
  | "UNKNOWN_MEMBER_ID"
  | "ILLEGAL_GENERATION"
  | "REBALANCE_IN_PROGRESS"
  | "INCONSISTENT_GROUP_PROTOCOL"
  | "INVALID_SESSION_TIMEOUT"
  | "MEMBER_ID_REQUIRED"
  | "FENCED_INSTANCE_ID"
  | "GROUP_MAX_SIZE_REACHED"
  | "GROUP_SUBSCRIBED_TO_TOPIC"
  | "OFFSET_METADATA_TOO_LARGE"
  | "UNKNOWN_TOPIC_OR_PARTITION"
  | "INVALID_REQUEST"
  | "POLICY_VIOLATION";

export interface Refused {
  readonly kind: "refused";
  readonly error: GroupError;
}

/** Who speaks, as it says; `instance` is its `group.instance.id`. */
export interface MemberClaim {
  readonly generation: number;
  readonly member: string;
  readonly instance?: string;
}

/** A member as one who leaves, or is sent away, is named. */
export interface LeavingMember {
  readonly member: string;
  readonly instance?: string;
}

export interface JoinEvent {
  readonly kind: "join";
  readonly call: Call;
  /** Empty for one that has no id yet. */
  readonly member: string;
  /** The id it gets then. */
  readonly newMember: string;
  readonly instance?: string;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly Protocol[];
  /** It is to come again with the id it gets, so that a client that never hears the answer leaves no member behind. */
  readonly memberIdRequired: boolean;
  /** It understands that it leads, and that there is nothing to share out. */
  readonly canSkipAssignment: boolean;
}

export interface SyncEvent extends MemberClaim {
  readonly kind: "sync";
  readonly call: Call;
  readonly protocolType?: string;
  readonly protocol?: string;
  /** From the leader: everybody's part. */
  readonly assignments: readonly { readonly member: string; readonly assignment: Buffer }[];
}

export interface HeartbeatEvent extends MemberClaim {
  readonly kind: "heartbeat";
  readonly call: Call;
}

export interface LeaveEvent {
  readonly kind: "leave";
  readonly call: Call;
  readonly members: readonly LeavingMember[];
}

/** Offsets are to be committed: may they be? Generation -1 and no member is one who takes part in no group. */
export interface CommitEvent extends MemberClaim {
  readonly kind: "commit";
  readonly call: Call;
}

/** Time has passed. */
export interface TickEvent {
  readonly kind: "tick";
}

export interface RemoveEvent {
  readonly kind: "remove";
  readonly call: Call;
}

export type GroupEvent = JoinEvent | SyncEvent | HeartbeatEvent | LeaveEvent | CommitEvent | TickEvent | RemoveEvent;
export type GroupEventKind = GroupEvent["kind"];

export interface Joined {
  readonly kind: "joined";
  readonly generation: number;
  readonly protocolType: string;
  readonly protocol: string;
  readonly leader: string;
  readonly member: string;
  readonly skipAssignment: boolean;
  /** All of them for the leader, none for the others. */
  readonly members: readonly { readonly member: string; readonly instance?: string; readonly metadata: Buffer }[];
}

/** `member` is the id it is to come with again, where that is required, else the one it came with. */
export type JoinResult = Joined | (Refused & { readonly member: string });

export interface Synced {
  readonly kind: "synced";
  readonly protocolType: string;
  readonly protocol: string;
  readonly assignment: Buffer;
}
export type SyncResult = Synced | Refused;

export type HeartbeatResult = { readonly kind: "alive" } | Refused;

export type LeaveResult =
  | { readonly kind: "left"; readonly members: readonly (LeavingMember & { readonly error?: GroupError })[] }
  | Refused;

export type RemoveResult = { readonly kind: "removed" } | Refused;

/** What answers each kind of call. */
export interface Results {
  readonly join: JoinResult;
  readonly sync: SyncResult;
  readonly heartbeat: HeartbeatResult;
  readonly leave: LeaveResult;
  readonly commit: { readonly kind: "allowed" } | Refused;
  readonly remove: RemoveResult;
}

export type Answer = { [K in keyof Results]: { readonly to: K; readonly call: Call; readonly result: Results[K] } }[keyof Results];

export interface MembershipLimits {
  /** Members of one group, with those that were given an id. */
  readonly membersMax: number;
  readonly bytesMax: number;
  /** How long the first member of an empty group waits for others. */
  readonly initialDelayMs: number;
  /** How long one that was no member before may wait for a rebalance. */
  readonly newMemberWaitMs: number;
}

/** One event's stretch of work: what it is decided by, and what is answered. */
export interface Turn {
  readonly now: MonotonicMs;
  readonly limits: MembershipLimits;
  readonly answers: Answer[];
}

/** What a state makes of an event. */
export type Step<State extends Group, Event extends GroupEvent> = (group: State, event: Event, turn: Turn) => Group;
