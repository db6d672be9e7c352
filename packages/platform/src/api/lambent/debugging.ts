import { Readable } from "node:stream";
import type { FunctionVersion } from "../../model/index.ts";
import type { DebuggerNews, Inspections } from "../../runtime/index.ts";

/** Bytes held for whoever debugs and does not read; what comes then is not said (P7). */
const UNREAD_BYTES_MAX = 65_536;

/**
 * Puts a function under a debugger for as long as the answer is read: newline-delimited JSON that goes on until
 * `signal` aborts or the stream is destroyed. However the caller ends, the debugging ends with it.
 */
export async function debugFunction(
  inspections: Pick<Inspections, "open">,
  version: FunctionVersion,
  port: number,
  signal: AbortSignal,
): Promise<Readable> {
  const stream = new Readable({ read: () => undefined, highWaterMark: UNREAD_BYTES_MAX });
  const say = (line: object): void => {
    if (!stream.destroyed && stream.readableLength < UNREAD_BYTES_MAX) stream.push(`${JSON.stringify(line)}\n`);
  };
  const held = await inspections.open({ version, port, tell: (news) => say(lineOf(news)) });
  // Before any instance can have started: that takes a process.
  say({ debugging: version.name, address: held.address });
  const abort = (): void => {
    held.end();
    if (!stream.destroyed) stream.push(null);
  };
  stream.once("close", () => {
    signal.removeEventListener("abort", abort);
    held.end();
  });
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return stream;
}

function lineOf(news: DebuggerNews): object {
  return news.kind === "attachable" ? { debugger: news.protocol, instance: news.instanceId } : { missing: news.what };
}
