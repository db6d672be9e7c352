import { LambentError, type Instant } from "../../base/index.ts";
import type { LedgerRecord } from "../../ledger/index.ts";

const FORMAT = 1;

/** An event that a function was handed to be called with, some time. */
export interface AsyncEvent {
  /** The request id whoever handed it over was told. Time-ordered. */
  readonly id: string;
  readonly qualifier: string | undefined;
  readonly payload: Buffer;
  readonly traceHeader: string;
  readonly clientContext: string | undefined;
  readonly source: LedgerRecord["source"];
  readonly origin: string | undefined;
  readonly subject?: string | undefined;
  readonly dueAt?: Instant | undefined;
  readonly cause: string | undefined;
  readonly correlation: string;
  readonly acceptedAt: Instant;
}

/** Format, length of the head, head, payload. */
export function encodeEvent({ payload, ...head }: AsyncEvent): Buffer {
  const json = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.allocUnsafe(5);
  lengths.writeUInt8(FORMAT, 0);
  lengths.writeUInt32LE(json.length, 1);
  return Buffer.concat([lengths, json, payload]);
}

export function decodeEvent(bytes: Uint8Array): AsyncEvent {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer[0] !== FORMAT) throw new LambentError("StorageCorrupt", `An event has format ${buffer[0]}; this Lambent reads ${FORMAT}.`);
  const headEnd = 5 + buffer.readUInt32LE(1);
  const head = JSON.parse(buffer.toString("utf8", 5, headEnd)) as Omit<
    AsyncEvent,
    "payload" | "qualifier" | "clientContext" | "origin" | "cause"
  > &
    Partial<Pick<AsyncEvent, "qualifier" | "clientContext" | "origin" | "cause">>;
  const { qualifier, clientContext, origin, cause } = head;
  return { ...head, qualifier, clientContext, origin, cause, payload: buffer.subarray(headEnd) };
}
