import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Clock, deferred, LambentError } from "../../src/base/index.ts";
import { CELL_TRIED_BYTES_MAX, CELL_TRIED_MAX, Courier } from "../../src/delivery/courier.ts";
import type { Handing } from "../../src/delivery/handing.ts";
import type { HandOver, NewDelivery, OutboxParts } from "../../src/outbox/index.ts";
import { CELL, DAY_MS, delivery, later, never, OutboxWorld, taken } from "../outbox/world.ts";

type Reaction = (handing: Handing) => HandOver | Promise<HandOver>;

/** A courier over one outbox, with targets that react as the test says. */
class CourierWorld {
  readonly outboxes: OutboxWorld;
  readonly troubles: unknown[] = [];
  /** Every handing over as it began: what of, and when. */
  readonly seen: { readonly name: string; readonly at: number; readonly again: boolean }[] = [];
  reaction: Reaction = () => taken();
  courier!: Courier;

  constructor(outboxes: OutboxWorld) {
    this.outboxes = outboxes;
  }

  static async open(reaction: Reaction, changed: Partial<OutboxParts> = {}, isEarly = false): Promise<CourierWorld> {
    const world = new CourierWorld(await OutboxWorld.open(changed));
    world.reaction = reaction;
    world.serve(isEarly ? earlyClock(world.outboxes.clock) : world.outboxes.clock);
    return world;
  }

  serve(clock: Clock = this.outboxes.clock): void {
    this.courier = new Courier({
      clock,
      targets: { handOver: (each) => this.#handOver(each) },
      onTrouble: (error) => this.troubles.push(error),
    });
    this.courier.serve(CELL, this.outboxes.outbox);
  }

  async crash(): Promise<void> {
    await this.outboxes.crash();
    this.serve();
  }

  async accept(...deliveries: readonly NewDelivery[]): Promise<void> {
    await this.outboxes.outbox.accept(deliveries);
    await this.quiet();
  }

  /** Whatever needs no time happens. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await this.outboxes.clock.advance(0);
  }

  async pass(ms: number): Promise<void> {
    await this.outboxes.clock.advance(ms);
    await this.quiet();
  }

  get names(): string[] {
    return this.seen.map(({ name }) => name);
  }

  get now(): number {
    return this.outboxes.clock.now();
  }

  async #handOver([handing]: readonly Handing[]): Promise<HandOver[]> {
    assert.ok(handing);
    this.seen.push({ name: String(handing.from.subject), at: this.now, again: handing.again });
    return [await this.reaction(handing)];
  }
}

/** A clock whose timers are early by a fraction of a millisecond, as those of the system may be. */
function earlyClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    schedule: (delayMs, task) => clock.schedule(delayMs > 1 ? delayMs - 0.4 : delayMs, task),
  };
}

const hanging = (): Promise<HandOver> => new Promise(() => undefined);
const to = (lane: string, name: string, more: Parameters<typeof delivery>[1] = {}): NewDelivery => delivery(name, { lane, ...more });
const many = (count: number, lane: string, more: Partial<NewDelivery> = {}): NewDelivery[] =>
  Array.from({ length: count }, (_, index) => to(lane, `${lane}${index}`, more));

describe("targets are independent", () => {
  test("one that hangs, one that fails, one that asks to wait delay no other, however much waits for them", async () => {
    const reactions: Record<string, Reaction> = { hangs: hanging, fails: () => later(), waits: () => ({ kind: "wait", ms: 5_000 }) };
    const world = await CourierWorld.open(({ from }) => reactions[String(from.subject).replace(/\d+$/, "")]?.({} as never) ?? taken());
    for (const lane of Object.keys(reactions)) await world.accept(...many(300, lane));
    for (let each = 0; each < 50; each++) {
      const before = world.now;
      await world.accept(to("healthy", "healthy"));
      assert.deepEqual(
        world.seen.filter(({ name, at }) => name === "healthy" && at >= before).map(({ at }) => at - before),
        [0],
      );
      await world.pass(100);
    }
    assert.deepEqual(world.troubles, []);
  });

  test("20,000 deliveries that wait for a dead one delay no other, and cost it no place", async () => {
    const world = await CourierWorld.open(({ from }) => (from.subject === "healthy" ? taken() : hanging()));
    await world.outboxes.outbox.accept(many(20_000, "dead"));
    await world.quiet();
    assert.ok(world.seen.length <= 8, "what a target that is not known yet is tried with at once");
    for (let each = 0; each < 100; each++) await world.accept(to("healthy", "healthy"), to("dead", "dead"));
    const late = world.seen.filter(({ name }) => name === "healthy");
    assert.equal(late.length, 100);
    assert.ok(late.every(({ at }) => at === world.now));
    assert.equal(world.outboxes.outbox.open, 20_100);
  });

  test("what comes behind 20,000 that wait for a dead one is taken in its turn, also when it is not read yet", async () => {
    const world = await CourierWorld.open(({ from }) => (from.subject === "healthy" ? taken() : hanging()));
    const mixed = many(20_000, "dead").flatMap((each, index) => (index % 100 === 99 ? [each, to(`other${index % 3}`, "healthy")] : [each]));
    await world.outboxes.outbox.accept(mixed);
    for (let turn = 0; turn < 40; turn++) await world.quiet();
    assert.equal(world.names.filter((name) => name === "healthy").length, 200);
  });
});

describe("a lane", () => {
  test("of a target that fails is left alone for longer and longer, and goes on with the first that is taken", async () => {
    let isBack = false;
    const world = await CourierWorld.open(() => (isBack ? taken() : later()));
    await world.accept(...many(100, "a", { retry: { retriesMax: 185, ageMsMax: DAY_MS, waitsMs: [1_000] } }));
    await world.pass(30_000);
    const tried = world.seen.length;
    assert.ok(tried >= 10 && tried < 40, `${tried} attempts while it failed`);
    isBack = true;
    await world.pass(60_000);
    assert.equal(world.outboxes.outbox.open, 0);
    assert.equal(
      (await world.outboxes.records()).filter(({ state }) => state.kind === "ended" && state.outcome.kind === "handled").length,
      100,
    );
    const attempts = (await world.outboxes.records()).reduce((sum, { attemptCount }) => sum + attemptCount, 0);
    assert.equal(attempts, world.seen.length, "what went back untried is no attempt");
  });

  test("goes on when the wall clock goes back while it is left alone", async () => {
    let isBack = false;
    const world = await CourierWorld.open(() => (isBack ? taken() : later()));
    await world.accept(...many(20, "a"));
    isBack = true;
    world.outboxes.clock.jumpWall(-3_600_000);
    await world.pass(120_000);
    await world.accept(to("a", "new"));
    assert.ok(world.names.includes("new"));
  });

  test("goes on when the timer of its pause is early by a fraction", async () => {
    let isBack = false;
    const world = await CourierWorld.open(() => (isBack ? taken() : later()), {}, true);
    await world.accept(...many(20, "a"));
    isBack = true;
    for (let second = 0; second < 60; second++) await world.pass(1_000);
    assert.equal(world.outboxes.outbox.open, 0);
  });

  test("whose target asked to wait is asked again then, by one after the other, and none of it is an attempt", async () => {
    const moments: number[] = [];
    let next = 0;
    const world = await CourierWorld.open(() => {
      const ms = next - world.now;
      if (ms > 0) return { kind: "wait", ms };
      next = world.now + 100;
      moments.push(world.now);
      return taken();
    });
    await world.accept(...many(20, "a"));
    await world.pass(10_000);
    assert.equal(moments.length, 20);
    assert.ok(moments.every((at, index) => index === 0 || at - (moments[index - 1] ?? 0) >= 100));
    assert.ok((await world.outboxes.records()).every(({ attemptCount }) => attemptCount === 1));
  });

  test("of a dead target is rid of what is too old without asking for each of them", async () => {
    const world = await CourierWorld.open(() => later("TIMEOUT"));
    await world.accept(...many(1_000, "a", { retry: { retriesMax: 185, ageMsMax: 60_000, waitsMs: [1_000] } }));
    for (let second = 0; second < 130; second++) await world.pass(1_000);
    assert.equal(world.outboxes.outbox.open, 0);
    assert.ok(world.seen.length < 40, `${world.seen.length} attempts`);
    const ends = (await world.outboxes.records()).map(({ state }) => (state.kind === "ended" ? state.outcome.kind : state.kind));
    assert.deepEqual(new Set(ends), new Set(["expired"]));
  });

  test("that is too old behind a long stop is tried all the same: nothing says that its target is dead", async () => {
    const world = await CourierWorld.open(hanging);
    await world.accept(...many(50, "a"));
    await world.outboxes.clock.advance(3 * DAY_MS);
    world.reaction = () => taken();
    await world.crash();
    await world.quiet();
    assert.equal(world.outboxes.outbox.open, 0);
    assert.ok((await world.outboxes.records()).every(({ state }) => state.kind === "ended" && state.outcome.kind === "handled"));
  });

  test("P7: many lanes that hang leave at most the bound under way", async () => {
    const world = await CourierWorld.open(hanging);
    await world.accept(...Array.from({ length: 2_000 }, (_, index) => to(`lane${index}`, `${index}`)));
    for (let turn = 0; turn < 30; turn++) await world.quiet();
    assert.equal(world.seen.length, CELL_TRIED_MAX);
  });

  test("P7: large deliveries are tried as many at once as the bound of bytes has room for, and all of them in the end", async () => {
    const [payload, ends] = [Buffer.alloc(2 ** 20, 32), new Set<() => void>()];
    const world = await CourierWorld.open(() => new Promise<HandOver>((resolve) => ends.add(() => resolve(taken()))));
    const roomFor = CELL_TRIED_BYTES_MAX / payload.length;
    const count = roomFor + 100;
    for (let index = 0; index < count; index++) await world.outboxes.outbox.accept([to(`lane${index}`, `${index}`, { payload })]);
    for (let turn = 0; turn < 30; turn++) await world.quiet();
    assert.ok(world.seen.length >= roomFor && world.seen.length <= roomFor + 32, `${world.seen.length} are tried`);
    while (ends.size > 0) {
      for (const end of ends) end();
      ends.clear();
      for (let turn = 0; turn < 10; turn++) await world.quiet();
    }
    assert.deepEqual([world.seen.length, world.outboxes.outbox.open], [count, 0]);
  });

  test("P7: large deliveries that wait for a target that is busy go back, keep no other waiting, and have their turn", async () => {
    const [payload, ends] = [Buffer.alloc(2 ** 20, 32), new Set<() => void>()];
    const world = await CourierWorld.open(({ from }) =>
      from.subject === "healthy" ? taken() : new Promise<HandOver>((resolve) => ends.add(() => resolve(taken()))),
    );
    for (let index = 0; index < 160; index++) await world.outboxes.outbox.accept([to(`busy${index % 4}`, `${index}`, { payload })]);
    for (let turn = 0; turn < 30; turn++) await world.quiet();
    assert.equal(world.seen.length, 32, "eight of each of four targets");
    await world.accept(to("healthy", "healthy", { payload }));
    assert.equal(world.names.at(-1), "healthy");
    while (ends.size > 0) {
      for (const end of ends) end();
      ends.clear();
      for (let turn = 0; turn < 10; turn++) await world.quiet();
    }
    assert.deepEqual([world.seen.length, world.outboxes.outbox.open], [161, 0]);
    assert.ok(
      world.seen.every(({ again }) => !again),
      "what went back is not said to have been tried",
    );
  });
});

describe("P4: an outbox that keeps an order", () => {
  const chains = (names: Record<string, readonly string[]>) =>
    Object.entries(names).flatMap(([lane, each]) =>
      each.map((name) => to(lane, name, { retry: { retriesMax: 2, ageMsMax: DAY_MS, waitsMs: [1_000] } })),
    );

  test("tries a lane strictly in order: behind one that fails, waits, is refused, ends in vain", async () => {
    const reactions: Record<string, HandOver[]> = {
      a1: [later(), { kind: "wait", ms: 100 }, later(), later()],
      a2: [never()],
      a3: [{ kind: "wait", ms: 0 }, later(), taken()],
    };
    const world = await CourierWorld.open(({ from }) => reactions[String(from.subject)]?.shift() ?? taken(), { ordering: "fifo" });
    await world.accept(...chains({ a: ["a1", "a2", "a3", "a4"], b: ["b1", "b2"] }));
    assert.deepEqual(
      world.names.filter((name) => name.startsWith("b")),
      ["b1", "b2"],
      "another lane goes on meanwhile",
    );
    await world.pass(60_000);
    assert.deepEqual(
      world.names.filter((name) => name.startsWith("a")),
      ["a1", "a1", "a1", "a1", "a2", "a3", "a3", "a3", "a4"],
    );
    assert.equal(world.outboxes.outbox.open, 0);
  });

  test("tries one at a time, also when many lanes have much", async () => {
    const under = new Map<string, number>();
    const order = new Map<string, string[]>();
    const world = await CourierWorld.open(
      async ({ from, parcel }) => {
        const lane = String(from.subject).slice(0, 1);
        assert.equal(under.get(lane) ?? 0, 0, `two of ${lane} at once`);
        under.set(lane, 1);
        await new Promise<void>((resolve) => void world.outboxes.clock.schedule(10, resolve));
        under.set(lane, 0);
        order.set(lane, [...(order.get(lane) ?? []), String(from.subject)]);
        assert.ok(parcel);
        return taken();
      },
      { ordering: "fifo" },
    );
    const names = (lane: string) => Array.from({ length: 40 }, (_, index) => `${lane}${String(index).padStart(2, "0")}`);
    await world.accept(...chains({ a: names("a"), b: names("b"), c: names("c") }));
    await world.pass(1_000);
    for (const lane of ["a", "b", "c"]) assert.deepEqual(order.get(lane), names(lane));
  });
});

describe("a crash", () => {
  test("between a target's answer and its commit brings the delivery again, which says so", async () => {
    const world = await CourierWorld.open(() => {
      world.outboxes.faults = ({ kind }) => (kind === "commit" ? { kind: "stopBefore" } : undefined);
      return taken();
    });
    await world.accept(to("a", "a"));
    world.outboxes.faults = () => undefined;
    world.reaction = () => taken();
    await world.crash();
    await world.quiet();
    assert.deepEqual(
      world.seen.map(({ name, again }) => [name, again]),
      [
        ["a", false],
        ["a", true],
      ],
    );
    assert.equal(world.outboxes.outbox.open, 0);
    assert.deepEqual(world.troubles, []);
  });
});

describe("a storage that is busy", () => {
  test("is asked again, for what is taken and for what is settled, and nothing is handed over twice", async () => {
    let busy = 0;
    const world = await CourierWorld.open(() => {
      busy = 3;
      return taken();
    });
    world.outboxes.faults = ({ kind }) => (kind === "commit" && busy-- > 0 ? { kind: "busy" } : undefined);
    for (let each = 0; each < 3; each++) {
      await world.accept(to("a", `a${each}`));
      await world.pass(5_000);
    }
    assert.deepEqual(world.names, ["a0", "a1", "a2"]);
    assert.equal(world.outboxes.outbox.open, 0);
    assert.deepEqual(world.troubles, []);
  });
});

describe("a defect in a kind of target", () => {
  test("is told, and its delivery is tried again; other lanes and other deliveries go on", async () => {
    let isBroken = true;
    const world = await CourierWorld.open(({ from }) => {
      if (isBroken && String(from.subject).startsWith("broken")) throw new TypeError("a defect");
      return taken();
    });
    await world.accept(...many(20, "broken"), to("healthy", "healthy"));
    assert.ok(world.names.includes("healthy"));
    assert.ok(world.troubles.length > 0 && world.troubles.every((error) => error instanceof TypeError));
    isBroken = false;
    await world.pass(120_000);
    assert.equal(world.outboxes.outbox.open, 0);
    assert.ok((await world.outboxes.records()).some(({ attempts }) => attempts[0]?.error?.startsWith("INTERNAL_ERROR")));
  });
});

describe("closing", () => {
  test("lets what is under way end, begins nothing more, and loses nothing", async () => {
    const answers = Array.from({ length: 8 }, () => deferred<HandOver>());
    let begun = 0;
    const world = await CourierWorld.open(() => answers[begun++]?.promise ?? taken());
    await world.accept(...many(20, "a"));
    assert.equal(world.seen.length, 8);
    let closed = false;
    const closing = world.courier.close(new Promise(() => undefined)).then(() => (closed = true));
    await world.quiet();
    assert.equal(closed, false);
    for (const answer of answers) answer.resolve(taken());
    await world.quiet();
    await closing;
    await world.outboxes.outbox.close();
    assert.equal(world.seen.length, 8);
    assert.equal(world.outboxes.clock.pendingCount, 0);
    await world.crash();
    await world.quiet();
    assert.equal(new Set(world.names).size, 20);
    assert.equal(world.seen.length, 20, "what was taken is not handed over again");
  });

  test("waits for its grace and no longer; what then ends has nowhere to be written, and nobody is troubled by it", async () => {
    const answers: ReturnType<typeof deferred<HandOver>>[] = [];
    const world = await CourierWorld.open(() => {
      const answer = deferred<HandOver>();
      answers.push(answer);
      return answer.promise;
    });
    await world.accept(...many(20, "a"), to("b", "b"));
    const grace = deferred<void>();
    const closing = world.courier.close(grace.promise);
    await world.quiet();
    grace.resolve(undefined);
    await closing;
    await world.outboxes.outbox.close();
    for (const [index, answer] of answers.entries()) answer.resolve(index % 2 === 0 ? later() : taken());
    await world.quiet();
    assert.deepEqual(world.troubles, []);
    world.reaction = () => taken();
    await world.crash();
    await world.quiet();
    assert.equal(world.outboxes.outbox.open, 0);
  });

  test("while lanes are left alone leaves no timer behind", async () => {
    const world = await CourierWorld.open(() => later());
    await world.accept(...many(20, "a"));
    await world.courier.close(Promise.resolve());
    await world.outboxes.outbox.close();
    await world.quiet();
    assert.equal(world.outboxes.clock.pendingCount, 0);
  });

  test("is quiet when the storage stopped under it, with deliveries under way and others taken", async () => {
    const answers: ReturnType<typeof deferred<HandOver>>[] = [];
    const world = await CourierWorld.open(() => {
      const answer = deferred<HandOver>();
      answers.push(answer);
      return answer.promise;
    });
    await world.accept(...many(60, "a"));
    world.outboxes.faults = ({ kind }) => (kind === "commit" ? { kind: "stopBefore" } : undefined);
    for (const answer of answers) answer.resolve(later());
    await world.pass(1_000);
    for (const answer of answers) answer.reject(new LambentError("StorageStopped", "the disk is full"));
    await world.pass(1_000);
    assert.deepEqual(world.troubles, []);
    await world.courier.close(Promise.resolve());
  });
});
