/**
 * Who sent a webhook: its signature, checked before anything of it is looked at.
 *
 * Pure: the time is passed in. Keeps P8: whatever the headers hold ends as `refused`. Every secret that is configured is tried, so
 * that secrets can be changed while messages signed with the old one are under way; comparisons take the same time whatever differs.
 * Deliberately absent: remembering what was seen (`gateway/webhook`), and what a message means.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Instant } from "../../base/index.ts";

/** How a sender signs. `none`: it does not. */
export type WebhookStyle = "standard" | "github" | "stripe" | "none";
export const WEBHOOK_STYLES: readonly WebhookStyle[] = ["standard", "github", "stripe", "none"];

/** A signed time may be this far from ours, before or after: what was seen on its way cannot be sent again later. @limit */
const WEBHOOK_TOLERANCE_MS = 300_000;
/** Signatures of one message that are looked at; senders that change their secret send two. */
const SIGNATURES_MAX = 16;
/** Characters of a header that are looked at. */
const HEADER_CHARACTERS_MAX = 4_096;

export interface SignedWebhook {
  readonly headers: IncomingHttpHeaders;
  /** The bytes as they came. */
  readonly body: Buffer;
}

export type WebhookVerdict =
  /** `id` is the sender's own for this message, the same at every attempt; undefined where the style has none in its headers. */
  | { readonly kind: "verified"; readonly id: string | undefined }
  | {
      readonly kind: "refused";
      readonly why: "headerMissing" | "headerMalformed" | "timeTooFar" | "signatureWrong";
      readonly message: string;
    };

/** Whether `webhook` was signed with one of `secrets`, at about `now`. */
export function verifyWebhook(style: WebhookStyle, webhook: SignedWebhook, secrets: readonly string[], now: Instant): WebhookVerdict {
  switch (style) {
    case "standard":
      return verifyStandard(webhook, secrets, now);
    case "github":
      return verifyGithub(webhook, secrets);
    case "stripe":
      return verifyStripe(webhook, secrets, now);
    case "none":
      return { kind: "verified", id: headerOf(webhook, "webhook-id") };
  }
}

/** Key bytes of a Standard Webhooks secret: base64, with or without `whsec_`; undefined for a text that is none. */
export function standardSecretBytes(secret: string): Buffer | undefined {
  const encoded = secret.startsWith("whsec_") ? secret.slice("whsec_".length) : secret;
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(encoded) && encoded !== ""
    ? Buffer.from(encoded, "base64")
    : undefined;
}

/** @see https://github.com/standard-webhooks/standard-webhooks, "Signature scheme"; Svix's own headers are the same under another name. */
function verifyStandard(webhook: SignedWebhook, secrets: readonly string[], now: Instant): WebhookVerdict {
  const prefix =
    headerOf(webhook, "webhook-signature") === undefined && headerOf(webhook, "svix-signature") !== undefined ? "svix" : "webhook";
  const [id, time, signatures] = ["id", "timestamp", "signature"].map((name) => headerOf(webhook, `${prefix}-${name}`));
  if (id === undefined || time === undefined || signatures === undefined)
    return refused("headerMissing", `The headers ${prefix}-id, ${prefix}-timestamp and ${prefix}-signature are needed.`);
  const signedAt = secondsOf(time);
  if (signedAt === undefined) return refused("headerMalformed", `${prefix}-timestamp is not a number of seconds.`);
  if (isFar(signedAt, now)) return tooFar(`${prefix}-timestamp`);
  const given = signatures.split(" ", SIGNATURES_MAX).flatMap((each) => (each.startsWith("v1,") ? [each.slice("v1,".length)] : []));
  const signed = Buffer.concat([Buffer.from(`${id}.${time}.`), webhook.body]);
  const expected = secrets.flatMap((secret) => {
    const key = standardSecretBytes(secret);
    return key ? [hmac(key, signed).toString("base64")] : [];
  });
  return matches(expected, given) ? { kind: "verified", id } : refused("signatureWrong", `No v1 signature of ${prefix}-signature fits.`);
}

/** @see GitHub documentation, "Validating webhook deliveries" */
function verifyGithub(webhook: SignedWebhook, secrets: readonly string[]): WebhookVerdict {
  const signature = headerOf(webhook, "x-hub-signature-256");
  if (signature === undefined)
    return refused("headerMissing", "The header X-Hub-Signature-256 is needed: set a secret in the webhook's settings.");
  if (!signature.startsWith("sha256=")) return refused("headerMalformed", "X-Hub-Signature-256 begins with sha256=.");
  const expected = secrets.map((secret) => hmac(secret, webhook.body).toString("hex"));
  if (!matches(expected, [signature.slice("sha256=".length)])) return refused("signatureWrong", "X-Hub-Signature-256 does not fit.");
  return { kind: "verified", id: headerOf(webhook, "x-github-delivery") };
}

/** @see Stripe documentation, "Verify webhook signatures manually" */
function verifyStripe(webhook: SignedWebhook, secrets: readonly string[], now: Instant): WebhookVerdict {
  const header = headerOf(webhook, "stripe-signature");
  if (header === undefined) return refused("headerMissing", "The header Stripe-Signature is needed.");
  const parts = header.split(",", SIGNATURES_MAX + 1).map((part) => part.trim());
  const time = valuesOf(parts, "t")[0];
  const signedAt = time === undefined ? undefined : secondsOf(time);
  if (signedAt === undefined) return refused("headerMalformed", "Stripe-Signature has no t= with a number of seconds.");
  if (isFar(signedAt, now)) return tooFar("The time in Stripe-Signature");
  const signed = Buffer.concat([Buffer.from(`${time}.`), webhook.body]);
  const expected = secrets.map((secret) => hmac(secret, signed).toString("hex"));
  // Its id stands in the body only.
  return matches(expected, valuesOf(parts, "v1"))
    ? { kind: "verified", id: undefined }
    : refused("signatureWrong", "No v1= of Stripe-Signature fits.");
}

function headerOf({ headers }: SignedWebhook, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" && value !== "" && value.length <= HEADER_CHARACTERS_MAX ? value : undefined;
}

function valuesOf(parts: readonly string[], key: string): string[] {
  return parts.flatMap((part) => (part.startsWith(`${key}=`) ? [part.slice(key.length + 1)] : []));
}

function secondsOf(text: string): Instant | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) * 1_000 : undefined;
}

/** Senders say seconds: a whole tolerance away is still near. */
function isFar(at: Instant, now: Instant): boolean {
  return Math.abs(Math.floor(now / 1_000) * 1_000 - at) > WEBHOOK_TOLERANCE_MS;
}

function hmac(key: string | Buffer, signed: Buffer): Buffer {
  return createHmac("sha256", key).update(signed).digest();
}

/** True when one of `given` is one of `expected`. All pairs are compared: how long it takes says nothing about which one fits. */
function matches(expected: readonly string[], given: readonly string[]): boolean {
  let found = false;
  for (const each of expected) {
    const wanted = Buffer.from(each);
    for (const text of given) {
      const candidate = Buffer.from(text);
      if (candidate.length === wanted.length && timingSafeEqual(candidate, wanted)) found = true;
    }
  }
  return found;
}

function tooFar(what: string): WebhookVerdict {
  return refused("timeTooFar", `${what} is more than ${WEBHOOK_TOLERANCE_MS / 1_000} seconds from this server's time.`);
}

type Refused = Extract<WebhookVerdict, { readonly kind: "refused" }>;

function refused(why: Refused["why"], message: string): WebhookVerdict {
  return { kind: "refused", why, message };
}
