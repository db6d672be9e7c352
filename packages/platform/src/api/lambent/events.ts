import { LambentError } from "../../base/index.ts";
import { functionArn } from "../../functions/index.ts";
import { ASYNC_CELL_KIND, type AsyncInvoker } from "../../invoker/index.ts";
import type { Attempt, FoundRecord, Ledger, LedgerRecord } from "../../ledger/index.ts";
import type { CellKey } from "../../storage/index.ts";
import type { RequestContext } from "../operation.ts";
import type {
  EventRecordShape,
  EventRequest,
  GetEventResponse,
  ListEventsRequest,
  ListEventsResponse,
  ReplayEventResponse,
} from "./event-schema.ts";

/** Events one answer lists when nothing is said. */
const LISTED_BY_DEFAULT = 50;

export interface EventParts {
  readonly ledger: () => Promise<Pick<Ledger, "find" | "list">>;
  readonly asyncInvoker: Pick<AsyncInvoker, "replay" | "cancel">;
}

/** What became of events, and handing them over again or ending them. */
export function eventOperations({ ledger, asyncInvoker }: EventParts) {
  const find = async ({ realm }: RequestContext, id: string): Promise<FoundRecord> => {
    const found = await (await ledger()).find(realm, id);
    if (!found) throw new LambentError("NotFound", `There is no event ${id}, or its record is not kept any more.`);
    return found;
  };
  return {
    async ListEvents(input: ListEventsRequest, { realm }: RequestContext): Promise<ListEventsResponse> {
      const records = await (
        await ledger()
      ).list(realm, {
        since: input.Since?.getTime(),
        until: input.Until?.getTime(),
        source: input.Source,
        correlation: input.Correlation,
        target: input.FunctionName === undefined ? undefined : functionArn(realm, input.FunctionName),
        states: input.State === undefined ? undefined : [input.State],
        limit: input.Limit ?? LISTED_BY_DEFAULT,
      });
      return { Events: records.map(eventShape) };
    },

    async GetEvent({ Id }: EventRequest, context: RequestContext): Promise<GetEventResponse> {
      return { Event: eventShape((await find(context, Id)).record) };
    },

    async ReplayEvent({ Id }: EventRequest, context: RequestContext): Promise<ReplayEventResponse> {
      const { cell, record } = await find(context, Id);
      requireHeldByFunction(cell, record, "replayed: publish it, or send its message, again");
      return { Id: await asyncInvoker.replay(context.realm, cell, record) };
    },

    async CancelEvent({ Id }: EventRequest, context: RequestContext): Promise<void> {
      const { cell, record } = await find(context, Id);
      requireHeldByFunction(
        cell,
        record,
        "cancelled: it ends as its retry policy says, or when its target is deleted; a message, when it is deleted from its queue",
      );
      const ended = await asyncInvoker.cancel(cell, Id);
      if (ended === "running") throw new LambentError("Conflict", `Event ${Id} is being handled at this moment.`);
      if (ended === "gone") throw new LambentError("InvalidParameter", `Event ${Id} has ended; only one that waits can be cancelled.`);
    },
  };
}

/** Whatever it came from: what was handed to a function is the function's to try again, or to leave. */
function requireHeldByFunction(cell: CellKey, { id }: LedgerRecord, what: string): void {
  if (cell.split("/")[1] === ASYNC_CELL_KIND) return;
  throw new LambentError("UnsupportedOperation", `Event ${id} is not an asynchronous call of a function and cannot be ${what}.`);
}

function eventShape(record: LedgerRecord): EventRecordShape {
  const { id, source, origin, subject, target, acceptedAt, dueAt, cause, correlation, attemptCount, attempts, undelivered, offsets } =
    record;
  return {
    Id: id,
    Source: source,
    ...(origin === undefined ? {} : { Origin: origin }),
    ...(subject === undefined ? {} : { Subject: subject }),
    ...(offsets && { Offsets: { Partition: offsets.shard, First: offsets.first, Last: offsets.last, Count: offsets.count } }),
    Target: target,
    AcceptedAt: new Date(acceptedAt),
    ...(dueAt === undefined ? {} : { DueAt: new Date(dueAt) }),
    ...(cause === undefined ? {} : { Cause: cause }),
    Correlation: correlation,
    AttemptCount: attemptCount,
    Attempts: attempts.map(attemptShape),
    ...stateMembers(record),
    ...(undelivered === undefined ? {} : { Undelivered: undelivered }),
  };
}

type StateMembers = Pick<EventRecordShape, "State" | "NextAt" | "RunningSince" | "EndedAt" | "Outcome" | "Reason" | "DeadLetterTarget">;

function stateMembers({ state }: LedgerRecord): StateMembers {
  switch (state.kind) {
    case "waiting":
      return { State: "waiting", ...(state.nextAt === undefined ? {} : { NextAt: new Date(state.nextAt) }) };
    case "running":
      return { State: "running", RunningSince: new Date(state.since) };
    case "ended": {
      const { outcome } = state;
      const reason = "reason" in outcome ? { Reason: outcome.reason } : {};
      const target = "target" in outcome ? { DeadLetterTarget: outcome.target } : {};
      return { State: "ended", EndedAt: new Date(state.at), Outcome: outcome.kind, ...reason, ...target };
    }
  }
}

function attemptShape({ at, durationMs, requestId, version, result, error }: Attempt): EventRecordShape["Attempts"][number] {
  return {
    At: new Date(at),
    DurationMs: durationMs,
    RequestId: requestId,
    ...(version === undefined ? {} : { Version: version }),
    Result: result,
    ...(error === undefined ? {} : { Error: error }),
  };
}
