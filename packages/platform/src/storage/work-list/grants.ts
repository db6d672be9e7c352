/** What a list decides for those who ask it, before bodies are read. */
import type { Instant } from "../../base/index.ts";

/** A lease as it was given. */
export interface LeaseGrant {
  readonly position: number;
  readonly index: number;
  readonly receipt: string;
  readonly group: string | undefined;
  readonly enqueuedAt: Instant;
  readonly receiveCount: number;
  readonly firstReceivedAt: Instant;
  readonly note: Uint8Array | undefined;
}

export interface OutgoingGrant {
  readonly number: number;
  readonly target: string;
  readonly position: number;
  readonly index: number;
}

/** Rows to read before more can be decided. */
export type Wanted = { readonly kind: "page"; readonly from: number } | { readonly kind: "row"; readonly position: number };
