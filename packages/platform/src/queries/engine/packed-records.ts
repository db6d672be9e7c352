import type { PackedRecords } from "./messages.ts";

/** As a stream's reader gives it. */
export interface ReadRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  readonly headers: readonly (readonly [name: string, value: Buffer | undefined])[];
}

/** Copies records together, so that they cross to the process as one piece. */
export function packRecords(partition: number, records: readonly ReadRecord[]): PackedRecords {
  const pieces: Buffer[] = [];
  const headers: [number, string][] = [];
  const packed = {
    offsets: new Float64Array(records.length),
    times: new Float64Array(records.length),
    keyBytes: new Int32Array(records.length),
    valueBytes: new Int32Array(records.length),
  };
  for (const [at, record] of records.entries()) {
    packed.offsets[at] = record.offset;
    packed.times[at] = record.timestamp;
    packed.keyBytes[at] = record.key?.length ?? -1;
    packed.valueBytes[at] = record.value?.length ?? -1;
    if (record.key) pieces.push(record.key);
    if (record.value) pieces.push(record.value);
    if (record.headers.length > 0) headers.push([at, headersJson(record.headers)]);
  }
  return { partition, ...packed, headers, bytes: Buffer.concat(pieces) };
}

/** An object by name; a name that comes several times has an array. */
function headersJson(headers: ReadRecord["headers"]): string {
  const byName = new Map<string, (string | null)[]>();
  for (const [name, value] of headers) {
    const text = value?.toString("utf8") ?? null;
    const before = byName.get(name);
    if (before) before.push(text);
    else byName.set(name, [text]);
  }
  const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, values] of byName) object[name] = values.length === 1 ? values[0] : values;
  return JSON.stringify(object);
}

/** A record in the process of a query. */
export interface UnpackedRecord {
  readonly offset: number;
  readonly time: number;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  readonly headers: string | undefined;
}

/** The records again, each a view of the message's memory. */
export function* unpackRecords(packed: PackedRecords): Generator<UnpackedRecord> {
  const bytes = Buffer.from(packed.bytes.buffer, packed.bytes.byteOffset, packed.bytes.byteLength);
  const headers = new Map(packed.headers);
  let at = 0;
  const take = (length: number): Buffer | undefined => {
    if (length < 0) return undefined;
    at += length;
    return bytes.subarray(at - length, at);
  };
  for (let index = 0; index < packed.offsets.length; index += 1) {
    const key = take(packed.keyBytes[index] ?? -1);
    const value = take(packed.valueBytes[index] ?? -1);
    yield { offset: packed.offsets[index] ?? 0, time: packed.times[index] ?? 0, key, value, headers: headers.get(index) };
  }
}
