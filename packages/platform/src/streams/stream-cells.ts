import { realmKey, type Realm } from "../model/index.ts";
import type { CellKey } from "../storage/index.ts";
import type { StreamRecord } from "./stream-record.ts";

/** The cell of one partition. */
export function partitionCell({ realm, id }: Pick<StreamRecord, "realm" | "id">, number: number): CellKey {
  return `${streamCells(realm)}${id}/${number}`;
}

/** What the cells of all partitions of a realm begin with. */
export function streamCells(realm: Realm): string {
  return `${realmKey(realm)}/streams/`;
}
