/**
 * A process that is killed: opens a data folder as the server does and works on its lists, with several producers and
 * consumers, saying before each call what it asks and behind each answer what it was told. Its plan is its first argument.
 */
import { openSync } from "node:fs";
import { isLambentError, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import { type BlobFolder, type BodyFiles, lockDataFolder, openBlobs, openBodyFiles, openSqliteStore } from "../../src/storage/index.ts";
import { blobOf, FILES_OWNER, JournalWriter, LIST_NAMES } from "./journal.ts";
import { carry, Consumer, type Load, Producer } from "./load.ts";
import { type DriverPlan, openLists } from "./plan.ts";

const CONSUMERS_PER_LIST = 3;
const OWN_CELL = "000000000000.us-east-1/rig/lives/0";

/** When everybody stops: as planned, or because one was refused. */
class Ending {
  #began = false;
  #why: unknown;

  isNotYet(): boolean {
    if (plan.end && journal.lines >= plan.end.lines) {
      if (plan.end.how === "kill") process.kill(process.pid, "SIGKILL");
      this.#began = true;
    }
    return !this.#began;
  }

  because(error: unknown): void {
    this.#began = true;
    this.#why ??= error;
  }

  throwWhy(): void {
    if (this.#why !== undefined) throw this.#why;
  }
}

const plan = JSON.parse(process.argv[2] ?? "") as DriverPlan;
const journal = new JournalWriter(plan.journal === undefined ? 1 : openSync(plan.journal, "a"));
// Waits of the lists keep no process alive, and once the storage has stopped nothing else does.
const alive = setInterval(() => undefined, 1_000);
try {
  await main();
  clearInterval(alive);
} catch (error) {
  if (!isLambentError(error, "StorageStopped")) throw error;
  journal.say({ kind: "stopped" });
  // An exit in order would close the database, which writes once more.
  process.kill(process.pid, "SIGKILL");
}

async function main(): Promise<void> {
  const folder = await lockDataFolder(plan.folder);
  const store = await openSqliteStore({ file: folder.storeFile });
  const blobs = await openBlobs(folder.blobs, systemSecureRandom);
  const bodies = await openBodyFiles(folder.objects);
  const carrier = carry();
  const lists = await openLists(store, systemClock, carrier.wake);
  // A read in the middle of a write: from here on the reader has its connection, as in a busy server.
  await Promise.all([
    store.commit(OWN_CELL, "any", [{ kind: "append", cell: OWN_CELL, value: Buffer.from("life") }]),
    store.get(OWN_CELL, "life"),
  ]);
  const ending = new Ending();
  const load: Load = { lists, journal, clock: systemClock, goesOn: () => ending.isNotYet() };
  journal.say({ kind: "ready" });
  const work = [
    ...plan.producers.map((producer) => new Producer(load, producer).run()),
    ...(["fifo", "fair"] as const).flatMap((list) =>
      Array.from({ length: CONSUMERS_PER_LIST }, (_, index) => new Consumer(load, list, plan.seed + index).run()),
    ),
    carrier.run(load),
    putBodies(blobs, load),
    writeFiles(bodies, load),
  ];
  await Promise.all(work.map((each) => each.catch((error: unknown) => ending.because(error))));
  ending.throwWhy();
  for (const list of LIST_NAMES) await lists[list].close();
  await store.close();
  await folder.release();
}

async function writeFiles(into: BodyFiles, load: Load): Promise<void> {
  for (let number = 0; load.goesOn(); number++) {
    const file = `${plan.seed}-${number}`;
    await into.write(FILES_OWNER, file, [blobOf(file)]);
    journal.say({ kind: "keptFile", file });
  }
}

async function putBodies(into: BlobFolder, load: Load): Promise<void> {
  for (let number = 0; load.goesOn(); number++) {
    const { digest } = await into.put(blobOf(`${plan.seed} ${number}`));
    journal.say({ kind: "kept", digest });
  }
}
