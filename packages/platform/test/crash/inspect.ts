import { join } from "node:path";
import { isLambentError, ManualClock, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import {
  type BlobFolder,
  type BodyFiles,
  type EmbeddedStore,
  lockDataFolder,
  openBlobs,
  openBodyFiles,
  openSqliteStore,
  READ_ROWS_MAX,
  verifyKept,
  type WorkList,
} from "../../src/storage/index.ts";
import { openLists } from "./plan.ts";
import { CHECKS, type Finding } from "./checks.ts";
import type { History } from "./history.ts";
import { blobOf, bodyOf, FILES_OWNER, groupOf, isCrossing, LIST_NAMES, type ListName, numberOf } from "./journal.ts";
import { carryAll, outcomeKey } from "./load.ts";

/** Behind every lease that a driver takes. */
const LATER_MS = 3_600_000;
const LEASE_ITEMS_MAX = 10_000;

/** What one list holds in the end. */
interface Contents {
  /** Ids in the order they were handed out. */
  readonly waiting: string[];
  readonly outcomes: Set<string>;
}

/** Opens a folder whose driver is gone, reads and empties it, and says what is not as the history says it must be. */
export async function inspect(folder: string, history: History): Promise<Finding[]> {
  const findings: Finding[] = [];
  const find = (check: Finding["check"], what: string): void => void findings.push({ check, what });
  try {
    const data = await lockDataFolder(folder);
    const store = await openSqliteStore({ file: data.storeFile });
    try {
      const blobs = await openBlobs(data.blobs, systemSecureRandom);
      await checkBodies(blobs, history, find);
      await checkFiles(await openBodyFiles(data.objects), history, find);
      await checkVerify(folder, store, blobs, find);
      await checkLists(store, history, find);
    } finally {
      await store.close();
      await data.release();
    }
  } catch (error) {
    if (!isLambentError(error)) throw error;
    find(CHECKS.opens, error.message);
  }
  return findings;
}

export type Find = (check: Finding["check"], what: string) => void;

async function checkBodies(blobs: BlobFolder, { kept }: History, find: Find): Promise<void> {
  for (const digest of kept) {
    const found = await blobs.check(digest);
    if (found.kind !== "whole") find(CHECKS.kept, `the body ${digest} is ${found.kind}`);
  }
}

async function checkFiles(bodies: BodyFiles, { keptFiles }: History, find: Find): Promise<void> {
  for (const file of keptFiles) {
    const found = await bodies.read(FILES_OWNER, file);
    if (!found) find(CHECKS.kept, `the file ${file} is gone`);
    else if (!blobOf(file).equals(Buffer.concat(await found.toArray()))) find(CHECKS.kept, `the file ${file} is not what was written`);
  }
}

async function checkVerify(folder: string, store: EmbeddedStore, blobs: BlobFolder, find: Find): Promise<void> {
  const report = await verifyKept({ store, storeFile: join(folder, "store.db"), blobs, references: [], structure: true });
  for (const fault of report.faults) find(CHECKS.verify, `${fault.kind} ${fault.name}: ${fault.what}`);
}

async function checkLists(store: EmbeddedStore, history: History, find: Find): Promise<void> {
  const lists = await openLists(store, new ManualClock(systemClock.now() + LATER_MS), () => undefined);
  for (const list of ["fifo", "fair"] as const) {
    const outcomes = await outcomesOf(lists[list]);
    const { settled } = lists[list].counts().totals;
    if (settled !== outcomes.size) find(CHECKS.outcome, `${list} counts ${settled} settled items and records ${outcomes.size}`);
    if (list === "fair") await carryAll(lists);
    compare(list, { outcomes, waiting: await emptied(lists[list], find) }, history, find);
  }
  compareCrossed(await emptied(lists.crossed, find), history, find);
  for (const list of LIST_NAMES) await lists[list].close();
}

async function outcomesOf(list: WorkList): Promise<Set<string>> {
  const outcomes = new Set<string>();
  for (let after: string | undefined; ;) {
    const rows = await list.readRows({ prefix: outcomeKey(""), limit: READ_ROWS_MAX, ...(after === undefined ? {} : { after }) });
    for (const { key } of rows) outcomes.add(key.slice(outcomeKey("").length));
    after = rows.at(-1)?.key;
    if (after === undefined) return outcomes;
  }
}

async function emptied(list: WorkList, find: Find): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const outcome = await list.lease({ max: LEASE_ITEMS_MAX, leaseMs: LATER_MS, waitMs: 0 });
    if (outcome.kind !== "leased" || outcome.items.length === 0) return ids;
    for (const { id, body } of outcome.items) {
      ids.push(id);
      if (!bodyOf(id).equals(body)) find(CHECKS.bodies, `${id} has another body`);
    }
    await Promise.all(outcome.items.map(({ receipt }) => list.settle(receipt)));
  }
}

function compare(list: ListName, { waiting, outcomes }: Contents, { items }: History, find: Find): void {
  const there = new Set(waiting);
  if (there.size < waiting.length) find(CHECKS.outcome, `${waiting.length - there.size} items of ${list} are there twice`);
  for (const id of new Set([...there, ...outcomes])) {
    const known = items.get(id);
    if (!known) find(CHECKS.nowhere, `${id} is there and nobody sent it`);
    if (there.has(id) && outcomes.has(id)) find(CHECKS.outcome, `${id} has an outcome and waits`);
    if (there.has(id) && known?.settled) find(CHECKS.settled, `${id} was settled and waits`);
    if (outcomes.has(id) && known && !known.settled && known.settling === 0)
      find(CHECKS.nowhere, `${id} has an outcome and nobody settled it`);
    if (id.endsWith("+") && !outcomes.has(id.slice(0, -1))) find(CHECKS.nowhere, `${id} is there, and what it follows was not settled`);
  }
  for (const [id, { list: of, accepted, settled }] of items) {
    if (of !== list || isCrossing(id) || accepted === "maybe") continue;
    if (!settled && !there.has(id) && !outcomes.has(id)) find(CHECKS.kept, `${id} was accepted and is gone`);
    if (settled && !outcomes.has(id)) find(CHECKS.outcome, `${id} was settled and nothing is recorded of it`);
  }
  if (list === "fifo") compareOrder(waiting, find);
}

/** Items of a group come in the order in which they were sent. */
export function compareOrder(waiting: readonly string[], find: Find): void {
  const last = new Map<string, string>();
  for (const id of waiting) {
    const before = last.get(groupOf(id));
    if (before !== undefined && numberOf(before) > numberOf(id)) find(CHECKS.order, `${before} comes before ${id}`);
    last.set(groupOf(id), id);
  }
}

function compareCrossed(arrived: readonly string[], { items }: History, find: Find): void {
  const times = new Map<string, number>();
  for (const id of arrived) times.set(id, (times.get(id) ?? 0) + 1);
  for (const [id, count] of times) {
    if (!items.has(id)) find(CHECKS.nowhere, `${id} arrived and nobody sent it`);
    if (count > 1) find(CHECKS.crossed, `${id} arrived ${count} times`);
  }
  for (const [id, { accepted }] of items)
    if (isCrossing(id) && accepted === "yes" && !times.has(id)) find(CHECKS.crossed, `${id} was accepted and did not arrive`);
}
