import { LambentError } from "../../base/index.ts";

/** Entries of one page where the caller asks for no other number. */
const PAGE_MAX = 100;

/** One page of what is ordered by its names; the token is the last name of it. */
export function paged<T>(
  all: readonly T[],
  nameOf: (each: T) => string,
  { NextToken, Limit = PAGE_MAX }: { readonly NextToken?: string | undefined; readonly Limit?: number | undefined },
): { readonly page: readonly T[]; readonly next: string | undefined } {
  const after = NextToken === undefined ? undefined : readToken(NextToken);
  const rest = after === undefined ? all : all.filter((each) => nameOf(each) > after);
  const page = rest.slice(0, Limit);
  const last = page.at(-1);
  return { page, next: last !== undefined && rest.length > page.length ? Buffer.from(nameOf(last)).toString("base64url") : undefined };
}

function readToken(token: string): string {
  if (!/^[\w-]{1,2048}$/.test(token)) throw new LambentError("InvalidParameter", "NextToken is none that was given out.");
  return Buffer.from(token, "base64url").toString("utf8");
}
