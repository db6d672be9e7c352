import assert from "node:assert/strict";
import { ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import type { Realm } from "../../../src/model/index.ts";
import { type FaultPlan, MemoryDisk, openMemoryStore, type Store } from "../../../src/storage/index.ts";
import { openConsumerGroups } from "../../../src/streams/groups/index.ts";
import type {
  CommitOutcome,
  ConsumerGroups,
  GroupSettings,
  HeartbeatResult,
  JoinRequest,
  JoinResult,
  LeaveResult,
  SyncResult,
} from "../../../src/streams/groups/index.ts";
import type { StreamRecord } from "../../../src/streams/stream-record.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };
export const SESSION_MS = 10_000;
export const REBALANCE_MS = 60_000;

type Joined = Extract<JoinResult, { kind: "joined" }>;

/** Consumer groups on a disk that outlives them; of streams only which there are. */
export class GroupsWorld {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  readonly problems: unknown[] = [];
  readonly streams = new Map<string, StreamRecord>();
  groups!: ConsumerGroups;
  readonly #faults: FaultPlan | undefined;
  readonly #settings: Partial<GroupSettings>;
  /** What stands between the groups and their store. */
  between: (store: Store) => Store = (store) => store;
  #streamsMade = 0;

  constructor(settings: Partial<GroupSettings>, faults: FaultPlan | undefined) {
    this.#settings = settings;
    this.#faults = faults;
  }

  async open(): Promise<void> {
    this.groups = await openConsumerGroups({
      store: this.between(openMemoryStore({ disk: this.disk, ...(this.#faults ? { faults: this.#faults } : {}) })),
      clock: this.clock,
      secureRandom: systemSecureRandom,
      streams: { find: (_realm, name) => this.streams.get(name) },
      settings: this.#settings,
      onProblem: (error) => this.problems.push(error),
    });
  }

  /** As after a crash: what was not written is gone. */
  async restart(): Promise<void> {
    await this.groups.close();
    await this.open();
  }

  makeStream(name: string, partitions: number): void {
    const shards = Array.from({ length: partitions }, (_, number) => ({ number, hashFrom: "0", hashTo: "0", parents: [], openedAt: 0 }));
    const settings = { retentionMs: -1, retentionBytes: undefined, recordBytesMax: 1, timestamps: "create", config: {} } as const;
    const id = `id-${++this.#streamsMade}`;
    this.streams.set(name, {
      realm: REALM,
      name,
      id,
      createdAt: 0,
      madeBy: "kafka",
      mode: "provisioned",
      shards,
      settings,
      tags: {},
      consumers: [],
    });
  }

  client(name: string, group = "g", more: Partial<JoinRequest> = {}): TestClient {
    return new TestClient(this, name, group, more);
  }

  commit(
    topic: string,
    offsets: Readonly<Record<number, number>>,
    group = "g",
    more: { readonly retentionMs?: number } = {},
  ): Promise<CommitOutcome> {
    const partitions = Object.entries(offsets).map(([partition, offset]) => ({ partition: Number(partition), offset, metadata: "" }));
    return this.groups.commitOffsets(REALM, { group, generation: -1, member: "", topics: [{ topic, partitions }], ...more });
  }

  /** Offset by partition, -1 for none. */
  async offsets(topic: string, partitions: readonly number[], group = "g"): Promise<number[]> {
    const found = await this.groups.fetchOffsets(REALM, { group, topics: [{ topic, partitions }] });
    assert.equal(found.kind, "offsets");
    return found.topics.flatMap((each) => each.partitions.map(({ offset }) => offset));
  }

  state(group = "g"): string {
    return this.groups.describe(REALM, group)?.state ?? "unknown";
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await this.clock.advance(0);
  }
}

export async function openGroupsWorld(settings: Partial<GroupSettings> = {}, faults?: FaultPlan): Promise<GroupsWorld> {
  const world = new GroupsWorld(settings, faults);
  await world.open();
  return world;
}

/** What a subscription looks like: a version and the topics' names. */
export function subscription(...topics: readonly string[]): Buffer {
  const names = topics.flatMap((topic) => {
    const length = Buffer.alloc(2);
    length.writeInt16BE(Buffer.byteLength(topic));
    return [length, Buffer.from(topic)];
  });
  const head = Buffer.alloc(6);
  head.writeInt32BE(topics.length, 2);
  return Buffer.concat([head, ...names]);
}

/** A client as far as groups go: it joins, shares out as the leader (a member its own name), syncs, beats. */
export class TestClient {
  readonly name: string;
  member = "";
  generation = -1;
  readonly #world: GroupsWorld;
  readonly #group: string;
  readonly #more: Partial<JoinRequest>;

  constructor(world: GroupsWorld, name: string, group: string, more: Partial<JoinRequest>) {
    this.#world = world;
    this.name = name;
    this.#group = group;
    this.#more = more;
  }

  get #claim(): { readonly group: string; readonly generation: number; readonly member: string; readonly instance?: string } {
    const { instance } = this.#more;
    return { group: this.#group, generation: this.generation, member: this.member, ...(instance === undefined ? {} : { instance }) };
  }

  /** One request; takes over what the answer says of itself. */
  async join(more: Partial<JoinRequest> = {}): Promise<JoinResult> {
    const result = await this.#world.groups.join(REALM, {
      group: this.#group,
      member: this.member,
      clientId: this.name,
      clientHost: "/127.0.0.1",
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: subscription("t") }],
      memberIdRequired: true,
      canSkipAssignment: true,
      ...this.#more,
      ...more,
    });
    if (result.kind === "joined") [this.member, this.generation] = [result.member, result.generation];
    else if (result.error === "MEMBER_ID_REQUIRED") this.member = result.member;
    return result;
  }

  /** As clients do: again with the id it was given. */
  async joined(more: Partial<JoinRequest> = {}): Promise<Joined> {
    let result = await this.join(more);
    if (result.kind === "refused" && result.error === "MEMBER_ID_REQUIRED") result = await this.join(more);
    assert.equal(result.kind, "joined", JSON.stringify(result));
    return result;
  }

  sync(parts: Readonly<Record<string, string>> = {}): Promise<SyncResult> {
    const assignments = Object.entries(parts).map(([member, part]) => ({ member, assignment: Buffer.from(part) }));
    return this.#world.groups.sync(REALM, { ...this.#claim, assignments });
  }

  /** Joins and syncs; what it got. */
  async takePart(more: Partial<JoinRequest> = {}): Promise<string> {
    const { members } = await this.joined(more);
    const parts = Object.fromEntries(members.map(({ member }) => [member, `${member} of ${members.length}`]));
    const result = await this.sync(parts);
    assert.equal(result.kind, "synced", JSON.stringify(result));
    return result.assignment.toString();
  }

  /** `alive`, or the error. */
  async beat(): Promise<string> {
    const result: HeartbeatResult = await this.#world.groups.heartbeat(REALM, this.#claim);
    return result.kind === "refused" ? result.error : result.kind;
  }

  leave(): Promise<LeaveResult> {
    return this.#world.groups.leave(REALM, { group: this.#group, members: [{ member: this.member }] });
  }

  /** `settled`, or the error. */
  async commit(partition: number, offset: number): Promise<string> {
    const topics = [{ topic: "t", partitions: [{ partition, offset, metadata: "" }] }];
    const result = await this.#world.groups.commitOffsets(REALM, { ...this.#claim, topics });
    return result.kind === "refused" ? result.error : result.kind;
  }
}
