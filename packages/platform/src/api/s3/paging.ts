/** Where pages begin and how long they are, as S3's clients say it. */
import { invalid, memberDetail } from "./errors.ts";

/** Entries of one page, as on AWS. @limit */
export const PAGE_ENTRIES_MAX = 1_000;

/** How many entries a page has: what is asked for, up to a thousand. */
export function pageSize(asked: number | undefined, argument: string): number {
  if (asked === undefined) return PAGE_ENTRIES_MAX;
  if (!Number.isInteger(asked) || asked < 0 || asked > 0x7fff_ffff)
    throw invalid("argument", `Argument ${argument} must be an integer between 0 and 2147483647`, {
      argument,
      [memberDetail("ArgumentValue")]: asked,
    });
  return Math.min(asked, PAGE_ENTRIES_MAX);
}

/** A marker that is a number, `0` where none is given. */
export function readMarker(marker: string | undefined): number {
  if (marker === undefined || marker === "") return 0;
  if (!/^\d{1,9}$/u.test(marker))
    throw invalid("argument", "Provided part-number-marker not an integer or within integer range", { argument: "part-number-marker" });
  return Number(marker);
}

/** A part's number from outside. */
export function checkedPartNumber(number: number): number {
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw invalid("argument", "Part number must be an integer between 1 and 10000, inclusive", { argument: "partNumber" });
  return number;
}

const TOKEN_HEAD = "1:";

/** A place in a listing as clients carry it to the next page: nothing for them to read. */
export function continuationToken(after: string): string {
  return Buffer.from(TOKEN_HEAD + after).toString("base64url");
}

/** Characters of a token of the longest place there is. */
const TOKEN_CHARACTERS_MAX = 4_096;

/** The place a token stands for; refuses one that no page ended with. */
export function readContinuationToken(token: string): string {
  const text = token.length > TOKEN_CHARACTERS_MAX ? "" : Buffer.from(token, "base64url").toString("utf8");
  if (!text.startsWith(TOKEN_HEAD) || continuationToken(text.slice(TOKEN_HEAD.length)) !== token)
    throw invalid("argument", "The continuation token provided is incorrect", { argument: "continuation-token" });
  return text.slice(TOKEN_HEAD.length);
}
