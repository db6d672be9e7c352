import {
  codePath,
  createLambentService,
  iamService,
  lambdaService,
  logsService,
  policyText,
  type RequestContext,
  type Service,
  stsService,
} from "../api/index.ts";
import { openApps } from "../apps/index.ts";
import { type Clock, LambentError, type SecureRandom, systemClock, systemSecureRandom } from "../base/index.ts";
import { functionArn, type Functions, openFunctions } from "../functions/index.ts";
import { ApiHandler, BodyBudget, createInstanceEndpoint, type FunctionUrl, FunctionUrlHandler, Gateway } from "../gateway/index.ts";
import { type Metering, startMetering } from "../metering/index.ts";
import { type CodeReference, type InstanceEndpoint, type Realm, Signals } from "../model/index.ts";
import { findPythons, openRuntimeHost, type RuntimeHost } from "../runtime/index.ts";
import { openSandbox, type Sandbox, UID_RANGE_DEFAULT } from "../sandbox/index.ts";
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
import { keepFunctionLogs, type Logs, openLogs, openPlatformLog } from "../telemetry/index.ts";
import { createAppFunctions } from "./app-functions.ts";
import { type Calls, joinCalls } from "./calls.ts";
import { openEgress } from "./egress.ts";
import { type Keep, openKeep } from "./keep.ts";
import { isLoopback } from "./loopback.ts";
import type { RunningServer, ServerOptions, ServerReport } from "./options.ts";
import { createUrlGuard } from "./url-guard.ts";
import { platformVersion } from "./version.ts";

/**
 * The one composition root: opens every part, joins the ports, closes all in the reverse order.
 * Decides nothing; a rule that seems to belong here belongs to the part it is about.
 */

/** Running calls have this long to end when the server stops. @limit */
export const STOP_GRACE_MS = 10_000;

const clock: Clock = systemClock;
const secureRandom: SecureRandom = systemSecureRandom;

/** Starts a server. Throws `PortTaken`, `DataFolderLocked`, `DataFolderUnusable`, `SandboxUnavailable` or `InvalidParameter`. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const keep = await openKeep(options.dataFolder, secureRandom);
  try {
    return await startOver(keep, options);
  } catch (error) {
    await keep.release();
    throw error;
  }
}

async function startOver(keep: Keep, options: ServerOptions): Promise<RunningServer> {
  const signals = new Signals();
  const log = openPlatformLog({ clock, level: "info", forTerminal: process.stderr.isTTY });
  const reportDefect = (error: unknown, requestId?: string): void => log.error({ err: error, requestId }, "a defect: please report it");
  const logs = await openLogs({ folder: keep.logs, clock, onTrouble: (message) => log.warn(message) });
  keepFunctionLogs(signals, logs);
  const identity = await openIdentity(keep, options);
  const sandbox = await openSandbox({
    wanted: options.sandbox,
    slotsFolder: keep.slots,
    clock,
    uidRange: UID_RANGE_DEFAULT,
    sdkTree: options.sdkTree,
  });
  refuseUnconfined(sandbox, options);
  const functions = await openFunctions({
    store: keep.store,
    blobs: keep.blobs,
    cipher: createCipher(keep.secrets.cipherKey, secureRandom),
    clock,
    secureRandom,
    codeFolder: keep.code,
    treesFolder: keep.trees,
    treeKind: sandbox.report.confined ? "links" : "copies",
    onProblem: reportDefect,
  });
  const metering = await startMetering({ store: keep.store, signals, clock });
  const endpoint = new JoinedEndpoint();
  const runtime = await startRuntime({ options, sandbox, functions, credentials: identity.credentials, endpoint, signals });
  const calls = joinCalls({ functions, runtime, signals, clock, secureRandom, idleMs: options.idleMs, reportDefect });
  const report = reportOf(keep, options, sandbox, runtime, identity.rootKey);
  const bodies = new BodyBudget();
  const services = servicesOf({ options, keep, functions, calls, identity, signals, logs, report, startedAt: clock.now() });
  const api = new ApiHandler({
    services,
    authenticator: identity.authenticator,
    authorize: authorizeWith(identity.authorizer),
    bodies,
    secureRandom,
    reportDefect,
  });
  endpoint.join(createInstanceEndpoint(api, openEgress(options.opened)));
  const gateway = openGateway({ options, functions, calls, identity, bodies, api, reportDefect });
  const address = await gateway.listen(options.host, options.port);
  void functions.warm().catch(reportDefect);
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${host}:${address.port}`,
    report,
    stop: () => stopAll({ gateway, runtime, sandbox, functions, metering, logs, keep }),
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

interface RuntimeJoin {
  readonly options: ServerOptions;
  readonly sandbox: Sandbox;
  readonly functions: Functions;
  readonly credentials: Credentials;
  readonly endpoint: InstanceEndpoint;
  readonly signals: Signals;
}

async function startRuntime({ options, sandbox, functions, credentials, endpoint, signals }: RuntimeJoin): Promise<RuntimeHost> {
  return openRuntimeHost({
    sandbox,
    codeProvider: functions,
    credentialIssuer: credentials,
    instanceEndpoint: endpoint,
    signals,
    clock,
    secureRandom,
    network: options.network,
    nodePath: process.execPath,
    nodeVersion: process.versions.node,
    pythons: await findPythons(options.searchPath),
    sdkTree: options.sdkTree,
    poolReadyMax: options.poolReadyMax,
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

interface ServiceJoin {
  readonly options: ServerOptions;
  readonly logs: Logs;
  readonly keep: Keep;
  readonly functions: Functions;
  readonly calls: Calls;
  readonly identity: Identity;
  readonly signals: Signals;
  readonly report: ServerReport;
  readonly startedAt: number;
}

function servicesOf({ options, keep, functions, calls, identity, signals, logs, report, startedAt }: ServiceJoin): Service[] {
  const apps = openApps({ store: keep.store, functions: createAppFunctions(functions) });
  return [
    lambdaService({
      functions,
      invoker: calls.invoker,
      defaultRealm: defaultRealm(identity, options),
      codeLocation: (code, context) => codeLocation(identity.rootKey, code, context),
      instancesReady: (key) => calls.autoscaler.ready(key),
    }),
    iamService(identity.roles),
    stsService(identity),
    logsService({ logs, clock }),
    createLambentService({
      apps,
      signals,
      requireFunction: (realm, name) => void functions.reading.get(realm, name, undefined),
      code: (realm, sha256) => functions.reading.zipBySha256(realm, sha256),
      status: (realm) => statusOf(realm, report, functions, calls, startedAt),
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
  };
}

function authorizeWith(authorizer: Authorizer) {
  return (
    context: RequestContext,
    permission: { readonly action: string; readonly resource: string; readonly resourcePolicy?: string | undefined },
  ): void =>
    authorizer.authorize({ principal: context.principal, requestId: context.requestId, region: context.realm.region, ...permission });
}

interface GatewayJoin {
  readonly options: ServerOptions;
  readonly functions: Functions;
  readonly calls: Calls;
  readonly identity: Identity;
  readonly bodies: BodyBudget;
  readonly api: ApiHandler;
  readonly reportDefect: (error: unknown) => void;
}

function openGateway({ options, functions, calls, identity, bodies, api, reportDefect }: GatewayJoin): Gateway {
  const realm = defaultRealm(identity, options);
  const guard = createUrlGuard({
    authenticator: identity.authenticator,
    authorizer: identity.authorizer,
    secureRandom,
    resourcePolicy: (url) => ({
      arn: functionArn(url.realm, url.functionName, url.qualifier),
      policy: policyText(functions, url, url.functionName, url.qualifier),
    }),
  });
  return new Gateway({
    api,
    functionUrls: new FunctionUrlHandler({ invoker: calls.invoker, guard, bodies, clock, secureRandom }),
    findUrl: (idOrName) => findUrl(functions, realm, idOrName),
    browserRules: { allowedHosts: options.allowHosts, allowedOrigins: [] },
    health: () => ({
      status: "running",
      version: platformVersion(),
      services: { lambda: "running", iam: "running", sts: "running", logs: "running" },
    }),
    reportDefect,
  });
}

/** A URL by its id, or by the name of a function of the default realm. */
function findUrl(functions: Functions, realm: Realm, idOrName: string): FunctionUrl | undefined {
  return functions.urls.find(idOrName) ?? functions.urls.ofFunction(realm, idOrName);
}

function reportOf(keep: Keep, options: ServerOptions, sandbox: Sandbox, runtime: RuntimeHost, rootKey: RootKey): ServerReport {
  const { kind, confined, remarks } = sandbox.report;
  return {
    version: platformVersion(),
    durability: keep.store.durability,
    dataFolder: keep.dataFolder,
    sandbox: { kind, confined, network: options.network, remarks },
    runtimes: runtime.available(),
    region: options.region,
    rootKey,
  };
}

interface Stoppable {
  readonly gateway: Gateway;
  readonly runtime: RuntimeHost;
  readonly sandbox: Sandbox;
  readonly functions: Functions;
  readonly metering: Metering;
  readonly logs: Logs;
  readonly keep: Keep;
}

async function stopAll({ gateway, runtime, sandbox, functions, metering, logs, keep }: Stoppable): Promise<void> {
  await gateway.close(new Promise((resolve) => clock.schedule(STOP_GRACE_MS, resolve)));
  await runtime.close();
  await sandbox.close();
  await functions.close();
  await metering.close();
  await logs.close();
  await keep.release();
}
