import { LambentError, type ErrorDetails } from "../base/index.ts";

/** Refusals of signatures, as every form of signature words them. */

/** Characters of foreign text that a message repeats. */
const QUOTED_CHARACTERS_MAX = 80;

/** Foreign text for a message, short. */
export function quote(text: string, charactersMax: number = QUOTED_CHARACTERS_MAX): string {
  return JSON.stringify(text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text);
}

/** The signature lacks a part, or has one that is none. */
export function incompleteSignature(message: string, details: ErrorDetails = {}): LambentError {
  return new LambentError("IncompleteSignature", message, details);
}

/** The signature is not the request's. */
export function signatureMismatch(message: string): LambentError {
  return new LambentError("SignatureMismatch", message);
}
