import { type Authorize, createServiceCaller, type ServiceEntry } from "../api/index.ts";
import { DEFAULT_SETTINGS } from "../autoscaler/index.ts";
import {
  type Clock,
  isLambentError,
  Later,
  LambentError,
  type SecureRandom,
  systemClock,
  systemSecureRandom,
  turnOfTheLoop,
} from "../base/index.ts";
import { type Functions, openFunctions } from "../functions/index.ts";
import { ApiHandler, BodyBudget, createInstanceEndpoint } from "../gateway/index.ts";
import { type Metering, startMetering } from "../metering/index.ts";
import { type Cipher, type InstanceEndpoint, type Realm, Signals } from "../model/index.ts";
import { openQueues, type Queues } from "../queues/index.ts";
import { findPythons, Inspections, openRuntimeHost, POOL_READY_MAX, type PythonInterpreter, type RuntimeHost } from "../runtime/index.ts";
import type { Sandbox } from "../sandbox/index.ts";
import type { Sources } from "../sources/index.ts";
import {
  type Authenticator,
  type Authorizer,
  chooseRootKeys,
  createAuditLog,
  createAuthenticator,
  createAuthorizer,
  createCipher,
  createCredentials,
  type Credentials,
  type EgressToAll,
  openRoles,
  type Roles,
  type RootKey,
} from "../security/index.ts";
import { keepFunctionLogs, type Logs, openLogs, openPlatformLog, type PlatformLog } from "../telemetry/index.ts";
import { hasAnythingToDistribute, hasDefined } from "./anything-to-distribute.ts";
import { type Calls, joinCalls } from "./calls.ts";
import { type Care, openCare } from "./care.ts";
import { loopbackSaid, openDeliveryEgress, openEgress } from "./egress.ts";
import { type Events, joinEvents } from "./events.ts";
import { JoinedApi, JoinedEndpoint } from "./joined.ts";
import { KafkaListener } from "./kafka-listener.ts";
import type { Folders, Keep } from "./keep.ts";
import { isLoopback } from "./loopback.ts";
import { openGateway } from "./open-gateway.ts";
import type { Opened } from "./opened.ts";
import type { Queries } from "../queries/index.ts";
import type { Windows } from "../windows/index.ts";
import type { RunningServer, ServerOptions, ServerReport } from "./options.ts";
import { mayReadQueue } from "./role-permission.ts";
import { openS3Door } from "./s3-door.ts";
import { joinServices } from "./services.ts";
import { openStreamingLater, type Streaming } from "./streaming.ts";
import { platformVersion } from "./version.ts";

/**
 * The one composition root: opens every part, joins the ports, closes all in the reverse order.
 * Decides nothing; a rule that seems to belong here belongs to the part it is about.
 */

/** Running calls have this long to end when the server stops. @limit */
export const STOP_GRACE_MS = 10_000;

/** What no request waits for is put off until the server has said that it is ready. */
const AFTER_READY_MS = 10;

const clock: Clock = systemClock;
const secureRandom: SecureRandom = systemSecureRandom;

/** What was begun before the modules of the platform were loaded. */
export interface Begun {
  readonly folder: Folders;
  readonly sandbox: Promise<Sandbox>;
  readonly keep: Promise<Keep>;
}

/** Opens every part on what was begun, and the listener last. What is open so far is in `opened`, also when this throws. */
export async function openPlatform(opened: Opened, options: ServerOptions, begun: Begun): Promise<RunningServer> {
  const parts = await openParts(opened, options, begun);
  const stopping = new AbortController();
  const endpoint = new JoinedEndpoint();
  const runtime = startRuntime(parts, options, endpoint, await parts.pythons);
  opened.push(() => runtime.close());
  const { functions, signals, reportDefect } = parts;
  const calls = joinCalls({
    ...{ functions, runtime, inspections: parts.inspections, signals, clock, secureRandom, reportDefect },
    idleMs: options.idleMs ?? DEFAULT_SETTINGS.idleMs,
  });
  opened.push(() => Promise.resolve(calls.autoscaler.close()));
  const joined = new JoinedApi();
  const streaming = openStreamingLater(opened, { store: parts.keep.store, clock, secureRandom, reportDefect });
  const events = openEvents(opened, { ...parts, streaming }, options, calls, joined);
  const bodies = new BodyBudget();
  const realm = defaultRealm(parts.identity, options);
  const kafka = openKafka(opened, parts, options, realm, streaming);
  const readers = openReaders(opened, { ...parts, events, streaming, kafka }, calls, options);
  const report: ServerReport = { ...reportOf(parts, options, runtime), kafka: (await kafka?.listen(options.host)) ?? { kind: "off" } };
  const authorize = authorizeWith(parts.identity.authorizer);
  const services = joinServices({
    ...{ ...parts, ...parts.identity, clock, secureRandom, ...readers, calls, events, streaming, realm, report, authorize },
    store: parts.keep.store,
    caller: () => joined.caller,
  });
  const api = new ApiHandler({
    ...{ services, authorize, bodies },
    authenticator: parts.identity.authenticator,
    clock,
    secureRandom,
    stopping: stopping.signal,
    reportDefect,
  });
  const caller = createServiceCaller({
    ...{ services, authorize, clock, secureRandom, reportDefect },
    endpoint: () => joined.url,
    stopping: stopping.signal,
  });
  const s3 = openS3Door({
    ...{ ...parts.identity, api, services, events, authorize, bodies, realm, clock, secureRandom, reportDefect },
    allowHosts: options.allowHosts,
    stopping: stopping.signal,
  });
  endpoint.join(createInstanceEndpoint({ api, egress: openEgress(options.opened), s3, kafka }));
  const gateway = openGateway({
    ...{ ...parts, ...parts.identity, api, s3, calls, events, bodies, services, clock, secureRandom },
    realm,
    allowHosts: options.allowHosts,
  });
  const address = await gateway.listen(options.host, options.port);
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  joined.join(`http://${host}:${address.port}`, caller);
  opened.push(() => gateway.close(new Promise((resolve) => clock.schedule(STOP_GRACE_MS, resolve))));
  calls.provision();
  void functions.warm().catch(reportDefect);
  const afterReady = clock.schedule(
    AFTER_READY_MS,
    () => void goOn({ ...parts, ...readers, events, streaming, services }, stopping.signal),
  );
  return {
    url: joined.url,
    report,
    async stop() {
      stopping.abort();
      afterReady.cancel();
      await opened.closeAll();
    },
  };
}

/** Who reads queues and streams by themselves, or for somebody who asks. */
interface Readers {
  readonly sources: Later<Sources>;
  readonly windows: Later<Windows>;
  readonly queries: Later<Queries>;
}

function openReaders(opened: Opened, parts: SourceParts, calls: Calls, options: ServerOptions): Readers {
  const sources = openSourcesLater(opened, parts, calls, options);
  const windows = openWindowsLater(opened, parts, calls, options);
  return { sources, windows, queries: openQueriesLater(opened, parts.streaming, windows) };
}

interface SourceParts extends Parts {
  readonly events: Events;
  readonly streaming: Later<Streaming>;
  readonly kafka: KafkaListener | undefined;
}

interface PartsToGoOn extends Parts, Readers {
  readonly events: Events;
  readonly streaming: Later<Streaming>;
  readonly services: readonly ServiceEntry[];
}

/** What no start waits for. What waits since before it is taken up, and what most people call first is loaded; one after the other, so that calls get their turn. */
async function goOn(parts: PartsToGoOn, stopping: AbortSignal): Promise<void> {
  const { events, sources, streaming, windows, services } = parts;
  parts.log.load();
  const service = (name: string) => services.find(({ metadata }) => metadata.name === name)?.get();
  const steps = [
    () => parts.queues.resume(),
    () => events.asyncInvoker.resume(),
    () => sources.get(),
    () => service("lambda"),
    () => service("lambent"),
    async () => ((await hasAnythingToDistribute(parts.keep.store)) ? events.distribution.get() : undefined),
    async () => ((await hasDefined(parts.keep.store, "streams")) ? streaming.get() : undefined),
    async () => ((await hasDefined(parts.keep.store, "windows")) ? windows.get() : undefined),
  ];
  for (const step of steps) {
    try {
      await turnOfTheLoop();
      if (stopping.aborted) return;
      await step();
    } catch (error) {
      if (!isLambentError(error, "ShuttingDown")) parts.reportDefect(error);
    }
  }
}

/** What nobody waits for: asynchronous invocations, events, and their outcomes on the way to their targets. */
function openEvents(
  opened: Opened,
  parts: Parts & Pick<SourceParts, "streaming">,
  options: ServerOptions,
  { invoker }: Calls,
  api: JoinedApi,
): Events {
  const { keep, cipher, functions, queues, streaming, metering, identity, reportDefect } = parts;
  const events = joinEvents({
    ...{ clock, secureRandom, cipher, functions, invoker, queues, metering, reportDefect },
    egress: parts.egress,
    caller: () => api.caller,
    streams: async () => (await streaming.get()).streams,
    endpoint: () => api.url,
    isLoopback: isLoopback(options.host),
    authorizer: identity.authorizer,
    store: keep.store,
    bodies: keep.bodies,
    retryTimeFactor: options.retryTimeFactor ?? 1,
  });
  opened.push(() => events.close(STOP_GRACE_MS));
  return events;
}

/** What calls functions for what lies in queues: it begins with its opening. */
function openSourcesLater(opened: Opened, parts: SourceParts, { invoker }: Calls, options: ServerOptions): Later<Sources> {
  const { keep, queues, functions, identity, reportDefect } = parts;
  const later = new Later(async () => {
    const [{ openSources }, { joinStreamSource }] = await Promise.all([import("../sources/index.ts"), import("./stream-source.ts")]);
    const sources = await openSources({
      ...{ store: keep.store, clock, secureRandom, queues, functions, invoker },
      onProblem: reportDefect,
      mayRead: (version, queue) => mayReadQueue(identity.authorizer, version, queue),
      streams: joinStreamSource({
        ...{ ...parts, secureRandom, authorizer: identity.authorizer },
        retryTimeFactor: options.retryTimeFactor ?? 1,
        kafkaAddress: () => parts.kafka?.address ?? KafkaListener.USUAL_ADDRESS,
      }),
    });
    sources.start();
    return sources;
  });
  opened.push(() => later.close((sources) => sources.close(STOP_GRACE_MS)));
  return later;
}

/** Kafka's listener, unless nobody wants one. */
function openKafka(
  opened: Opened,
  { keep, identity, reportDefect }: Parts,
  { kafka }: ServerOptions,
  realm: Realm,
  streaming: Later<Streaming>,
): KafkaListener | undefined {
  if (!kafka) return undefined;
  const listener = new KafkaListener({
    ...identity,
    realm,
    streaming,
    clock,
    folderKey: keep.secrets.tokenKey,
    options: kafka,
    reportDefect,
  });
  opened.push(() => listener.close());
  return listener;
}

/** What reckons over streams: it begins with its opening. */
function openWindowsLater(
  opened: Opened,
  { keep, ...parts }: Omit<SourceParts, "kafka">,
  { invoker }: Calls,
  options: ServerOptions,
): Later<Windows> {
  const later = new Later(async () => {
    const { joinWindows } = await import("./managed-windows.ts");
    const retryTimeFactor = options.retryTimeFactor ?? 1;
    return joinWindows({ ...parts, store: keep.store, clock, secureRandom, invoker, retryTimeFactor });
  });
  opened.push(() => later.close((windows) => windows.close(new Promise((resolve) => clock.schedule(STOP_GRACE_MS, resolve)))));
  return later;
}

function openQueriesLater(opened: Opened, streaming: Later<Streaming>, windows: Later<Windows>): Later<Queries> {
  const later = new Later(async () => (await import("./queries.ts")).joinQueries({ streaming, windows, clock }));
  opened.push(() => later.close((queries) => queries.close()));
  return later;
}

/** What stands below the way of a call. */
interface Parts {
  readonly keep: Keep;
  readonly cipher: Cipher;
  readonly signals: Signals;
  readonly logs: Logs;
  readonly identity: Identity;
  readonly sandbox: Sandbox;
  readonly functions: Functions;
  readonly queues: Queues;
  readonly metering: Metering;
  readonly inspections: Inspections;
  readonly pythons: Promise<readonly PythonInterpreter[]>;
  readonly log: PlatformLog;
  /** Whom the platform itself reaches. */
  readonly egress: EgressToAll;
  readonly care: Care;
  readonly reportDefect: (error: unknown, requestId?: string) => void;
}

async function openParts(opened: Opened, options: ServerOptions, begun: Begun): Promise<Parts> {
  const { folder } = begun;
  // Pythons that are not remembered are asked who they are: the rest opens meanwhile.
  const pythons = findPythons(options.searchPath, folder.memoryFile);
  const keep = await begun.keep;
  const signals = new Signals();
  const log = openPlatformLog({ clock, level: "info", forTerminal: process.stderr.isTTY });
  const reportDefect = (error: unknown, requestId?: string): void => {
    // What the disk or an operator brought about is no defect; docs/durability.md says what to do.
    const foreseen = isLambentError(error, "StorageStopped", "StorageCorrupt", "StorageBusy", "ShuttingDown");
    log.error({ err: error, requestId }, foreseen ? "work in the background was refused" : "a defect: please report it");
  };
  const logs = await openLogs({ folder: folder.logs, clock, onTrouble: (message) => log.warn(message) });
  opened.push(() => logs.close());
  keepFunctionLogs(signals, logs);
  const metering = await startMetering({ store: keep.store, signals, clock });
  opened.push(() => metering.close());
  const identity = await openIdentity(keep, options);
  const sandbox = await begun.sandbox;
  refuseUnconfined(sandbox, options);
  const cipher = createCipher(keep.secrets.cipherKey, secureRandom);
  const functions = await openFunctions({
    store: keep.store,
    blobs: keep.blobs,
    cipher,
    clock,
    secureRandom,
    codeFolder: folder.code,
    treesFolder: folder.trees,
    treeKind: sandbox.report.confined ? "links" : "copies",
    onProblem: reportDefect,
  });
  opened.push(() => functions.close());
  const queues = await openQueues({ store: keep.store, clock, secureRandom, onProblem: reportDefect });
  opened.push(() => queues.close());
  const egress = openDeliveryEgress(
    options.opened,
    isLoopback(options.host) ? (host, port) => log.info(loopbackSaid(host, port)) : undefined,
  );
  const care = openCare(keep, clock, reportDefect);
  opened.push(() => care.close());
  return {
    care,
    cipher,
    egress,
    keep,
    signals,
    logs,
    identity,
    sandbox,
    functions,
    queues,
    metering,
    inspections: new Inspections(clock),
    pythons,
    log,
    reportDefect,
  };
}

/** Keys, principals, roles and policies. */
interface Identity {
  readonly rootKey: RootKey;
  readonly credentials: Credentials;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly roles: Roles;
}

async function openIdentity(keep: Keep, options: ServerOptions): Promise<Identity> {
  const rootKeys = chooseRootKeys({
    secrets: keep.secrets,
    given: options.rootKey,
    wellKnown: options.auth === "well-known",
    loopback: isLoopback(options.host),
  });
  const credentials = createCredentials({ rootKeys, tokenKey: keep.secrets.tokenKey, clock, secureRandom });
  const accounts = [...new Set(rootKeys.map((key) => key.account))];
  const roles = await openRoles({ store: keep.store, clock, secureRandom, accounts });
  const audit = createAuditLog(clock);
  return {
    rootKey: rootKeys[0],
    credentials,
    roles,
    authenticator: createAuthenticator({ credentials, clock }),
    authorizer: createAuthorizer({ roles, audit, clock }),
  };
}

/** Off loopback strangers could deploy code: without confinement that is only for who asked for it. */
function refuseUnconfined(sandbox: Sandbox, options: ServerOptions): void {
  if (sandbox.report.confined || options.sandbox === "process" || isLoopback(options.host)) return;
  throw new LambentError(
    "SandboxUnavailable",
    `Functions cannot be confined here (${sandbox.report.remarks.join("; ")}), and ${options.host} is no loopback address.`,
  );
}

function startRuntime(
  parts: Parts,
  options: ServerOptions,
  endpoint: InstanceEndpoint,
  pythons: readonly PythonInterpreter[],
): RuntimeHost {
  const { sandbox, functions, signals } = parts;
  return openRuntimeHost({
    sandbox,
    codeProvider: functions,
    credentialIssuer: parts.identity.credentials,
    instanceEndpoint: endpoint,
    inspections: parts.inspections,
    signals,
    clock,
    secureRandom,
    network: options.network,
    nodePath: process.execPath,
    nodeVersion: process.versions.node,
    pythons,
    sdkTree: options.sdkTree,
    poolReadyMax: options.poolReadyMax ?? POOL_READY_MAX,
    pythonZygote: true,
  });
}

/** Whose functions go by their names in paths. */
function defaultRealm(identity: Identity, options: ServerOptions): Realm {
  return { account: identity.rootKey.account, region: options.region };
}

function authorizeWith(authorizer: Authorizer): Authorize {
  return (context, permission) =>
    authorizer.authorize({ principal: context.principal, requestId: context.requestId, region: context.realm.region, ...permission });
}

function reportOf({ keep, sandbox, identity }: Parts, options: ServerOptions, runtime: RuntimeHost): Omit<ServerReport, "kafka"> {
  const { kind, confined, remarks } = sandbox.report;
  return {
    version: platformVersion(),
    durability: keep.store.durability,
    dataFolder: keep.dataFolder,
    sandbox: { kind, confined, network: options.network, remarks },
    runtimes: runtime.available(),
    region: options.region,
    rootKey: identity.rootKey,
  };
}
