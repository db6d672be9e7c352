import { type Clock, isLambentError, type SecureRandom, seededRandom } from "../base/index.ts";
import { ApiDestinations, BUS_CELL_KIND, type Buses, Connections, deadLetterAttributes, openBuses, Webhooks } from "../bus/index.ts";
import { ConnectionTokens, Courier, Delivery, type DeliveryPermission, HttpClient, type Targets } from "../delivery/index.ts";
import { type Functions, parseFunctionReference } from "../functions/index.ts";
import { ASYNC_CELL_KIND, type AsyncInvoker } from "../invoker/index.ts";
import { Ledger, type LedgerParts } from "../ledger/index.ts";
import type { Cipher, FunctionVersion, ServiceCaller } from "../model/index.ts";
import type { Outbox, ParcelSender } from "../outbox/index.ts";
import { type BucketRecord, Buckets, BUCKET_CELL_KIND } from "../objects/index.ts";
import type { Queues } from "../queues/index.ts";
import { openSchedules, parcelOfAttempt, RuleTimers, type Schedules, SCHEDULES_CELL_KIND } from "../schedules/index.ts";
import type { Authorizer, EgressToAll } from "../security/index.ts";
import { createNotifier, MAPPING_SHARD_CELL_KIND, notifierOf, NOTIFYING_SERVICE } from "../sources/index.ts";
import type { BodyFiles, CellKey, Store } from "../storage/index.ts";
import type { Streams } from "../streams/index.ts";
import { keyOfCertificatePath, openTopics, type Topics } from "../topics/index.ts";
import type { WINDOWS_SERVICE } from "../windows/index.ts";
import { Opened } from "./opened.ts";
import { authorizeRole, authorizeService } from "./role-permission.ts";
import { joinTargets, type TargetsParts } from "./targets.ts";

/**
 * What carries events on: buses, schedules, topics, and delivery to every kind of target. Loaded and opened right behind a start, or at its
 * first use when that comes before; a start does not wait for it.
 */

/** Kinds of cells whose owners keep records of their events. A record that moves to a function is looked for there first. */
const LEDGER_CELL_KINDS = [
  ASYNC_CELL_KIND,
  "queue",
  BUS_CELL_KIND,
  SCHEDULES_CELL_KIND,
  BUCKET_CELL_KIND,
  "topic",
  MAPPING_SHARD_CELL_KIND,
];

/** Its type only: windows are loaded with the first one. */
const OF_WINDOWS: typeof WINDOWS_SERVICE = "windows.lambent";

export interface Distribution {
  readonly buses: Buses;
  readonly schedules: Schedules;
  readonly topics: Topics;
  readonly buckets: Buckets;
  /** Throws what keeps a bucket from telling this target anything. */
  readonly checkNotified: (bucket: BucketRecord, target: string) => Promise<void>;
  readonly connections: Connections;
  readonly destinations: ApiDestinations;
  readonly webhooks: Webhooks;
  readonly ledger: Ledger;
  /** Everything that can receive an event. */
  readonly targets: Targets;
  /** Hands over what lies in the outbox of this cell, from now on. */
  serve(cell: CellKey, outbox: Outbox): void;
  /** Outcomes of asynchronous invocations lie in the outbox of this cell. */
  wake(cell: CellKey): void;
  /** What the messages of topics are signed with, for whoever checks them; undefined where the path is none of such a certificate. */
  certificateAt(path: string): string | undefined;
  /** Takes up what waits since before the start. */
  resume(): Promise<void>;
  /** Attempts under way have this long to end. */
  close(graceMs: number): Promise<void>;
}

export interface DistributionParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly cipher: Cipher;
  readonly bodies: BodyFiles;
  readonly functions: Functions;
  readonly asyncInvoker: AsyncInvoker;
  readonly queues: Queues;
  readonly authorizer: Authorizer;
  readonly egress: EgressToAll;
  /** Every operation as a target; joined with the API. */
  readonly caller: () => ServiceCaller;
  /** Opened when the first record is put, if nobody opened them before. */
  readonly streams: () => Promise<Streams>;
  /** Scheme, host and port by which this server is reached. */
  readonly endpoint: () => string;
  /** Only this machine reaches the server. */
  readonly isLoopback: boolean;
  readonly retryTimeFactor: number;
  readonly reportDefect: (error: unknown) => void;
}

/** Buses, schedules, topics and delivery, joined: each wakes the others. What was opened is closed again when a later part does not open. */
export async function openDistribution(parts: DistributionParts): Promise<Distribution> {
  const opened = new Opened();
  try {
    return await open(opened, parts);
  } catch (error) {
    await opened.closeAll();
    throw error;
  }
}

async function open(opened: Opened, parts: DistributionParts): Promise<Distribution> {
  const { store, clock, secureRandom, cipher, asyncInvoker, retryTimeFactor, reportDefect } = parts;
  const held = { buses: () => buses, topics: () => topics, buckets: () => buckets };
  const { connections, destinations, targets } = await openTargets(opened, parts, held);
  const courier = new Courier({ clock, targets, parcelOf: parcelOfAttempt, onTrouble: reportDefect });
  const delivery = new Delivery({ clock, targets, outbox: (cell) => asyncInvoker.outbox(cell), onTrouble: reportDefect });
  opened.push(() => delivery.close());
  const holder = {
    store,
    clock,
    secureRandom,
    retryTimeFactor,
    random: seededRandom(secureRandom.bytes(4).readUInt32LE(0)),
    onProblem: reportDefect,
  };
  const schedules = await openSchedules({
    ...holder,
    rules: { deliveries: (realm, rule, dueAt) => buses.scheduledDeliveries(realm, rule, dueAt), deadLetter: deadLetterAttributes },
    onOpened: (cell, _realm, outbox) => courier.serve(cell, outbox),
  });
  opened.push(() => schedules.close());
  const timers = new RuleTimers(schedules, clock);
  const buses: Buses = await openBuses({ ...holder, timers: () => timers, onOpened: (cell, outbox) => courier.serve(cell, outbox) });
  opened.push(() => buses.close());
  const topics: Topics = await openTopics({
    ...{ ...holder, cipher, endpoint: parts.endpoint },
    onOpened: (cell, _realm, outbox) => courier.serve(cell, outbox),
  });
  opened.push(() => topics.close());
  const buckets: Buckets = await Buckets.open({
    ...{ ...holder, bodies: parts.bodies, notifier: createNotifier(parts) },
    onOpened: (cell, _realm, outbox) => courier.serve(cell, outbox),
  });
  opened.push(() => buckets.close());
  const webhooks = await Webhooks.open({
    ...{ store, cipher, clock, unsignedAllowed: parts.isLoopback },
    requireBus: (realm, bus) => void buses.get(realm, bus),
  });
  return {
    ...{ buses, schedules, topics, buckets, connections, destinations, webhooks, targets },
    serve: (cell, outbox) => courier.serve(cell, outbox),
    ledger: new Ledger({ store, clock, cellKinds: LEDGER_CELL_KINDS, live: liveRecords(parts) }),
    checkNotified: (bucket, target) => targets.admit(notifierOf(bucket), target),
    wake: (cell) => delivery.wake(cell),
    certificateAt(path) {
      const key = keyOfCertificatePath(path);
      return key === undefined ? undefined : topics.certificate(key);
    },
    async resume() {
      connections.resume();
      await Promise.all([buses.resume(), schedules.resume(), topics.resume(), buckets.resume()]);
    },
    async close(graceMs) {
      await courier.close(new Promise<void>((resolve) => clock.schedule(graceMs, resolve)));
      await opened.closeAll();
    },
  };
}

/** The table of targets, with what requests to other servers are made by. */
async function openTargets(
  opened: Opened,
  parts: DistributionParts,
  held: Pick<TargetsParts, "buses" | "topics" | "buckets">,
): Promise<Pick<Distribution, "connections" | "destinations" | "targets">> {
  const { store, clock, secureRandom, cipher, functions, queues, asyncInvoker, caller, streams, reportDefect } = parts;
  const client = new HttpClient({ egress: parts.egress, clock });
  opened.push(async () => client.close());
  const connections = await Connections.open({
    ...{ store, cipher, clock, secureRandom },
    onAuthorizing: (realm, name) => tokens.authorize(realm, name),
  });
  const tokens = new ConnectionTokens({ client, connections, clock, onTrouble: reportDefect });
  const destinations = await ApiDestinations.open({ store, connections, clock, secureRandom });
  const targets = joinTargets({
    ...{ ...held, clock, queues, functions, connections, destinations, tokens, client, caller, streams, asyncInvoker },
    authorize: (permission) => authorizeDelivery(parts, permission),
  });
  return { connections, destinations, targets };
}

/** What those who hold a record's event know of it beside what is written. */
function liveRecords({ queues, asyncInvoker }: DistributionParts): LedgerParts["live"] {
  return (cell, record) => (cell.split("/")[1] === "queue" ? queues.live(cell, record) : asyncInvoker.live(cell, record));
}

function authorizeDelivery(parts: DistributionParts, { sender, ...asked }: DeliveryPermission): void {
  // Whoever may put a rule on a bus may let it pass events on to another one of the same realm.
  const fromRule = sender.kind === "service" && sender.roleArn === undefined && sender.service === "events.amazonaws.com";
  if (fromRule && asked.action === "events:PutEvents" && asked.resourcePolicy === undefined) return;
  // Events of a bucket go to its own account's bus, once that is asked for.
  const fromBucket = sender.kind === "service" && sender.service === NOTIFYING_SERVICE && asked.action === "events:PutEvents";
  if (fromBucket && asked.resourcePolicy === undefined) return;
  // Who may make a window may let it send what it found to whatever of its own account says nothing else.
  if (sender.kind === "service" && sender.service === OF_WINDOWS && asked.resourcePolicy === undefined) return;
  if (sender.kind === "service") return authorizeService(parts.authorizer, sender, asked);
  authorizeFunction(parts, sender, asked);
}

/** The function's role delivers its outcomes. Those of a function that is gone meanwhile were committed while it was there. */
function authorizeFunction(
  { authorizer, functions }: DistributionParts,
  { realm, functionArn, requestId }: Extract<ParcelSender, { readonly kind: "function" }>,
  asked: Omit<DeliveryPermission, "sender">,
): void {
  const { name, qualifier } = parseFunctionReference(functionArn, realm, undefined);
  let version: FunctionVersion;
  try {
    ({ version } = functions.reading.get(realm, name, qualifier));
  } catch (error) {
    if (isLambentError(error, "NotFound")) return;
    throw error;
  }
  authorizeRole(authorizer, version, { requestId, ...asked });
}
