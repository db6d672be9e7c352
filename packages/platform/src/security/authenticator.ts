import { LambentError, type Clock } from "../base/index.ts";
import type { Credentials } from "./credentials.ts";
import type { Realm } from "../model/index.ts";
import { realmOf, type CredentialScope, type Principal } from "./principal.ts";
import { signatureMismatch } from "./refusals.ts";
import type { RequestHead, SignedRequest } from "./request.ts";
import { checkQueryV2Signature, checkQueryV2Time, readQueryV2Claim, type QueryV2Claim } from "./sigv2.ts";
import { readClaim, type SignatureClaim } from "./sigv4/claim.ts";
import { headPayloadHash, payloadHashOf, signedPayload, unsignedPayload, type SignedPayload } from "./sigv4/payload.ts";
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
  credentialScope(request: RequestHead): CredentialScope | undefined;
  /**
   * The principal that signed. `serviceSigningName` is the service the request was routed to; the scope has to name it.
   * Throws `MissingCredentials`, `IncompleteSignature`, `UnknownCredentials`, `ExpiredCredentials`, `RequestExpired`, `SignatureMismatch`.
   */
  authenticate(request: SignedRequest, serviceSigningName: string): Principal;
  /**
   * The same for a request to S3 whose body comes later: checks everything but the body, and says how the body has to be checked.
   * Takes presigned URLs of Version 2 too. A request without any signature is the anonymous principal's. Throws as `authenticate`
   * does, and `NotImplemented` for forms of signed bodies that are not taken, `InvalidParameter` for those that do not exist.
   */
  authenticateHead(request: RequestHead, serviceSigningName: string, options: HeadOptions): AuthenticatedHead;
}

export interface HeadOptions {
  /** Region of a request whose signature names none. */
  readonly regionless: string;
  /** The bucket where the request's host names it: a signature of Version 2 covers it with the path. */
  readonly hostBucket?: string | undefined;
}

export interface AuthenticatedHead {
  readonly principal: Principal;
  /** Where it works; undefined for the anonymous principal. */
  readonly realm?: Realm;
  readonly payload: SignedPayload;
  readonly signedBy: "header" | "query" | "queryV2" | "nobody";
}

/** An authenticator for the keys that `credentials` knows. */
export function createAuthenticator(options: { readonly credentials: Credentials; readonly clock: Clock }): Authenticator {
  const { credentials, clock } = options;
  const keys = new SigningKeys();
  // A request is asked about several times on its way; its claim is read once and goes with it.
  const claims = new WeakMap<RequestHead, SignatureClaim>();
  const claimOf = (request: RequestHead): SignatureClaim | undefined => {
    const known = claims.get(request);
    if (known) return known;
    const claim = readClaim(request);
    if (claim) claims.set(request, claim);
    return claim;
  };

  /** Who signed, once the signature over the payload's hash was found right. */
  const check = (request: RequestHead, claim: SignatureClaim, payloadHash: () => string): ReturnType<Credentials["find"]> => {
    const found = credentials.find(claim.scope.accessKeyId, claim.sessionToken);
    checkTime(claim, clock.now());
    checkSignature(request, claim, { keys, secretAccessKey: found.secretAccessKey, payloadHash });
    return found;
  };

  const authenticateV2 = (request: RequestHead, claim: QueryV2Claim, head: HeadOptions): AuthenticatedHead => {
    const { principal, secretAccessKey } = credentials.find(claim.accessKeyId, claim.sessionToken);
    checkQueryV2Time(claim, clock.now());
    checkQueryV2Signature(request, claim, secretAccessKey, head.hostBucket);
    const realm = realmOf(principal, { region: head.regionless, service: "s3" });
    return { principal, realm, payload: unsignedPayload(request), signedBy: "queryV2" };
  };

  return {
    credentialScope: (request) => claimOf(request)?.scope,
    authenticate(request, serviceSigningName) {
      const claim = claimOf(request);
      if (claim === undefined)
        throw new LambentError("MissingCredentials", "The request has neither an Authorization header nor a signed query.");
      checkService(claim, serviceSigningName);
      return check(request, claim, () => payloadHashOf(request, claim)).principal;
    },
    authenticateHead(request, serviceSigningName, head) {
      const claimV2 = readQueryV2Claim(request);
      if (claimV2) return authenticateV2(request, claimV2, head);
      const claim = claimOf(request);
      if (claim === undefined) return { principal: { kind: "anonymous" }, payload: unsignedPayload(request), signedBy: "nobody" };
      checkService(claim, serviceSigningName);
      const payloadHash = headPayloadHash(request, claim);
      const { principal, secretAccessKey } = check(request, claim, () => payloadHash);
      const payload = signedPayload(payloadHash, claim, keys, secretAccessKey);
      return { principal, realm: realmOf(principal, claim.scope), payload, signedBy: claim.form };
    },
  };
}

function checkService(claim: SignatureClaim, serviceSigningName: string): void {
  if (claim.scope.service === serviceSigningName) return;
  throw signatureMismatch(`The request was signed for ${claim.scope.service} but is one of ${serviceSigningName}.`);
}
