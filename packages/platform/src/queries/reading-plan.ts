/** Which records of a stream a query reads. Pure. */

/** Records one stream gives a query, when nothing else is said. @limit */
export const QUERY_RECORDS_DEFAULT = 100_000;
/** The same, whatever is said. @limit */
export const QUERY_RECORDS_MAX = 1_000_000;
/** Bytes of records, as they are kept, that one stream gives a query. @limit */
export const QUERY_READ_BYTES_MAX = 128 * 1024 * 1024;

/** Which records are asked for. */
export type Range =
  /** The newest, as many as are read when nothing else is said. */
  | { readonly kind: "newest" }
  /** So many of the newest. */
  | { readonly kind: "last"; readonly records: number }
  /** Those made at or after this time, and of these the newest. */
  | { readonly kind: "since"; readonly at: number }
  /** From the oldest on. */
  | { readonly kind: "fromStart" };

/** What one partition has for the range. */
export interface Extent {
  readonly partition: number;
  /** The first offset of the range that is kept. */
  readonly first: number;
  readonly end: number;
  /** Bytes of the whole partition, and the records these are of. */
  readonly bytes: number;
  readonly records: number;
}

/** Offsets of one partition, the end exclusive. */
export interface Span {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

export interface Plan {
  readonly spans: readonly Span[];
  /** The range has more than is read. */
  readonly isCut: boolean;
}

/** Shares what may be read among the partitions, so that none is left out for another's sake. */
export function planReading(range: Range, extents: readonly Extent[]): Plan {
  const recordsMax = recordsMaxOf(range);
  const sizes = extents.map(({ first, end }) => end - first);
  const byRecords = shares(sizes, recordsMax);
  const bytes = extents.reduce((sum, extent, at) => sum + (byRecords[at] ?? 0) * bytesOfRecord(extent), 0);
  const fit = Math.min(1, QUERY_READ_BYTES_MAX / Math.max(1, bytes));
  const spans = extents.map(({ partition, first, end }, at): Span => {
    const count = Math.floor((byRecords[at] ?? 0) * fit);
    return range.kind === "fromStart" ? { partition, from: first, to: first + count } : { partition, from: end - count, to: end };
  });
  const planned = spans.reduce((sum, { from, to }) => sum + to - from, 0);
  const there = sizes.reduce((sum, size) => sum + size, 0);
  // Whoever asks for the last hundred and gets them was not cut.
  return { spans, isCut: planned < (range.kind === "last" ? Math.min(there, range.records) : there) };
}

function recordsMaxOf(range: Range): number {
  switch (range.kind) {
    case "newest":
      return QUERY_RECORDS_DEFAULT;
    case "last":
      return Math.min(range.records, QUERY_RECORDS_MAX);
    case "since":
    case "fromStart":
      return QUERY_RECORDS_MAX;
  }
}

function bytesOfRecord({ bytes, records }: Extent): number {
  return records === 0 ? 0 : bytes / records;
}

/** `max` shared among some, each of whom takes no more than it can use: what small ones leave, larger ones get. */
export function shares(sizes: readonly number[], max: number): number[] {
  const given = sizes.map(() => 0);
  let left = max;
  const bySize = sizes.map((size, at) => ({ size, at })).sort((a, b) => a.size - b.size);
  for (const [rank, { size, at }] of bySize.entries()) {
    const share = Math.min(size, Math.floor(left / (bySize.length - rank)));
    given[at] = share;
    left -= share;
  }
  return given;
}
