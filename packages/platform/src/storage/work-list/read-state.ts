import type { Instant } from "../../base/index.ts";
import { eachRow } from "../scan.ts";
import type { CellKey, Store } from "../store.ts";
import { DONE_PREFIX, HEAD_KEY, type ListHead, ROW_PREFIX, SOURCE_PREFIX } from "./changes.ts";
import { DEDUPLICATION_PREFIX } from "./deduplications.ts";
import { ListState } from "./list-state.ts";
import { decodeRowState } from "./row-codec.ts";
import type { ListRules } from "./work-list.ts";

/** The head of a list; undefined before its first commit. */
export async function readHead(store: Store, cell: CellKey): Promise<ListHead | undefined> {
  const head = await store.get(cell, HEAD_KEY);
  return head && (JSON.parse(Buffer.from(head).toString("utf8")) as ListHead);
}

/**
 * What is known of a list when it is opened: where it stands, the rows that changed since they were enqueued, what it
 * remembers. Takes as long as there are leases and remembered ids, however many items wait.
 */
export async function readState(
  store: Store,
  cell: CellKey,
  head: ListHead | undefined,
  options: {
    readonly rules: ListRules;
    readonly heldGroups: ReadonlySet<string>;
    readonly now: Instant;
    /** The holder of this lease is gone. */
    readonly isAbandoned: (receipt: string) => boolean;
  },
): Promise<ListState> {
  const state = new ListState(options, head);
  if (!head) return state;
  for await (const { key, value } of eachRow(store, cell, DONE_PREFIX))
    state.loadDone(Number(key.slice(DONE_PREFIX.length)), Number(Buffer.from(value).toString("utf8")));
  for await (const { key, value } of eachRow(store, cell, ROW_PREFIX))
    state.loadState(decodeRowState(Number(key.slice(ROW_PREFIX.length)), value), options.now, options.isAbandoned);
  state.loaded();
  for await (const row of eachRow(store, cell, DEDUPLICATION_PREFIX)) state.deduplications.load(row);
  for await (const { key, value } of eachRow(store, cell, SOURCE_PREFIX))
    state.delivered.set(key.slice(SOURCE_PREFIX.length), Number(Buffer.from(value).toString("utf8")));
  return state;
}
