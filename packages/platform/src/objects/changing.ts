/**
 * Changes of a key's versions: each reads what is there, decides, and commits once. Whoever calls holds the key's turn, so that nothing of the key
 * changes between reading and committing.
 */
import { LambentError } from "../base/index.ts";
import type { OwnRow } from "../storage/index.ts";
import type { BucketCell, CellChange } from "./bucket-cell.ts";
import type { Versioning } from "./bucket-record.ts";
import { checkDelete, checkPut, type WriteConditions } from "./conditions.ts";
import { eventOf } from "./event-of.ts";
import type { Caller } from "./object-event.ts";
import {
  bodyKey,
  currentKey,
  decodeNumber,
  decodeVersion,
  encodeNumber,
  encodeVersion,
  type LooseFiles,
  looseFilesOf,
  noncurrentBodyKey,
  noncurrentKey,
  noncurrentPrefix,
  nullNumberKey,
  numberOfVersionId,
  versionIdOf,
} from "./rows.ts";
import { type DeleteMarker, NULL_VERSION, type ObjectAttributes, type ObjectVersion, type StoredObject } from "./version.ts";
import { type Arrival, decideArrival, decideDeletion, type KeyVersions } from "./versioning.ts";

/** Random bytes of a version's id. */
const VERSION_ID_BYTES = 12;
/** How often a version that changes its place meanwhile is looked for again. */
const LOOKS_MAX = 10;

/** A version that is there, with the row of its body where it has one. */
export interface KnownVersion {
  readonly version: ObjectVersion;
  readonly body: Uint8Array | undefined;
}

interface KnownKey extends KeyVersions {
  readonly body: Uint8Array | undefined;
}

/** The content of a new version: where it is, and the row beside it. */
export interface NewContent extends Pick<StoredObject, "bytes" | "etag" | "checksum" | "body"> {
  /** The bytes, or the list of parts. */
  readonly row: Uint8Array | undefined;
}

export interface StoreOptions {
  readonly conditions?: WriteConditions | undefined;
  readonly caller: Caller;
  /** `ObjectCreated:Put`. */
  readonly event: string;
  /** The loose files that it takes. */
  readonly takes?: LooseFiles | undefined;
  /** Rows that change with it. */
  readonly rows?: (object: StoredObject) => readonly OwnRow[];
  /** Files that nothing refers to behind it, beside those of what it replaces. */
  readonly leaves?: readonly LooseFiles[];
}

/** Stores a new version of a key. In the key's turn. */
export async function storeVersion(
  cell: BucketCell,
  key: string,
  attributes: ObjectAttributes,
  content: NewContent,
  { conditions, caller, event, takes, rows, leaves = [] }: StoreOptions,
): Promise<StoredObject> {
  // As it is now: it may change while rows are read, which are those that it asks for.
  const { record } = cell;
  const known = await readKey(cell, key, record.versioning);
  checkPut(conditions, key, known.current);
  const arrival = decideArrival(record.versioning, known);
  const { row, ...rest } = content;
  const object: StoredObject = { kind: "object", ...baseOf(cell, arrival), ...attributes, ...rest };
  const change = await arrivalChange(cell, key, known, arrival, object, row);
  await cell.commit({
    rows: [...change.rows, ...(rows?.(object) ?? [])],
    takes,
    leaves: [...(change.leaves ?? []), ...leaves],
    events: [eventOf(record, event, key, object.number, object, object.modifiedAt, caller)],
  });
  return object;
}

export interface DeleteOptions {
  readonly versionId?: string | undefined;
  readonly conditions?: WriteConditions | undefined;
  readonly caller: Caller;
  /** How events call it: what is removed, and what is marked. */
  readonly events?: { readonly removed: string; readonly marked: string };
  /** Says no where what is there is not what was meant: then nothing is deleted. */
  readonly onlyIf?: (version: ObjectVersion) => boolean;
}

/** What a deletion did. */
export interface Deleted {
  /** Of the version that was removed, or of the marker; undefined where there are no versions. */
  readonly versionId?: string | undefined;
  /** A marker was made, or the version that was removed was one. */
  readonly deleteMarker: boolean;
}

const REMOVAL_EVENTS = { removed: "ObjectRemoved:Delete", marked: "ObjectRemoved:DeleteMarkerCreated" };

/** Deletes a key, or one version of it; what is not there is deleted. In the key's turn. */
export function deleteVersion(cell: BucketCell, key: string, options: DeleteOptions): Promise<Deleted> {
  return options.versionId === undefined ? deleteCurrent(cell, key, options) : deleteOne(cell, key, options.versionId, options);
}

async function deleteCurrent(cell: BucketCell, key: string, options: DeleteOptions): Promise<Deleted> {
  const { conditions, caller, events = REMOVAL_EVENTS, onlyIf } = options;
  const { record } = cell;
  const known = await readKey(cell, key, record.versioning);
  checkDelete(conditions, key, known.current);
  if (onlyIf && !(known.current && onlyIf(known.current))) return { deleteMarker: false };
  const deletion = decideDeletion(record.versioning, known);
  const at = cell.clock.now();
  switch (deletion.kind) {
    case "nothing":
      return { deleteMarker: false };
    case "removed": {
      const change = removal(currentKey(key), bodyKey(key), known.current, known.body);
      await cell.commit({ ...change, events: [eventOf(record, events.removed, key, cell.nextNumber(), undefined, at, caller)] });
      return { deleteMarker: false };
    }
    case "marked": {
      const marker: DeleteMarker = { kind: "deleteMarker", ...baseOf(cell, deletion.arrival) };
      const change = await arrivalChange(cell, key, known, deletion.arrival, marker, undefined);
      await cell.commit({ ...change, events: [eventOf(record, events.marked, key, marker.number, marker, at, caller)] });
      return { versionId: marker.versionId, deleteMarker: true };
    }
  }
}

async function deleteOne(cell: BucketCell, key: string, versionId: string, options: DeleteOptions): Promise<Deleted> {
  const { conditions, caller, events = REMOVAL_EVENTS, onlyIf } = options;
  const found = await findVersion(cell, key, versionId);
  checkDelete(conditions, key, found?.version);
  const reported = cell.record.versioning === "off" ? {} : { versionId };
  if (!found || (onlyIf && !onlyIf(found.version))) return { ...reported, deleteMarker: false };
  const { version, body } = found;
  const change = found.isCurrent
    ? await promotion(cell, key, version, body)
    : withNullNumber(key, version, removal(noncurrentKey(key, version.number), noncurrentBodyKey(key, version.number), version, body));
  const told = version.kind === "object" ? { versionId } : version;
  await cell.commit({ ...change, events: [eventOf(cell.record, events.removed, key, cell.nextNumber(), told, cell.clock.now(), caller)] });
  return { ...reported, deleteMarker: version.kind === "deleteMarker" };
}

/** Writes attributes of a version that is there anew. In the key's turn. Throws `NotFound`, `IsDeleteMarker`. */
export async function changeAttributes(
  cell: BucketCell,
  key: string,
  versionId: string | undefined,
  change: (object: StoredObject) => StoredObject,
  { event, caller }: { readonly event: string; readonly caller: Caller },
): Promise<StoredObject> {
  const { object, isCurrent } = objectOr(await findVersion(cell, key, versionId), key, versionId);
  const changed = change(object);
  const row = { key: isCurrent ? currentKey(key) : noncurrentKey(key, object.number), value: encodeVersion(changed) };
  await cell.commit({
    rows: [row],
    events: [eventOf(cell.record, event, key, cell.nextNumber(), changed, cell.clock.now(), caller)],
  });
  return changed;
}

/** A version and its body's row in one look; undefined where there is none of that name. */
export async function findVersion(
  cell: Pick<BucketCell, "outbox">,
  key: string,
  versionId: string | undefined,
  looksLeft = LOOKS_MAX,
): Promise<(KnownVersion & { readonly isCurrent: boolean }) | undefined> {
  const { outbox } = cell;
  const number = versionId === undefined ? undefined : numberOfVersionId(versionId);
  const keys = [currentKey(key), bodyKey(key)];
  if (number !== undefined) keys.push(noncurrentKey(key, number), noncurrentBodyKey(key, number));
  else if (versionId !== undefined) keys.push(nullNumberKey(key));
  const [currentRow, body, other, otherBody] = await outbox.getRows(keys);
  const current = currentRow && decodeVersion(currentRow);
  if (current && (versionId === undefined || current.versionId === versionId)) return { version: current, body, isCurrent: true };
  if (other === undefined) return undefined;
  if (number !== undefined) return ofThatName({ version: decodeVersion(other), body: otherBody }, versionId);
  const nullNumber = decodeNumber(other);
  const [row, rowBody] = await outbox.getRows([noncurrentKey(key, nullNumber), noncurrentBodyKey(key, nullNumber)]);
  if (row) return ofThatName({ version: decodeVersion(row), body: rowBody }, versionId);
  // It has become current, or is gone, between the two looks.
  if (looksLeft > 0) return findVersion(cell, key, versionId, looksLeft - 1);
  throw new LambentError("StorageCorrupt", `The version of ${key} that is called null is not where its row says.`, { key });
}

/** The object that was looked for. Throws `NotFound`, `IsDeleteMarker`. */
export function objectOr<T extends { readonly version: ObjectVersion }>(
  found: T | undefined,
  key: string,
  versionId: string | undefined,
): Omit<T, "version"> & { readonly object: StoredObject } {
  const name = { name: key, ...(versionId === undefined ? {} : { versionId }) };
  if (!found) {
    if (versionId === undefined) throw new LambentError("NotFound", "The specified key does not exist.", { what: "key", ...name });
    throw new LambentError("NotFound", "The specified version does not exist.", { what: "version", ...name });
  }
  const { version, ...rest } = found;
  if (version.kind === "object") return { ...rest, object: version };
  const marker = { name: key, deleteMarker: true, versionId: version.versionId, modifiedAt: version.modifiedAt };
  if (versionId === undefined) throw new LambentError("NotFound", "The specified key does not exist.", { what: "key", ...marker });
  throw new LambentError("IsDeleteMarker", "The specified method is not allowed against this resource.", marker);
}

function ofThatName(found: KnownVersion, versionId: string | undefined) {
  return found.version.versionId === versionId ? { ...found, isCurrent: false } : undefined;
}

/** What an arrival has to know. Bodies' rows are read only where they are needed: to be moved, or for the files that they name. */
async function readKey({ outbox }: BucketCell, key: string, versioning: Versioning): Promise<KnownKey> {
  if (versioning !== "off") {
    const [row, body, nullRow] = await outbox.getRows([currentKey(key), bodyKey(key), nullNumberKey(key)]);
    return { current: row && decodeVersion(row), body, nullNumber: nullRow && decodeNumber(nullRow) };
  }
  const [row] = await outbox.getRows([currentKey(key)]);
  const current = row && decodeVersion(row);
  const hasParts = current?.kind === "object" && current.body.kind === "parts";
  const [body] = hasParts ? await outbox.getRows([bodyKey(key)]) : [];
  return { current, body, nullNumber: undefined };
}

function baseOf(cell: BucketCell, { id }: Arrival): Omit<DeleteMarker, "kind"> {
  const number = cell.nextNumber();
  const versionId = id === "null" ? NULL_VERSION : versionIdOf(number, cell.secureRandom.bytes(VERSION_ID_BYTES));
  return { versionId, number, modifiedAt: cell.clock.now(), owner: cell.record.realm.account };
}

/** The rows of a version that arrives, and what it does to those before it. */
async function arrivalChange(
  cell: BucketCell,
  key: string,
  known: KnownKey,
  arrival: Arrival,
  version: ObjectVersion,
  body: Uint8Array | undefined,
): Promise<CellChange> {
  const rows: OwnRow[] = [{ key: currentKey(key), value: encodeVersion(version) }];
  if (body || hasRow(known.current)) rows.push({ key: bodyKey(key), value: body });
  const leaves: LooseFiles[] = [];
  const { current } = known;
  if (current && arrival.current === "kept") {
    rows.push({ key: noncurrentKey(key, current.number), value: encodeVersion(current) });
    if (hasRow(current)) rows.push({ key: noncurrentBodyKey(key, current.number), value: known.body });
    if (current.versionId === NULL_VERSION) rows.push({ key: nullNumberKey(key), value: encodeNumber(current.number) });
  }
  if (arrival.current === "removed") leaves.push(...looseOf(current, known.body));
  if (arrival.removes !== undefined) {
    const [rowKey, rowBodyKey] = [noncurrentKey(key, arrival.removes), noncurrentBodyKey(key, arrival.removes)];
    const [row, rowBody] = await cell.outbox.getRows([rowKey, rowBodyKey]);
    const removed = removal(rowKey, rowBodyKey, row && decodeVersion(row), rowBody);
    rows.push(...removed.rows, { key: nullNumberKey(key), value: undefined });
    leaves.push(...(removed.leaves ?? []));
  }
  return { rows, leaves };
}

/** The current version goes; the newest of those before it, if any, takes its place. */
async function promotion(cell: BucketCell, key: string, version: ObjectVersion, body: Uint8Array | undefined): Promise<CellChange> {
  const removed = removal(currentKey(key), bodyKey(key), version, body);
  const [next] = await cell.outbox.readRows({ prefix: noncurrentPrefix(key), limit: 1 });
  if (!next) return removed;
  const promoted = decodeVersion(next.value);
  const nextBodyKey = noncurrentBodyKey(key, promoted.number);
  const [nextBody] = hasRow(promoted) ? await cell.outbox.getRows([nextBodyKey]) : [];
  const moved = removal(next.key, nextBodyKey, promoted, nextBody).rows;
  const rows = [...removed.rows, ...moved, { key: currentKey(key), value: encodeVersion(promoted) }];
  if (nextBody) rows.push({ key: bodyKey(key), value: nextBody });
  return withNullNumber(key, promoted, { rows, leaves: removed.leaves ?? [] });
}

/** A version is noncurrent no more. */
function withNullNumber(key: string, { versionId }: ObjectVersion, change: CellChange): CellChange {
  if (versionId !== NULL_VERSION) return change;
  return { ...change, rows: [...change.rows, { key: nullNumberKey(key), value: undefined }] };
}

function removal(rowKey: string, rowBodyKey: string, version: ObjectVersion | undefined, body: Uint8Array | undefined): CellChange {
  const rows: OwnRow[] = [{ key: rowKey, value: undefined }];
  if (hasRow(version)) rows.push({ key: rowBodyKey, value: undefined });
  return { rows, leaves: looseOf(version, body) };
}

function looseOf(version: ObjectVersion | undefined, body: Uint8Array | undefined): LooseFiles[] {
  const files = version?.kind === "object" ? looseFilesOf(version.body, body) : undefined;
  return files ? [files] : [];
}

/** Whether there is a row for its body. An object without bytes needs none. */
function hasRow(version: ObjectVersion | undefined): boolean {
  return version?.kind === "object" && (version.body.kind === "parts" || (version.body.kind === "inline" && version.bytes > 0));
}
