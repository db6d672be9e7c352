import { LambentError, type Clock } from "../base/index.ts";
import type { Credentials } from "./credentials.ts";
import type { CredentialScope, Principal } from "./principal.ts";
import type { SignedRequest } from "./request.ts";
import { readClaim, type SignatureClaim } from "./sigv4/claim.ts";
import { SigningKeys } from "./sigv4/signing-key.ts";
import { checkSignature, checkTime } from "./sigv4/verify.ts";

/**
 * Turns a signed request into the principal behind it. Owns the derived signing keys; reads no policy and knows
 * no operation. Never takes a request on its word: every part that is not covered by the signature is refused or unused.
 */
export interface Authenticator {
  /**
   * What the request claims, for finding the service; undefined when it carries no signature.
   * Proves nothing. Throws `IncompleteSignature` when the claim is malformed.
   */
  credentialScope(request: SignedRequest): CredentialScope | undefined;
  /**
   * The principal that signed. `serviceSigningName` is the service the request was routed to; the scope has to name it.
   * Throws `MissingCredentials`, `IncompleteSignature`, `UnknownCredentials`, `ExpiredCredentials`, `RequestExpired`, `SignatureMismatch`.
   */
  authenticate(request: SignedRequest, serviceSigningName: string): Principal;
}

/** An authenticator for the keys that `credentials` knows. */
export function createAuthenticator(options: { readonly credentials: Credentials; readonly clock: Clock }): Authenticator {
  const keys = new SigningKeys();
  // A request is asked about several times on its way; its claim is read once and goes with it.
  const claims = new WeakMap<SignedRequest, SignatureClaim>();
  const claimOf = (request: SignedRequest): SignatureClaim | undefined => {
    const known = claims.get(request);
    if (known) return known;
    const claim = readClaim(request);
    if (claim) claims.set(request, claim);
    return claim;
  };
  return {
    credentialScope: (request) => claimOf(request)?.scope,
    authenticate(request, serviceSigningName) {
      const claim = claimOf(request);
      if (claim === undefined)
        throw new LambentError("MissingCredentials", "The request has neither an Authorization header nor a signed query.");
      if (claim.scope.service !== serviceSigningName) {
        throw new LambentError(
          "SignatureMismatch",
          `The request was signed for ${claim.scope.service} but is one of ${serviceSigningName}.`,
        );
      }
      const found = options.credentials.find(claim.scope.accessKeyId, claim.sessionToken);
      checkTime(claim, options.clock.now());
      checkSignature(request, claim, { keys, secretAccessKey: found.secretAccessKey });
      return found.principal;
    },
  };
}
