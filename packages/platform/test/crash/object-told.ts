/** What is told of objects, and which files they have, held against what was asked for. */
import { OBJECT_BODIES } from "../../src/objects/index.ts";
import { eachBodyReference, nameOf } from "../../src/storage/bodies/references.ts";
import type { BodyFiles, Store } from "../../src/storage/index.ts";
import { CHECKS, type Finding } from "./checks.ts";
import type { ObjectHistory } from "./object-history.ts";
import { etagOf, type ObjectEntry } from "./object-journal.ts";

type Find = (check: Finding["check"], what: string) => void;

interface NotificationJson {
  readonly Records?: readonly {
    readonly eventName: string;
    readonly s3: { readonly object: { readonly key: string; readonly eTag?: string; readonly sequencer: string } };
  }[];
}

/** The entries of a notification; none of the one that a queue is bound with. */
export function toldIn(body: string, message: string): Extract<ObjectEntry, { kind: "told" }>[] {
  const { Records = [] } = JSON.parse(body) as NotificationJson;
  return Records.map(({ eventName, s3: { object } }) => ({
    ...{ kind: "told", message, event: eventName, key: object.key, etag: object.eTag, sequencer: object.sequencer },
  }));
}

/** Every change that was acknowledged is told, none that was refused, and nothing that nobody asked for. */
export function checkChangesTold(history: ObjectHistory, find: Find): void {
  const changes = Map.groupBy(history.changes.values(), ({ key, content }) => `${key} ${content}`);
  for (const [name, same] of changes) {
    const [{ key, content } = { key: "", content: undefined }] = same;
    const times = content === undefined ? timesRemoved(history, key) : timesMade(history, key, content);
    // Deleting what is not there changes nothing.
    const isSure = same.filter(({ state, replacesSurely }) => state === "acknowledged" && (content !== undefined || replacesSurely));
    const most = same.filter(({ state }) => state !== "refused").length;
    if (times < isSure.length) find(CHECKS.told, `${name} was acknowledged ${isSure.length} times and told ${times} times`);
    if (times > most) find(CHECKS.told, `${name} was told ${times} times and asked for ${most} times`);
  }
  for (const [name, told] of history.told)
    for (const { etag } of told.values())
      if (etag !== undefined && !isAsked(history, name.slice(name.indexOf(" ") + 1), etag))
        find(CHECKS.nowhere, `${name} (${etag}) is told and nobody put it`);
}

function timesRemoved({ told }: ObjectHistory, key: string): number {
  return told.get(`ObjectRemoved:Delete ${key}`)?.size ?? 0;
}

/** How often it is told that the key got this content. */
export function timesMade({ told }: ObjectHistory, key: string, content: string): number {
  const made = [...told].filter(([name]) => name.startsWith("ObjectCreated:") && name.endsWith(` ${key}`));
  return made.flatMap(([, sequencers]) => [...sequencers.values()]).filter(({ etag = "" }) => etag === etagOf(content, etag.includes("-")))
    .length;
}

function isAsked({ changes }: ObjectHistory, key: string, etag: string): boolean {
  for (const change of changes.values())
    if (change.key === key && change.content !== undefined && etagOf(change.content, etag.includes("-")) === etag) return true;
  return false;
}

/** No file is there that no row refers to, once everything has settled, and none that two refer to or that is missing. */
export async function checkFiles(store: Store, bodies: BodyFiles, find: Find): Promise<void> {
  const referred = new Set<string>();
  for await (const reference of eachBodyReference(store, [OBJECT_BODIES])) {
    if (referred.has(nameOf(reference))) find(CHECKS.files, `two rows refer to ${nameOf(reference)}`);
    referred.add(nameOf(reference));
  }
  const there = new Set<string>();
  for await (const { path, body } of bodies.list()) {
    if (!body || !referred.has(nameOf(body))) find(CHECKS.files, `no row refers to ${path}`);
    else there.add(nameOf(body));
  }
  for (const name of referred) if (!there.has(name)) find(CHECKS.files, `${name} is missing`);
}
