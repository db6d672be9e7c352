import { crc32 } from "node:zlib";
import { unreachable } from "../../base/index.ts";

/**
 * What one transaction writes, packed into one buffer: handed to the writer's thread without being cloned op by op.
 *
 * An entry is `kind u8 · key length u16 · value length u32 · sequence f64 · cell u32 · key · value`, little-endian.
 * Cell, key and value lie together because the row's checksum is over exactly these bytes.
 */
export type FrameEntry =
  /** A cell's name, once. */
  | { readonly kind: "cell"; readonly cell: number; readonly key: Uint8Array }
  /** Where a block of cells stands after the transaction; `cell` is the block's number. */
  | { readonly kind: "heads"; readonly cell: number; readonly value: Uint8Array }
  | { readonly kind: "put"; readonly cell: number; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: "delete"; readonly cell: number; readonly key: Uint8Array }
  /** A row of a log: `sequence` is its rowid, `key` its position. */
  | { readonly kind: "append"; readonly cell: number; readonly sequence: number; readonly key: Uint8Array; readonly value: Uint8Array }
  /** Removes a trimmed row of a log. */
  | { readonly kind: "forget"; readonly cell: number; readonly sequence: number };

/** An entry as the writer reads it, with its checksum. */
export interface DecodedEntry {
  readonly kind: FrameEntry["kind"];
  readonly cell: number;
  readonly sequence: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly checksum: number;
}

const KINDS: readonly FrameEntry["kind"][] = ["cell", "heads", "put", "delete", "append", "forget"];
const PREFIX_BYTES = 15;
const CELL_BYTES = 4;
const NOTHING = new Uint8Array(0);

/** Packs entries in their order; the result's buffer is its own and may be transferred. */
export function encodeFrame(entries: readonly FrameEntry[]): Buffer<ArrayBuffer> {
  let size = 0;
  for (const entry of entries) size += PREFIX_BYTES + CELL_BYTES + keyOf(entry).byteLength + valueOf(entry).byteLength;
  const frame = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for (const entry of entries) {
    const key = keyOf(entry);
    const value = valueOf(entry);
    frame[at] = KINDS.indexOf(entry.kind);
    frame.writeUInt16LE(key.byteLength, at + 1);
    frame.writeUInt32LE(value.byteLength, at + 3);
    frame.writeDoubleLE("sequence" in entry ? entry.sequence : 0, at + 7);
    frame.writeUInt32LE(entry.cell, at + PREFIX_BYTES);
    at += PREFIX_BYTES + CELL_BYTES;
    frame.set(key, at);
    frame.set(value, at + key.byteLength);
    at += key.byteLength + value.byteLength;
  }
  return frame;
}

/** Reads a frame entry by entry; keys and values are views into it. */
export function* decodeFrame(frame: Buffer): Generator<DecodedEntry> {
  for (let at = 0; at < frame.byteLength;) {
    const body = at + PREFIX_BYTES;
    const key = body + CELL_BYTES;
    const value = key + frame.readUInt16LE(at + 1);
    const end = value + frame.readUInt32LE(at + 3);
    yield {
      kind: KINDS[frame.readUInt8(at)] ?? unreachable("a frame entry of an unknown kind"),
      cell: frame.readUInt32LE(body),
      sequence: frame.readDoubleLE(at + 7),
      key: frame.subarray(key, value),
      value: frame.subarray(value, end),
      checksum: crc32(frame.subarray(body, end)),
    };
    at = end;
  }
}

function keyOf(entry: FrameEntry): Uint8Array {
  return "key" in entry ? entry.key : NOTHING;
}

function valueOf(entry: FrameEntry): Uint8Array {
  return "value" in entry ? entry.value : NOTHING;
}
