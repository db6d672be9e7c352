import type {
  PutEventsRequest,
  PutEventsRequestEntry,
  PutEventsResponse,
  PutEventsResultEntry,
  TestEventPatternRequest,
  TestEventPatternResponse,
} from "@aws-sdk/client-eventbridge";
import { isLambentError, LambentError, timeOrderedId, type Clock, type Instant, type SecureRandom } from "../../base/index.ts";
import { type Buses, type BusEvent, busNameOf, checkEntry, type CheckedEntry, type PublishedEvent } from "../../bus/index.ts";
import { eventOf, traceHeaderOf } from "../../invoker/index.ts";
import { parsePattern } from "../../patterns/index.ts";
import { functionOf } from "../../security/index.ts";
import { functionArn } from "../../functions/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";

/** Entries of one PutEvents. @limit */
export const ENTRIES_MAX = 10;

export interface PutEventsParts {
  readonly buses: Buses;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
}

/** Putting events on buses, and trying patterns. @see EventBridge API reference */
export function putEventsOperations(parts: PutEventsParts) {
  return {
    async PutEvents(input: PutEventsRequest, context: RequestContext): Promise<PutEventsResponse> {
      const entries = given(input.Entries, "Entries");
      if (input.EndpointId !== undefined) throw new LambentError("NotImplemented", "EndpointId is not built in Lambent.");
      if (entries.length > ENTRIES_MAX)
        throw new LambentError(
          "InvalidParameter",
          `1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to ${ENTRIES_MAX}`,
        );
      const read = entries.map((entry) => readEntry(parts, entry, context));
      const outcomes = await publishAll(parts.buses, context, read);
      return { FailedEntryCount: outcomes.filter(({ ErrorCode }) => ErrorCode !== undefined).length, Entries: outcomes };
    },

    TestEventPattern(input: TestEventPatternRequest): TestEventPatternResponse {
      const pattern = parsePattern(given(input.EventPattern, "EventPattern"));
      return { Result: pattern.matches(testedEvent(given(input.Event, "Event"))) };
    },
  };
}

type ReadEntry =
  | { readonly kind: "good"; readonly bus: string; readonly published: PublishedEvent }
  | { readonly kind: "bad"; readonly result: PutEventsResultEntry };

function readEntry({ buses, clock, secureRandom }: PutEventsParts, entry: PutEventsRequestEntry, context: RequestContext): ReadEntry {
  const { realm } = context;
  const { Source: source, DetailType: detailType, Detail: detail, Resources: resources, Time } = entry;
  const checked = checkEntry({ source, detailType, detail, resources, time: Time?.getTime() });
  if (checked.kind === "refused") return { kind: "bad", result: { ErrorCode: checked.code, ErrorMessage: checked.message } };
  const bus = busNameOf(entry.EventBusName, realm);
  if (!buses.find(realm, bus))
    return { kind: "bad", result: { ErrorCode: "ResourceNotFoundException", ErrorMessage: `Event bus ${bus} does not exist.` } };
  // What the entry names itself counts before what the SDK sent along.
  const traceHeader = traceHeaderOf(entry.TraceHeader) ?? context.traceHeader;
  const chain = eventOf(context.traceHeader) ?? eventOf(traceHeader);
  const caller = functionOf(context.principal);
  return {
    kind: "good",
    bus,
    published: {
      event: eventOfEntry(checked.entry, timeOrderedId(clock, secureRandom), context, clock.now()),
      traceHeader,
      cause: chain?.cause,
      correlation: chain?.correlation,
      origin: caller && functionArn(caller.realm, caller.functionName),
    },
  };
}

function eventOfEntry(
  { source, detailType, detail, resources, time }: CheckedEntry,
  id: string,
  { realm }: RequestContext,
  now: Instant,
): BusEvent {
  return {
    ...{ id, source, type: detailType, time: time ?? now, ingestedAt: now, account: realm.account, region: realm.region, resources },
    ...{ subject: undefined, timeText: undefined, dataSchema: undefined, dataContentType: "application/json", extensions: {} },
    data: { kind: "json", bytes: detail },
  };
}

/** Those of one bus together, so that they share its commit. */
async function publishAll(buses: Buses, { realm }: RequestContext, read: readonly ReadEntry[]): Promise<PutEventsResultEntry[]> {
  const byBus = Map.groupBy(
    read.filter((each) => each.kind === "good"),
    ({ bus }) => bus,
  );
  const failures = new Map<string, PutEventsResultEntry>();
  await Promise.all(
    [...byBus].map(async ([bus, entries]) => {
      try {
        await buses.publish(
          realm,
          bus,
          entries.map(({ published }) => published),
        );
      } catch (error) {
        failures.set(bus, failureOf(error));
      }
    }),
  );
  return read.map((each) => (each.kind === "bad" ? each.result : (failures.get(each.bus) ?? { EventId: each.published.event.id })));
}

function failureOf(error: unknown): PutEventsResultEntry {
  if (isLambentError(error, "Throttled", "StorageBusy")) return { ErrorCode: "ThrottlingException", ErrorMessage: error.message };
  if (isLambentError(error, "NotFound")) return { ErrorCode: "ResourceNotFoundException", ErrorMessage: error.message };
  if (isLambentError(error, "RequestTooLarge")) return { ErrorCode: "InvalidArgument", ErrorMessage: error.message };
  throw error;
}

const TESTED_MEMBERS = ["id", "account", "source", "time", "region", "resources", "detail-type"] as const;

/** An event to try a pattern on has the members that EventBridge asks for. */
function testedEvent(text: string): unknown {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    throw new LambentError("InvalidParameter", "Parameter Event is not valid.");
  }
  const isWhole = typeof event === "object" && event !== null && TESTED_MEMBERS.every((member) => Object.hasOwn(event as object, member));
  if (!isWhole) throw new LambentError("InvalidParameter", "Parameter Event is not valid.");
  return event;
}
