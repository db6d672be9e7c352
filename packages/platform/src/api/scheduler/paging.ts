import { LambentError } from "../../base/index.ts";

/** Entries of one page where the caller asks for no other number. */
export const PAGE_MAX = 100;

/** What the next page begins behind, as a caller carries it. */
export function pageToken(last: string): string {
  return Buffer.from(last).toString("base64url");
}

/** What a page begins behind. */
export function readPageToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const last = /^[\w-]{1,400}$/.test(token) ? Buffer.from(token, "base64url").toString("utf8") : "";
  if (!/^[0-9a-zA-Z-_./]{1,200}$/.test(last))
    throw new LambentError("InvalidParameter", "Invalid NextToken: it is none that this operation gave.");
  return last;
}
