import { createInterface } from "node:readline";

/** Texts one request takes along: the bound of SQS and of EventBridge. */
const BATCH_TEXTS_MAX = 10;
/** Bytes of all texts of one request: the bound of both. */
const BATCH_BYTES_MAX = 1_048_576;

/** The lines of standard input. */
export function lines(): AsyncIterable<string> {
  return createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
}

/** As many together as one request takes, each with `overheadBytes` beside it; empty lines are none. `textsMax`: where another request takes more. */
export async function* batches(
  texts: Iterable<string> | AsyncIterable<string>,
  overheadBytes = 0,
  textsMax = BATCH_TEXTS_MAX,
): AsyncGenerator<string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for await (const text of texts) {
    if (text === "") continue;
    const size = Buffer.byteLength(text) + overheadBytes;
    if (batch.length === textsMax || (batch.length > 0 && bytes + size > BATCH_BYTES_MAX)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(text);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
