import { isLambentError, ManualClock, systemClock } from "../../src/base/index.ts";
import type { Functions } from "../../src/functions/index.ts";
import { type Queue, type Queues, RECEIVE_MESSAGES_MAX } from "../../src/queues/index.ts";
import { verifyStoppedFolder } from "../../src/server/index.ts";
import { type BodyFiles, type EmbeddedStore, lockDataFolder, openBodyFiles, openSqliteStore } from "../../src/storage/index.ts";
import { REALM } from "../simulation/application.ts";
import { checkChain, openFolderFunctions, openServerLife } from "./chain-inspect.ts";
import { CHECKS, type Finding } from "./checks.ts";
import type { History, Known } from "./history.ts";
import { compareOrder, type Find } from "./inspect.ts";
import { bodyOf, LIST_NAMES, type ListName } from "./journal.ts";
import { idOf, QUEUE_NAMES } from "./server-load.ts";

/** Behind every lease that a client takes. */
const LATER_MS = 3_600_000;
/** What is on its way between two queues arrives within this, also on a busy machine. */
const CARRY_MS_MAX = 20_000;

/** Opens the folder of a killed server with the server's own parts, empties its queues, and compares. */
export async function inspectServer(folder: string, history: History): Promise<Finding[]> {
  const findings: Finding[] = [];
  const find: Find = (check, what) => void findings.push({ check, what });
  try {
    // A cut before the store was made leaves none: opening makes it, as the server would.
    await withStore(folder, async () => undefined);
    // Rows, bodies, and that each body a function names is there.
    const report = await verifyStoppedFolder(folder);
    for (const { Kind, Name, What } of report.Faults) find(CHECKS.verify, `${Kind} ${Name}: ${What}`);
    await withStore(folder, async (store, bodies) => {
      const clock = new ManualClock(systemClock.now() + LATER_MS);
      const functions = await openFolderFunctions(folder, store, clock, find);
      checkFunctions(functions, history, find);
      const life = await openServerLife({ store, bodies, functions }, clock, find);
      await checkChain(life, store, clock, history, find);
      await checkQueues(life.queues, history, find);
      await functions.close();
    });
  } catch (error) {
    if (!isLambentError(error)) throw error;
    find(CHECKS.opens, error.message);
  }
  return findings;
}

/** Runs `work` on the store and the objects' files of a folder that nobody uses. */
export async function withStore(folder: string, work: (store: EmbeddedStore, bodies: BodyFiles) => Promise<void>): Promise<void> {
  const data = await lockDataFolder(folder);
  const store = await openSqliteStore({ file: data.storeFile });
  try {
    await work(store, await openBodyFiles(data.objects));
  } finally {
    await store.close();
    await data.release();
  }
}

/** They open with the folder's own key: one that was lost would leave their environments sealed for good. */
function checkFunctions({ asynchronous }: Functions, { made }: History, find: Find): void {
  for (const name of made) if (asynchronous.functionId(REALM, name) === undefined) find(CHECKS.kept, `the function ${name} is gone`);
}

async function checkQueues(queues: Queues, history: History, find: Find): Promise<void> {
  const there: Record<ListName, string[]> = { fifo: [], fair: [], crossed: [] };
  for (const list of LIST_NAMES) {
    if (!queues.find(REALM, QUEUE_NAMES[list])) {
      if (history.acknowledged > 0) find(CHECKS.kept, `the queue ${QUEUE_NAMES[list]} is gone`);
      continue;
    }
    if (list === "crossed") await carried(queues, find);
    there[list] = await emptied(await queues.queue(REALM, QUEUE_NAMES[list]), find);
  }
  compare(history.items, there, find);
  compareOrder(there.fifo, find);
  await queues.close();
}

/** Waits until what is on its way to the dead-letter queue is there. */
async function carried(queues: Queues, find: Find): Promise<void> {
  // Of the two, the dead-letter queue is made first: a cut may fall between.
  if (!queues.find(REALM, QUEUE_NAMES.fair)) return;
  const { list } = await queues.queue(REALM, QUEUE_NAMES.fair);
  const began = systemClock.monotonicMs();
  while (list.counts().outgoing > 0 && systemClock.monotonicMs() - began < CARRY_MS_MAX)
    await new Promise((resolve) => setImmediate(resolve));
  const { outgoing } = list.counts();
  if (outgoing > 0) find(CHECKS.crossed, `${outgoing} messages do not get to the dead-letter queue`);
}

async function emptied(queue: Queue, find: Find): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const messages = await queue.receive({ max: RECEIVE_MESSAGES_MAX, visibilityMs: LATER_MS, waitMs: 0 });
    if (messages.length === 0) return ids;
    for (const { body } of messages) {
      ids.push(idOf(body));
      if (body !== bodyOf(idOf(body)).toString("latin1")) find(CHECKS.bodies, `${idOf(body)} has another body`);
    }
    await Promise.all(messages.map(({ handle }) => queue.delete(handle)));
  }
}

/** Each message is in one queue, once, or was deleted. */
function compare(items: ReadonlyMap<string, Known>, there: Readonly<Record<ListName, readonly string[]>>, find: Find): void {
  const times = new Map<string, number>();
  for (const list of LIST_NAMES) for (const id of there[list]) times.set(id, (times.get(id) ?? 0) + 1);
  for (const [id, count] of times) {
    const known = items.get(id);
    if (!known) find(CHECKS.nowhere, `${id} is there and nobody sent it`);
    if (known?.settled) find(CHECKS.settled, `${id} was deleted and waits`);
    if (count > 1) find(CHECKS.outcome, `${id} is there ${count} times`);
  }
  for (const [id, { accepted, settled, settling }] of items)
    if (accepted === "yes" && !settled && settling === 0 && !times.has(id)) find(CHECKS.kept, `${id} was accepted and is gone`);
}
