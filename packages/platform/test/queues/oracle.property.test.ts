/** Queues against a model of what SQS promises that is as simple as can be: a list of messages, looked through each time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isLambentError } from "../../src/base/index.ts";
import type { Queue, ReceivedMessage } from "../../src/queues/index.ts";
import { arnOf, message, openQueuesWorld, type QueuesWorld, receive } from "./world.ts";

const SEED = Number(process.env["LAMBENT_TEST_SEED"] ?? 20_261_121);
const RUNS = 120;
const RECEIVES_MAX = 3;
const DEDUPLICATION_MS = 300_000;
const RETENTION_MS = 400_000;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("send" as const), group: fc.nat(2), id: fc.nat(9), delayMs: fc.constantFrom(0, 0, 0, 5_000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("receive" as const),
      max: fc.integer({ min: 1, max: 5 }),
      visibilityMs: fc.constantFrom(0, 1_000, 30_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("change" as const), which: fc.nat(), visibilityMs: fc.constantFrom(0, 2_000, 60_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 499, 1_000, 30_000, 299_999) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Message {
  readonly body: string;
  readonly group: string;
  readonly sentAt: number;
  visibleAt: number;
  leased: boolean;
  receives: number;
  place: "queue" | "deleted" | "dead";
}

interface Lease {
  readonly message: Message;
  readonly handle: string;
}

/** One queue in the model and in truth. */
class Trial {
  readonly #fifo: boolean;
  readonly #dead: boolean;
  readonly #messages: Message[] = [];
  readonly #leases: Lease[] = [];
  readonly #remembered = new Map<string, number>();
  #world!: QueuesWorld;
  #queue!: Queue;

  constructor(fifo: boolean, dead: boolean) {
    this.#fifo = fifo;
    this.#dead = dead;
  }

  async run(steps: readonly Step[]): Promise<void> {
    this.#world = await openQueuesWorld();
    const suffix = this.#fifo ? ".fifo" : "";
    await this.#world.make(`dead${suffix}`, { retentionMs: 1_209_600_000 });
    const redrive = this.#dead ? { target: arnOf(`dead${suffix}`), receivesMax: RECEIVES_MAX } : undefined;
    this.#queue = await this.#world.make(`queue${suffix}`, { redrive, retentionMs: RETENTION_MS });
    for (const each of steps) await this.#step(each);
    await this.#checkEnd(suffix);
    await this.#world.queues.close();
  }

  get #now(): number {
    return this.#world.clock.now();
  }

  async #step(each: Step): Promise<void> {
    switch (each.kind) {
      case "send":
        return this.#send(each);
      case "receive":
        return this.#receive(each.max, each.visibilityMs);
      case "delete":
        return this.#delete(this.#leases[each.which % Math.max(1, this.#leases.length)]);
      case "change":
        return this.#change(this.#leases[each.which % Math.max(1, this.#leases.length)], each.visibilityMs);
      case "wait":
        await this.#world.clock.advance(each.ms);
        return this.#world.settle();
      case "restart":
        await this.#world.restart();
        this.#queue = await this.#world.queue(`queue${this.#fifo ? ".fifo" : ""}`);
        return this.#world.settle();
    }
  }

  async #send({ group, id, delayMs }: Step & { readonly kind: "send" }): Promise<void> {
    const body = `${this.#messages.length}`;
    const more = this.#fifo ? { group: `g${group}`, deduplication: `d${id}` } : { group: `g${group}`, delayMs };
    const [outcome] = await this.#queue.send([message(body, more)]);
    assert.equal(outcome?.kind, "sent");
    if (this.#fifo) {
      if ((this.#remembered.get(`d${id}`) ?? 0) > this.#now) return;
      this.#remembered.set(`d${id}`, this.#now + DEDUPLICATION_MS);
    }
    const visibleAt = this.#now + (this.#fifo ? 0 : delayMs);
    this.#messages.push({ body, group: `g${group}`, sentAt: this.#now, visibleAt, leased: false, receives: 0, place: "queue" });
  }

  #here(): Message[] {
    return this.#messages.filter(({ place, sentAt }) => place === "queue" && sentAt + RETENTION_MS > this.#now);
  }

  /** What a receive may give now, in order. */
  #available(): Message[] {
    const here = this.#here();
    const isHidden = ({ visibleAt }: Message): boolean => visibleAt > this.#now;
    if (!this.#fifo) return here.filter((each) => !isHidden(each));
    const locked = new Set(here.filter((each) => isHidden(each)).map(({ group }) => group));
    return here.filter(({ group }) => !locked.has(group));
  }

  async #receive(max: number, visibilityMs: number): Promise<void> {
    const available = this.#available();
    const worn = available.filter(({ receives }) => this.#dead && receives >= RECEIVES_MAX);
    const wanted = available.filter((each) => !worn.includes(each));
    const got = await receive(this.#queue, { max, visibilityMs });
    assert.ok(got.length <= max);
    // Worn messages that leave on the way count against nobody, but a group that is touched for them may wait for the next receive.
    if (worn.length === 0) assert.equal(got.length, Math.min(max, wanted.length), "what is there is given");
    else assert.ok(got.length > 0 || wanted.length === 0, "something is given where something is");
    for (const each of got) this.#take(each, wanted, visibilityMs);
    if (this.#fifo) this.#checkOrder(got, wanted);
    if (worn.length > 0) await this.#afterWear(worn);
  }

  #take(got: ReceivedMessage, wanted: readonly Message[], visibilityMs: number): void {
    const found = wanted.find(({ body }) => body === got.body);
    assert.ok(found, `${got.body} is given though it is not to be had`);
    found.receives += 1;
    assert.equal(got.receiveCount, found.receives);
    found.visibleAt = this.#now + visibilityMs;
    this.#leases.push({ message: found, handle: got.handle });
  }

  /** P4: of each group the oldest ones, in order. */
  #checkOrder(got: readonly ReceivedMessage[], wanted: readonly Message[]): void {
    for (const [group, given] of Map.groupBy(got, (each) => each.group)) {
      const oldest = wanted.filter((each) => each.group === group).slice(0, given.length);
      assert.deepEqual(
        given.map(({ body }) => body),
        oldest.map(({ body }) => body),
        `order of group ${group}`,
      );
    }
  }

  /** Some or all of the worn ones have left; which ones shows in the dead-letter queue. */
  async #afterWear(worn: readonly Message[]): Promise<void> {
    await this.#world.settle();
    const dead = await this.#world.queue(`dead${this.#fifo ? ".fifo" : ""}`);
    for (const each of await this.#all(dead)) {
      const found = this.#messages.find(({ body }) => body === each.body);
      assert.ok(found && (found.place === "dead" || worn.includes(found)), `${each.body} is dead too early`);
      found.place = "dead";
    }
  }

  /** Everything a queue has, seen without being kept. */
  async #all(queue: Queue): Promise<ReceivedMessage[]> {
    const seen: ReceivedMessage[] = [];
    for (;;) {
      const page = await receive(queue, { visibilityMs: 60_000 });
      if (page.length === 0) break;
      seen.push(...page);
    }
    for (const { handle } of seen) await queue.changeVisibility(handle, 0);
    return seen;
  }

  /** Whether the lease is the message's last one and still live. */
  #isLive({ message: held, handle }: Lease): boolean {
    const last = this.#leases.findLast((lease) => lease.message === held);
    return held.place === "queue" && held.sentAt + RETENTION_MS > this.#now && last?.handle === handle && held.visibleAt > this.#now;
  }

  async #delete(lease: Lease | undefined): Promise<void> {
    if (!lease) return;
    const last = this.#leases.findLast((each) => each.message === lease.message);
    const here = this.#here().includes(lease.message);
    const ends = this.#isLive(lease) || (!this.#fifo && here && last === lease);
    const refused = await refusalOf(this.#queue.delete(lease.handle));
    if (ends) {
      assert.equal(refused, undefined);
      lease.message.place = "deleted";
    } else if (!this.#fifo || lease.message.place !== "queue") assert.equal(refused, undefined, "deleting again is fine");
    else if (here) assert.equal(refused, "InvalidParameter");
  }

  async #change(lease: Lease | undefined, visibilityMs: number): Promise<void> {
    if (!lease) return;
    const live = this.#isLive(lease);
    const refused = await refusalOf(this.#queue.changeVisibility(lease.handle, visibilityMs));
    if (live) lease.message.visibleAt = this.#now + visibilityMs;
    if (this.#here().includes(lease.message) || live) assert.equal(refused, live ? undefined : "NotInFlight");
  }

  /** P2: what was sent is deleted, dead, expired or still here; nothing else, and nothing twice. */
  async #checkEnd(suffix: string): Promise<void> {
    await this.#world.settle();
    const { visible, delayed, leased, outgoing } = this.#queue.list.counts();
    assert.equal(visible + delayed + leased + outgoing, this.#here().length);
    const dead = await this.#world.queue(`dead${suffix}`);
    const bodies = (await this.#all(dead)).map(({ body }) => body);
    assert.deepEqual(bodies.toSorted(), this.#messages.flatMap(({ place, body }) => (place === "dead" ? [body] : [])).toSorted());
  }
}

async function refusalOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (isLambentError(error)) return error.code;
    throw error;
  }
}

describe(`queues and a model of them (seed ${SEED})`, () => {
  for (const fifo of [false, true])
    for (const dead of [false, true])
      it(`agree: ${fifo ? "FIFO" : "standard"}, ${dead ? "with" : "without"} a dead-letter queue`, async () => {
        const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => new Trial(fifo, dead).run(steps));
        await fc.assert(property, { seed: SEED, numRuns: RUNS });
      });
});
