import type {
  BatchResultErrorEntry,
  ChangeMessageVisibilityBatchRequest,
  ChangeMessageVisibilityBatchResult,
  DeleteMessageBatchRequest,
  DeleteMessageBatchResult,
  SendMessageBatchRequest,
  SendMessageBatchResult,
  SendMessageBatchResultEntry,
} from "@aws-sdk/client-sqs";
import { isLambentError, LambentError } from "../../base/index.ts";
import { MESSAGE_BYTES_MAX, messageBytes, type NewMessage, type Queues, type SendOutcome } from "../../queues/index.ts";
import { loadService } from "../../wire/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { tried } from "../tried.ts";
import { type BatchFault, sqsWireError } from "./errors.ts";
import { newMessage, type SenderId, sentShape } from "./messages.ts";
import { queueOfUrl } from "./names.ts";

/** Entries of one batch. @limit */
export const BATCH_ENTRIES_MAX = 10;

const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/;

/** The same for up to ten messages: each entry has its own outcome. */
export function batchOperations(queues: Queues, senderId: SenderId) {
  return {
    async SendMessageBatch(input: SendMessageBatchRequest, context: RequestContext): Promise<SendMessageBatchResult> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const entries = checkedEntries(input.Entries);
      const queue = await queues.queue(realm, name);
      const sender = senderId(context);
      const drafts = entries.map((entry) => ({
        id: given(entry.Id, "Id"),
        message: tried(() => newMessage(entry, sender, context.traceHeader)),
      }));
      const messages = drafts.flatMap(({ message }) => (message instanceof LambentError ? [] : [message]));
      checkTogether(messages);
      const outcomes = (await queue.send(messages)).values();
      const fifo = queue.record.settings.kind === "fifo";
      const result = { Successful: [] as SendMessageBatchResultEntry[], Failed: [] as BatchResultErrorEntry[] };
      for (const { id, message } of drafts) {
        const outcome: SendOutcome =
          message instanceof LambentError ? { kind: "refused", error: message } : (outcomes.next().value ?? refusedForNothing());
        if (outcome.kind === "refused") result.Failed.push(failedEntry(id, outcome.error));
        else result.Successful.push({ Id: id, ...sentShape(message as NewMessage, outcome, fifo) });
      }
      return withoutEmpty(result);
    },

    async DeleteMessageBatch(input: DeleteMessageBatchRequest, context: RequestContext): Promise<DeleteMessageBatchResult> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const entries = checkedEntries(input.Entries);
      const queue = await queues.queue(realm, name);
      return each(entries, (entry) => queue.delete(given(entry.ReceiptHandle, "ReceiptHandle")));
    },

    async ChangeMessageVisibilityBatch(
      input: ChangeMessageVisibilityBatchRequest,
      context: RequestContext,
    ): Promise<ChangeMessageVisibilityBatchResult> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const entries = checkedEntries(input.Entries);
      const queue = await queues.queue(realm, name);
      return each(entries, (entry) =>
        queue.changeVisibility(given(entry.ReceiptHandle, "ReceiptHandle"), given(entry.VisibilityTimeout, "VisibilityTimeout") * 1_000),
      );
    },
  };
}

/** Refuses what is wrong with a batch as a whole. */
function checkedEntries<Entry extends { readonly Id: string | undefined }>(entries: readonly Entry[] | undefined): readonly Entry[] {
  if (!entries || entries.length === 0) throw wrongBatch("EmptyBatchRequest", "There should be at least one entry in the request.");
  if (entries.length > BATCH_ENTRIES_MAX)
    throw wrongBatch(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are ${BATCH_ENTRIES_MAX}. You have sent ${entries.length}.`,
    );
  const seen = new Set<string>();
  for (const { Id: id = "" } of entries) {
    if (!ENTRY_ID.test(id))
      throw wrongBatch(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
      );
    if (seen.has(id)) throw wrongBatch("BatchEntryIdsNotDistinct", `Id ${id} repeated.`);
    seen.add(id);
  }
  return entries;
}

function checkTogether(messages: readonly NewMessage[]): void {
  const bytes = messages.reduce((sum, message) => sum + messageBytes(message), 0);
  if (bytes > MESSAGE_BYTES_MAX)
    throw wrongBatch(
      "BatchRequestTooLong",
      `Batch requests cannot be longer than ${MESSAGE_BYTES_MAX} bytes. You have sent ${bytes} bytes.`,
    );
}

function wrongBatch(fault: BatchFault, message: string): LambentError {
  return new LambentError("InvalidBatch", message, { fault });
}

function refusedForNothing(): SendOutcome {
  return { kind: "refused", error: new LambentError("InternalError", "a message was neither sent nor refused") };
}

async function each<Entry extends { readonly Id: string | undefined }>(
  entries: readonly Entry[],
  perform: (entry: Entry) => Promise<void>,
): Promise<{ Successful: { Id: string }[]; Failed: BatchResultErrorEntry[] }> {
  const endings = await Promise.allSettled(entries.map(async (entry) => perform(entry)));
  const result = { Successful: [] as { Id: string }[], Failed: [] as BatchResultErrorEntry[] };
  for (const [index, ending] of endings.entries()) {
    const id = entries[index]?.Id ?? "";
    if (ending.status === "fulfilled") result.Successful.push({ Id: id });
    else if (isLambentError(ending.reason)) result.Failed.push(failedEntry(id, ending.reason));
    else throw ending.reason;
  }
  return withoutEmpty(result);
}

/** A list without entries is not in the answer, as on AWS; the SDK's types want both. */
function withoutEmpty<T extends { Successful: unknown[]; Failed: unknown[] }>(result: T): T {
  const { Successful, Failed } = result;
  return { ...(Successful.length > 0 ? { Successful } : {}), ...(Failed.length > 0 ? { Failed } : {}) } as T;
}

/** An entry's error goes by the name of the older query form, as on AWS. */
function failedEntry(id: string, error: LambentError): BatchResultErrorEntry {
  const { name, queryCode, message } = sqsWireError(error);
  const code = loadService("sqs").error(name)?.error?.queryCode ?? queryCode ?? name;
  return { Id: id, SenderFault: error.entry.fault === "caller", Code: code, Message: message };
}
