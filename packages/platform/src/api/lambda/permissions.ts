import type {
  AddPermissionRequest,
  AddPermissionResponse,
  GetPolicyRequest,
  GetPolicyResponse,
  RemovePermissionRequest,
} from "@aws-sdk/client-lambda";
import { LambentError } from "../../base/index.ts";
import { documentOf, functionArn, parseFunctionReference, type ResourceStatement } from "../../functions/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";

/** Resource policies of functions. @see Lambda API reference */
export function permissionOperations({ functions }: ManagementDependencies) {
  return {
    async AddPermission(input: AddPermissionRequest, context: RequestContext): Promise<AddPermissionResponse> {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      const statement = statementOf(input, functionArn(context.realm, name, qualifier));
      await functions.policies.add(context.realm, name, qualifier, statement, input.RevisionId);
      return { Statement: JSON.stringify(statement) };
    },

    GetPolicy(input: GetPolicyRequest, context: RequestContext): GetPolicyResponse {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      const policy = functions.policies.get(context.realm, name, qualifier);
      if (!policy) throw new LambentError("NotFound", "The resource you requested does not exist.");
      return { Policy: JSON.stringify(documentOf(policy.statements)), RevisionId: policy.revisionId };
    },

    async RemovePermission(input: RemovePermissionRequest, context: RequestContext): Promise<void> {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      await functions.policies.remove(context.realm, name, qualifier, given(input.StatementId, "StatementId"), input.RevisionId);
    },
  };
}

/** The statement that a request for a permission stands for. */
function statementOf(input: AddPermissionRequest, resource: string): ResourceStatement {
  const conditions: Record<string, Record<string, string>> = {};
  const require = (operator: string, key: string, value: string | undefined): void => {
    if (value !== undefined) conditions[operator] = { ...conditions[operator], [key]: value };
  };
  require("StringEquals", "AWS:SourceAccount", input.SourceAccount);
  require("StringEquals", "lambda:EventSourceToken", input.EventSourceToken);
  require("StringEquals", "aws:PrincipalOrgID", input.PrincipalOrgID);
  require("StringEquals", "lambda:FunctionUrlAuthType", input.FunctionUrlAuthType);
  require("ArnLike", "AWS:SourceArn", input.SourceArn);
  require("Bool", "lambda:InvokedViaFunctionUrl", input.InvokedViaFunctionUrl === undefined
    ? undefined
    : String(input.InvokedViaFunctionUrl));
  return {
    Sid: given(input.StatementId, "StatementId"),
    Effect: "Allow",
    Principal: principalOf(given(input.Principal, "Principal")),
    Action: given(input.Action, "Action"),
    Resource: resource,
    ...(Object.keys(conditions).length > 0 ? { Condition: conditions } : {}),
  };
}

/** An account stands for its root, a name with dots for a service. */
export function principalOf(text: string): ResourceStatement["Principal"] {
  if (text === "*") return "*";
  if (/^\d{12}$/.test(text)) return { AWS: `arn:aws:iam::${text}:root` };
  if (text.startsWith("arn:")) return { AWS: text };
  if (/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(text)) return { Service: text };
  throw new LambentError(
    "InvalidParameter",
    `The provided principal was invalid. Please check the principal and try again: ${JSON.stringify(text.slice(0, 200))}.`,
  );
}
