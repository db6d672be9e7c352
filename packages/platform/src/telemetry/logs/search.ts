import type { Instant } from "../../base/index.ts";
import type { Matcher } from "../filter/terms.ts";
import { compareEvents, type EventKey, type LogEvent } from "./event.ts";
import type { LogStream, Segment } from "./log-stream.ts";

export interface Search {
  readonly streams: readonly LogStream[];
  /** Inclusive. */
  readonly from: Instant;
  /** Exclusive. */
  readonly to: Instant;
  readonly matches: Matcher;
  /** Only events behind this one, in the order asked for. */
  readonly after: EventKey | undefined;
  readonly newestFirst: boolean;
  /** Events of one page. */
  readonly limit: number;
}

/**
 * The first `limit` matching events over all streams, in the order of `compareEvents` or its reverse, whatever order
 * they came in. Memory is bounded by the page and one segment; segments wholly outside the range, or behind a full
 * page, are not read.
 */
export async function search({ streams, from, to, matches, after, newestFirst, limit }: Search): Promise<LogEvent[]> {
  const direction = newestFirst ? -1 : 1;
  const order = (left: EventKey, right: EventKey): number => direction * compareEvents(left, right);
  const files = streams.flatMap((stream) => stream.segments.map((segment) => ({ stream, segment })));
  files.sort((left, right) => direction * (startOf(left.segment) - startOf(right.segment)));
  let page: LogEvent[] = [];
  for (const { stream, segment } of files) {
    if (segment.span && (segment.span.last < from || segment.span.first >= to)) continue;
    if (segment.span && page.length === limit && isBehind(segment.span, page.at(-1), newestFirst)) continue;
    const found = (await stream.read(segment)).filter(
      (event) => event.timestamp >= from && event.timestamp < to && (!after || order(event, after) > 0) && matches(event.message),
    );
    page = [...page, ...found].sort(order).slice(0, limit);
  }
  return page;
}

/** True when no event of the segment can come before the page's last. */
function isBehind(span: NonNullable<Segment["span"]>, last: EventKey | undefined, newestFirst: boolean): boolean {
  if (!last) return false;
  return newestFirst ? span.last < last.timestamp : span.first > last.timestamp;
}

function startOf(segment: Segment): Instant {
  return segment.span?.first ?? segment.number;
}
