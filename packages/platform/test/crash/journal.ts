/** What a driver says while it works: a line before each call and one behind each answer, in one write each. */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import type { SettleOutcome } from "../../src/storage/index.ts";
import type { ObjectEntry } from "./object-journal.ts";
import type { StreamEntry } from "./stream-journal.ts";

/** Lists of the driver. Items of `crossed` come from `fair` only, through its outgoing items. */
export const LIST_NAMES = ["fifo", "fair", "crossed"] as const;
export type ListName = (typeof LIST_NAMES)[number];

export const cellOf = (list: ListName): string => `000000000000.us-east-1/queue/${list}/0`;

/** `unsure`: SQS answers that a message is deleted also when the lease was over and it was not. */
type Outcome = SettleOutcome["kind"] | "unsure";

export type Entry =
  | { readonly kind: "ready" }
  | { readonly kind: "sending"; readonly list: ListName; readonly ids: readonly string[] }
  | { readonly kind: "sent"; readonly list: ListName; readonly ids: readonly string[] }
  /** `until` is no later than when the lease ends, `at` no earlier than when it began. */
  | { readonly kind: "leased"; readonly list: ListName; readonly ids: readonly string[]; readonly until: number; readonly at: number }
  | { readonly kind: "body"; readonly id: string; readonly what: string }
  /** `followUp` is enqueued in the same commit. */
  | { readonly kind: "settling"; readonly list: ListName; readonly id: string; readonly followUp?: string | undefined }
  | {
      readonly kind: "settled";
      readonly list: ListName;
      readonly id: string;
      readonly followUp?: string | undefined;
      readonly outcome: Outcome;
    }
  | { readonly kind: "releasing"; readonly list: ListName; readonly id: string }
  | { readonly kind: "kept"; readonly digest: string }
  /** A file of an object. */
  | { readonly kind: "keptFile"; readonly file: string }
  /** A function with code of its own. */
  | { readonly kind: "made"; readonly name: string }
  /** Events on the default bus, by what they say. */
  | { readonly kind: "putting"; readonly ids: readonly string[] }
  /** Their event ids, in the same order. */
  | { readonly kind: "put"; readonly ids: readonly string[]; readonly eventIds: readonly string[] }
  | { readonly kind: "object"; readonly entry: ObjectEntry }
  | { readonly kind: "stream"; readonly entry: StreamEntry }
  /** The store refuses everything. */
  | { readonly kind: "stopped" };

const FULL_PIPE_MS = 2;
const NOTHING = new Int32Array(new SharedArrayBuffer(4));

/** Says entries into a descriptor, a pipe or a file; nothing is kept back. */
export class JournalWriter {
  readonly #descriptor: number;
  lines = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  say(entry: Entry): void {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    for (let written = 0; written < line.length;) written += this.#write(line.subarray(written));
    this.lines += 1;
  }

  /** A full pipe whose reader is slow is waited for: everything here stands still meanwhile, as with a file. */
  #write(bytes: Uint8Array): number {
    try {
      return writeSync(this.#descriptor, bytes);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Atomics.wait(NOTHING, 0, 0, FULL_PIPE_MS);
      return 0;
    }
  }
}

/** Entries of a journal; a last line that was cut is none. */
export function parseJournal(text: string): Entry[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);
}

/** `<producer>.<number>`; each producer's items are one group of the list `fifo`. */
export function itemId(producer: string, number: number): string {
  return `${producer}.${number}`;
}

export const groupOf = (id: string): string => id.slice(0, id.indexOf("."));
export const numberOf = (id: string): number => Number.parseInt(id.slice(id.indexOf(".") + 1), 10);
/** Items of this producer go to another cell. */
export const CROSSING_PRODUCER = "crossing";
export const isCrossing = (id: string): boolean => groupOf(id) === CROSSING_PRODUCER;

/** An item's body follows from its id: mostly small, each sixteenth as long as several pages. */
export function bodyOf(id: string): Buffer {
  const digest = createHash("sha256").update(id).digest();
  const bytes = digest.readUInt8(0) % 16 === 0 ? 20_000 : 16 + (digest.readUInt16LE(1) % 2_000);
  return Buffer.alloc(bytes, `${id} ${digest.toString("hex")} `);
}

/** Whose the driver's files are. */
export const FILES_OWNER = "bucket";

/** A body, of the blobs or an object: larger than what one write takes to a page. */
export function blobOf(seed: string): Buffer {
  return Buffer.alloc(9_000 + (seed.length % 7) * 1_000, createHash("sha256").update(seed).digest());
}
