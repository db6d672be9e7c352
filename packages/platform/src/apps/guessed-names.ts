/** Names for what has none: made of what it does, so that the same gets the same name and another thing another. */
import { createHash } from "node:crypto";

/** Characters of the name of a rule, and of a schedule. */
const NAME_LENGTH_MAX = 64;
/** Characters of a statement's id. */
const STATEMENT_ID_LENGTH_MAX = 100;
const DIGEST_LENGTH = 8;

/** `<function>-<what>-<digest>`; what is too long loses its middle to a digest. */
export function guessedName(functionName: string, what: string, digest: string): string {
  const parts = [functionName, what.replaceAll(/[^A-Za-z0-9_.-]+/gu, "-"), digest].filter((part) => part !== "");
  const name = parts.join("-");
  return name.length <= NAME_LENGTH_MAX ? name : `${name.slice(0, NAME_LENGTH_MAX - DIGEST_LENGTH - 1)}-${digestOf(name + what)}`;
}

/** A text as the id of a function's statement: letters, digits, - and _. */
export function permissionId(plain: string): string {
  const id = plain.replaceAll(/[^A-Za-z0-9_-]/gu, "-");
  return id === plain && id.length <= STATEMENT_ID_LENGTH_MAX
    ? id
    : `${id.slice(0, STATEMENT_ID_LENGTH_MAX - DIGEST_LENGTH - 1)}-${digestOf(plain)}`;
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, DIGEST_LENGTH);
}
