import { Lru } from "../../base/index.ts";
import { parsePolicy, type PolicyDocument, type PolicyKind } from "./document.ts";

/** Parsed policies remembered (P7): those of the roles and resources in use. */
const PARSED_POLICIES_MAX = 1_024;

const parsed = new Lru<string, PolicyDocument>(PARSED_POLICIES_MAX);

/** `parsePolicy`, remembering: the same text is the same document. */
export function parsePolicyCached(text: string, kind: PolicyKind): PolicyDocument {
  const key = `${kind}\n${text}`;
  const known = parsed.get(key);
  if (known) return known;
  const document = parsePolicy(text, kind);
  parsed.set(key, document);
  return document;
}
