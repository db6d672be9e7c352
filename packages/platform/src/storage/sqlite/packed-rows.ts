/**
 * The rows of one list in one piece of memory, which goes from thread to thread without being copied: a thousand buffers of
 * their own cost more than reading them. Rows are unpacked as views: whoever keeps one of them keeps the memory of all.
 */
import { Buffer } from "node:buffer";
import type { StateRow } from "../store.ts";
import type { PackedRows, ReadAnswer } from "./messages.ts";

const CONTENT_BYTES_AT_FIRST = 16 * 1024;

/** Keys and values one behind the other. */
export class RowPacker {
  #content = Buffer.allocUnsafeSlow(CONTENT_BYTES_AT_FIRST);
  #used = 0;
  readonly #lengths: number[] = [];

  get isEmpty(): boolean {
    return this.#lengths.length === 0;
  }

  /** The row's key and value as they lie here now, for whoever checks them; valid until the next one is added. */
  add(key: Uint8Array, value: Uint8Array): Uint8Array {
    const begin = this.#used;
    this.#makeRoom(key.byteLength + value.byteLength);
    this.#content.set(key, begin);
    this.#content.set(value, begin + key.byteLength);
    this.#used += key.byteLength + value.byteLength;
    this.#lengths.push(key.byteLength, value.byteLength);
    return this.#content.subarray(begin, this.#used);
  }

  packed(): PackedRows {
    return {
      kind: "packed",
      lengths: Uint32Array.from(this.#lengths),
      content: new Uint8Array(this.#content.buffer.transfer(this.#used)),
    };
  }

  #makeRoom(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#content.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#content.byteLength));
    larger.set(this.#content.subarray(0, this.#used));
    this.#content = larger;
  }
}

/** A log's row from this size on goes over as it is; copying a smaller one costs less. */
const TRANSFERRED_BYTES_MIN = 16 * 1024;

/** The memory that goes over with these answers. */
export function transferredWith(answers: readonly ReadAnswer[]): ArrayBuffer[] {
  return answers.flatMap((answer) => {
    if (answer.kind === "packed") return [answer.content.buffer];
    return answer.kind === "values" ? answer.values.filter(hasOwnMemory).map(({ buffer }) => buffer) : [];
  });
}

/** What SQLite gave has memory of its own: nobody else sees it go. */
function hasOwnMemory(value: Uint8Array): value is Uint8Array<ArrayBuffer> {
  return value.byteLength >= TRANSFERRED_BYTES_MIN && value.buffer instanceof ArrayBuffer && value.buffer.byteLength === value.byteLength;
}

/** Rows as they were packed; their values are views of one memory. */
export function unpackRows({ lengths, content }: PackedRows): StateRow[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const rows: StateRow[] = [];
  for (let index = 0, at = 0; index < lengths.length; index += 2) {
    const valueAt = at + (lengths[index] ?? 0);
    const end = valueAt + (lengths[index + 1] ?? 0);
    rows.push({
      key: bytes.toString("utf8", at, valueAt),
      value: new Uint8Array(content.buffer, content.byteOffset + valueAt, end - valueAt),
    });
    at = end;
  }
  return rows;
}
