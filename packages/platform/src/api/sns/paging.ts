import { invalid } from "../../topics/index.ts";

/** Items of one answer, as on AWS. */
const PAGE_ITEMS = 100;

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/** A page of a list in the order of its keys; the token holds the last key shown, so that what comes or goes meanwhile hides nothing. */
export function pageOf<T>(
  list: (range: { readonly after: string | undefined; readonly limit: number }) => readonly T[],
  keyOf: (item: T) => string,
  after: string | undefined,
): Page<T> {
  const found = list({ after, limit: PAGE_ITEMS + 1 });
  const items = found.slice(0, PAGE_ITEMS);
  const last = items.at(-1);
  return { items, next: found.length > PAGE_ITEMS && last ? Buffer.from(`:${keyOf(last)}`).toString("base64url") : undefined };
}

/** The key behind which a page begins. */
export function readToken(token: string | undefined): string | undefined {
  if (token === undefined || token === "") return undefined;
  const text = Buffer.from(token.slice(0, 1_024), "base64url").toString("utf8");
  if (!text.startsWith(":")) throw invalid("NextToken Reason: it is none that this operation gave");
  return text.slice(1);
}
