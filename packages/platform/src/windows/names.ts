import { LambentError } from "../base/index.ts";
import { type Realm, realmKey } from "../model/index.ts";
import type { CellKey } from "../storage/index.ts";

/** The second word of the cells of windows. */
export const WINDOW_CELL_KIND = "windows";

const NAME = /^[A-Za-z0-9._-]{1,64}$/u;

/** Throws `InvalidParameter`. */
export function checkWindowName(name: string): void {
  if (!NAME.test(name))
    throw new LambentError(
      "InvalidParameter",
      `Name is ${JSON.stringify(name)}; a window's has 1 to 64 letters, digits, dots, dashes and underscores.`,
    );
}

/** `arn:aws:lambent:us-east-1:000000000000:window:averages`. */
export function windowArn({ region, account }: Realm, name: string): string {
  return `arn:aws:lambent:${region}:${account}:window:${name}`;
}

export function windowCell(realm: Realm, id: string): CellKey {
  return `${realmKey(realm)}/${WINDOW_CELL_KIND}/${id}/0`;
}
