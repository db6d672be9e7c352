/**
 * Memory of buffers that are done with. A stream makes a buffer for each chunk, and each is garbage a moment later; V8 counts their bytes, but lets
 * tens of megabytes gather before it looks, and then goes through everything. Whoever lets large bodies pass says here how much went by: each so many
 * bytes the young generation is collected, which finds all of it, takes about a millisecond, and leaves V8 nothing to do.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Buffers' bytes that may be garbage before they are collected. */
const GARBAGE_BYTES_MAX = 16 * 1_024 * 1_024;

type Collect = (options: { readonly type: "minor"; readonly execution: "sync" }) => void;

let collect: Collect | undefined;
/** One for the process, as its heap is. */
let passedBytes = 0;

/** Chunks of so many bytes in all were made, and are or will soon be done with. */
export function bytesPassed(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes < GARBAGE_BYTES_MAX) return;
  passedBytes = 0;
  collect ??= collector();
  collect({ type: "minor", execution: "sync" });
}

/** The flag makes it known to contexts that are made from then on; it stays unknown to everybody else. */
function collector(): Collect {
  setFlagsFromString("--expose-gc");
  try {
    return runInNewContext("gc") as Collect;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
