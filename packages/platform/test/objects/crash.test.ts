import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LambentError } from "../../src/base/index.ts";
import { type Bucket, NO_ATTRIBUTES } from "../../src/objects/index.ts";
import { bytesOf, CALLER, inChunks, large, ObjectsWorld, put, upload } from "./world.ts";

/** What is done to one key: each of its own, so that they go on at once. `undefined`: the key is not there. */
interface Step {
  readonly name: string;
  /** How the key is before. */
  readonly prepare?: (bucket: Bucket, key: string) => Promise<unknown>;
  readonly before: string | undefined;
  readonly run: (bucket: Bucket, key: string) => Promise<unknown>;
  readonly after: string | undefined;
}

const [OLD, NEW] = [large("old"), large("new")];
const ROW = "a row";
const copy = async (bucket: Bucket, key: string): Promise<unknown> =>
  bucket.copyFrom({ bucket, found: await bucket.get("source") }, key, NO_ATTRIBUTES, { caller: CALLER });
const remove = (bucket: Bucket, key: string): Promise<unknown> => bucket.delete(key, { caller: CALLER });
const putRow = (bucket: Bucket, key: string): Promise<unknown> => put(bucket, key, ROW);
const putOld = (bucket: Bucket, key: string): Promise<unknown> => put(bucket, key, OLD);
const putNew = (bucket: Bucket, key: string): Promise<unknown> => put(bucket, key, inChunks(NEW));
const uploadOld = (bucket: Bucket, key: string): Promise<unknown> => upload(bucket, key, OLD);
const uploadNew = (bucket: Bucket, key: string): Promise<unknown> => upload(bucket, key, NEW);
const removeLast = async (bucket: Bucket, key: string): Promise<unknown> =>
  bucket.delete(key, { caller: CALLER, versionId: (await bucket.get(key)).object.versionId });

const [old, fresh] = [OLD.toString(), NEW.toString()];
const STEPS: readonly Step[] = [
  { name: "a row is stored", before: undefined, run: putRow, after: ROW },
  { name: "a file is stored", before: undefined, run: putNew, after: fresh },
  { name: "a file replaces a file", prepare: putOld, before: old, run: putNew, after: fresh },
  { name: "a row replaces parts", prepare: uploadOld, before: old, run: putRow, after: ROW },
  { name: "parts replace a file", prepare: putOld, before: old, run: uploadNew, after: fresh },
  { name: "a file is deleted", prepare: putOld, before: old, run: remove, after: undefined },
  { name: "parts are deleted", prepare: uploadOld, before: old, run: remove, after: undefined },
  { name: "a copy is stored", before: undefined, run: copy, after: "s".repeat(20_000) },
  { name: "a copy replaces a file", prepare: putOld, before: old, run: copy, after: "s".repeat(20_000) },
];

const VERSIONED_STEPS: readonly Step[] = [
  ...STEPS,
  { name: "a version is removed", prepare: putOld, before: old, run: removeLast, after: undefined },
  {
    name: "a version takes its place",
    prepare: async (bucket, key) => (await putNew(bucket, key), putOld(bucket, key)),
    before: old,
    run: removeLast,
    after: fresh,
  },
];

type Stop = "before" | "after";

/** Lets the world do so many steps on rows and files, stops it there, and says whether there were more. */
function stopAt(world: ObjectsWorld, count: number, stop: Stop): () => boolean {
  let left = count;
  let stopped = false;
  const isNext = (): boolean => {
    if (stopped) return true;
    stopped = left-- <= 0;
    return stopped;
  };
  world.faults = ({ kind }) => (kind === "commit" && isNext() ? { kind: stop === "before" ? "stopBefore" : "stopAfter" } : undefined);
  world.onFiles = () => {
    if (isNext()) throw new LambentError("StorageStopped", "The power is cut.");
  };
  return () => stopped;
}

async function textNow(bucket: Bucket, key: string): Promise<string | undefined> {
  const found = await bucket.get(key).catch((error: unknown) => {
    if (error instanceof LambentError && error.code === "NotFound") return undefined;
    throw error;
  });
  return found && (await bytesOf(bucket, found)).toString();
}

/** One life that is cut short after `count` steps; false when nothing was left to cut. */
async function cut(steps: readonly Step[], versioned: boolean, count: number, stop: Stop): Promise<boolean> {
  const world = await ObjectsWorld.open();
  try {
    const bucket = await world.make("photos", versioned ? "enabled" : "off");
    await put(bucket, "source", large("s"));
    for (const { name, prepare } of steps) await prepare?.(bucket, name);
    await world.settle();
    const wasStopped = stopAt(world, count, stop);
    const ends = await Promise.allSettled(steps.map(({ name, run }) => run(bucket, name)));
    // Files that became loose go, or try to.
    await world.clock.advance(10_000);
    await bucket.cell.loose.settled();
    const cutShort = wasStopped();
    world.faults = () => undefined;
    world.onFiles = () => undefined;
    await world.crash();
    const again = await world.buckets.bucket("photos");
    for (const [index, { name, before, after }] of steps.entries()) {
      const now = await textNow(again, name);
      const label = `${name}, cut ${stop} step ${count}`;
      if (ends[index]?.status === "fulfilled") assert.equal(now, after, `${label}: what was answered is so`);
      else assert.ok(now === before || now === after, `${label}: it is as before or as after`);
    }
    await world.checkFilesOf("photos");
    return cutShort;
  } finally {
    world.faults = () => undefined;
    world.onFiles = () => undefined;
    await world.end();
  }
}

describe("a bucket whose server is stopped at any step", () => {
  for (const [title, steps, versioned, stop] of [
    ["without versions, before a commit", STEPS, false, "before"],
    ["with versions, behind a commit", VERSIONED_STEPS, true, "after"],
  ] as const)
    test(`${title}: what was answered is whole, and every file is one that a row refers to`, async () => {
      let count = 0;
      while (await cut(steps, versioned, count, stop)) count += 1;
      assert.ok(count > 10, `there were ${count} steps to stop at`);
    });

  test("one key after the other: each step alone leaves the same", async () => {
    for (const step of VERSIONED_STEPS) {
      let count = 0;
      while (await cut([step], true, count, count % 2 === 0 ? "after" : "before")) count += 1;
    }
  });
});
