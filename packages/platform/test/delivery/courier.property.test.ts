import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { randomBelow, type Random, seededRandom } from "../../src/base/index.ts";
import { Courier } from "../../src/delivery/courier.ts";
import type { Handing } from "../../src/delivery/handing.ts";
import type { HandOver, NewDelivery } from "../../src/outbox/index.ts";
import type { Fault } from "../../src/storage/index.ts";
import { CELL, DAY_MS, delivery, later, never, OutboxWorld, queueArnOf, taken } from "../outbox/world.ts";

const LANES = ["a", "b", "c"];
const DEAD = queueArnOf("dead");
const STEPS = 60;

/** What is known of a delivery from the answers alone. */
interface Known {
  readonly lane: string;
  readonly order: number;
  readonly given: NewDelivery;
  accepted: "yes" | "maybe";
  /** It, or its dead letter, is being handed over. */
  under: "" | "delivery" | "letter";
  /** What its target answered, attempt by attempt; of its dead letter the same. */
  readonly outcomes: HandOver["kind"][];
  readonly letters: HandOver["kind"][];
}

/** Drives a real outbox and courier over a disk that survives crashes, with targets and a storage that fail by chance. */
class Trial {
  readonly #random: Random;
  readonly #ordered: boolean;
  readonly #known = new Map<string, Known>();
  readonly #broken: unknown[] = [];
  #world!: OutboxWorld;
  #life = 0;
  #faulty = true;
  #stopped = false;
  crashes = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#ordered = seed % 2 === 0;
  }

  async run(): Promise<void> {
    this.#world = await OutboxWorld.open({ ordering: this.#ordered ? "fifo" : "fair", random: this.#random });
    this.#world.faults = () => this.#fault();
    this.#serve();
    for (let step = 0; step < STEPS; step++) await this.#step();
    this.#faulty = false;
    await this.#crash();
    for (let minute = 0; minute < 200 && this.#world.outbox.open > 0; minute++) await this.#pass(60_000);
    if (this.#broken.length > 0) throw this.#broken[0];
    await this.#checkEnds();
  }

  async #step(): Promise<void> {
    if (this.#stopped) return this.#crash();
    const choice = randomBelow(this.#random, 100);
    if (choice < 35) await this.#accept();
    else if (choice < 90) await this.#pass(randomBelow(this.#random, 3_000));
    else if (choice < 95) await this.#crash();
    else await this.#pass(randomBelow(this.#random, 100_000));
  }

  async #accept(): Promise<void> {
    const batch = Array.from({ length: 1 + randomBelow(this.#random, 4) }, () => {
      const lane = LANES[randomBelow(this.#random, LANES.length)] ?? "a";
      const retry = { retriesMax: randomBelow(this.#random, 4), ageMsMax: 30 * DAY_MS, waitsMs: [1_000, 2_000] };
      const given = delivery(`${this.#known.size}`, { lane, retry, ...(this.#random.next() < 0.5 ? { deadLetter: DEAD } : {}) });
      this.#known.set(given.id, { lane, order: this.#known.size, given, accepted: "maybe", under: "", outcomes: [], letters: [] });
      return given;
    });
    const life = this.#life;
    await this.#world.outbox.accept(batch).then(
      () => {
        if (life === this.#life) for (const { id } of batch) this.#of(id).accepted = "yes";
      },
      () => undefined,
    );
  }

  #serve(): void {
    const life = this.#life;
    const { clock, outbox } = this.#world;
    const handOver = async (handings: readonly Handing[]): Promise<HandOver[]> =>
      Promise.all(handings.map((each) => this.#handOver(each, life)));
    const onTrouble = (error: unknown): void => void (life === this.#life ? this.#broken.push(error) : undefined);
    new Courier({ clock, targets: { handOver }, onTrouble }).serve(CELL, outbox);
  }

  async #crash(): Promise<void> {
    this.crashes += 1;
    // Nothing of the process that ended is heard any more.
    this.#life += 1;
    this.#stopped = false;
    for (const each of this.#known.values()) each.under = "";
    for (;;) {
      try {
        await this.#world.crash();
        break;
      } catch {
        // A read was refused; the next process tries again.
      }
    }
    this.#serve();
    await this.#pass(0);
  }

  /** What was accepted and not handled before cannot be behind what is handed over now. */
  async #handOver({ id, parcel }: Handing, life: number): Promise<HandOver> {
    if (life !== this.#life) return new Promise(() => undefined);
    const known = this.#of(id);
    const isLetter = parcel.target === DEAD;
    try {
      assert.equal(known.under, "", `${known.order} is handed over twice at once`);
      if (this.#ordered && !isLetter) this.#checkOrder(known);
    } catch (error) {
      this.#broken.push(error);
    }
    const outcomes = isLetter ? known.letters : known.outcomes;
    known.under = isLetter ? "letter" : "delivery";
    const outcome = this.#outcome();
    await new Promise<void>((resolve) => void this.#world.clock.schedule(randomBelow(this.#random, 2) * 500, resolve));
    if (life !== this.#life) return new Promise(() => undefined);
    known.under = "";
    outcomes.push(outcome.kind);
    return outcome;
  }

  #checkOrder(known: Known): void {
    for (const other of this.#known.values()) {
      if (other.lane !== known.lane || other === known) continue;
      if (other.order > known.order) assert.deepEqual(other.outcomes, [], `P4: ${known.order} is handed over behind ${other.order}`);
      else if (other.accepted === "yes") {
        const last = other.outcomes.at(-1);
        const failures = other.outcomes.filter((kind) => kind === "later").length;
        const mayHaveEnded = last === "taken" || last === "never" || (last === "later" && failures > other.given.retry.retriesMax);
        assert.ok(
          mayHaveEnded && other.under !== "delivery",
          `P4: ${known.order} is handed over before ${other.order} has ended: ${other.outcomes.join()}`,
        );
      }
    }
  }

  #outcome(): HandOver {
    if (!this.#faulty) return taken();
    const chance = this.#random.next();
    if (chance < 0.5) return taken();
    if (chance < 0.8) return later();
    return chance < 0.9 ? never() : { kind: "wait", ms: randomBelow(this.#random, 1_000) };
  }

  #fault(): Fault | undefined {
    if (!this.#faulty) return undefined;
    const chance = this.#random.next();
    if (chance < 0.04) return { kind: "busy" };
    if (chance > 0.02 + 0.04) return undefined;
    this.#stopped = true;
    return { kind: chance < 0.05 ? "stopBefore" : "stopAfter" };
  }

  async #pass(ms: number): Promise<void> {
    await this.#world.clock.advance(ms);
    for (let turn = 0; turn < 10; turn++) await this.#world.clock.advance(0);
  }

  async #checkEnds(): Promise<void> {
    assert.equal(this.#world.outbox.open, 0, "all have ended");
    const records = new Map((await this.#world.records()).map((record) => [record.id, record]));
    for (const { given, accepted, outcomes, letters, order } of this.#known.values()) {
      const record = records.get(given.id);
      if (accepted === "yes") assert.ok(record, `${order} was accepted and nothing says what became of it`);
      if (!record) continue;
      assert.ok(record.state.kind === "ended", `${order} has not ended`);
      const { outcome } = record.state;
      if (outcome.kind === "handled") assert.ok(outcomes.includes("taken"), `${order} is told handled`);
      if (outcome.kind === "deadLettered") assert.ok(letters.includes("taken"), `${order} is told dead-lettered`);
      if (outcome.kind === "discarded") assert.ok(outcomes.includes("never") || outcomes.includes("later"), `${order} is told discarded`);
      assert.ok(record.attemptCount <= given.retry.retriesMax + 1, `${order} was tried ${record.attemptCount} times`);
    }
  }

  #of(id: string): Known {
    const known = this.#known.get(id);
    assert.ok(known, `${id} was never given`);
    return known;
  }
}

describe("P1, P2, P4: an outbox and its courier under crashes, faults and failing targets", () => {
  test("lose nothing, end everything in one recorded way, keep lanes in order", async () => {
    let crashes = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const trial = new Trial(seed);
        await trial.run();
        crashes += trial.crashes;
      }),
      { numRuns: 30 },
    );
    assert.ok(crashes > 60, `${crashes} crashes`);
  });
});
