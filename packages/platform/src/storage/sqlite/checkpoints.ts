/** Bytes a page takes in the write-ahead log: the page and the frame's header. */
export const FRAME_BYTES = 4_120;

/** The log is started from its beginning once it is longer than this and little is left to copy. */
export const WAL_SOFT_BYTES = 32 * 1024 * 1024;
/** What may be left to copy when the writer starts the log anew: it copies that itself, while commits wait. */
export const WAL_LAG_BYTES_MAX = 8 * 1024 * 1024;
/** At this length the writer starts the log anew whatever is left to copy (P7): the disk space it may take. */
export const WAL_BYTES_MAX = 256 * 1024 * 1024;

/** Its length while a backup reads, and until what was written meanwhile is copied; a backup that would pass it ends (P7). */
export const WAL_HELD_BYTES_MAX = 1024 * 1024 * 1024;

/** What the owner knows of the write-ahead log. */
export interface LogFill {
  readonly frames: number;
  /** Of those, how many are copied into the database. */
  readonly copiedFrames: number;
  /** The checkpointer is copying now. */
  readonly copying: boolean;
  /** The bound in force. */
  readonly bytesMax: number;
  /** Somebody reads what it held at one moment: beginning anew would wait for them, and commits with it. */
  readonly held: boolean;
}

/** Before each transaction: whether the writer starts the log anew, and whether the checkpointer is to copy. */
export function decideCheckpoint(fill: LogFill): { readonly restart: boolean; readonly copy: boolean } {
  const bytes = fill.frames * FRAME_BYTES;
  const lag = (fill.frames - fill.copiedFrames) * FRAME_BYTES;
  const restart = !fill.held && (bytes > fill.bytesMax || (!fill.copying && bytes > WAL_SOFT_BYTES && lag < WAL_LAG_BYTES_MAX));
  return { restart, copy: !restart && !fill.copying && lag > WAL_LAG_BYTES_MAX / 4 };
}
