import { LambentError } from "../base/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import type { Store } from "../storage/index.ts";
import { apply, checkArchives, type AppFunctions, type Archives } from "./apply.ts";
import type { EventWiring } from "./event-form.ts";
import { refuseTwice } from "./event-wiring.ts";
import { defaultRoleArn, type CurrentFunction, type WantedFunction } from "./form.ts";
import { plan, type Change } from "./plan.ts";
import { type AppRecord, claim, fingerprint, letGo, ownersOf, readRecord, writeRecord } from "./record.ts";
import type { StreamWiring } from "./stream-form.ts";
import type { UploadWiring } from "./upload-form.ts";
import type { WindowWiring } from "./window-form.ts";
import type { AppWiring } from "./wiring.ts";
import type { Trigger, WantedQueue } from "./wiring-form.ts";
import {
  applyWiringBehind,
  applyWiringBefore,
  checkAllWiring,
  madeTriggers,
  namedTriggers,
  planAllWiring,
  type WholeChange,
  type WiringStages,
  wiringOf,
} from "./wiring-stages.ts";

/**
 * Applications: what is wanted, as one document, compared with what is there.
 *
 * Owns which functions, triggers, rules, schedules, rules of buckets and windows an application brought and what functions looked like then, so that a later document can remove
 * what it no longer names, and so that examples never replace what a person changed. A function that is there and that
 * it did not bring is refused, unless it is to be adopted. Does not own functions, pack
 * code or read folders. Deliberately absent: a transaction over several functions (each is a cell of its own);
 * a deployment that stops half-way is repeated.
 */

export interface Deployment extends EventWiring, UploadWiring, StreamWiring, WindowWiring {
  /** Undefined: loose functions, of which nothing is remembered and nothing removed. */
  readonly app: string | undefined;
  readonly functions: readonly WantedFunction[];
  /** Queues that shall be there. None is ever removed: it may hold messages. */
  readonly queues: readonly WantedQueue[];
  readonly triggers: readonly Trigger[];
  /** Leaves functions alone that exist and are not as this application left them. */
  readonly onlyUntouched: boolean;
  /** Takes over functions that are there and that this application did not bring. */
  readonly adopt: boolean;
  /** Where the document lies, when the application's name is only its folder's: two folders may have one name. */
  readonly origin: string | undefined;
}

export interface DeploymentPlan {
  readonly changes: readonly Change[];
  /** Functions left alone because somebody changed them, or brought them in another way. */
  readonly kept: readonly string[];
  /** Queues, buses, buckets, streams, windows, and what calls functions. */
  readonly wiring: readonly WholeChange[];
}

export interface DeploymentResult extends DeploymentPlan {
  /** Every wanted function as it is now. */
  readonly functions: readonly CurrentFunction[];
}

export interface Apps {
  plan(realm: Realm, deployment: Deployment): Promise<DeploymentPlan>;
  /** Throws `Conflict` while another deployment of the same application runs. */
  deploy(realm: Realm, deployment: Deployment, archives: Archives): Promise<DeploymentResult>;
}

/** Functions of one application (P7). */
export const APP_FUNCTIONS_MAX = 200;
/** Functions a refusal names; the rest is a number. */
const NAMED_MAX = 5;

interface Parts {
  readonly store: Store;
  readonly functions: AppFunctions;
  readonly wiring: AppWiring;
}

/** A plan in the parts it is applied in. */
interface WholePlan {
  readonly changes: readonly Change[];
  readonly kept: readonly string[];
  /** Functions that were there and become this application's. */
  readonly adopted: readonly string[];
  readonly stages: WiringStages;
}

/** The applications of a platform over its store and functions. */
export function openApps(parts: Parts): Apps {
  const running = new Set<string>();
  return {
    async plan(realm, deployment) {
      const whole = await planDeployment(parts, realm, deployment);
      return { changes: whole.changes, kept: whole.kept, wiring: wiringOf(whole.stages) };
    },
    async deploy(realm, deployment, archives) {
      const key = `${realmKey(realm)}/${deployment.app ?? deployment.functions.map((each) => each.name).join(",")}`;
      if (running.has(key)) throw new LambentError("Conflict", `Another deployment of ${deployment.app ?? "these functions"} is running.`);
      running.add(key);
      try {
        return await deployNow(parts, realm, deployment, archives);
      } finally {
        running.delete(key);
      }
    },
  };
}

async function planDeployment(parts: Parts, realm: Realm, deployment: Deployment): Promise<WholePlan> {
  const { store, functions } = parts;
  checkCount(deployment);
  checkAllWiring(deployment);
  const record = deployment.app === undefined ? undefined : await readRecord(store, realm, deployment.app);
  refuseOtherOrigin(deployment, record);
  const remembered = record?.functions ?? {};
  const current = new Map<string, CurrentFunction>();
  for (const name of new Set([...deployment.functions.map((each) => each.name), ...Object.keys(remembered)])) {
    const found = await functions.current(realm, name);
    if (found) current.set(name, found);
  }
  const touched = (name: string): boolean => {
    const found = current.get(name);
    return found !== undefined && fingerprint(found) !== remembered[name];
  };
  const kept = deployment.onlyUntouched ? [...current.keys()].filter(touched) : [];
  const wanted = deployment.functions.filter((each) => !kept.includes(each.name));
  const owned = new Set(
    Object.keys(remembered).filter((name) => !kept.includes(name) && !deployment.functions.some((each) => each.name === name)),
  );
  const foreign =
    deployment.app === undefined
      ? []
      : wanted.map(({ name }) => name).filter((name) => current.has(name) && remembered[name] === undefined);
  if (!deployment.adopt) await refuseForeign(store, realm, deployment, foreign);
  const changes = plan(current, wanted, owned, defaultRoleArn(realm.account));
  const stages = await planAllWiring(parts.wiring, realm, deployment, { record, kept, current });
  return { changes, kept, adopted: foreign, stages };
}

/** Functions that came another way are nobody's to change, and later to remove, by chance of a name. */
async function refuseForeign(store: Store, realm: Realm, { app }: Deployment, foreign: readonly string[]): Promise<void> {
  if (foreign.length === 0) return;
  const owners = await ownersOf(store, realm, foreign);
  const said = foreign.slice(0, NAMED_MAX).map((name) => {
    const owner = owners.get(name);
    return `${name} ${owner === undefined ? "belongs to no application" : `belongs to application ${owner}`}`;
  });
  const more = foreign.length > NAMED_MAX ? ` and ${foreign.length - NAMED_MAX} more` : "";
  throw new LambentError(
    "NotOwned",
    `Application ${app ?? ""} did not bring what is there already: function ${said.join(", function ")}${more}.`,
  );
}

/** Before anything of the other one is changed or removed. */
function refuseOtherOrigin({ app, origin }: Deployment, record: AppRecord | undefined): void {
  if (app === undefined || origin === undefined || record === undefined || record.origin === origin) return;
  const from = record.origin === undefined ? "by a document that names itself so" : `from ${record.origin}`;
  throw new LambentError(
    "NotOwned",
    `There is an application ${app} already, deployed ${from}; ${origin} has no other name than its folder's: say which it is with \`app:\` in lambent.yaml.`,
  );
}

async function deployNow(parts: Parts, realm: Realm, deployment: Deployment, archives: Archives): Promise<DeploymentResult> {
  const { store, functions } = parts;
  const whole = await planDeployment(parts, realm, deployment);
  const { changes, kept, adopted } = whole;
  checkArchives(changes, archives);
  const { app, origin } = deployment;
  const created = changes.flatMap(({ kind, name }) => (kind === "createFunction" ? [name] : []));
  // What a deployment that stops half-way has made is its own when it is repeated.
  if (app !== undefined) await claim(store, realm, { app, origin, created, adopted, triggers: claimedTriggers(deployment, whole) });
  try {
    await applyWiringBefore(parts.wiring, realm, whole.stages);
    await apply(functions, realm, changes, archives);
    await applyWiringBehind(parts.wiring, realm, whole.stages);
  } catch (error) {
    if (app !== undefined)
      await letGo(store, realm, app, async (name) => (await functions.current(realm, name)) !== undefined).catch(() => undefined);
    throw error;
  }
  const after: CurrentFunction[] = [];
  for (const { name } of deployment.functions) {
    const found = await functions.current(realm, name);
    if (found) after.push(found);
  }
  if (app !== undefined) await writeRecord(store, realm, { app, origin, after, kept, ...triggersOf(deployment, whole) });
  return { changes, kept, functions: after, wiring: wiringOf(whole.stages) };
}

/** What is claimed and not there counts as taken away by a person, so documents that respect that claim nothing ahead. */
function claimedTriggers({ onlyUntouched }: Deployment, whole: WholePlan): readonly string[] {
  return onlyUntouched ? [] : madeTriggers(whole.stages);
}

/** A trigger that was there and another brought stays the other's, though the document describes it too. */
function triggersOf(
  deployment: Deployment,
  whole: WholePlan,
): { readonly triggers: readonly string[]; readonly broughtTriggers: ReadonlySet<string> } {
  const triggers = namedTriggers(deployment);
  return { triggers, broughtTriggers: new Set(deployment.adopt ? triggers : madeTriggers(whole.stages)) };
}

function checkCount(deployment: Deployment): void {
  if (deployment.functions.length > APP_FUNCTIONS_MAX)
    throw new LambentError(
      "LimitExceeded",
      `The application has ${deployment.functions.length} functions; at most ${APP_FUNCTIONS_MAX} are allowed.`,
    );
  refuseTwice(deployment.functions.map(({ name }) => `Function ${name}`));
}
