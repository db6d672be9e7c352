import type {
  FunctionConfiguration,
  ListVersionsByFunctionRequest,
  ListVersionsByFunctionResponse,
  PublishVersionRequest,
} from "@aws-sdk/client-lambda";
import { LambentError } from "../../base/index.ts";
import { parseUnqualifiedReference } from "../../functions/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";
import { functionConfiguration } from "./shapes.ts";

/** Published versions. @see Lambda API reference */
export function versionOperations({ functions }: ManagementDependencies) {
  return {
    async PublishVersion(input: PublishVersionRequest, context: RequestContext): Promise<FunctionConfiguration> {
      if (input.PublishTo !== undefined) throw new LambentError("NotImplemented", "PublishTo is not built in Lambent.");
      const name = parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm);
      const view = await functions.versions.publish(context.realm, name, {
        codeSha256: input.CodeSha256,
        description: input.Description,
        revisionId: input.RevisionId,
      });
      return functionConfiguration(context.realm, view, view.version.version);
    },

    ListVersionsByFunction(input: ListVersionsByFunctionRequest, context: RequestContext): ListVersionsByFunctionResponse {
      const name = parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm);
      const page = functions.reading.listVersions(context.realm, name, { marker: input.Marker, maxItems: input.MaxItems });
      return {
        Versions: page.items.map((view) => functionConfiguration(context.realm, view, view.version.version)),
        NextMarker: page.nextMarker,
      };
    },
  };
}
