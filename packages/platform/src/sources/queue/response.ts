/** What a function says about a batch. @see Lambda guide, "Implementing partial batch responses" */

export type BatchAnswer =
  /** Ids that are named were not handled; all others were. */
  | { readonly kind: "handled"; readonly failed: ReadonlySet<string> }
  /** Not an answer of this form: the whole batch failed. */
  | { readonly kind: "unreadable"; readonly why: string };

const NONE: ReadonlySet<string> = new Set();

/** Reads `{"batchItemFailures": [{"itemIdentifier": "<message id>"}]}`. Nothing, no list and an empty one mean that all is handled. */
export function readBatchAnswer(payload: Uint8Array, messageIds: ReadonlySet<string>): BatchAnswer {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8");
  let answer: unknown;
  try {
    answer = text === "" ? null : JSON.parse(text);
  } catch {
    return { kind: "unreadable", why: "the answer is no JSON" };
  }
  if (answer === null || answer === "") return { kind: "handled", failed: NONE };
  if (typeof answer !== "object" || Array.isArray(answer)) return { kind: "unreadable", why: "the answer is no object" };
  const items: unknown = Object.hasOwn(answer, "batchItemFailures")
    ? (answer as { readonly batchItemFailures: unknown }).batchItemFailures
    : null;
  if (items === null) return { kind: "handled", failed: NONE };
  if (!Array.isArray(items)) return { kind: "unreadable", why: "batchItemFailures is no list" };
  const failed = new Set<string>();
  for (const item of items) {
    const id = identifierOf(item);
    if (id === undefined || !messageIds.has(id))
      return { kind: "unreadable", why: "batchItemFailures has an itemIdentifier of no message of the batch" };
    failed.add(id);
  }
  return { kind: "handled", failed };
}

function identifierOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null || !Object.hasOwn(item, "itemIdentifier")) return undefined;
  const { itemIdentifier } = item as { readonly itemIdentifier: unknown };
  return typeof itemIdentifier === "string" ? itemIdentifier : undefined;
}
