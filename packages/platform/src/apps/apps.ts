import { createHash } from "node:crypto";
import { LambentError } from "../base/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import type { Store } from "../storage/index.ts";
import { apply, checkArchives, type AppFunctions, type Archives } from "./apply.ts";
import { defaultRoleArn, type CurrentFunction, type WantedFunction } from "./form.ts";
import { plan, type Change } from "./plan.ts";

/**
 * Applications: what is wanted, as one document, compared with what is there.
 *
 * Owns which functions an application brought and what they looked like then, so that a later document can remove
 * what it no longer names, and so that examples never replace what a person changed. Does not own functions, pack
 * code or read folders. Deliberately absent: a transaction over several functions (each is a cell of its own);
 * a deployment that stops half-way is repeated.
 */

export interface Deployment {
  /** Undefined: loose functions, of which nothing is remembered and nothing removed. */
  readonly app: string | undefined;
  readonly functions: readonly WantedFunction[];
  /** Leaves functions alone that exist and are not as this application left them. */
  readonly onlyUntouched: boolean;
}

export interface DeploymentPlan {
  readonly changes: readonly Change[];
  /** Functions left alone because somebody changed them, or brought them in another way. */
  readonly kept: readonly string[];
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

/** What is remembered of an application: a digest of each function's form as it was left. */
interface AppRecord {
  readonly functions: Readonly<Record<string, string>>;
}

/** The applications of a platform over its store and functions. */
export function openApps(parts: { readonly store: Store; readonly functions: AppFunctions }): Apps {
  const { store, functions } = parts;
  const running = new Set<string>();
  return {
    plan: (realm, deployment) => planDeployment(store, functions, realm, deployment),
    async deploy(realm, deployment, archives) {
      const key = `${realmKey(realm)}/${deployment.app ?? deployment.functions.map((each) => each.name).join(",")}`;
      if (running.has(key)) throw new LambentError("Conflict", `Another deployment of ${deployment.app ?? "these functions"} is running.`);
      running.add(key);
      try {
        return await deployNow(store, functions, realm, deployment, archives);
      } finally {
        running.delete(key);
      }
    },
  };
}

async function planDeployment(store: Store, functions: AppFunctions, realm: Realm, deployment: Deployment): Promise<DeploymentPlan> {
  checkCount(deployment);
  const record = deployment.app === undefined ? undefined : await readRecord(store, realm, deployment.app);
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
  return { changes: plan(current, wanted, owned, defaultRoleArn(realm.account)), kept };
}

async function deployNow(
  store: Store,
  functions: AppFunctions,
  realm: Realm,
  deployment: Deployment,
  archives: Archives,
): Promise<DeploymentResult> {
  const { changes, kept } = await planDeployment(store, functions, realm, deployment);
  checkArchives(changes, archives);
  await apply(functions, realm, changes, archives);
  const after: CurrentFunction[] = [];
  for (const { name } of deployment.functions) {
    const found = await functions.current(realm, name);
    if (found) after.push(found);
  }
  if (deployment.app !== undefined) await writeRecord(store, realm, deployment.app, after, kept);
  return { changes, kept, functions: after };
}

function checkCount(deployment: Deployment): void {
  if (deployment.functions.length > APP_FUNCTIONS_MAX)
    throw new LambentError(
      "LimitExceeded",
      `The application has ${deployment.functions.length} functions; at most ${APP_FUNCTIONS_MAX} are allowed.`,
    );
  const seen = new Set<string>();
  for (const { name } of deployment.functions) {
    if (seen.has(name)) throw new LambentError("InvalidParameter", `Function ${name} is named twice.`);
    seen.add(name);
  }
}

function appsCell(realm: Realm): string {
  return `${realmKey(realm)}/apps/registry/0`;
}

async function readRecord(store: Store, realm: Realm, app: string): Promise<AppRecord | undefined> {
  const bytes = await store.get(appsCell(realm), `app/${app}`);
  return bytes && (JSON.parse(Buffer.from(bytes).toString("utf8")) as AppRecord);
}

/** Kept functions keep what was remembered of them: they stay touched until the person says otherwise. */
async function writeRecord(
  store: Store,
  realm: Realm,
  app: string,
  after: readonly CurrentFunction[],
  kept: readonly string[],
): Promise<void> {
  const before = (await readRecord(store, realm, app))?.functions ?? {};
  const entries = after.flatMap((each): [string, string][] => {
    if (!kept.includes(each.name)) return [[each.name, fingerprint(each)]];
    const remembered = before[each.name];
    return remembered === undefined ? [] : [[each.name, remembered]];
  });
  const record: AppRecord = { functions: Object.fromEntries(entries) };
  if (JSON.stringify(before) === JSON.stringify(record.functions)) return;
  await store.commit(appsCell(realm), "any", [
    { kind: "put", cell: appsCell(realm), key: `app/${app}`, value: Buffer.from(JSON.stringify(record)) },
  ]);
}

/** A digest, not the form itself: environments hold secrets, and those are kept in one place only. */
function fingerprint(form: CurrentFunction): string {
  const environment = Object.entries(form.options.environment).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { description, memoryMb, timeoutMs, tmpMb, concurrencyPerInstance, handlerStyle, roleArn } = form.options;
  const parts = [
    form.runtime,
    form.handler,
    form.codeSha256,
    description,
    memoryMb,
    timeoutMs,
    tmpMb,
    concurrencyPerInstance,
    handlerStyle,
    roleArn,
    environment,
    form.url,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}
