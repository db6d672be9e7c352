/**
 * Takes messages from one queue to another: from the outgoing items of the source's cell, in the order of their
 * numbers, into the target, which knows the last number it took; then the source lets go. A crash between the two
 * sends again what the target then knows it has, so nothing is lost and nothing doubled.
 */
import { delay, isLambentError, type Clock, type Instant } from "../base/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import type { NewItem, OutgoingItem } from "../storage/index.ts";
import { packMessage, unpackMessage } from "./message.ts";
import { parseQueueArn, queueArn } from "./names.ts";
import type { Queue } from "./queue.ts";

/** Messages taken over in one step. */
const STEP_ITEMS_MAX = 50;
/** Bytes after which a step takes no further one. */
const STEP_BYTES_TARGET = 1024 * 1024;
/** After a refusal by the storage. */
const RETRY_MS = 1_000;
/** How targets that are dead-letter queues begin. */
const DEAD = "dead:";

interface DelivererParts {
  readonly clock: Clock;
  readonly onProblem: (error: unknown) => void;
  readonly queue: (realm: Realm, name: string) => Promise<Queue | undefined>;
  /** The target has them durably, and the source lets go only behind this. */
  readonly deadLettered: (letters: DeadLetters) => Promise<void>;
}

/** Messages that went to a dead-letter queue. */
export interface DeadLetters {
  readonly realm: Realm;
  readonly source: Queue;
  /** ARN of the dead-letter queue. */
  readonly target: string;
  readonly messages: readonly { readonly id: string; readonly sentAt: Instant }[];
}

export class Deliverer {
  readonly #parts: DelivererParts;
  /** By cell: what is under way, and whether more came since it looked. */
  readonly #sources = new Map<string, { again: boolean }>();
  #closed = false;

  constructor(parts: DelivererParts) {
    this.#parts = parts;
  }

  /** The queue has outgoing messages. */
  wake(realm: Realm, name: string, cell: string): void {
    const running = this.#sources.get(cell);
    if (running) {
      running.again = true;
      return;
    }
    if (this.#closed) return;
    const work = { again: true };
    this.#sources.set(cell, work);
    void this.#run(realm, name, cell, work);
  }

  close(): void {
    this.#closed = true;
  }

  async #run(realm: Realm, name: string, cell: string, work: { again: boolean }): Promise<void> {
    // In one step with the last look at `again`, so that no wake falls between them.
    try {
      while (work.again && !this.#closed) {
        work.again = false;
        const outcome = await this.#empty(realm, name, cell);
        if (outcome === "over") return;
        if (outcome === "later") {
          await delay(this.#parts.clock, RETRY_MS);
          work.again = true;
        }
      }
    } finally {
      this.#sources.delete(cell);
    }
  }

  async #empty(realm: Realm, name: string, cell: string): Promise<"empty" | "later" | "over"> {
    try {
      const source = await this.#parts.queue(realm, name);
      while (source && !this.#closed && (await this.#step(realm, source, cell)));
      return "empty";
    } catch (error) {
      if (this.#closed || isLambentError(error, "StorageStopped", "StorageCorrupt")) return "over";
      // One of the two may have been deleted meanwhile: the next look finds it gone.
      if (isLambentError(error)) return "later";
      this.#parts.onProblem(error);
      return "over";
    }
  }

  /** Takes over what is first; returns whether there was anything. */
  async #step(realm: Realm, source: Queue, cell: string): Promise<boolean> {
    const items = await source.list.outgoing(STEP_ITEMS_MAX);
    const [first] = items;
    if (!first) return false;
    const arn = queueArn(realm, source.record.name);
    const destination = destinationOf(first);
    const together = leading(items, (item) => destinationOf(item) === destination);
    const numbers = together.map(({ number }) => number);
    const target = await this.#target(realm, destination);
    // A FIFO queue takes no message without a group.
    const fits = target && (target.record.settings.kind === "standard" || together.every(({ group }) => group !== undefined));
    if (!fits) {
      await source.list.returnOutgoing(numbers);
      return true;
    }
    const keepsAge = target.record.settings.kind === "standard";
    await target.list.enqueue(together.map((item) => arriving(item, { cell, arn, keepsAge })));
    const messages = together.filter((item) => item.target.startsWith(DEAD)).map(({ id, enqueuedAt: sentAt }) => ({ id, sentAt }));
    if (messages.length > 0 && destination !== undefined) await this.#parts.deadLettered({ realm, source, target: destination, messages });
    await source.list.settleOutgoing(numbers);
    return true;
  }

  async #target(realm: Realm, arn: string | undefined): Promise<Queue | undefined> {
    const reference = arn === undefined ? undefined : parseQueueArn(arn);
    if (!reference || realmKey(reference.realm) !== realmKey(realm)) return undefined;
    return this.#parts.queue(realm, reference.name);
  }
}

/** `dead:<arn>`, `move:<arn>`, or `origin`: to where the message says that it came from. */
function destinationOf({ target, body }: OutgoingItem): string | undefined {
  return target === "origin" ? unpackMessage(body).source : target.slice(target.indexOf(":") + 1);
}

function arriving(item: OutgoingItem, from: { readonly cell: string; readonly arn: string; readonly keepsAge: boolean }): NewItem {
  const message = unpackMessage(item.body);
  const source = item.target.startsWith(DEAD) ? from.arn : undefined;
  return {
    id: item.id,
    body: packMessage({ ...message, source }),
    group: item.group,
    enqueuedAt: from.keepsAge ? item.enqueuedAt : undefined,
    delivery: { source: from.cell, number: item.number },
  };
}

function leading(items: readonly OutgoingItem[], belongs: (item: OutgoingItem) => boolean): OutgoingItem[] {
  const taken: OutgoingItem[] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += item.body.byteLength;
    if (!belongs(item) || (taken.length > 0 && bytes > STEP_BYTES_TARGET)) break;
    taken.push(item);
  }
  return taken;
}
