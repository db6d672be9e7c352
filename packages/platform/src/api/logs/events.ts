import type {
  FilterLogEventsRequest,
  FilterLogEventsResponse,
  GetLogEventsRequest,
  GetLogEventsResponse,
  InputLogEvent,
  PutLogEventsRequest,
  PutLogEventsResponse,
  RejectedLogEventsInfo,
} from "@aws-sdk/client-cloudwatch-logs";
import { LambentError, type Clock } from "../../base/index.ts";
import {
  eventId,
  LOG_KEEP_DAYS,
  LOG_MESSAGE_BYTES_MAX,
  type LogEvent,
  type Logs,
  type NewLogEvent,
  type Place,
} from "../../telemetry/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { groupNameOf } from "./names.ts";
import { readSearchToken, readStreamToken, searchToken, streamToken } from "./tokens.ts";

/** Log events: put, read by stream, searched by group. @see CloudWatch Logs API reference */

/** Events of one page of GetLogEvents and FilterLogEvents. @limit */
export const LOG_EVENTS_PER_PAGE_MAX = 10_000;
/** Bytes of one page, and of one PutLogEvents: messages, each with `EVENT_OVERHEAD_BYTES`. @limit */
export const LOG_EVENTS_BYTES_MAX = 1_048_576;
const EVENT_OVERHEAD_BYTES = 26;
const DAY_MS = 86_400_000;
/** An event may be this far in the future. */
const FUTURE_MS_MAX = 2 * 3_600_000;
/** An event may be this old, or as old as its group keeps events, whichever is less. */
const PAST_DAYS_MAX = 14;

const STREAM_START: Place = { segment: 0, offset: 0 };

export interface LogsDependencies {
  readonly logs: Logs;
  readonly clock: Clock;
}

export function eventOperations({ logs, clock }: LogsDependencies) {
  return {
    GetLogEvents: (input: GetLogEventsRequest, context: RequestContext) => getEvents(logs, input, context),
    FilterLogEvents: (input: FilterLogEventsRequest, context: RequestContext) => filterEvents(logs, input, context),
    PutLogEvents: (input: PutLogEventsRequest, context: RequestContext) => putEvents({ logs, clock }, input, context),
  };
}

async function getEvents(logs: Logs, input: GetLogEventsRequest, { realm }: RequestContext): Promise<GetLogEventsResponse> {
  const token = input.nextToken === undefined ? undefined : readStreamToken(input.nextToken);
  const direction = token?.direction ?? (input.startFromHead === true ? "forward" : "backward");
  const page = await logs.read(realm, groupNameOf(realm, input), given(input.logStreamName, "logStreamName"), {
    from: input.startTime ?? 0,
    to: input.endTime ?? Number.POSITIVE_INFINITY,
    at: token?.place,
    direction,
    limit: input.limit ?? LOG_EVENTS_PER_PAGE_MAX,
  });
  const events = direction === "forward" ? withinBytes(page) : withinBytes(page.toReversed()).toReversed();
  // At the end the same token comes back: that is how a reader knows it is there, and asks again later.
  const stay = token?.place ?? STREAM_START;
  return {
    events: events.map(({ timestamp, message, ingestedAt }) => ({ timestamp, message, ingestionTime: ingestedAt })),
    nextForwardToken: streamToken("forward", events.at(-1)?.place ?? stay),
    nextBackwardToken: streamToken("backward", events[0]?.place ?? stay),
  };
}

async function filterEvents(logs: Logs, input: FilterLogEventsRequest, { realm }: RequestContext): Promise<FilterLogEventsResponse> {
  if (input.logStreamNames !== undefined && input.logStreamNamePrefix !== undefined) {
    throw new LambentError("InvalidParameter", "logStreamNames and logStreamNamePrefix are both given; only one of them may be.");
  }
  const token = input.nextToken === undefined ? undefined : readSearchToken(input.nextToken);
  const newestFirst = token?.newestFirst ?? input.startFromHead === false;
  const limit = input.limit ?? LOG_EVENTS_PER_PAGE_MAX;
  const found = await logs.search(realm, groupNameOf(realm, input), {
    streams: input.logStreamNames,
    streamPrefix: input.logStreamNamePrefix,
    from: input.startTime,
    // The end is inclusive here, and exclusive in GetLogEvents.
    to: input.endTime === undefined ? undefined : input.endTime + 1,
    pattern: input.filterPattern,
    after: token?.after,
    newestFirst,
    limit,
  });
  const events = withinBytes(found);
  const last = events.at(-1);
  const more = found.length === limit || events.length < found.length;
  return {
    events: events.map((event) => ({
      logStreamName: event.stream,
      timestamp: event.timestamp,
      message: event.message,
      ingestionTime: event.ingestedAt,
      eventId: eventId(event),
    })),
    searchedLogStreams: [],
    ...(more && last ? { nextToken: searchToken(newestFirst, last) } : {}),
  };
}

/** The events of a page that fit its bytes; at least one. */
function withinBytes(events: readonly LogEvent[]): readonly LogEvent[] {
  let bytes = 0;
  const end = events.findIndex((event, index) => {
    bytes += Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
    return index > 0 && bytes > LOG_EVENTS_BYTES_MAX;
  });
  return end < 0 ? events : events.slice(0, end);
}

async function putEvents(
  { logs, clock }: LogsDependencies,
  input: PutLogEventsRequest,
  { realm }: RequestContext,
): Promise<PutLogEventsResponse> {
  refuseUnbuilt(input, ["entity"]);
  const groupName = given(input.logGroupName, "logGroupName");
  const streamName = given(input.logStreamName, "logStreamName");
  const events = checkBatch(given(input.logEvents, "logEvents"));
  const group = await logs.group(realm, groupName);
  if (!(await group.streams()).has(streamName)) throw new LambentError("NotFound", `The log stream ${streamName} does not exist.`);
  const { accepted, rejected } = sortOut(events, group.settings.retentionDays ?? LOG_KEEP_DAYS, clock.now());
  if (!logs.write(realm, groupName, streamName, accepted))
    throw new LambentError("StorageBusy", "More log events wait to be written than the buffer holds.");
  await logs.flush();
  return rejected ? { rejectedLogEventsInfo: rejected } : {};
}

/** Refuses a batch that AWS refuses whole. */
function checkBatch(logEvents: readonly InputLogEvent[]): NewLogEvent[] {
  let bytes = 0;
  let before = 0;
  return logEvents.map((event, index) => {
    const timestamp = given(event.timestamp, `logEvents.${index}.timestamp`);
    const message = given(event.message, `logEvents.${index}.message`);
    const size = Buffer.byteLength(message);
    if (size > LOG_MESSAGE_BYTES_MAX)
      throw new LambentError("InvalidParameter", `logEvents.${index}.message has ${size} bytes; ${LOG_MESSAGE_BYTES_MAX} are allowed.`);
    bytes += size + EVENT_OVERHEAD_BYTES;
    if (bytes > LOG_EVENTS_BYTES_MAX)
      throw new LambentError(
        "InvalidParameter",
        `logEvents has more than ${LOG_EVENTS_BYTES_MAX} bytes, counting ${EVENT_OVERHEAD_BYTES} beside each message.`,
      );
    if (timestamp < before)
      throw new LambentError("InvalidParameter", "Log events in a single PutLogEvents request must be in chronological order.");
    before = timestamp;
    return { timestamp, message };
  });
}

/** Leaves out, entry by entry (P8), what is too old or too far in the future; the batch is in the order of time. */
function sortOut(
  events: readonly NewLogEvent[],
  keepDays: number,
  now: number,
): { readonly accepted: readonly NewLogEvent[]; readonly rejected: RejectedLogEventsInfo | undefined } {
  const countBefore = (instant: number): number => events.filter((event) => event.timestamp < instant).length;
  const expired = countBefore(now - keepDays * DAY_MS);
  const old = countBefore(now - PAST_DAYS_MAX * DAY_MS);
  const end = countBefore(now + FUTURE_MS_MAX + 1);
  const start = Math.max(expired, old);
  if (start === 0 && end === events.length) return { accepted: events, rejected: undefined };
  return {
    accepted: events.slice(start, end),
    rejected: {
      ...(end < events.length ? { tooNewLogEventStartIndex: end } : {}),
      ...(old > 0 ? { tooOldLogEventEndIndex: old } : {}),
      ...(expired > 0 ? { expiredLogEventEndIndex: expired } : {}),
    },
  };
}
