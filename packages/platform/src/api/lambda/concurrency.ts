import type {
  Concurrency,
  DeleteFunctionConcurrencyRequest,
  DeleteProvisionedConcurrencyConfigRequest,
  GetFunctionConcurrencyRequest,
  GetFunctionConcurrencyResponse,
  GetProvisionedConcurrencyConfigRequest,
  GetProvisionedConcurrencyConfigResponse,
  ListProvisionedConcurrencyConfigsRequest,
  ListProvisionedConcurrencyConfigsResponse,
  PutFunctionConcurrencyRequest,
  PutProvisionedConcurrencyConfigRequest,
  PutProvisionedConcurrencyConfigResponse,
} from "@aws-sdk/client-lambda";
import { functionArn, parseFunctionReference, parseUnqualifiedReference, type ProvisionedView } from "../../functions/index.ts";
import { versionKey, type Realm } from "../../model/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";
import { lambdaTime } from "./shapes.ts";

/** Reserved concurrency. @see Lambda API reference */
export function reservedConcurrencyOperations({ functions }: ManagementDependencies) {
  const nameOf = (input: { readonly FunctionName: string | undefined }, context: RequestContext): string =>
    parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm);
  return {
    async PutFunctionConcurrency(input: PutFunctionConcurrencyRequest, context: RequestContext): Promise<Concurrency> {
      const reserved = given(input.ReservedConcurrentExecutions, "ReservedConcurrentExecutions");
      await functions.concurrency.reserve(context.realm, nameOf(input, context), reserved);
      return { ReservedConcurrentExecutions: reserved };
    },

    GetFunctionConcurrency(input: GetFunctionConcurrencyRequest, context: RequestContext): GetFunctionConcurrencyResponse {
      return { ReservedConcurrentExecutions: functions.concurrency.reserved(context.realm, nameOf(input, context)) };
    },

    async DeleteFunctionConcurrency(input: DeleteFunctionConcurrencyRequest, context: RequestContext): Promise<void> {
      await functions.concurrency.reserve(context.realm, nameOf(input, context), undefined);
    },
  };
}

/** Provisioned concurrency. @see Lambda API reference */
export function provisionedConcurrencyOperations(dependencies: ManagementDependencies) {
  const { concurrency } = dependencies.functions;
  return {
    async PutProvisionedConcurrencyConfig(
      input: PutProvisionedConcurrencyConfigRequest,
      context: RequestContext,
    ): Promise<PutProvisionedConcurrencyConfigResponse> {
      const { name, qualifier } = provisionedOf(input, context);
      const instances = given(input.ProvisionedConcurrentExecutions, "ProvisionedConcurrentExecutions");
      const view = await concurrency.provision(context.realm, name, qualifier, instances);
      return provisionedShape(dependencies, context.realm, name, view);
    },

    GetProvisionedConcurrencyConfig(
      input: GetProvisionedConcurrencyConfigRequest,
      context: RequestContext,
    ): GetProvisionedConcurrencyConfigResponse {
      const { name, qualifier } = provisionedOf(input, context);
      return provisionedShape(dependencies, context.realm, name, concurrency.provisioned(context.realm, name, qualifier));
    },

    ListProvisionedConcurrencyConfigs(
      input: ListProvisionedConcurrencyConfigsRequest,
      context: RequestContext,
    ): ListProvisionedConcurrencyConfigsResponse {
      const name = parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm);
      const page = concurrency.listProvisioned(context.realm, name, { marker: input.Marker, maxItems: input.MaxItems });
      return {
        ProvisionedConcurrencyConfigs: page.items.map((view) => ({
          FunctionArn: functionArn(context.realm, name, view.qualifier),
          ...provisionedShape(dependencies, context.realm, name, view),
        })),
        NextMarker: page.nextMarker,
      };
    },

    async DeleteProvisionedConcurrencyConfig(input: DeleteProvisionedConcurrencyConfigRequest, context: RequestContext): Promise<void> {
      const { name, qualifier } = provisionedOf(input, context);
      await concurrency.removeProvisioned(context.realm, name, qualifier);
    },
  };
}

function provisionedOf(
  input: { readonly FunctionName: string | undefined; readonly Qualifier: string | undefined },
  context: RequestContext,
): { readonly name: string; readonly qualifier: string } {
  const { name, qualifier } = parseFunctionReference(
    given(input.FunctionName, "FunctionName"),
    context.realm,
    given(input.Qualifier, "Qualifier"),
  );
  return { name, qualifier: given(qualifier, "Qualifier") };
}

function provisionedShape(
  dependencies: ManagementDependencies,
  realm: Realm,
  name: string,
  view: ProvisionedView,
): GetProvisionedConcurrencyConfigResponse {
  const { version } = dependencies.functions.reading.get(realm, name, view.qualifier);
  const ready = Math.min(view.instances, dependencies.instancesReady(versionKey(version)));
  return {
    RequestedProvisionedConcurrentExecutions: view.instances,
    AvailableProvisionedConcurrentExecutions: ready,
    AllocatedProvisionedConcurrentExecutions: ready,
    Status: ready < view.instances ? "IN_PROGRESS" : "READY",
    LastModified: lambdaTime(view.modifiedAt),
  };
}
