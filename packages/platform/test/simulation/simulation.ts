import assert from "node:assert/strict";
import {
  isLambentError,
  LambentError,
  ManualClock,
  type Random,
  randomBelow,
  type SecureRandom,
  seededRandom,
} from "../../src/base/index.ts";
import { DEFAULT_BUS } from "../../src/bus/index.ts";
import { DEFAULT_QUEUE_SETTINGS, type NewMessage, type Queue, type QueueSettings } from "../../src/queues/index.ts";
import { type ScheduleSettings, scheduleArn } from "../../src/schedules/index.ts";
import { DEFAULT_MAPPING_SETTINGS } from "../../src/sources/index.ts";
import { type Fault, type FaultStep, MemoryDisk, openMemoryStore } from "../../src/storage/index.ts";
import { arnOfQueue, FakeCalls, FUNCTIONS, REALM, type Task } from "./application.ts";
import { Checks } from "./checks.ts";
import { asEventTask, beat, BEAT_MS, makeBuses, newEvent, once, someRoutes } from "./events.ts";
import { makeBucket, ObjectSteps } from "./objects.ts";
import { type BodyFault, type BodyStep, MemoryBodyDisk, openMemoryBodies } from "../support/memory-bodies.ts";
import { type Life, MortalClock, resumeLife, startLife } from "./life.ts";
import { ShortLivedBuckets } from "./short-lived-buckets.ts";
import { StreamSteps } from "./streams.ts";
import { Trace } from "./trace.ts";

const STEPS = 44;
/** Part of the steps that is about objects. */
const OBJECTS_SHARE = 0.2;
/** Steps that are mostly about streams. Without a share there are none, which would cost every simulation half as much again. */
export const MOSTLY_STREAMS: Shares = { objects: 0.1, streams: 0.5 };
const GROUPS = ["red", "green", "blue"];
/** Beats of the schedule behind the first one. */
const BEATS = 5;
/** How long nobody takes up what a crash interrupted, now and then. */
const DOWN_MS_MAX = 180_000;
/** How long a stream takes nothing, now and then. */
const SLOW_MS_MAX = 60_000;
/** A time that was past by a minute when its schedule was made is none; clocks are set back meanwhile. */
const LATE_MS_MAX = 40_000;
/** More than one simulation makes. */
const RECORDS_MAX = 1_000;
/** Longer than every wait there can be: a refused event's back-off, retries, the moves to a dead-letter queue. */
const REST_MS = 3 * 3_600_000;

const QUEUES: Readonly<Record<string, Partial<QueueSettings>>> = {
  dead: {},
  "dead.fifo": { kind: "fifo" },
  failures: {},
  undelivered: {},
  heard: {},
  beats: {},
  uploads: {},
  changes: {},
  "given-up": {},
  jobs: { visibilityMs: 20_000, redrive: { target: arnOfQueue("dead"), receivesMax: 6 } },
  "steps.fifo": {
    ...{ kind: "fifo", visibilityMs: 20_000, redrive: { target: arnOfQueue("dead.fifo"), receivesMax: 6 } },
    // Rules name no deduplication id.
    contentBasedDeduplication: true,
  },
};

export interface Ending {
  readonly accepted: number;
  /** Those of them that are events on a bus, or schedules that bring one. */
  readonly events: number;
  /** Those of them that changed objects. */
  readonly objects: number;
  /** Those of them that are records of streams. */
  readonly records: number;
  readonly crashes: number;
}

/** How many steps there are, and which part of them is about what. */
export interface Shares {
  readonly steps?: number;
  readonly objects?: number;
  readonly streams?: number;
}

/**
 * One simulation: an application of two asynchronous functions and two behind queues, with two buses and schedules that lead to
 * all of them, a bucket that tells of its objects, a stream before a function and one before managed windows, over a store and files that
 * fail, in a process that crashes. Everything follows from `seed`. Then faults stop, time passes, and everything accepted must have ended, once.
 */
export class Simulation {
  readonly #random: Random;
  readonly #clock = new ManualClock();
  readonly #trace = new Trace(this.#clock);
  readonly #disk = new MemoryDisk();
  readonly #bodyDisk = new MemoryBodyDisk();
  readonly #checks = new Checks();
  readonly #objects: ObjectSteps;
  readonly #steps: number;
  readonly #objectsShare: number;
  readonly #streams: StreamSteps;
  readonly #streamsShare: number;
  /** A stream's cell whose commits are refused for a while. */
  #slow: { readonly cell: string; readonly until: number } | undefined;
  readonly #shortLived: ShortLivedBuckets;
  readonly #secureRandom: SecureRandom;
  readonly #lastOfGroup = new Map<string, Promise<void>>();
  #calls!: FakeCalls;
  #lifeClock!: MortalClock;
  #life!: Life;
  #lives = 0;
  #processes = 0;
  #isCalm = true;
  #tasks = 0;

  constructor(seed: number, { objects = OBJECTS_SHARE, streams = 0, steps = STEPS }: Shares = {}) {
    this.#steps = steps;
    this.#objectsShare = objects;
    this.#streamsShare = streams;
    this.#random = seededRandom(seed);
    this.#secureRandom = seededBytes(seededRandom(seed ^ 0x5f5f5f5f));
    this.#shortLived = new ShortLivedBuckets(this.#trace);
    const broken = (what: string): void => this.#checks.broken(new assert.AssertionError({ message: what }));
    this.#objects = new ObjectSteps({ random: this.#random, history: this.#checks.objects.history, trace: this.#trace, broken });
    this.#streams = new StreamSteps({ random: this.#random, checks: this.#checks.streams, trace: this.#trace, broken });
  }

  /** Runs it; a broken promise is thrown with the trace of what came before. */
  async run(): Promise<Ending> {
    try {
      await this.#start();
      await this.#setUp();
      this.#isCalm = false;
      for (let step = 0; step < this.#steps; step++) await this.#step();
      this.#isCalm = true;
      await this.#crash();
      if (this.#streamsShare > 0) this.#hear(this.#streams.finish(this.#life));
      await this.#clock.advance(REST_MS);
      const kept = { store: openMemoryStore({ disk: this.#disk }), bodies: openMemoryBodies({ disk: this.#bodyDisk }) };
      await this.#checks.rest(this.#life, kept);
      this.#shortLived.rest(this.#life, await this.#life.ledger.list(REALM, { limit: RECORDS_MAX }));
      const { accepted, events, objects, streams } = this.#checks;
      return { accepted, events: events.accepted, objects: objects.accepted, records: streams.accepted, crashes: this.#lives - 1 };
    } catch (error) {
      throw new assert.AssertionError({
        message: `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n\n${this.#trace.toString()}`,
      });
    }
  }

  async #setUp(): Promise<void> {
    const { queues, sources } = this.#life;
    for (const [name, settings] of Object.entries(QUEUES)) {
      await queues.create(REALM, name, { ...DEFAULT_QUEUE_SETTINGS, ...settings }, [], {});
    }
    const batchSize = 1 + randomBelow(this.#random, 6);
    const windowMs = this.#random.next() < 0.3 ? 1_000 : 0;
    const concurrencyMax = this.#random.next() < 0.5 ? 2 + randomBelow(this.#random, 3) : undefined;
    const settings = { ...DEFAULT_MAPPING_SETTINGS, batchSize, concurrencyMax, answers: "reported" } as const;
    const mapping = { qualifier: undefined, enabled: true, tags: {} };
    await sources.create(REALM, { ...mapping, functionName: "worker", queueName: "jobs", settings: { ...settings, windowMs } });
    await sources.create(REALM, { ...mapping, functionName: "keeper", queueName: "steps.fifo", settings });
    await sources.settled();
    await makeBuses(this.#life.buses);
    await makeBucket(this.#life);
    if (this.#streamsShare > 0) await this.#streams.setUp(this.#life);
    const from = this.#clock.now();
    await this.#makeSchedule("beat", beat(from + BEATS * BEAT_MS));
    this.#checks.events.beats(from, from + BEATS * BEAT_MS);
  }

  async #step(): Promise<void> {
    const about = this.#random.next();
    if (about < this.#objectsShare) return this.#objectStep();
    if (about < this.#objectsShare + this.#streamsShare) return this.#hear(this.#streams.step(this.#life));
    const choice = randomBelow(this.#random, 100);
    if (choice < 12) this.#hear(this.#invoke());
    else if (choice < 24) this.#hear(this.#sendJobs());
    else if (choice < 38) this.#sendStep();
    else if (choice < 58) this.#hear(this.#publish());
    else if (choice < 61) this.#hear(this.#schedule());
    else if (choice < 88) await this.#clock.advance(randomBelow(this.#random, 3_000));
    else if (choice < 92) await this.#clock.advance(randomBelow(this.#random, 90_000));
    else if (choice < 96) await this.#crash(this.#random.next() < 0.25 ? randomBelow(this.#random, DOWN_MS_MAX) : 0);
    else this.#jumpWall(randomBelow(this.#random, 12_000) - 10_000);
  }

  #objectStep(): void {
    const isShort = this.#random.next() < 0.1;
    this.#hear(isShort ? this.#shortLived.live(this.#life) : this.#objects.step(this.#life));
  }

  /** As an administrator or NTP does it; far ahead would end leases under the calls that hold them, as it does in any queue. */
  #jumpWall(byMs: number): void {
    this.#trace.add(`the wall clock jumps by ${byMs} ms`);
    if (byMs < 0) this.#checks.events.wallSetBack(this.#clock.now());
    this.#clock.jumpWall(byMs);
  }

  /** Callers are refused when the store is busy or stops; they have no answer, and nothing is promised to them. */
  #hear(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!isLambentError(error)) this.#checks.broken(error);
    });
  }

  async #invoke(): Promise<void> {
    const task = this.#task();
    this.#checks.sent("orders", task);
    const id = await this.#life.async.accept({
      realm: REALM,
      functionName: "orders",
      qualifier: undefined,
      payload: Buffer.from(JSON.stringify(task)),
    });
    this.#trace.add(`accepted ${task.task} as ${id.slice(-6)}`);
    this.#checks.acknowledged("orders", task, id);
  }

  async #sendJobs(): Promise<void> {
    const tasks = Array.from({ length: 1 + randomBelow(this.#random, 5) }, () => this.#task());
    for (const task of tasks) this.#checks.sent("worker", task);
    const queue = await this.#life.queues.queue(REALM, "jobs");
    await send(
      queue,
      tasks.map((task) => message(task)),
    );
    this.#trace.add(`sent ${tasks.map(({ task }) => task).join(" ")}`);
    for (const task of tasks) this.#checks.acknowledged("worker", task, task.task);
  }

  async #publish(): Promise<void> {
    const tasks = Array.from({ length: 1 + randomBelow(this.#random, 2) }, () => asEventTask(this.#task(), someRoutes(this.#random)));
    const published = tasks.map((task) => newEvent(task, this.#clock, this.#secureRandom));
    for (const [at, task] of tasks.entries()) this.#checks.events.sent(task, { kind: "id", id: published[at]?.event.id ?? "" });
    await this.#life.buses.publish(REALM, DEFAULT_BUS, published);
    this.#trace.add(`published ${tasks.map(({ task, to }) => `${task} to ${to.join(", ")}`).join("; ")}`);
    for (const task of tasks) this.#checks.events.acknowledged(task);
  }

  /** An event that comes later, at a whole second. */
  async #schedule(): Promise<void> {
    const task = asEventTask(this.#task(), someRoutes(this.#random));
    const dueAt = Math.ceil((this.#clock.now() + randomBelow(this.#random, 60_000)) / 1_000) * 1_000;
    this.#checks.events.sent(task, { kind: "schedule", arn: scheduleArn(REALM, "default", task.task), dueAt });
    await this.#makeSchedule(task.task, once(dueAt, task));
    this.#trace.add(`scheduled ${task.task} to ${task.to.join(", ")}`);
    // Making it may have taken until its time was past, and what is long past is never due.
    if (this.#clock.now() < dueAt + LATE_MS_MAX) this.#checks.events.acknowledged(task);
  }

  #makeSchedule(name: string, settings: ScheduleSettings): Promise<void> {
    return this.#life.schedules.create(REALM, "default", { name, settings, token: name, digest: name });
  }

  /** A group's messages are sent one behind the other's answer: that is what gives them an order. */
  #sendStep(): void {
    const group = GROUPS[randomBelow(this.#random, GROUPS.length)] ?? "red";
    const task: Task = { ...this.#task(), group, order: this.#tasks };
    const before = this.#lastOfGroup.get(group) ?? Promise.resolve();
    const life = this.#life;
    const sending = before.then(async () => {
      if (life !== this.#life) return;
      this.#checks.sent("keeper", task);
      const queue = await life.queues.queue(REALM, "steps.fifo");
      await send(queue, [message(task)]);
      this.#trace.add(`sent ${task.task} to ${group}`);
      this.#checks.acknowledged("keeper", task, task.task);
    });
    this.#hear(sending);
    this.#lastOfGroup.set(
      group,
      sending.catch(() => undefined),
    );
  }

  #task(): Task {
    return { task: `t${this.#tasks++}`, poison: this.#random.next() < 0.1 };
  }

  /** The process is gone wherever it was; the next one begins with what the disk has, a while later. */
  async #crash(downMs = 0): Promise<void> {
    if (this.#random.next() < 0.5) await this.#clock.advance(0);
    this.#calls.dead = true;
    this.#lifeClock.die();
    this.#lives += 1;
    this.#processes += 1;
    this.#trace.add("crash");
    // Who waited for an answer of the process that is gone has none.
    this.#lastOfGroup.clear();
    this.#checks.crashed();
    this.#streams.crashed();
    this.#checks.objects.history.lifeBegins();
    if (downMs > 0) await this.#clock.advance(downMs);
    await this.#start();
  }

  async #start(): Promise<void> {
    for (;;) {
      // A start that fails is a process of its own, and gone: the next one is another.
      const process = ++this.#processes;
      // A process that is dead reads and writes nothing more.
      const faults = ({ kind, cell }: FaultStep): Fault | undefined =>
        process === this.#processes ? this.#fault(kind, cell) : { kind: kind === "read" ? "damaged" : "stopBefore" };
      const watched = { begun: this.#checks.begun, returned: this.#checks.returned };
      const behaviour = { random: this.#random, calm: () => this.#isCalm };
      const clock = new MortalClock(this.#clock);
      this.#lifeClock = clock;
      this.#calls = new FakeCalls({ clock, behaviour, watched, trace: this.#trace });
      const onTrouble = (error: unknown): void => {
        this.#trace.add(`trouble: ${String(error)}`);
        if (process === this.#processes && !isLambentError(error, "StorageBusy", "StorageStopped")) this.#checks.broken(error);
      };
      try {
        this.#life = await startLife({
          store: openMemoryStore({ disk: this.#disk, faults }),
          bodies: openMemoryBodies({
            disk: this.#bodyDisk,
            faults: (step) => (process === this.#processes ? this.#bodyFault(step) : "stopBefore"),
          }),
          ...{ clock, random: this.#random, secureRandom: this.#secureRandom },
          ...{ functions: FUNCTIONS, calls: this.#calls, admit: () => this.#admit(), onTrouble },
        });
        this.#hear(resumeLife(this.#life));
        return;
      } catch (error) {
        if (!isLambentError(error)) throw error;
        clock.die();
      }
    }
  }

  /** Targets take what comes, but for a few times. */
  #admit(): void {
    if (!this.#isCalm && this.#random.next() < 0.05) throw new LambentError("Throttled", "too many come here now");
  }

  #fault(kind: FaultStep["kind"], cell: string): Fault | undefined {
    if (this.#isCalm) return undefined;
    if (kind === "commit" && this.#isSlow(cell)) return { kind: "busy" };
    const chance = this.#random.next();
    if (chance < 0.03) return { kind: "busy" };
    if (kind === "commit" && chance < 0.035) return this.#stopped({ kind: "stopBefore" });
    if (kind === "commit" && chance < 0.045) return this.#stopped({ kind: "stopAfter" });
    if (chance < 0.2) return { kind: "acknowledgeLate", until: new Promise((resolve) => setImmediate(resolve)) };
    return undefined;
  }

  /** Now and then a stream takes nothing for a while: what goes into it waits and becomes more. */
  #isSlow(cell: string): boolean {
    if (!cell.includes("/streams/")) return false;
    const now = this.#clock.monotonicMs();
    if (this.#slow && this.#slow.until < now) this.#slow = undefined;
    if (!this.#slow && this.#random.next() < 0.03) this.#slow = { cell, until: now + randomBelow(this.#random, SLOW_MS_MAX) };
    return this.#slow?.cell === cell;
  }

  #bodyFault(step: BodyStep): BodyFault | undefined {
    if (this.#isCalm) return undefined;
    const chance = this.#random.next();
    if (chance > 0.06) return undefined;
    this.#trace.add(`a file is refused: ${step}`);
    if (step === "write" || step === "link") return chance < 0.03 ? "full" : chance < 0.045 ? "stopBefore" : "stopAfter";
    return chance < 0.03 ? "stopBefore" : "stopAfter";
  }

  #stopped(fault: Fault): Fault {
    this.#trace.add(`the store stops (${fault.kind})`);
    return fault;
  }
}

function message(task: Task): NewMessage {
  const own = task.group === undefined ? {} : { group: task.group, deduplication: task.task };
  return { body: JSON.stringify(task), attributes: {}, sender: "simulation", ...own };
}

async function send(queue: Queue, messages: readonly NewMessage[]): Promise<void> {
  for (const outcome of await queue.send(messages)) if (outcome.kind === "refused") throw outcome.error;
}

/** Identifiers that follow from the seed, too: a failing seed is replayed to the letter. */
function seededBytes(random: Random): SecureRandom {
  const bytes = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => randomBelow(random, 256)));
  return {
    bytes,
    uuid: () => {
      const hex = bytes(16).toString("hex");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
    },
  };
}
