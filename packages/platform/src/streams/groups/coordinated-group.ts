/** One group as a whole: who takes part, kept in memory, and its offsets, kept in its cell. */
import { isLambentError, type Clock, type Instant } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { Store } from "../../storage/index.ts";
import { encodeRecord, GROUP_KEY, groupCell, type GroupRecord } from "./group-record.ts";
import { GroupRows, type OffsetRow, type RowChanges } from "./group-rows.ts";
import { LiveGroup } from "./live-group.ts";
import type { MembershipLimits } from "./machine/events.ts";
import { emptyGroup, type Group } from "./machine/group.ts";
import { bytesOf, isPeopled, membersOf } from "./machine/members.ts";
import { subscribedTopics } from "./subscription.ts";

export interface GroupParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly limits: MembershipLimits;
  readonly retentionMs: number;
  readonly onProblem: (error: unknown) => void;
  /** Called when a group changed: by how many bytes, and when something of it may be past. */
  readonly onChanged: (group: CoordinatedGroup, bytes: number) => void;
}

export class CoordinatedGroup {
  readonly realm: Realm;
  readonly name: string;
  readonly rows: GroupRows;
  readonly live: LiveGroup;
  readonly #parts: GroupParts;
  /** As it lies in the cell, or is on its way there; undefined for a group of which nothing is kept yet. */
  #record: GroupRecord | undefined;
  /** Some record of it lies in the cell: without one, a restart would not know of its offsets. */
  #isNoted: boolean;
  #offsetsUnderWay = 0;
  #bytes = 0;
  /** The earliest time at which something of it can be past. */
  dueAt: Instant = Infinity;

  constructor(parts: GroupParts, realm: Realm, name: string, record?: GroupRecord) {
    this.#parts = parts;
    this.realm = realm;
    this.name = name;
    this.rows = new GroupRows(parts.store, groupCell(realm, name));
    this.#record = record;
    this.#isNoted = record !== undefined;
    const { clock, limits } = parts;
    const onStep = (before: Group, after: Group): void => this.#stepped(before, after);
    this.live = new LiveGroup({ clock, limits, onStep }, emptyGroup(record?.generation ?? 0, record?.protocolType));
    if (record) this.#dueBy(clock.now());
  }

  get record(): GroupRecord | undefined {
    return this.#record;
  }

  get isKept(): boolean {
    return this.#record !== undefined;
  }

  get protocolType(): string {
    return this.live.group.protocolType ?? "";
  }

  /** True for a group of which nothing is left but the memory. */
  get isNothing(): boolean {
    const { group } = this.live;
    return group.kind === "Dead" || (!this.isKept && group.kind === "Empty" && group.pending.size === 0 && !this.live.isAwaited);
  }

  /** Topics its members read; undefined where that cannot be told. */
  subscribed(): ReadonlySet<string> | undefined {
    const { group } = this.live;
    const topics = new Set<string>();
    if (!isPeopled(group)) return topics;
    if (group.protocolType !== "consumer") return undefined;
    for (const { protocols } of membersOf(group).values())
      for (const { metadata } of protocols) {
        const named = subscribedTopics(metadata);
        if (named === undefined) return undefined;
        for (const topic of named) topics.add(topic);
      }
    return topics;
  }

  /** Writes offsets; with them the group itself, until one of its records is known to be written. Rejects as `Store.commit` does. */
  async writeOffsets(rows: RowChanges, dueAt: Instant): Promise<void> {
    const record = this.#record ?? { name: this.name, generation: 0, emptySince: this.#parts.clock.now() };
    this.#record = record;
    this.#offsetsUnderWay += 1;
    try {
      await this.rows.write(this.#isNoted ? rows : new Map([[GROUP_KEY, encodeRecord(record)], ...rows]));
      this.#isNoted = true;
    } finally {
      this.#offsetsUnderWay -= 1;
      // It came to nothing. One that has a protocol had members, whose generations are counted on.
      if (!this.#isNoted && this.#offsetsUnderWay === 0 && record.protocolType === undefined && this.#record === record)
        this.#record = undefined;
    }
    this.#dueBy(dueAt);
  }

  /** Its members are those of before a restart: from now on it has none. */
  forgetMembers(): void {
    if (this.#record?.emptySince === undefined) this.#remember(this.live.group);
  }

  /** Removes offsets that are past at `now`. Returns true when nothing is left to keep: the group is dead then. */
  async expire(now: Instant, isThere: (row: OffsetRow) => boolean): Promise<boolean> {
    const { retentionMs } = this.#parts;
    const { writes } = this.rows;
    let dueAt = Infinity;
    const dueOf = (row: OffsetRow): Instant => (isThere(row) ? this.#dueOf(row) : now);
    await this.rows.sweep(
      (row) => dueOf(row) <= now,
      (row) => {
        dueAt = Math.min(dueAt, dueOf(row));
      },
    );
    const { group } = this.live;
    if (group.kind !== "Empty") {
      this.dueAt = dueAt;
      return false;
    }
    if (dueAt === Infinity) dueAt = (this.#record?.emptySince ?? now) + (this.protocolType === "" ? 0 : retentionMs);
    this.dueAt = dueAt;
    // Asked and answered in one go: nothing is committed in between.
    return dueAt <= now && writes === this.rows.writes && this.live.tell("remove", {}).kind === "removed";
  }

  /** Offsets of a group with members stand while a member reads the topic; those of one without from when it lost the last. */
  #dueOf({ topic, value }: OffsetRow): Instant {
    const { retentionMs } = this.#parts;
    if (value.expiresAt !== undefined) return value.expiresAt;
    if (isPeopled(this.live.group)) return this.subscribed()?.has(topic) === false ? value.at + retentionMs : Infinity;
    return Math.max(value.at, this.protocolType === "" ? 0 : (this.#record?.emptySince ?? 0)) + retentionMs;
  }

  #dueBy(at: Instant): void {
    this.dueAt = Math.min(this.dueAt, at);
    this.#parts.onChanged(this, 0);
  }

  #stepped(before: Group, after: Group): void {
    const bytes = bytesOf(after);
    const more = bytes - this.#bytes;
    this.#bytes = bytes;
    if (before.kind !== after.kind && (after.kind === "Stable" || (after.kind === "Empty" && before.kind !== "Dead")))
      this.#remember(after);
    this.#parts.onChanged(this, more);
  }

  /**
   * Nobody waits for it: a membership outlasts no restart anyway. What fails to be written is with the next generation, or the first
   * offsets; until then a restart counts on from an older one, whose members it does not know.
   */
  #remember({ kind, generation, protocolType }: Group): void {
    if (kind === "Empty" && !this.isKept) return;
    const now = this.#parts.clock.now();
    this.#record = {
      name: this.name,
      generation,
      ...(protocolType === undefined ? {} : { protocolType }),
      ...(kind === "Empty" ? { emptySince: now } : {}),
    };
    this.rows.write(new Map([[GROUP_KEY, encodeRecord(this.#record)]])).then(
      () => {
        this.#isNoted = true;
      },
      (error: unknown) => {
        if (!isLambentError(error, "StorageBusy", "ShuttingDown")) this.#parts.onProblem(error);
      },
    );
    this.#dueBy(now);
  }
}
