import type { Server } from "node:net";
import type { FunctionVersion } from "./function.ts";
import type { Realm } from "./realm.ts";

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
  /** Serves Kafka clients on `listener`, as the function's role. */
  serveKafka(listener: Server, caller: InstanceCaller): { close(): void };
}

export interface InstanceCaller {
  readonly instanceId: string;
  readonly version: FunctionVersion;
}

/** Every operation of every service as a target (api → delivery). */
export interface ServiceCaller {
  /** Whether there is such an operation, and it is built. */
  has(service: string, operation: string): Promise<boolean>;
  /**
   * Performs an operation as a session of the role, with the JSON of its input. Service and operation as an SDK names them: `sqs`,
   * `sendMessage`. Throws what the operation throws; `NotFound` for one that nothing here has.
   */
  call(call: ServiceCall): Promise<void>;
}

export interface ServiceCall {
  readonly realm: Realm;
  readonly roleArn: string;
  /** Who holds the session: `scheduler.amazonaws.com`. */
  readonly holder: string;
  readonly service: string;
  readonly operation: string;
  readonly input: Buffer;
  readonly traceHeader: string | undefined;
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
