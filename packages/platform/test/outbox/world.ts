import assert from "node:assert/strict";
import { ManualClock, type Random, systemSecureRandom } from "../../src/base/index.ts";
import { decodeRecord, RECORD_PREFIX } from "../../src/ledger/rows.ts";
import type { LedgerRecord } from "../../src/ledger/index.ts";
import {
  BACK_OFF_WAITS_MS,
  type DeadDelivery,
  type HandOver,
  type NewDelivery,
  Outbox,
  type OutboxParts,
  type ParcelAttribute,
  type TakenDelivery,
} from "../../src/outbox/index.ts";
import { type FaultPlan, MemoryDisk, openMemoryStore, readOwnRows, type Store } from "../../src/storage/index.ts";

export const REALM = { account: "000000000000", region: "us-east-1" };
export const CELL = "000000000000.us-east-1/bus/test/0";
export const RULE_ARN = "arn:aws:events:us-east-1:000000000000:rule/test";
export const queueArnOf = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`;
export const DAY_MS = 86_400_000;

/** Waits are what the policy says: no spread. */
const NO_SPREAD: Random = { next: () => 1 };

/** What the dead-letter queue is told here: everything the holder was asked with. */
export const deadLetterAttributes = ({ delivery, attempts, why, refusal }: DeadDelivery): Record<string, ParcelAttribute> => ({
  TARGET: { type: "String", value: delivery.parcel.target },
  WHY: { type: "String", value: why },
  CODE: { type: "String", value: refusal.code },
  ATTEMPTS: { type: "Number", value: String(attempts) },
});

/** An outbox on a disk that outlives it: `crash` opens another one as after a power cut. */
export class OutboxWorld {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  faults: FaultPlan = () => undefined;
  store!: Store;
  outbox!: Outbox;
  readonly #changed: Partial<OutboxParts>;
  #life = 0;

  constructor(changed: Partial<OutboxParts>) {
    this.#changed = changed;
  }

  static async open(changed: Partial<OutboxParts> = {}): Promise<OutboxWorld> {
    const world = new OutboxWorld(changed);
    await world.crash();
    return world;
  }

  /** What the outbox before had not committed is gone, and it commits nothing any more. */
  async crash(): Promise<void> {
    const life = ++this.#life;
    this.store = openMemoryStore({ disk: this.disk, faults: (step) => (life === this.#life ? this.faults(step) : { kind: "stopBefore" }) });
    this.outbox = await Outbox.open({
      ...{ store: this.store, cell: CELL, clock: this.clock, random: NO_SPREAD, secureRandom: systemSecureRandom },
      ...{ ordering: "fair", deadLetter: deadLetterAttributes, retryTimeFactor: 1 },
      ...this.#changed,
    });
  }

  /** What is due at this moment. */
  async due(max = 100): Promise<TakenDelivery[]> {
    const none = new AbortController();
    const taking = this.outbox.take(max, none.signal);
    taking.catch(() => undefined);
    for (let turn = 0; turn < 8; turn++) await this.clock.advance(0);
    none.abort();
    return (await taking) ?? assert.fail("the outbox is closed");
  }

  async one(): Promise<TakenDelivery> {
    const taken = await this.due();
    assert.equal(taken.length, 1, `one delivery is due, not ${taken.length}`);
    return taken[0] ?? assert.fail();
  }

  settle(taken: TakenDelivery, outcome: HandOver): Promise<void> {
    return this.outbox.settle(taken, outcome, this.clock.now());
  }

  /** The records as they are on the disk. */
  async records(): Promise<LedgerRecord[]> {
    const rows = await readOwnRows(openMemoryStore({ disk: this.disk }), CELL, { prefix: RECORD_PREFIX, limit: 1_000 });
    return rows.map(({ value }) => decodeRecord(value));
  }

  async record(id: string): Promise<LedgerRecord | undefined> {
    return (await this.records()).find((record) => record.id === id);
  }
}

export const taken = (recorded = false): HandOver => ({ kind: "taken", recorded, durationMs: 5 });
export const later = (code = "THROTTLING", more: { readonly retryAfterMs?: number } = {}): HandOver => ({
  kind: "later",
  refusal: { code, message: "not now", ...more },
  durationMs: 5,
});
export const never = (code = "NO_PERMISSIONS"): HandOver => ({ kind: "never", refusal: { code, message: "no" }, durationMs: 5 });

/** Ids in the order of their making, as time-ordered ones are. */
let made = 0;
export function delivery(
  name: string,
  more: Partial<NewDelivery> & { readonly payload?: Buffer; readonly target?: string } = {},
): NewDelivery {
  const { payload = Buffer.from(`{"event":"${name}"}`), target = queueArnOf("orders"), ...rest } = more;
  const id = `01890000-0000-7000-8000-${String(++made).padStart(12, "0")}`;
  const sender = { kind: "service", realm: REALM, service: "events.amazonaws.com", sourceArn: RULE_ARN } as const;
  return {
    id,
    parcel: { target, sender, payload, options: {}, traceHeader: undefined },
    ...{ source: "bus", origin: RULE_ARN, subject: name, cause: "the-event", correlation: "the-first", acceptedAt: 1_700_000_000_000 },
    retry: { retriesMax: 185, ageMsMax: DAY_MS, waitsMs: BACK_OFF_WAITS_MS },
    ...rest,
  };
}
