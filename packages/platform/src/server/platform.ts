import {
  codePath,
  createLambentService,
  iamService,
  lambdaService,
  logsService,
  policyText,
  type RequestContext,
  type Service,
  sqsService,
  stsService,
} from "../api/index.ts";
import { DEFAULT_SETTINGS } from "../autoscaler/index.ts";
import { openApps } from "../apps/index.ts";
import { type Clock, isLambentError, LambentError, type SecureRandom, systemClock, systemSecureRandom } from "../base/index.ts";
import { functionArn, type Functions, openFunctions } from "../functions/index.ts";
import { ApiHandler, BodyBudget, createInstanceEndpoint, type FunctionUrl, FunctionUrlHandler, Gateway } from "../gateway/index.ts";
import { type Metering, startMetering } from "../metering/index.ts";
import { type CodeReference, type InstanceEndpoint, type Realm, Signals } from "../model/index.ts";
import { openQueues, type Queues } from "../queues/index.ts";
import { findPythons, Inspections, openRuntimeHost, POOL_READY_MAX, type PythonInterpreter, type RuntimeHost } from "../runtime/index.ts";
import type { Sandbox } from "../sandbox/index.ts";
import { openSources, type Sources } from "../sources/index.ts";
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
  openRoles,
  presign,
  type Roles,
  type RootKey,
} from "../security/index.ts";
import { keepFunctionLogs, type Logs, openLogs, openPlatformLog, type PlatformLog } from "../telemetry/index.ts";
import { createAppFunctions } from "./app-functions.ts";
import { createAppWiring } from "./app-wiring.ts";
import { type Calls, joinCalls } from "./calls.ts";
import { type Care, openCare } from "./care.ts";
import { openEgress } from "./egress.ts";
import { type Events, joinEvents } from "./events.ts";
import type { Folders, Keep } from "./keep.ts";
import { isLoopback } from "./loopback.ts";
import type { Opened } from "./opened.ts";
import type { RunningServer, ServerOptions, ServerReport } from "./options.ts";
import { mayReadQueue } from "./role-permission.ts";
import { createUrlGuard } from "./url-guard.ts";
import { platformVersion } from "./version.ts";

/**
 * The one composition root: opens every part, joins the ports, closes all in the reverse order.
 * Decides nothing; a rule that seems to belong here belongs to the part it is about.
 */

/** Running calls have this long to end when the server stops. @limit */
export const STOP_GRACE_MS = 10_000;

/** What no request waits for is put off until the server has said that it is ready. */
const AFTER_READY_MS = 100;

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
    functions,
    runtime,
    inspections: parts.inspections,
    signals,
    clock,
    secureRandom,
    idleMs: options.idleMs ?? DEFAULT_SETTINGS.idleMs,
    reportDefect,
  });
  opened.push(() => Promise.resolve(calls.autoscaler.close()));
  const events = openEvents(opened, parts, options, calls);
  const sources = await openSources({
    store: parts.keep.store,
    clock,
    secureRandom,
    queues: parts.queues,
    functions,
    invoker: calls.invoker,
    onProblem: reportDefect,
    mayRead: (version, queue) => mayReadQueue(parts.identity.authorizer, clock, version, queue),
  });
  opened.push(() => sources.close(STOP_GRACE_MS));
  const report = reportOf(parts, options, runtime);
  const bodies = new BodyBudget();
  const api = new ApiHandler({
    services: servicesOf(parts, options, { ...calls, sources, events }, report),
    authenticator: parts.identity.authenticator,
    authorize: authorizeWith(parts.identity.authorizer),
    bodies,
    clock,
    secureRandom,
    stopping: stopping.signal,
    reportDefect,
  });
  endpoint.join(createInstanceEndpoint(api, openEgress(options.opened)));
  const gateway = openGateway(parts, options, { calls, bodies, api });
  const address = await gateway.listen(options.host, options.port);
  opened.push(() => gateway.close(new Promise((resolve) => clock.schedule(STOP_GRACE_MS, resolve))));
  calls.provision();
  sources.start();
  void functions.warm().catch(reportDefect);
  clock.schedule(AFTER_READY_MS, () => {
    parts.log.load();
    void parts.queues.resume().catch(reportDefect);
    void events.resume().catch(reportDefect);
  });
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${host}:${address.port}`,
    report,
    async stop() {
      stopping.abort();
      await opened.closeAll();
    },
  };
}

/** What nobody waits for: asynchronous invocations, and their outcomes on the way to their targets. */
function openEvents(opened: Opened, parts: Parts, options: ServerOptions, { invoker }: Calls): Events {
  const { keep, functions, queues, metering, identity, reportDefect } = parts;
  const events = joinEvents({
    ...{ clock, secureRandom, functions, invoker, queues, metering, reportDefect },
    authorizer: identity.authorizer,
    store: keep.store,
    retryTimeFactor: options.retryTimeFactor ?? 1,
  });
  opened.push(() => events.close(STOP_GRACE_MS));
  return events;
}

/** What stands below the way of a call. */
interface Parts {
  readonly keep: Keep;
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
  const functions = await openFunctions({
    store: keep.store,
    blobs: keep.blobs,
    cipher: createCipher(keep.secrets.cipherKey, secureRandom),
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
  const care = openCare(keep, clock, reportDefect);
  opened.push(() => care.close());
  return {
    care,
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

/** The port that instances reach the API by: used once an instance runs, joined before the listener opens. */
class JoinedEndpoint implements InstanceEndpoint {
  #joined: InstanceEndpoint | undefined;

  join(endpoint: InstanceEndpoint): void {
    this.#joined = endpoint;
  }

  serveApi(...parts: Parameters<InstanceEndpoint["serveApi"]>): { close(): void } {
    return this.#required().serveApi(...parts);
  }

  serveProxy(...parts: Parameters<InstanceEndpoint["serveProxy"]>): { close(): void } {
    return this.#required().serveProxy(...parts);
  }

  #required(): InstanceEndpoint {
    if (!this.#joined) throw new LambentError("InternalError", "an instance was served before the API was joined");
    return this.#joined;
  }
}

/** What works on functions, and what sets it off. */
interface Work extends Calls {
  readonly sources: Sources;
  readonly events: Events;
}

function servicesOf(parts: Parts, options: ServerOptions, calls: Work, report: ServerReport): Service[] {
  const { keep, functions, identity, signals, logs } = parts;
  const startedAt = clock.now();
  const apps = openApps({
    store: keep.store,
    functions: createAppFunctions(functions),
    wiring: createAppWiring(parts.queues, calls.sources),
  });
  return [
    lambdaService({
      functions,
      sources: calls.sources,
      invoker: calls.invoker,
      asyncInvoker: calls.events.asyncInvoker,
      defaultRealm: defaultRealm(identity, options),
      codeLocation: (code, context) => codeLocation(identity.rootKey, code, context),
      instancesReady: (key) => calls.autoscaler.ready(key),
    }),
    iamService(identity.roles),
    stsService(identity),
    logsService({ logs, clock }),
    sqsService({ queues: parts.queues, roles: identity.roles }),
    createLambentService({
      apps,
      signals,
      inspections: parts.inspections,
      latest: (realm, name) => functions.reading.get(realm, name, undefined).version,
      requireFunction: (realm, name) => void functions.reading.get(realm, name, undefined),
      care: parts.care,
      events: calls.events,
      code: (realm, sha256) => functions.reading.zipBySha256(realm, sha256),
      status: (realm) => statusOf(realm, report, functions, calls, startedAt),
      runtimeNote: (runtime) => runtimeNote(report, runtime),
    }),
  ];
}

/** Where a zip can be fetched without signing, for ten minutes as on AWS. */
function codeLocation(key: RootKey, code: CodeReference, context: RequestContext): string {
  const path = codePath(Buffer.from(code.sha256, "base64").toString("base64url"));
  const request = { method: "GET", rawUrl: path, rawHeaders: ["host", new URL(context.endpoint).host], body: Buffer.alloc(0) };
  const signing = { service: "lambent", region: context.realm.region, now: clock.now(), expiresSeconds: 600 };
  return context.endpoint + presign(request, key, signing);
}

/** Whose functions go by their names in paths. */
function defaultRealm(identity: Identity, options: ServerOptions): Realm {
  return { account: identity.rootKey.account, region: options.region };
}

function statusOf(realm: Realm, report: ServerReport, functions: Functions, calls: Calls, startedAt: number) {
  const instances = calls.autoscaler.report().reduce((sum, fleet) => sum + fleet.ready + fleet.starting, 0);
  return {
    Version: report.version,
    Pid: process.pid,
    StartedAt: new Date(startedAt),
    UptimeMs: clock.now() - startedAt,
    Region: realm.region,
    Account: realm.account,
    ...(report.dataFolder === undefined ? {} : { DataFolder: report.dataFolder }),
    Durability: report.durability,
    Sandbox: {
      Kind: report.sandbox.kind,
      Confined: report.sandbox.confined,
      Network: report.sandbox.network,
      Remarks: [...report.sandbox.remarks],
    },
    Runtimes: [...report.runtimes].map(([Runtime, { note }]) => ({ Runtime, ...(note === undefined ? {} : { Note: note }) })),
    FunctionCount: functions.account.usage(realm).functions,
    InstanceCount: instances,
    PoolReady: calls.runtime.waiting,
  };
}

/** A function may be deployed where its language is not: that it cannot be called here is said with the deployment. */
function runtimeNote({ runtimes }: ServerReport, runtime: string): string | undefined {
  const found = runtimes.get(runtime);
  return found ? found.note : "cannot run on this machine";
}

function authorizeWith(authorizer: Authorizer) {
  return (
    context: RequestContext,
    permission: { readonly action: string; readonly resource: string; readonly resourcePolicy?: string | undefined },
  ): void =>
    authorizer.authorize({ principal: context.principal, requestId: context.requestId, region: context.realm.region, ...permission });
}

interface GatewayJoin {
  readonly calls: Calls;
  readonly bodies: BodyBudget;
  readonly api: ApiHandler;
}

function openGateway({ functions, identity, reportDefect }: Parts, options: ServerOptions, { calls, bodies, api }: GatewayJoin): Gateway {
  const realm = defaultRealm(identity, options);
  const guard = createUrlGuard({
    authenticator: identity.authenticator,
    authorizer: identity.authorizer,
    secureRandom,
    resourcePolicy: (url) => ({
      arn: functionArn(url.realm, url.functionName, url.qualifier),
      identity: functions.policies.get(url.realm, url.functionName, url.qualifier),
      text: () => policyText(functions, url, url.functionName, url.qualifier),
    }),
  });
  const version = platformVersion();
  return new Gateway({
    api,
    functionUrls: new FunctionUrlHandler({ invoker: calls.invoker, guard, bodies, clock, secureRandom }),
    findUrl: (idOrName) => findUrl(functions, realm, idOrName),
    browserRules: { allowedHosts: options.allowHosts, allowedOrigins: [] },
    health: () => ({
      status: "running",
      version,
      services: { lambda: "running", iam: "running", sts: "running", logs: "running", sqs: "running" },
    }),
    reportDefect,
  });
}

/** A URL by its id, or by the name of a function of the default realm. */
function findUrl(functions: Functions, realm: Realm, idOrName: string): FunctionUrl | undefined {
  return functions.urls.find(idOrName) ?? functions.urls.ofFunction(realm, idOrName);
}

function reportOf({ keep, sandbox, identity }: Parts, options: ServerOptions, runtime: RuntimeHost): ServerReport {
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
