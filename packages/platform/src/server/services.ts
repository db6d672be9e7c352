import { type Authorize, codePath, type RequestContext, serviceEntry, type ServiceEntry, SERVICES } from "../api/index.ts";
import { type Clock, Later, type SecureRandom } from "../base/index.ts";
import type { Functions } from "../functions/index.ts";
import type { CodeReference, Realm, ServiceCaller, Signals } from "../model/index.ts";
import type { Queues } from "../queues/index.ts";
import type { Inspections } from "../runtime/index.ts";
import { type Authorizer, type Credentials, presign, type Roles, type RootKey } from "../security/index.ts";
import type { Sources } from "../sources/index.ts";
import type { Store } from "../storage/index.ts";
import type { Queries } from "../queries/index.ts";
import type { Windows } from "../windows/index.ts";
import type { Logs } from "../telemetry/index.ts";
import type { Calls } from "./calls.ts";
import type { Care } from "./care.ts";
import type { Events } from "./events.ts";
import type { ServerReport } from "./options.ts";
import type { Streaming } from "./streaming.ts";

export interface ServicesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly functions: Functions;
  readonly queues: Queues;
  readonly logs: Logs;
  readonly signals: Signals;
  readonly inspections: Inspections;
  readonly care: Care;
  readonly calls: Calls;
  readonly events: Events;
  readonly sources: Later<Sources>;
  readonly streaming: Later<Streaming>;
  readonly windows: Later<Windows>;
  readonly queries: Later<Queries>;
  readonly authorizer: Authorizer;
  readonly roles: Roles;
  readonly credentials: Credentials;
  readonly rootKey: RootKey;
  /** Whose functions go by their names in paths. */
  readonly realm: Realm;
  readonly report: ServerReport;
  readonly authorize: Authorize;
  /** Every operation, for schedules that call one. */
  readonly caller: () => ServiceCaller;
}

/** The services by their names, each joined with the parts it works on when it is first called. */
export function joinServices(parts: ServicesParts): readonly ServiceEntry[] {
  const { clock, secureRandom, queues, roles, logs, credentials, authorizer } = parts;
  const { distribution } = parts.events;
  return [
    lambdaEntry(parts),
    serviceEntry("iam", async () => (await SERVICES.iam())(roles)),
    serviceEntry("sts", async () => (await SERVICES.sts())({ credentials, roles, authorizer })),
    serviceEntry("logs", async () => (await SERVICES.logs())({ logs, clock })),
    serviceEntry("sqs", async () => (await SERVICES.sqs())({ queues, roles })),
    serviceEntry("events", async () => {
      const [make, open] = await Promise.all([SERVICES.events(), distribution.get()]);
      return make({ ...open, apiDestinations: open.destinations, clock, secureRandom });
    }),
    serviceEntry("scheduler", async () => {
      const [make, { schedules }] = await Promise.all([SERVICES.scheduler(), distribution.get()]);
      return make({ schedules, secureRandom, hasOperation: (...named) => parts.caller().has(...named) });
    }),
    serviceEntry("sns", async () => {
      const [make, { topics }] = await Promise.all([SERVICES.sns(), distribution.get()]);
      return make(topics);
    }),
    serviceEntry("kinesis", async () => {
      const [make, { streams, groups }] = await Promise.all([SERVICES.kinesis(), parts.streaming.get()]);
      return make({ streams, clock, rootKey: parts.rootKey, hasGroups: (realm, stream) => groups.hasGroups(realm, stream) });
    }),
    serviceEntry("s3", async () => {
      const [make, { buckets, checkNotified }] = await Promise.all([SERVICES.s3(), distribution.get()]);
      return make({ buckets, clock, secureRandom, roles, authorize: parts.authorize, checkTarget: checkNotified });
    }),
    lambentEntry(parts),
  ];
}

function lambdaEntry({ functions, calls, events, rootKey, realm, clock, ...parts }: ServicesParts): ServiceEntry {
  return serviceEntry("lambda", async () => {
    const [make, sources] = await Promise.all([SERVICES.lambda(), parts.sources.get()]);
    return make({
      ...{ functions, sources, invoker: calls.invoker, asyncInvoker: events.asyncInvoker, defaultRealm: realm },
      codeLocation: (code, context) => codeLocation(rootKey, clock, code, context),
      code: { buckets: async () => (await events.distribution.get()).buckets, authorize: parts.authorize },
      instancesReady: (key) => calls.autoscaler.ready(key),
    });
  });
}

function lambentEntry({
  store,
  functions,
  queues,
  signals,
  inspections,
  care,
  calls,
  events,
  report,
  clock,
  ...parts
}: ServicesParts): ServiceEntry {
  const startedAt = clock.now();
  const streams = async () => (await parts.streaming.get()).streams;
  const windows = () => parts.windows.get();
  const apps = new Later(async () => {
    const [{ openApplications }, sources, { buses, schedules, buckets }] = await Promise.all([
      import("./applications.ts"),
      parts.sources.get(),
      events.distribution.get(),
    ]);
    return openApplications({ store, functions, queues, sources, streams, windows, buses, schedules, buckets });
  });
  return serviceEntry("lambent", async () => {
    const make = await SERVICES.lambent();
    return make({
      ...{ signals, inspections, care, authorize: parts.authorize },
      windows,
      queries: () => parts.queries.get(),
      apps: () => apps.get(),
      streamTriggers: async () => {
        const [{ createAppStreams }, sources] = await Promise.all([import("./app-streams.ts"), parts.sources.get()]);
        return createAppStreams({ streams, sources, queues });
      },
      webhooks: async () => (await events.distribution.get()).webhooks,
      events: { ledger: async () => (await events.distribution.get()).ledger, asyncInvoker: events.asyncInvoker },
      latest: (realm, name) => functions.reading.get(realm, name, undefined).version,
      requireFunction: (realm, name) => void functions.reading.get(realm, name, undefined),
      code: (realm, sha256) => functions.reading.zipBySha256(realm, sha256),
      status: (realm) => statusOf(realm, report, functions, calls, { startedAt, now: clock.now() }),
      runtimeNote: (runtime) => runtimeNote(report, runtime),
    });
  });
}

/** Where a zip can be fetched without signing, for ten minutes as on AWS. */
function codeLocation(key: RootKey, clock: Clock, code: CodeReference, context: RequestContext): string {
  const path = codePath(Buffer.from(code.sha256, "base64").toString("base64url"));
  const request = { method: "GET", rawUrl: path, rawHeaders: ["host", new URL(context.endpoint).host], body: Buffer.alloc(0) };
  const signing = { service: "lambent", region: context.realm.region, now: clock.now(), expiresSeconds: 600 };
  return context.endpoint + presign(request, key, signing);
}

function statusOf(
  realm: Realm,
  report: ServerReport,
  functions: Functions,
  calls: Calls,
  { startedAt, now }: { readonly startedAt: number; readonly now: number },
) {
  const instances = calls.autoscaler.report().reduce((sum, fleet) => sum + fleet.ready + fleet.starting, 0);
  return {
    Version: report.version,
    Pid: process.pid,
    StartedAt: new Date(startedAt),
    UptimeMs: now - startedAt,
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
    ...(report.kafka.kind === "listening" ? { KafkaAddress: report.kafka.address } : {}),
  };
}

/** A function may be deployed where its language is not: that it cannot be called here is said with the deployment. */
function runtimeNote({ runtimes }: ServerReport, runtime: string): string | undefined {
  const found = runtimes.get(runtime);
  return found ? found.note : "cannot run on this machine";
}
