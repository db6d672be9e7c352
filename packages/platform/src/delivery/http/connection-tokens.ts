/**
 * Tokens of OAuth connections: got when first needed, kept until shortly before they end, got again after an endpoint refused one.
 *
 * One request for a token is under way for each connection, whoever waits for it; an endpoint that gave none is left alone for a while.
 * Tokens are held in memory only.
 */
import { type Clock, Lru, type MonotonicMs } from "../../base/index.ts";
import type { Authorization, AuthorizationEnd, Connection, Connections } from "../../bus/index.ts";
import { type Realm, realmKey } from "../../model/index.ts";
import type { HttpClient } from "./http-client.ts";
import { readTokenAnswer, type TokenAnswer, tokenCall } from "./oauth.ts";

/** Connections whose tokens are held; one more has the longest unused fetched again. @limit */
const TOKENS_HELD_MAX = 3_000;
/** A token is replaced when this share of its life is left, and no sooner than a minute before its end. */
const RENEWED_AT_SHARE = 0.1;
const RENEWED_BEFORE_MS_MAX = 60_000;
/** An authorization endpoint that could not answer is asked again after this; one that refused, after the longer. */
const ASKED_AGAIN_MS = 1_000;
const REFUSED_ASKED_AGAIN_MS = 30_000;

export interface ConnectionTokensParts {
  readonly client: Pick<HttpClient, "call">;
  readonly connections: Pick<Connections, "get" | "content" | "settle">;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
}

/** A token, or why there is none; `waitMs` says when asking again makes sense. */
export type Token =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "none"; readonly message: string; readonly waitMs: number };

type Held =
  | { readonly kind: "fetching"; readonly version: number; readonly token: Promise<Token> }
  | { readonly kind: "token"; readonly version: number; readonly token: string; readonly goodUntil: MonotonicMs }
  | { readonly kind: "none"; readonly version: number; readonly message: string; readonly until: MonotonicMs };

type OAuth = Extract<Authorization, { readonly kind: "oauth" }>;

export class ConnectionTokens {
  readonly #parts: ConnectionTokensParts;
  readonly #held = new Lru<string, Held>(TOKENS_HELD_MAX);

  constructor(parts: ConnectionTokensParts) {
    this.#parts = parts;
  }

  /** Never rejects for what an endpoint does. */
  async token(realm: Realm, connection: Connection, oauth: OAuth): Promise<Token> {
    const key = keyOf(realm, connection);
    const held = this.#held.get(key);
    const now = this.#parts.clock.monotonicMs();
    if (held?.version === connection.version) {
      if (held.kind === "fetching") return held.token;
      if (held.kind === "token" && now < held.goodUntil) return held;
      if (held.kind === "none" && now < held.until) return { ...held, waitMs: Math.ceil(held.until - now) };
    }
    const token = this.#fetch(realm, connection, oauth, key);
    this.#held.set(key, { kind: "fetching", version: connection.version, token });
    try {
      return await token;
    } catch (error) {
      // A defect: whoever comes next asks anew.
      this.#held.delete(key);
      throw error;
    }
  }

  /** An endpoint did not take `token`: the next call has another. */
  forget(realm: Realm, connection: Connection, token: string): void {
    const key = keyOf(realm, connection);
    const held = this.#held.get(key);
    if (held?.kind === "token" && held.token === token) this.#held.delete(key);
  }

  /** Gets the first token of a connection that was just made or changed, and has it settled: `onAuthorizing` of `Connections`. */
  authorize(realm: Realm, name: string): void {
    const start = async (): Promise<void> => {
      const connection = this.#parts.connections.get(realm, name);
      const content = this.#parts.connections.content(realm, connection);
      if (content?.authorization.kind === "oauth") await this.token(realm, connection, content.authorization);
    };
    start().catch(this.#parts.onTrouble);
  }

  async #fetch(realm: Realm, connection: Connection, oauth: OAuth, key: string): Promise<Token> {
    const answer = readTokenAnswer(await this.#parts.client.call(tokenCall(oauth)));
    const held = this.#heldOf(answer, connection.version);
    // Secrets that were changed meanwhile have a request of their own.
    const current = this.#held.get(key);
    if (current === undefined || current.version === connection.version) this.#held.set(key, held);
    await this.#settle(realm, connection, answer);
    return held.kind === "token"
      ? held
      : { kind: "none", message: held.message, waitMs: Math.ceil(held.until - this.#parts.clock.monotonicMs()) };
  }

  #heldOf(answer: TokenAnswer, version: number): Exclude<Held, { readonly kind: "fetching" }> {
    const now = this.#parts.clock.monotonicMs();
    if (answer.kind !== "token")
      return {
        kind: "none",
        version,
        message: answer.message,
        until: now + (answer.kind === "later" ? ASKED_AGAIN_MS : REFUSED_ASKED_AGAIN_MS),
      };
    const { token, lifeMs } = answer;
    const goodUntil =
      lifeMs === undefined ? Number.POSITIVE_INFINITY : now + lifeMs - Math.min(lifeMs * RENEWED_AT_SHARE, RENEWED_BEFORE_MS_MAX);
    return { kind: "token", version, token, goodUntil };
  }

  /** A state that says otherwise is corrected. An endpoint that is out of reach says nothing of a connection that was authorised before. */
  async #settle(realm: Realm, connection: Connection, answer: TokenAnswer): Promise<void> {
    const { kind } = connection.state;
    const end: AuthorizationEnd = answer.kind === "token" ? { kind: "authorized" } : { kind: "refused", reason: answer.message };
    if (end.kind === kind || (answer.kind === "later" && kind !== "authorizing")) return;
    await this.#parts.connections.settle(realm, connection, end).catch(this.#parts.onTrouble);
  }
}

function keyOf(realm: Realm, { name, id }: Connection): string {
  return `${realmKey(realm)}/${name}/${id}`;
}
