import { LambentError } from "../base/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import type { Store } from "../storage/index.ts";
import { apply, checkArchives, type AppFunctions, type Archives } from "./apply.ts";
import type { EventWiring } from "./event-form.ts";
import { createdKeys, type EventChange, eventKeys, planBuses, planEventRemovals, planEventTriggers } from "./event-plan.ts";
import { applyEvents, checkEvents, currentEvents, refuseTwice } from "./event-wiring.ts";
import { defaultRoleArn, FUNCTION_DEFAULTS, type CurrentFunction, type WantedFunction } from "./form.ts";
import { plan, type Change } from "./plan.ts";
import { type AppRecord, claim, fingerprint, letGo, ownersOf, readRecord, writeRecord } from "./record.ts";
import { applyWiring, checkWiring, currentWiring, type AppWiring } from "./wiring.ts";
import { triggerKey, type Trigger, type WantedQueue } from "./wiring-form.ts";
import { planQueues, planTriggerRemovals, planTriggers, type WiringChange } from "./wiring-plan.ts";

/**
 * Applications: what is wanted, as one document, compared with what is there.
 *
 * Owns which functions, triggers, rules and schedules an application brought and what functions looked like then, so that a later document can remove
 * what it no longer names, and so that examples never replace what a person changed. A function that is there and that
 * it did not bring is refused, unless it is to be adopted. Does not own functions, pack
 * code or read folders. Deliberately absent: a transaction over several functions (each is a cell of its own);
 * a deployment that stops half-way is repeated.
 */

export interface Deployment extends EventWiring {
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
  /** Queues, buses, and what calls functions. */
  readonly wiring: readonly (WiringChange | EventChange)[];
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
  readonly removals: readonly WiringChange[];
  readonly queues: readonly WiringChange[];
  readonly triggers: readonly WiringChange[];
  readonly events: EventPlan;
}

interface EventPlan {
  readonly removals: readonly EventChange[];
  readonly buses: readonly EventChange[];
  readonly triggers: readonly EventChange[];
}

/** The applications of a platform over its store and functions. */
export function openApps(parts: Parts): Apps {
  const running = new Set<string>();
  return {
    async plan(realm, deployment) {
      const whole = await planDeployment(parts, realm, deployment);
      return { changes: whole.changes, kept: whole.kept, wiring: wiringOf(whole) };
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
  checkWiring(deployment);
  checkEvents(deployment);
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
  const known = { record, kept, current };
  const events = await planEvents(parts, realm, deployment, known);
  return { changes, kept, adopted: foreign, ...planWiring(parts, realm, deployment, known), events };
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

interface Known {
  readonly record: AppRecord | undefined;
  readonly kept: readonly string[];
  readonly current: ReadonlyMap<string, CurrentFunction>;
}

/** Queues and triggers; those of functions that are left alone are, too. */
function planWiring(
  { wiring }: Parts,
  realm: Realm,
  deployment: Deployment,
  { record, kept, current }: Known,
): Omit<WholePlan, "changes" | "kept" | "adopted" | "events"> {
  const { queues, functions, onlyUntouched } = deployment;
  const triggers = deployment.triggers.filter(({ functionName }) => !kept.includes(functionName));
  const wanted = { queues, triggers };
  const owned = ownedTriggers(record, kept);
  const timeouts = new Map(functions.map(({ name, options }) => [name, options.timeoutMs ?? current.get(name)?.options.timeoutMs]));
  const timeoutMs = (name: string): number => timeouts.get(name) ?? FUNCTION_DEFAULTS.timeoutMs;
  const found = currentWiring(wiring, realm, wanted, owned);
  const rules = { owned, timeoutMs, onlyUntouched };
  return {
    removals: planTriggerRemovals(found, wanted, rules),
    queues: planQueues(found, wanted, rules),
    triggers: planTriggers(found, wanted, rules),
  };
}

/** Buses, rules and schedules; those that call functions that are left alone are, too. */
async function planEvents({ wiring }: Parts, realm: Realm, deployment: Deployment, { record, kept, current }: Known): Promise<EventPlan> {
  const isMeant = ({ functionName }: { readonly functionName: string }): boolean => !kept.includes(functionName);
  const { buses, functions, onlyUntouched } = deployment;
  const roles = new Map(functions.map(({ name, options }) => [name, options.roleArn ?? current.get(name)?.options.roleArn]));
  const wanted = { buses, rules: deployment.rules.filter(isMeant), schedules: deployment.schedules.filter(isMeant) };
  const roleArn = (name: string): string => roles.get(name) ?? defaultRoleArn(realm.account);
  const rules = { owned: ownedTriggers(record, kept), roleArn, onlyUntouched };
  const found = await currentEvents(wiring, realm, wanted, rules.owned);
  return {
    removals: planEventRemovals(found, wanted, rules),
    buses: planBuses(found, wanted, rules),
    triggers: planEventTriggers(found, wanted, rules),
  };
}

function ownedTriggers(record: AppRecord | undefined, kept: readonly string[]): ReadonlySet<string> {
  return new Set((record?.triggers ?? []).filter((key) => !kept.some((name) => key.startsWith(`${name} `))));
}

function wiringOf({ removals, queues, triggers, events }: WholePlan): (WiringChange | EventChange)[] {
  return [...removals, ...events.removals, ...queues, ...events.buses, ...triggers, ...events.triggers];
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
    await applyAll(parts, realm, whole, archives);
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
  return { changes, kept, functions: after, wiring: wiringOf(whole) };
}

/** What is claimed and not there counts as taken away by a person, so documents that respect that claim nothing ahead. */
function claimedTriggers({ onlyUntouched }: Deployment, whole: WholePlan): readonly string[] {
  return onlyUntouched ? [] : madeTriggers(whole);
}

function madeTriggers({ triggers, events }: WholePlan): string[] {
  const made = triggers.flatMap((change) => (change.kind === "createTrigger" ? [triggerKey(change)] : []));
  return [...made, ...createdKeys(events.triggers)];
}

/** A trigger that was there and another brought stays the other's, though the document describes it too. */
function triggersOf(
  deployment: Deployment,
  whole: WholePlan,
): { readonly triggers: readonly string[]; readonly broughtTriggers: ReadonlySet<string> } {
  const triggers = [...deployment.triggers.map(triggerKey), ...eventKeys(deployment)];
  return { triggers, broughtTriggers: new Set(deployment.adopt ? triggers : madeTriggers(whole)) };
}

/** Queues and buses before functions, which may be made to need them; triggers need both. */
async function applyAll({ functions, wiring }: Parts, realm: Realm, whole: WholePlan, archives: Archives): Promise<void> {
  const { events } = whole;
  await applyWiring(wiring, realm, [...whole.removals, ...whole.queues]);
  await applyEvents(wiring, realm, [...events.removals, ...events.buses]);
  await apply(functions, realm, whole.changes, archives);
  await applyWiring(wiring, realm, whole.triggers);
  await applyEvents(wiring, realm, events.triggers);
}

function checkCount(deployment: Deployment): void {
  if (deployment.functions.length > APP_FUNCTIONS_MAX)
    throw new LambentError(
      "LimitExceeded",
      `The application has ${deployment.functions.length} functions; at most ${APP_FUNCTIONS_MAX} are allowed.`,
    );
  refuseTwice(deployment.functions.map(({ name }) => `Function ${name}`));
}
