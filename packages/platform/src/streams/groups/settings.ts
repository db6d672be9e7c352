/** What an operator of groups may set, and bounds that stand. */
export interface GroupSettings {
  /**
   * How long the first member of an empty group waits for others. Kafka's 3 s are for members that start on many machines;
   * those of one box start within tens of milliseconds of each other.
   */
  readonly initialRebalanceDelayMs: number;
  readonly sessionTimeoutMsMin: number;
  readonly sessionTimeoutMsMax: number;
  /** Members of one group. */
  readonly membersMax: number;
  /** How long offsets are kept of groups without members, and of topics that no member reads any more. */
  readonly offsetsRetentionMs: number;
}

export const DEFAULT_GROUP_SETTINGS: GroupSettings = {
  initialRebalanceDelayMs: 100,
  sessionTimeoutMsMin: 6_000,
  sessionTimeoutMsMax: 1_800_000,
  membersMax: 1_000,
  offsetsRetentionMs: 7 * 86_400_000,
};

/** Groups of one realm. @limit */
export const GROUPS_MAX = 10_000;
/** Bytes of a group's name. @limit */
export const GROUP_NAME_BYTES_MAX = 1_024;
/** Characters of a static member's name (`group.instance.id`). @limit */
export const GROUP_INSTANCE_LENGTH_MAX = 249;
/** Ways of sharing out that one member names. @limit */
export const GROUP_PROTOCOLS_MAX = 32;
/** Bytes of what one group's members say of themselves, with their parts. @limit */
export const GROUP_BYTES_MAX = 16 * 1024 * 1024;
/** The same of all groups together. @limit */
export const ALL_GROUPS_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes of the text beside a committed offset. @limit */
export const OFFSET_METADATA_BYTES_MAX = 4_096;
/** Characters of a client's name that are kept. */
export const CLIENT_NAME_LENGTH_MAX = 255;
/** How long one that was no member before may wait for a rebalance: its client may be gone for good. */
export const NEW_MEMBER_WAIT_MS = 300_000;
/** Between two looks for offsets that are past, at least. */
export const EXPIRY_PAUSE_MS = 600_000;
