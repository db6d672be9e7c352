import type { IncomingMessage } from "node:http";
import type { SecureRandom } from "../base/index.ts";
import { type FunctionUrl, type UrlGuard, wireRequestOf } from "../gateway/index.ts";
import { accountOf, type Authenticator, type Authorizer, type Principal, principalArn } from "../security/index.ts";

export interface UrlGuardDependencies {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly secureRandom: SecureRandom;
  /** The resource policy of what the URL points at: its text, and the object it is made from, another one after every change. */
  readonly resourcePolicy: (url: FunctionUrl) => UrlPolicy;
}

export interface UrlPolicy {
  readonly arn: string;
  readonly identity: object | undefined;
  readonly text: () => string | undefined;
}

/** AWS asks for both since October 2025. */
const ACTIONS = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"] as const;

/**
 * Who calls a function URL, and whether they may: with `AuthType` NONE everybody whom the function's policy lets in, with AWS_IAM
 * whoever signed for `lambda` and is allowed.
 */
export function createUrlGuard(dependencies: UrlGuardDependencies): UrlGuard {
  // Policies that were seen to open their function to everybody, whoever calls from where and when.
  const open = new WeakSet<object>();
  return (url, request, body) => {
    const policy = dependencies.resourcePolicy(url);
    if (url.authType === "NONE") {
      if (policy.identity && open.has(policy.identity)) return ANONYMOUS_CALLER;
      const text = policy.text();
      authorizeBoth(dependencies, ANONYMOUS, url, request, { arn: policy.arn, policy: text });
      if (policy.identity && !dependsOnCaller(text)) open.add(policy.identity);
      return ANONYMOUS_CALLER;
    }
    const principal = dependencies.authenticator.authenticate(wireRequestOf(request, body), "lambda");
    authorizeBoth(dependencies, principal, url, request, { arn: policy.arn, policy: policy.text() });
    return iamCaller(principal);
  };
}

const ANONYMOUS: Principal = { kind: "anonymous" };
const ANONYMOUS_CALLER: ReturnType<UrlGuard> = { kind: "anonymous" };

function authorizeBoth(
  { authorizer, secureRandom }: UrlGuardDependencies,
  principal: Principal,
  url: FunctionUrl,
  request: IncomingMessage,
  resource: { readonly arn: string; readonly policy: string | undefined },
): void {
  const requestId = secureRandom.uuid();
  const context = { "lambda:FunctionUrlAuthType": url.authType, "lambda:InvokedViaFunctionUrl": "true", "aws:SourceIp": sourceIp(request) };
  for (const action of ACTIONS) {
    authorizer.authorize({
      principal,
      requestId,
      region: url.realm.region,
      action,
      resource: resource.arn,
      resourcePolicy: resource.policy,
      context,
    });
  }
}

/** True when a condition looks at more than how the URL is called: address, time, organisation. Such a policy is asked at every call. */
function dependsOnCaller(policy: string | undefined): boolean {
  const statements =
    policy === undefined ? [] : (JSON.parse(policy) as { Statement: { Condition?: Record<string, Record<string, unknown>> }[] }).Statement;
  const keys = statements.flatMap(({ Condition }) => Object.values(Condition ?? {}).flatMap(Object.keys));
  return keys.some((key) => key !== "lambda:FunctionUrlAuthType" && key !== "lambda:InvokedViaFunctionUrl");
}

function sourceIp(request: IncomingMessage): string {
  return request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
}

function iamCaller(principal: Principal): ReturnType<UrlGuard> {
  const accessKey = "accessKeyId" in principal ? principal.accessKeyId : "";
  return { kind: "iam", accountId: accountOf(principal) ?? "", accessKey, userArn: principalArn(principal), userId: accessKey };
}
