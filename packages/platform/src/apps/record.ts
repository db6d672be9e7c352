/** What is remembered of each application: what it brought, as it was left, and where its document lay. */
import { createHash } from "node:crypto";
import { realmKey, type Realm } from "../model/index.ts";
import { eachRow, type Store } from "../storage/index.ts";
import type { CurrentFunction } from "./form.ts";

export interface AppRecord {
  /** A digest of each function's form as it was left; empty while a deployment that makes it has not ended. */
  readonly functions: Readonly<Record<string, string>>;
  /** Triggers, rules and schedules it brought, by their keys (`triggerOfKey`). */
  readonly triggers?: readonly string[];
  /** Where the document lay, when its name was its folder's. */
  readonly origin?: string;
}

const PREFIX = "app/";

export async function readRecord(store: Store, realm: Realm, app: string): Promise<AppRecord | undefined> {
  const bytes = await store.get(appsCell(realm), PREFIX + app);
  return bytes && parse(bytes);
}

/** Which other application brought each of these functions. */
export async function ownersOf(
  store: Store,
  realm: Realm,
  names: readonly string[],
  except?: string,
): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, string>();
  for await (const [app, record] of allRecords(store, realm))
    for (const name of names) if (app !== except && Object.hasOwn(record.functions, name)) owners.set(name, app);
  return owners;
}

interface Claim {
  readonly app: string;
  readonly origin: string | undefined;
  /** Functions that are about to be made. */
  readonly created: readonly string[];
  /** Functions that are there, and nobody else's from now on. */
  readonly adopted: readonly string[];
  /** Triggers, rules and schedules that are about to be made, by their keys. */
  readonly triggers: readonly string[];
}

/** Remembers before it happens what a deployment brings, so that one that stops half-way finds its own when it is repeated. */
export async function claim(store: Store, realm: Realm, { app, origin, created, adopted, triggers }: Claim): Promise<void> {
  const claimed = [...created, ...adopted];
  if (claimed.length === 0 && triggers.length === 0) return;
  const before = await readRecord(store, realm, app);
  const entries = claimed.map((name) => [name, ""]);
  const known = before?.triggers ?? [];
  const record = {
    ...before,
    functions: { ...before?.functions, ...Object.fromEntries(entries) },
    ...(triggers.length > 0 ? { triggers: [...new Set([...known, ...triggers])] } : {}),
  };
  await put(store, realm, app, withOrigin(record, origin));
  for (const [name, owner] of await ownersOf(store, realm, adopted, app)) {
    const other = await readRecord(store, realm, owner);
    if (other) await put(store, realm, owner, { ...other, functions: without(other.functions, [name]) });
  }
}

/** Forgets what a deployment that failed was to make and did not. */
export async function letGo(store: Store, realm: Realm, app: string, isThere: (name: string) => Promise<boolean>): Promise<void> {
  const record = await readRecord(store, realm, app);
  const claimed = Object.entries(record?.functions ?? {}).flatMap(([name, digest]) => (digest === "" ? [name] : []));
  const others = await ownersOf(store, realm, claimed, app);
  const absent: string[] = [];
  for (const name of claimed) if (others.has(name) || !(await isThere(name))) absent.push(name);
  if (record && absent.length > 0) await put(store, realm, app, { ...record, functions: without(record.functions, absent) });
}

interface Outcome {
  readonly app: string;
  readonly origin: string | undefined;
  readonly after: readonly CurrentFunction[];
  readonly kept: readonly string[];
  /** All the document names, by their keys. */
  readonly triggers: readonly string[];
  /** Of these, what was made or taken over now. */
  readonly broughtTriggers: ReadonlySet<string>;
}

/** Kept functions keep what was remembered of them: they stay touched until the person says otherwise. */
export async function writeRecord(store: Store, realm: Realm, outcome: Outcome): Promise<void> {
  const { app, after, kept, broughtTriggers } = outcome;
  const known = await readRecord(store, realm, app);
  const before = known?.functions ?? {};
  const entries = after.flatMap((each): [string, string][] => {
    if (!kept.includes(each.name)) return [[each.name, fingerprint(each)]];
    const remembered = before[each.name];
    return remembered === undefined ? [] : [[each.name, remembered]];
  });
  const triggers = outcome.triggers.filter((key) => broughtTriggers.has(key) || known?.triggers?.includes(key));
  const record = withOrigin({ functions: Object.fromEntries(entries), ...(triggers.length > 0 ? { triggers } : {}) }, outcome.origin);
  if (JSON.stringify(known) !== JSON.stringify(record)) await put(store, realm, app, record);
}

/** A digest, not the form itself: environments hold secrets, and those are kept in one place only. */
export function fingerprint(form: CurrentFunction): string {
  const environment = Object.entries(form.options.environment).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { description, memoryMb, timeoutMs, tmpMb, concurrencyPerInstance, handlerStyle, roleArn, flow } = form.options;
  const flowEntries = Object.entries(flow).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parts = [
    form.runtime,
    form.handler,
    form.codeSha256,
    description,
    memoryMb,
    timeoutMs,
    tmpMb,
    concurrencyPerInstance,
    handlerStyle,
    roleArn,
    environment,
    form.url,
    // Functions without it keep the digest they had before there was such a thing.
    ...(flowEntries.length > 0 ? [flowEntries] : []),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}

async function* allRecords(store: Store, realm: Realm): AsyncGenerator<readonly [string, AppRecord]> {
  for await (const { key, value } of eachRow(store, appsCell(realm), PREFIX)) yield [key.slice(PREFIX.length), parse(value)];
}

async function put(store: Store, realm: Realm, app: string, record: AppRecord): Promise<void> {
  const cell = appsCell(realm);
  await store.commit(cell, "any", [{ kind: "put", cell, key: PREFIX + app, value: Buffer.from(JSON.stringify(record)) }]);
}

function withOrigin({ origin: _before, ...record }: AppRecord, origin: string | undefined): AppRecord {
  return origin === undefined ? record : { ...record, origin };
}

function without(functions: AppRecord["functions"], names: readonly string[]): AppRecord["functions"] {
  return Object.fromEntries(Object.entries(functions).filter(([name]) => !names.includes(name)));
}

function appsCell(realm: Realm): string {
  return `${realmKey(realm)}/apps/registry/0`;
}

function parse(bytes: Uint8Array): AppRecord {
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as AppRecord;
}
