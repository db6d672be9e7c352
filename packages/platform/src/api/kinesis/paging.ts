import { invalidArgument } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/** Where a list goes on: behind `ExclusiveStart…`, behind what a token says, or at the beginning. */
export function startOf(tokens: Tokens, list: string, asked: { readonly after: string | undefined; readonly token: string | undefined }) {
  if (asked.token === undefined) return asked.after;
  const position = tokens.pageOf(asked.token);
  if (position.list !== list) throw invalidArgument("Invalid NextToken: it is that of another list.");
  return position.last;
}

/** The next `limit` of `sorted` behind `after`, and whether there are more. */
export function pageOf<Entry>(
  sorted: readonly Entry[],
  { after, limit, keyOf }: { readonly after: string | undefined; readonly limit: number; readonly keyOf: (entry: Entry) => string },
): { readonly page: readonly Entry[]; readonly last: string | undefined } {
  const from = after === undefined ? 0 : sorted.findIndex((entry) => keyOf(entry) > after);
  if (from < 0) return { page: [], last: undefined };
  const page = sorted.slice(from, from + limit);
  const end = page.at(-1);
  return { page, last: end !== undefined && from + limit < sorted.length ? keyOf(end) : undefined };
}
