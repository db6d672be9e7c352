import { etagOf, type ObjectEntry } from "./object-journal.ts";

/** What a key may hold. */
interface Candidate {
  readonly call: number;
  readonly content: string | undefined;
  readonly begunAt: number;
  /** When its answer came, or its life ended. */
  endedAt: number | undefined;
  acknowledged: boolean;
}

/** One upload in parts. */
export interface KnownUpload {
  readonly key: string;
  /** Contents that each part may have; several where an answer was not heard. */
  readonly parts: Map<number, { readonly contents: Set<string>; acknowledged: boolean }>;
  /** `ending` where its end was asked for and nobody heard that it came. */
  state: "open" | "ending" | "ended";
  /** What its completion makes; undefined where it is aborted. */
  content: string | undefined;
}

export interface KnownObjectVersion {
  readonly key: string;
  readonly content: string;
  state: "kept" | "removing" | "removed";
}

/** A change of a key that was asked for, for what is told of it. */
export interface KnownChange {
  readonly key: string;
  readonly content: string | undefined;
  state: "unknown" | "acknowledged" | "refused";
  /** Nothing else was done to the key meanwhile, and it held something: a deletion is told then. */
  readonly replacesSurely: boolean;
}

interface Told {
  readonly etag: string | undefined;
  /** Ids; one that was received again is the same. */
  readonly messages: Set<string>;
}

/**
 * What is known of buckets from answers alone. Calls on one key may overlap: what a key holds is a register, and a value is out of it once a
 * change that began behind its end is known to have happened.
 */
export class ObjectHistory {
  readonly changes = new Map<number, KnownChange>();
  readonly versions = new Map<string, KnownObjectVersion>();
  readonly uploads = new Map<string, KnownUpload>();
  /** By event and key: sequencers, each with the ETag that was told and the messages that told it. */
  readonly told = new Map<string, Map<string, Told>>();
  readonly #keys = new Map<string, Candidate[]>();
  readonly #readers = new Set<{ readonly key: string; readonly possible: Set<string | undefined> }>();
  #time = 0;
  #hasRefused = false;

  get keys(): Iterable<string> {
    return this.#keys.keys();
  }

  /** Changes that were told with more than one message, which a queue may be when its sender is killed. */
  get toldAgain(): number {
    return [...this.told.values()].flatMap((told) => [...told.values()]).filter(({ messages }) => messages.size > 1).length;
  }

  /** Something was refused for want of room. */
  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  get nextCall(): number {
    return Math.max(0, ...this.changes.keys()) + 1;
  }

  /** What the key may hold now; `undefined` is nothing. */
  possible(key: string): Set<string | undefined> {
    return new Set(this.#keys.get(key)?.map(({ content }) => content) ?? [undefined]);
  }

  /** What whoever reads the key may find: what it may hold now, and what is put into it until he is done. */
  async reading(key: string, read: (possible: ReadonlySet<string | undefined>) => Promise<void>): Promise<void> {
    const reader = { key, possible: this.possible(key) };
    this.#readers.add(reader);
    try {
      await read(reader.possible);
    } finally {
      this.#readers.delete(reader);
    }
  }

  /** The process of the life before is gone: what it had not done by then it never does. */
  lifeBegins(): void {
    this.#time += 1;
    for (const candidates of this.#keys.values()) for (const candidate of candidates) candidate.endedAt ??= this.#time;
    this.#time += 1;
  }

  /** Returns how much was acknowledged. */
  add(entry: ObjectEntry): number {
    this.#time += 1;
    switch (entry.kind) {
      case "asked":
        this.#asked(entry);
        return 0;
      case "done":
        this.#settled(entry.call, "acknowledged");
        return 1;
      case "refused":
        this.#hasRefused = true;
        if (entry.call !== undefined) this.#settled(entry.call, "refused");
        return 0;
      case "kept":
        this.versions.set(entry.version, { key: entry.key, content: entry.content, state: "kept" });
        return 1;
      case "removing":
      case "removed":
        return this.#removed(entry.version, entry.kind);
      case "begun":
        this.uploads.set(entry.upload, { key: entry.key, parts: new Map(), state: "open", content: undefined });
        return 1;
      case "parting":
      case "parted":
        return this.#part(entry);
      case "ending":
      case "ended":
        return this.#ending(entry);
      case "told":
        this.#told(entry);
        return 0;
    }
  }

  #asked({ call, key, content }: Extract<ObjectEntry, { kind: "asked" }>): void {
    const candidates = this.#keys.get(key) ?? [{ call: 0, content: undefined, begunAt: 0, endedAt: 0, acknowledged: true }];
    const [only] = candidates;
    const replacesSurely = candidates.length === 1 && only?.content !== undefined && only.acknowledged;
    this.changes.set(call, { key, content, state: "unknown", replacesSurely });
    for (const reader of this.#readers) if (reader.key === key) reader.possible.add(content);
    this.#keys.set(key, [...candidates, { call, content, begunAt: this.#time, endedAt: undefined, acknowledged: false }]);
  }

  #settled(call: number, state: "acknowledged" | "refused"): void {
    const change = this.changes.get(call);
    if (!change) return;
    change.state = state;
    const candidates = this.#keys.get(change.key) ?? [];
    const candidate = candidates.find((each) => each.call === call);
    if (!candidate) return;
    candidate.endedAt = this.#time;
    candidate.acknowledged = state === "acknowledged";
    if (state === "acknowledged") this.#happened(change.key, candidate);
    else
      this.#keys.set(
        change.key,
        candidates.filter((each) => each !== candidate),
      );
  }

  /** Whatever had ended before it began is in the key no more. */
  #happened(key: string, { begunAt }: Candidate): void {
    const candidates = this.#keys.get(key) ?? [];
    this.#keys.set(
      key,
      candidates.filter(({ endedAt }) => endedAt === undefined || endedAt >= begunAt),
    );
  }

  #removed(version: string, state: "removing" | "removed"): number {
    const known = this.versions.get(version);
    if (known) known.state = state;
    return state === "removed" ? 1 : 0;
  }

  #part({ kind, upload, number, content }: Extract<ObjectEntry, { kind: "parting" | "parted" }>): number {
    const known = this.uploads.get(upload);
    const part = known?.parts.get(number);
    if (kind === "parting") {
      if (part) part.contents.add(content);
      else known?.parts.set(number, { contents: new Set([content]), acknowledged: false });
      return 0;
    }
    known?.parts.set(number, { contents: new Set([content]), acknowledged: true });
    return 1;
  }

  #ending(entry: Extract<ObjectEntry, { kind: "ending" | "ended" }>): number {
    const known = this.uploads.get(entry.upload);
    if (!known) return 0;
    known.state = entry.kind;
    if (entry.kind === "ending") known.content = entry.content;
    return entry.kind === "ended" ? 1 : 0;
  }

  /** That it is told proves that it happened. */
  #told({ event, key, etag, sequencer, message }: Extract<ObjectEntry, { kind: "told" }>): void {
    const name = `${event} ${key}`;
    const told = this.told.get(name) ?? new Map<string, Told>();
    this.told.set(name, told);
    const messages = told.get(sequencer)?.messages ?? new Set();
    told.set(sequencer, { etag, messages: messages.add(message) });
    if (etag === undefined) return;
    const isOfParts = etag.includes("-");
    const proven = this.#keys.get(key)?.find(({ content }) => content !== undefined && etagOf(content, isOfParts) === etag);
    if (proven) this.#happened(key, proven);
  }
}
