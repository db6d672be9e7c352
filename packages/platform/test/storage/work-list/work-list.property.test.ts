import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ManualClock, randomBelow, seededRandom, systemSecureRandom, type Random } from "../../../src/base/index.ts";
import {
  type Fault,
  type FaultStep,
  type LeasedItem,
  MemoryDisk,
  openMemoryStore,
  openWorkList,
  type WorkList,
} from "../../../src/storage/index.ts";
import { CELL, RULES } from "./world.ts";

const GROUPS = ["a", "b", "c"];
const STEPS = 120;
const RETENTION_MS = 10_000_000;

/** What is known of an item from the answers alone. */
interface Known {
  readonly group: string;
  readonly order: number;
  /** `maybe`: the answer was lost with a crash. */
  enqueued: "yes" | "maybe" | "no";
  settled: "yes" | "maybe" | "no";
  leasedUntil: number;
  receipt: string;
  receiveCount: number;
}

/** Drives a real list over a disk that survives crashes, with faults, and checks every answer against what the answers before it allow. */
class Trial {
  readonly #random: Random;
  readonly #clock = new ManualClock();
  readonly #disk = new MemoryDisk();
  readonly #ordering: "fifo" | "fair";
  readonly #items = new Map<string, Known>();
  readonly #broken: unknown[] = [];
  #list!: WorkList;
  /** Answers of a list that crashed are not heard any more. */
  #life = 0;
  #faulty = true;
  #order = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#ordering = seed % 2 === 0 ? "fifo" : "fair";
  }

  async run(): Promise<{ readonly handled: number; readonly crashes: number }> {
    await this.#restart();
    for (let step = 0; step < STEPS; step++) await this.#step();
    await this.#quiet();
    if (this.#broken.length > 0) throw this.#broken[0];
    this.#faulty = false;
    await this.#restart();
    await this.#clock.advance(100_000);
    let handled = 0;
    for (let leased = await this.#lease(3); leased.length > 0; leased = await this.#lease(3)) {
      for (const item of leased) {
        assert.deepEqual(await this.#list.settle(item.receipt), { kind: "settled" });
        Object.assign(this.#known(item.id), { settled: "yes", leasedUntil: 0 });
        handled += 1;
      }
    }
    for (const [id, known] of this.#items)
      if (known.enqueued === "yes") assert.notEqual(known.settled, "no", `${id} was accepted and is lost`);
    assert.equal(this.#list.counts().visible + this.#list.counts().leased + this.#list.counts().delayed, 0);
    await this.#list.close();
    return { handled, crashes: this.#life - 2 };
  }

  async #step(): Promise<void> {
    const choice = randomBelow(this.#random, 100);
    if (choice < 30) this.#hear(this.#enqueue());
    else if (choice < 55) this.#hear(this.#lease(1 + randomBelow(this.#random, 5)));
    else if (choice < 80) this.#hear(this.#settle());
    else if (choice < 86) this.#hear(this.#release());
    else if (choice < 93) await this.#clock.advance(randomBelow(this.#random, 20_000));
    else if (choice < 96) await this.#restart();
    else await this.#quiet();
  }

  /** Several commands are under way at once; what one of them was refused with is no failure, a broken rule is. */
  #hear(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (error instanceof assert.AssertionError) this.#broken.push(error);
    });
  }

  /** The list is dropped wherever it is, like its process; the next one begins with what the disk has. */
  async #restart(): Promise<void> {
    if (this.#random.next() < 0.5) await this.#quiet();
    const life = ++this.#life;
    for (;;) {
      // A process that is dead writes nothing more.
      const faults = ({ kind }: FaultStep): Fault | undefined => (life === this.#life ? this.#fault(kind) : { kind: "stopBefore" });
      const store = openMemoryStore({ disk: this.#disk, faults });
      try {
        this.#list = await openWorkList({
          store,
          cell: CELL,
          clock: this.#clock,
          secureRandom: systemSecureRandom,
          rules: { ...RULES, ordering: this.#ordering, retentionMs: RETENTION_MS },
          holders: "elsewhere",
        });
        return;
      } catch {
        // A read was refused; the next process tries again.
      }
    }
  }

  /** Whatever can be answered without time passing is. */
  async #quiet(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await this.#clock.advance(0);
  }

  #fault(kind: "commit" | "read"): Fault | undefined {
    if (!this.#faulty) return undefined;
    const chance = this.#random.next();
    if (chance < 0.05) return { kind: "busy" };
    if (kind === "commit" && chance < 0.06) return { kind: "stopBefore" };
    if (kind === "commit" && chance < 0.08) return { kind: "stopAfter" };
    if (chance < 0.3) return { kind: "acknowledgeLate", until: new Promise((resolve) => setImmediate(resolve)) };
    return undefined;
  }

  async #enqueue(): Promise<void> {
    const life = this.#life;
    const batch = Array.from({ length: 1 + randomBelow(this.#random, 4) }, () => {
      const id = `item-${this.#order}`;
      const group = GROUPS[randomBelow(this.#random, GROUPS.length)] ?? "a";
      this.#items.set(id, { group, order: this.#order++, enqueued: "maybe", settled: "no", leasedUntil: 0, receipt: "", receiveCount: 0 });
      return {
        id,
        group,
        body: Buffer.from(`body of ${id}`),
        delayMs: this.#random.next() < 0.2 && this.#ordering === "fair" ? 10_000 : 0,
      };
    });
    await this.#list.enqueue(batch);
    if (life !== this.#life) return;
    for (const { id } of batch) this.#known(id).enqueued = "yes";
  }

  async #lease(max: number): Promise<readonly LeasedItem[]> {
    const life = this.#life;
    const leaseMs = 1_000 + randomBelow(this.#random, 30_000);
    const waitMs = this.#faulty && this.#random.next() < 0.3 ? 5_000 : 0;
    // The lease was given some time between the call and its answer: it holds at least until here.
    const until = this.#clock.now() + leaseMs;
    const outcome = await this.#list.lease({ max, leaseMs, waitMs });
    // Leases that nobody heard of still hold; the answers say nothing of them, so nothing is checked by them.
    if (life !== this.#life || outcome.kind !== "leased") return [];
    for (const item of outcome.items) this.#checkLease(item, outcome.items, until);
    return outcome.items;
  }

  #checkLease(item: LeasedItem, batch: readonly LeasedItem[], until: number): void {
    const known = this.#known(item.id);
    const now = this.#clock.now();
    assert.equal(Buffer.from(item.body).toString(), `body of ${item.id}`);
    // An answer that is heard behind that of a later lease tells of a lease that has ended.
    if (item.receiveCount < known.receiveCount) return;
    known.receiveCount = item.receiveCount;
    assert.notEqual(known.settled, "yes", `${item.id} was settled and is handed out`);
    assert.ok(known.leasedUntil <= now, `${item.id} is handed out while a lease on it is live`);
    if (this.#ordering === "fifo") {
      for (const [id, other] of this.#items) {
        if (other.group !== known.group || id === item.id) continue;
        const together = other.settled === "maybe" || batch.some((each) => each.id === id);
        assert.ok(together || other.leasedUntil <= now, `P4: ${item.id} is handed out while ${id} of its group is leased`);
        const waitsBefore = other.order < known.order && other.enqueued === "yes" && other.settled === "no";
        assert.ok(together || !waitsBefore, `P4: ${item.id} is handed out before ${id} of its group`);
      }
      const ofGroup = batch.filter((each) => each.group === item.group).map((each) => this.#known(each.id).order);
      assert.deepEqual(
        ofGroup,
        ofGroup.toSorted((left, right) => left - right),
      );
    }
    known.enqueued = "yes";
    // Behind the checks of the whole batch.
    queueMicrotask(() => Object.assign(known, { leasedUntil: until, receipt: item.receipt }));
  }

  async #settle(): Promise<void> {
    const life = this.#life;
    const known = this.#leased();
    if (!known) return;
    known.settled = known.settled === "yes" ? "yes" : "maybe";
    const outcome = await this.#list.settle(known.receipt);
    if (life !== this.#life) return;
    if (outcome.kind === "settled" || outcome.kind === "gone") Object.assign(known, { settled: "yes", leasedUntil: 0 });
    else if (known.settled === "maybe") known.settled = "no";
  }

  async #release(): Promise<void> {
    const known = this.#leased();
    if (!known) return;
    known.leasedUntil = 0;
    await this.#list.release(known.receipt, { delayMs: 0 });
  }

  #leased(): Known | undefined {
    const leased = [...this.#items.values()].filter((known) => known.leasedUntil > this.#clock.now());
    return leased[randomBelow(this.#random, Math.max(1, leased.length))];
  }

  #known(id: string): Known {
    const known = this.#items.get(id);
    assert.ok(known, `${id} was never enqueued`);
    return known;
  }
}

describe("P1, P4: a work list under crashes and faults", () => {
  it("loses nothing it accepted, hands nothing out twice at once, keeps groups in order", async () => {
    let handled = 0;
    let crashes = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const result = await new Trial(seed).run();
        handled += result.handled;
        crashes += result.crashes;
      }),
      { numRuns: 150 },
    );
    assert.ok(handled > 1_000 && crashes > 150, `${handled} items were handled over ${crashes} crashes`);
  });
});
