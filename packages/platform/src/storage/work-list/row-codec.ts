/** How items lie in the store: log rows with bodies, written once; state rows, one a log row, for what changed since. */
import { LambentError, type Instant } from "../../base/index.ts";
import { freshItem, type Item, type ItemState, type Row } from "./item.ts";

const FORMAT = 1;

export interface ItemHead {
  readonly id: string;
  readonly enqueuedAt: Instant;
  readonly visibleAt: Instant;
  readonly group: string | undefined;
}

export interface StoredItem extends ItemHead {
  readonly body: Uint8Array;
}

/** A log row: format, number of items, then for each the lengths of head and body, and both. */
export function encodeRow(items: readonly StoredItem[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from([FORMAT, items.length])];
  for (const { id, enqueuedAt, visibleAt, group, body } of items) {
    const head = Buffer.from(JSON.stringify(group === undefined ? [id, enqueuedAt, visibleAt] : [id, enqueuedAt, visibleAt, group]));
    const lengths = Buffer.allocUnsafe(8);
    lengths.writeUInt32LE(head.length, 0);
    lengths.writeUInt32LE(body.byteLength, 4);
    parts.push(lengths, head, body);
  }
  return Buffer.concat(parts);
}

/** The items of a log row; bodies share its bytes. */
export function decodeRow(bytes: Uint8Array): StoredItem[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  requireFormat(buffer[0]);
  const items: StoredItem[] = [];
  let offset = 2;
  for (let count = buffer.readUInt8(1); count > 0; count--) {
    const headEnd = offset + 8 + buffer.readUInt32LE(offset);
    const bodyEnd = headEnd + buffer.readUInt32LE(offset + 4);
    const [id, enqueuedAt, visibleAt, group] = JSON.parse(buffer.toString("utf8", offset + 8, headEnd)) as [
      string,
      number,
      number,
      string?,
    ];
    items.push({ id, enqueuedAt, visibleAt, group, body: buffer.subarray(headEnd, bodyEnd) });
    offset = bodyEnd;
  }
  return items;
}

/** One item in a state row: ended (0), or kind, deadline, age, group, receive count, first receive, nonce, and what only some have. */
type ItemColumns =
  | 0
  | readonly [
      kind: "w" | "l" | "o",
      at: number,
      enqueuedAt: Instant,
      group: string | null,
      receiveCount: number,
      firstReceivedAt: Instant,
      nonce: string,
      note?: string | null,
      target?: string,
    ];

/** A state row tells everything of its row that a decision needs, so that opening reads no bodies. */
export function encodeRowState(row: Row): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, ...row.items.map(columnsOf)]));
}

export function decodeRowState(position: number, value: Uint8Array): Row {
  const [format, ...columns] = JSON.parse(Buffer.from(value).toString("utf8")) as [number, ...ItemColumns[]];
  requireFormat(format);
  const row: Row = { position, items: [], open: 0, stored: true };
  for (const [index, each] of columns.entries()) {
    row.items.push(itemOf(row, index, each));
    if (each !== 0) row.open += 1;
  }
  return row;
}

function columnsOf(item: Item): ItemColumns {
  const { state } = item;
  if (state.kind === "ended") return 0;
  const kind = state.kind === "waiting" ? "w" : state.kind === "leased" ? "l" : "o";
  const at = state.kind === "waiting" ? state.visibleAt : state.kind === "leased" ? state.until : state.number;
  const common = [kind, at, item.enqueuedAt, item.group ?? null, item.receiveCount, item.firstReceivedAt, item.nonce] as const;
  const note = item.note === undefined ? null : Buffer.from(item.note).toString("base64");
  if (state.kind === "outgoing") return [...common, note, state.target];
  return note === null ? common : [...common, note];
}

function itemOf(row: Row, index: number, columns: ItemColumns): Item {
  if (columns === 0) return { ...freshItem(row, index, { enqueuedAt: 0, visibleAt: 0 }), state: { kind: "ended" } };
  const [kind, at, enqueuedAt, group, receiveCount, firstReceivedAt, nonce, note, target] = columns;
  const state: ItemState =
    kind === "w"
      ? { kind: "waiting", visibleAt: at }
      : kind === "l"
        ? { kind: "leased", until: at }
        : { kind: "outgoing", number: at, target: target ?? "" };
  return {
    ...freshItem(row, index, { group: group ?? undefined, enqueuedAt, visibleAt: 0 }),
    state,
    receiveCount,
    firstReceivedAt,
    nonce,
    note: typeof note === "string" ? Buffer.from(note, "base64") : undefined,
  };
}

function requireFormat(format: number | undefined): void {
  if (format !== FORMAT)
    throw new LambentError("StorageCorrupt", `A row of waiting work has format ${format}; this Lambent reads ${FORMAT}.`);
}
