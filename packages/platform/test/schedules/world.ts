import assert from "node:assert/strict";
import { delay, isLambentError, ManualClock, seededRandom, systemSecureRandom } from "../../src/base/index.ts";
import type { LedgerRecord } from "../../src/ledger/index.ts";
import type { Realm } from "../../src/model/index.ts";
import type { NewDelivery, Outbox, Parcel, TakenDelivery, Tried } from "../../src/outbox/index.ts";
import {
  openSchedules,
  parcelOfAttempt,
  RuleTimers,
  type ScheduleSettings,
  type ScheduleTarget,
  type Schedules,
} from "../../src/schedules/index.ts";
import { eachCell, type FaultPlan, MemoryDisk, openMemoryStore, readOwnRows, type Store } from "../../src/storage/index.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };
export const FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:work";
export const ROLE = "arn:aws:iam::000000000000:role/scheduler";
export const DEAD = "arn:aws:sqs:us-east-1:000000000000:dead";
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** What a target was handed, and when. */
export interface Handed {
  readonly at: number;
  readonly id: string;
  readonly parcel: Parcel;
  readonly dueAt: number | undefined;
  readonly subject: string | undefined;
}

/** Schedules on a disk that outlives them; whatever they deliver is handed over at once. */
export interface SchedulesWorld {
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  readonly handed: Handed[];
  readonly problems: readonly unknown[];
  /** Deliveries of rules, by the rule's name and when it was due. */
  readonly rules: Map<string, (dueAt: number) => readonly NewDelivery[]>;
  /** How targets answer. */
  answer: (parcel: Parcel) => Tried;
  schedules: Schedules;
  timers: RuleTimers;
  store: Store;
  make(name: string, settings?: Partial<ScheduleSettings>, more?: { readonly group?: string; readonly token?: string }): Promise<void>;
  /** Everything the ledger of a group has, in the order of when it was due. */
  records(group?: string): Promise<LedgerRecord[]>;
  /** Ends the process as a crash would, lets time pass, and starts anew. */
  downFor(ms: number): Promise<void>;
  /** Moves the clock to an instant. */
  until(at: number): Promise<void>;
  settle(): Promise<void>;
  /** When occurrences were handed over, relative to `from`. */
  times(from: number): number[];
}

export function target(more: Partial<ScheduleTarget> = {}): ScheduleTarget {
  return {
    arn: FUNCTION,
    roleArn: ROLE,
    input: "{}",
    retriesMax: 185,
    ageMsMax: 86_400_000,
    deadLetter: undefined,
    messageGroupId: undefined,
    event: undefined,
    ...more,
  };
}

export function settings(more: Partial<ScheduleSettings> = {}): ScheduleSettings {
  return {
    expression: "rate(1 minute)",
    zone: "UTC",
    startAt: undefined,
    endAt: undefined,
    windowMs: 0,
    state: "ENABLED",
    afterCompletion: "NONE",
    description: undefined,
    kmsKeyArn: undefined,
    action: { kind: "target", target: target() },
    ...more,
  };
}

function refusedForNow(error: unknown): "later" | undefined {
  return isLambentError(error, "StorageBusy", "Throttled") ? "later" : undefined;
}

export const TAKEN: Tried = { kind: "taken", recorded: false, durationMs: 1 };

export async function openSchedulesWorld(
  options: { readonly faults?: FaultPlan; readonly startAt?: number; readonly seed?: number } = {},
): Promise<SchedulesWorld> {
  const clock = new ManualClock(options.startAt ?? Date.UTC(2026, 0, 1));
  const disk = new MemoryDisk();
  const random = seededRandom(options.seed ?? 1);
  const problems: unknown[] = [];
  const handed: Handed[] = [];
  let life = 0;

  /** What `delivery/` does, one delivery after the other: what the store refuses now is asked for again. */
  async function serve(outbox: Outbox, own: number): Promise<void> {
    while (own === life) {
      const taken = await outbox.take(32).catch(refusedForNow);
      if (!taken) return;
      if (taken === "later") await delay(clock, 100);
      else for (const each of taken) await handOver(outbox, each, own);
    }
  }

  async function handOver(outbox: Outbox, taken: TakenDelivery, own: number): Promise<void> {
    if (own !== life) return;
    const parcel = parcelOfAttempt(taken);
    const answer = world.answer(parcel);
    const at = clock.now();
    if (answer.kind === "taken") handed.push({ at, id: taken.id, parcel, dueAt: taken.dueAt, subject: taken.subject });
    while ((await outbox.settle(taken, answer, at).catch(refusedForNow)) === "later") await delay(clock, 100);
  }

  const open = async () => {
    const own = life;
    const store = openMemoryStore({ disk, ...(options.faults ? { faults: options.faults } : {}) });
    const schedules = await openSchedules({
      ...{ store, clock, random, secureRandom: systemSecureRandom, retryTimeFactor: 1 },
      rules: {
        deliveries: (_realm, rule, dueAt) => world.rules.get(rule)?.(dueAt),
        deadLetter: () => ({}),
      },
      onOpened: (_cell, _realm, outbox) => void serve(outbox, own),
      onProblem: (error) => problems.push(error),
    });
    return { store, schedules, timers: new RuleTimers(schedules, clock) };
  };

  const world: SchedulesWorld = {
    clock,
    disk,
    handed,
    problems,
    rules: new Map(),
    answer: () => TAKEN,
    ...({} as Awaited<ReturnType<typeof open>>),
    async make(name, more = {}, { group = "default", token = name } = {}) {
      const wanted = settings(more);
      await world.schedules.create(REALM, group, { name, settings: wanted, token, digest: JSON.stringify(wanted) });
    },
    async records(group = "default") {
      const records: LedgerRecord[] = [];
      for await (const cell of eachCell(world.store, `000000000000.us-east-1/schedules/${group}/`))
        for (let after: string | undefined; ;) {
          const rows = await readOwnRows(world.store, cell, { prefix: "ledger/", limit: 1_000, ...(after === undefined ? {} : { after }) });
          after = rows.at(-1)?.key;
          if (after === undefined) break;
          for (const { value } of rows) records.push((JSON.parse(Buffer.from(value).toString("utf8")) as [number, LedgerRecord])[1]);
        }
      return records.sort((left, right) => (left.dueAt ?? 0) - (right.dueAt ?? 0));
    },
    async downFor(ms) {
      life += 1;
      await world.schedules.close();
      await clock.advance(ms);
      Object.assign(world, await open());
      await world.schedules.resume();
      await world.settle();
    },
    async until(at) {
      await clock.advance(at - clock.now());
      await world.settle();
    },
    async settle() {
      for (let turn = 0; turn < 20; turn++) await clock.advance(0);
      assert.deepEqual(problems, []);
    },
    times: (from) => handed.map(({ at }) => at - from),
  };
  Object.assign(world, await open());
  await world.schedules.resume();
  return world;
}
