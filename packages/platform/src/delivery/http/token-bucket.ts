/** How often an endpoint may be called: a token bucket. Pure; times are monotonic. */
import type { MonotonicMs } from "../../base/index.ts";

export interface TokenBucket {
  /** Calls that may go at once, with fractions. */
  readonly tokens: number;
  readonly at: MonotonicMs;
}

/** What is saved up of a second in which nothing was called: the share that may go at once. */
const BURST_SHARE = 1 / 5;

/** Calls that may go at once after a while without any. */
export function burstOf(perSecond: number): number {
  return Math.max(1, Math.floor(perSecond * BURST_SHARE));
}

/**
 * Takes a token, or says how long to wait: until half a burst is there, so that who waits is not woken for every single one.
 * Within any stretch of time at most `perSecond` for each second of it and one burst go.
 */
export function takeToken(
  bucket: TokenBucket | undefined,
  perSecond: number,
  now: MonotonicMs,
): { readonly kind: "taken"; readonly bucket: TokenBucket } | { readonly kind: "wait"; readonly ms: number; readonly bucket: TokenBucket } {
  const burst = burstOf(perSecond);
  const tokens = bucket ? Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * perSecond) / 1_000) : burst;
  // Fractions add up a little short of what they are.
  if (tokens >= 1 - ROUNDING) return { kind: "taken", bucket: { tokens: Math.max(0, tokens - 1), at: now } };
  const wanted = Math.max(1, Math.floor(burst / 2));
  return { kind: "wait", ms: Math.ceil(((wanted - tokens) * 1_000) / perSecond), bucket: { tokens, at: now } };
}

const ROUNDING = 1e-6;
