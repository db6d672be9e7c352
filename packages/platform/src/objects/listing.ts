/** Listing objects and their versions, a page at a time, in the order of their keys' UTF-8 bytes. */
import { compareUtf8, type StateRow } from "../storage/index.ts";
import { behindAll } from "./keys.ts";
import {
  CURRENT_PREFIX,
  currentKey,
  decodeVersion,
  keyOfNoncurrent,
  NONCURRENT_PREFIX,
  noncurrentKey,
  noncurrentPrefix,
  numberOfVersionId,
} from "./rows.ts";
import { type ReadRows, RowCursor } from "./row-cursor.ts";
import type { ObjectVersion, StoredObject } from "./version.ts";

/** Rows that one page looks at: where nearly all of them are left out, a page is short, and not the last one. */
const ROWS_PER_PAGE_MAX = 20_000;

export interface ListQuery {
  readonly prefix: string;
  /** Keys that have it behind the prefix are told as what they have in common, once. */
  readonly delimiter?: string | undefined;
  /** Behind this key; where it is a common prefix, behind all keys that begin with it. */
  readonly after?: string | undefined;
  /** Objects and common prefixes together. */
  readonly max: number;
}

export interface ListedObject {
  readonly key: string;
  readonly object: StoredObject;
}

export interface Listing {
  readonly objects: readonly ListedObject[];
  readonly commonPrefixes: readonly string[];
  /** What the next page is behind; undefined at the end. */
  readonly next?: string | undefined;
}

/** Current versions; delete markers are left out. */
export async function listObjects(readRows: ReadRows, query: ListQuery): Promise<Listing> {
  const { prefix, after, max } = query;
  const objects: ListedObject[] = [];
  const commonPrefixes: string[] = [];
  if (max <= 0) return { objects, commonPrefixes };
  const begin = after === undefined ? undefined : currentKey(commonPrefixOf(after, query) === after ? behindAll(after) : after);
  const rows = new RowCursor(readRows, {
    ...{ prefix: currentKey(prefix), after: begin, wanted: max + 1 },
    ...(query.delimiter ? { delimiter: query.delimiter } : { all: true }),
  });
  /** What the page told last, and what it looked at last: a delete marker may be behind what was told. */
  let told: string | undefined;
  let seen: string | undefined;
  for (;;) {
    const row = await rows.peek();
    if (!row) return { objects, commonPrefixes };
    if (objects.length + commonPrefixes.length >= max) return { objects, commonPrefixes, next: told };
    if (seen !== undefined && rows.rowsRead > ROWS_PER_PAGE_MAX) return { objects, commonPrefixes, next: seen };
    const key = row.key.slice(CURRENT_PREFIX.length);
    const version = decodeVersion(row.value);
    seen = key;
    if (version.kind === "deleteMarker") {
      rows.pass();
      continue;
    }
    const common = commonPrefixOf(key, query);
    if (common === undefined) {
      objects.push({ key, object: version });
      rows.pass();
    } else {
      commonPrefixes.push(common);
      rows.passAll(currentKey(common), currentKey(behindAll(common)));
    }
    told = common ?? key;
    seen = told;
  }
}

export interface ListVersionsQuery {
  readonly prefix: string;
  readonly delimiter?: string | undefined;
  /** Behind all versions of this key; where it is a common prefix, behind all keys that begin with it. */
  readonly keyMarker?: string | undefined;
  /** Of that key, what is behind this version too: one that a listing told. */
  readonly versionMarker?: string | undefined;
  readonly max: number;
}

export interface ListedVersion {
  readonly key: string;
  readonly version: ObjectVersion;
  readonly isLatest: boolean;
}

export interface VersionListing {
  readonly versions: readonly ListedVersion[];
  readonly commonPrefixes: readonly string[];
  /** Undefined at the end. */
  readonly next?: { readonly keyMarker: string; readonly versionMarker?: string | undefined } | undefined;
}

/** All versions and delete markers: of one key, the newest first. `numberOfNull` finds the version called `null` that a page ended with. */
export async function listVersions(
  readRows: ReadRows,
  query: ListVersionsQuery,
  numberOfNull: (key: string) => Promise<VersionPlace | undefined>,
): Promise<VersionListing> {
  const { prefix, max } = query;
  const versions: ListedVersion[] = [];
  const commonPrefixes: string[] = [];
  if (max <= 0) return { versions, commonPrefixes };
  const begin = await beginOf(query, numberOfNull);
  const current = new RowCursor(readRows, { prefix: CURRENT_PREFIX + prefix, after: begin.current, wanted: max + 1 });
  const noncurrent = new RowCursor(readRows, { prefix: NONCURRENT_PREFIX + prefix, after: begin.noncurrent, wanted: max + 1 });
  for (let next: VersionListing["next"]; ;) {
    const found = await nextVersion(current, noncurrent);
    if (!found) return { versions, commonPrefixes };
    if (versions.length + commonPrefixes.length >= max) return { versions, commonPrefixes, next };
    const { key, row, isLatest } = found;
    const common = commonPrefixOf(key, query);
    if (common === undefined) {
      const version = decodeVersion(row.value);
      versions.push({ key, version, isLatest });
      next = { keyMarker: key, versionMarker: version.versionId };
      (isLatest ? current : noncurrent).pass();
      continue;
    }
    commonPrefixes.push(common);
    next = { keyMarker: common };
    await passAll(current, CURRENT_PREFIX, common);
    await passAll(noncurrent, NONCURRENT_PREFIX, common);
  }
}

/** Every version and delete marker of a bucket, in the order of a listing; what changes meanwhile is seen or not. */
export async function* eachVersion(readRows: ReadRows): AsyncGenerator<ListedVersion> {
  const current = new RowCursor(readRows, { prefix: CURRENT_PREFIX, after: undefined, wanted: Number.POSITIVE_INFINITY });
  const noncurrent = new RowCursor(readRows, { prefix: NONCURRENT_PREFIX, after: undefined, wanted: Number.POSITIVE_INFINITY });
  for (let found = await nextVersion(current, noncurrent); found; found = await nextVersion(current, noncurrent)) {
    const { key, row, isLatest } = found;
    (isLatest ? current : noncurrent).pass();
    yield { key, version: decodeVersion(row.value), isLatest };
  }
}

async function passAll(rows: RowCursor, kind: string, common: string): Promise<void> {
  const next = await rows.peek();
  if (next?.key.startsWith(kind + common)) rows.passAll(kind + common, kind + behindAll(common));
}

async function nextVersion(
  current: RowCursor,
  noncurrent: RowCursor,
): Promise<{ readonly key: string; readonly row: StateRow; readonly isLatest: boolean } | undefined> {
  const [newest, older] = [await current.peek(), await noncurrent.peek()];
  const newestKey = newest?.key.slice(CURRENT_PREFIX.length);
  const olderKey = older && keyOfNoncurrent(older.key);
  // A key's current version comes before its others.
  if (newest && newestKey !== undefined && (olderKey === undefined || compareUtf8(newestKey, olderKey) <= 0))
    return { key: newestKey, row: newest, isLatest: true };
  return older && olderKey !== undefined ? { key: olderKey, row: older, isLatest: false } : undefined;
}

/** Where a version is: current, or noncurrent with its number. */
export type VersionPlace = { readonly kind: "current" } | { readonly kind: "noncurrent"; readonly number: number };

interface Begin {
  readonly current: string | undefined;
  readonly noncurrent: string | undefined;
}

async function beginOf(query: ListVersionsQuery, placeOf: (key: string) => Promise<VersionPlace | undefined>): Promise<Begin> {
  const { keyMarker, versionMarker } = query;
  if (keyMarker === undefined || keyMarker === "") return { current: undefined, noncurrent: undefined };
  if (commonPrefixOf(keyMarker, query) === keyMarker) {
    const behind = behindAll(keyMarker);
    return { current: currentKey(behind), noncurrent: NONCURRENT_PREFIX + behind };
  }
  const current = currentKey(keyMarker);
  // Behind the NUL there are digits only.
  const behindKey = `${noncurrentPrefix(keyMarker)}~`;
  if (versionMarker === undefined || versionMarker === "") return { current, noncurrent: behindKey };
  const number = numberOfVersionId(versionMarker);
  if (number !== undefined) return { current, noncurrent: noncurrentKey(keyMarker, number) };
  const place = await placeOf(keyMarker);
  if (!place) return { current, noncurrent: behindKey };
  return { current, noncurrent: place.kind === "current" ? noncurrentPrefix(keyMarker) : noncurrentKey(keyMarker, place.number) };
}

/** The key up to the first delimiter behind the prefix, with it; undefined where there is none. */
export function commonPrefixOf(key: string, { prefix, delimiter }: Pick<ListQuery, "prefix" | "delimiter">): string | undefined {
  if (!delimiter || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}
