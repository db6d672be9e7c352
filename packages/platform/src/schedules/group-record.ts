/** Groups of schedules as a realm knows them. */
import { LambentError, type Instant } from "../base/index.ts";
import { realmKey, parseRealmKey, type Realm } from "../model/index.ts";
import type { CellKey } from "../storage/index.ts";
import { DEFAULT_GROUP, RULES_GROUP, SCHEDULES_CELL_KIND } from "./names.ts";

/** Tags of one group. @limit */
const GROUP_TAGS_MAX = 50;

export interface GroupRecord {
  readonly name: string;
  /** Another one each time a group of this name is made: names its cell. */
  readonly id: string;
  readonly state: "ACTIVE" | "DELETING";
  readonly tags: Readonly<Record<string, string>>;
  /** Undefined for the group that was always there. */
  readonly createdAt: Instant | undefined;
  readonly modifiedAt: Instant | undefined;
  readonly token: string | undefined;
}

/** The groups every realm has without anybody having made them. */
export function givenGroup(name: string): GroupRecord | undefined {
  if (name !== DEFAULT_GROUP && name !== RULES_GROUP) return undefined;
  return { name, id: "0", state: "ACTIVE", tags: {}, createdAt: undefined, modifiedAt: undefined, token: undefined };
}

/** `<realm>/schedules/<group>/<id>`. */
export function groupCell(realm: Realm, { name, id }: Pick<GroupRecord, "name" | "id">): CellKey {
  return `${realmKey(realm)}/${SCHEDULES_CELL_KIND}/${name}/${id}`;
}

export function parseGroupCell(cell: CellKey): { readonly realm: Realm; readonly name: string; readonly id: string } | undefined {
  const [word = "", kind, name, id] = cell.split("/");
  const realm = parseRealmKey(word);
  return realm && kind === SCHEDULES_CELL_KIND && name !== undefined && id !== undefined ? { realm, name, id } : undefined;
}

/** `before` with `added` set and `removed` gone. */
export function changedTags(
  before: Readonly<Record<string, string>>,
  added: Readonly<Record<string, string>>,
  removed: readonly string[],
): Readonly<Record<string, string>> {
  // A map, because a tag may be called like a member every object has.
  const tags = new Map(Object.entries(before));
  for (const key of removed) tags.delete(key);
  for (const [key, value] of Object.entries(added)) {
    if (/^aws:/i.test(key)) throw new LambentError("InvalidParameter", `The tag ${key} begins with aws:, which is reserved.`);
    tags.set(key, value);
  }
  if (tags.size > GROUP_TAGS_MAX)
    throw new LambentError("LimitExceeded", `There would be ${tags.size} tags; a schedule group has at most ${GROUP_TAGS_MAX}.`);
  return Object.fromEntries(tags);
}
