/** Dead-letter queues: who may be one, for whom. */
import { LambentError } from "../base/index.ts";
import { realmKey } from "../model/index.ts";
import { parseQueueArn, queueArn } from "./names.ts";
import type { QueueRecord, QueueRegistry } from "./registry.ts";

/** Dead-letter queues behind each other that are followed; a longer chain is refused like a circle. */
const CHAIN_MAX = 100;

/** Queues of the registry whose dead-letter queue is `name`. */
export function sourcesOf(registry: QueueRegistry, name: string): QueueRecord[] {
  const arn = queueArn(registry.realm, name);
  return [...registry.queues.values()].filter(({ settings }) => settings.redrive?.target === arn);
}

/** `target` exists and its redrive-allow policy names `source`. */
export function takesFrom(target: QueueRecord | undefined, source: string): boolean {
  if (!target) return false;
  const allow = target.settings.redriveAllow;
  return allow === undefined || allow.kind === "all" || (allow.kind === "byQueue" && allow.sources.includes(source));
}

/** Refuses a dead-letter queue that is missing, of the other kind, not willing, or leads back to `record`. */
export function checkRedrive(registry: QueueRegistry, record: QueueRecord): void {
  const { redrive } = record.settings;
  if (!redrive) return;
  const reference = parseQueueArn(redrive.target);
  if (!reference || realmKey(reference.realm) !== realmKey(registry.realm))
    throw refused(redrive.target, "it is no ARN of a queue in this account and region");
  const target = registry.queues.get(reference.name);
  if (reference.name === record.name) throw refused(redrive.target, "A queue cannot be its own dead-letter queue");
  if (!target) throw refused(redrive.target, "Dead letter target does not exist");
  if (target.settings.kind !== record.settings.kind)
    throw refused(redrive.target, `Dead letter target is a ${target.settings.kind} queue and the source a ${record.settings.kind} one`);
  if (!takesFrom(target, queueArn(registry.realm, record.name)))
    throw refused(redrive.target, "Queue does not have permission to use the dead letter target: its RedriveAllowPolicy says so");
  checkNoCircle(registry, record, target);
}

function checkNoCircle(registry: QueueRegistry, record: QueueRecord, target: QueueRecord): void {
  let next: QueueRecord | undefined = target;
  for (let step = 0; next; step++) {
    if (next.name === record.name || step > CHAIN_MAX)
      throw refused(queueArn(registry.realm, target.name), "Its own dead-letter queues lead back to this queue");
    const further: string | undefined = next.settings.redrive?.target;
    next = further === undefined ? undefined : registry.queues.get(parseQueueArn(further)?.name ?? "");
  }
}

function refused(target: string, why: string): LambentError {
  return new LambentError("InvalidParameter", `Value ${target.slice(0, 200)} for parameter RedrivePolicy is invalid. Reason: ${why}.`);
}
