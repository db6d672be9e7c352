import type { Item } from "./item.ts";

const FORM = /^([1-9a-z][0-9a-z]{0,10})\.([0-9a-v])\.([\w-]{11})$/;

/** Position and index in base 36 and the nonce of the lease. */
export function receiptOf({ row, index, nonce }: Item): string {
  return `${row.position.toString(36)}.${index.toString(32)}.${nonce}`;
}

export function parseReceipt(receipt: string): { readonly position: number; readonly index: number; readonly nonce: string } | undefined {
  const parts = FORM.exec(receipt);
  if (!parts) return undefined;
  const [, position = "", index = "", nonce = ""] = parts;
  return { position: Number.parseInt(position, 36), index: Number.parseInt(index, 32), nonce };
}
