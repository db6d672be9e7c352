/**
 * The coordinator of consumer groups: who takes part in which, and how far each has come. It keeps Kafka's classic group
 * protocol, with eager and cooperative sharing out, and answers in Kafka's errors.
 *
 * Keeps P1 (a committed offset is durable before it is acknowledged), P6 (its timers are the members' own timeouts),
 * P7 and P8. Does not know how requests look on the wire or who may send them, and never looks into what members say of
 * themselves but for the topics they read. Memberships end with the process: members are asked to come again.
 */
import { isLambentError, type Clock, type SecureRandom } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { eachCell, eachRealm, type Store } from "../../storage/index.ts";
import type { StreamRecord } from "../stream-record.ts";
import { CoordinatedGroup, type GroupParts } from "./coordinated-group.ts";
import { Expiry } from "./expiry.ts";
import { decodeRecord, encodeOffset, GROUP_KEY, groupCells, offsetKey, type CommittedOffset } from "./group-record.ts";
import { OFFSETS_WAITING_MAX, type OffsetRow } from "./group-rows.ts";
import { describeGroup } from "./description.ts";
import type {
  GroupError,
  HeartbeatResult,
  JoinResult,
  LeaveResult,
  MembershipLimits,
  Refused,
  RemoveResult,
  SyncResult,
} from "./machine/events.ts";
import { memberBytes } from "./machine/members.ts";
import { expiryOf } from "./requests.ts";
import type {
  CommitOutcome,
  CommitRequest,
  FetchedOffset,
  FetchOutcome,
  FetchRequest,
  GroupDescription,
  GroupListing,
  HeartbeatRequest,
  JoinRequest,
  LeaveRequest,
  OffsetToCommit,
  SyncRequest,
  TopicPartitions,
} from "./requests.ts";
import * as bounds from "./settings.ts";

export interface ConsumerGroupsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  /** Which partitions there are. */
  readonly streams: { find(realm: Realm, name: string): StreamRecord | undefined };
  readonly onProblem: (error: unknown) => void;
  readonly settings?: Partial<bounds.GroupSettings>;
}

/** Opens the groups of all realms; their offsets are read when they are asked for. */
export async function openConsumerGroups(options: ConsumerGroupsOptions): Promise<ConsumerGroups> {
  const groups = new ConsumerGroups(options);
  await groups.load();
  return groups;
}

export class ConsumerGroups {
  readonly #options: ConsumerGroupsOptions;
  readonly #settings: bounds.GroupSettings;
  /** By realm, then by name. */
  readonly #realms = new Map<string, Map<string, CoordinatedGroup>>();
  readonly #parts: GroupParts;
  readonly #expiry: Expiry;
  #bytes = 0;
  #isClosed = false;

  constructor(options: ConsumerGroupsOptions) {
    this.#options = options;
    this.#settings = { ...bounds.DEFAULT_GROUP_SETTINGS, ...options.settings };
    const { store, clock, onProblem } = options;
    const limits: MembershipLimits = {
      membersMax: this.#settings.membersMax,
      bytesMax: bounds.GROUP_BYTES_MAX,
      initialDelayMs: this.#settings.initialRebalanceDelayMs,
      newMemberWaitMs: bounds.NEW_MEMBER_WAIT_MS,
    };
    const onChanged = (group: CoordinatedGroup, bytes: number): void => this.#changed(group, bytes);
    this.#parts = { store, clock, limits, onProblem, onChanged, retentionMs: this.#settings.offsetsRetentionMs };
    this.#expiry = new Expiry({ clock, onProblem, groups: () => this.#all(), expire: (group, now) => this.#expire(group, now) });
  }

  /** Reads which groups there are. For once, before anything else. */
  async load(): Promise<void> {
    const { store } = this.#options;
    for await (const realm of eachRealm(store))
      for await (const cell of eachCell(store, groupCells(realm))) {
        const row = await store.get(cell, GROUP_KEY);
        if (row === undefined) continue;
        const record = decodeRecord(row);
        const group = new CoordinatedGroup(this.#parts, realm, record.name, record);
        this.#of(realm).set(record.name, group);
        group.forgetMembers();
      }
  }

  /** Takes part, or goes on doing so. Answered when all members of the group have joined, which can take as long as the slowest of them may. */
  async join(realm: Realm, request: JoinRequest): Promise<JoinResult> {
    const { group: name, clientId, ...rest } = request;
    const { member } = request;
    const group = this.#refusal(name) ?? wrongJoin(request, this.#settings) ?? this.#forMember(realm, name, memberBytes(request));
    if (typeof group === "string") return { kind: "refused", error: group, member };
    const client = clientId.slice(0, bounds.CLIENT_NAME_LENGTH_MAX).toWellFormed();
    const newMember = `${request.instance ?? client}-${this.#options.secureRandom.uuid()}`;
    const rebalanceTimeoutMs = request.rebalanceTimeoutMs > 0 ? request.rebalanceTimeoutMs : request.sessionTimeoutMs;
    // The bytes are kept, and would keep the whole request's frame.
    const protocols = request.protocols.map(({ name: protocol, metadata }) => ({ name: protocol, metadata: Buffer.from(metadata) }));
    return group.live.wait("join", { ...rest, clientId: client, newMember, rebalanceTimeoutMs, protocols });
  }

  /** Asks for its part, and as the leader brings everybody's. Answered when the leader has. */
  async sync(realm: Realm, { group: name, ...claim }: SyncRequest): Promise<SyncResult> {
    const bytes = claim.assignments.reduce((sum, { assignment }) => sum + assignment.length, 0);
    const wrong = bytes > bounds.GROUP_BYTES_MAX || claim.assignments.length > this.#settings.membersMax ? "INVALID_REQUEST" : undefined;
    const group = this.#refusal(name) ?? wrong ?? this.#known(realm, name, "UNKNOWN_MEMBER_ID");
    if (typeof group === "string") return refused(group);
    if (this.#bytes + bytes > bounds.ALL_GROUPS_BYTES_MAX) return refused("COORDINATOR_NOT_AVAILABLE");
    const assignments = claim.assignments.map(({ member, assignment }) => ({ member, assignment: Buffer.from(assignment) }));
    return group.live.wait("sync", { ...claim, assignments });
  }

  async heartbeat(realm: Realm, { group: name, ...claim }: HeartbeatRequest): Promise<HeartbeatResult> {
    const group = this.#refusal(name) ?? this.#known(realm, name, "UNKNOWN_MEMBER_ID");
    return typeof group === "string" ? refused(group) : group.live.tell("heartbeat", claim);
  }

  async leave(realm: Realm, { group: name, members }: LeaveRequest): Promise<LeaveResult> {
    const wrong = members.length > this.#settings.membersMax ? "INVALID_REQUEST" : undefined;
    const group = this.#refusal(name) ?? wrong ?? this.#known(realm, name, "UNKNOWN_MEMBER_ID");
    return typeof group === "string" ? refused(group) : group.live.tell("leave", { members });
  }

  /**
   * Commits offsets; those of 500 partitions are in one commit, more in several, in order. Resolves when they are
   * durable (P1). Refused as a whole for who is no member of the current generation.
   */
  async commitOffsets(realm: Realm, request: CommitRequest): Promise<CommitOutcome> {
    const { group: name, topics, retentionMs, ...claim } = request;
    const group = this.#refusal(name) ?? this.#forOffsets(realm, name);
    if (typeof group === "string") return refused(group);
    const allowed = group.live.tell("commit", claim);
    if (allowed.kind === "refused") {
      this.#forgetNothing(group);
      return allowed;
    }
    const now = this.#options.clock.now();
    const rows = new Map<string, Uint8Array>();
    const told = topics.map(({ topic, partitions }) => {
      const stream = this.#options.streams.find(realm, topic);
      const settled = partitions.map((each) => {
        const error = wrongOffset(stream, each);
        if (error || !stream) return { partition: each.partition, ...(error ? { error } : {}) };
        const { offset, leaderEpoch = -1, metadata } = each;
        const row: CommittedOffset = { offset, leaderEpoch, metadata, at: now, stream: stream.id, ...expiryOf(now, retentionMs) };
        rows.set(offsetKey(topic, each.partition), encodeOffset(row));
        return { partition: each.partition };
      });
      return { topic, partitions: settled };
    });
    const error = await this.#write(group, rows, now + Math.min(retentionMs ?? Infinity, this.#settings.offsetsRetentionMs));
    return error ? refused(error) : { kind: "settled", topics: told };
  }

  /** Committed offsets, -1 where there is none. */
  async fetchOffsets(realm: Realm, { group: name, topics }: FetchRequest): Promise<FetchOutcome> {
    const wrong = this.#refusal(name);
    if (wrong) return refused(wrong);
    const group = this.#find(realm, name);
    try {
      const found =
        topics === undefined
          ? await this.#everyOffset(realm, group)
          : await Promise.all(topics.map((each) => this.#offsetsOf(realm, group, each)));
      return { kind: "offsets", topics: found };
    } catch (error) {
      return refused(this.#storageError(error));
    }
  }

  /** Undefined for a group that there is not. */
  describe(realm: Realm, name: string): GroupDescription | undefined {
    const group = this.#find(realm, name);
    return group && describeGroup(name, group.live.group);
  }

  /** By name. */
  list(realm: Realm): readonly GroupListing[] {
    return [...(this.#realms.get(realmKey(realm))?.values() ?? [])]
      .map(({ name, protocolType, live }) => ({ group: name, protocolType, state: live.group.kind }))
      .sort((left, right) => (left.group < right.group ? -1 : 1));
  }

  /** Removes a group that has no members, with its offsets. */
  async remove(realm: Realm, name: string): Promise<RemoveResult> {
    const group = this.#refusal(name) ?? this.#known(realm, name, "GROUP_ID_NOT_FOUND");
    if (typeof group === "string") return refused(group);
    const result = group.live.tell("remove", {});
    if (result.kind === "refused") return result;
    try {
      await this.#bury(group);
      return result;
    } catch (error) {
      return refused(this.#storageError(error));
    }
  }

  /** Forgets offsets of topics that no member reads. */
  async removeOffsets(
    realm: Realm,
    { group: name, topics }: { readonly group: string; readonly topics: readonly TopicPartitions[] },
  ): Promise<CommitOutcome> {
    const group = this.#refusal(name) ?? this.#known(realm, name, "GROUP_ID_NOT_FOUND");
    if (typeof group === "string") return refused(group);
    const { kind } = group.live.group;
    if (kind === "Dead") return refused("GROUP_ID_NOT_FOUND");
    const subscribed = group.subscribed();
    if (subscribed === undefined) return refused("NON_EMPTY_GROUP");
    const rows = new Map<string, undefined>();
    const told = topics.map(({ topic, partitions }) => {
      const stream = this.#options.streams.find(realm, topic);
      const settled = partitions.map((partition) => {
        const error = wrongPartition(stream, partition) ?? (subscribed.has(topic) ? "GROUP_SUBSCRIBED_TO_TOPIC" : undefined);
        if (!error) rows.set(offsetKey(topic, partition), undefined);
        return { partition, ...(error ? { error } : {}) };
      });
      return { topic, partitions: settled };
    });
    const error = await this.#write(group, rows, Infinity);
    return error ? refused(error) : { kind: "settled", topics: told };
  }

  /** True when a member of a group reads the topic, or a group has come somewhere in it. */
  async hasGroups(realm: Realm, topic: string): Promise<boolean> {
    const stream = this.#options.streams.find(realm, topic);
    if (!stream) return false;
    const groups = [...(this.#realms.get(realmKey(realm))?.values() ?? [])];
    if (groups.some((group) => group.subscribed()?.has(topic) ?? true)) return true;
    for (const group of groups) for await (const { value } of group.rows.allOffsets(topic)) if (value.stream === stream.id) return true;
    return false;
  }

  /** Whoever waits is answered; what is being written is waited for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const groups = [...this.#all()];
    for (const { live } of groups) live.end();
    await this.#expiry.close();
    await Promise.all(groups.map(({ rows }) => rows.settled()));
  }

  *#all(): Generator<CoordinatedGroup> {
    for (const groups of this.#realms.values()) yield* groups.values();
  }

  #of(realm: Realm): Map<string, CoordinatedGroup> {
    const key = realmKey(realm);
    const known = this.#realms.get(key) ?? new Map<string, CoordinatedGroup>();
    this.#realms.set(key, known);
    return known;
  }

  #find(realm: Realm, name: string): CoordinatedGroup | undefined {
    return this.#realms.get(realmKey(realm))?.get(name);
  }

  #known(realm: Realm, name: string, otherwise: GroupError): CoordinatedGroup | GroupError {
    return this.#find(realm, name) ?? otherwise;
  }

  #forMember(realm: Realm, name: string, bytes: number): CoordinatedGroup | GroupError {
    if (this.#bytes + bytes > bounds.ALL_GROUPS_BYTES_MAX) return "GROUP_MAX_SIZE_REACHED";
    return this.#forOffsets(realm, name);
  }

  /** Nothing of a new one is kept before it has a generation, or an offset. */
  #forOffsets(realm: Realm, name: string): CoordinatedGroup | GroupError {
    const known = this.#find(realm, name);
    if (known) return known;
    const groups = this.#of(realm);
    if (groups.size >= bounds.GROUPS_MAX) return "POLICY_VIOLATION";
    const made = new CoordinatedGroup(this.#parts, realm, name);
    groups.set(name, made);
    return made;
  }

  #refusal(name: string): GroupError | undefined {
    if (this.#isClosed) return "COORDINATOR_NOT_AVAILABLE";
    return name === "" || Buffer.byteLength(name) > bounds.GROUP_NAME_BYTES_MAX || !name.isWellFormed() ? "INVALID_GROUP_ID" : undefined;
  }

  async #write(group: CoordinatedGroup, rows: ReadonlyMap<string, Uint8Array | undefined>, dueAt: number): Promise<GroupError | undefined> {
    if (rows.size === 0) {
      this.#forgetNothing(group);
      return undefined;
    }
    if (rows.size > OFFSETS_WAITING_MAX) return "POLICY_VIOLATION";
    try {
      await group.writeOffsets(rows, dueAt);
      return undefined;
    } catch (error) {
      this.#forgetNothing(group);
      return this.#storageError(error);
    }
  }

  async #offsetsOf(realm: Realm, group: CoordinatedGroup | undefined, { topic, partitions }: TopicPartitions): Promise<TopicOffsets> {
    const stream = this.#options.streams.find(realm, topic);
    const there = partitions.filter((partition) => wrongPartition(stream, partition) === undefined);
    const found = group && there.length > 0 ? await group.rows.offsets(topic, there) : undefined;
    const told = partitions.map((partition) => {
      const value = found?.get(partition);
      return value && value.stream === stream?.id ? fetched(partition, value) : { partition, ...NO_OFFSET };
    });
    return { topic, partitions: told };
  }

  async #everyOffset(realm: Realm, group: CoordinatedGroup | undefined): Promise<TopicOffsets[]> {
    const topics = new Map<string, FetchedOffset[]>();
    if (!group) return [];
    for await (const row of group.rows.allOffsets()) {
      if (!this.#isThere(realm, row)) continue;
      const known = topics.get(row.topic) ?? [];
      topics.set(row.topic, known);
      known.push(fetched(row.partition, row.value));
    }
    return Array.from(topics, ([topic, partitions]) => ({ topic, partitions }));
  }

  /** Its stream is still the one the offset was committed in. */
  #isThere(realm: Realm, { topic, value }: OffsetRow): boolean {
    return this.#options.streams.find(realm, topic)?.id === value.stream;
  }

  async #expire(group: CoordinatedGroup, now: number): Promise<void> {
    if (await group.expire(now, (row) => this.#isThere(group.realm, row))) await this.#bury(group);
  }

  /** Until its rows are gone it stands as dead, so that nobody begins anew among them. */
  async #bury(group: CoordinatedGroup): Promise<void> {
    const { realm, name, record } = group;
    group.live.end();
    try {
      await group.rows.removeAll();
      this.#of(realm).delete(name);
    } catch (error) {
      this.#of(realm).set(name, new CoordinatedGroup(this.#parts, realm, name, record));
      throw error;
    }
  }

  #changed(group: CoordinatedGroup, bytes: number): void {
    this.#bytes += bytes;
    this.#expiry.plan(group.dueAt);
    this.#forgetNothing(group);
  }

  /** A group that came to nothing: somebody asked, and did not come. */
  #forgetNothing(group: CoordinatedGroup): void {
    if (group.live.group.kind === "Empty" && group.isNothing) this.#of(group.realm).delete(group.name);
  }

  #storageError(error: unknown): GroupError {
    if (!isLambentError(error)) throw error;
    if (!isLambentError(error, "StorageBusy", "ShuttingDown")) this.#options.onProblem(error);
    return "COORDINATOR_NOT_AVAILABLE";
  }
}

interface TopicOffsets {
  readonly topic: string;
  readonly partitions: readonly FetchedOffset[];
}

const NO_OFFSET = { offset: -1, leaderEpoch: -1, metadata: "" } as const;

function fetched(partition: number, { offset, leaderEpoch, metadata }: CommittedOffset): FetchedOffset {
  return { partition, offset, leaderEpoch, metadata };
}

function refused(error: GroupError): Refused {
  return { kind: "refused", error };
}

function wrongJoin(request: JoinRequest, { sessionTimeoutMsMin, sessionTimeoutMsMax }: bounds.GroupSettings): GroupError | undefined {
  const { sessionTimeoutMs, protocols, instance } = request;
  if (sessionTimeoutMs < sessionTimeoutMsMin || sessionTimeoutMs > sessionTimeoutMsMax) return "INVALID_SESSION_TIMEOUT";
  if (protocols.length > bounds.GROUP_PROTOCOLS_MAX) return "INVALID_REQUEST";
  const isNamed = instance === undefined || (instance !== "" && instance.length <= bounds.GROUP_INSTANCE_LENGTH_MAX);
  return isNamed ? undefined : "INVALID_REQUEST";
}

function wrongPartition(stream: StreamRecord | undefined, partition: number): GroupError | undefined {
  return stream && partition >= 0 && partition < stream.shards.length ? undefined : "UNKNOWN_TOPIC_OR_PARTITION";
}

function wrongOffset(stream: StreamRecord | undefined, { partition, offset, metadata }: OffsetToCommit): GroupError | undefined {
  if (Buffer.byteLength(metadata) > bounds.OFFSET_METADATA_BYTES_MAX) return "OFFSET_METADATA_TOO_LARGE";
  if (!Number.isSafeInteger(offset) || offset < 0) return "INVALID_REQUEST";
  return wrongPartition(stream, partition);
}
