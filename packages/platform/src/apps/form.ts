import type { FlowSettings } from "../functions/index.ts";
import type { HandlerStyle } from "../model/index.ts";

/** An application as one form, whatever it was written in: what is wanted, and what is there. */

/** The HTTP address of a function, or that there is none. */
export type UrlForm =
  | { readonly kind: "none" }
  | { readonly kind: "url"; readonly auth: "NONE" | "AWS_IAM"; readonly invokeMode: "BUFFERED" | "RESPONSE_STREAM" };

/** Settings a document may leave out; then an existing function keeps its own, a new one gets the default. */
export interface FunctionOptions {
  readonly description: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly tmpMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly concurrencyPerInstance: number;
  readonly handlerStyle: HandlerStyle;
  /** Flow control of asynchronous invocations, as the function's tags spell it; what is not named is not set. */
  readonly flow: FlowForm;
  readonly roleArn: string;
}

export type FlowForm = Readonly<Partial<Record<keyof FlowSettings, string>>>;

export interface WantedFunction {
  readonly name: string;
  readonly runtime: string;
  readonly handler: string;
  /** SHA-256 of the zip, base64. */
  readonly codeSha256: string;
  readonly options: Partial<FunctionOptions>;
  /** Undefined: left as it is; a new function then has none. */
  readonly url: UrlForm | undefined;
}

export interface CurrentFunction {
  readonly name: string;
  readonly runtime: string;
  readonly handler: string;
  readonly codeSha256: string;
  readonly options: FunctionOptions;
  readonly url: UrlForm;
}

export const FUNCTION_DEFAULTS: Omit<FunctionOptions, "roleArn"> = {
  description: "",
  memoryMb: 128,
  timeoutMs: 3_000,
  tmpMb: 512,
  environment: {},
  concurrencyPerInstance: 1,
  handlerStyle: "lambda",
  flow: {},
};

/** The role of a function that names none. Any well-formed ARN is accepted; one that does not exist here allows all. */
export function defaultRoleArn(account: string): string {
  return `arn:aws:iam::${account}:role/lambent-function`;
}

export const NO_URL: UrlForm = { kind: "none" };
export const PUBLIC_URL: UrlForm = { kind: "url", auth: "NONE", invokeMode: "BUFFERED" };
