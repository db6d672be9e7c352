import { appendFile, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Instant } from "../../base/index.ts";
import { decodeEvent, type LogEvent, type Place } from "./event.ts";
import type { Span } from "./write-buffer.ts";

/** A stream's file is begun anew at this size: what is read, searched and forgotten at once. */
export const LOG_SEGMENT_BYTES_MAX = 4 * 1024 * 1024;

const LINE_FEED = 0x0a;

/** Lines of one write, and the place of their first byte. */
export interface WrittenLines {
  readonly bytes: Buffer;
  readonly place: Place;
}

/** One file of a stream. */
export interface Segment {
  readonly number: number;
  bytes: number;
  /** Timestamps of its events; `undefined` for one of an earlier run that was not read yet. */
  span: Span | undefined;
  lastIngestedAt: Instant;
}

const SEGMENT_NAME = /^(\d{1,15})\.jsonl$/;
const HEADER_NAME = "stream.json";

/** One stream of a group: a folder of append-only files, one line an event, in the order they came. */
export class LogStream {
  readonly name: string;
  readonly createdAt: Instant;
  readonly #folder: string;
  /** In their order. Files of an earlier run are never appended to: their last line may be half written. */
  segments: Segment[];
  #appendable: Segment | undefined;

  private constructor(name: string, createdAt: Instant, folder: string, segments: Segment[]) {
    this.name = name;
    this.createdAt = createdAt;
    this.#folder = folder;
    this.segments = segments;
  }

  static async create(folder: string, name: string, now: Instant): Promise<LogStream> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await appendFile(join(folder, HEADER_NAME), JSON.stringify({ name, createdAt: now }), { mode: 0o600, flag: "w" });
    return new LogStream(name, now, folder, []);
  }

  /** `undefined` for a folder whose making was cut short. */
  static async load(folder: string): Promise<LogStream | undefined> {
    const header = await readHeader(folder);
    if (!header) return undefined;
    const segments: Segment[] = [];
    for (const file of await readdir(folder)) {
      const number = SEGMENT_NAME.exec(file)?.[1];
      if (number === undefined) continue;
      const { size, mtimeMs } = await stat(join(folder, file));
      segments.push({ number: Number(number), bytes: size, span: undefined, lastIngestedAt: Math.floor(mtimeMs) });
    }
    return new LogStream(
      header.name,
      header.createdAt,
      folder,
      segments.sort((left, right) => left.number - right.number),
    );
  }

  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get lastIngestedAt(): Instant | undefined {
    return this.segments.at(-1)?.lastIngestedAt;
  }

  /** Writes lines behind all others, in as many files as their bound asks for; resolves with where they are read from now on. */
  async append(lines: Buffer, span: Span, now: Instant): Promise<WrittenLines[]> {
    const written: WrittenLines[] = [];
    for (let left = lines; left.length > 0;) {
      const segment = this.#openSegment(now);
      const part = left.subarray(0, endOfLine(left, LOG_SEGMENT_BYTES_MAX - segment.bytes));
      written.push({ bytes: part, place: { segment: segment.number, offset: segment.bytes } });
      await this.#write(segment, part, span, now);
      left = left.subarray(part.length);
    }
    return written;
  }

  /** All events of one segment, in the order they came. */
  async read(segment: Segment): Promise<LogEvent[]> {
    const events = [...decodeLines(await this.#readFile(segment), this.name, { segment: segment.number, offset: 0 })];
    segment.span ??= spanOf(events);
    return events;
  }

  /** First and last timestamps of the stream; reads its outermost segments if they were not read yet. */
  async span(): Promise<Span | undefined> {
    const [first, last] = [this.segments[0], this.segments.at(-1)];
    for (const segment of [first, last]) if (segment && !segment.span) await this.read(segment);
    if (!first?.span || !last?.span) return undefined;
    return { first: first.span.first, last: last.span.last };
  }

  async removeOldest(): Promise<void> {
    const oldest = this.segments.shift();
    if (!oldest) return;
    if (this.#appendable === oldest) this.#appendable = undefined;
    await rm(join(this.#folder, `${oldest.number}.jsonl`), { force: true });
  }

  async remove(): Promise<void> {
    this.segments = [];
    this.#appendable = undefined;
    await rm(this.#folder, { recursive: true, force: true });
  }

  #openSegment(now: Instant): Segment {
    if (this.#appendable && this.#appendable.bytes < LOG_SEGMENT_BYTES_MAX) return this.#appendable;
    const segment: Segment = {
      number: Math.max(now, (this.segments.at(-1)?.number ?? 0) + 1),
      bytes: 0,
      span: undefined,
      lastIngestedAt: now,
    };
    this.segments.push(segment);
    this.#appendable = segment;
    return segment;
  }

  async #write(segment: Segment, lines: Buffer, span: Span, now: Instant): Promise<void> {
    try {
      await appendFile(join(this.#folder, `${segment.number}.jsonl`), lines, { mode: 0o600 });
    } catch (error) {
      // Part of it may have been written: places in this file are not known any more.
      this.#appendable = undefined;
      throw error;
    }
    segment.bytes += lines.length;
    segment.lastIngestedAt = now;
    segment.span = segment.span ? { first: Math.min(segment.span.first, span.first), last: Math.max(segment.span.last, span.last) } : span;
  }

  async #readFile(segment: Segment): Promise<Buffer> {
    const file = await open(join(this.#folder, `${segment.number}.jsonl`), "r").catch(() => undefined);
    if (!file) return Buffer.alloc(0);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(segment.bytes), 0, segment.bytes, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

/** The events in `bytes`, of which the first byte is at `place`; what a crash left half written is passed over. */
export function* decodeLines(bytes: Buffer, stream: string, { segment, offset }: Place): Generator<LogEvent> {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(LINE_FEED, start);
    if (end < 0) return;
    const event = decodeEvent(bytes.toString("utf8", start, end), stream, { segment, offset: offset + start });
    if (event) yield event;
    start = end + 1;
  }
}

/** Where the line ends that holds byte `at` of `lines`; never the start, so that a line over the bound is written too. */
function endOfLine(lines: Buffer, at: number): number {
  const end = lines.indexOf(LINE_FEED, Math.max(0, at - 1));
  return end < 0 ? lines.length : end + 1;
}

/** Orders places within a stream. */
export function comparePlaces(left: Place, right: Place): number {
  return left.segment - right.segment || left.offset - right.offset;
}

function spanOf(events: readonly LogEvent[]): Span | undefined {
  if (events.length === 0) return undefined;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { timestamp } of events) {
    first = Math.min(first, timestamp);
    last = Math.max(last, timestamp);
  }
  return { first, last };
}

async function readHeader(folder: string): Promise<{ name: string; createdAt: Instant } | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, HEADER_NAME), "utf8")) as { name: string; createdAt: Instant };
  } catch {
    return undefined;
  }
}
