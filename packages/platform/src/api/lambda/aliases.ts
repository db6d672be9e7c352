import type {
  AliasConfiguration,
  CreateAliasRequest,
  DeleteAliasRequest,
  GetAliasRequest,
  ListAliasesRequest,
  ListAliasesResponse,
  UpdateAliasRequest,
} from "@aws-sdk/client-lambda";
import { functionArn, parseUnqualifiedReference, type AliasView } from "../../functions/index.ts";
import type { Realm } from "../../model/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";

/** Aliases. @see Lambda API reference */
export function aliasOperations({ functions }: ManagementDependencies) {
  const nameOf = (input: { readonly FunctionName: string | undefined }, context: RequestContext): string =>
    parseUnqualifiedReference(given(input.FunctionName, "FunctionName"), context.realm);
  return {
    async CreateAlias(input: CreateAliasRequest, context: RequestContext): Promise<AliasConfiguration> {
      const name = nameOf(input, context);
      const alias = await functions.aliases.create(context.realm, name, given(input.Name, "Name"), {
        version: given(input.FunctionVersion, "FunctionVersion"),
        description: input.Description,
        weights: input.RoutingConfig?.AdditionalVersionWeights,
      });
      return aliasShape(context.realm, name, alias);
    },

    async UpdateAlias(input: UpdateAliasRequest, context: RequestContext): Promise<AliasConfiguration> {
      const name = nameOf(input, context);
      const alias = await functions.aliases.update(context.realm, name, given(input.Name, "Name"), {
        version: input.FunctionVersion,
        description: input.Description,
        weights: input.RoutingConfig === undefined ? undefined : (input.RoutingConfig.AdditionalVersionWeights ?? {}),
        revisionId: input.RevisionId,
      });
      return aliasShape(context.realm, name, alias);
    },

    GetAlias(input: GetAliasRequest, context: RequestContext): AliasConfiguration {
      const name = nameOf(input, context);
      return aliasShape(context.realm, name, functions.aliases.get(context.realm, name, given(input.Name, "Name")));
    },

    ListAliases(input: ListAliasesRequest, context: RequestContext): ListAliasesResponse {
      const name = nameOf(input, context);
      const page = functions.aliases.list(context.realm, name, input.FunctionVersion, { marker: input.Marker, maxItems: input.MaxItems });
      return { Aliases: page.items.map((alias) => aliasShape(context.realm, name, alias)), NextMarker: page.nextMarker };
    },

    async DeleteAlias(input: DeleteAliasRequest, context: RequestContext): Promise<void> {
      await functions.aliases.remove(context.realm, nameOf(input, context), given(input.Name, "Name"));
    },
  };
}

function aliasShape(realm: Realm, functionName: string, alias: AliasView): AliasConfiguration {
  const { additional } = alias;
  return {
    AliasArn: functionArn(realm, functionName, alias.name),
    Name: alias.name,
    FunctionVersion: alias.version,
    Description: alias.description,
    RoutingConfig: additional === undefined ? undefined : { AdditionalVersionWeights: { [additional.version]: additional.weight } },
    RevisionId: alias.revisionId,
  };
}
