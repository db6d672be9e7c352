/** Who is asking, whether they may, and what is secret: credentials, signatures, policies, cipher, egress, browsers, audit. */
export type { RequestHead, SignedRequest } from "./request.ts";
export { accountOf, functionOf, isRoleArn, principalArn, realmOf, roleAccountOf, roleNameOf, serviceSession } from "./principal.ts";
export type { CredentialScope, FunctionIdentity, Principal } from "./principal.ts";

export { createAuthenticator } from "./authenticator.ts";
export type { AuthenticatedHead, Authenticator, HeadOptions } from "./authenticator.ts";
export { ChunkSignatures } from "./sigv4/chunk-signatures.ts";
export type { SignedPayload } from "./sigv4/payload.ts";
export { checkPostedBytes, verifyPostPolicy } from "./post-policy/verify.ts";
export type { AuthenticatedPost, PostForm } from "./post-policy/verify.ts";
export { presign, signRequest } from "./sigv4/sign.ts";
export type { SigningKey, SigningOptions } from "./sigv4/sign.ts";

export { createCredentials, FUNCTION_CREDENTIALS_LIFE_MS } from "./credentials.ts";
export type { Credentials, SessionCredentials } from "./credentials.ts";
export type { SessionRequest } from "./session-claims.ts";
export { chooseRootKeys, ephemeralSecrets, openSecrets, WELL_KNOWN_ROOT_KEYS } from "./secrets.ts";
export type { GivenRootKey, RootKey, RootKeyChoice, Secrets } from "./secrets.ts";
export { createCipher } from "./cipher.ts";

export { parsePolicy } from "./policy/document.ts";
export type { PolicyDocument, PolicyKind, PolicyStatement } from "./policy/document.ts";
export { compilePattern, matchesPattern } from "./policy/pattern.ts";
export { evaluate } from "./policy/evaluate.ts";
export type { AccessRequest, ConditionContext, Decision, NamedPolicy, PolicySet, StatementReference } from "./policy/evaluate.ts";

export { openRoles } from "./roles.ts";
export type { PolicyDraft, RoleDraft, Roles } from "./roles.ts";
export { defaultVersion } from "./role-model.ts";
export type { ManagedPolicy, Page, PageRequest, PolicyVersion, Role, Tags } from "./role-model.ts";
export type { PolicyChange, RoleChange } from "./role-rules.ts";
export { createAuthorizer } from "./authorizer.ts";
export type { Authorizer, AuthorizationRequest } from "./authorizer.ts";
export { createAuditLog } from "./audit.ts";
export type { AuditEntry, AuditLog, AuditOutcome } from "./audit.ts";

export { createEgress, egressAllowed, hostAddresses } from "./egress.ts";
export type { Egress, EgressOptions, EgressToAll, OpenedDestination, ResolvedAddress } from "./egress.ts";
export { checkBrowser } from "./browser-rules.ts";
export type { BrowserRules, BrowserVerdict, Surface } from "./browser-rules.ts";
export { standardSecretBytes, verifyWebhook, WEBHOOK_STYLES } from "./webhooks/verify.ts";
export type { SignedWebhook, WebhookStyle, WebhookVerdict } from "./webhooks/verify.ts";
export { SECRET_VARIABLE } from "./secrets.ts";
