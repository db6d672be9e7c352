import assert from "node:assert/strict";
import type { LedgerRecord } from "../../src/ledger/index.ts";
import type { Queue, ReceivedMessage } from "../../src/queues/index.ts";
import { arnOfQueue, type FunctionName, REALM, type RunningCall, type Task } from "./application.ts";
import { EventChecks } from "./event-checks.ts";
import type { BodyFiles, Store } from "../../src/storage/index.ts";
import type { Life } from "./life.ts";
import { ObjectChecks } from "./object-checks.ts";
import { StreamChecks } from "./stream-checks.ts";
import { CLICKS } from "./streams.ts";

/** More than one simulation makes. */
const RECORDS_MAX = 1_000;

type Entry = "orders" | "worker" | "keeper";

/** What is known of a task from answers alone. */
interface Known {
  readonly entry: Entry;
  readonly task: Task;
  /** The id it was acknowledged with; undefined when no answer came. */
  id: string | undefined;
  /** Times the function handled it and said so. */
  handled: number;
}

/** Compares what the platform did with what it promised: P1, P2, P4, P9, and that nothing is left to be done. */
export class Checks {
  readonly events = new EventChecks();
  readonly objects = new ObjectChecks();
  readonly streams = new StreamChecks();
  readonly #known = new Map<string, Known>();
  readonly #running = new Set<RunningCall>();
  readonly #broken: unknown[] = [];
  /** Handed out before an earlier one of its group: allowed only where that one was received too often and is dead. */
  readonly #overtaken: { readonly task: string; readonly earlier: string }[] = [];

  get accepted(): number {
    return (
      [...this.#known.values()].filter(({ id }) => id !== undefined).length +
      this.events.accepted +
      this.objects.accepted +
      this.streams.accepted
    );
  }

  /** What can only be a defect; told when everything is at rest. */
  broken(error: unknown): void {
    this.#broken.push(error);
  }

  sent(entry: Entry, task: Task): void {
    this.#known.set(task.task, { entry, task, id: undefined, handled: 0 });
  }

  acknowledged(_entry: Entry, task: Task, id: string): void {
    this.#of(task).id = id;
  }

  readonly begun = (call: RunningCall): void => {
    if (call.name === "keeper") this.#attempt(() => this.#checkGroups(call));
    if (call.name === "reader") this.#attempt(() => this.streams.begun(call, this.#running));
    this.#running.add(call);
  };

  readonly returned = (call: RunningCall, handled: readonly Task[]): void => {
    this.#running.delete(call);
    if (call.name === "receipts") return;
    for (const task of handled) {
      if (call.name === "reader") {
        this.#attempt(() => this.streams.handled(task));
        continue;
      }
      if (task.isOfBucket) continue;
      if (task.to) this.events.handled(call.name, task);
      else this.#of(task).handled += 1;
    }
  };

  /** Calls of the process that is gone are gone with it. */
  crashed(): void {
    this.#running.clear();
  }

  /** P4: a group is in one call at a time, in order, and no message comes before an earlier one has ended. */
  #checkGroups(call: RunningCall): void {
    for (const [index, task] of call.tasks.entries()) {
      for (const other of this.#running) {
        const shares = other.name === "keeper" && other.tasks.some(({ group }) => group === task.group);
        assert.ok(!shares, `P4: ${task.task} of ${task.group} begins while another call has messages of the group`);
      }
      for (const known of this.#known.values()) {
        const isEarlier = known.task.group === task.group && (known.task.order ?? 0) < (task.order ?? 0);
        if (!isEarlier || known.id === undefined || known.handled > 0 || known.task.poison) continue;
        const isBefore = call.tasks.slice(0, index).some((each) => each.task === known.task.task);
        if (!isBefore) this.#overtaken.push({ task: task.task, earlier: known.task.task });
      }
    }
  }

  #attempt(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.broken(error);
    }
  }

  /** Behind the faults, and behind more time than anything waits: everything has ended, once, and says so. */
  async rest(life: Life, kept: { readonly store: Store; readonly bodies: BodyFiles }): Promise<void> {
    if (this.#broken.length > 0) throw this.#broken[0];
    const dead = new Map<string, number>();
    for (const name of ["dead", "dead.fifo"])
      for (const { body } of await this.#drained(life, name)) count(dead, `${name} ${(JSON.parse(body) as Task).task}`);
    const deadIn = (queue: string, task: string): number => dead.get(`${queue} ${task}`) ?? 0;
    for (const { task, earlier } of this.#overtaken)
      assert.equal(deadIn("dead.fifo", earlier), 1, `P4: ${task} was handed out before ${earlier} of its group, which is not dead`);
    for (const name of ["jobs", "steps.fifo"]) await this.#requireEmpty(life, name);
    for (const [cell, { open }] of life.outboxes) assert.equal(open, 0, `${cell} has ${open} deliveries at rest`);
    for (const known of this.#known.values())
      if (known.entry !== "orders") this.#checkMessage(known, deadIn(known.entry === "worker" ? "dead" : "dead.fifo", known.task.task));
    const records = await life.ledger.list(REALM, { limit: RECORDS_MAX });
    assert.ok(records.length < RECORDS_MAX, "all records are looked at");
    this.#checkOrders(records, await this.#drained(life, "failures"));
    await this.events.rest(records, (name) => this.#drained(life, name), deadIn);
    await this.objects.rest(life, kept, records, (name) => this.#drained(life, name));
    if (life.streams.find(REALM, CLICKS)) await this.streams.rest(life, records, (name) => this.#drained(life, name));
    await this.#checkUsage(life);
  }

  #checkMessage({ task, id, handled }: Known, dead: number): void {
    assert.ok(dead <= 1, `${task.task} is ${dead} times in its dead-letter queue`);
    if (task.poison) assert.equal(handled, 0);
    if (id !== undefined) assert.ok(handled > 0 || dead === 1, `P1: ${task.task} was acknowledged and is lost`);
  }

  #checkOrders(records: readonly LedgerRecord[], messages: readonly ReceivedMessage[]): void {
    const failures = new Map<string, number>();
    for (const { body } of messages)
      count(failures, (JSON.parse(body) as { readonly requestContext: { readonly requestId: string } }).requestContext.requestId);
    const orders = records.filter(({ target }) => isOf("orders", target));
    const receipts = records.filter(({ target }) => isOf("receipts", target));
    for (const known of this.#known.values()) {
      if (known.entry !== "orders" || known.id === undefined) continue;
      const own = orders.filter(({ id }) => id === known.id);
      assert.equal(own.length, 1, `P2: ${known.task.task} (${known.id}) has ${own.length} records`);
    }
    for (const record of [...orders, ...receipts]) this.#checkRecord(record);
    for (const record of orders) {
      const outcome = outcomeOf(record);
      const told = receipts.filter(({ cause }) => cause === record.id).length;
      const failed = failures.get(record.id) ?? 0;
      const expected = outcome === "handled" ? [1, 0] : outcome === "deadLettered" ? [0, 1] : [0, 0];
      assert.deepEqual(
        [told, failed],
        expected,
        `P2: ${record.id} ended as ${outcome}; its destinations were told ${told} and ${failed} times`,
      );
    }
  }

  #checkRecord(record: LedgerRecord): void {
    assert.equal(record.state.kind, "ended", `P2: ${record.id} for ${record.target} has not ended but is ${record.state.kind}`);
    // Nobody is named to get what `receipts` fails at, which is rare: it stumbles and is tried three times.
    if (outcomeOf(record) === "discarded")
      assert.ok(isOf("receipts", record.target) && record.attemptCount >= 3, `P2: ${record.id} was discarded`);
    if (outcomeOf(record) === "deadLettered") assert.ok(record.attemptCount >= 1, "an event is not given up on without having been tried");
  }

  /** P9: attempts of one event are seconds apart, so that one record twice shows. */
  async #checkUsage({ metering }: Life): Promise<void> {
    for (const name of ["orders", "receipts"] as const) {
      const seen = new Set<string>();
      for await (const { requestId, startedAt } of metering.records(REALM, name, 0, Number.MAX_SAFE_INTEGER)) {
        const key = `${requestId} ${startedAt}`;
        assert.ok(!seen.has(key), `P9: ${name} has two usage records of ${key}`);
        seen.add(key);
      }
    }
  }

  async #drained(life: Life, name: string): Promise<ReceivedMessage[]> {
    const queue = await life.queues.queue(REALM, name);
    const all: ReceivedMessage[] = [];
    for (;;) {
      const page = await queue.receive({ max: 10, waitMs: 0 });
      if (page.length === 0) return all;
      for (const message of page) {
        all.push(message);
        await queue.delete(message.handle);
      }
    }
  }

  async #requireEmpty(life: Life, name: string): Promise<void> {
    const queue: Queue = await life.queues.queue(REALM, name);
    const { visible, delayed, leased, outgoing } = queue.list.counts();
    assert.deepEqual(
      { visible, delayed, leased, outgoing },
      { visible: 0, delayed: 0, leased: 0, outgoing: 0 },
      `${arnOfQueue(name)} is not empty at rest`,
    );
  }

  #of({ task }: Task): Known {
    const known = this.#known.get(task);
    assert.ok(known, `${task} was never sent`);
    return known;
  }
}

function isOf(name: FunctionName, target: string): boolean {
  return target.endsWith(`:function:${name}`) || target.includes(`:function:${name}:`);
}

function outcomeOf({ state }: LedgerRecord): string {
  return state.kind === "ended" ? state.outcome.kind : state.kind;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
