import { LambentError } from "../../base/index.ts";
import type { EventKey, Place } from "../../telemetry/index.ts";

/** Paging tokens. They come back from outside, so each is checked whole; none is a secret or a permission. */

/** Where a page of one stream goes on, and which way. */
export function streamToken(direction: "forward" | "backward", place: Place): string {
  return `${direction === "forward" ? "f" : "b"}/${String(place.segment).padStart(15, "0")}${String(place.offset).padStart(12, "0")}`;
}

export function readStreamToken(token: string): { readonly direction: "forward" | "backward"; readonly place: Place } {
  const [, direction, segment, offset] = /^([fb])\/(\d{15})(\d{12})$/.exec(token) ?? [];
  if (direction === undefined) throw invalid(token);
  return { direction: direction === "f" ? "forward" : "backward", place: { segment: Number(segment), offset: Number(offset) } };
}

/** The last event of a page of a search. */
export function searchToken(newestFirst: boolean, { timestamp, place, stream }: EventKey): string {
  return encode([newestFirst, timestamp, place.segment, place.offset, stream]);
}

export function readSearchToken(token: string): { readonly newestFirst: boolean; readonly after: EventKey } {
  const [newestFirst, timestamp, segment, offset, stream] = decode(token);
  if (
    typeof newestFirst !== "boolean" ||
    typeof timestamp !== "number" ||
    typeof segment !== "number" ||
    typeof offset !== "number" ||
    typeof stream !== "string"
  ) {
    throw invalid(token);
  }
  return { newestFirst, after: { timestamp, stream, place: { segment, offset } } };
}

/** The last entry of a page of a list that is ordered by a number, then a name. */
export function listToken(rank: number, name: string): string {
  return encode([rank, name]);
}

export function readListToken(token: string): { readonly rank: number; readonly name: string } {
  const [rank, name] = decode(token);
  if (typeof rank !== "number" || typeof name !== "string") throw invalid(token);
  return { rank, name };
}

function encode(value: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(token: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (Array.isArray(value)) return value as readonly unknown[];
  } catch {
    // Falls through: what is not JSON is refused like any other token that is not ours.
  }
  throw invalid(token);
}

function invalid(token: string): LambentError {
  return new LambentError("InvalidParameter", `nextToken ${token.slice(0, 80)} is not one that this operation gave.`);
}
