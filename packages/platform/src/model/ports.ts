import type { Server } from "node:net";
import type { FunctionVersion } from "./function.ts";

/** Interfaces where a lower part needs a higher one; joined in `server/platform.ts` only. */

/** Encrypts what is secret at rest (security → storage, functions). */
export interface Cipher {
  /** `context` is bound to the ciphertext: opening with another one fails. */
  seal(plain: Uint8Array, context: string): Buffer;
  open(sealed: Uint8Array, context: string): Buffer;
}

/** Lambent's API as one instance sees it, on a listener that only this instance can reach (gateway → runtime). */
export interface InstanceEndpoint {
  /** Serves the API on `listener`, taking only `sessionToken`'s credentials. Closing ends its connections. */
  serveApi(listener: Server, caller: InstanceCaller): { close(): void };
  /** Serves the egress proxy on `listener`. */
  serveProxy(listener: Server, caller: InstanceCaller): { close(): void };
}

export interface InstanceCaller {
  readonly instanceId: string;
  readonly version: FunctionVersion;
}

/** Short-lived credentials of a function's role, as environment variables carry them (security → runtime). */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface CredentialIssuer {
  issue(version: FunctionVersion): RoleCredentials;
}
