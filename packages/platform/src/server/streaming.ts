/**
 * Streams and what stands on their logs alone: consumer groups, and who serves Kafka's clients. Loaded and opened right behind a start where
 * there is a stream, or at its first use when that comes before.
 */
import { type Clock, Later, type SecureRandom, seededRandom } from "../base/index.ts";
import type { Store } from "../storage/index.ts";
import type { ConsumerGroups, Streams } from "../streams/index.ts";
import type { Opened } from "./opened.ts";

export interface Streaming {
  readonly streams: Streams;
  readonly groups: ConsumerGroups;
  close(): Promise<void>;
}

export interface StreamingParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly reportDefect: (error: unknown) => void;
}

export function openStreamingLater(opened: Opened, parts: StreamingParts): Later<Streaming> {
  const later = new Later(() => openStreaming(parts));
  opened.push(() => later.close((open) => open.close()));
  return later;
}

async function openStreaming({ store, clock, secureRandom, reportDefect }: StreamingParts): Promise<Streaming> {
  const { openConsumerGroups, openStreams } = await import("../streams/index.ts");
  const onProblem = reportDefect;
  const random = seededRandom(secureRandom.bytes(4).readUInt32LE(0));
  const streams = await openStreams({ store, clock, random, secureRandom, onProblem });
  const groups = await openConsumerGroups({ store, clock, secureRandom, onProblem, streams });
  void streams.resume().catch(reportDefect);
  return {
    ...{ streams, groups },
    async close() {
      await groups.close();
      await streams.close();
    },
  };
}
