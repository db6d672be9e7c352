import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Instant } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { LogStream, type Segment } from "./log-stream.ts";
import { fileNameOf } from "./names.ts";

const DAY_MS = 86_400_000;
/** Logs are kept this long where a group sets nothing else. */
export const LOG_KEEP_DAYS = 7;
/** Bytes one group may take; over it, the oldest files go (P7). */
export const LOG_GROUP_BYTES_MAX = 1_000_000_000;

const HEADER_NAME = "group.json";

/** What is set of a group; kept in its folder's header. */
export interface GroupSettings {
  readonly name: string;
  readonly createdAt: Instant;
  /** `undefined`: `LOG_KEEP_DAYS`. */
  readonly retentionDays: number | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** One group of one realm. Its streams are read from the disk when it is first used. */
export class LogGroup {
  readonly realm: Realm;
  readonly folder: string;
  #settings: GroupSettings;
  #streams: Map<string, LogStream> | undefined;

  private constructor(realm: Realm, folder: string, settings: GroupSettings) {
    this.realm = realm;
    this.folder = folder;
    this.#settings = settings;
  }

  static async create(realm: Realm, folder: string, settings: GroupSettings): Promise<LogGroup> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const group = new LogGroup(realm, folder, settings);
    await group.change(settings);
    return group;
  }

  /** `undefined` for a folder whose making was cut short. */
  static async load(realm: Realm, folder: string): Promise<LogGroup | undefined> {
    try {
      return new LogGroup(realm, folder, JSON.parse(await readFile(join(folder, HEADER_NAME), "utf8")) as GroupSettings);
    } catch {
      return undefined;
    }
  }

  get settings(): GroupSettings {
    return this.#settings;
  }

  async change(settings: GroupSettings): Promise<void> {
    const draft = join(this.folder, `${HEADER_NAME}.new`);
    await writeFile(draft, JSON.stringify(settings), { mode: 0o600 });
    await rename(draft, join(this.folder, HEADER_NAME));
    this.#settings = settings;
  }

  async streams(): Promise<Map<string, LogStream>> {
    if (this.#streams) return this.#streams;
    const streams = new Map<string, LogStream>();
    for (const entry of await readdir(this.folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const stream = await LogStream.load(join(this.folder, entry.name));
      if (stream) streams.set(stream.name, stream);
    }
    return (this.#streams = streams);
  }

  async findOrMakeStream(name: string, now: Instant): Promise<LogStream> {
    const streams = await this.streams();
    const known = streams.get(name);
    if (known) return known;
    const stream = await LogStream.create(join(this.folder, fileNameOf(name)), name, now);
    streams.set(name, stream);
    return stream;
  }

  async bytes(): Promise<number> {
    let bytes = 0;
    for (const stream of (await this.streams()).values()) bytes += stream.bytes;
    return bytes;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    this.#streams = new Map();
  }

  /** Forgets files older than the group keeps them, then the oldest until the rest is within `bytesMax`. */
  async forget(now: Instant, bytesMax: number): Promise<void> {
    const streams = await this.streams();
    const keepFrom = now - (this.#settings.retentionDays ?? LOG_KEEP_DAYS) * DAY_MS;
    const files = [...streams.values()].flatMap((stream) => stream.segments.map((segment) => ({ stream, segment })));
    files.sort((left, right) => left.segment.lastIngestedAt - right.segment.lastIngestedAt);
    let bytes = files.reduce((sum, { segment }) => sum + segment.bytes, 0);
    for (const { stream, segment } of files) {
      if (segment.lastIngestedAt >= keepFrom && bytes <= bytesMax) break;
      bytes -= segment.bytes;
      await removeSegment(streams, stream, segment);
    }
    for (const stream of streams.values()) {
      if (stream.segments.length > 0 || stream.createdAt >= keepFrom) continue;
      await stream.remove();
      streams.delete(stream.name);
    }
  }
}

/** A stream's files age in their order; one that has none left goes with its last. */
async function removeSegment(streams: Map<string, LogStream>, stream: LogStream, segment: Segment): Promise<void> {
  if (stream.segments[0] !== segment) return;
  await stream.removeOldest();
  if (stream.segments.length > 0) return;
  await stream.remove();
  streams.delete(stream.name);
}
