/** A partition against the plainest thing it could be: an array of records with the time each arrived at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLambentError } from "../../src/base/index.ts";
import type { Partition } from "../../src/streams/index.ts";
import { allRecords, clientBatch, record, StreamWorld } from "./world.ts";

const RETENTION_MS = 640_000;
/** Records go in pieces, of which there are so many to a retention; and those that fall due together go together. */
const SLACK_MS = (2 * RETENTION_MS) / 64 + 2_000;

type Step =
  | { readonly kind: "append"; readonly groups: readonly (readonly number[])[]; readonly ending: "told" | "lost" | "lostUntold" | "busy" }
  | { readonly kind: "batch"; readonly sizes: readonly number[] }
  | { readonly kind: "burst"; readonly count: number; readonly everyMs: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "read"; readonly at: number; readonly bytesMax: number }
  | { readonly kind: "look"; readonly back: number; readonly by: "created" | "appended" }
  | { readonly kind: "deleteBefore"; readonly at: number }
  | { readonly kind: "restart" };

const size = fc.oneof({ weight: 8, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.nat(40_000) });
const sizes = fc.array(size, { minLength: 1, maxLength: 3 });
const ending = fc.constantFrom("told", "told", "told", "lost", "lostUntold", "busy");
const share = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), groups: fc.array(sizes, { minLength: 1, maxLength: 6 }), ending }),
  fc.record({ kind: fc.constant("batch" as const), sizes }),
  fc.record({ kind: fc.constant("burst" as const), count: fc.integer({ min: 1, max: 160 }), everyMs: fc.constantFrom(0, 4_000, 11_000) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(1, 5_000, 100_000, RETENTION_MS) }),
  fc.record({ kind: fc.constant("read" as const), at: share, bytesMax: fc.constantFrom(1, 500, 20_000, 1_000_000) }),
  fc.record({ kind: fc.constant("look" as const), back: share, by: fc.constantFrom("created", "appended") }),
  fc.record({ kind: fc.constant("deleteBefore" as const), at: share }),
  fc.record({ kind: fc.constant("restart" as const) }),
);

interface Kept {
  readonly value: string;
  readonly appendedAt: number;
  readonly timestamp: number;
}

class Comparison {
  readonly world: StreamWorld;
  partition: Partition;
  readonly model: Kept[] = [];
  #made = 0;
  deletedBefore = 0;

  private constructor(world: StreamWorld, partition: Partition) {
    this.world = world;
    this.partition = partition;
  }

  static async begin(): Promise<Comparison> {
    const world = await StreamWorld.open();
    return new Comparison(world, await world.partition({ settings: { retentionMs: RETENTION_MS } }));
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "append":
        return this.#append(step.groups, step.ending);
      case "batch":
        return this.#appendBatch(step.sizes);
      case "burst":
        for (let count = 0; count < step.count; count += 1) {
          await this.#append([[50 + (count % 7)]], "told");
          if (step.everyMs > 0) await this.#pass(step.everyMs);
        }
        return;
      case "pass":
        return this.#pass(step.ms);
      case "read":
        return this.#compare(this.partition.first + Math.floor(step.at * (this.model.length - this.partition.first)), step.bytesMax);
      case "look":
        return this.#look(step.back, step.by);
      case "deleteBefore": {
        const offset = Math.floor(step.at * this.model.length);
        this.deletedBefore = Math.max(this.deletedBefore, offset);
        await this.partition.deleteBefore(offset);
        return this.#checkBounds();
      }
      case "restart":
        return this.#restart();
    }
  }

  async end(): Promise<void> {
    await this.#restart();
    await this.#compare(this.partition.first, 100_000);
    await this.world.close();
  }

  async #append(groups: readonly (readonly number[])[], ending: "told" | "lost" | "lostUntold" | "busy"): Promise<void> {
    const { clock } = this.world;
    const values = groups.map((group) => group.map((bytes) => this.#value(bytes)));
    const timestamp = clock.now() - (this.#made % 5) * 10_000;
    if (ending !== "told") {
      const kind = ending === "lost" ? "stopBefore" : ending === "busy" ? "busy" : "stopAfter";
      this.world.fault = ({ kind: what }) => (what === "commit" ? { kind } : undefined);
    }
    const appends = values.map((group) => this.partition.append(group.map((value) => record(value, { timestamp }))));
    const outcomes = await Promise.allSettled(appends);
    const untold: Kept[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const group = (values[index] ?? []).map((value): Kept => ({ value, appendedAt: clock.now(), timestamp }));
      if (outcome.status === "fulfilled") {
        assert.deepEqual(outcome.value, { firstOffset: this.model.length, count: group.length, appendedAt: clock.now(), duplicate: false });
      } else assert.ok(isLambentError(outcome.reason, "StorageStopped", "StorageBusy"), String(outcome.reason));
      assert.equal(outcome.status, ending === "told" ? "fulfilled" : "rejected");
      if (ending === "told") this.model.push(...group);
      else untold.push(...group);
    }
    if (ending === "busy") this.world.fault = () => undefined;
    else if (ending !== "told") await this.#reopen();
    // The commit that was told of to nobody may have been one that forgets; the records' own is refused then.
    if (ending === "lostUntold" && this.partition.end > this.model.length) this.model.push(...untold);
    await this.#checkBounds();
  }

  async #appendBatch(sizes: readonly number[]): Promise<void> {
    const values = sizes.map((bytes) => this.#value(bytes));
    const outcome = await this.partition.appendBatch(clientBatch(values));
    const appendedAt = this.world.clock.now();
    assert.deepEqual(outcome, { kind: "appended", baseOffset: this.model.length, appendedAt, first: this.partition.first });
    this.model.push(...values.map((value) => ({ value, appendedAt, timestamp: 5 })));
  }

  async #pass(ms: number): Promise<void> {
    await this.world.clock.advance(ms);
    if (ms < RETENTION_MS / 10) return;
    await this.partition.trim();
    await this.#checkBounds();
  }

  async #restart(): Promise<void> {
    await this.#reopen();
    await this.#checkBounds();
  }

  async #reopen(): Promise<void> {
    await this.world.restart();
    this.partition = await this.world.partition();
  }

  /** Nothing is missing before its time, nothing is kept long behind it. */
  async #checkBounds(): Promise<void> {
    const { first, end } = this.partition;
    assert.equal(end, this.model.length);
    const now = this.world.clock.now();
    const young = this.model.findIndex(({ appendedAt }) => appendedAt + RETENTION_MS > now);
    assert.ok(first <= Math.max(young < 0 ? end : young, this.deletedBefore), `record ${first - 1} is gone, and ${young} is young`);
    assert.ok(first >= this.deletedBefore);
    const past = this.model.findLastIndex(({ appendedAt }) => appendedAt + RETENTION_MS + SLACK_MS <= now);
    const lastPass = past >= first && (await this.partition.trim(), this.partition.first);
    assert.ok(lastPass === false || past < lastPass, `record ${past} is kept long behind its time`);
    assert.ok(this.partition.bytes >= 0 && (this.partition.first < end || this.partition.bytes === 0));
  }

  async #compare(from: number, bytesMax: number): Promise<void> {
    const records = await allRecords(this.partition, from, bytesMax);
    assert.deepEqual(
      records.map(({ offset, value, timestamp }) => ({ offset, value: value?.toString(), timestamp })),
      this.model.slice(from).map(({ value, timestamp }, index) => ({ offset: from + index, value, timestamp })),
    );
    for (const outside of [this.partition.first - 1, this.partition.end + 1])
      await assert.rejects(this.partition.read(outside, { bytesMax: 1 }), (error) => isLambentError(error, "OffsetOutOfRange"));
  }

  async #look(back: number, by: "created" | "appended"): Promise<void> {
    const { first } = this.partition;
    const time = Math.floor(this.world.clock.now() - back * 1.5 * RETENTION_MS);
    const timeOf = ({ appendedAt, timestamp }: Kept): number => (by === "created" ? timestamp : appendedAt);
    const index = this.model.findIndex((kept, offset) => offset >= first && timeOf(kept) >= time);
    const kept = this.model[index];
    assert.deepEqual(await this.partition.offsetAt(time, by), kept && { offset: index, time: timeOf(kept) });
  }

  #value(bytes: number): string {
    this.#made += 1;
    return `${this.#made}-`.padEnd(bytes, "x");
  }
}

test("P1: a partition is an array of records, whatever is appended, read, forgotten, lost by a crash and opened again", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      const comparison = await Comparison.begin();
      for (const each of steps) await comparison.take(each);
      await comparison.end();
    }),
    { numRuns: 250 },
  );
});
