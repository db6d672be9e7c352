/** An (account, region) pair. Names are unique within a realm; nothing crosses realms by accident. */
export interface Realm {
  /** Twelve digits. */
  readonly account: string;
  /** For example `us-east-1`. */
  readonly region: string;
}

/** The account of a root key that names none. */
export const DEFAULT_ACCOUNT = "000000000000";
export const DEFAULT_REGION = "us-east-1";

/** The realm as one word for cell keys: `000000000000.us-east-1`. */
export function realmKey(realm: Realm): string {
  return `${realm.account}.${realm.region}`;
}

/** The realm of such a word; undefined for any other. */
export function parseRealmKey(word: string): Realm | undefined {
  const dot = word.indexOf(".");
  return dot > 0 ? { account: word.slice(0, dot), region: word.slice(dot + 1) } : undefined;
}
