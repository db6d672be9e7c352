/**
 * What a disk may hold after a power cut, from a log of what a process wrote and synced (`power.c`).
 *
 * What was synced is there. Of what was not, each 4 KiB piece of a write is there or not by a coin, so a write may be
 * torn and a later one be there without an earlier; names of a folder change in their order and only so far. A sync that
 * failed drops the file's writes for good although the process can read them, as Linux' page cache does.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { randomBelow, type Random } from "../../src/base/index.ts";

const PIECE_BYTES = 4_096;

type Operation = "W" | "T" | "C" | "S" | "F" | "E" | "R" | "L" | "U" | "M";

export interface PowerRecord {
  readonly operation: Operation;
  readonly inode: number;
  readonly offset: number;
  readonly path: string;
  /** The path before a rename. */
  readonly from: string;
  readonly bytes: Buffer;
}

/** Reads a log from its file. */
export function readPowerLog(file: string): PowerRecord[] {
  const log = readFileSync(file);
  const records: PowerRecord[] = [];
  for (let at = 0; at < log.length;) {
    const end = log.indexOf(0x0a, at);
    const [head = "", path = "", from = ""] = log.toString("utf8", at, end).split("\t");
    const [operation, inode, offset, length] = head.split(" ");
    const behind = end + 1 + (operation === "W" ? Number(length) : 0);
    records.push({
      operation: operation as Operation,
      inode: Number(inode),
      offset: Number(offset),
      path,
      from,
      bytes: log.subarray(end + 1, behind),
    });
    at = behind;
  }
  return records;
}

/** Bytes from `offset` on; without bytes the file ends there. */
interface Change {
  readonly offset: number;
  readonly bytes: Buffer | undefined;
}

interface DiskFile {
  synced: Buffer;
  waiting: Change[];
}

type Entry = DiskFile | "folder";

interface NameChange {
  readonly removed: string | undefined;
  readonly added: { readonly path: string; readonly entry: Entry } | undefined;
}

/** The disk under one folder, as records are applied to it. */
export class PowerDisk {
  readonly #folder: string;
  readonly #files = new Map<number, DiskFile>();
  readonly #links = new Map<number, number>();
  readonly #synced = new Map<string, Entry>();
  /** By folder: changes of names in it that were not synced, in their order. */
  readonly #waiting = new Map<string, NameChange[]>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  apply(record: PowerRecord): void {
    const { operation, inode, offset, path, from, bytes } = record;
    switch (operation) {
      case "W":
        return void this.#file(inode, path).waiting.push({ offset, bytes });
      case "T":
        return void this.#file(inode, path).waiting.push({ offset, bytes: undefined });
      case "C":
        return void this.#created(inode, path);
      case "S":
        return this.#sync(inode, path);
      case "F":
        // Names are left to wait: that a folder's sync fails and the next one succeeds without them is not known of any file system.
        return void (this.#files.has(inode) && (this.#file(inode, path).waiting = []));
      case "R":
        return this.#name(path, { removed: from, added: { path, entry: this.#file(inode, from) } });
      case "L":
        this.#links.set(inode, (this.#links.get(inode) ?? 1) + 1);
        return this.#name(path, { removed: undefined, added: { path, entry: this.#file(inode, from) } });
      case "U":
        return this.#unlinked(inode, path);
      case "M":
        // It may have the number of a file that was renamed over.
        this.#files.delete(inode);
        return this.#name(path, { removed: undefined, added: { path, entry: "folder" } });
      case "E":
        return;
    }
  }

  /** Files, by path, of one disk that a power cut at this moment may leave. */
  cut(random: Random): Map<string, Buffer> {
    const names = new Map(this.#synced);
    for (const changes of this.#waiting.values())
      for (const change of changes.slice(0, randomBelow(random, changes.length + 1))) rename(names, change);
    const contents = new Map<Entry, Buffer>();
    const found = new Map<string, Buffer>();
    for (const [path, entry] of names) {
      if (entry === "folder" || !this.#isReachable(path, names)) continue;
      const content = contents.get(entry) ?? torn(entry, random);
      contents.set(entry, content);
      found.set(path, content);
    }
    return found;
  }

  #isReachable(path: string, names: ReadonlyMap<string, Entry>): boolean {
    for (let folder = dirname(path); folder !== this.#folder; folder = dirname(folder)) if (names.get(folder) !== "folder") return false;
    return true;
  }

  /** A file that was there before the log began has its content from the first write on; the rig begins with nothing. */
  #file(inode: number, path: string): DiskFile {
    return this.#files.get(inode) ?? this.#created(inode, path);
  }

  #created(inode: number, path: string): DiskFile {
    const file: DiskFile = { synced: Buffer.alloc(0), waiting: [] };
    this.#files.set(inode, file);
    this.#links.set(inode, 1);
    this.#name(path, { removed: undefined, added: { path, entry: file } });
    return file;
  }

  #unlinked(inode: number, path: string): void {
    this.#name(path, { removed: path, added: undefined });
    const links = (this.#links.get(inode) ?? 1) - 1;
    this.#links.set(inode, links);
    // The number is given to another file soon.
    if (links === 0) this.#files.delete(inode);
  }

  #name(path: string, change: NameChange): void {
    const folder = dirname(path);
    const changes = this.#waiting.get(folder);
    if (changes) changes.push(change);
    else this.#waiting.set(folder, [change]);
  }

  #sync(inode: number, path: string): void {
    const file = this.#files.get(inode);
    if (file) {
      for (const change of file.waiting) file.synced = changed(file.synced, change);
      file.waiting = [];
      return;
    }
    for (const change of this.#waiting.get(path) ?? []) rename(this.#synced, change);
    this.#waiting.delete(path);
  }
}

function rename(names: Map<string, Entry>, { removed, added }: NameChange): void {
  if (removed !== undefined) names.delete(removed);
  if (added) names.set(added.path, added.entry);
}

function changed(content: Buffer, { offset, bytes }: Change): Buffer {
  const length = bytes === undefined ? offset : Math.max(content.length, offset + bytes.length);
  // Room for what comes behind, so that a log of small appends is not copied at each of them.
  let longer = content;
  if (length > content.length) {
    const room = content.byteOffset + length <= content.buffer.byteLength && content.byteOffset === 0 && content.buffer.byteLength > 65_536;
    longer = room ? Buffer.from(content.buffer, 0, length) : Buffer.from(Buffer.alloc(Math.max(131_072, length * 2)).buffer, 0, length);
    if (!room) content.copy(longer);
    else longer.fill(0, content.length);
  }
  bytes?.copy(longer, offset);
  return longer.subarray(0, length);
}

function torn({ synced, waiting }: DiskFile, random: Random): Buffer {
  let content: Buffer = Buffer.from(synced);
  for (const { offset, bytes } of waiting) {
    if (bytes === undefined) {
      if (random.next() < 0.5) content = changed(content, { offset, bytes });
      continue;
    }
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      if (random.next() < 0.5) content = changed(content, { offset: offset + at, bytes: bytes.subarray(at, at + PIECE_BYTES) });
  }
  return content;
}

/** Puts the files of a cut into `target`. Not the store's shared index: it is memory, and the log of its file says nothing. */
export function writeCut(files: ReadonlyMap<string, Buffer>, folder: string, target: string): void {
  mkdirSync(target, { recursive: true });
  for (const [path, content] of files) {
    if (path.endsWith("-shm")) continue;
    const place = join(target, relative(folder, path));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, content);
  }
}
