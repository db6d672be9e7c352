/**
 * The rows of a bucket's cell that hold objects. Uploads have theirs in `multipart/upload.ts`.
 *
 * `k/<key>` the current version · `b/<key>` its body: the bytes behind a mark, or the list of its parts · `n/<key>\0<inverted number>` a noncurrent
 * version, the newest first · `m/<key>\0<same>` its body · `o/<key>` the number of the noncurrent version that is called `null` ·
 * `f/<file>` a loose file, with a list of parts as value all of those files · `number` up to where numbers are given out.
 */
import { LambentError } from "../base/index.ts";
import type { OwnRow } from "../storage/index.ts";
import { PartsList } from "./parts-list.ts";
import { NULL_VERSION, type BodyPlace, type ObjectVersion } from "./version.ts";

export const CURRENT_PREFIX = "k/";
export const NONCURRENT_PREFIX = "n/";
const BODY_PREFIX = "b/";
const NONCURRENT_BODY_PREFIX = "m/";
export const LOOSE_PREFIX = "f/";
export const NUMBER_KEY = "number";

/** Hexadecimal digits of an inverted number. */
const NUMBER_DIGITS = 14;
/** What numbers are counted down from in rows' names. Being milliseconds times 1,024 they reach it in the year 2248. */
const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

export function currentKey(key: string): string {
  return CURRENT_PREFIX + key;
}

export function bodyKey(key: string): string {
  return BODY_PREFIX + key;
}

/** Where the noncurrent version called `null` has its number. */
export function nullNumberKey(key: string): string {
  return `o/${key}`;
}

export function noncurrentKey(key: string, number: number): string {
  return NONCURRENT_PREFIX + noncurrentName(key, number);
}

export function noncurrentBodyKey(key: string, number: number): string {
  return NONCURRENT_BODY_PREFIX + noncurrentName(key, number);
}

/** How the rows of the noncurrent versions of one key begin. */
export function noncurrentPrefix(key: string): string {
  return `${NONCURRENT_PREFIX}${key}\0`;
}

/** The key that a row of a noncurrent version is for. */
export function keyOfNoncurrent(rowKey: string): string {
  return rowKey.slice(NONCURRENT_PREFIX.length, -NUMBER_DIGITS - 1);
}

export function looseKey(file: string): string {
  return LOOSE_PREFIX + file;
}

/** The newest comes first. */
function noncurrentName(key: string, number: number): string {
  return `${key}\0${(NUMBER_MAX - number).toString(16).padStart(NUMBER_DIGITS, "0")}`;
}

/** Whether a row holds a version: current or not. */
export function isVersionRow(rowKey: string): boolean {
  return rowKey.startsWith(CURRENT_PREFIX) || rowKey.startsWith(NONCURRENT_PREFIX);
}

/** Whether a row holds the body of a version: its bytes, or the list of its parts. */
export function isBodyRow(rowKey: string): boolean {
  return rowKey.startsWith(BODY_PREFIX) || rowKey.startsWith(NONCURRENT_BODY_PREFIX);
}

export function encodeVersion(version: ObjectVersion): Buffer {
  return Buffer.from(JSON.stringify(version));
}

export function decodeVersion(row: Uint8Array): ObjectVersion {
  return JSON.parse(textOf(row)) as ObjectVersion;
}

export function encodeNumber(number: number): Buffer {
  return Buffer.from(String(number));
}

export function decodeNumber(row: Uint8Array): number {
  return Number(textOf(row));
}

/** Before the bytes of an inline body; a list of parts begins with another one. */
const INLINE_MARK = 0;

/** The row of an inline body; undefined for one without bytes, which needs none. */
export function encodeInline(content: Buffer): Buffer | undefined {
  if (content.length === 0) return undefined;
  const row = Buffer.allocUnsafe(content.length + 1);
  row[0] = INLINE_MARK;
  content.copy(row, 1);
  return row;
}

export function decodeInline(row: Uint8Array | undefined): Buffer {
  return row ? Buffer.from(row.buffer, row.byteOffset + 1, row.byteLength - 1) : Buffer.alloc(0);
}

/** What a body's row is when nothing of its version is known: a list of parts, or undefined. */
export function partsIn(row: Uint8Array): PartsList | undefined {
  return row.length === 0 || row[0] === INLINE_MARK ? undefined : new PartsList(row);
}

/** The files of a body; `row` is the row beside its version, for one that has parts. */
export function filesOf(place: BodyPlace, row: Uint8Array | undefined): readonly string[] {
  switch (place.kind) {
    case "inline":
      return [];
    case "file":
      return [place.file];
    case "parts":
      return row ? Array.from(new PartsList(row), ({ file }) => file) : [];
  }
}

/** Files that go together: one by name, or those of a list of parts, named after the first. */
export interface LooseFiles {
  readonly name: string;
  readonly parts?: Uint8Array | undefined;
}

/** What becomes loose when a body is nobody's any more; undefined for one without files. */
export function looseFilesOf(place: BodyPlace, row: Uint8Array | undefined): LooseFiles | undefined {
  if (place.kind === "file") return { name: place.file };
  if (place.kind === "inline" || !row) return undefined;
  return { name: new PartsList(row).part(0).file, parts: row };
}

export function looseRow({ name, parts }: LooseFiles): OwnRow {
  return { key: looseKey(name), value: parts ?? new Uint8Array(0) };
}

export function decodeLoose({ key, value }: { readonly key: string; readonly value: Uint8Array }): LooseFiles {
  const name = key.slice(LOOSE_PREFIX.length);
  return value.length === 0 ? { name } : { name, parts: value };
}

export function namesOf({ name, parts }: LooseFiles): readonly string[] {
  return parts ? Array.from(new PartsList(parts), ({ file }) => file) : [name];
}

/** A version's public name: finds it, and cannot be guessed. */
export function versionIdOf(number: number, random: Buffer): string {
  return `${number.toString(36)}.${random.toString("base64url")}`;
}

const VERSION_ID_FORM = /^([0-9a-z]{1,11})\.[A-Za-z0-9_-]{16}$/;

/** The number in a version's id; undefined for `null`. Throws `InvalidParameter` for what is no id. */
export function numberOfVersionId(versionId: string): number | undefined {
  if (versionId === NULL_VERSION) return undefined;
  const number = Number.parseInt(VERSION_ID_FORM.exec(versionId)?.[1] ?? "", 36);
  if (number > 0 && number <= NUMBER_MAX) return number;
  throw new LambentError("InvalidParameter", "Invalid version id specified", { what: "argument", argument: "versionId" });
}

function textOf(row: Uint8Array): string {
  return Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString("utf8");
}
