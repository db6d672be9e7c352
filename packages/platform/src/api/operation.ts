import type { Realm } from "../model/index.ts";
import type { Principal } from "../security/index.ts";

/** What an operation knows of its call beside the input. */
export interface RequestContext {
  readonly realm: Realm;
  readonly requestId: string;
  readonly principal: Principal;
  /** Scheme, host and port as the caller used them: `http://127.0.0.1:4566`. URLs in answers begin with it. */
  readonly endpoint: string;
  /** The trace header the call came with: which chain of calls it is a part of. Undefined where there was none. */
  readonly traceHeader?: string | undefined;
  /** The caller's address; undefined where it is a part of this server. */
  readonly sourceAddress?: string | undefined;
  /** Aborts when the caller is gone, or the server stops. */
  readonly signal: AbortSignal;
  /** Calls `listener` when the caller's connection is gone, after a whole answer as well as before it; at once when it is already. */
  onCallerGone(listener: () => void): void;
  /** Told what an operation finds broken when its answer has begun, or nobody waits any more: it cannot be thrown then. */
  reportDefect(error: unknown): void;
}

/** One operation: typed input, typed output, errors thrown as `LambentError`. */
export type Operation<Input, Output> = (input: Input, context: RequestContext) => Promise<Output> | Output;

/** The operations a service has; one that is not in the table answers 501 with its name. */
export type OperationTable = Readonly<Record<string, Operation<never, unknown>>>;
