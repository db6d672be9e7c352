import { createHmac } from "node:crypto";
import { invariant, LambentError, Lru, type Clock, type Instant, type SecureRandom } from "../base/index.ts";
import type { CredentialIssuer, FunctionVersion, RoleCredentials } from "../model/index.ts";
import { uniqueId, type Principal } from "./principal.ts";
import { createCipher } from "./cipher.ts";
import type { RootKey } from "./secrets.ts";
import { claimsOf, principalOf, readClaims, type SessionClaims, type SessionRequest } from "./session-claims.ts";

/**
 * Keys: the configured root keys, and sessions. A session is nothing but its token: sealed claims from which access key id and
 * secret follow, so issuing one writes nothing and every node with the token key can check it (docs/decisions/stateless-session-tokens.md).
 * Deliberately absent: revoking one session. It ends at its expiry, or with the token key.
 */
export interface Credentials extends CredentialIssuer {
  /**
   * The secret and principal of an access key, `sessionToken` as the request carries it.
   * Throws `UnknownCredentials` (unknown key, foreign or changed token, token of another key) and `ExpiredCredentials`.
   */
  find(accessKeyId: string, sessionToken: string | undefined): { readonly secretAccessKey: string; readonly principal: Principal };
  /** Credentials of a function's role, good for `FUNCTION_CREDENTIALS_LIFE_MS`; their holder stays in the function's realm. */
  issue(version: FunctionVersion): RoleCredentials;
  /** Credentials for a session that ends `lifeMs` from now. */
  issueSession(session: SessionRequest, lifeMs: number): SessionCredentials;
}

export interface SessionCredentials extends RoleCredentials {
  readonly expiresAt: Instant;
}

/** A function's credentials outlive its instance: an instance is replaced before this has passed. */
export const FUNCTION_CREDENTIALS_LIFE_MS = 36 * 3_600_000;

/** Longest token looked at: more than the largest one issued (P7). */
const TOKEN_CHARACTERS_MAX = 32_768;

/** Opened tokens remembered, so that a warm caller's is opened once (P7). */
const OPENED_TOKENS_MAX = 1_024;

/** First characters of every token: names the form, so that a later one can be told apart. */
const TOKEN_PREFIX = "LBT1";
const TOKEN_CONTEXT = "lambent session token 1";

interface OpenedToken {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly claims: SessionClaims;
  readonly principal: Principal;
}

export interface CredentialsOptions {
  readonly rootKeys: readonly RootKey[];
  /** 32 bytes; see `Secrets`. */
  readonly tokenKey: Uint8Array;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
}

/** The keys of one server. */
export function createCredentials(options: CredentialsOptions): Credentials {
  const { clock, tokenKey } = options;
  const roots = new Map(options.rootKeys.map((key) => [key.accessKeyId, rootCredentials(key)]));
  const cipher = createCipher(tokenKey, options.secureRandom);
  const opened = new Lru<string, OpenedToken>(OPENED_TOKENS_MAX);

  const open = (token: string): OpenedToken => {
    const known = opened.get(token);
    if (known) return known;
    const claims = openToken(cipher, token);
    const pair = keyPairOf(tokenKey, token);
    const entry = { ...pair, claims, principal: principalOf(claims, pair.accessKeyId) };
    opened.set(token, entry);
    return entry;
  };

  const seal = (claims: SessionClaims): SessionCredentials => {
    const sealed = cipher.seal(Buffer.from(JSON.stringify(claims), "utf8"), TOKEN_CONTEXT);
    const sessionToken = TOKEN_PREFIX + sealed.toString("base64");
    return { ...keyPairOf(tokenKey, sessionToken), sessionToken, expiresAt: claims.expiresAt };
  };

  return {
    find(accessKeyId, sessionToken) {
      if (sessionToken === undefined) return roots.get(accessKeyId) ?? unknownKey(accessKeyId);
      const session = open(sessionToken);
      if (session.accessKeyId !== accessKeyId) return unknownKey(accessKeyId);
      if (session.claims.expiresAt <= clock.now()) {
        throw new LambentError(
          "ExpiredCredentials",
          `The session token of ${accessKeyId} ended at ${new Date(session.claims.expiresAt).toISOString()}.`,
        );
      }
      return session;
    },
    issue(version) {
      const { accessKeyId, secretAccessKey, sessionToken } = seal(claimsOf.function(version, clock.now() + FUNCTION_CREDENTIALS_LIFE_MS));
      return { accessKeyId, secretAccessKey, sessionToken };
    },
    issueSession(session, lifeMs) {
      invariant(lifeMs > 0, "a session lasts a while");
      return seal(claimsOf.session(session, clock.now() + lifeMs));
    },
  };
}

function rootCredentials(key: RootKey): { readonly secretAccessKey: string; readonly principal: Principal } {
  invariant(!/[\r\n]/.test(key.secretAccessKey), "a secret access key has no line break");
  return { secretAccessKey: key.secretAccessKey, principal: { kind: "root", account: key.account, accessKeyId: key.accessKeyId } };
}

function openToken(cipher: ReturnType<typeof createCipher>, token: string): SessionClaims {
  if (!token.startsWith(TOKEN_PREFIX) || token.length > TOKEN_CHARACTERS_MAX) return foreignToken();
  const text = token.slice(TOKEN_PREFIX.length);
  const sealed = Buffer.from(text, "base64");
  // One spelling a token: base64 with other padding or stray characters would lead to another key pair anyway.
  if (sealed.toString("base64") !== text) return foreignToken();
  const plain = cipher.tryOpen(sealed, TOKEN_CONTEXT);
  return plain === undefined ? foreignToken() : readClaims(plain);
}

/** Access key id (`ASIA…`, 20 characters) and secret (40 characters) that belong to a token: nobody without the key can compute them. */
function keyPairOf(tokenKey: Uint8Array, token: string): { readonly accessKeyId: string; readonly secretAccessKey: string } {
  const derive = (purpose: string): Buffer => createHmac("sha256", tokenKey).update(purpose).update("\0").update(token).digest();
  return {
    accessKeyId: uniqueId("ASIA", derive("access key id")),
    secretAccessKey: derive("secret access key").toString("base64").slice(0, 40),
  };
}

function unknownKey(accessKeyId: string): never {
  throw new LambentError(
    "UnknownCredentials",
    `The access key ${JSON.stringify(accessKeyId)} is not known here, or its session token is missing or another's.`,
  );
}

function foreignToken(): never {
  throw new LambentError("UnknownCredentials", "The session token was not issued here, or was changed.");
}
