import assert from "node:assert/strict";
import { busArn, DEFAULT_BUS } from "../../src/bus/index.ts";
import type { LedgerRecord } from "../../src/ledger/index.ts";
import type { ReceivedMessage } from "../../src/queues/index.ts";
import { AUDIT_BUS, type FunctionName, REALM, type Task } from "./application.ts";
import { BEAT, BEAT_MS, type EventTask, HEARD_RULE, type Route, ruleOf } from "./events.ts";

/** What is known of an event from answers alone. */
interface KnownEvent {
  readonly task: EventTask;
  /** Of the event, or the ARN of the schedule that brings it. */
  readonly by: { readonly kind: "id"; readonly id: string } | { readonly kind: "schedule"; readonly arn: string; readonly dueAt: number };
  acknowledged: boolean;
}

/** What queues hold at rest, by their names. */
export type Drained = (queue: string) => Promise<readonly ReceivedMessage[]>;

/** How the delivery of each rule may end. */
const ENDINGS: Readonly<Record<Route, readonly string[]>> = {
  orders: ["handled", "deadLettered retriesExhausted"],
  jobs: ["handled"],
  steps: ["handled"],
  audit: ["handled"],
  gone: ["deadLettered targetGone"],
  lost: ["discarded targetGone"],
  asleep: ["deadLettered retriesExhausted"],
};

/** Compares what became of events on buses, and of schedules, with what was promised: P1, P2, and that each chain is one tree. */
export class EventChecks {
  readonly #known = new Map<string, KnownEvent>();
  /** Function and task, as often as it was handled. */
  readonly #handled = new Map<string, number>();
  /** What the wall clock said before it was set back. */
  readonly #setBack: number[] = [];
  #beat: { readonly from: number; readonly endAt: number } | undefined;

  get accepted(): number {
    return [...this.#known.values()].filter(({ acknowledged }) => acknowledged).length;
  }

  sent(task: EventTask, by: KnownEvent["by"]): void {
    this.#known.set(task.task, { task, by, acknowledged: false });
  }

  acknowledged({ task }: EventTask): void {
    const known = this.#known.get(task);
    assert.ok(known, `${task} was never sent`);
    known.acknowledged = true;
  }

  /** The schedule `beat` was made at `from`. */
  beats(from: number, endAt: number): void {
    this.#beat = { from, endAt };
  }

  wallSetBack(from: number): void {
    this.#setBack.push(from);
  }

  handled(name: FunctionName, { task }: Task): void {
    this.#handled.set(`${name} ${task}`, this.#handledBy(name, task) + 1);
  }

  /** Behind the faults, and behind more time than anything waits. */
  async rest(records: readonly LedgerRecord[], drained: Drained, dead: (queue: string, task: string) => number): Promise<void> {
    checkChains(records);
    const heard = idsIn(await drained("heard"));
    const undelivered = idsIn(await drained("undelivered"));
    for (const known of this.#known.values()) {
      const event = this.#checkEvent(known, records);
      if (!event) continue;
      for (const route of known.task.to) {
        const record = checkDelivery(route, event, records);
        if (route === "gone" || route === "asleep") assert.ok(undelivered.has(event.id), `${event.id} is not in its dead-letter queue`);
        if (route === "audit") checkHeard(record, records, heard, event.id);
        this.#checkHandled(route, known.task, dead);
      }
    }
    // What a function handled and its destination is a bus: an event of its own there.
    for (const receipt of records.filter(({ target, state }) => target.includes(":function:receipts") && outcomeOf(state) === "handled")) {
      const passed = records.filter(({ cause, target }) => cause === receipt.id && target === busArn(REALM, AUDIT_BUS));
      assert.equal(passed.length, 1, `P2: what ${receipt.id} led to has ${passed.length} records on the bus that is its destination`);
      for (const record of passed) checkHeard(record, records, heard, record.id);
    }
    this.#checkBeats(records, await drained("beats"));
  }

  /** Its record on the default bus; undefined where there is none and nobody was promised one. */
  #checkEvent({ task, by, acknowledged }: KnownEvent, records: readonly LedgerRecord[]): LedgerRecord | undefined {
    const own = records.filter(({ id, origin, target }) =>
      by.kind === "id" ? id === by.id : origin === by.arn && target === busArn(REALM, DEFAULT_BUS),
    );
    assert.ok(own.length <= 1, `P2: the event ${task.task} has ${own.length} records`);
    const [record] = own;
    assert.ok(record !== undefined || !acknowledged, `P1: the event ${task.task} was acknowledged and is lost`);
    if (!record) return undefined;
    assert.equal(outcomeOf(record.state), task.to.length > 0 ? "handled" : "discarded noListener", `P2: the event ${task.task}`);
    if (by.kind === "schedule") {
      // It may have been due, and on its way, when the clock was set back.
      const hasBeenDue = record.acceptedAt >= by.dueAt || this.#setBack.some((from) => from >= by.dueAt);
      assert.ok(hasBeenDue, `${task.task} came before it was due`);
    }
    const led = records.filter(({ cause }) => cause === record.id);
    assert.equal(led.length, task.to.length, `P2: ${task.task} asked for ${task.to.join(", ")} and led to ${led.length} records`);
    return record;
  }

  /** What a queue took, its function handled, or gave up on. */
  #checkHandled(route: Route, { task, poison }: EventTask, dead: (queue: string, task: string) => number): void {
    if (route !== "jobs" && route !== "steps") return;
    const [name, queue] = route === "jobs" ? (["worker", "dead"] as const) : (["keeper", "dead.fifo"] as const);
    const handled = this.#handledBy(name, task);
    if (poison) assert.equal(handled, 0);
    assert.ok(handled + dead(queue, task) > 0, `P1: the event ${task} got to ${route} and is lost there`);
  }

  /** Every minute is on record once, none before its time; those that were not missed are in the queue. */
  #checkBeats(records: readonly LedgerRecord[], messages: readonly ReceivedMessage[]): void {
    if (!this.#beat) return;
    const own = records.filter(({ origin }) => origin === BEAT).sort((left, right) => (left.dueAt ?? 0) - (right.dueAt ?? 0));
    const due: number[] = [];
    for (let at = this.#beat.from; at <= this.#beat.endAt; at += BEAT_MS) due.push(at);
    assert.deepEqual(
      own.map(({ dueAt = 0 }) => dueAt),
      due,
      "P2: each time of a schedule has one record",
    );
    const heard = new Set(messages.map(({ body }) => (JSON.parse(body) as { readonly due: string }).due));
    for (const { dueAt = 0, acceptedAt, state } of own) {
      const time = `${new Date(dueAt).toISOString().slice(0, 19)}Z`;
      assert.ok(acceptedAt >= dueAt, `${time} was begun early`);
      assert.equal(outcomeOf(state), heard.has(time) ? "handled" : "discarded missed", `P2: the schedule's time ${time}`);
    }
  }

  #handledBy(name: FunctionName, task: string): number {
    return this.#handled.get(`${name} ${task}`) ?? 0;
  }
}

/** The one record of the event's delivery by a rule, which has ended as it may. */
function checkDelivery(route: Route, event: LedgerRecord, records: readonly LedgerRecord[]): LedgerRecord {
  const own = records.filter(({ cause, origin }) => cause === event.id && origin === ruleOf(route));
  const [record] = own;
  assert.ok(record && own.length === 1, `P2: ${event.id} has ${own.length} records for ${route}`);
  const outcome = outcomeOf(record.state);
  assert.ok(ENDINGS[route].includes(outcome), `P2: ${event.id} ended for ${route} as ${outcome}`);
  return record;
}

/** An event on the second bus: its rule led it to the queue, under the id it came with. */
function checkHeard(record: LedgerRecord, records: readonly LedgerRecord[], heard: ReadonlySet<string>, eventId: string): void {
  const passed = records.filter(({ cause, origin }) => cause === record.id && origin === HEARD_RULE);
  assert.deepEqual(
    passed.map(({ state }) => outcomeOf(state)),
    ["handled"],
    `P2: ${record.id} on the second bus`,
  );
  assert.ok(heard.has(eventId), `P1: ${eventId} did not get through the second bus`);
}

/** One record an event and target, and of each correlation one tree: its root is the event that named it. */
function checkChains(records: readonly LedgerRecord[]): void {
  const byId = new Map(records.map((record) => [record.id, record]));
  assert.equal(byId.size, records.length, "P2: two records have one id");
  for (const record of records) {
    assert.equal(record.state.kind, "ended", `P2: ${record.id} for ${record.target} has not ended but is ${record.state.kind}`);
    const seen = new Set<string>();
    let at = record;
    while (at.cause !== undefined) {
      const before = byId.get(at.cause);
      assert.ok(before, `${at.id} for ${at.target} was caused by ${at.cause}, of which there is no record`);
      assert.ok(!seen.has(before.id), `${record.id} was caused by itself`);
      seen.add(before.id);
      at = before;
    }
    assert.equal(record.correlation, at.id, `${record.id} for ${record.target} is of the chain of ${at.id}`);
  }
}

/** Ids of the events that messages are. */
function idsIn(messages: readonly ReceivedMessage[]): ReadonlySet<string> {
  return new Set(messages.map(({ body }) => (JSON.parse(body) as { readonly id: string }).id));
}

export function outcomeOf(state: LedgerRecord["state"]): string {
  if (state.kind !== "ended") return state.kind;
  const { outcome } = state;
  return "reason" in outcome ? `${outcome.kind} ${outcome.reason}` : outcome.kind;
}
