import assert from "node:assert/strict";
import { type Random, systemSecureRandom } from "../../src/base/index.ts";
import { BUS_CELL_KIND, type Buses, openBuses, type RuleDraft, type RuleTarget, type RuleTimerPort } from "../../src/bus/index.ts";
import type { PublishedEvent } from "../../src/bus/routing.ts";
import {
  archiveTarget,
  busTarget,
  Courier,
  type DeliveryPermission,
  functionTarget,
  queueTarget,
  Targets,
} from "../../src/delivery/index.ts";
import { ASYNC_CELL_KIND } from "../../src/invoker/index.ts";
import { Ledger, type LedgerRecord } from "../../src/ledger/index.ts";
import type { Outbox } from "../../src/outbox/index.ts";
import { DEFAULT_QUEUE_SETTINGS, queueArn, type QueueSettings, type ReceivedMessage } from "../../src/queues/index.ts";
import { AsyncWorld, REALM } from "../invoker/async/world.ts";

export { REALM };
const NO_SPREAD: Random = { next: () => 1 };

/** Buses as the server joins them, with real queues and functions that react as the test says, on a manual clock and a disk that outlives crashes. */
export class BusWorld {
  readonly inner: AsyncWorld;
  buses!: Buses;
  ledger!: Ledger;
  /** Cells of the buses that were opened. */
  readonly opened: string[] = [];
  /** The outbox that was opened last. */
  outbox!: Outbox;
  /** Those of them that were closed again. */
  readonly closed: string[] = [];
  authorize: (permission: DeliveryPermission) => void = () => undefined;
  timers: RuleTimerPort = {
    check: () => undefined,
    put: async () => undefined,
    remove: async () => undefined,
    sync: async () => undefined,
  };
  #courier!: Courier;
  #events = 0;

  constructor(inner: AsyncWorld) {
    this.inner = inner;
  }

  static async open(): Promise<BusWorld> {
    const world = new BusWorld(await AsyncWorld.open());
    await world.#start();
    return world;
  }

  get clock() {
    return this.inner.clock;
  }

  /** As a power cut, and a start on what was committed. */
  async crash(): Promise<void> {
    await this.inner.crash();
    await this.#start();
    await this.buses.resume();
    await this.settle();
  }

  async stop(): Promise<void> {
    await this.#courier.close(Promise.resolve());
    await this.buses.close();
    await this.inner.stop();
  }

  /** Lets everything that waits for no time happen, and fails on trouble. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) await this.inner.settle();
    assert.deepEqual(this.inner.troubles, []);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.settle();
  }

  async bus(name: string): Promise<void> {
    await this.buses.create(REALM, { name, description: undefined, tags: {} });
  }

  async rule(name: string, targets: readonly RuleTarget[], changed: Partial<RuleDraft> = {}): Promise<void> {
    const draft = { name, bus: "default", pattern: '{"source":["shop"]}', schedule: undefined, enabled: true, description: undefined };
    const { bus } = await this.buses.rules.put(REALM, { ...draft, roleArn: undefined, tags: undefined, ...changed });
    assert.deepEqual(await this.buses.rules.putTargets(REALM, bus, name, targets), []);
  }

  /** An event as it is put; its id is by the order of events. */
  event(detail: unknown = {}, changed: Partial<PublishedEvent["event"]> = {}): PublishedEvent {
    const now = this.clock.now();
    const id = `01890000-0000-7000-8000-${String(++this.#events).padStart(12, "0")}`;
    const data = { kind: "json", bytes: Buffer.from(JSON.stringify(detail)) } as const;
    const event = {
      ...{ id, source: "shop", type: "Order", time: now, ingestedAt: now, ...REALM },
      ...{ resources: [], extensions: {}, data },
    };
    return { event: { ...event, ...changed }, traceHeader: undefined, cause: undefined, correlation: undefined, origin: undefined };
  }

  /** Puts one event and lets happen what needs no time; its id. */
  async put(detail: unknown = {}, bus = "default", changed: Partial<PublishedEvent["event"]> = {}): Promise<string> {
    const published = this.event(detail, changed);
    await this.buses.publish(REALM, bus, [published]);
    await this.settle();
    return published.event.id;
  }

  async queue(name: string, settings: Partial<QueueSettings> = {}): Promise<string> {
    const kind = name.endsWith(".fifo") ? "fifo" : "standard";
    const changed = { kind, visibilityMs: 0, ...settings } as const;
    await this.inner.queues.create(
      REALM,
      name,
      { ...DEFAULT_QUEUE_SETTINGS, ...changed },
      Object.keys(changed) as (keyof QueueSettings)[],
      {},
    );
    return queueArn(REALM, name);
  }

  async received(name: string): Promise<readonly ReceivedMessage[]> {
    return (await this.inner.queues.queue(REALM, name)).receive({ max: 10, waitMs: 0, visibilityMs: 0 });
  }

  /** Details of the events that a queue has. */
  async details(name: string): Promise<unknown[]> {
    return (await this.received(name)).map(({ body }) => (JSON.parse(body) as { readonly detail: unknown }).detail);
  }

  async record(id: string): Promise<LedgerRecord> {
    const found = await this.ledger.find(REALM, id);
    return found?.record ?? assert.fail(`no record of ${id}`);
  }

  /** All there is in the ledger that an event led to, itself included, as `target: outcome`. */
  async story(id: string): Promise<string[]> {
    const records = await this.ledger.list(REALM, { correlation: id, limit: 1_000, since: 0 });
    return records.map(({ target, state }) => `${target.split(":").slice(5).join(":")} ${outcomeOf(state)}`).sort();
  }

  async #start(): Promise<void> {
    const { inner } = this;
    const authorize = (permission: DeliveryPermission): void => this.authorize(permission);
    const functions = functionTarget({
      authorize,
      functionPolicy: () => undefined,
      requireFunction: () => undefined,
      functions: () => inner.invoker,
    });
    const targets = new Targets(
      [
        queueTarget({ queues: inner.queues, authorize }),
        archiveTarget({ buses: () => this.buses }),
        busTarget({ buses: () => this.buses, authorize, clock: this.clock }),
        functions,
      ],
      this.clock,
    );
    const onProblem = (error: unknown): void => void inner.troubles.push(error);
    this.#courier = new Courier({ clock: this.clock, targets, onTrouble: onProblem });
    this.buses = await openBuses({
      ...{ store: inner.store, clock: this.clock, random: NO_SPREAD, secureRandom: systemSecureRandom, retryTimeFactor: 1, onProblem },
      onOpened: (cell, outbox) => {
        this.opened.push(cell);
        this.outbox = outbox;
        const close = outbox.close.bind(outbox);
        outbox.close = () => {
          this.closed.push(cell);
          return close();
        };
        this.#courier.serve(cell, outbox);
      },
      timers: () => this.timers,
    });
    const cellKinds = [ASYNC_CELL_KIND, BUS_CELL_KIND];
    this.ledger = new Ledger({
      store: inner.store,
      clock: this.clock,
      cellKinds,
      live: (cell, record) => inner.invoker.live(cell, record),
    });
  }
}

function outcomeOf(state: LedgerRecord["state"]): string {
  if (state.kind !== "ended") return state.kind;
  const { outcome } = state;
  return "reason" in outcome ? `${outcome.kind}: ${outcome.reason}` : outcome.kind;
}
