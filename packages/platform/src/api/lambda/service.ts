import { functionArn, type Functions, layerArn, parseFunctionReference, parseLayerReference } from "../../functions/index.ts";
import type { AsyncInvoker, Invoker } from "../../invoker/index.ts";
import { mappingArn } from "../../sources/index.ts";
import { loadService } from "../../wire/index.ts";
import type { RequestContext } from "../operation.ts";
import type { Permission, Service } from "../service.ts";
import type { ManagementDependencies } from "./dependencies.ts";
import { lambdaWireError } from "./errors.ts";
import { invocationOperations } from "./invoke.ts";
import { lambdaOperations } from "./operations.ts";
import { policyText } from "./policy-text.ts";

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
