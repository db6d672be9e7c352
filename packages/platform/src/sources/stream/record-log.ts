/** What a mapping asks of a log of records, wherever it is kept: streams of this server are ones, and so are topics of brokers elsewhere. */
import type { Instant } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { OffsetAndTime, ReadOptions, StoredBatch, StreamRecord } from "../../streams/index.ts";

/** One shard. */
export interface RecordLog {
  /** As it is now. */
  readonly stream: StreamRecord;
  readonly number: number;
  /** The oldest offset that can be read. */
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
  /** Whole batches from the one that holds `from`. Throws `OffsetOutOfRange` below `first`. */
  read(from: number, options: ReadOptions): Promise<readonly StoredBatch[]>;
  /** Resolves once `end > offset`, or nothing more is to be waited for. */
  wait(offset: number, signal?: AbortSignal): Promise<void>;
  offsetAt(time: Instant, by: "created" | "appended"): Promise<OffsetAndTime | undefined>;
}

export interface RecordLogs {
  /** Undefined while there is none of this name. */
  find(realm: Realm, name: string): StreamRecord | undefined;
  /** Throws `NotFound`. */
  partition(realm: Realm, name: string, number: number): Promise<RecordLog>;
  /** Returns what stops the listening. */
  onChanged(listener: (realm: Realm, name: string) => void): () => void;
  /** Why it is not known whether there is one. */
  readonly problem?: string | undefined;
}
