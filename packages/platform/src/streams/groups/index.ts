/** Consumer groups: memberships and committed offsets. */
export { ConsumerGroups, openConsumerGroups } from "./consumer-groups.ts";
export type { ConsumerGroupsOptions } from "./consumer-groups.ts";
export { subscribedTopics } from "./subscription.ts";
export type { GroupSettings } from "./settings.ts";
export type {
  GroupError,
  HeartbeatResult,
  JoinResult,
  LeaveResult,
  MemberClaim,
  Refused,
  RemoveResult,
  SyncResult,
} from "./machine/events.ts";
export type {
  CommitOutcome,
  CommitRequest,
  FetchedOffset,
  FetchOutcome,
  FetchRequest,
  GroupDescription,
  GroupListing,
  GroupMember,
  HeartbeatRequest,
  JoinRequest,
  LeaveRequest,
  OffsetToCommit,
  SyncRequest,
  TopicPartitions,
} from "./requests.ts";
