/** What a stop at any commit leaves: an object that is whole or an upload that goes on, and no file that nothing knows of. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Fault } from "../../../src/storage/index.ts";
import { isLambentError } from "../../../src/base/index.ts";
import type { UploadedPart, Upload } from "../../../src/objects/multipart/index.ts";
import { CALLER, named, NO_ATTRIBUTES, UploadsWorld } from "./world.ts";

/** More than one commit clears. */
const PARTS = 103;

interface Done {
  readonly upload: Upload;
  /** Those whose upload was answered. */
  readonly parts: Map<number, UploadedPart>;
  asked: "nothing" | "complete" | "abort";
  ended?: true;
}

/** A part comes twice, one comes late, every seventh is not named. */
async function completeOne(world: UploadsWorld, done: Done): Promise<void> {
  const { upload, parts } = done;
  parts.set(2, await world.put(upload, 2, "two,"));
  parts.set(PARTS, await world.put(upload, PARTS, `${PARTS},`));
  done.asked = "complete";
  await world.complete(upload, chosenOf(done));
  done.ended = true;
  await world.cell.alone(() => Promise.resolve("stays"));
}

async function abortOne(world: UploadsWorld, done: Done): Promise<void> {
  done.asked = "abort";
  await world.uploads.abort("a", done.upload.id);
  done.ended = true;
  await world.cell.alone(() => Promise.resolve("stays"));
}

const chosenOf = ({ parts }: Done): UploadedPart[] => [...parts.values()].filter(({ number }) => number % 7 !== 0);
const contentOf = (done: Done): string =>
  chosenOf(done)
    .map(({ number }) => (number === 2 ? "two," : `${number},`))
    .join("");

/** Over an object of parts, an upload under way: runs `work`, which stops at its `stopAt`-th commit; tells how many there were. */
async function runUntil(
  t: TestContext,
  work: (world: UploadsWorld, done: Done) => Promise<void>,
  stopAt: number,
  fault: Fault,
): Promise<{ readonly world: UploadsWorld; readonly done: Done; readonly commits: number }> {
  const world = await UploadsWorld.open(t);
  const before = await world.begin("a");
  await world.complete(before, [await world.put(before, 1, "be"), await world.put(before, 2, "fore")]);
  const upload = await world.begin("a");
  const numbers = Array.from({ length: PARTS - 1 }, (_, index) => index + 1);
  const parts = await Promise.all(numbers.map((number) => world.put(upload, number, `${number},`)));
  const done: Done = { upload, parts: new Map(parts.map((part) => [part.number, part])), asked: "nothing" };
  let commits = 0;
  world.faults = ({ kind }) => (kind === "commit" && ++commits === stopAt ? fault : undefined);
  try {
    await work(world, done);
  } catch (error) {
    assert.ok(isLambentError(error, "StorageStopped"), String(error));
  }
  world.faults = () => undefined;
  return { world, done, commits };
}

/** After the stop: every file is known, and either the object is whole or the upload under way. */
async function checkAfter(world: UploadsWorld, done: Done): Promise<void> {
  await world.reopen();
  await world.checkFiles();
  const content = String(await world.content("a"));
  const isUnderWay = world.uploads.count === 1;
  if (done.ended) assert.equal(isUnderWay, false, "what was answered is so");
  assert.equal(content, isUnderWay || done.asked !== "complete" ? "before" : contentOf(done));
  if (isUnderWay) {
    const { parts } = await world.uploads.listParts("a", done.upload.id, { max: 1_000 });
    for (const { number } of done.parts.values())
      assert.ok(
        parts.some((part) => part.number === number),
        `part ${number} is there`,
      );
  }
  // Whoever was not told asks again.
  if (done.asked === "complete") {
    await world.complete(done.upload, chosenOf(done));
    assert.equal(String(await world.content("a")), contentOf(done));
  } else if (isUnderWay) await world.uploads.abort("a", done.upload.id);
  await world.settle();
  await world.checkFiles();
  assert.deepEqual([...(await world.rows("q/")), ...(await world.rows("c/left/")), ...(await world.loose())], []);
  assert.equal((await world.files()).length, done.asked === "complete" ? chosenOf(done).length : 2);
}

for (const [name, work] of [
  ["completing", completeOne],
  ["aborting", abortOne],
] as const) {
  test(`a stop at any commit of ${name} an upload leaves it whole or under way`, async (t) => {
    const { commits } = await runUntil(t, work, 0, { kind: "stopBefore" });
    assert.ok(commits >= 2, `${commits} commits`);
    for (let stopAt = 1; stopAt <= commits; stopAt += 1) {
      for (const kind of ["stopBefore", "stopAfter"] as const) {
        const { world, done } = await runUntil(t, work, stopAt, { kind });
        await checkAfter(world, done);
        await world.cell.close();
      }
    }
  });
}

test("a stop while what a stop left is cleared leaves it to the next opening", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a");
  const parts = [];
  for (let number = 1; number <= 2 * PARTS; number += 1) parts.push(await world.put(upload, number, `${number},`));
  let commits = 0;
  // The first one completes.
  world.faults = ({ kind }) => (kind === "commit" && ++commits === 2 ? { kind: "stopBefore" } : undefined);
  await world.complete(upload, parts.slice(1).map(named));
  await world.cell.alone(() => Promise.resolve("stays"));
  for (let stops = 0; stops < 10; stops += 1) {
    let left = 2;
    world.faults = ({ kind }) => (kind === "commit" && --left === 0 ? { kind: stops % 2 === 0 ? "stopAfter" : "stopBefore" } : undefined);
    await world.reopen().catch((error: unknown) => assert.ok(isLambentError(error, "StorageStopped"), String(error)));
  }
  world.faults = () => undefined;
  await world.reopen();
  await world.checkFiles();
  assert.deepEqual([...(await world.rows("q/")), ...(await world.rows("c/left/"))], []);
  assert.equal((await world.files()).length, 2 * PARTS - 1);
  await world.bucket.put("a", NO_ATTRIBUTES, { source: Buffer.from("small") }, { caller: CALLER });
  await world.settle();
  assert.deepEqual(await world.files(), []);
});

test("what is left of an ended upload is cleared although the storage is busy at first", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a");
  for (let number = 1; number <= PARTS; number += 1) await world.put(upload, number, "x");
  let commits = 0;
  world.faults = ({ kind }) => (kind === "commit" && ++commits > 1 && commits < 5 ? { kind: "busy" } : undefined);
  await world.uploads.abort("a", upload.id);
  const idle = world.cell.alone(() => Promise.resolve("stays"));
  let isIdle = false;
  void idle.then(() => (isIdle = true));
  while (!isIdle) await world.clock.advance(100);
  assert.deepEqual([...(await world.rows("q/")), ...(await world.rows("c/left/"))], []);
  assert.ok(commits >= 5);
  assert.deepEqual(world.problems, []);
});
