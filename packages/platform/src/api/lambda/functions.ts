import type {
  CreateFunctionRequest,
  DeleteFunctionRequest,
  DeleteFunctionResponse,
  FunctionConfiguration,
  GetFunctionCodeSigningConfigRequest,
  GetFunctionCodeSigningConfigResponse,
  GetFunctionConfigurationRequest,
  GetFunctionRecursionConfigRequest,
  GetFunctionRecursionConfigResponse,
  GetFunctionRequest,
  GetFunctionResponse,
  ListFunctionsRequest,
  ListFunctionsResponse,
  PutFunctionRecursionConfigRequest,
  PutFunctionRecursionConfigResponse,
  UpdateFunctionCodeRequest,
  UpdateFunctionConfigurationRequest,
} from "@aws-sdk/client-lambda";
import { isVersionNumber, parseFunctionReference, parseUnqualifiedReference, type FunctionView } from "../../functions/index.ts";
import { LATEST } from "../../model/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { zipOf } from "./code-input.ts";
import type { ManagementDependencies } from "./dependencies.ts";
import { settingsInput } from "./settings-input.ts";
import { functionConfiguration } from "./shapes.ts";

/** Functions as such: created, changed, deleted. @see Lambda API reference */
export function functionOperations({ functions, code }: ManagementDependencies) {
  return {
    async CreateFunction(input: CreateFunctionRequest, context: RequestContext): Promise<FunctionConfiguration> {
      const name = parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm);
      const view = await functions.lifecycle.create(context.realm, {
        ...settingsInput(input),
        name,
        zip: await zipOf(given(input.Code, "Code"), context, code),
        layerArns: input.Layers,
        tags: input.Tags,
        publish: input.Publish,
      });
      return functionConfiguration(context.realm, view, numbered(view));
    },

    async UpdateFunctionCode(input: UpdateFunctionCodeRequest, context: RequestContext): Promise<FunctionConfiguration> {
      const name = latestOf(input, context);
      const view = await functions.lifecycle.updateCode(context.realm, name, {
        zip: await zipOf(input, context, code),
        architecture: input.Architectures?.[0],
        publish: input.Publish,
        dryRun: input.DryRun,
        revisionId: input.RevisionId,
      });
      return functionConfiguration(context.realm, view, numbered(view));
    },

    async UpdateFunctionConfiguration(input: UpdateFunctionConfigurationRequest, context: RequestContext): Promise<FunctionConfiguration> {
      const name = latestOf(input, context);
      const view = await functions.lifecycle.updateConfiguration(context.realm, name, {
        ...settingsInput(input),
        layerArns: input.Layers,
        revisionId: input.RevisionId,
      });
      return functionConfiguration(context.realm, view, undefined);
    },

    async DeleteFunction(input: DeleteFunctionRequest, context: RequestContext): Promise<DeleteFunctionResponse> {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      await functions.lifecycle.remove(context.realm, name, qualifier);
      return { StatusCode: 204 };
    },
  };
}

/** Functions as they are. @see Lambda API reference */
export function functionReadingOperations({ functions, codeLocation }: ManagementDependencies) {
  return {
    GetFunction(input: GetFunctionRequest, context: RequestContext): GetFunctionResponse {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      const view = functions.reading.get(context.realm, name, qualifier);
      const { tags, reservedConcurrency } = functions.reading.details(context.realm, name);
      return {
        Configuration: functionConfiguration(context.realm, view, qualifier),
        Code: { RepositoryType: "S3", Location: codeLocation(view.version.code, context) },
        Tags: Object.keys(tags).length > 0 ? tags : undefined,
        Concurrency: reservedConcurrency === undefined ? undefined : { ReservedConcurrentExecutions: reservedConcurrency },
      };
    },

    GetFunctionConfiguration(input: GetFunctionConfigurationRequest, context: RequestContext): FunctionConfiguration {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, input.Qualifier);
      return functionConfiguration(context.realm, functions.reading.get(context.realm, name, qualifier), qualifier);
    },

    ListFunctions(input: ListFunctionsRequest, context: RequestContext): ListFunctionsResponse {
      // Replicas at the edge are what a master region is about; there are none here.
      if (input.MasterRegion !== undefined && input.MasterRegion !== "ALL") return { Functions: [] };
      const allVersions = input.FunctionVersion === "ALL";
      const page = functions.reading.list(context.realm, allVersions, { marker: input.Marker, maxItems: input.MaxItems });
      return {
        Functions: page.items.map((view) => functionConfiguration(context.realm, view, allVersions ? view.version.version : undefined)),
        NextMarker: page.nextMarker,
      };
    },

    /** Code signing is not built, so no function has a configuration of it; deploy tools ask all the same. */
    GetFunctionCodeSigningConfig(
      input: GetFunctionCodeSigningConfigRequest,
      context: RequestContext,
    ): GetFunctionCodeSigningConfigResponse {
      const { name } = parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm);
      functions.reading.details(context.realm, name);
      return { CodeSigningConfigArn: "", FunctionName: name };
    },
  };
}

/** Whether calls may come back to their function in a circle. @see Lambda API reference */
export function recursionOperations({ functions }: ManagementDependencies) {
  return {
    async PutFunctionRecursionConfig(
      input: PutFunctionRecursionConfigRequest,
      context: RequestContext,
    ): Promise<PutFunctionRecursionConfigResponse> {
      const mode = given(input.RecursiveLoop, "RecursiveLoop");
      await functions.lifecycle.setRecursion(
        context.realm,
        parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm),
        mode,
      );
      return { RecursiveLoop: mode };
    },

    GetFunctionRecursionConfig(input: GetFunctionRecursionConfigRequest, context: RequestContext): GetFunctionRecursionConfigResponse {
      const name = parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm);
      return { RecursiveLoop: functions.reading.details(context.realm, name).recursion };
    },
  };
}

/** The ARN of an answer about a published version ends with its number. */
function numbered(view: FunctionView): string | undefined {
  return isVersionNumber(view.version.version) ? view.version.version : undefined;
}

/** Only `$LATEST` can be changed, and may be named so. */
function latestOf(input: { readonly FunctionName: string | undefined }, context: RequestContext): string {
  return parseFunctionReference(given(input.FunctionName, "FunctionName"), context.realm, LATEST).name;
}
