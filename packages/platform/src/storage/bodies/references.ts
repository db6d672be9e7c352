import { eachCell } from "../scan.ts";
import type { CellKey, Store } from "../store.ts";
import { eachOwnRow } from "../work-list/own-rows.ts";
import type { BodyName } from "./bodies.ts";

/** A file that a row refers to, and what is in it. */
export interface BodyReference extends BodyName {
  readonly bytes: number;
  /** In hex. */
  readonly md5: string;
}

/** Which files the rows of some cells refer to: what a backup copies and a verify looks for. */
export interface BodyReferences {
  /** Whether own rows of this cell, which holds an outbox or a work list, may refer to files. */
  isIn(cell: CellKey): boolean;
  /** Files that a row refers to; `key` as its holder wrote it. */
  of(cell: CellKey, key: string, value: Uint8Array): readonly BodyReference[];
}

/** What is wrong with the content found under a reference's name; undefined when nothing is. */
export function differenceOf(
  reference: BodyReference,
  found: { readonly bytes: number; readonly md5: string } | undefined,
): string | undefined {
  if (found === undefined) return "it is missing";
  if (found.bytes !== reference.bytes) return `it has ${found.bytes} bytes instead of ${reference.bytes}`;
  return found.md5 === reference.md5 ? undefined : "it does not have its MD5";
}

/** Rows fetched at once: they are decoded on the thread that serves everybody. */
const ROWS_PER_PAGE = 100;

export interface RowReference extends BodyReference {
  readonly cell: CellKey;
  readonly key: string;
}

/** `<owner>/<file>`. */
export function nameOf({ owner, file }: BodyName): string {
  return `${owner}/${file}`;
}

/** `row "k/cat.jpg" of cell … refers to it`. */
export function whoRefers({ cell, key }: RowReference): string {
  return `row ${JSON.stringify(key)} of cell ${cell} refers to it`;
}

/** Every file that a row refers to, once a row. Throws `StorageCorrupt` for a cell that cannot be read. */
export async function* eachBodyReference(
  store: Pick<Store, "list" | "cells">,
  references: readonly BodyReferences[],
): AsyncGenerator<RowReference> {
  if (references.length === 0) return;
  for await (const cell of eachCell(store)) {
    for (const reference of references.filter((each) => each.isIn(cell))) {
      for await (const { key, value } of eachOwnRow(store, cell, ROWS_PER_PAGE))
        for (const body of reference.of(cell, key, value)) yield { ...body, cell, key };
    }
  }
}
