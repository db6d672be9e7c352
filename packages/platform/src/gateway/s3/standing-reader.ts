import type { ServerResponse } from "node:http";
import type { Clock } from "../../base/index.ts";

/** A client that takes nothing of its answer for this long, seen at the next check, is given up: files and connections are everybody's (P7). @limit */
export const READER_IDLE_MS_MAX = 120_000;

/** Cuts the streamed answer of a client that stands still. */
export function boundReader(response: ServerResponse, clock: Clock): void {
  let before = -1;
  const check = (): void => {
    const { socket } = response;
    if (!socket || response.closed) return;
    const taken = socket.bytesWritten - socket.writableLength;
    if (taken === before) return void response.destroy();
    before = taken;
    timer = clock.schedule(READER_IDLE_MS_MAX, check);
  };
  let timer = clock.schedule(READER_IDLE_MS_MAX, check);
  response.once("close", () => timer.cancel());
}
