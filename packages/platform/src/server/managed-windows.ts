import { type Clock, type Later, type SecureRandom, seededRandom } from "../base/index.ts";
import type { Invoker } from "../invoker/index.ts";
import type { Cipher } from "../model/index.ts";
import type { EgressToAll } from "../security/index.ts";
import type { Store } from "../storage/index.ts";
import { openWindows, type Windows } from "../windows/index.ts";
import type { Events } from "./events.ts";
import { variableNamed } from "./stream-source.ts";
import type { Streaming } from "./streaming.ts";

export interface WindowsJoin {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly streaming: Later<Streaming>;
  readonly events: Events;
  readonly invoker: Invoker;
  readonly cipher: Cipher;
  readonly egress: EgressToAll;
  readonly retryTimeFactor: number;
  readonly reportDefect: (error: unknown) => void;
}

/** Joins managed windows to the streams that they read, and to all that their results go to; they begin to work at once. */
export async function joinWindows({ store, clock, secureRandom, streaming, events, invoker, ...parts }: WindowsJoin): Promise<Windows> {
  const { retryTimeFactor, reportDefect, cipher, egress } = parts;
  const { streams } = await streaming.get();
  const windows = await openWindows({
    ...{ store, clock, secureRandom, streams, retryTimeFactor, onProblem: reportDefect },
    random: seededRandom(secureRandom.bytes(4).readUInt32LE(0)),
    invoke: (call) => invoker.invoke({ ...call, traceId: undefined, clientContext: undefined, stream: undefined, wantsTail: false }),
    outside: { cipher, egress, environment: variableNamed },
    targets: async () => (await events.distribution.get()).targets,
  });
  void windows.resume().catch(reportDefect);
  return windows;
}
