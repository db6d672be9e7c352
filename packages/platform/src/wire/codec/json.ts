import { isUtf8 } from "node:buffer";
import { LambentError } from "../../base/index.ts";
import type { WireResponse } from "../http.ts";

/** The tree of a JSON body; an empty body is an empty object, as clients send for operations without input. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  if (!isUtf8(body)) throw new LambentError("MalformedRequest", "The body is not UTF-8.");
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch {
    // The parser's message repeats the body, which may hold secrets.
    throw new LambentError("MalformedRequest", "The body is not JSON.");
  }
}

export function jsonResponse(status: number, contentType: string, tree: unknown): WireResponse {
  return { status, headers: { "content-type": contentType }, body: Buffer.from(JSON.stringify(tree), "utf8") };
}
