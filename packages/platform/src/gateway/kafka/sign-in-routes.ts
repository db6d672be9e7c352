/** What may be asked before signing in: which versions are spoken, and the sign-in itself. */
import { type Route, route } from "./call.ts";
import { API_RANGES, apiVersions, KAFKA_ERRORS, saslAuthenticate, saslHandshake } from "./protocol/index.ts";

const MECHANISM = "PLAIN";
const NO_BYTES = Buffer.alloc(0);

/** Keys of the APIs that strangers may use. */
export const SIGN_IN_KEYS: ReadonlySet<number> = new Set([apiVersions.key, saslHandshake.key, saslAuthenticate.key]);

/** The routes of those APIs. */
export const SIGN_IN_ROUTES: readonly Route[] = [
  route(apiVersions, () => ({ errorCode: KAFKA_ERRORS.NONE, apiKeys: API_RANGES })),
  route(saslHandshake, ({ mechanism }, { signIn, version }) => {
    const isKnown = mechanism === MECHANISM;
    if (isKnown) signIn.agree(version === 0 ? "bare" : "request");
    return { errorCode: isKnown ? KAFKA_ERRORS.NONE : KAFKA_ERRORS.UNSUPPORTED_SASL_MECHANISM, mechanisms: [MECHANISM] };
  }),
  route(saslAuthenticate, ({ authBytes }, { signIn }) => {
    if (!signIn.expectsToken) {
      const errorMessage = "A mechanism is chosen first, by SaslHandshake.";
      return { errorCode: KAFKA_ERRORS.ILLEGAL_SASL_STATE, errorMessage, authBytes: NO_BYTES };
    }
    const outcome = signIn.token(authBytes);
    if (outcome.kind === "refused")
      return { errorCode: KAFKA_ERRORS.SASL_AUTHENTICATION_FAILED, errorMessage: outcome.message, authBytes: NO_BYTES };
    return { errorCode: KAFKA_ERRORS.NONE, authBytes: NO_BYTES, sessionLifetimeMs: outcome.lifeMs ?? 0 };
  }),
];
