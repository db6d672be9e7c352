/**
 * Delivery of outcomes: takes them out of the cells they were committed in, sends each to its target, and has the cell settle it.
 *
 * Keeps P2 across cells: an outcome stays in its cell until its target has it durably; the target knows the last number it took from each
 * cell, so sending again after a crash doubles nothing. A target that is gone is written into the event's record. Deliberately
 * absent: what an outcome says, and who decides where it goes (`invoker/async`).
 */
import { derivedId, isLambentError, type Clock, type Timer } from "../base/index.ts";
import { decodeOutcome, type OutcomeOutbox } from "../invoker/index.ts";
import { undelivered } from "../ledger/index.ts";
import type { Realm } from "../model/index.ts";
import type { HandOver } from "../outbox/index.ts";
import type { CellKey, OutgoingItem, OwnRow } from "../storage/index.ts";
import type { Handing } from "./handing.ts";
import type { Targets } from "./targets.ts";

/** Outcomes read at once. */
const PAGE_ITEMS = 20;
/** After a target that takes nothing now; doubled up to the bound. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;

export interface DeliveryParts {
  readonly clock: Clock;
  readonly targets: Targets;
  /** The outcomes of a cell; undefined when it is not open any more. */
  readonly outbox: (cell: CellKey) => Promise<OutcomeOutbox | undefined>;
  readonly onTrouble: (error: unknown) => void;
}

/** One cell whose outcomes are being sent. */
interface Work {
  /** More came since it looked. */
  again: boolean;
  retryMs: number;
  timer: Timer | undefined;
  running: Promise<void> | undefined;
}

export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #cells = new Map<CellKey, Work>();
  #closed = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** The cell has outcomes to be sent. */
  wake(cell: CellKey): void {
    if (this.#closed) return;
    const work = this.#cells.get(cell) ?? { again: false, retryMs: RETRY_MS_MIN, timer: undefined, running: undefined };
    this.#cells.set(cell, work);
    work.again = true;
    // One that waits for its target is not hurried by further outcomes.
    if (!work.timer) work.running ??= this.#run(cell, work);
  }

  /** Sends nothing more; what is being sent ends first. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#cells.values()) timer?.cancel();
    await Promise.all([...this.#cells.values()].map(({ running }) => running ?? Promise.resolve()));
  }

  async #run(cell: CellKey, work: Work): Promise<void> {
    try {
      while (work.again && !this.#closed) {
        work.again = false;
        const blocked = await this.#sendAll(cell);
        if (blocked) return this.#tryLater(cell, work);
        work.retryMs = RETRY_MS_MIN;
      }
      this.#cells.delete(cell);
    } catch (error) {
      if (isLambentError(error, "ShuttingDown", "StorageStopped", "StorageCorrupt")) return void this.#cells.delete(cell);
      // A defect in a kind of target is told; what waits in the cell does not wait for the next start.
      if (!isLambentError(error, "StorageBusy")) this.#parts.onTrouble(error);
      this.#tryLater(cell, work);
    } finally {
      work.running = undefined;
    }
  }

  #tryLater(cell: CellKey, work: Work): void {
    if (this.#closed) return;
    work.timer = this.#parts.clock.schedule(work.retryMs, () => {
      work.timer = undefined;
      work.retryMs = Math.min(RETRY_MS_MAX, work.retryMs * 2);
      this.wake(cell);
    });
  }

  /** Sends everything that can be sent, in order for each target; true when a target takes nothing now. */
  async #sendAll(cell: CellKey): Promise<boolean> {
    const outbox = await this.#parts.outbox(cell);
    if (!outbox) return false;
    const blocked = new Set<string>();
    for (let after = 0; !this.#closed;) {
      const items = await outbox.list.outgoing(PAGE_ITEMS, after);
      const last = items.at(-1);
      if (!last) break;
      after = last.number;
      await this.#sendPage(cell, outbox, items, blocked);
    }
    return blocked.size > 0;
  }

  async #sendPage(cell: CellKey, outbox: OutcomeOutbox, items: readonly OutgoingItem[], blocked: Set<string>): Promise<void> {
    const byTarget = Map.groupBy(
      items.filter(({ target }) => !blocked.has(target)),
      ({ target }) => target,
    );
    const sent = await Promise.all([...byTarget.values()].map(async (each) => ({ each, outcomes: await this.#send(cell, outbox, each) })));
    const settled: number[] = [];
    const rows: OwnRow[] = [];
    for (const { each, outcomes } of sent) {
      for (const [index, item] of each.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined || outcome.kind === "later" || outcome.kind === "wait") {
          blocked.add(item.target);
          break;
        }
        settled.push(item.number);
        if (outcome.kind === "never") rows.push(...(await this.#goneRows(outbox, item)));
      }
    }
    if (settled.length > 0) await outbox.list.settleOutgoing(settled, rows);
  }

  #send(cell: CellKey, { realm }: OutcomeOutbox, items: readonly OutgoingItem[]): Promise<HandOver[]> {
    return this.#parts.targets.handOver(items.map((item) => this.#handingOf(cell, realm, item)));
  }

  #handingOf(cell: CellKey, realm: Realm, { target, body, number }: OutgoingItem): Handing {
    const outcome = decodeOutcome(body);
    const { functionArn, requestId, traceHeader, correlation } = outcome;
    // A target that is no destination is refused by the table, whatever it would be told.
    const shaped = this.#parts.targets.kindOf(target)?.outcome?.(outcome, target) ?? { payload: Buffer.alloc(0), options: {} };
    return {
      // What the target makes of it is an event of its own, the same one when it is sent again.
      id: derivedId(outcome.at, `${requestId} ${number}`),
      parcel: { target, sender: { kind: "function", realm, functionArn, requestId }, traceHeader, ...shaped },
      from: {
        source: "invoke",
        origin: functionArn.split(":").slice(0, 7).join(":"),
        subject: undefined,
        dueAt: undefined,
        cause: requestId,
        correlation,
      },
      again: false,
      once: { source: cell, number },
    };
  }

  async #goneRows({ ledger }: OutcomeOutbox, { id, target }: OutgoingItem): Promise<OwnRow[]> {
    const record = await ledger.get(id);
    return record ? ledger.rewrite(undelivered(record, this.#parts.clock.now(), target)) : [];
  }
}
