import { LEDGER_LISTED_MAX } from "../../ledger/index.ts";
import {
  inPath,
  inQuery,
  integer,
  list,
  number,
  operation,
  optional,
  string,
  structure,
  timestamp,
  type TypeOf,
} from "../../wire/index.ts";

/** The part of Lambent's own API that is about events: what became of each, and doing something about it. */

const id = () => string({ pattern: "[0-9a-f-]{36}" });
const state = () => string({ enum: ["waiting", "running", "ended"] });

const attempt = structure("EventAttempt", {
  At: timestamp(),
  DurationMs: number(),
  /** Finds its log lines. */
  RequestId: string(),
  Version: optional(string()),
  Result: string({ enum: ["ok", "functionError", "timeout", "throttled", "unavailable"] }),
  Error: optional(string()),
});

const eventRecord = structure("EventRecord", {
  Id: id(),
  Source: string(),
  /** ARN of the queue, rule, schedule or function it came from. */
  Origin: optional(string()),
  /** What it is about: a detail-type, the name of a schedule. */
  Subject: optional(string()),
  /** Of a batch of a stream: which records it was made of, and how many of these were left by filters. */
  Offsets: optional(structure("EventOffsets", { Partition: integer(), First: integer(), Last: integer(), Count: integer() })),
  /** ARN of what it is for: a function, a queue, an endpoint; of an event on a bus as such, the bus. */
  Target: string(),
  AcceptedAt: timestamp(),
  /** Of schedules: when it was to be. */
  DueAt: optional(timestamp()),
  /** The event whose handling published this one. */
  Cause: optional(string()),
  /** The first event of the chain. */
  Correlation: string(),
  AttemptCount: integer(),
  /** The first and the latest, where there were many. */
  Attempts: list(attempt),
  State: state(),
  /** While it waits, and not for capacity alone. */
  NextAt: optional(timestamp()),
  RunningSince: optional(timestamp()),
  EndedAt: optional(timestamp()),
  /** `handled`, `deadLettered`, `expired` or `discarded`. */
  Outcome: optional(string()),
  /** Why it was dead-lettered or discarded. */
  Reason: optional(string()),
  DeadLetterTarget: optional(string()),
  /** A destination that did not take the outcome. */
  Undelivered: optional(string()),
});

const listRequest = structure("ListEventsRequest", {
  Since: inQuery("since", optional(timestamp())),
  Until: inQuery("until", optional(timestamp())),
  Source: inQuery("source", optional(string({ enum: ["invoke", "queue", "bus", "schedule", "topic", "objects", "stream"] }))),
  FunctionName: inQuery("function", optional(string({ pattern: "[A-Za-z0-9_-]{1,64}" }))),
  State: inQuery("state", optional(state())),
  /** The first event of a chain: lists all events of it. */
  Correlation: inQuery("correlation", optional(id())),
  Limit: inQuery("limit", optional(integer({ min: 1, max: LEDGER_LISTED_MAX }))),
});
/** The newest first. */
const listResponse = structure("ListEventsResponse", { Events: list(eventRecord) });

const oneRequest = structure("EventRequest", { Id: inPath(id()) });
const oneResponse = structure("GetEventResponse", { Event: eventRecord });
/** The id of the new event. */
const replayResponse = structure("ReplayEventResponse", { Id: id() });

export type EventRecordShape = TypeOf<typeof eventRecord>;
export type ListEventsRequest = TypeOf<typeof listRequest>;
export type ListEventsResponse = TypeOf<typeof listResponse>;
export type EventRequest = TypeOf<typeof oneRequest>;
export type GetEventResponse = TypeOf<typeof oneResponse>;
export type ReplayEventResponse = TypeOf<typeof replayResponse>;

export const EVENT_OPERATIONS = [
  operation("ListEvents", "GET", "/_lambent/v1/events", { input: listRequest, output: listResponse }),
  operation("GetEvent", "GET", "/_lambent/v1/events/{Id}", { input: oneRequest, output: oneResponse }),
  operation("ReplayEvent", "POST", "/_lambent/v1/events/{Id}/replay", { input: oneRequest, output: replayResponse }),
  operation("CancelEvent", "POST", "/_lambent/v1/events/{Id}/cancel", { input: oneRequest }),
];
