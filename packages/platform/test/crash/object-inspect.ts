/** What is left of buckets behind a kill: opened with the server's own parts, gone on with, and compared with what clients heard. */
import { isLambentError, ManualClock, systemClock } from "../../src/base/index.ts";
import type { Bucket, Caller, FoundObject } from "../../src/objects/index.ts";
import { verifyStoppedFolder } from "../../src/server/index.ts";
import { REALM } from "../simulation/application.ts";
import { type Life, resumeLife } from "../simulation/life.ts";
import { allRecords, openFolderFunctions, openServerLife, rests } from "./chain-inspect.ts";
import { CHECKS, type Finding } from "./checks.ts";
import type { History } from "./history.ts";
import type { Find } from "./inspect.ts";
import type { KnownObjectVersion, KnownUpload, ObjectHistory } from "./object-history.ts";
import { BUCKETS, contentName, contentOf, etagOf, nameOfContent, TOLD_QUEUE } from "./object-journal.ts";
import { checkChangesTold, checkFiles, timesMade, toldIn } from "./object-told.ts";
import { withStore } from "./server-inspect.ts";

/** Behind every lease that a client takes, and within the day that a bucket tells for. */
const LATER_MS = 3_600_000;
/** Files that became loose are gone by then. */
const LOOSE_MS = 10_000;
const CALLER: Caller = { principalId: "rig", sourceAddress: "127.0.0.1", requestId: "rig", traceHeader: undefined };

/** Opens the folder of a killed server, and says what of its buckets is not as the history says it must be. */
export async function inspectObjects(folder: string, history: History): Promise<Finding[]> {
  const findings: Finding[] = [];
  const find: Find = (check, what) => void findings.push({ check, what });
  try {
    // A cut before the store was made leaves none: opening makes it, as the server would.
    await withStore(folder, async () => undefined);
    await checkFolder(folder, find);
    await withStore(folder, async (store, bodies) => {
      const clock = new ManualClock(systemClock.now() + LATER_MS);
      const functions = await openFolderFunctions(folder, store, clock, find);
      const life = await openServerLife({ store, bodies, functions }, clock, find);
      await checkBuckets(life, history.objects, find);
      await resumeLife(life);
      if (!(await rests(store, clock))) find(CHECKS.told, "what a bucket tells does not get to its queue");
      await checkTold(life, history.objects, find);
      await checkUploads(life, history.objects, find);
      await clock.advance(LOOSE_MS);
      for (const name of Object.values(BUCKETS)) if (life.buckets.find(name)) await (await life.buckets.bucket(name)).cell.loose.settled();
      await checkFiles(store, bodies, find);
      await life.buckets.close();
      await life.queues.close();
      await functions.close();
    });
    await checkFolder(folder, find);
  } catch (error) {
    if (!isLambentError(error)) throw error;
    find(CHECKS.opens, error.message);
  }
  return findings;
}

/** Rows, and that each file that a row refers to is there, whole. */
async function checkFolder(folder: string, find: Find): Promise<void> {
  const report = await verifyStoppedFolder(folder);
  for (const { Kind, Name, What } of report.Faults) find(CHECKS.verify, `${Kind} ${Name}: ${What}`);
}

/** Each key holds what it may hold, each version that was kept is there and each that was removed is not. */
async function checkBuckets({ buckets }: Life, history: ObjectHistory, find: Find): Promise<void> {
  const things = await openBucket(buckets, BUCKETS.things);
  if (!things) return void ([...history.keys].length > 0 && find(CHECKS.kept, `the bucket ${BUCKETS.things} is gone`));
  for (const key of history.keys) {
    const found = await read(things, key);
    const possible = history.possible(key);
    if (found === "damaged") find(CHECKS.bodies, `${key} is no content, or not all of one`);
    else if (!possible.has(found))
      find(
        possible.has(undefined) && possible.size === 1 ? CHECKS.settled : CHECKS.kept,
        `${key} is ${found}, not ${[...possible].join(" or ")}`,
      );
  }
  const listed = await things.list({ prefix: "", max: 1_000 });
  for (const { key } of listed.objects) if (history.possible(key).size === 0) find(CHECKS.nowhere, `${key} is there and nobody put it`);
  const versions = await openBucket(buckets, BUCKETS.versions);
  if (!versions) return void (history.versions.size > 0 && find(CHECKS.kept, `the bucket ${BUCKETS.versions} is gone`));
  for (const [id, known] of history.versions) await checkVersion(versions, id, known, find);
}

async function checkVersion(bucket: Bucket, id: string, { key, content, state }: KnownObjectVersion, find: Find): Promise<void> {
  const found = await read(bucket, key, id);
  if (found === undefined) {
    if (state === "kept") find(CHECKS.kept, `the version ${id} of ${key} is gone`);
  } else if (state === "removed") find(CHECKS.settled, `the version ${id} of ${key} was removed and is there`);
  else if (found !== content) find(CHECKS.bodies, `the version ${id} of ${key} is ${found}, not ${content}`);
}

/** Those that nobody ended are there with their parts, and are gone on with to their end. */
async function checkUploads({ buckets }: Life, { uploads }: ObjectHistory, find: Find): Promise<void> {
  const bucket = await openBucket(buckets, BUCKETS.things);
  if (!bucket) return;
  for (const [id, upload] of uploads) {
    const isThere = await orAbsent(bucket.uploads.get(upload.key, id));
    if (!isThere && upload.state === "open") find(CHECKS.uploads, `the upload ${id} of ${upload.key} is gone`);
    if (isThere && upload.state === "ended") find(CHECKS.settled, `the upload ${id} of ${upload.key} has ended and is under way`);
    if (isThere) await goOn(bucket, id, upload, find);
  }
}

async function goOn({ uploads }: Bucket, id: string, { key, parts }: KnownUpload, find: Find): Promise<void> {
  const listed = new Map((await uploads.listParts(key, id, { max: 1_000 })).parts.map(({ number, md5 }) => [number, md5]));
  for (const [number, { contents, acknowledged }] of parts) {
    const md5 = listed.get(number);
    if (md5 === undefined && acknowledged) find(CHECKS.uploads, `part ${number} of ${key} (${id}) is gone`);
    if (md5 !== undefined && ![...contents].some((content) => etagOf(content, false) === md5))
      find(CHECKS.bodies, `part ${number} of ${key} (${id}) has the ETag ${md5}`);
  }
  const content = contentName(`again.${key}`, 0, true);
  const { md5: etag } = await uploads.putPart(key, id, 7, { source: contentOf(content) });
  await uploads.complete(key, id, { parts: [{ number: 7, etag }] }, { caller: CALLER });
}

/** Every change that was acknowledged is told once, none that was refused, and nothing that nobody asked for. */
async function checkTold(life: Life, history: ObjectHistory, find: Find): Promise<void> {
  if (life.queues.find(REALM, TOLD_QUEUE)) {
    const queue = await life.queues.queue(REALM, TOLD_QUEUE);
    for (
      let messages = await queue.receive({ max: 10, waitMs: 0 });
      messages.length > 0;
      messages = await queue.receive({ max: 10, waitMs: 0 })
    )
      for (const { id, body, handle } of messages) {
        for (const entry of toldIn(body, id)) history.add(entry);
        await queue.delete(handle);
      }
  } else if (history.told.size > 0) find(CHECKS.kept, `the queue ${TOLD_QUEUE} is gone`);
  const things = await openBucket(life.buckets, BUCKETS.things);
  for (const key of things ? history.keys : []) {
    const there = things && (await read(things, key));
    if (there !== undefined && timesMade(history, key, there) === 0) find(CHECKS.told, `${key} is ${there}, which is not told`);
  }
  checkChangesTold(history, find);
  const records = await allRecords(life);
  for (const [name, told] of history.told) {
    const own = records.filter(({ subject, source }) => source === "objects" && subject === name);
    if (own.length !== told.size || own.some(({ state }) => state.kind !== "ended" || state.outcome.kind !== "handled"))
      find(CHECKS.outcome, `${name} happened ${told.size} times and has ${own.length} records, or one that is not handled`);
  }
}

function openBucket(buckets: Life["buckets"], name: string): Promise<Bucket | undefined> {
  return buckets.find(name) ? buckets.bucket(name) : Promise.resolve(undefined);
}

/** The name of a key's content; undefined where there is nothing. */
async function read(bucket: Bucket, key: string, version?: string): Promise<string | undefined> {
  const found: FoundObject | undefined = await orAbsent(bucket.get(key, version));
  if (!found) return undefined;
  try {
    const opened = await bucket.open(found);
    return nameOfContent(Buffer.isBuffer(opened) ? opened : Buffer.concat(await opened.toArray())) ?? "damaged";
  } catch (error) {
    if (isLambentError(error)) return "damaged";
    throw error;
  }
}

async function orAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isLambentError(error, "NotFound")) return undefined;
    throw error;
  }
}
