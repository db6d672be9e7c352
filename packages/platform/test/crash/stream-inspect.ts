/** What is left of streams behind a kill: read with the server's own parts, which then go on from there to the end of all that was put. */
import { isLambentError, ManualClock, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import type { LedgerRecord } from "../../src/ledger/index.ts";
import { verifyStoppedFolder } from "../../src/server/index.ts";
import type { EmbeddedStore } from "../../src/storage/index.ts";
import { type ConsumerGroups, openConsumerGroups } from "../../src/streams/index.ts";
import { REALM } from "../simulation/application.ts";
import { type Life, resumeLife } from "../simulation/life.ts";
import { allRecords, openFolderFunctions, openServerLife } from "./chain-inspect.ts";
import { CHECKS, type Finding } from "./checks.ts";
import type { History } from "./history.ts";
import type { Find } from "./inspect.ts";
import { withStore } from "./server-inspect.ts";
import { contentsOf, textsOf } from "./stream-contents.ts";
import type { PartitionContents, StreamHistory } from "./stream-history.ts";
import { readingIn, textOf } from "./stream-journal.ts";
import { ADDED_MS, GROUP, MAPPED, STREAMS } from "./stream-names.ts";
import { checkResults, isLast, lastReading, LATE, WINDOW_NAMES } from "./window-results.ts";

/** Behind everything that a server waits for. */
const LATER_MS = 3_600_000;
const STEP_MS = 500;
/** What was put is read, reckoned and told within this, also on a busy machine. */
const REST_MS_MAX = 20_000;
const A_DAY_MS = 86_400_000;

/** Opens the folder of a killed server, and says what of its streams is not as the history says it must be. */
export async function inspectStreams(folder: string, history: History): Promise<Finding[]> {
  const findings: Finding[] = [];
  const find: Find = (check, what) => void findings.push({ check, what });
  try {
    // A cut before the store was made leaves none: opening makes it, as the server would.
    await withStore(folder, async () => undefined);
    const report = await verifyStoppedFolder(folder);
    for (const { Kind, Name, What } of report.Faults) find(CHECKS.verify, `${Kind} ${Name}: ${What}`);
    await withStore(folder, async (store, bodies) => {
      const clock = new ManualClock(systemClock.now() + LATER_MS);
      const functions = await openFolderFunctions(folder, store, clock, find);
      const life = await openServerLife({ store, bodies, functions }, clock, find);
      await checkKept(life, history.streams, find);
      await checkGroup(store, life, clock, history.streams, find);
      await goOn(life, clock, history.streams, find);
      await life.windows.close();
      await life.streams.close();
      await functions.close();
    });
  } catch (error) {
    if (!isLambentError(error)) throw error;
    find(CHECKS.opens, error.message);
  }
  return findings;
}

async function checkKept({ streams }: Life, history: StreamHistory, find: Find): Promise<void> {
  const all: PartitionContents[] = [];
  for (const stream of Object.values(STREAMS)) all.push(...(await contentsOf(streams, REALM, stream)));
  history.check(all, find);
}

async function checkGroup(store: EmbeddedStore, { streams }: Life, clock: ManualClock, history: StreamHistory, find: Find): Promise<void> {
  const onProblem = (error: unknown): void => find(CHECKS.opens, String(error));
  const groups: ConsumerGroups = await openConsumerGroups({ store, clock, secureRandom: systemSecureRandom, streams, onProblem });
  const partitions = streams.find(REALM, STREAMS.readings)?.shards.map(({ number }) => number) ?? [];
  const found = await groups.fetchOffsets(REALM, { group: GROUP, topics: [{ topic: STREAMS.readings, partitions }] });
  if (found.kind === "refused") find(CHECKS.groups, `the group is refused: ${found.error}`);
  else
    for (const { partition, offset } of found.topics.flatMap((topic) => topic.partitions))
      history.checkOffset(GROUP, partition, offset < 0 ? undefined : offset, find);
  await groups.close();
}

/** A reading in each partition closes all windows; then the windows and the mapping have to come to the end. */
async function goOn(life: Life, clock: ManualClock, history: StreamHistory, find: Find): Promise<void> {
  const { streams, windows } = life;
  const record = streams.find(REALM, STREAMS.readings);
  if (!record) return;
  await resumeLife(life);
  const at = history.latestAt + A_DAY_MS + ADDED_MS;
  for (const { number } of record.shards) {
    const last = lastReading(number, at);
    await (
      await streams.partition(REALM, STREAMS.readings, number)
    ).append([{ key: Buffer.from(last.device), value: Buffer.from(textOf(last)) }]);
  }
  const clicks = await contentsOf(streams, REALM, STREAMS.clicks);
  const isThere = life.sources.list(REALM).length > 0;
  if (!(await rest(clock, async () => (await windowsRest(life)) && (!isThere || (await handled(life)) >= textsOf(clicks).length))))
    find(CHECKS.windows, `windows and mappings are not done with what was put behind ${REST_MS_MAX} ms`);
  if (isThere) checkMapping(await mappingRecords(life), clicks, find);
  const readings = textsOf(await contentsOf(streams, REALM, STREAMS.readings))
    .map(readingIn)
    .filter((each) => !isLast(each));
  for (const name of WINDOW_NAMES) {
    // A cut may fall before it was made.
    if (!windows.find(REALM, name)) continue;
    const results = textsOf(await contentsOf(streams, REALM, name));
    const late = textsOf(await contentsOf(streams, REALM, LATE[name]));
    checkResults(name, readings, results, late, find);
  }
}

async function rest(clock: ManualClock, isDone: () => Promise<boolean>): Promise<boolean> {
  const began = systemClock.monotonicMs();
  while (!(await isDone())) {
    if (systemClock.monotonicMs() - began > REST_MS_MAX) return false;
    await clock.advance(STEP_MS);
  }
  return true;
}

async function windowsRest({ windows }: Life): Promise<boolean> {
  for (const { name } of windows.list(REALM)) {
    const { running } = await windows.describe(REALM, name);
    if (!running?.partitions.every(({ lag }) => lag === 0) || running.sinks.some(({ waiting }) => waiting > 0)) return false;
  }
  return true;
}

async function mappingRecords(life: Life): Promise<LedgerRecord[]> {
  return (await allRecords(life)).filter(
    ({ source, target, offsets }) => source === "stream" && offsets !== undefined && target.endsWith(`:${MAPPED}`),
  );
}

async function handled(life: Life): Promise<number> {
  const ended = (await mappingRecords(life)).filter(({ state }) => state.kind === "ended");
  return ended.reduce((sum, { offsets }) => sum + (offsets?.count ?? 0), 0);
}

/** Batches follow one another without gap and without overlap, each handled. */
function checkMapping(records: readonly LedgerRecord[], clicks: readonly PartitionContents[], find: Find): void {
  for (const { shard, end } of clicks) {
    const own = records
      .filter(({ offsets }) => offsets?.shard === shard)
      .toSorted((left, right) => (left.offsets?.first ?? 0) - (right.offsets?.first ?? 0));
    let next = 0;
    for (const { id, offsets, state } of own) {
      if (offsets?.first !== next)
        find(CHECKS.mapping, `a batch of shard ${shard} begins with ${offsets?.first}, and the one before ended before ${next}`);
      if (state.kind !== "ended" || state.outcome.kind !== "handled")
        find(CHECKS.mapping, `the batch ${id} of shard ${shard} is not handled`);
      next = (offsets?.last ?? 0) + 1;
    }
    if (next !== end) find(CHECKS.mapping, `shard ${shard} has ${end} records, and batches up to ${next}`);
  }
}
