import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestContext } from "../api/index.ts";
import { traceHeaderOf } from "../invoker/index.ts";
import { DEFAULT_ACCOUNT, DEFAULT_REGION, type Realm } from "../model/index.ts";
import type { Principal } from "../security/index.ts";

export const ANONYMOUS: Principal = { kind: "anonymous" };
/** Whoever is nobody in particular has no account: what is asked for has its own. */
export const ANONYMOUS_REALM: Realm = { account: DEFAULT_ACCOUNT, region: DEFAULT_REGION };

/** What is known of a call before its operation runs. */
export interface CallFacts {
  readonly realm: Realm;
  readonly principal: Principal;
  readonly requestId: string;
  readonly endpoint: string;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  readonly reportDefect: (error: unknown, requestId: string) => void;
}

/** The context of the call that `request` makes, for its operation. */
export function requestContext(request: IncomingMessage, response: ServerResponse, facts: CallFacts): RequestContext {
  const { realm, principal, requestId, endpoint, stopping, reportDefect } = facts;
  let signal: AbortSignal | undefined;
  return {
    realm,
    requestId,
    principal,
    endpoint,
    sourceAddress: request.socket.remoteAddress,
    traceHeader: traceHeaderOf(request.headers["x-amzn-trace-id"] as string | undefined),
    // Made when it is first asked for: most operations end before their caller could leave.
    get signal() {
      signal ??= AbortSignal.any([stopping, closed(response)]);
      return signal;
    },
    onCallerGone: (listener) => whenClosed(response, listener),
    reportDefect: (error) => reportDefect(error, requestId),
  };
}

/** Aborts when the caller's connection is gone. */
function closed(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  whenClosed(response, () => controller.abort());
  return controller.signal;
}

/** "close" is said once: whoever asks later is told at once. */
function whenClosed(response: ServerResponse, listener: () => void): void {
  if (response.closed) listener();
  else response.once("close", listener);
}
