import type { IncomingMessage } from "node:http";
import { type UrlGuard, wireRequestOf } from "../gateway/index.ts";
import type { SecureRandom } from "../base/index.ts";
import { accountOf, type Authenticator, type Authorizer, type Principal, principalArn } from "../security/index.ts";
import type { FunctionUrl } from "../gateway/index.ts";

export interface UrlGuardDependencies {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly secureRandom: SecureRandom;
  /** The resource policy of what the URL points at, JSON text. */
  readonly resourcePolicy: (url: FunctionUrl) => { readonly arn: string; readonly policy: string | undefined };
}

/**
 * Who calls a function URL, and whether they may: with `AuthType` NONE everybody whom the function's policy lets in, with AWS_IAM
 * whoever signed for `lambda` and is allowed. Either way both actions are needed, as on AWS since October 2025.
 */
export function createUrlGuard(dependencies: UrlGuardDependencies): UrlGuard {
  return (url, request, body) => {
    const principal = url.authType === "NONE" ? ANONYMOUS : dependencies.authenticator.authenticate(wireRequestOf(request, body), "lambda");
    const { arn, policy } = dependencies.resourcePolicy(url);
    const requestId = dependencies.secureRandom.uuid();
    for (const action of ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]) {
      dependencies.authorizer.authorize({
        principal,
        requestId,
        region: url.realm.region,
        action,
        resource: arn,
        resourcePolicy: policy,
        context: { "lambda:FunctionUrlAuthType": url.authType, "lambda:InvokedViaFunctionUrl": "true", "aws:SourceIp": sourceIp(request) },
      });
    }
    return principal.kind === "anonymous" ? { kind: "anonymous" } : iamCaller(principal);
  };
}

const ANONYMOUS: Principal = { kind: "anonymous" };

function sourceIp(request: IncomingMessage): string {
  return request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
}

function iamCaller(principal: Principal): ReturnType<UrlGuard> {
  return {
    kind: "iam",
    accountId: accountOf(principal) ?? "",
    accessKey: "accessKeyId" in principal ? principal.accessKeyId : "",
    userArn: principalArn(principal),
    userId: "accessKeyId" in principal ? principal.accessKeyId : "",
  };
}
