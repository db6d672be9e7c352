import { isLambentError } from "../../base/index.ts";
import { documentOf, functionArn, type Functions, layerArn, parseFunctionReference, parseLayerReference } from "../../functions/index.ts";
import type { AsyncInvoker, Invoker } from "../../invoker/index.ts";
import { mappingArn } from "../../sources/index.ts";
import { loadService } from "../../wire/index.ts";
import type { RequestContext } from "../operation.ts";
import type { Permission, Service } from "../service.ts";
import type { ManagementDependencies } from "./dependencies.ts";
import { lambdaWireError } from "./errors.ts";
import { invocationOperations } from "./invoke.ts";
import { lambdaOperations } from "./operations.ts";

export interface LambdaDependencies extends ManagementDependencies {
  readonly invoker: Invoker;
  readonly asyncInvoker: Pick<AsyncInvoker, "accept">;
}

/** Lambda as the gateway serves it. */
export function lambdaService(dependencies: LambdaDependencies): Service {
  const { functions } = dependencies;
  return {
    model: loadService("lambda"),
    operations: { ...lambdaOperations(dependencies), ...invocationOperations(dependencies) },
    wireError: lambdaWireError,
    permission: (operation, input, context) => permissionFor(functions, operation, input, context),
  };
}

/** IAM actions that are not called like their operation. @see Service Authorization Reference, AWS Lambda */
const ACTIONS: Readonly<Record<string, string>> = {
  Invoke: "InvokeFunction",
  InvokeWithResponseStream: "InvokeFunction",
  GetLayerVersionByArn: "GetLayerVersion",
};

function permissionFor(
  functions: Functions,
  operation: string,
  input: Readonly<Record<string, unknown>>,
  context: RequestContext,
): Permission {
  const action = `lambda:${ACTIONS[operation] ?? operation}`;
  const { realm } = context;
  if (operation.includes("EventSourceMapping"))
    return { action, resource: typeof input["UUID"] === "string" ? mappingArn(realm, input["UUID"]) : "*" };
  if (typeof input["FunctionName"] === "string") {
    const given = typeof input["Qualifier"] === "string" ? input["Qualifier"] : undefined;
    const { name, qualifier } = parseFunctionReference(input["FunctionName"], realm, given);
    return { action, resource: functionArn(realm, name, qualifier), resourcePolicy: policyText(functions, context, name, qualifier) };
  }
  if (typeof input["LayerName"] === "string") {
    const { name } = parseLayerReference(input["LayerName"], realm);
    const version = typeof input["VersionNumber"] === "number" ? input["VersionNumber"] : undefined;
    return { action, resource: layerArn(realm, name, version) };
  }
  const named = input["Resource"] ?? input["Arn"];
  return { action, resource: typeof named === "string" ? named : "*" };
}

const policyTexts = new WeakMap<object, string>();

/** The resource policy as text; the same object always as the same text, so that it is parsed once. */
export function policyText(
  functions: Functions,
  { realm }: Pick<RequestContext, "realm">,
  name: string,
  qualifier: string | undefined,
): string | undefined {
  const policy = policyOf(functions, realm, name, qualifier);
  if (!policy) return undefined;
  const known = policyTexts.get(policy);
  if (known !== undefined) return known;
  const text = JSON.stringify(documentOf(policy.statements));
  policyTexts.set(policy, text);
  return text;
}

/** A function that does not exist has no policy: the operation itself says that it does not exist. */
function policyOf(
  functions: Functions,
  realm: RequestContext["realm"],
  name: string,
  qualifier: string | undefined,
): ReturnType<Functions["policies"]["get"]> {
  try {
    return functions.policies.get(realm, name, qualifier);
  } catch (error) {
    if (isLambentError(error, "NotFound")) return undefined;
    throw error;
  }
}
