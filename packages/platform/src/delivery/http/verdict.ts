/** What an endpoint's answer means for the parcel it was sent. Pure. */
import type { Instant } from "../../base/index.ts";
import type { Answer } from "../handing.ts";
import { never, TAKEN } from "../handing.ts";
import type { HttpEnding } from "./http-client.ts";

/** What kinds of endpoints differ in. */
export interface EndpointPolicy {
  readonly timeoutMs: number;
  /** Statuses below 500 that are worth another attempt. */
  readonly retried: ReadonlySet<number>;
  /** A negative Retry-After says: never again. */
  readonly negativeRetryAfterEnds: boolean;
  /** What stands before each message, for people. */
  readonly says: string;
}

/** @see EventBridge User Guide, "API destination error codes" */
export const API_DESTINATION_POLICY: EndpointPolicy = {
  timeoutMs: 5_000,
  retried: new Set([401, 407, 409, 429]),
  negativeRetryAfterEnds: true,
  says: "Unable to invoke ApiDestination endpoint: ",
};

/** @see SNS Developer Guide, "Amazon SNS message delivery retries": errors of the client are permanent, but for 429 */
export const TOPIC_ENDPOINT_POLICY: EndpointPolicy = {
  timeoutMs: 15_000,
  retried: new Set([429]),
  negativeRetryAfterEnds: false,
  says: "",
};

/** How soon to ask again when too many calls are under way. */
const BUSY_WAIT_MS = 100;

/** The answer of a target that is an endpoint. */
export function verdictOf(ending: HttpEnding, policy: EndpointPolicy, now: Instant): Answer {
  switch (ending.kind) {
    case "busy":
      return { kind: "wait", ms: BUSY_WAIT_MS };
    case "failed":
      return ofFailure(ending, policy);
    case "answered":
      return ofStatus(ending, policy, now);
  }
}

function ofFailure({ why, message }: Extract<HttpEnding, { kind: "failed" }>, { says }: EndpointPolicy): Answer {
  const text = says + message;
  switch (why) {
    case "refused":
      return never("EGRESS_REFUSED", text);
    case "invalid":
      return never("SDK_CLIENT_ERROR", text);
    case "timedOut":
      return { kind: "later", refusal: { code: "TIMEOUT", message: text } };
    case "unreachable":
    case "broken":
      return { kind: "later", refusal: { code: "CONNECTION_FAILURE", message: text } };
    case "garbled":
      return { kind: "later", refusal: { code: "INVALID_RESPONSE", message: text } };
  }
}

function ofStatus({ status, headers }: Extract<HttpEnding, { kind: "answered" }>, policy: EndpointPolicy, now: Instant): Answer {
  if (status >= 200 && status < 300) return TAKEN;
  const message = `${policy.says}The endpoint returned HTTP status ${status}.`;
  const isRetried = policy.retried.has(status) || (status >= 500 && status < 600);
  if (!isRetried) return never("SDK_CLIENT_ERROR", status >= 300 && status < 400 ? `${message} Redirects are not followed.` : message);
  const waitMs = retryAfterMs(headers["retry-after"], now);
  if (waitMs !== undefined && waitMs < 0 && policy.negativeRetryAfterEnds)
    return never(codeOf(status), `${message} It asked not to be called again.`);
  const retry = waitMs !== undefined && waitMs > 0 ? { retryAfterMs: waitMs } : {};
  return { kind: "later", refusal: { code: codeOf(status), message, ...retry } };
}

function codeOf(status: number): string {
  return status === 429 ? "THROTTLING" : `HTTP_${status}`;
}

/** Seconds or a date; a date that has passed is 0. Undefined for what is neither. */
export function retryAfterMs(header: string | undefined, now: Instant): number | undefined {
  if (header === undefined) return undefined;
  if (/^-?\d{1,9}$/.test(header)) return Number(header) * 1_000;
  // Other texts that JavaScript takes for dates, a plain number among them, are no HTTP dates.
  const at = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
