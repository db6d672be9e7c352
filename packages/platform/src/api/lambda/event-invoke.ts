import type {
  DeleteFunctionEventInvokeConfigRequest,
  FunctionEventInvokeConfig,
  GetFunctionEventInvokeConfigRequest,
  ListFunctionEventInvokeConfigsRequest,
  ListFunctionEventInvokeConfigsResponse,
  PutFunctionEventInvokeConfigRequest,
  UpdateFunctionEventInvokeConfigRequest,
} from "@aws-sdk/client-lambda";
import {
  functionArn,
  parseFunctionReference,
  parseUnqualifiedReference,
  type EventInvokeInput,
  type EventInvokeView,
} from "../../functions/index.ts";
import type { Realm } from "../../model/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";

/** How asynchronous calls are retried, and where their outcomes go. @see Lambda API reference */
export function eventInvokeOperations({ functions }: ManagementDependencies) {
  const referenceOf = (
    input: { readonly FunctionName: string | undefined; readonly Qualifier?: string | undefined },
    context: RequestContext,
  ) => parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
  return {
    async PutFunctionEventInvokeConfig(
      input: PutFunctionEventInvokeConfigRequest,
      context: RequestContext,
    ): Promise<FunctionEventInvokeConfig> {
      const { name, qualifier } = referenceOf(input, context);
      return eventInvokeShape(
        context.realm,
        name,
        await functions.eventInvoke.put(context.realm, name, qualifier, eventInvokeInput(input)),
      );
    },

    async UpdateFunctionEventInvokeConfig(
      input: UpdateFunctionEventInvokeConfigRequest,
      context: RequestContext,
    ): Promise<FunctionEventInvokeConfig> {
      const { name, qualifier } = referenceOf(input, context);
      return eventInvokeShape(
        context.realm,
        name,
        await functions.eventInvoke.update(context.realm, name, qualifier, eventInvokeInput(input)),
      );
    },

    GetFunctionEventInvokeConfig(input: GetFunctionEventInvokeConfigRequest, context: RequestContext): FunctionEventInvokeConfig {
      const { name, qualifier } = referenceOf(input, context);
      return eventInvokeShape(context.realm, name, functions.eventInvoke.get(context.realm, name, qualifier));
    },

    ListFunctionEventInvokeConfigs(
      input: ListFunctionEventInvokeConfigsRequest,
      context: RequestContext,
    ): ListFunctionEventInvokeConfigsResponse {
      const name = parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm);
      const page = functions.eventInvoke.list(context.realm, name, { marker: input.Marker, maxItems: input.MaxItems });
      return {
        FunctionEventInvokeConfigs: page.items.map((view) => eventInvokeShape(context.realm, name, view)),
        NextMarker: page.nextMarker,
      };
    },

    async DeleteFunctionEventInvokeConfig(input: DeleteFunctionEventInvokeConfigRequest, context: RequestContext): Promise<void> {
      const { name, qualifier } = referenceOf(input, context);
      await functions.eventInvoke.remove(context.realm, name, qualifier);
    },
  };
}

function eventInvokeInput(input: PutFunctionEventInvokeConfigRequest | UpdateFunctionEventInvokeConfigRequest): EventInvokeInput {
  return {
    maximumRetryAttempts: input.MaximumRetryAttempts,
    maximumEventAgeSeconds: input.MaximumEventAgeInSeconds,
    onSuccess: input.DestinationConfig?.OnSuccess?.Destination,
    onFailure: input.DestinationConfig?.OnFailure?.Destination,
  };
}

function eventInvokeShape(realm: Realm, name: string, view: EventInvokeView): FunctionEventInvokeConfig {
  return {
    FunctionArn: functionArn(realm, name, view.qualifier),
    LastModified: new Date(view.modifiedAt),
    MaximumRetryAttempts: view.maximumRetryAttempts,
    MaximumEventAgeInSeconds: view.maximumEventAgeSeconds,
    DestinationConfig: {
      OnSuccess: view.onSuccess === undefined ? {} : { Destination: view.onSuccess },
      OnFailure: view.onFailure === undefined ? {} : { Destination: view.onFailure },
    },
  };
}
