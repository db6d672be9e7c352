/** One queue: its messages over the work list of its cell. */
import { LambentError, timeOrderedId, type Clock, type SecureRandom } from "../base/index.ts";
import type { LeasedItem, NewItem, WorkList } from "../storage/index.ts";
import { checkMessage, contentDigest, messageBytes, type NewMessage, packMessage, type StoredMessage, unpackMessage } from "./message.ts";
import { ReceiveAttempts } from "./receive-attempts.ts";
import type { QueueRecord } from "./registry.ts";

/** Messages one receive gives. @limit */
export const RECEIVE_MESSAGES_MAX = 10;
const VISIBILITY_MS_MAX = 43_200_000;
const WAIT_MS_MAX = 20_000;
/** Between two purges of a queue. */
const PURGE_PAUSE_MS = 60_000;
/** Characters of a queue's id that a receipt handle carries, so that a handle of another queue is known as such. */
const HANDLE_TAG_LENGTH = 8;

export type SendOutcome =
  | { readonly kind: "sent"; readonly id: string; readonly sequence: number }
  | { readonly kind: "refused"; readonly error: LambentError };

export interface ReceivedMessage extends StoredMessage {
  readonly id: string;
  readonly handle: string;
  readonly group: string | undefined;
  readonly sequence: number;
  readonly sentAt: number;
  readonly receiveCount: number;
  readonly firstReceivedAt: number;
}

export interface ReceiveRequest {
  readonly max: number;
  readonly visibilityMs?: number | undefined;
  readonly waitMs?: number | undefined;
  readonly attempt?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class Queue {
  readonly list: WorkList;
  readonly #record: () => QueueRecord;
  readonly #clock: Clock;
  readonly #secureRandom: SecureRandom;
  readonly #attempts = new ReceiveAttempts<ReceivedMessage>();
  #purgedAt: number | undefined;

  constructor(list: WorkList, record: () => QueueRecord, parts: { readonly clock: Clock; readonly secureRandom: SecureRandom }) {
    this.list = list;
    this.#record = record;
    this.#clock = parts.clock;
    this.#secureRandom = parts.secureRandom;
  }

  /** As it is now. */
  get record(): QueueRecord {
    return this.#record();
  }

  /** Sends messages in one step; each is taken or refused by itself. */
  async send(messages: readonly NewMessage[]): Promise<SendOutcome[]> {
    const items = messages.map((message) => this.#itemOf(message));
    const good = items.filter((item): item is NewItem => !(item instanceof LambentError));
    const outcomes = good.length > 0 ? await this.list.enqueue(good) : [];
    let taken = 0;
    return items.map((item): SendOutcome => {
      if (item instanceof LambentError) return { kind: "refused", error: item };
      const { id, sequence } = outcomes[taken++] ?? { id: item.id, sequence: 0 };
      return { kind: "sent", id, sequence };
    });
  }

  #itemOf(message: NewMessage): NewItem | LambentError {
    try {
      return this.#checkedItem(message);
    } catch (error) {
      if (error instanceof LambentError) return error;
      throw error;
    }
  }

  #checkedItem(message: NewMessage): NewItem {
    const { settings } = this.record;
    checkMessage(message);
    if (messageBytes(message) > settings.messageBytesMax)
      throw new LambentError(
        "InvalidParameter",
        `One or more parameters are invalid. Reason: Message must be shorter than ${settings.messageBytesMax} bytes.`,
      );
    const deduplication = settings.kind === "fifo" ? this.#deduplicationOf(message) : undefined;
    if (settings.kind === "standard") refuseFifoMembers(message);
    else if ((message.delayMs ?? 0) !== 0) throw notOfThisKind(message.delayMs, "DelaySeconds");
    const delayMs = message.delayMs ?? settings.delayMs;
    if (!(delayMs >= 0 && delayMs <= 900_000))
      throw new LambentError(
        "InvalidParameter",
        `Value ${delayMs / 1_000} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`,
      );
    const { body, attributes, sender, traceHeader, callTrace, group } = message;
    const stored: StoredMessage = {
      body,
      attributes,
      sender,
      deduplication,
      traceHeader: typeof traceHeader?.value === "string" ? traceHeader.value : callTrace,
      source: undefined,
    };
    return {
      id: timeOrderedId(this.#clock, this.#secureRandom),
      body: packMessage(stored),
      delayMs: settings.kind === "fifo" ? settings.delayMs : delayMs,
      group,
      deduplication: deduplication === undefined ? undefined : this.#deduplicationKey(deduplication, group),
      delivery: message.delivery,
    };
  }

  #deduplicationOf({ group, deduplication, body }: NewMessage): string {
    if (group === undefined) throw new LambentError("InvalidParameter", "The request must contain the parameter MessageGroupId.");
    if (deduplication !== undefined) return deduplication;
    if (this.record.settings.contentBasedDeduplication) return contentDigest(body);
    throw new LambentError(
      "InvalidParameter",
      "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    );
  }

  #deduplicationKey(deduplication: string, group: string | undefined): string {
    return this.record.settings.deduplicationScope === "messageGroup" ? `${group}\n${deduplication}` : deduplication;
  }

  /** Receives up to `max` messages, waiting for the first one when asked to. @see SQS API reference, ReceiveMessage */
  async receive(request: ReceiveRequest): Promise<readonly ReceivedMessage[]> {
    const { settings } = this.record;
    const { max, attempt } = request;
    const visibilityMs = request.visibilityMs ?? settings.visibilityMs;
    const waitMs = request.waitMs ?? settings.waitMs;
    checkRange(max, 1, RECEIVE_MESSAGES_MAX, "MaxNumberOfMessages");
    checkRange(visibilityMs / 1_000, 0, VISIBILITY_MS_MAX / 1_000, "VisibilityTimeout");
    checkRange(waitMs / 1_000, 0, WAIT_MS_MAX / 1_000, "WaitTimeSeconds");
    if (attempt !== undefined && settings.kind === "standard") throw notOfThisKind(attempt, "ReceiveRequestAttemptId");
    const again = attempt === undefined ? undefined : await this.#repeat(attempt, visibilityMs);
    if (again) return again;
    const outcome = await this.list.lease({ max, leaseMs: visibilityMs, waitMs, signal: request.signal });
    if (outcome.kind === "overLimit")
      throw new LambentError("InFlightLimit", "Too many messages are in flight; delete some, or wait until they are visible again.");
    if (outcome.kind === "closed") throw queueGone(this.record.name);
    const messages = outcome.items.map((item) => this.received(item));
    if (attempt !== undefined && messages.length > 0) this.#attempts.remember(attempt, messages, this.#clock.monotonicMs());
    return messages;
  }

  /** The same messages for the same attempt id, as long as all of them are still in flight. */
  async #repeat(attempt: string, visibilityMs: number): Promise<readonly ReceivedMessage[] | undefined> {
    const known = this.#attempts.find(attempt, this.#clock.monotonicMs());
    if (!known) return undefined;
    const outcomes = await Promise.all(known.map(({ handle }) => this.list.extend(this.#receiptOf(handle), visibilityMs)));
    return outcomes.every(({ kind }) => kind === "extended") ? known : undefined;
  }

  /** Deletes by receipt handle; doing it again is fine. */
  async delete(handle: string): Promise<void> {
    const fifo = this.record.settings.kind === "fifo";
    const outcome = await this.list.settle(this.#receiptOf(handle), { evenExpired: !fifo });
    if (outcome.kind === "unknown") throw invalidHandle();
    if (fifo && (outcome.kind === "expired" || outcome.kind === "stale"))
      throw new LambentError(
        "InvalidParameter",
        `Value ${handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
      );
  }

  async changeVisibility(handle: string, visibilityMs: number): Promise<void> {
    checkRange(visibilityMs / 1_000, 0, VISIBILITY_MS_MAX / 1_000, "VisibilityTimeout");
    const outcome = await this.list.extend(this.#receiptOf(handle), visibilityMs);
    switch (outcome.kind) {
      case "extended":
        return;
      case "unknown":
        throw invalidHandle();
      case "expired":
      case "stale":
        throw new LambentError("NotInFlight", "The message referred to isn't in flight.");
      case "gone":
        throw new LambentError(
          "InvalidParameter",
          `Value ${handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
        );
    }
  }

  async purge(): Promise<void> {
    const now = this.#clock.monotonicMs();
    if (this.#purgedAt !== undefined && now < this.#purgedAt + PURGE_PAUSE_MS)
      throw new LambentError("PurgeInProgress", `Only one PurgeQueue operation on ${this.record.name} is allowed every 60 seconds.`);
    const before = this.#purgedAt;
    this.#purgedAt = now;
    try {
      await this.list.purge();
    } catch (error) {
      this.#purgedAt = before;
      throw error;
    }
  }

  /** A leased item as whoever receives it sees it. */
  received({ id, body, receipt, group, sequence, enqueuedAt, receiveCount, firstReceivedAt }: LeasedItem): ReceivedMessage {
    const handle = `${this.#tag()}${receipt}`;
    return { ...unpackMessage(body), id, handle, group, sequence, sentAt: enqueuedAt, receiveCount, firstReceivedAt };
  }

  #tag(): string {
    return this.record.id.slice(0, HANDLE_TAG_LENGTH);
  }

  #receiptOf(handle: string): string {
    const tag = this.#tag();
    if (!handle.startsWith(tag)) throw invalidHandle();
    return handle.slice(tag.length);
  }
}

export function queueGone(name: string, otherRegion?: string): LambentError {
  const elsewhere = otherRegion === undefined ? "" : ` One of that name is in ${otherRegion}.`;
  return new LambentError("NotFound", `The specified queue ${name} does not exist.${elsewhere}`);
}

function refuseFifoMembers({ deduplication }: NewMessage): void {
  if (deduplication !== undefined) throw notOfThisKind(deduplication, "MessageDeduplicationId");
}

function notOfThisKind(value: unknown, name: string): LambentError {
  return new LambentError(
    "InvalidParameter",
    `Value ${String(value)} for parameter ${name} is invalid. Reason: The request include parameter that is not valid for this queue type.`,
  );
}

function invalidHandle(): LambentError {
  return new LambentError("InvalidReceipt", "The input receipt handle is invalid.");
}

function checkRange(value: number, min: number, max: number, name: string): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new LambentError(
      "InvalidParameter",
      `Value ${value} for parameter ${name} is invalid. Reason: Must be >= ${min} and <= ${max}, if provided.`,
    );
}
