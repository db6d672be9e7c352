/** What a destination or a dead-letter queue is told of an invocation that ended; `delivery/` gives it the form its target takes. */
import { LambentError, type Instant } from "../../base/index.ts";
import type { Condition } from "./decide.ts";

const FORMAT = 1;
/** Bytes of the event and the answer together: what no target takes is not sent. @limit */
export const OUTCOME_BYTES_MAX = 1_048_576;

export interface InvocationOutcome {
  /** A destination gets a record about the invocation; a dead-letter queue the event itself. */
  readonly form: "destination" | "deadLetter";
  readonly requestId: string;
  readonly at: Instant;
  /** With its qualifier. */
  readonly functionArn: string;
  readonly condition: Condition;
  /** Attempts in which the function ran. */
  readonly invokeCount: number;
  readonly traceHeader: string;
  readonly correlation: string;
  readonly request: Buffer;
  /** The last answer; undefined when the function never ran. */
  readonly response: { readonly version: string; readonly functionError: string | undefined; readonly payload: Buffer } | undefined;
}

/** Format, lengths of head and request, head, request, answer. */
export function encodeOutcome({ request, response, ...head }: InvocationOutcome): Buffer {
  const { payload = Buffer.alloc(0), ...answer } = response ?? {};
  const json = Buffer.from(JSON.stringify({ ...head, ...(response ? { response: answer } : {}) }));
  const lengths = Buffer.allocUnsafe(9);
  lengths.writeUInt8(FORMAT, 0);
  lengths.writeUInt32LE(json.length, 1);
  lengths.writeUInt32LE(request.length, 5);
  return Buffer.concat([lengths, json, request, payload]);
}

/** What `encodeOutcome` wrote. */
export function decodeOutcome(bytes: Uint8Array): InvocationOutcome {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer[0] !== FORMAT) throw new LambentError("StorageCorrupt", `An outcome has format ${buffer[0]}; this Lambent reads ${FORMAT}.`);
  const headEnd = 9 + buffer.readUInt32LE(1);
  const requestEnd = headEnd + buffer.readUInt32LE(5);
  const head = JSON.parse(buffer.toString("utf8", 9, headEnd)) as Omit<InvocationOutcome, "request" | "response"> & {
    readonly response?: { readonly version: string; readonly functionError?: string };
  };
  const { response } = head;
  return {
    ...head,
    request: buffer.subarray(headEnd, requestEnd),
    response: response && { version: response.version, functionError: response.functionError, payload: buffer.subarray(requestEnd) },
  };
}
