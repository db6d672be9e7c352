import { realmKey, type Realm } from "../model/index.ts";
import { eachRealm, type Store } from "../storage/index.ts";

/** Kinds of cells that wait for nobody but their own owners, which a start opens by itself. */
const OWN_OWNERS: ReadonlySet<string> = new Set([
  ...["async", "queue", "usage", "apps"],
  ...["registry/functions", "registry/queues", "registry/mappings", "registry/roles"],
  ...["registry/streams", "streams", "kafka-groups", "mapping-shards", "registry/windows", "windows"],
]);

/**
 * Whether buses, schedules or topics hold anything, or anything else does that is not known to need none of them: then they are opened behind
 * a start. One look a kind of cells, however many there are.
 */
export async function hasAnythingToDistribute(store: Pick<Store, "cells">): Promise<boolean> {
  for await (const realm of eachRealm(store)) for await (const kind of kindsOf(store, realm)) if (!OWN_OWNERS.has(kind)) return true;
  return false;
}

/** Whether a kind of resource was ever defined: what owns them has work to do without being asked then. */
export async function hasDefined(store: Pick<Store, "cells">, resources: "streams" | "windows"): Promise<boolean> {
  for await (const realm of eachRealm(store))
    for await (const kind of kindsOf(store, realm)) if (kind === `registry/${resources}`) return true;
  return false;
}

/** `queue`, `registry/buses`: kinds of cells a realm has. */
async function* kindsOf(store: Pick<Store, "cells">, realm: Realm): AsyncGenerator<string> {
  const prefix = `${realmKey(realm)}/`;
  for (let after: string | undefined; ;) {
    const [first] = await store.cells({ prefix, limit: 1, ...(after === undefined ? {} : { after }) });
    if (first === undefined) return;
    const [word = "", next = ""] = first.slice(prefix.length).split("/");
    const kind = word === "registry" ? `${word}/${next}` : word;
    yield kind;
    // "0" follows "/" in the order of keys.
    after = `${prefix}${kind}0`;
  }
}
