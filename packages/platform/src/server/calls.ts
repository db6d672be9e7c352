import { freshSeed, isLambentError, seededRandom, type Clock, type SecureRandom } from "../base/index.ts";
import { Autoscaler, type ConcurrencyLimits, DEFAULT_SETTINGS } from "../autoscaler/index.ts";
import type { Functions, InvocationTarget } from "../functions/index.ts";
import { Invoker } from "../invoker/index.ts";
import { type FunctionVersion, type Realm, type Signals, versionKey } from "../model/index.ts";
import { Router } from "../router/index.ts";
import type { Inspections, RuntimeHost } from "../runtime/index.ts";
import { memoryFreeMb } from "./machine.ts";

/** The way of a call, joined: invoker, router, autoscaler over one runtime host. */
export interface Calls {
  readonly invoker: Invoker;
  readonly autoscaler: Autoscaler;
  readonly runtime: RuntimeHost;
  /** Starts the instances that are kept initialised: nobody's call or change does after a start of the server. */
  provision(): void;
}

export interface CallParts {
  readonly functions: Functions;
  readonly runtime: RuntimeHost;
  readonly inspections: Inspections;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly idleMs: number;
  readonly reportDefect: (error: unknown) => void;
}

export function joinCalls(parts: CallParts): Calls {
  const { functions, runtime, inspections, signals, clock, secureRandom, reportDefect } = parts;
  const settings = { ...DEFAULT_SETTINGS, idleMs: parts.idleMs };
  const autoscaler = new Autoscaler({
    clock,
    runtime,
    memoryFreeMb,
    settings,
    reportDefect,
    limits: (version) => limitsOf(functions, version),
    inspected: (version) => inspections.of(version) !== undefined,
  });
  const router = new Router({ autoscaler, clock, random: seededRandom(freshSeed(secureRandom)) });
  functions.onChange((change) => {
    if (change.kind === "retired") router.retire(change.versionKey);
    else if (change.kind === "ready") router.limitsChanged(change.version);
    else for (const version of versionsOf(functions, change.realm, change.name)) router.limitsChanged(version);
  });
  inspections.onChange((realm, name) => {
    for (const { version } of latestOf(functions, realm, name)) router.renew(version);
  });
  return {
    autoscaler,
    runtime,
    invoker: new Invoker({ directory: functions, router, signals, clock }),
    provision() {
      for (const version of functions.provisionedVersions()) router.limitsChanged(version);
    },
  };
}

function limitsOf(functions: Functions, version: FunctionVersion): ConcurrencyLimits {
  const reserved = functions.reservedConcurrency(version.realm, version.name);
  return {
    concurrencyMax: reserved ?? functions.accountConcurrency(version.realm).unreserved,
    provisioned: functions.provisionedConcurrency(versionKey(version)),
  };
}

/** What `$LATEST` is now; nothing when the function is gone or cannot be called. */
function latestOf(functions: Functions, realm: Realm, name: string): InvocationTarget["versions"] {
  try {
    return functions.find(realm, name, undefined).versions;
  } catch (error) {
    if (isLambentError(error, "NotFound", "FunctionNotReady")) return [];
    throw error;
  }
}

/** Every version of a function that can be called: its limits changed as one. */
function versionsOf(functions: Functions, realm: FunctionVersion["realm"], name: string): FunctionVersion[] {
  const versions: FunctionVersion[] = [];
  for (let marker: string | undefined; ;) {
    const page = functions.reading.listVersions(realm, name, marker === undefined ? {} : { marker });
    versions.push(...page.items.filter(({ state }) => state.kind === "active").map(({ version }) => version));
    if (page.nextMarker === undefined) return versions;
    marker = page.nextMarker;
  }
}
