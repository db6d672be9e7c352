import { join } from "node:path";
import { freshSeed, seededRandom, systemClock, systemSecureRandom } from "../../packages/platform/src/base/index.ts";
import { type Bucket, Buckets, type Caller } from "../../packages/platform/src/objects/index.ts";
import { DATA_FOLDER_NAMES, openBodyFiles, openSqliteStore } from "../../packages/platform/src/storage/index.ts";

const REALM = { account: "000000000000", region: "us-east-1" };
export const WRITER: Caller = { principalId: "AIDAROOT", sourceAddress: "127.0.0.1", requestId: "r-1", traceHeader: undefined };

/** Buckets as a server has them in its data folder, without the server. Nobody is told of anything. */
export interface ObjectsOnDisk {
  readonly bucket: Bucket;
  /** One that was not given out before. */
  newKey(): string;
  close(): Promise<void>;
}

/** Opens the objects of a data folder that no server has open, with one bucket of this name in it. */
export async function openObjects(dataFolder: string, name = "objects"): Promise<ObjectsOnDisk> {
  const store = await openSqliteStore({ file: join(dataFolder, DATA_FOLDER_NAMES.store) });
  const buckets = await Buckets.open({
    ...{ store, bodies: await openBodyFiles(join(dataFolder, DATA_FOLDER_NAMES.objects)), retryTimeFactor: 1 },
    ...{ clock: systemClock, random: seededRandom(freshSeed(systemSecureRandom)), secureRandom: systemSecureRandom },
    notifier: { deliveries: () => [], testDeliveries: () => [] },
    onOpened: () => undefined,
    onProblem: (problem) => {
      throw problem;
    },
  });
  if (!buckets.find(name)) await buckets.create(REALM, name);
  let keys = 0;
  return {
    bucket: await buckets.bucket(name),
    newKey: () => `object-${keys++}`,
    async close() {
      await buckets.close();
      await store.close();
    },
  };
}
