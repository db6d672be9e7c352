/**
 * SASL/PLAIN on one connection: which requests are taken when, and who it belongs to afterwards. Pure but for the look at the credentials.
 *
 * A user is an access key id, its password the secret key; of session credentials, secret key and session token with a colon between.
 */
import { timingSafeEqual } from "node:crypto";
import { isLambentError } from "../../base/index.ts";
import type { InstanceCaller } from "../../model/index.ts";
import { type Credentials, functionOf, type Principal, realmOf } from "../../security/index.ts";
import { requireOwn } from "../own-credentials.ts";
import { Access, type AccessParts, type Admitted } from "./access.ts";

type SignInState =
  /** Nothing but a sign-in is taken. */
  | { readonly kind: "stranger" }
  /** A mechanism was agreed on; its token comes within a request, or, as the oldest form has it, as a bare frame. */
  | { readonly kind: "agreed"; readonly form: "request" | "bare" }
  | { readonly kind: "admitted"; readonly access: Access }
  /** A token was refused: the connection ends behind the answer. */
  | { readonly kind: "refused" };

export type SignInOutcome =
  | { readonly kind: "admitted"; readonly lifeMs: number | undefined }
  | { readonly kind: "refused"; readonly message: string };

export interface SignInParts {
  readonly credentials: Pick<Credentials, "find">;
  /** Region of credentials that name none: SASL has no scope. */
  readonly region: string;
  /** On an instance's own listener, whose credentials alone are taken. */
  readonly caller: InstanceCaller | undefined;
  readonly access: AccessParts;
}

export class SignIn {
  readonly #parts: SignInParts;
  #state: SignInState;

  /** `admitted` is who a connection belongs to that need not sign in. */
  constructor(parts: SignInParts, admitted: Admitted | undefined) {
    this.#parts = parts;
    this.#state = admitted ? { kind: "admitted", access: new Access(admitted, parts.access) } : { kind: "stranger" };
  }

  /** What the connection may do now; undefined while nobody is signed in, and once the credentials have ended. */
  get access(): Access | undefined {
    if (this.#state.kind !== "admitted") return undefined;
    const lifeMs = this.#lifeMs(this.#state.access.admitted.principal);
    return lifeMs === undefined || lifeMs > 0 ? this.#state.access : undefined;
  }

  get isRefused(): boolean {
    return this.#state.kind === "refused";
  }

  /** The next frame is a token and no request. */
  get expectsBareToken(): boolean {
    return this.#state.kind === "agreed" && this.#state.form === "bare";
  }

  /** Whether a token may come within a request now. */
  get expectsToken(): boolean {
    return this.#state.kind === "agreed" && this.#state.form === "request";
  }

  /** The client chose PLAIN. Who is admitted already may sign in again, or as somebody else. */
  agree(form: "request" | "bare"): void {
    this.#state = { kind: "agreed", form };
  }

  /** Looks at a token: `authorization NUL user NUL password`. */
  token(token: Uint8Array): SignInOutcome {
    const admitted = this.#admittedBy(Buffer.from(token.buffer, token.byteOffset, token.length).toString("utf8"));
    if (admitted) {
      this.#state = { kind: "admitted", access: new Access(admitted, this.#parts.access) };
      return { kind: "admitted", lifeMs: this.#lifeMs(admitted.principal) };
    }
    this.#state = { kind: "refused" };
    return { kind: "refused", message: "The access key is not known here, its secret is another one, or its session has ended." };
  }

  /** How long the credentials are good for from now; undefined for those that do not end. */
  #lifeMs(principal: Principal): number | undefined {
    const expiresAt = "expiresAt" in principal ? principal.expiresAt : undefined;
    return expiresAt === undefined || expiresAt === Infinity ? undefined : expiresAt - this.#parts.access.clock.now();
  }

  #admittedBy(token: string): Admitted | undefined {
    const [authorization, user, password, ...others] = token.split("\0");
    if (user === undefined || password === undefined || others.length > 0) return undefined;
    if (authorization !== "" && authorization !== user) return undefined;
    // Secret keys have no colon, and neither have session tokens.
    const [secret = "", sessionToken] = password.split(":");
    const { credentials, caller, region } = this.#parts;
    try {
      const { secretAccessKey, principal } = credentials.find(user, sessionToken);
      if (!isSame(secret, secretAccessKey)) return undefined;
      if (caller) requireOwn(principal, caller);
      return { principal, realm: functionOf(principal)?.realm ?? realmOf(principal, { region, service: "kafka" }) };
    } catch (error) {
      if (isLambentError(error)) return undefined;
      throw error;
    }
  }
}

function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
