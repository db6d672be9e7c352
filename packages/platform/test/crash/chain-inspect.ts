/** What is left of the chain behind a kill: it is gone on with, by the server's own parts, and read at its end. */
import { join } from "node:path";
import { type ManualClock, seededRandom, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import { BUS_CELL_KIND, busArn, DEFAULT_BUS } from "../../src/bus/index.ts";
import { type Functions, openFunctions } from "../../src/functions/index.ts";
import { ASYNC_CELL_KIND, type AsyncInvokerParts } from "../../src/invoker/index.ts";
import type { LedgerRecord } from "../../src/ledger/index.ts";
import { createCipher, openSecrets } from "../../src/security/index.ts";
import { BUCKET_CELL_KIND } from "../../src/objects/index.ts";
import {
  type BodyFiles,
  type CellKey,
  DATA_FOLDER_NAMES,
  eachCell,
  type EmbeddedStore,
  openBlobs,
  openItems,
} from "../../src/storage/index.ts";
import { endedCall, REALM } from "../simulation/application.ts";
import { type Life, resumeLife, startLife } from "../simulation/life.ts";
import { CHAIN } from "./chain.ts";
import { CHECKS } from "./checks.ts";
import type { History } from "./history.ts";
import type { Find } from "./inspect.ts";

/** What is on its way gets to its end within this, also on a busy machine. */
const REST_MS_MAX = 20_000;
/** Of simulated time in one step: back-offs pass by. */
const STEP_MS = 500;
const LEDGER_RECORDS_MAX = 1_000;

/** Opens the functions of a folder. */
export async function openFolderFunctions(folder: string, store: EmbeddedStore, clock: ManualClock, find: Find): Promise<Functions> {
  const options = { store, clock, secureRandom: systemSecureRandom, treeKind: "copies" } as const;
  return openFunctions({
    ...options,
    blobs: await openBlobs(join(folder, DATA_FOLDER_NAMES.blobs), systemSecureRandom),
    cipher: createCipher(openSecrets(folder, systemSecureRandom).cipherKey, systemSecureRandom),
    codeFolder: join(folder, DATA_FOLDER_NAMES.code),
    treesFolder: join(folder, DATA_FOLDER_NAMES.trees),
    onProblem: (error) => find(CHECKS.opens, String(error)),
  });
}

/** What of a server's folder its parts are opened on. */
export interface OpenFolder {
  readonly store: EmbeddedStore;
  readonly bodies: BodyFiles;
  readonly functions: Functions;
}

/** The parts of the server behind its API, over functions that do at once what `relay` does. */
export async function openServerLife({ store, bodies, functions }: OpenFolder, clock: ManualClock, find: Find): Promise<Life> {
  const calls: AsyncInvokerParts["calls"] = {
    invoke: async (request) => {
      const version = functions.find(request.realm, request.functionName, request.qualifier).versions[0]?.version;
      if (!version) return { kind: "unavailable", what: "it has no version" };
      return endedCall(version, request, { ending: { kind: "handled", payload: request.payload }, startedAt: clock.now(), durationMs: 1 });
    },
    free: () => 10,
    onceFree: () => undefined,
  };
  return startLife({
    ...{ store, bodies, clock, random: seededRandom(1), secureRandom: systemSecureRandom, functions, calls },
    admit: () => undefined,
    onTrouble: (error) => find(CHECKS.opens, String(error)),
  });
}

/** Goes on from where the server was killed, and looks at what comes out. */
export async function checkChain(life: Life, store: EmbeddedStore, clock: ManualClock, history: History, find: Find): Promise<void> {
  await resumeLife(life);
  if (!(await rests(store, clock))) find(CHECKS.chain, `events are on their way for ${REST_MS_MAX} ms`);
  const expected = [...history.events].flatMap(([id, eventId]) => (eventId === undefined ? [] : [{ id, eventId }]));
  if (expected.length === 0) return;
  const arrived = await arrivals(life, find);
  const records = await allRecords(life);
  const byCorrelation = Map.groupBy(records, ({ correlation }) => correlation);
  for (const { id, eventId } of expected) {
    if (!arrived.has(id)) find(CHECKS.chain, `${id} was accepted as ${eventId} and did not arrive`);
    const broken = chainFault(eventId, byCorrelation.get(eventId) ?? []);
    if (broken !== undefined) find(CHECKS.chain, `${id}, accepted as ${eventId}: ${broken}`);
  }
  for (const id of arrived) if (!history.events.has(id)) find(CHECKS.nowhere, `${id} arrived and nobody put it`);
}

/** Whether nothing waits on a bus, at a function or in a bucket any more, after a while. */
export async function rests(store: EmbeddedStore, clock: ManualClock): Promise<boolean> {
  const began = systemClock.monotonicMs();
  // What leaves one cell between two looks is in the next one: at rest is what was found so twice.
  for (let empty = 0; empty < 2;) {
    if (systemClock.monotonicMs() - began > REST_MS_MAX) return false;
    await clock.advance(STEP_MS);
    empty = (await waiting(store)) === 0 ? empty + 1 : 0;
  }
  return true;
}

async function waiting(store: EmbeddedStore): Promise<number> {
  const cells: CellKey[] = [];
  for (const kind of [BUS_CELL_KIND, ASYNC_CELL_KIND, BUCKET_CELL_KIND])
    for await (const cell of eachCell(store, `${REALM.account}.${REALM.region}/${kind}/`)) cells.push(cell);
  const open = await Promise.all(cells.map((cell) => openItems(store, cell)));
  return open.reduce((sum, each) => sum + each, 0);
}

/** What the function was asked with, of all messages at the end. */
async function arrivals({ queues }: Life, find: Find): Promise<Set<string>> {
  const ids = new Set<string>();
  if (!queues.find(REALM, CHAIN.queueName)) {
    find(CHECKS.kept, `the queue ${CHAIN.queueName} is gone`);
    return ids;
  }
  const queue = await queues.queue(REALM, CHAIN.queueName);
  for (;;) {
    const messages = await queue.receive({ max: 10, waitMs: 0 });
    if (messages.length === 0) return ids;
    for (const { body } of messages)
      ids.add(
        (JSON.parse(body) as { readonly detail: { readonly requestPayload: { readonly detail: { readonly id: string } } } }).detail
          .requestPayload.detail.id,
      );
    await Promise.all(messages.map(({ handle }) => queue.delete(handle)));
  }
}

export async function allRecords({ ledger }: Life): Promise<LedgerRecord[]> {
  const all = new Map<string, LedgerRecord>();
  for (let until: number | undefined; ;) {
    const page = await ledger.list(REALM, { until, limit: LEDGER_RECORDS_MAX });
    const before = all.size;
    for (const record of page) all.set(record.id, record);
    if (page.length < LEDGER_RECORDS_MAX || all.size === before) return [...all.values()];
    until = (page.at(-1)?.acceptedAt ?? 0) + 1;
  }
}

/** Each step of the chain has one record, which says what caused it. */
function chainFault(eventId: string, records: readonly LedgerRecord[]): string | undefined {
  let cause: string | undefined;
  for (const target of [busArn(REALM, DEFAULT_BUS), CHAIN.functionArn, CHAIN.busArn, CHAIN.queueArn]) {
    const own = records.filter((record) => record.target === target);
    const [record] = own;
    if (!record || own.length !== 1) return `${own.length} records for ${target}`;
    if (record.cause !== cause) return `its record for ${target} was caused by ${record.cause} and not by ${cause}`;
    if (record.state.kind !== "ended" || record.state.outcome.kind !== "handled") return `it is not handled for ${target}`;
    cause = record.id;
  }
  return records.length === 4 && records.some(({ id }) => id === eventId) ? undefined : `${records.length} records for 4 steps`;
}
