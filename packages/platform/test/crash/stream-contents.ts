import { isLambentError } from "../../src/base/index.ts";
import type { Realm } from "../../src/model/index.ts";
import { readRecords, type Streams } from "../../src/streams/index.ts";
import type { PartitionContents } from "./stream-history.ts";

const READ_BYTES_MAX = 1_048_576;

/** Everything that a stream holds, partition by partition; nothing where there is none. */
export async function contentsOf(streams: Streams, realm: Realm, stream: string): Promise<PartitionContents[]> {
  const contents: PartitionContents[] = [];
  for (const { number: shard } of streams.find(realm, stream)?.shards ?? []) {
    const partition = await streams.partition(realm, stream, shard);
    const { first, end } = partition;
    const records: { readonly offset: number; readonly text: string }[] = [];
    try {
      for (let next = first; next < end;) {
        const batches = await partition.read(next, { bytesMax: READ_BYTES_MAX });
        if (batches.length === 0) break;
        for (const batch of batches) {
          for (const { offset, value } of readRecords(batch)) if (offset >= next) records.push({ offset, text: String(value) });
          next = batch.lastOffset + 1;
        }
      }
    } catch (error) {
      // What is missing is seen by who compares.
      if (!isLambentError(error, "StorageCorrupt")) throw error;
    }
    contents.push({ stream, shard, first, end, records });
  }
  return contents;
}

/** The values of all its records. */
export function textsOf(contents: readonly PartitionContents[]): string[] {
  return contents.flatMap(({ records }) => records.map(({ text }) => text));
}
