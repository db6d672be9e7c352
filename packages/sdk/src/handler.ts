/**
 * A handler: gets the event and what is known of the call, answers with a value or a promise of one.
 *
 *     export const handler: Handler<{ name: string }, { hello: string }> = async (event) => ({ hello: event.name });
 *
 * What it throws becomes the call's function error, with type, message and stack.
 */
export type Handler<Event = unknown, Result = unknown> = (event: Event, context: Context) => Promise<Result> | Result;

/** What a handler can know of its call. Names and types are AWS's. */
export interface Context {
  readonly functionName: string;
  /** `$LATEST` or a number. */
  readonly functionVersion: string;
  /** The ARN the caller used, with its qualifier. */
  readonly invokedFunctionArn: string;
  /** The configured memory in MB, as text. */
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly clientContext?: ClientContext | undefined;
  /** Milliseconds until the call times out. */
  getRemainingTimeInMillis(): number;
  /** With callbacks: false answers at once instead of waiting until the event loop is empty. */
  callbackWaitsForEmptyEventLoop: boolean;
}

/** What a caller sent along in `X-Amz-Client-Context`. */
export interface ClientContext {
  readonly client?: Readonly<Record<string, string>>;
  readonly custom?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
