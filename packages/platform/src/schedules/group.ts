/**
 * One group of schedules: its rows and its deliveries, which lie in one cell (P11).
 *
 * Keeps P1, P2 (every occurrence becomes a delivery or a record that it was missed, in the commit that moves the schedule on), P6, P7. That
 * commit is the claim: the cell has one owner, and a second one, on another machine, would lose by the cell's revision. In memory is only what
 * is due within seconds. Deliberately absent: what a schedule's times are (`expression/`), and which occurrence is done (`claim.ts`).
 */
import { type Clock, type Instant, isLambentError, LambentError, type Random, type SecureRandom } from "../base/index.ts";
import type { LedgerRecord } from "../ledger/index.ts";
import type { Realm } from "../model/index.ts";
import type { NewDelivery, Outbox } from "../outbox/index.ts";
import { type OwnRow, READ_ROWS_MAX } from "../storage/index.ts";
import { claim, type ClaimStep } from "./claim.ts";
import { deliveryOf, missedRecord } from "./deliveries.ts";
import {
  decodeDue,
  decodeProgress,
  decodeSchedule,
  DUE_PREFIX,
  type DueRow,
  fireAtOf,
  PROGRESS_PREFIX,
  progressRows,
  SCHEDULE_PREFIX,
  scheduleRow,
} from "./rows.ts";
import type { Progress, ScheduleRecord } from "./schedule.ts";
import { GroupTurns } from "./turns.ts";

/** How long before they are due schedules are read, so that at that time nothing has to be; and how much of it is read at once. */
const LOOK_AHEAD_MS = 1_000;
const READ_AHEAD_MS = 2_000;
/** Schedules of one group that are read ahead at once; behind them, the next ones are when these are done (P7). */
const READ_AHEAD_MAX = 2_000;
/** Definitions read at the same time. */
const READS_AT_ONCE = 50;
/** Changes of rows that one claim may consist of, below what a commit takes. */
const CLAIM_ROWS_MAX = 180;
/** Bytes of payloads in one claim, below where deliveries are spread over several commits. */
const CLAIM_BYTES_MAX = 1024 * 1024;
/** Schedules claimed at once, in several commits; and how long deciding on them may keep everything else waiting. */
const CLAIMED_AT_ONCE_MAX = 1_200;
const CLAIM_MS_MAX = 20;
/** Rows removed at once. */
const REMOVED_AT_ONCE = 400;
/** After a refusal that passes, and after a failure that may not. */
const BUSY_RETRY_MS = 1_000;
const FAILED_RETRY_MS = 60_000;

/** What a due rule leads to, from whoever keeps the rules. */
export interface DueRules {
  /** The deliveries of the rule's occurrence to its targets; undefined when there is no such rule any more. */
  deliveries(realm: Realm, rule: string, dueAt: Instant): readonly NewDelivery[] | undefined;
}

export interface GroupParts {
  readonly realm: Realm;
  readonly group: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  /** Places occurrences in their windows. */
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  readonly rules: DueRules;
  /** The group wants to be run at this time; undefined: not before something changes. */
  readonly onNext: (at: Instant | undefined) => void;
  readonly onProblem: (error: unknown) => void;
}

/** What was read ahead: a due row with its schedule. */
interface Prepared extends DueRow {
  /** Undefined for a row that a defect left over: it goes. */
  readonly record: ScheduleRecord | undefined;
}

/** One schedule's part of a claim. */
interface Claimed {
  readonly prepared: Prepared;
  readonly step: ClaimStep | undefined;
  readonly deliveries: readonly NewDelivery[];
  readonly records: readonly LedgerRecord[];
  readonly rows: readonly OwnRow[];
}

export interface KeptSchedule {
  readonly record: ScheduleRecord;
  readonly progress: Progress;
}

export class ScheduleGroup {
  readonly #parts: GroupParts;
  readonly #turns = new GroupTurns();
  /** Due soon, in the order of their times. */
  #prepared: Prepared[] = [];
  /** The last due row that was read ahead; undefined: from the first row on. */
  #readUpTo: string | undefined;
  /** When the first of those that were not read ahead is due: unknown at first. */
  #beyond: Instant | undefined = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  get outbox(): Outbox {
    return this.#parts.outbox;
  }

  /** Does what is due, and says when the next is. Only one run at a time; a second call makes it look once more. */
  run(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#work().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Changes a schedule, or makes one: `change` decides on what there is. Resolves with what it said, once it is durable. */
  change<T>(
    name: string,
    change: (known: KeptSchedule | undefined) => { readonly kept: KeptSchedule | undefined; readonly answer: T },
  ): Promise<T> {
    return this.#turns.change(name, async () => {
      if (this.#closed) throw new LambentError("ShuttingDown", "The server is stopping.");
      const known = await readSchedule(this.#readRows(), name);
      const { kept, answer } = change(known);
      if (kept === known) return answer;
      const definition = kept ? scheduleRow(kept.record) : { key: SCHEDULE_PREFIX + name, value: undefined };
      await this.outbox.writeRows([definition, ...progressRows(name, known?.progress.next, kept?.progress)]);
      this.#forget(name);
      this.#isDue(kept?.progress.next?.fireAt);
      if (kept?.progress.next) void this.run();
      return answer;
    });
  }

  /** Removes every schedule: first what is due, so that nothing is done any more. */
  removeAll(): Promise<void> {
    return this.#turns.alone(async () => {
      for (const prefix of [DUE_PREFIX, PROGRESS_PREFIX, SCHEDULE_PREFIX]) {
        for (;;) {
          const rows = await this.outbox.readRows({ prefix, limit: REMOVED_AT_ONCE });
          if (rows.length === 0) break;
          await this.outbox.writeRows(rows.map(({ key }) => ({ key, value: undefined })));
        }
      }
      this.#prepared = [];
      this.#beyond = undefined;
      this.#readUpTo = undefined;
      this.#parts.onNext(undefined);
    });
  }

  /** Begins nothing more and waits for what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    await this.outbox.close();
  }

  #readRows(): ReadRows {
    return (range) => this.outbox.readRows(range);
  }

  #forget(name: string): void {
    this.#prepared = this.#prepared.filter((each) => each.name !== name);
  }

  #isDue(fireAt: Instant | undefined): void {
    if (fireAt === undefined) return;
    this.#beyond = Math.min(this.#beyond ?? fireAt, fireAt);
    // Among those that were read there is one now that was not.
    if (this.#readUpTo !== undefined && fireAt <= fireAtOf(this.#readUpTo)) this.#readUpTo = undefined;
  }

  async #work(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        await this.#doWhatIsDue();
      }
    } catch (error) {
      this.#failed(error);
    }
    if (!this.#closed) this.#parts.onNext(this.#nextLook());
  }

  async #doWhatIsDue(): Promise<void> {
    while (!this.#closed) {
      const now = this.#parts.clock.now();
      if (now < this.#pausedUntil) return;
      const isUnread = this.#beyond !== undefined && this.#beyond <= now + LOOK_AHEAD_MS;
      if (isUnread && !this.#isFull()) await this.#turns.alone(() => this.#readAhead());
      else if (this.#prepared[0] && this.#prepared[0].fireAt <= now) await this.#turns.alone(() => this.#claimDue());
      else return;
    }
  }

  #isFull(): boolean {
    return this.#prepared.length >= READ_AHEAD_MAX;
  }

  #nextLook(): Instant | undefined {
    if (this.#pausedUntil === Number.POSITIVE_INFINITY) return undefined;
    const unread = this.#beyond === undefined || this.#isFull() ? [] : [this.#beyond - LOOK_AHEAD_MS];
    const first = this.#prepared[0] ? [this.#prepared[0].fireAt] : [];
    const next = [...unread, ...first];
    return next.length === 0 ? undefined : Math.max(this.#pausedUntil, Math.min(...next));
  }

  #failed(error: unknown): void {
    const isOver = isLambentError(error, "ShuttingDown", "StorageStopped", "StorageCorrupt");
    const passes = isLambentError(error, "StorageBusy", "Throttled");
    const pauseMs = isOver ? Number.POSITIVE_INFINITY : passes ? BUSY_RETRY_MS : FAILED_RETRY_MS;
    this.#pausedUntil = this.#parts.clock.now() + pauseMs;
    if (!passes && !isLambentError(error, "ShuttingDown", "StorageStopped")) this.#parts.onProblem(error);
  }

  /** Reads what is due next, behind what was read before, and finds when the first behind that is. */
  async #readAhead(): Promise<void> {
    const horizon = this.#parts.clock.now() + READ_AHEAD_MS;
    const kept = this.#readUpTo === undefined ? [] : this.#prepared;
    const known = new Map(this.#prepared.map((each) => [each.name, each.record]));
    const rows: DueRow[] = [];
    let after = this.#readUpTo;
    let beyond: Instant | undefined;
    let lastRead = after;
    while (beyond === undefined) {
      const limit = Math.min(READ_ROWS_MAX, READ_AHEAD_MAX + 1 - kept.length - rows.length);
      const page = await this.outbox.readRows({ prefix: DUE_PREFIX, limit, ...(after === undefined ? {} : { after }) });
      if (page.length === 0) break;
      for (const { key, value } of page) {
        const row = decodeDue(key, value);
        const fits = beyond === undefined && row.fireAt <= horizon && kept.length + rows.length < READ_AHEAD_MAX;
        if (fits) rows.push(row);
        else beyond ??= row.fireAt;
        if (fits) lastRead = key;
      }
      after = page.at(-1)?.key;
    }
    this.#prepared = [...kept, ...(await this.#withRecords(rows, known))];
    this.#readUpTo = lastRead;
    this.#beyond = beyond;
  }

  async #withRecords(rows: readonly DueRow[], known: ReadonlyMap<string, ScheduleRecord | undefined>): Promise<Prepared[]> {
    const prepared: Prepared[] = [];
    for (let start = 0; start < rows.length; start += READS_AT_ONCE) {
      const read = rows.slice(start, start + READS_AT_ONCE).map(async (row): Promise<Prepared> => {
        const record = known.get(row.name);
        if (record) return { ...row, record };
        const value = await rowOf(this.#readRows(), SCHEDULE_PREFIX + row.name);
        return { ...row, record: value && decodeSchedule(value) };
      });
      prepared.push(...(await Promise.all(read)));
    }
    return prepared;
  }

  /** What was claimed leaves what was read ahead; what could not be is claimed again after a while. */
  async #claimDue(): Promise<void> {
    const chunks = chunksOf(this.#decideOnDue());
    const outcomes = await Promise.allSettled(chunks.map((chunk) => this.#commit(chunk)));
    const done = new Set<string>();
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "rejected") continue;
      for (const { prepared, step } of chunks[index] ?? []) {
        done.add(prepared.name);
        this.#isDue(step?.next?.fireAt);
      }
    }
    this.#prepared = this.#prepared.filter(({ name }) => !done.has(name));
    const refused = outcomes.find((outcome) => outcome.status === "rejected");
    if (refused) throw refused.reason;
  }

  /** After a long time of being down, deciding on one schedule may take milliseconds. */
  #decideOnDue(): Claimed[] {
    const { clock } = this.#parts;
    const [now, begun] = [clock.now(), clock.monotonicMs()];
    const claims: Claimed[] = [];
    for (const prepared of this.#prepared) {
      if (prepared.fireAt > now || claims.length >= CLAIMED_AT_ONCE_MAX) break;
      claims.push(this.#claimOf(prepared, now));
      if (clock.monotonicMs() - begun > CLAIM_MS_MAX) break;
    }
    return claims;
  }

  #commit(chunk: readonly Claimed[]): Promise<void> {
    return this.outbox.accept(
      chunk.flatMap(({ deliveries }) => deliveries),
      { rows: chunk.flatMap(({ rows }) => rows), records: chunk.flatMap(({ records }) => records) },
    );
  }

  #claimOf(prepared: Prepared, now: Instant): Claimed {
    const { name, record } = prepared;
    if (!record) return { prepared, step: undefined, deliveries: [], records: [], rows: progressRows(name, prepared, undefined) };
    const step = claim(record, prepared, now, this.#parts.random.next());
    const deliveries = step.fire ? this.#deliveriesOf(record, step.fire) : [];
    const missed = [...step.missed, ...(step.fire && !deliveries ? [step.fire.dueAt] : [])];
    const shared = step.shared ? [missedRecord(this.#parts, record, step.shared.from, step.shared.until)] : [];
    return {
      prepared,
      step,
      deliveries: deliveries ?? [],
      records: [...shared, ...missed.map((dueAt) => missedRecord(this.#parts, record, dueAt))],
      rows: rowsAfter(prepared, record, step),
    };
  }

  /** Undefined when whoever keeps the rules fails: one rule does not keep the others waiting. */
  #deliveriesOf(record: ScheduleRecord, fire: NonNullable<ClaimStep["fire"]>): readonly NewDelivery[] | undefined {
    const { action } = record.settings;
    if (action.kind === "target") return [deliveryOf(this.#parts, record, action.target, fire)];
    try {
      return this.#parts.rules.deliveries(this.#parts.realm, record.name, fire.dueAt) ?? [];
    } catch (error) {
      this.#parts.onProblem(error);
      return undefined;
    }
  }
}

type ReadRows = (range: {
  readonly prefix: string;
  readonly limit: number;
}) => Promise<readonly { readonly key: string; readonly value: Uint8Array }[]>;

/** A schedule with its progress, from wherever its group's rows are read. */
export async function readSchedule(read: ReadRows, name: string): Promise<KeptSchedule | undefined> {
  const [definition, progress] = await Promise.all([rowOf(read, SCHEDULE_PREFIX + name), rowOf(read, PROGRESS_PREFIX + name)]);
  if (!definition) return undefined;
  return { record: decodeSchedule(definition), progress: progress ? decodeProgress(progress) : { last: undefined, next: undefined } };
}

async function rowOf(read: ReadRows, key: string): Promise<Uint8Array | undefined> {
  const [row] = await read({ prefix: key, limit: 1 });
  return row?.key === key ? row.value : undefined;
}

/** Where a schedule stands behind a claim. One that is complete goes with it, if it is to. */
function rowsAfter(prepared: Prepared, record: ScheduleRecord, { fire, missed, next }: ClaimStep): OwnRow[] {
  const { name, settings } = record;
  if (next === undefined && settings.afterCompletion === "DELETE")
    return [{ key: SCHEDULE_PREFIX + name, value: undefined }, ...progressRows(name, prepared, undefined)];
  return progressRows(name, prepared, { last: fire?.dueAt ?? missed.at(-1) ?? prepared.dueAt, next });
}

/** As many schedules together as one commit takes. */
function chunksOf(claims: readonly Claimed[]): Claimed[][] {
  const chunks: Claimed[][] = [];
  let [rows, bytes] = [0, 0];
  for (const each of claims) {
    // A delivery is an item and a record; a record of an event that has ended brings the removal of others with it.
    const more = each.rows.length + 2 * each.deliveries.length + 6 * each.records.length;
    const moreBytes = each.deliveries.reduce((sum, { parcel }) => sum + parcel.payload.length, 0);
    const chunk = chunks.at(-1);
    if (chunk && rows + more <= CLAIM_ROWS_MAX && bytes + moreBytes <= CLAIM_BYTES_MAX) {
      chunk.push(each);
      [rows, bytes] = [rows + more, bytes + moreBytes];
    } else {
      chunks.push([each]);
      [rows, bytes] = [more, moreBytes];
    }
  }
  return chunks;
}
