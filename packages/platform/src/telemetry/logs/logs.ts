/**
 * Logs of functions, and of whoever puts events: groups, streams, events, as CloudWatch Logs names them. Files under
 * the data folder; one line an event. Written lines are passed on to followers at once (P6).
 *
 * Lossy by design: writing never makes a function wait. What does not fit the buffer is dropped and the stream says
 * how much (P7). Nothing here is synced to the disk; a power cut may lose the last seconds.
 */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { LambentError, type Clock, type Instant, type Timer } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { compileFilterPattern } from "../filter/filter-pattern.ts";
import type { EventKey, LogEvent, NewLogEvent, Place } from "./event.ts";
import { LOG_GROUP_BYTES_MAX, LogGroup, type GroupSettings } from "./log-group.ts";
import { comparePlaces, decodeLines, type LogStream, type WrittenLines } from "./log-stream.ts";
import { fileNameOf } from "./names.ts";
import { search } from "./search.ts";
import { addLine, WriteBuffer, type PendingStream } from "./write-buffer.ts";

/** Files past their time are looked for this often. */
const FORGET_INTERVAL_MS = 3_600_000;
/** Lines gather this long before they are written together: a busy function writes thousands a second. Readers do not wait for it. */
const LOG_WRITE_DELAY_MS = 50;

export interface LogsOptions {
  /** `<data>/logs`. */
  readonly folder: string;
  readonly clock: Clock;
  /** Told what could not be written; logs have nobody else to tell. */
  readonly onTrouble: (message: string) => void;
  readonly groupBytesMax?: number;
}

export type LogListener = (event: LogEvent) => void;

/** A page of one stream. */
export interface StreamRead {
  readonly from?: Instant;
  readonly to?: Instant;
  /** Behind this place when forward, before it when backward; without it from the stream's start or end. */
  readonly at: Place | undefined;
  readonly direction: "forward" | "backward";
  readonly limit: number;
}

export interface GroupSearch {
  /** All streams when neither is given. */
  readonly streams?: readonly string[] | undefined;
  readonly streamPrefix?: string | undefined;
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  readonly pattern?: string | undefined;
  readonly after?: EventKey | undefined;
  readonly newestFirst?: boolean | undefined;
  readonly limit: number;
}

/** Opens the logs in `folder`, forgetting what is past its time then and every hour. */
export async function openLogs(options: LogsOptions): Promise<Logs> {
  const logs = new Logs(options);
  await logs.load();
  return logs;
}

export class Logs {
  readonly #options: LogsOptions;
  readonly #groups = new Map<string, LogGroup>();
  readonly #followers = new Map<string, Set<LogListener>>();
  readonly #buffer = new WriteBuffer();
  /** Everything that changes files follows one another. */
  #turn: Promise<void> = Promise.resolve();
  #writeTimer: Timer | undefined;
  #forgetTimer: Timer | undefined;

  constructor(options: LogsOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    for (const realmFolder of await readdir(this.#options.folder)) {
      const [account = "", region = ""] = realmFolder.split(".");
      const folder = join(this.#options.folder, realmFolder);
      for (const name of await readdir(folder).catch(() => [])) {
        const group = await LogGroup.load({ account, region }, join(folder, name));
        if (group) this.#groups.set(groupKey(group.realm, group.settings.name), group);
      }
    }
    this.#planForgetting();
  }

  /** Takes events for writing and returns at once; group and stream are made when absent. False when some were dropped. */
  write(realm: Realm, group: string, stream: string, events: readonly NewLogEvent[]): boolean {
    const taken = this.#buffer.add({ realm, group, stream }, events, this.#options.clock.now());
    this.#writeTimer ??= this.#options.clock.schedule(LOG_WRITE_DELAY_MS, () => void this.flush());
    return taken;
  }

  /** Resolves when everything taken so far is in its file. */
  flush(): Promise<void> {
    this.#writeTimer?.cancel();
    this.#writeTimer = undefined;
    return this.#inTurn(() => this.#writeAll());
  }

  /** Calls `listener` for each event of the group from now on, as it is written. Returns the function that ends it. */
  follow(realm: Realm, group: string, listener: LogListener): () => void {
    const key = groupKey(realm, group);
    const listeners = this.#followers.get(key) ?? new Set();
    this.#followers.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#followers.get(key) === listeners) this.#followers.delete(key);
    };
  }

  /** The realm's groups, by name. */
  async groups(realm: Realm): Promise<LogGroup[]> {
    await this.flush();
    const groups = [...this.#groups.values()].filter((group) => realmKey(group.realm) === realmKey(realm));
    return groups.sort((left, right) => (left.settings.name < right.settings.name ? -1 : 1));
  }

  /** Throws `NotFound`. */
  async group(realm: Realm, name: string): Promise<LogGroup> {
    await this.flush();
    return this.#find(realm, name);
  }

  createGroup(realm: Realm, name: string, tags: Readonly<Record<string, string>>): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#groups.has(groupKey(realm, name))) throw new LambentError("AlreadyExists", `The log group ${name} exists.`);
      await this.#make(realm, name, tags);
    });
  }

  changeGroup(realm: Realm, name: string, change: (settings: GroupSettings) => GroupSettings): Promise<void> {
    return this.#inTurn(async () => {
      const group = this.#find(realm, name);
      await group.change(change(group.settings));
    });
  }

  /** Removes the group with all its streams. Lines written afterwards make it anew. */
  deleteGroup(realm: Realm, name: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#writeAll();
      const group = this.#find(realm, name);
      this.#groups.delete(groupKey(realm, name));
      await group.remove();
    });
  }

  createStream(realm: Realm, groupName: string, name: string): Promise<void> {
    return this.#inTurn(async () => {
      const group = this.#find(realm, groupName);
      if ((await group.streams()).has(name)) throw new LambentError("AlreadyExists", `The log stream ${name} exists.`);
      await group.findOrMakeStream(name, this.#options.clock.now());
    });
  }

  deleteStream(realm: Realm, groupName: string, name: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#writeAll();
      const streams = await this.#find(realm, groupName).streams();
      await findStream(streams, name).remove();
      streams.delete(name);
    });
  }

  /** A page of one stream's events, oldest first, in the order they came. Throws `NotFound`. */
  async read(realm: Realm, groupName: string, streamName: string, page: StreamRead): Promise<LogEvent[]> {
    const stream = findStream(await (await this.group(realm, groupName)).streams(), streamName);
    const forward = page.direction === "forward";
    const found: LogEvent[] = [];
    for (const segment of forward ? [...stream.segments] : stream.segments.toReversed()) {
      if (page.at && (forward ? segment.number < page.at.segment : segment.number > page.at.segment)) continue;
      const events = await stream.read(segment);
      for (const event of forward ? events : events.toReversed()) {
        if (found.length === page.limit) break;
        if (isWanted(event, page)) found.push(event);
      }
      if (found.length === page.limit) break;
    }
    return forward ? found : found.reverse();
  }

  /** A page of matching events over a group's streams, by time. Throws `NotFound`, `InvalidParameter` for the pattern. */
  async search(realm: Realm, groupName: string, wanted: GroupSearch): Promise<LogEvent[]> {
    const matches = compileFilterPattern(wanted.pattern ?? "");
    const streams = await (await this.group(realm, groupName)).streams();
    return search({
      streams: wanted.streams
        ? wanted.streams.map((name) => findStream(streams, name))
        : [...streams.values()].filter((stream) => stream.name.startsWith(wanted.streamPrefix ?? "")),
      from: wanted.from ?? 0,
      to: wanted.to ?? Number.POSITIVE_INFINITY,
      matches,
      after: wanted.after,
      newestFirst: wanted.newestFirst ?? false,
      limit: wanted.limit,
    });
  }

  async close(): Promise<void> {
    this.#forgetTimer?.cancel();
    await this.flush();
  }

  #find(realm: Realm, name: string): LogGroup {
    const group = this.#groups.get(groupKey(realm, name));
    if (!group)
      throw new LambentError("NotFound", `The log group ${name} does not exist in account ${realm.account}, region ${realm.region}.`);
    return group;
  }

  async #make(realm: Realm, name: string, tags: Readonly<Record<string, string>>): Promise<LogGroup> {
    const folder = join(this.#options.folder, realmKey(realm), fileNameOf(name));
    const group = await LogGroup.create(realm, folder, { name, createdAt: this.#options.clock.now(), retentionDays: undefined, tags });
    this.#groups.set(groupKey(realm, name), group);
    return group;
  }

  async #writeAll(): Promise<void> {
    for (const pending of this.#buffer.take()) {
      try {
        this.#tellFollowers(pending, await this.#writeOne(pending));
        this.#buffer.recycle(pending);
      } catch (error) {
        this.#options.onTrouble(
          `${pending.lines} log lines of ${pending.group} were not written: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }

  async #writeOne(pending: PendingStream): Promise<WrittenLines[]> {
    const now = this.#options.clock.now();
    const { realm, group: groupName, stream: streamName, dropped } = pending;
    const group = this.#groups.get(groupKey(realm, groupName)) ?? (await this.#make(realm, groupName, {}));
    const stream = await group.findOrMakeStream(streamName, now);
    const message = `${dropped} log lines were dropped: they came faster than they could be written.\n`;
    if (dropped > 0) addLine(pending, { timestamp: now, message }, now);
    return stream.append(pending.text.content(), { first: pending.first, last: pending.last }, now);
  }

  #tellFollowers({ realm, group, stream }: PendingStream, written: readonly WrittenLines[]): void {
    const followers = this.#followers.get(groupKey(realm, group));
    if (!followers) return;
    for (const { bytes, place } of written)
      for (const event of decodeLines(bytes, stream, place)) for (const listener of followers) listener(event);
  }

  #planForgetting(): void {
    this.#forgetTimer = this.#options.clock.schedule(FORGET_INTERVAL_MS, () => {
      void this.#inTurn(() => this.#forgetAll());
      this.#planForgetting();
    });
  }

  async #forgetAll(): Promise<void> {
    for (const group of this.#groups.values()) {
      await group.forget(this.#options.clock.now(), this.#options.groupBytesMax ?? LOG_GROUP_BYTES_MAX).catch((error: unknown) => {
        this.#options.onTrouble(
          `Old logs of ${group.settings.name} were not removed: ${error instanceof Error ? error.message : String(error)}`,
        );
      });
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function isWanted(event: LogEvent, { from, to, at, direction }: StreamRead): boolean {
  if (event.timestamp < (from ?? 0) || event.timestamp >= (to ?? Number.POSITIVE_INFINITY)) return false;
  if (!at) return true;
  const order = comparePlaces(event.place, at);
  return direction === "forward" ? order > 0 : order < 0;
}

function findStream(streams: ReadonlyMap<string, LogStream>, name: string): LogStream {
  const stream = streams.get(name);
  if (!stream) throw new LambentError("NotFound", `The log stream ${name} does not exist.`);
  return stream;
}

function groupKey(realm: Realm, name: string): string {
  return `${realmKey(realm)}/${name}`;
}
