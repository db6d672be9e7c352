import { type Clock, isLambentError, type SecureRandom } from "../base/index.ts";
import { policyText } from "../api/index.ts";
import { Delivery, type DeliveryPermission } from "../delivery/index.ts";
import { type Functions, parseFunctionReference } from "../functions/index.ts";
import { ASYNC_CELL_KIND, AsyncInvoker, type Invoker } from "../invoker/index.ts";
import { Ledger, type LedgerRecord } from "../ledger/index.ts";
import type { Metering } from "../metering/index.ts";
import type { FunctionVersion } from "../model/index.ts";
import type { Queues } from "../queues/index.ts";
import type { Authorizer } from "../security/index.ts";
import type { CellKey, Store } from "../storage/index.ts";
import { authorizeRole } from "./role-permission.ts";

/** Kinds of cells whose owners keep records of their events. */
const LEDGER_CELL_KINDS = [ASYNC_CELL_KIND, "queue"];

/** What becomes of events that nobody waits for: taken, tried, told, looked up. */
export interface Events {
  readonly asyncInvoker: AsyncInvoker;
  readonly ledger: Ledger;
  /** Takes up what waits since before the start. */
  resume(): Promise<void>;
  /** Attempts under way have this long to end. */
  close(graceMs: number): Promise<void>;
}

export interface EventParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly functions: Functions;
  readonly invoker: Invoker;
  readonly queues: Queues;
  readonly metering: Metering;
  readonly authorizer: Authorizer;
  readonly retryTimeFactor: number;
  readonly reportDefect: (error: unknown) => void;
}

/** Asynchronous invocation and delivery, joined: each wakes the other. */
export function joinEvents(parts: EventParts): Events {
  const { store, clock, functions, queues, reportDefect } = parts;
  const delivery = new Delivery({
    clock,
    queues,
    functions: () => asyncInvoker,
    authorize: (permission) => authorizeDelivery(parts, permission),
    functionPolicy: (realm, name, qualifier) => policyText(functions, { realm }, name, qualifier),
    outbox: (cell) => asyncInvoker.outbox(cell),
    onTrouble: reportDefect,
  });
  const asyncInvoker: AsyncInvoker = new AsyncInvoker({
    ...{ store, clock, functions, secureRandom: parts.secureRandom, metering: parts.metering },
    calls: parts.invoker,
    timeFactor: parts.retryTimeFactor,
    onOutgoing: (cell) => delivery.wake(cell),
    onTrouble: reportDefect,
  });
  const live = (cell: CellKey, record: LedgerRecord): LedgerRecord =>
    record.source === "queue" ? queues.live(cell, record) : asyncInvoker.live(cell, record);
  return {
    asyncInvoker,
    ledger: new Ledger({ store, clock, cellKinds: LEDGER_CELL_KINDS, live }),
    resume: () => asyncInvoker.resume(),
    async close(graceMs) {
      await delivery.close();
      await asyncInvoker.close(new Promise((resolve) => clock.schedule(graceMs, resolve)));
    },
  };
}

/** The function's role delivers its outcomes. Those of a function that is gone meanwhile were committed while it was there. */
function authorizeDelivery({ authorizer, functions, clock }: EventParts, { realm, functionArn, ...permission }: DeliveryPermission): void {
  const { name, qualifier } = parseFunctionReference(functionArn, realm, undefined);
  let version: FunctionVersion;
  try {
    ({ version } = functions.reading.get(realm, name, qualifier));
  } catch (error) {
    if (isLambentError(error, "NotFound")) return;
    throw error;
  }
  authorizeRole(authorizer, clock, version, permission);
}
