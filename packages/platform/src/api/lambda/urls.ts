import type {
  Cors,
  CreateFunctionUrlConfigRequest,
  CreateFunctionUrlConfigResponse,
  DeleteFunctionUrlConfigRequest,
  FunctionUrlConfig,
  GetFunctionUrlConfigRequest,
  GetFunctionUrlConfigResponse,
  ListFunctionUrlConfigsRequest,
  ListFunctionUrlConfigsResponse,
  UpdateFunctionUrlConfigRequest,
  UpdateFunctionUrlConfigResponse,
} from "@aws-sdk/client-lambda";
import { functionArn, parseFunctionReference, parseUnqualifiedReference, type CorsSettings, type UrlView } from "../../functions/index.ts";
import { realmKey } from "../../model/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";

/** Function URLs. @see Lambda API reference */
export function urlOperations({ functions, defaultRealm }: ManagementDependencies) {
  const shape = (url: UrlView, context: RequestContext): FunctionUrlConfig => {
    const byName = url.qualifier === undefined && realmKey(url.realm) === realmKey(defaultRealm);
    return { ...urlShape(url), FunctionUrl: `${context.endpoint}/function-url/${byName ? url.functionName : url.urlId}/` };
  };
  return {
    async CreateFunctionUrlConfig(
      input: CreateFunctionUrlConfigRequest,
      context: RequestContext,
    ): Promise<CreateFunctionUrlConfigResponse> {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      const url = await functions.urls.create(context.realm, name, qualifier, {
        authType: given(input.AuthType, "AuthType"),
        cors: input.Cors === undefined ? undefined : corsInput(input.Cors),
        invokeMode: input.InvokeMode,
      });
      return shape(url, context);
    },

    async UpdateFunctionUrlConfig(
      input: UpdateFunctionUrlConfigRequest,
      context: RequestContext,
    ): Promise<UpdateFunctionUrlConfigResponse> {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      const url = await functions.urls.update(context.realm, name, qualifier, {
        authType: input.AuthType,
        cors: input.Cors === undefined ? undefined : corsInput(input.Cors),
        invokeMode: input.InvokeMode,
      });
      return shape(url, context);
    },

    GetFunctionUrlConfig(input: GetFunctionUrlConfigRequest, context: RequestContext): GetFunctionUrlConfigResponse {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      return shape(functions.urls.get(context.realm, name, qualifier), context);
    },

    ListFunctionUrlConfigs(input: ListFunctionUrlConfigsRequest, context: RequestContext): ListFunctionUrlConfigsResponse {
      const name = parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm);
      const page = functions.urls.list(context.realm, name, { marker: input.Marker, maxItems: input.MaxItems });
      return { FunctionUrlConfigs: page.items.map((url) => shape(url, context)), NextMarker: page.nextMarker };
    },

    async DeleteFunctionUrlConfig(input: DeleteFunctionUrlConfigRequest, context: RequestContext): Promise<void> {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      await functions.urls.remove(context.realm, name, qualifier);
    },
  };
}

function urlShape(url: UrlView): Omit<FunctionUrlConfig, "FunctionUrl"> {
  return {
    FunctionArn: functionArn(url.realm, url.functionName, url.qualifier),
    AuthType: url.authType,
    Cors: url.cors === undefined ? undefined : corsShape(url.cors),
    InvokeMode: url.invokeMode,
    CreationTime: new Date(url.createdAt).toISOString(),
    LastModifiedTime: new Date(url.modifiedAt).toISOString(),
  };
}

/** Settings without a member are none: that is how a client takes CORS away. */
function corsInput(cors: Cors): CorsSettings | null {
  if (Object.values(cors).every((value) => value === undefined)) return null;
  return {
    allowCredentials: cors.AllowCredentials,
    allowHeaders: cors.AllowHeaders,
    allowMethods: cors.AllowMethods,
    allowOrigins: cors.AllowOrigins,
    exposeHeaders: cors.ExposeHeaders,
    maxAgeSeconds: cors.MaxAge,
  };
}

function corsShape(cors: CorsSettings): Cors {
  const list = (values: readonly string[] | undefined): string[] | undefined => (values === undefined ? undefined : [...values]);
  return {
    AllowCredentials: cors.allowCredentials,
    AllowHeaders: list(cors.allowHeaders),
    AllowMethods: list(cors.allowMethods),
    AllowOrigins: list(cors.allowOrigins),
    ExposeHeaders: list(cors.exposeHeaders),
    MaxAge: cors.maxAgeSeconds,
  };
}
