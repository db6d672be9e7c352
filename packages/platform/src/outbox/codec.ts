import { LambentError } from "../base/index.ts";
import type { NewDelivery } from "./delivery.ts";
import type { Parcel } from "./parcel.ts";

const FORMAT = 1;

/** A delivery as its item's body keeps it. */
export interface StoredDelivery extends Omit<NewDelivery, "delayMs" | "lane"> {
  /** `deadLetter`: it is what could not be delivered, on its way to the dead-letter queue; its record has ended. */
  readonly kind: "delivery" | "deadLetter";
}

/** Attributes may be bytes, which JSON has no form for. */
type Head = Omit<StoredDelivery, "parcel"> & { readonly parcel: Omit<Parcel, "payload"> };

/** Format, length of the head, head, payload. */
export function encodeDelivery({ parcel: { payload, ...parcel }, ...rest }: StoredDelivery): Buffer {
  const json = Buffer.from(JSON.stringify({ ...rest, parcel } satisfies Head));
  const lengths = Buffer.allocUnsafe(5);
  lengths.writeUInt8(FORMAT, 0);
  lengths.writeUInt32LE(json.length, 1);
  return Buffer.concat([lengths, json, payload]);
}

export function decodeDelivery(bytes: Uint8Array): StoredDelivery {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer[0] !== FORMAT) throw new LambentError("StorageCorrupt", `A delivery has format ${buffer[0]}; this Lambent reads ${FORMAT}.`);
  const headEnd = 5 + buffer.readUInt32LE(1);
  const { parcel, ...rest } = JSON.parse(buffer.toString("utf8", 5, headEnd), reviveBytes) as Head;
  return { ...rest, parcel: { ...parcel, payload: buffer.subarray(headEnd) } };
}

/** What `Buffer` makes of itself in JSON, back. */
function reviveBytes(_key: string, value: unknown): unknown {
  const isBytes = typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value;
  return isBytes && Array.isArray(value.data) ? Buffer.from(value.data as number[]) : value;
}
