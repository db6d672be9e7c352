/**
 * Asynchronous invocation: every function's events, each function's in a cell of its own (P11).
 *
 * Opens a function's events when one comes, and after a start those that have work; asks nothing of a function that has none. A function
 * that is deleted takes its waiting events with it: their records end at once, they themselves when their turn comes.
 * Deliberately absent: sending outcomes to their targets (`delivery/`), who may invoke what (`security/`).
 */
import { isLambentError, LambentError, type Clock, type Instant, type SecureRandom, timeOrderedId } from "../../base/index.ts";
import { type FunctionDirectory, type Functions, functionArn, parseFunctionReference } from "../../functions/index.ts";
import { LedgerRows, type LedgerRecord } from "../../ledger/index.ts";
import { UsageRows, type Metering } from "../../metering/index.ts";
import { parseRealmKey, realmKey, type Realm } from "../../model/index.ts";
import { BodyCache, type CellKey, eachCell, openWorkList, type Store, type WorkList } from "../../storage/index.ts";
import { eventOf, newTraceHeader } from "../trace-header.ts";
import type { CallPart } from "./attempt.ts";
import type { AsyncEvent } from "./event.ts";
import { FunctionEvents, type AcceptOptions } from "./function-events.ts";
import { KeptEvents } from "./kept-events.ts";
import { Marks } from "./marks.ts";
import { endRecords, hasWork, holdsAnything } from "./remains.ts";

/** The second word of the cells of asynchronous events. */
export const ASYNC_CELL_KIND = "async";
/** AWS's limit for the payload of an asynchronous invocation. @limit */
export const ASYNC_PAYLOAD_BYTES_MAX = 1_048_576;
/** Bodies of events kept in memory, of all functions together. */
const BODY_CACHE_BYTES_MAX = 32 * 1024 * 1024;
/** Attempts of one function under way or being settled; its concurrency is the bound that matters. */
const LEASES_MAX = 4_000;
/** How long an idempotency key is remembered where the function says nothing else. */
const DEDUPLICATION_MS = 86_400_000;

export interface AsyncInvokerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly functions: Pick<FunctionDirectory, "find" | "onChange"> & {
    readonly asynchronous: Pick<Functions["asynchronous"], "functionId" | "settings" | "realms">;
  };
  readonly calls: CallPart;
  readonly metering: Pick<Metering, "takeOver" | "lastTaken" | "onRead">;
  /** What waits between attempts are multiplied with. */
  readonly timeFactor: number;
  /** A cell has outcomes to be sent. */
  readonly onOutgoing: (cell: CellKey) => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface AsyncRequest {
  readonly realm: Realm;
  readonly functionName: string;
  readonly qualifier: string | undefined;
  /** JSON. */
  readonly payload: Buffer;
  /** Time-ordered; undefined: the event gets one. */
  readonly id?: string | undefined;
  readonly traceHeader?: string | undefined;
  readonly clientContext?: string | undefined;
  /** How it came; by default a call. */
  readonly source?: LedgerRecord["source"] | undefined;
  readonly origin?: string | undefined;
  readonly subject?: string | undefined;
  readonly dueAt?: Instant | undefined;
  /** The event whose handling or ending published this one; by default what the trace header says. */
  readonly published?: { readonly cause: string | undefined; readonly correlation: string } | undefined;
  /** Exactly once for each number of the source. */
  readonly delivery?: AcceptOptions["delivery"];
  /** An event with this `id` may have been accepted before: then it is not accepted again. */
  readonly again?: boolean | undefined;
}

/** Outcomes of one cell on their way to their targets. */
export interface OutcomeOutbox {
  readonly list: Pick<WorkList, "outgoing" | "settleOutgoing">;
  readonly ledger: Pick<LedgerRows, "get" | "rewrite">;
  readonly realm: Realm;
  readonly functionName: string;
}

interface Opened {
  readonly cell: CellKey;
  readonly realm: Realm;
  readonly name: string;
  readonly id: string;
  readonly events: Promise<FunctionEvents>;
}

export class AsyncInvoker {
  readonly #parts: AsyncInvokerParts;
  /** By cell: at most one for each function that there is or was since the start. */
  readonly #opened = new Map<CellKey, Opened>();
  /** Those of them that are open by now. */
  readonly #live = new Map<CellKey, FunctionEvents>();
  readonly #bodies = new BodyCache(BODY_CACHE_BYTES_MAX);
  #closed = false;

  constructor(parts: AsyncInvokerParts) {
    this.#parts = parts;
    parts.functions.onChange(() => this.#changed());
  }

  /**
   * Takes an event for a function and resolves with its id once it is durable (P1). Throws `NotFound` or `FunctionNotReady` for a target
   * that can't be called, `RequestTooLarge`, and `Throttled` when too many wait.
   */
  async accept(request: AsyncRequest): Promise<string> {
    const { realm, functionName: name, qualifier, payload } = request;
    if (payload.length > ASYNC_PAYLOAD_BYTES_MAX)
      throw new LambentError(
        "RequestTooLarge",
        `${payload.length} byte payload is too large for the Event invocation type (limit ${ASYNC_PAYLOAD_BYTES_MAX} bytes)`,
      );
    const { asynchronous } = this.#parts.functions;
    this.#parts.functions.find(realm, name, qualifier);
    const settings = asynchronous.settings(realm, name, qualifier);
    const id = asynchronous.functionId(realm, name);
    if (!settings || id === undefined) throw new LambentError("NotFound", `Function not found: ${functionArn(realm, name, qualifier)}`);
    const event = this.#eventOf(request);
    const events = await this.#events(realm, name, id);
    if (request.again === true && (await events.knows(event.id))) return event.id;
    await events.accept(event, settings, { delivery: request.delivery });
    return event.id;
  }

  /** Hands an event that failed over once more, as a new one; resolves with the new one's id. */
  async replay(realm: Realm, cell: CellKey, record: LedgerRecord): Promise<string> {
    if (record.state.kind !== "ended") throw new LambentError("Conflict", `Event ${record.id} has not ended: it needs no replay.`);
    const events = await this.#eventsOf(cell);
    const event = await events?.kept(record.id);
    if (!event)
      throw new LambentError(
        "NotFound",
        `Event ${record.id} is not kept any more; events that failed are, up to 256 KB each, the latest 1,000 of a function.`,
      );
    const { name, qualifier } = parseFunctionReference(record.target, realm, undefined);
    const { payload, clientContext, origin, correlation } = event;
    return this.accept({
      realm,
      functionName: name,
      qualifier,
      payload,
      clientContext,
      origin,
      published: { cause: record.id, correlation },
    });
  }

  /** Ends an event that waits. */
  async cancel(cell: CellKey, id: string): Promise<"cancelled" | "running" | "gone"> {
    return (await this.#eventsOf(cell))?.cancel(id) ?? "gone";
  }

  /** The record as its event's owner knows it now. */
  live(cell: CellKey, record: LedgerRecord): LedgerRecord {
    return this.#live.get(cell)?.live(record) ?? record;
  }

  /** Outcomes of a cell that wait to be sent. */
  async outbox(cell: CellKey): Promise<OutcomeOutbox | undefined> {
    const opened = this.#opened.get(cell);
    if (!opened) return undefined;
    const { list, ledger } = await opened.events;
    return { list, ledger, realm: opened.realm, functionName: opened.name };
  }

  /** Takes up what waits since before the start, and what functions left that are no more. For after the start; nobody waits for it. */
  async resume(): Promise<void> {
    const { store } = this.#parts;
    for await (const cell of this.#cells()) {
      if (this.#closed) return;
      const parsed = parseCell(cell);
      if (!parsed || this.#opened.has(cell)) continue;
      const isCurrent = this.#parts.functions.asynchronous.functionId(parsed.realm, parsed.name) === parsed.id;
      const hasRemains = isCurrent ? await hasWork(store, cell) : await holdsAnything(store, cell);
      if (hasRemains) await this.#resumeOne(cell, parsed, isCurrent);
    }
  }

  /** Begins no attempt more, and lets those under way end for `grace` at most. */
  async close(grace: Promise<void>): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#opened.values()].map(({ events }) => events.then((each) => each.close(grace)).catch(() => undefined)));
  }

  #eventOf(request: AsyncRequest): AsyncEvent {
    const { clock, secureRandom } = this.#parts;
    const { payload, qualifier, clientContext, source = "invoke", origin, subject, dueAt } = request;
    const id = request.id ?? timeOrderedId(clock, secureRandom);
    const acceptedAt: Instant = clock.now();
    const published = request.published ?? eventOf(request.traceHeader);
    return {
      id,
      qualifier,
      payload,
      traceHeader: request.traceHeader ?? newTraceHeader(id, acceptedAt),
      clientContext,
      source,
      origin,
      ...(subject === undefined ? {} : { subject }),
      ...(dueAt === undefined ? {} : { dueAt }),
      cause: published?.cause,
      correlation: published?.correlation ?? id,
      acceptedAt,
    };
  }

  #events(realm: Realm, name: string, id: string): Promise<FunctionEvents> {
    const cell = asyncCell(realm, name, id);
    const known = this.#opened.get(cell);
    if (known) return known.events;
    if (this.#closed) return Promise.reject(new LambentError("ShuttingDown", "The server is stopping."));
    const events = this.#open(cell, realm, name, id);
    this.#opened.set(cell, { cell, realm, name, id, events });
    events.then(
      (each) => {
        this.#live.set(cell, each);
        each.start();
      },
      () => this.#opened.delete(cell),
    );
    return events;
  }

  async #eventsOf(cell: CellKey): Promise<FunctionEvents | undefined> {
    const parsed = parseCell(cell);
    return parsed && (await this.#events(parsed.realm, parsed.name, parsed.id));
  }

  async #open(cell: CellKey, realm: Realm, name: string, id: string): Promise<FunctionEvents> {
    const { store, clock, secureRandom, metering, calls, timeFactor, onTrouble, functions, onOutgoing } = this.#parts;
    const { asynchronous } = functions;
    const rules = {
      ordering: "fair",
      leasesMax: LEASES_MAX,
      retentionMs: Number.POSITIVE_INFINITY,
      deduplicationMs: DEDUPLICATION_MS,
    } as const;
    const list = await openWorkList({
      ...{ store, cell, clock, secureRandom, rules },
      holders: "here",
      bodies: this.#bodies,
      onOutgoing: () => onOutgoing(cell),
    });
    try {
      const [ledger, kept, marks] = await Promise.all([LedgerRows.open(list, clock), KeptEvents.open(list), Marks.open(list)]);
      // Behind the others, because it is at work from here on.
      const usage = await UsageRows.open({ list, cell, of: { ...realm, functionName: name }, metering, clock, onTrouble });
      return new FunctionEvents({
        ...{ realm, name, list, ledger, usage, kept, marks, calls, clock, timeFactor, onTrouble },
        settings: (qualifier) => (asynchronous.functionId(realm, name) === id ? asynchronous.settings(realm, name, qualifier) : undefined),
      });
    } catch (error) {
      // Whoever tries again opens another one, and a cell has one owner (P11).
      await list.close();
      throw error;
    }
  }

  /** Limits, settings and functions change rarely: everyone who waits looks again. */
  #changed(): void {
    for (const { cell, realm, name, id, events } of this.#opened.values()) {
      const isCurrent = this.#parts.functions.asynchronous.functionId(realm, name) === id;
      void events.then((each) => (isCurrent ? each.changed() : this.#endAll(cell, each))).catch((error: unknown) => this.#told(error));
    }
  }

  /** The function is no more: what waits ends in the ledger now, and item by item in the list. */
  async #endAll(cell: CellKey, events: FunctionEvents): Promise<void> {
    await endRecords(events, this.#parts.clock);
    events.changed();
    if (!events.isEmpty) return;
    this.#opened.delete(cell);
    this.#live.delete(cell);
    await events.close(Promise.resolve());
  }

  async #resumeOne(cell: CellKey, { realm, name, id }: NonNullable<ReturnType<typeof parseCell>>, isCurrent: boolean): Promise<void> {
    try {
      const events = await this.#events(realm, name, id);
      if (!isCurrent) await this.#endAll(cell, events);
    } catch (error) {
      this.#told(error);
    }
  }

  #told(error: unknown): void {
    if (!isLambentError(error, "ShuttingDown", "StorageBusy")) this.#parts.onTrouble(error);
  }

  async *#cells(): AsyncGenerator<CellKey> {
    for (const realm of this.#parts.functions.asynchronous.realms())
      yield* eachCell(this.#parts.store, `${realmKey(realm)}/${ASYNC_CELL_KIND}/`);
  }
}

/** A function's events lie in a cell of its own; one that takes its name later has another. */
export function asyncCell(realm: Realm, name: string, functionId: string): CellKey {
  return `${realmKey(realm)}/${ASYNC_CELL_KIND}/${name}/${functionId}`;
}

function parseCell(cell: CellKey): { readonly realm: Realm; readonly name: string; readonly id: string } | undefined {
  const [word = "", kind, name, id] = cell.split("/");
  const realm = parseRealmKey(word);
  return realm && kind === ASYNC_CELL_KIND && name !== undefined && id !== undefined ? { realm, name, id } : undefined;
}
