import assert from "node:assert/strict";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import type { Realm } from "../../src/model/index.ts";
import {
  DEFAULT_QUEUE_SETTINGS,
  type NewMessage,
  openQueues,
  type Queue,
  queueArn,
  type Queues,
  type QueueSettings,
  type ReceivedMessage,
  type ReceiveRequest,
} from "../../src/queues/index.ts";
import { type FaultPlan, MemoryDisk, openMemoryStore, type Store } from "../../src/storage/index.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };
export const arnOf = (name: string): string => queueArn(REALM, name);

/** Queues on a disk that outlives them: `restart` opens them again as after a crash. */
export interface QueuesWorld {
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  /** What the queues told as trouble. */
  readonly problems: readonly unknown[];
  queues: Queues;
  store: Store;
  /** Creates a queue; a name that ends in `.fifo` makes a FIFO one. */
  make(name: string, settings?: Partial<QueueSettings>): Promise<Queue>;
  set(name: string, settings: Partial<QueueSettings>): Promise<void>;
  queue(name: string): Promise<Queue>;
  restart(): Promise<void>;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
}

export async function openQueuesWorld(faults?: FaultPlan): Promise<QueuesWorld> {
  const clock = new ManualClock();
  const disk = new MemoryDisk();
  const problems: unknown[] = [];
  const open = async () => {
    const store = openMemoryStore({ disk, ...(faults ? { faults } : {}) });
    const queues = await openQueues({ store, clock, secureRandom: systemSecureRandom, onProblem: (error) => problems.push(error) });
    return { store, queues };
  };
  const world: QueuesWorld = {
    clock,
    disk,
    problems,
    ...(await open()),
    async make(name, settings = {}) {
      const kind = name.endsWith(".fifo") ? "fifo" : "standard";
      const given = Object.keys(settings) as (keyof QueueSettings)[];
      await world.queues.create(REALM, name, { ...DEFAULT_QUEUE_SETTINGS, kind, ...settings }, given, {});
      return world.queues.queue(REALM, name);
    },
    set: (name, settings) =>
      world.queues.update(REALM, name, (record) => ({ tags: record.tags, settings: { ...record.settings, ...settings } })),
    queue: (name) => world.queues.queue(REALM, name),
    async restart() {
      Object.assign(world, await open());
      await world.queues.resume();
    },
    async settle() {
      for (let turn = 0; turn < 20; turn++) await clock.advance(0);
      assert.deepEqual(problems, []);
    },
  };
  return world;
}

export function message(body: string, more: Partial<NewMessage> = {}): NewMessage {
  return { body, attributes: {}, sender: REALM.account, ...more };
}

/** Sends, and fails when one is refused. */
export async function send(queue: Queue, ...messages: readonly (NewMessage | string)[]): Promise<void> {
  const outcomes = await queue.send(messages.map((each) => (typeof each === "string" ? message(each) : each)));
  for (const outcome of outcomes) if (outcome.kind === "refused") throw outcome.error;
}

/** What is there now. */
export function receive(queue: Queue, more: Partial<ReceiveRequest> = {}): Promise<readonly ReceivedMessage[]> {
  return queue.receive({ max: 10, waitMs: 0, ...more });
}

export const bodiesOf = (messages: readonly ReceivedMessage[]): string[] => messages.map(({ body }) => body);

/** The error a call was refused with. */
export function refusedAs(code: string, text?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Error && "code" in error, String(error));
    assert.equal(error.code, code, error.message);
    if (text) assert.match(error.message, text);
    return true;
  };
}

export function firstOf<T>(values: readonly T[]): T {
  return values[0] ?? assert.fail("there is none");
}
